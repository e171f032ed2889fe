"""One ask on its way, hop by hop, until its one `Reply`."""

import re
from dataclasses import replace

from opsboard.outbound.connections import no_address_of, read_proxy, read_server_name, refused_name
from opsboard.outbound.egress import Policy
from opsboard.outbound.failures import Trouble
from opsboard.outbound.heads import Headers, values
from opsboard.outbound.lines import Limits
from opsboard.outbound.questions import Question
from opsboard.outbound.redirects import FOLLOWED, Hop, follow
from opsboard.outbound.reply import (
    USUAL,
    Ask,
    Asked,
    Connection,
    Dial,
    Failure,
    Lookup,
    Phases,
    Reply,
)
from opsboard.outbound.targets import BadTargetError, Target, read_target
from opsboard.outbound.wording import lasting, shown

# Connecting, with the lookup of the name and the TLS handshake, may take this much of the timeout.
CONNECT_LIMIT = 3_000_000

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_UNSENDABLE = re.compile(r"[\r\n\0\ud800-\udfff]")


class Exchange:
    """`begin` and `landed` say what to do next: dial a `Hop`, or hand out the `Reply`.

    A lookup has no hops: its `Question` talks to name servers, and `over` makes it the reply.
    """

    def __init__(self, ask: Asked, policy: Policy) -> None:
        self.ask = ask
        self.policy = policy
        self.started = 0.0
        # Monotonic seconds: when the current hop began.
        self.hop_started = 0.0
        self._redirects = 0
        self._visited: set[tuple[str, str]] = set()
        self._before = Phases()

    def begin(self, now: float) -> Hop | Question | Reply:
        self.started = self.hop_started = now
        try:
            if isinstance(self.ask, Lookup):
                return Question(self.ask, self.policy, now)
            hop = _first_hop(self.ask)
        except ValueError as error:
            trouble = Trouble(Failure.CONFIG, f"It cannot be asked: {error}.", is_ours=True)
            return self.fail(trouble, now)
        return self._next(hop, now)

    def landed(self, hop: Hop, reply: Reply, now: float) -> Hop | Reply:
        """One hop is over: the next one, or the reply to all."""
        whole = self.over(reply)
        status = whole.status
        if status not in FOLLOWED or whole.failure:
            return whole
        if not isinstance(self.ask, Ask) or not self.ask.follow:
            return whole
        location = values(whole.headers, "location")
        if not location:
            return whole
        onward = self._onward(hop, status, location[0], self.ask.max_redirects)
        if isinstance(onward, Trouble):
            return replace(whole, failure=onward.failure, detail=onward.detail)
        self._before = whole.phases
        self._redirects += 1
        self.hop_started = now
        return self._next(onward, now)

    def fail(self, trouble: Trouble, now: float) -> Reply:
        """The reply when there is no hop to read one from."""
        spent = round((now - self.hop_started) * 1_000_000)
        phases = Phases(dns=spent, total=spent)
        nothing = Reply(
            failure=trouble.failure, detail=trouble.detail, is_ours=trouble.is_ours, phases=phases
        )
        return self.over(nothing)

    def limits(self, now: float) -> Limits:
        """What the current hop may still take, of the whole timeout and of its time to connect."""
        left = self.ask.timeout - round((now - self.started) * 1_000_000)
        spent = round((now - self.hop_started) * 1_000_000)
        connect = min(left + spent, CONNECT_LIMIT)
        return Limits(
            whole=self.ask.timeout,
            left=left,
            connect=connect,
            connect_left=connect - spent,
            max_body=self.ask.max_body,
        )

    def local_address(self, hop: Hop) -> str:
        """Where localhost is, when the policy has just one address; else libcurl tries both."""
        sole = self.policy.sole
        is_local = f".{hop.dials.host}".endswith(".localhost")
        return str(sole[0]) if sole and is_local and sole[0].is_loopback else ""

    def _next(self, hop: Hop, now: float) -> Hop | Reply:
        if refusal := self.policy.judge_name(hop.target.host, hop.target.port):
            return self.fail(Trouble(Failure.EGRESS_DENIED, refusal.sentence), now)
        self._visited.add((hop.method, hop.target.url))
        if hop.connection is not USUAL or hop.target.zone:
            trouble = refused_name(hop, self.policy) or no_address_of(hop)
            if trouble:
                return self.fail(trouble, now)
        if self.limits(now).left <= 0:
            within = lasting(self.ask.timeout)
            detail = f"No time was left of {within} to ask {hop.target.site}."
            return self.fail(Trouble(Failure.TIMEOUT, detail), now)
        return hop

    def _onward(self, hop: Hop, status: int, location: str, most: int) -> Hop | Trouble:
        onward = follow(hop, status, location)
        if isinstance(onward, Trouble):
            return onward
        if (onward.method, onward.target.url) in self._visited:
            detail = f"{hop.target.site} redirects in a circle."
            return Trouble(Failure.REDIRECT_LOOP, detail)
        if self._redirects >= most:
            detail = f"{hop.target.site} redirects more than {most} times."
            return Trouble(Failure.REDIRECT_LOOP, detail)
        return onward

    def over(self, reply: Reply) -> Reply:
        """The reply to all, when this is the last hop's."""
        if self._redirects:
            phases = _added(self._before, reply.phases, self.hop_started - self.started)
            return replace(reply, phases=phases, redirects=self._redirects)
        if reply.failure is Failure.EGRESS_DENIED:
            return replace(reply, is_ours=True)
        return reply


def _added(before: Phases, last: Phases, elapsed: float) -> Phases:
    """Phases summed; the total is the time on the wall, with what lay between the hops."""
    return Phases(
        dns=before.dns + last.dns,
        connect=before.connect + last.connect,
        tls=before.tls + last.tls,
        first_byte=before.first_byte + last.first_byte,
        transfer=before.transfer + last.transfer,
        total=round(elapsed * 1_000_000) + last.total,
    )


def _first_hop(ask: Ask | Dial) -> Hop:
    """ValueError with words that end a sentence when the ask cannot be sent."""
    if isinstance(ask, Dial):
        return _only_hop(ask)
    try:
        target = read_target(ask.url.encode())
    except BadTargetError as error:
        raise ValueError(f"the address is not usable: {error}") from None
    except ValueError:
        raise ValueError("the address holds a character that cannot be sent") from None
    if not _TOKEN.fullmatch(ask.method):
        raise ValueError(f'"{shown(ask.method)}" is not a method')
    if ask.timeout <= 0:
        raise ValueError("its timeout is not longer than zero")
    for name, value in ask.headers:
        _check_header(name, value)
    return Hop(
        target=target,
        method=ask.method,
        headers=_with_host(ask, target, _with_authorization(ask.headers, target.authorization)),
        body=ask.body,
        connection=ask.connection,
        proxy=_proxy_of(ask.connection),
    )


def _only_hop(dial: Dial) -> Hop:
    try:
        target = read_target(dial.url.encode())
    except ValueError:
        target = None
    if target is None or target.port != dial.port or target.authorization:
        raise ValueError(f'"{shown(f"{dial.host}:{dial.port}")}" is not a host and a port')
    if dial.timeout <= 0:
        raise ValueError("its timeout is not longer than zero")
    if dial.connection.server_name:
        read_server_name(dial.connection.server_name)
    named = replace(target, scheme="tls" if dial.is_secured else "tcp")
    return Hop(
        target=named, method="GET", headers=(), body=b"", connection=dial.connection, dial=dial
    )


def _proxy_of(connection: Connection) -> Target | None:
    """The proxy, read. ValueError for a connection that cannot be made as it says."""
    if connection is USUAL:
        return None
    if connection.server_name:
        read_server_name(connection.server_name)
    return read_proxy(connection.proxy) if connection.proxy else None


def _check_header(name: str, value: str) -> None:
    if not _TOKEN.fullmatch(name):
        raise ValueError(f'"{shown(name)}" is not the name of a header')
    if _UNSENDABLE.search(value):
        raise ValueError(
            f'the header "{shown(name)}" holds a line break, a NUL or half a character'
        )


def _with_authorization(headers: Headers, authorization: str) -> Headers:
    """Credentials in the address are sent as a header, and dropped with the other headers."""
    if not authorization or values(headers, "authorization"):
        return headers
    return (*headers, ("Authorization", authorization))


def _with_host(ask: Ask, target: Target, headers: Headers) -> Headers:
    """The other name of the handshake is not the one that is asked."""
    if not ask.connection.server_name or values(headers, "host"):
        return headers
    return (*headers, ("Host", target.site.partition("//")[2]))
