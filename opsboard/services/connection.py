"""How a connection is made, where not as usual: the keys, and what each may be. Pure.

Credentials are marks {{ NAME }}: a sheet is read by everybody, a secret variable by nobody.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from opsboard.expectations.nearest import did_you_mean
from opsboard.services.addresses import check_url
from opsboard.services.marks import ONE_MARK, as_read, check_credential, check_variables
from opsboard.services.problems import Problem
from opsboard.services.rules import (
    MOST_QUERY,
    check_name,
    check_parameter,
)

HTTP_VERSIONS = ("1.1", "2")
IP_VERSIONS = (4, 6)
MOST_REDIRECTS = 20
MOST_BODY = 16 * 1024 * 1024
LONGEST_PEM = 100_000

_TLS = ("server_name", "authority", "certificate", "key")
# Which keys mean something, by kind of path.
KEYS: Mapping[str, tuple[str, ...]] = {
    "http": (
        *("http", "ip", "redirects", "host", *_TLS),
        *("basic", "bearer", "proxy", "compressed", "max_body", "form"),
    ),
    "tcp": ("ip", "max_body"),
    "tls": ("ip", "max_body", *_TLS),
    "dns": (),
    "heartbeat": (),
}
_CERTIFICATE = re.compile(
    r"(?:-----BEGIN CERTIFICATE-----\n[A-Za-z0-9+/=\n]+\n-----END CERTIFICATE-----\n*)+"
)


def check_connection(kind: str, connection: Mapping[str, Any]) -> Iterator[Problem]:
    """A problem for each part that is not known, not of this kind, or cannot work."""
    known = KEYS[kind]
    for key, value in connection.items():
        if key not in KEYS["http"]:
            hint = did_you_mean(key, known or KEYS["http"], {})
            yield Problem((key,), f"Unknown option `{key[:60]}` of a connection; {hint}")
        elif key not in known:
            yield Problem((key,), f"A path of the kind {kind} has no {key}: take it out.")
        else:
            yield from _check_option(key, value)
    yield from _check_together(connection)


def _check_option(key: str, value: Any) -> Iterator[Problem]:
    if key == "basic":
        yield from _check_basic(value)
    elif key == "form":
        yield from _check_form(value)
    elif wrong := _CHECKS[key](value):
        yield Problem((key,), wrong)


def _check_together(connection: Mapping[str, Any]) -> Iterator[Problem]:
    if connection.get("basic") and connection.get("bearer"):
        yield Problem(("bearer",), "A request has one Authorization: keep basic or bearer.")
    if bool(connection.get("certificate")) != bool(connection.get("key")):
        there = "certificate" if connection.get("certificate") else "key"
        yield Problem((there,), "A client certificate needs both certificate and key.")


def check_http(version: Any) -> str:
    return "" if version in HTTP_VERSIONS else "Write 1.1 or 2."


def check_ip(version: Any) -> str:
    return "" if version in IP_VERSIONS and version is not True else "Write 4 or 6."


def check_redirects(most: Any) -> str:
    is_whole = isinstance(most, int) and not isinstance(most, bool)
    if is_whole and 0 <= most <= MOST_REDIRECTS:
        return ""
    return f"Write a whole number from 0 to {MOST_REDIRECTS}."


def check_max_body(size: Any) -> str:
    is_whole = isinstance(size, int) and not isinstance(size, bool)
    if is_whole and 1 <= size <= MOST_BODY:
        return ""
    return f"Write a size from 1 B to {MOST_BODY:,} B (16 MiB), as in 4 MB."


def check_server_name(name: str) -> str:
    """The name that the certificate is asked for, and held against."""
    if ":" in name or "/" in name:
        return "Write a name alone, without port and /, as in fares.example."
    return _check_host(name)


def check_host(host: str) -> str:
    """What stands in the Host header; a port may follow."""
    if "/" in host:
        return "Write a host, with its port where it has one, as in fares.example:8443."
    return _check_host(host)


def _check_host(host: str) -> str:
    if not host:
        return "This is empty: write a name, or take it out."
    return check_variables(host) or check_url(f"http://{as_read(host)}")


def check_certificates(pem: str) -> str:
    """One certificate or several; or a variable that holds them."""
    text = pem.replace("\r\n", "\n").strip()
    if ONE_MARK.fullmatch(text):
        return ""
    if "PRIVATE KEY" in text:
        return (
            "This holds a private key, and a sheet is read by everybody: take it out, and write "
            "the {{ NAME }} of a secret variable under key."
        )
    if len(text) > LONGEST_PEM:
        return f"At most {LONGEST_PEM:,} characters go here."
    if not _CERTIFICATE.fullmatch(text):
        return (
            "Write certificates in PEM, from -----BEGIN CERTIFICATE----- to -----END "
            "CERTIFICATE-----, or the {{ NAME }} of a variable that holds them."
        )
    return ""


def check_proxy(proxy: str) -> str:
    usual = "Write the proxy as in http://proxy.internal:3128."
    if ONE_MARK.fullmatch(proxy):
        return ""
    plain = as_read(proxy)
    if not plain.startswith("http://"):
        return f"A proxy is spoken to in plain HTTP, also for https addresses. {usual}"
    if "/" in plain.removeprefix("http://").rstrip("/") or "?" in plain:
        return usual
    return check_variables(proxy) or check_url(plain)


def check_user(user: str) -> str:
    if not user:
        return "This is empty: write the name that it signs in with."
    if ":" in user:
        return "The name of a user holds no colon: the password follows one."
    return check_name(user, 200) or check_variables(user)


def _check_basic(basic: Any) -> Iterator[Problem]:
    if wrong := check_user(basic.get("user", "")):
        yield Problem(("basic", "user"), wrong)
    if wrong := check_credential(basic.get("password", "")):
        yield Problem(("basic", "password"), wrong)


def _check_form(form: Any) -> Iterator[Problem]:
    if len(form) > MOST_QUERY:
        yield Problem(("form",), f"A form has at most {MOST_QUERY} fields; these are {len(form)}.")
    for name, value in form:
        if wrong := check_parameter(name, value):
            yield Problem(("form",), wrong)


def _check_compressed(value: Any) -> str:
    return "" if isinstance(value, bool) else "Write true or false."


_CHECKS: Mapping[str, Callable[[Any], str]] = {
    "http": check_http,
    "ip": check_ip,
    "redirects": check_redirects,
    "max_body": check_max_body,
    "server_name": check_server_name,
    "host": check_host,
    "authority": check_certificates,
    "certificate": check_certificates,
    "key": check_credential,
    "bearer": check_credential,
    "proxy": check_proxy,
    "compressed": _check_compressed,
}


def texts_of(connection: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """Every text in which a mark may stand, by its key."""
    for key, value in connection.items():
        if isinstance(value, str):
            yield key, [value]
        elif key == "basic":
            yield key, list(value.values())
        elif key == "form":
            yield key, [text for _, text in value]
