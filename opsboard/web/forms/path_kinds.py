"""Which fields the form of a sheet has, by kind; and where a problem of a sheet stands in it."""

from opsboard.services.connection import KEYS
from opsboard.services.kinds import uses
from opsboard.services.problems import At

# Of the request; a path of steps has them in each step instead.
OF_REQUEST = ("method", "route", "query", "headers", "body", "form_fields")
OF_HTTP = ("follows_redirects", "cache_mode")
OF_HEARTBEAT = ("every", "cron", "zone", "grace", "longest")
# The fields of an option of the connection, by its key.
OF_OPTION: dict[str, tuple[str, ...]] = {
    "http": ("http_version",),
    "ip": ("ip_version",),
    "redirects": ("redirects",),
    "server_name": ("server_name",),
    "host": ("host_header",),
    "authority": ("authority",),
    "certificate": ("certificate",),
    "key": ("certificate_key",),
    "basic": ("basic_user", "basic_password"),
    "bearer": ("bearer",),
    "proxy": ("proxy",),
    "compressed": ("compressed",),
    "max_body": ("max_body",),
}
# What a route is, by kind.
ROUTES = {
    "http": "Below the address of the environment, as in /price?from=SK1, or a whole address. "
    "{{\u00a0NAME\u00a0}} is a variable of the environment.",
    "tcp": "Host and port, as in db.internal:5432, or :5432 for that port of the environment's "
    "own host.",
    "tls": "Host and port, as in fares.example:443, or :443 for that port of the environment's "
    "own host.",
    "dns": "A name, what is asked of it, and the server when it is not the usual one, as in "
    "fares.example AAAA @10.0.0.53.",
}
# What a new sheet expects, and how clauses of each kind look.
EXPECTED = {
    "http": "status == 200",
    "tcp": "time < 1 s",
    "tls": "certificate.days > 14",
    "dns": "time < 1 s",
    "heartbeat": "",
}
CLAUSES = {
    "http": "status == 200, json $.ok == true, time < 800 ms, warn time < 400 ms",
    "tcp": 'time < 100 ms, body contains "PONG"',
    "tls": "certificate.days > 14, warn certificate.days > 30, time.tls < 200 ms",
    "dns": 'time < 50 ms, json $.answers[0].value == "10.0.0.9"',
    "heartbeat": "exit in 0, 3, time < 20 m, json $.rows >= 1; an exit code of 0 goes without "
    "saying",
}
_KEY_OF = {"form_fields": "form"}


def fields_not_of(kind: str, *, has_steps: bool) -> set[str]:
    """The fields that a sheet of this kind does not have."""
    left_out = {name for name in OF_HEARTBEAT if not uses(kind, "heartbeat")}
    left_out |= {name for name in OF_HTTP if not uses(kind, name)}
    left_out |= {name for name in ("interval", "timeout", "locations") if not uses(kind, name)}
    left_out |= {
        name for key, names in OF_OPTION.items() if key not in KEYS[kind] for name in names
    }
    return left_out | {name for name in OF_REQUEST if has_steps or not _asks_with(kind, name)}


def _asks_with(kind: str, field: str) -> bool:
    return kind == "http" if field == "method" else uses(kind, _KEY_OF.get(field, field))


def field_at(at: At) -> str:
    """The field of the form in which a problem of a sheet stands; steps have rows of their own."""
    match at:
        case ("connection", "basic", "password"):
            return "basic_password"
        case ("connection", key, *_):
            return OF_OPTION[str(key)][0]
        case ("heartbeat", key):
            return str(key)
        case ("heartbeat",):
            return "every"
        case ("form",):
            return "form_fields"
    return str(at[0])
