"""What a sheet of each kind has: its route, and the fields that mean something. Pure.

Every no is a sentence.
"""

import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from typing import Any

from opsboard.expectations.nearest import did_you_mean
from opsboard.services.addresses import check_route, check_url
from opsboard.services.marks import as_read
from opsboard.services.problems import Problem

KINDS = {
    "http": "An HTTP path",
    "tcp": "A TCP path",
    "tls": "A TLS path",
    "dns": "A DNS path",
    "heartbeat": "A heartbeat",
}
LONGEST_ROUTE = 2_000
# What can be asked of a name server.
RECORDS = (
    *("A", "AAAA", "CNAME", "MX", "NS", "TXT", "SOA", "SRV", "CAA", "PTR", "HTTPS", "SVCB"),
    *("TLSA", "DS", "DNSKEY", "NAPTR", "SSHFP"),
)

_REQUEST = ("headers", "query", "body", "form", "cache_mode", "follows_redirects")
_USED: Mapping[str, frozenset[str]] = {
    "http": frozenset(
        {*_REQUEST, "route", "connection", "steps", "interval", "timeout", "locations"}
    ),
    "tcp": frozenset({"route", "body", "connection", "interval", "timeout", "locations"}),
    "tls": frozenset({"route", "connection", "interval", "timeout", "locations"}),
    "dns": frozenset({"route", "interval", "timeout", "locations"}),
    "heartbeat": frozenset({"heartbeat"}),
}
# How each field is told to a kind that has no use for it.
_UNUSED: Mapping[str, str] = {
    "route": "is asked nothing, so it has no route: take it out.",
    "headers": "sends no headers: take them out.",
    "query": "sends no query: take it out.",
    "body": "sends no body: take it out.",
    "form": "sends no form: take it out.",
    "follows_redirects": "meets no redirects: take this out.",
    "connection": "has no options of a connection: take them out.",
    "cache_mode": "meets no cache: take the mode out.",
    "steps": "has no steps: take them out. Only HTTP has several.",
    "heartbeat": "reports in by no address: take the heartbeat out, or make its kind heartbeat.",
    "interval": "is not asked: its own every or cron says when it is due. Take this out.",
    "timeout": "is not asked, so nothing is given up: take this out. Its grace time says how long "
    "it may be late.",
    "locations": "is asked from nowhere: take the locations out.",
}
# Of a path of several steps these belong into a step.
_OF_A_STEP = ("route", "headers", "query", "body", "form")

_HOST_AND_PORT = re.compile(r"(\[[^\]]*\]|[^:\[\]]*):([^:]*)")
_PORT = re.compile(r"[1-9][0-9]{0,4}")
_DNS_NAME = re.compile(r"(?=.{1,253}\.?$)(?:[a-z0-9_*](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.?)+", re.I)


def check_kind(kind: str) -> str:
    if kind in KINDS:
        return ""
    return f"Unknown kind `{kind[:40]}`; {did_you_mean(kind, tuple(KINDS), {'cron': 'heartbeat'})}"


def check_route_of(kind: str, route: str) -> str:
    """Why `route` cannot be asked by a path of that kind, or ""."""
    if len(route) > LONGEST_ROUTE:
        return f"A route has at most {LONGEST_ROUTE:,} characters, and this has {len(route):,}."
    checks = {"http": check_route, "tcp": check_tcp_route, "tls": check_tls_route}
    checks |= {"dns": check_dns_route}
    return checks[kind](route) if kind in checks else ""


def check_tcp_route(route: str) -> str:
    return _check_place(route, "db.internal:5432")


def check_tls_route(route: str) -> str:
    return _check_place(route, "fares.example:443")


def _check_place(route: str, such_as: str) -> str:
    usual = (
        f"Write a host and a port, as in {such_as}, or :{such_as.rpartition(':')[2]} for that "
        "port of the environment's own host."
    )
    if "://" in route or "/" in route:
        return f"This kind opens a connection only, so it has no address with /. {usual}"
    parts = _HOST_AND_PORT.fullmatch(as_read(route))
    if parts is None:
        return usual
    if not _PORT.fullmatch(parts[2]) or int(parts[2]) > 65_535:
        return f"The port is a number from 1 to 65535. {usual}"
    return check_url(f"http://{parts[1]}") if parts[1] else ""


def check_dns_route(route: str) -> str:
    """ "fares.example", "fares.example AAAA", "fares.example AAAA @10.0.0.53"."""
    words = as_read(route).split()
    servers = [word for word in words if word.startswith("@")]
    asked = [word for word in words if not word.startswith("@")]
    if not asked or len(asked) > 2 or len(servers) > 1:
        return (
            "Write a name, what is asked of it, and the server when it is not the usual one, "
            "as in fares.example AAAA @10.0.0.53."
        )
    if "/" in asked[0] or not _DNS_NAME.fullmatch(asked[0]):
        return "This is not a name that can be looked up: letters, digits, - and dots only."
    if len(asked) == 2 and asked[1].upper() not in RECORDS and "{{" not in route:
        return f"Unknown record `{asked[1][:40]}`; {did_you_mean(asked[1], RECORDS, {})}"
    return _check_server(servers[0][1:]) if servers else ""


def _check_server(server: str) -> str:
    host, port = read_server(server)
    if not _is_address(host.strip("[]")):
        return (
            "Write the server after @ as an IP address, as in @10.0.0.53 or @2001:db8::53, and "
            "with a port that is not 53 as in @10.0.0.53:5353."
        )
    is_port = _PORT.fullmatch(port) and int(port) <= 65_535
    return "" if is_port else "The port is a number from 1 to 65535."


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        # It stands for a mark.
        return host == "x"
    return True


def read_server(server: str) -> tuple[str, str]:
    """Host and port of what stands after @; an IPv6 address in brackets, as in addresses."""
    if server.startswith("["):
        host, _, port = server.partition("]")
        return f"{host}]", port.removeprefix(":") or "53"
    if server.count(":") > 1:
        return f"[{server}]", "53"
    host, _, port = server.partition(":")
    return host, port or "53"


def unused(kind: str, given: Mapping[str, Any]) -> Iterator[Problem]:
    """A problem for each field that is given and that the kind has no use for.

    `given` holds, by its name, what differs from the usual.
    """
    used = _USED[kind]
    for field, words in _UNUSED.items():
        if given.get(field) and field not in used:
            yield Problem((field,), f"{KINDS[kind]} {words}")


def uses(kind: str, field: str) -> bool:
    return field in _USED[kind]


def misplaced_beside_steps(given: Mapping[str, Any]) -> Iterator[Problem]:
    """A problem for each field of the path that its steps have of their own."""
    for field in _OF_A_STEP:
        if given.get(field):
            yield Problem(
                (field,),
                f"This path has steps, and each has its own {field}: move this into a step.",
            )
