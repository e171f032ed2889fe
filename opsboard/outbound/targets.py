"""Reading addresses of the web, with libcurl's own parser.

There must be one parser only: were a host read by one and dialled by another, a far side could
write a redirect that keeps the sheet's headers by the one and leads elsewhere by the other.
"""

import base64
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address

import pycurl

_PORTS = {"http": 80, "https": 443}
_LONGEST_REMEMBERED = 300

# By libcurl's CURLUE_ codes; its own words serve for the others.
_REASONS = {
    3: "it is empty or malformed",
    5: "only http and https can be asked",
    27: "it must begin with http:// or https://",
}


class BadTargetError(ValueError):
    """An address that cannot be asked; the message is a sentence about it."""


@dataclass(frozen=True, slots=True)
class Target:
    """One address. `url` is ASCII and holds neither credentials nor fragment."""

    url: str
    scheme: str
    # An IPv6 literal stands in brackets, as in the url.
    host: str
    port: int
    # False for literals, and for localhost: libcurl knows that name without asking anybody.
    needs_lookup: bool
    # "Basic …" when the address held a user or a password, else "".
    authorization: str = ""
    # The network interface of an IPv6 literal, "" in any other address.
    zone: str = ""

    @property
    def origin(self) -> tuple[str, str, int]:
        return (self.scheme, self.host, self.port)

    @property
    def site(self) -> str:
        """What may be shown of it: path and query may hold secrets."""
        port = "" if _PORTS.get(self.scheme) == self.port else f":{self.port}"
        return f"{self.scheme}://{self.host}{port}"

    @property
    def is_encrypted(self) -> bool:
        return self.scheme in ("https", "tls")


def read_target(address: bytes, base: str = "") -> Target:
    """Parse an address, relative to `base` when given. BadTargetError when it cannot be asked."""
    # Those of sheets come again; what far sides redirect to may be anything, and any amount of it.
    if base or len(address) > _LONGEST_REMEMBERED:
        return _read(address, base)
    return _remembered(address)


def _read(address: bytes, base: str = "") -> Target:
    try:
        parts = pycurl.CurlUrl()
        if base:
            parts.setpart(pycurl.UPART_URL, base, 0)
        parts.setpart(pycurl.UPART_URL, address, pycurl.U_URLENCODE)
    except pycurl.error as error:
        raise BadTargetError(_reason(error)) from None
    if parts.scheme not in _PORTS:
        raise BadTargetError(f"only http and https can be asked, not {parts.scheme}")
    return _target(parts)


_remembered = lru_cache(maxsize=16_384)(_read)


def _target(parts: pycurl.CurlUrl) -> Target:
    authorization = _basic(parts)
    zone = parts.zoneid or ""
    host = parts.host = _ascii_host(parts.host)
    parts.user = parts.password = parts.fragment = None
    return Target(
        url=parts.url,
        scheme=parts.scheme,
        host=host,
        port=int(parts.getpart(pycurl.UPART_PORT, pycurl.U_DEFAULT_PORT)),
        needs_lookup=not (_is_literal(host) or f".{host}".endswith(".localhost")),
        authorization=authorization,
        zone=zone,
    )


def _basic(parts: pycurl.CurlUrl) -> str:
    if parts.user is None and parts.password is None:
        return ""
    user = parts.getpart(pycurl.UPART_USER, pycurl.U_URLDECODE) or ""
    password = parts.getpart(pycurl.UPART_PASSWORD, pycurl.U_URLDECODE) or ""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def _ascii_host(host: str) -> str:
    try:
        return host.lower() if host.isascii() else host.encode("idna").decode()
    except UnicodeError:
        raise BadTargetError("the host name is not valid") from None


def _is_literal(host: str) -> bool:
    if host.startswith("["):
        return True
    try:
        IPv4Address(host)
    except ValueError:
        return False
    return True


def _reason(error: pycurl.error) -> str:
    code, said = error.args
    return _REASONS.get(code) or said[:1].lower() + said[1:]


def with_host(url: str, host: str) -> str:
    """The same address at another host."""
    parts = pycurl.CurlUrl()
    parts.setpart(pycurl.UPART_URL, url, 0)
    parts.host = host
    return str(parts.url)
