"""Where a redirect leads, and what of the request may go there. Pure."""

from dataclasses import dataclass, replace

from opsboard.outbound.failures import Trouble
from opsboard.outbound.heads import Headers
from opsboard.outbound.reply import USUAL, Connection, Dial, Failure
from opsboard.outbound.targets import BadTargetError, Target, read_target

FOLLOWED = (301, 302, 303, 307, 308)
_KEEPS_METHOD = (307, 308)


@dataclass(frozen=True, slots=True)
class Hop:
    """One request of a chain: where to, and all that goes there."""

    target: Target
    method: str
    headers: Headers
    body: bytes
    connection: Connection = USUAL
    # `connection.proxy`, read.
    proxy: Target | None = None
    # Set where there is no request, only a connection.
    dial: Dial | None = None

    @property
    def dials(self) -> Target:
        """Whose address is looked up and dialled: the proxy's, where there is one."""
        return self.proxy or self.target


def follow(hop: Hop, status: int, location: str) -> Hop | Trouble:
    """The next hop. To another scheme, host or port nothing of the sheet goes along."""
    try:
        target = read_target(location.encode("latin-1"), hop.target.url)
    except BadTargetError as error:
        return _refused(hop, f"to an address that is not followed: {error}")
    if hop.target.is_encrypted and not target.is_encrypted:
        return _refused(hop, f"to {target.site}, which would leave TLS")
    if target.origin == hop.target.origin:
        return _stay(hop, status, target)
    if status in _KEEPS_METHOD and hop.body:
        return _refused(hop, f"to {target.site} with status {status}, which would send it the body")
    method = hop.method if status in _KEEPS_METHOD else _safe(hop.method)
    return Hop(
        target=target,
        method=method,
        headers=(),
        body=b"",
        connection=_for_anyone(hop.connection),
        proxy=hop.proxy,
    )


def _for_anyone(connection: Connection) -> Connection:
    """Without what only the host that was asked may see: who we are, and its other name."""
    if connection is USUAL:
        return USUAL
    return replace(connection, certificate="", key="", server_name="")


def _stay(hop: Hop, status: int, target: Target) -> Hop:
    """Within one origin, as browsers do: a POST becomes a GET, unless the status keeps it."""
    becomes_get = status == 303 or (status in (301, 302) and hop.method == "POST")
    if not becomes_get:
        return replace(hop, target=target)
    headers = tuple(pair for pair in hop.headers if not pair[0].lower().startswith("content-"))
    return replace(hop, target=target, method=_safe(hop.method), headers=headers, body=b"")


def _safe(method: str) -> str:
    return "HEAD" if method == "HEAD" else "GET"


def _refused(hop: Hop, what: str) -> Trouble:
    return Trouble(Failure.REDIRECT_REFUSED, f"{hop.target.site} redirects {what}.")
