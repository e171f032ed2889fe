"""From a sheet that is not HTTP's to the connection or the question that it describes."""

import re
from urllib.parse import urlsplit

from opsboard.expectations.kinds import READ_FOR
from opsboard.outbound.questions import PORT
from opsboard.outbound.reply import Dial, Lookup
from opsboard.probes.connections import connection_of, limits_of
from opsboard.probes.rendering import NotOrderable, filler
from opsboard.probes.rules import Expected
from opsboard.services.models import CriticalPath, Environment

_PLACE = re.compile(r"(\[[^\]\s]+\]|[^:\[\]\s]*):([0-9]{1,5})")
# An IPv6 address is in brackets where a port follows.
_SERVER = re.compile(r"@(?:\[([^\]\s]+)\](?::([0-9]{1,5}))?|([0-9.]+):([0-9]{1,5})|(\S+))")


def render_other(
    path: CriticalPath, environment: Environment, values: dict[str, str], expected: Expected
) -> Dial | Lookup:
    """Raises NotOrderable for a variable that is not set, and for a route that is none."""
    fill = filler(environment, values)
    route = fill(path.route).strip()
    if path.kind == CriticalPath.Kind.DNS:
        return _lookup(route, path)
    host, port = _place(route, path, environment)
    limits = limits_of(path.connection, follows=False)
    return Dial(
        host=host,
        port=port,
        is_secured=path.kind == CriticalPath.Kind.TLS,
        body=fill(path.body).encode(),
        # Nothing that no clause is about is waited for.
        reads=any(clause.fact in READ_FOR for clause in expected.clauses),
        timeout=path.timeout,
        connection=connection_of(path.connection, fill),
        **{name: value for name, value in limits.items() if name == "max_body"},
    )


def _place(route: str, path: CriticalPath, environment: Environment) -> tuple[str, int]:
    """ "db.internal:5432", "[2001:db8::9]:5432", or ":5432" of the environment's own host."""
    parts = _PLACE.fullmatch(route)
    if not parts:
        raise _unreadable(path, "a host and a port, as db.internal:5432")
    return parts[1] or _own_host(environment), _port(parts[2], path)


def _own_host(environment: Environment) -> str:
    try:
        host = urlsplit(environment.base_url).hostname
    except ValueError:
        host = None
    if not host:
        raise NotOrderable(
            f"{environment.slug} has no base URL to take the host from: write the host too."
        )
    return f"[{host}]" if ":" in host else host


def _lookup(route: str, path: CriticalPath) -> Lookup:
    """As dig takes it: "fares.example", "fares.example AAAA", "fares.example MX @10.0.0.53"."""
    words = route.split()
    servers = [word for word in words if word.startswith("@")]
    asked = [word for word in words if not word.startswith("@")]
    if len(servers) > 1 or not 1 <= len(asked) <= 2:
        raise _unreadable(path, "a name, a type and a server, as fares.example AAAA @10.0.0.53")
    server, port = _server(servers[0], path) if servers else ("", PORT)
    kind = asked[1].upper() if len(asked) == 2 else "A"
    return Lookup(name=asked[0], type=kind, server=server, port=port, timeout=path.timeout)


def _server(word: str, path: CriticalPath) -> tuple[str, int]:
    address, port = split_server(word)
    if not address:
        raise _unreadable(path, "with the address of a server, as @10.0.0.53")
    return address, _port(port, path)


def split_server(word: str) -> tuple[str, str]:
    """ "@10.0.0.53:5353" in its two parts, the usual port where none is written. Two empty ones:
    it is no server."""
    parts = _SERVER.fullmatch(word)
    if not parts:
        return "", ""
    return parts[1] or parts[3] or parts[5], parts[2] or parts[4] or str(PORT)


def _port(text: str, path: CriticalPath) -> int:
    if not 0 < int(text) <= 65_535:
        raise _unreadable(path, "with a port from 1 to 65535")
    return int(text)


def _unreadable(path: CriticalPath, usual: str) -> NotOrderable:
    """As it is written, with its marks: what is filled in may be secret."""
    return NotOrderable(f'The route "{path.route}" is not {usual}. Edit the sheet.')
