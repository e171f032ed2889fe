"""What a sheet says of its connection, as the fields of a request. See services.connection."""

import base64
import json
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote_plus, urlencode

from opsboard.outbound.heads import values
from opsboard.outbound.reply import USUAL, Asked, Connection
from opsboard.outbound.targets import BadTargetError, read_target
from opsboard.outbound.unpacking import ACCEPTED

Fill = Callable[[str], str]

FORM = "application/x-www-form-urlencoded"
# Shorter secrets would mask half of every answer, and protect nothing.
SHORTEST_SECRET = 4


def connection_of(written: dict[str, Any], fill: Fill) -> Connection:
    """How the request is carried; USUAL when the sheet says nothing of it."""

    def text(name: str) -> str:
        return fill(written.get(name, ""))

    connection = Connection(
        http=written.get("http", ""),
        ip=written.get("ip", 0),
        server_name=text("server_name"),
        authority=text("authority"),
        certificate=text("certificate"),
        key=text("key"),
        proxy=text("proxy"),
    )
    return USUAL if connection == USUAL else connection


def headers_of(written: dict[str, Any], fill: Fill) -> list[tuple[str, str]]:
    """The headers that it stands for. They are dropped with the sheet's own by a redirect."""
    headers = []
    if "basic" in written:
        user, password = (fill(written["basic"].get(name, "")) for name in ("user", "password"))
        headers.append(("Authorization", f"Basic {_basic(user, password)}"))
    elif "bearer" in written:
        headers.append(("Authorization", f"Bearer {fill(written['bearer']).strip()}"))
    if "host" in written:
        headers.append(("Host", fill(written["host"])))
    if written.get("compressed"):
        headers.append(("Accept-Encoding", ACCEPTED))
    return headers


def form_body(form: Sequence[Sequence[str]], fill: Fill) -> bytes:
    """Pairs of name and value as a form of the web sends them."""
    return urlencode([(name, fill(value)) for name, value in form]).encode()


def limits_of(written: dict[str, Any], *, follows: bool) -> dict[str, Any]:
    """Redirects and the size of the answer, as fields of an `Ask`; only those that are limited."""
    limits: dict[str, Any] = {"follow": follows and written.get("redirects") != 0}
    if written.get("redirects"):
        limits["max_redirects"] = written["redirects"]
    if "max_body" in written:
        limits["max_body"] = written["max_body"]
    return limits


def with_forms(secrets: Sequence[str], ask: Asked) -> tuple[str, ...]:
    """Secrets, longest first, in every form in which an answer may give them back.

    Credentials are hidden as they are sent too, also where they were typed into the sheet itself.
    """
    connection = ask.connection
    sent = [
        *values(ask.headers, "authorization"),
        *map(_authorization, (ask.url, connection.proxy)),
    ]
    hidden = {*secrets, connection.key, *map(_credential, sent)}
    hidden |= {json.dumps(secret)[1:-1] for secret in hidden} | {quote_plus(s) for s in hidden}
    return tuple(sorted((s for s in hidden if len(s) >= SHORTEST_SECRET), key=len, reverse=True))


def _credential(authorization: str) -> str:
    scheme, _, credential = authorization.partition(" ")
    return credential if scheme.lower() in ("basic", "bearer") else authorization


def _basic(user: str, password: str) -> str:
    return base64.b64encode(f"{user}:{password}".encode()).decode()


def _authorization(url: str) -> str:
    try:
        return read_target(url.encode()).authorization
    except (BadTargetError, UnicodeEncodeError):
        return ""
