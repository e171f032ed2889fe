"""Tokens that were refused, in the audit log: by their prefix only, and only so many.

Somebody who tries tokens without end must not fill the log, nor push out of sight what else
stands in it.
"""

from datetime import datetime, timedelta

from opsboard.people import audit, tokens
from opsboard.people.audit import Actor, Via
from opsboard.people.models import AuditEntry
from opsboard.people.tries import network_of

ACT, KIND = "refused", "token"
NETWORK_LIMIT, NETWORK_WINDOW = 5, timedelta(minutes=1)
LIMIT, WINDOW = 200, timedelta(hours=1)


def note(written: str, *, address: str, now: datetime) -> None:
    """Write down that a token was refused, unless it looks like none or there were too many."""
    prefix = tokens.prefix_of(written)
    if not prefix or _are_enough(network_of(address), now):
        return
    shown = f"{prefix}…"
    actor = Actor(None, Via.API, who=shown, address=address if network_of(address) else None)
    audit.record(actor, ACT, KIND, shown, now=now)


def _are_enough(network: str, now: datetime) -> bool:
    entries = AuditEntry.objects.filter(kind=KIND, act=ACT, at__gt=now - WINDOW, at__lte=now)
    recent = list(entries.values_list("address", "at")[:LIMIT])
    near = [
        address
        for address, at in recent
        if at > now - NETWORK_WINDOW and network_of(address or "") == network
    ]
    return len(recent) >= LIMIT or len(near) >= NETWORK_LIMIT
