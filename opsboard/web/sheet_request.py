"""A pasted request as a sheet writes it: below its service, secrets as variables. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote_to_bytes, urlencode

from opsboard.services.addresses import site_of
from opsboard.services.rules import Pairs, read_query, write_query
from opsboard.services.secret_looks import looks_secret, named_like_a_secret
from opsboard.web.curl import Pasted

_REST = re.compile(r"https?://[^/?]*([^?]*)(?:\?(.*))?", re.IGNORECASE)
_SECRET_HEADERS = frozenset({"authorization", "cookie"})
# "Bearer x": the scheme is no secret, and tells the reader how the service is entered.
_SCHEME = re.compile(r"((?:Bearer|Basic|Token|ApiKey)\s+)(\S.*)", re.IGNORECASE)

HEALTH_WORDS = frozenset(
    {"", "health", "healthy", "healthz", "healthcheck", "status", "up", "ping"}
    | {"live", "livez", "alive", "ready", "readyz"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetRequest:
    """`secrets` are the values to keep, by the name that stands in the sheet for each."""

    method: str
    # The address that was pasted, without path and query.
    site: str
    route: str
    query: Pairs
    headers: Pairs
    body: str
    follows_redirects: bool
    secrets: dict[str, str]

    @property
    def is_health(self) -> bool:
        """Whether this looks like the address by which a service says that it is up."""
        last = self.route.partition("?")[0].rstrip("/").rpartition("/")[2]
        return self.method in ("GET", "HEAD") and last.lower() in HEALTH_WORDS


def sheet_request(pasted: Pasted, known: Mapping[str, str]) -> SheetRequest:
    """`known` are the variables the environment has, by name: they are reused, never replaced."""
    secrets = _Secrets(known)
    headers = [(name, secrets.in_header(name, value)) for name, value in pasted.headers]
    found = _REST.fullmatch(pasted.url)
    path, raw = (found[1], found[2] or "") if found else ("", "")
    query = _pairs(raw)
    rest = "" if query is not None else f"?{secrets.in_raw_query(raw)}"
    return SheetRequest(
        method=pasted.method,
        site=site_of(pasted.url),
        route=(path or "/") + rest,
        query=[(name, secrets.in_query(name, value)) for name, value in query or []],
        headers=headers,
        body=pasted.body,
        follows_redirects=pasted.follows_redirects,
        secrets=secrets.found,
    )


def _pairs(raw: str) -> Pairs | None:
    """The query as names and values; None when writing these again would ask something else."""
    pairs = parse_qsl(raw, keep_blank_values=True, max_num_fields=None)
    if _bytes(urlencode(pairs)) != _bytes(raw) or read_query(write_query(pairs)) != (pairs, []):
        return None
    return pairs


def _bytes(raw: str) -> bytes:
    return unquote_to_bytes(raw.replace("+", " "))


class _Secrets:
    """Secrets found so far, each under a name that is free or that already means it."""

    def __init__(self, known: Mapping[str, str]) -> None:
        self.known = known
        self.found: dict[str, str] = {}

    def in_header(self, name: str, value: str) -> str:
        if name.lower() not in _SECRET_HEADERS and not named_like_a_secret(name):
            return value
        scheme, secret = "", value
        if parts := _SCHEME.fullmatch(value):
            scheme, secret = parts[1], parts[2]
        return scheme + self._keep(name, secret) if secret else value

    def in_query(self, name: str, value: str) -> str:
        return self._keep(name, value) if looks_secret(name, value) else value

    def in_raw_query(self, raw: str) -> str:
        return "&".join(self._in_piece(piece) for piece in raw.split("&"))

    def _in_piece(self, piece: str) -> str:
        name, equals, value = piece.rpartition("=")
        return name + equals + (self._keep(name, value) if looks_secret(name, value) else value)

    def _keep(self, name: str, value: str) -> str:
        base = re.sub(r"[^A-Z0-9]+", "_", name.upper()).strip("_")[:50]
        base = base if base[:1].isalpha() else f"SECRET_{base}".rstrip("_")
        number, free = 1, base
        while self._means_another(free, value):
            number += 1
            free = f"{base}_{number}"
        self.found[free] = value
        return f"{{{{ {free} }}}}"

    def _means_another(self, name: str, value: str) -> bool:
        return self.found.get(name, self.known.get(name, value)) != value
