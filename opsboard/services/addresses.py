"""Addresses that may be written: every program that reads one must see the same host in it."""

import re
from ipaddress import IPv4Address, IPv6Address

from opsboard.outbound.targets import BadTargetError, read_target
from opsboard.services.rules import MARK

LONGEST = 2_000

_PARTS = re.compile(r"(https?)://([^/?#]+)([^#]*)(#.*)?", re.IGNORECASE)
_AUTHORITY = re.compile(r"(\[[^\]]*\]|[^:\[\]]*)(?::(.*))?")
_PORT = re.compile(r"[1-9][0-9]{0,4}")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?", re.IGNORECASE)
# What a resolver takes for a number, in any of its spellings: 127.1, 0x7f.1, 2130706433.
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.IGNORECASE)


def check_url(url: str) -> str:
    """Why `url` may not be asked, as one sentence, or "" when it may.

    The sentence never quotes the address: it may hold a secret.
    """
    if len(url) > LONGEST:
        return f"An address has at most {LONGEST:,} characters."
    if any(sign.isspace() or not sign.isprintable() for sign in url):
        return (
            "The address holds a space or a character that cannot be seen: take it out, "
            "or write a space as %20."
        )
    if "\\" in url:
        return "The address holds a backslash: write / instead."
    parts = _PARTS.fullmatch(url)
    if parts is None:
        return (
            "Only http:// or https:// with a host can be asked: write the whole address, "
            "such as https://fares.example/health."
        )
    if parts[4]:
        return "Leave out # and what follows it: that part of an address is never sent."
    authority = _AUTHORITY.fullmatch(parts[2])
    if "@" in parts[2]:
        return (
            "Take user and password out of the address, which pages and alerts show: put them "
            "into an Authorization header, as a secret variable."
        )
    if authority is None:
        return "The host cannot be read: write it as in https://fares.example:8443/health."
    host, port = authority[1], authority[2]
    return _check_port(port) or _check_host(host) or _check_reading(url, parts[1], host, port)


def check_route(route: str) -> str:
    """Why `route` is none, or "". A route is below an environment's address, or a whole address."""
    plain = MARK.sub("x", route)
    is_whole = "://" in plain.partition("?")[0]
    if not plain.startswith("/") and not is_whole:
        return (
            "Begin with / for a route below the environment's address, or write a whole "
            "address with http:// or https://."
        )
    return check_url(plain if is_whole and plain[0] != "/" else f"http://a.test{plain}")


def check_base_url(url: str) -> str:
    """Why nothing can be appended to `url`, which passed check_url, or ""."""
    return "Leave out ? and what follows: the query belongs to each path." if "?" in url else ""


def literal_of(url: str) -> tuple[str, int] | None:
    """IP address and port of an address that names no host to look up. `url` passed check_url."""
    target = read_target(url.encode())
    host = target.host.strip("[]")
    is_literal = target.host.startswith("[") or _is_number(host)
    return (host, target.port) if is_literal else None


def host_of(url: str) -> str:
    """The host of an address that passed check_url."""
    return read_target(url.encode()).host


def place_of(url: str) -> tuple[str, int]:
    """Host and port of an address that passed check_url."""
    target = read_target(url.encode())
    return target.host, target.port


def site_of(url: str) -> str:
    """Scheme, host and port, as in "http://127.0.0.1:8000". `url` passed check_url."""
    return read_target(url.encode()).site


def _check_port(port: str | None) -> str:
    """None: the address names no port."""
    if port is not None and (not _PORT.fullmatch(port) or int(port) > 65535):
        return "Write the port as a number from 1 to 65535, or leave it out with its colon."
    return ""


def _check_host(host: str) -> str:
    if host.startswith("["):
        return _check_literal(host)
    if "%" in host:
        return "Write the host without %: it is read in different ways."
    if not host.isascii():
        return (
            "Write the host in ASCII (a name that begins with xn--, or a.b.c.d): "
            "other letters may look like those of another host."
        )
    return _check_number(host) if _is_number(host) else _check_labels(host)


def _check_literal(host: str) -> str:
    if "%" in host:
        return "Write the address without its zone (%…), which names an interface of one machine."
    try:
        IPv6Address(host[1:-1])
    except ValueError:
        return "What stands in [ ] is not an IPv6 address: write it as in [2001:db8::1]."
    return ""


def _check_labels(host: str) -> str:
    labels = host.removesuffix(".").split(".")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        return "The host is not a name that can be looked up: letters, digits, - and dots only."
    return ""


def _is_number(host: str) -> bool:
    return bool(_NUMBER.fullmatch(host.removesuffix(".").rpartition(".")[2]))


def _check_number(host: str) -> str:
    try:
        IPv4Address(host)
    except ValueError:
        return "Write the address as a.b.c.d, four numbers from 0 to 255."
    return ""


def _check_reading(url: str, scheme: str, host: str, port: str | None) -> str:
    """Hold the parser that dials against ours."""
    default = 443 if scheme.lower() == "https" else 80
    try:
        target = read_target(url.encode())
    except BadTargetError as error:
        return f"The address cannot be read: {error}."
    if (_plain(target.host), target.port) != (_plain(host), int(port or default)):
        return "The address can be read in more than one way: write it plainly."
    return ""


def _plain(host: str) -> str:
    return str(IPv6Address(host[1:-1])) if host.startswith("[") else host.lower()
