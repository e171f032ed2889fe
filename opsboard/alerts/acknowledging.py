"""The link in a message that lets who was told say "I have it", without signing in.

It is signed, not stored: it names an incident and the channel that was told, and works for 7 days.
Whoever has it may acknowledge that one incident, and nothing else.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.core import signing
from django.db.models import Q
from django.db.models.functions import Lower

from opsboard.alerts.models import Channel
from opsboard.incidents.models import Incident
from opsboard.people.models import administrators, people
from opsboard.services.models import Team
from opsboard.services.rota import on_duty
from opsboard.services.secrets import CannotDecrypt

SALT = "opsboard.alerts.acknowledging"
LASTS = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Link:
    """What a link in a message is about."""

    incident_id: int
    channel_id: int


@dataclass(frozen=True, slots=True)
class Recipients:
    """Who may have read a message to a channel."""

    known: tuple[User, ...]
    # Whether others than those may have: an address of nobody's account, a chat, a webhook.
    are_others: bool
    # Who it most likely is, where that can be told; the others can still say that it is they.
    likeliest: User | None = None


def link(incident_id: int, channel_id: int) -> str:
    """The whole address for a message to a channel. Opening it changes nothing."""
    token = _signer().sign(f"{incident_id}-{channel_id}")
    return f"{settings.URL}/acknowledge/{token}"


def read(token: str) -> Link | None:
    """What a token names; None: not made by this board, changed on the way, or too old."""
    try:
        incident_id, channel_id = _signer().unsign(token, max_age=LASTS).split("-")
    except signing.BadSignature:
        return None
    return Link(int(incident_id), int(channel_id))


def _signer() -> signing.TimestampSigner:
    # Only letters, digits, "-", "_" and ".", and never a mark at its end: mail clients and chats
    # find the whole of it in plain text.
    return signing.TimestampSigner(salt=SALT, sep=".")


def recipients(channel: Channel, incident: Incident, *, now: datetime) -> Recipients:
    """Those with an account whom a message about `incident` to `channel` reached."""
    match channel.kind:
        case Channel.Kind.EMAIL:
            addresses = _addresses(channel)
            lowered = people().annotate(address=Lower("email")).filter(address__in=addresses)
            known = tuple(lowered.filter(is_active=True))
            reached = {person.email.lower() for person in known}
            return Recipients(known, are_others=bool(addresses - reached))
        case Channel.Kind.DUTY:
            return _on_rota(channel.team or incident.service.team, now=now)
        case Channel.Kind.ADMINISTRATORS:
            return Recipients(tuple(administrators().exclude(email="")), are_others=False)
    return Recipients((), are_others=True)


def _addresses(channel: Channel) -> set[str]:
    """In lower case; none when they cannot be decrypted: then nobody is known."""
    try:
        text = channel.reveal_address()
    except CannotDecrypt:
        return set()
    found = (one.strip().lower() for one in text.replace("\n", ",").split(","))
    return {address for address in found if address}


def _on_rota(team: Team, *, now: datetime) -> Recipients:
    """Everybody in the team's order, and who covers: the hand-over may lie behind the message."""
    covers = Q(
        rota_covers__rota__team=team, rota_covers__starts_at__lte=now, rota_covers__ends_at__gt=now
    )
    of_rota = people().filter(Q(rota_turns__rota__team=team) | covers, is_active=True)
    turn = on_duty(team, now)
    likeliest = turn.person if turn else None
    return Recipients(tuple(of_rota.distinct()), are_others=False, likeliest=likeliest)
