"""Whether it is we who cannot see: what failed and what was looked at in, an opinion out. Pure.

A prober whose own network is gone must not call a thousand services broken. It says so only where
something of our own was found wanting; a probe that fails while our side is well stays failing.
"""

from dataclasses import dataclass
from enum import StrEnum

from opsboard.outbound.looked import Looked
from opsboard.outbound.reply import Failure

# What a network that is gone looks like. All else was said by the far side.
NETWORK = frozenset(
    {
        Failure.DNS,
        Failure.REFUSED,
        Failure.UNREACHABLE,
        Failure.CONNECT_TIMEOUT,
        Failure.TIMEOUT,
    }
)
# Of the probes asked last, more than one in so many has to fail.
ONE_IN = 5
# So many at least, or all that there are.
HANDFUL = 5


class Cause(StrEnum):
    """What of our own is wanting."""

    NO_WAY_OUT = "no way out"
    NO_ROUTE = "no default route"
    NO_RESOLVER = "no name server"
    NO_CANARY = "no canary"


_WHY = {
    Cause.NO_WAY_OUT: "its machine has no network but itself; look at its interfaces and routes",
    Cause.NO_ROUTE: "its machine knows no way to other networks; look at its default route",
    Cause.NO_RESOLVER: "its name servers do not answer; look at them, and at /etc/resolv.conf",
    Cause.NO_CANARY: "none of OPSBOARD_CANARIES answers and more than a fifth of all probes fail; "
    "look at the network of its machine",
}


@dataclass(frozen=True, slots=True)
class Seen:
    """The newest turns of a location's probes: how many, and how many the network may have failed.

    `watched` is how many probes there are.
    """

    asked: int
    failed: int
    watched: int

    @property
    def is_much(self) -> bool:
        is_enough = self.asked >= min(HANDFUL, self.watched)
        return is_enough and self.failed * ONE_IN > self.asked


def opinion(failures: frozenset[Failure], seen: Seen, looked: Looked) -> Cause | None:
    """Why these `failures` may be our own; None when they are the far sides'.

    Where a canary answers the network is alive, and only the name servers may be wanting.
    """
    if not looked.canary_answers:
        if not looked.has_way_out:
            return Cause.NO_WAY_OUT
        if looked.names_canaries and seen.is_much:
            return Cause.NO_CANARY
        if Failure.UNREACHABLE in failures and not looked.has_default_route:
            return Cause.NO_ROUTE
    if Failure.DNS in failures and not looked.resolver_answers:
        return Cause.NO_RESOLVER
    return None


def explains(cause: Cause, failure: Failure) -> bool:
    """Whether this failure may come of that cause."""
    if cause is Cause.NO_RESOLVER:
        return failure is Failure.DNS
    if cause is Cause.NO_ROUTE:
        return failure is Failure.UNREACHABLE
    return failure in NETWORK


def sentence(cause: Cause, location: str) -> str:
    return f"Opsboard is blind in the location {location}: {_WHY[cause]}."


def reason(cause: Cause, location: str) -> str:
    """Why a probe has no data, though it was asked."""
    return f"Nobody knows, for {sentence(cause, location)}"
