"""Wrong passwords slow signing in: five in five minutes for an account, ten a minute from a place.

An account that does not exist is counted like one that does. What is refused while somebody has to
wait is not counted: a wait ends, however often it is tried.
"""

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.crypto import salted_hmac

from opsboard.people.models import PasswordTry

ACCOUNT_LIMIT, ACCOUNT_WINDOW = 5, timedelta(minutes=5)
NETWORK_LIMIT, NETWORK_WINDOW = 10, timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Waiting:
    """No password is checked before `until`."""

    until: datetime


def begin(account: str, address: str, *, now: datetime) -> PasswordTry | Waiting:
    """Count a password before it is checked; the caller takes it back when it was right.

    It is stored first and counted after, so that of many at once no more than the limit are
    checked. Call it outside a transaction.
    """
    mine = PasswordTry(at=now, account=_digest(account), network=network_of(address))
    if until := _waits_until(mine, now=now, others=0):
        return Waiting(until)
    mine.save()
    if until := _waits_until(mine, now=now, others=1):
        mine.delete()
        return Waiting(until)
    return mine


def take_back(mine: PasswordTry) -> None:
    """The password was right."""
    mine.delete()


def prune(*, now: datetime) -> None:
    PasswordTry.objects.filter(at__lte=now - ACCOUNT_WINDOW).delete()


def network_of(address: str) -> str:
    """Who counts as one place: an IPv4 address, or the /64 that one IPv6 line is given."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if parsed.version == 4:
        return str(parsed)
    return str(ipaddress.ip_network((parsed, 64), strict=False).network_address)


def _waits_until(mine: PasswordTry, *, now: datetime, others: int) -> datetime | None:
    """When the next password may be tried; None: now. `others`: how many more are let through."""
    waits = [
        _end(ACCOUNT_LIMIT + others, ACCOUNT_WINDOW, now=now, account=mine.account),
        _end(NETWORK_LIMIT + others, NETWORK_WINDOW, now=now, network=mine.network),
    ]
    return max(filter(None, waits), default=None)


def _end(limit: int, window: timedelta, *, now: datetime, **of: str) -> datetime | None:
    """When fewer than `limit` will lie in the window; None: it is so now.

    A try that lies ahead, from before the clock was set back, counts only within a window.
    """
    near = PasswordTry.objects.filter(at__gt=now - window, at__lte=now + window, **of)
    times = near.order_by("-at", "-pk").values_list("at", flat=True)
    nth = list(times[limit - 1 : limit])
    return nth[0] + window if nth else None


def _digest(account: str) -> str:
    return salted_hmac("opsboard.people.tries", account.casefold(), algorithm="sha256").hexdigest()
