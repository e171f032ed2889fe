"""What a sheet asks of a connection beyond the usual: checked, set on a handle, explained."""

from ipaddress import ip_address
from typing import Any

import pycurl

from opsboard.outbound.egress import Policy, refuse_zone
from opsboard.outbound.failures import Trouble
from opsboard.outbound.names import Sought, no_such_family
from opsboard.outbound.redirects import Hop
from opsboard.outbound.reply import Connection, Failure
from opsboard.outbound.targets import Target, read_target, with_host
from opsboard.outbound.wording import shown

_FAMILIES = {4: pycurl.IPRESOLVE_V4, 6: pycurl.IPRESOLVE_V6}
# CURLOPT_SUPPRESS_CONNECT_HEADERS, which PycURL does not name: a proxy's headers are no answer.
_SUPPRESS_CONNECT_HEADERS = 265
# By libcurl's codes; what they say is about our own sheet.
_PAIR = (pycurl.E_SSL_CERTPROBLEM, pycurl.E_BAD_FUNCTION_ARGUMENT)


# Checked before anything is dialled.


def read_proxy(text: str) -> Target:
    """ValueError with words that end a sentence when it is no proxy that can be asked."""
    try:
        proxy = read_target(text.encode())
    except ValueError:
        raise ValueError("the proxy is not an address such as http://proxy.example:3128") from None
    if proxy.is_encrypted:
        raise ValueError("only a proxy at http:// can be asked")
    return proxy


def read_server_name(name: str) -> str:
    """As libcurl writes it. ValueError as for `read_proxy`."""
    wrong = ValueError(f'"{shown(name)}" is not a server name')
    try:
        target = read_target(f"https://{name}/".encode())
    except ValueError:
        raise wrong from None
    is_alone = target.url == f"https://{target.host}/"
    if not is_alone or target.zone or target.authorization:
        raise wrong
    return target.host


def refused_name(hop: Hop, policy: Policy) -> Trouble | None:
    """What the callback at the socket cannot see: a zone, and the address that a proxy is told."""
    for target in (hop.target, hop.dials):
        if target.zone:
            literal = f"{target.host[1:-1]}%{shown(target.zone)}"
            return Trouble(Failure.EGRESS_DENIED, refuse_zone(literal).sentence)
    address = _address(hop.target) if hop.proxy else ""
    refusal = policy.judge(address, hop.target.port) if address else None
    return Trouble(Failure.EGRESS_DENIED, refusal.sentence) if refusal else None


def no_address_of(hop: Hop) -> Trouble | None:
    """A literal of the family that was not asked for. Names show theirs when they are looked up."""
    wanted, target = hop.connection.ip, hop.dials
    if not wanted or target.needs_lookup or target.host.endswith("localhost"):
        return None
    is_other = ip_address(_address(target)).version != wanted
    return no_such_family(Sought(target.host, wanted)) if is_other else None


def _address(target: Target) -> str:
    """Of a literal its address, of localhost the usual one, of other names ""."""
    if target.needs_lookup:
        return ""
    return "127.0.0.1" if target.host.endswith("localhost") else target.host.strip("[]")


# Set for one request; a line that was so dialled is reset after it.


def set_connection(handle: Any, hop: Hop, address: str) -> None:
    """After the usual options. `address` is the looked up one, "" when libcurl needs none."""
    connection = hop.connection
    if connection.http == "1.1":
        handle.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1)
    elif connection.http == "2" and not hop.target.is_encrypted:
        handle.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE)
    if connection.ip:
        handle.setopt(pycurl.IPRESOLVE, _FAMILIES[connection.ip])
    _set_papers(handle, connection)
    if hop.proxy:
        _set_proxy(handle, hop.proxy, address)
    if connection.server_name and hop.target.is_encrypted:
        # libcurl takes the name for the handshake from the address, and only from there.
        name = read_server_name(connection.server_name)
        handle.setopt(pycurl.URL, with_host(hop.target.url, name))
        place = hop.target.host if hop.proxy or not address else _bracketed(address)
        handle.setopt(pycurl.CONNECT_TO, [f"::{place}:"])


def _set_papers(handle: Any, connection: Connection) -> None:
    """Handed over in memory: nothing secret is written to a file."""
    if connection.authority:
        handle.setopt(pycurl.CAINFO_BLOB, connection.authority.encode())
    if connection.certificate:
        handle.setopt(pycurl.SSLCERT_BLOB, connection.certificate.encode())
        # One PEM may hold both.
        key = connection.key or connection.certificate
        handle.setopt(pycurl.SSLKEY_BLOB, key.encode())


def _set_proxy(handle: Any, proxy: Target, address: str) -> None:
    place = _bracketed(address) if address else proxy.host
    handle.setopt(pycurl.PROXY, f"http://{place}:{proxy.port}")
    handle.setopt(pycurl.NOPROXY, "")
    handle.setopt(_SUPPRESS_CONNECT_HEADERS, 1)
    # The sheet's headers go to the far side alone, and the proxy's credentials to the proxy.
    handle.setopt(pycurl.HEADEROPT, pycurl.HEADER_SEPARATE)
    if proxy.authorization:
        handle.setopt(pycurl.PROXYHEADER, [f"Proxy-Authorization: {proxy.authorization}"])
    if address:
        handle.unsetopt(pycurl.CONNECT_TO)


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address


# Explained after it.


def dialling(hop: Hop, dialled: str, *, is_through: bool) -> str:
    """Who is spoken of when a request goes by a proxy, for a sentence."""
    proxy = hop.dials
    where = dialled or f"{proxy.host}:{proxy.port}"
    return f"{hop.target.host} through the proxy {where}" if is_through else f"the proxy {where}"


def proxy_trouble(hop: Hop, code: int, message: str, connect_code: int) -> Trouble | None:
    """Trouble of the tunnel; None when it is of the connection, or of what came through."""
    site, place = hop.target.site, f"{hop.dials.host}:{hop.dials.port}"
    if code == pycurl.E_COULDNT_CONNECT and connect_code:
        detail = f"The proxy {place} answered {connect_code} when it was asked for {site}."
        return Trouble(Failure.REFUSED, detail)
    if "CONNECT" in message:
        detail = f"The proxy {place} closed the connection when it was asked for {site}."
        return Trouble(Failure.PROTOCOL, detail)
    return None


def sheet_trouble(connection: Connection, code: int) -> Trouble | None:
    """What libcurl could not use of the sheet's own PEM texts."""
    if connection.authority and code == pycurl.E_SSL_CACERT_BADFILE:
        detail = "The authority of the sheet's connection is not PEM text of certificates."
    elif connection.certificate and code in _PAIR:
        detail = (
            "The client certificate of the sheet's connection cannot be used: it or its key is not"
            " PEM text, the key has a passphrase, or they do not belong together."
        )
    else:
        return None
    return Trouble(Failure.CONFIG, detail, is_ours=True)


def spoke_otherwise(hop: Hop, far_side: str, version: str) -> Trouble | None:
    """An answer in another version of HTTP than the one that was asked for."""
    wanted = hop.connection.http
    if not version or wanted != "2" or version == wanted:
        return None
    detail = f"{far_side} was to speak HTTP/{wanted} and answered in HTTP/{version}."
    return Trouble(Failure.PROTOCOL, detail)
