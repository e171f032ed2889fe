"""Gathering: what waits for one channel becomes one message, written before it is sent.

A channel has at most one message under way: while it does not deliver, what begins waits, and is
told together when it does.
"""

import logging
import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from opsboard.alerts.choosing import Choice, Waiting, choose
from opsboard.alerts.models import Channel, Delivery, Message
from opsboard.alerts.rules import STORM_WAIT, gathers_at
from opsboard.alerts.telling import content_of
from opsboard.probes.models import microseconds, moment
from opsboard.probes.schedule import SECOND, database_now

log = logging.getLogger(__name__)

MOST_IN_A_MESSAGE = 2_000
ENDED = "It was over before this channel could be told of it."
REMOVED = "The channel was removed before this was sent."


def gather() -> int | None:
    """Make the messages whose time has come.

    Returns when the next one is to be made, in microseconds on the database's clock; None: nothing
    waits.
    """
    under_way = Message.objects.under_way().filter(channel=OuterRef("pk"))
    waiting = Delivery.objects.waiting().filter(channel=OuterRef("pk"))
    _let_go(Channel.objects.exclude(removed_at=None).filter(Exists(under_way) | Exists(waiting)))
    channels = Channel.objects.standing().filter(~Exists(under_way), Exists(waiting))
    times = [_gathered(channel) for channel in channels.order_by("pk")]
    return min((at for at in times if at is not None), default=None)


def _let_go(removed: Iterable[Channel]) -> None:
    """What a channel that was removed still had to be told is kept, and says why it was not."""
    for channel in removed:
        with transaction.atomic():
            now = moment(database_now())
            Delivery.objects.filter(channel=channel).hold(Delivery.HeldBy.PAST, REMOVED, now=now)
            Message.objects.under_way().filter(channel=channel).update(
                dead_at=now, last_error=REMOVED, claim_id=None, leased_until=None
            )


def _gathered(channel: Channel) -> int | None:
    """As _gather_for. What one channel stumbles over must not keep the others from being told."""
    try:
        return _gather_for(channel)
    except DatabaseError:
        raise
    except Exception:
        log.exception("The next message to %s could not be written.", channel)
        return None


def _gather_for(channel: Channel) -> int | None:
    """The time at which this channel's next message is to be made; None: it was made."""
    now = database_now()
    waiting = Delivery.objects.waiting().filter(channel=channel)
    if (at := _when(channel, waiting, now=now)) is None or at > now:
        return at
    # Read and put into words first: a thousand incidents take a while, and no lock waits for it.
    found = list(_for_telling(waiting)[:MOST_IN_A_MESSAGE])
    choice = choose(_plainly(found, now=now), told=_told_before(channel, found))
    key = uuid.uuid4()
    content = _content(channel, found, choice, now=moment(now), key=key) if choice.said else None
    with transaction.atomic():
        return None if _make(channel, choice, content, now=moment(now), key=key) else now


def _held(channel_id: int) -> Channel:
    """So that two workers never gather the same: the second finds a message under way.

    Whoever writes a delivery to the channel meanwhile need not wait.
    """
    return Channel.objects.select_for_update(no_key=True).get(pk=channel_id)


def _for_telling(deliveries: QuerySet[Delivery]) -> QuerySet[Delivery]:
    related = ("incident__service__team", "incident__environment", "notice", "channel")
    return deliveries.select_related(*related).order_by("wanted_at", "pk")


def _when(channel: Channel, waiting: QuerySet[Delivery], *, now: int) -> int | None:
    """When the next message is to be made. A clock that was set back makes nothing wait for it."""
    if waiting.filter(created_at__gt=moment(now)).exists():
        wanted_at: int | None = now - SECOND
    else:
        wanted_at = waiting.order_by("wanted_at").values_list("wanted_at", flat=True).first()
    if wanted_at is None:
        return None
    last_made_at = _last_made_at(channel, now=now)
    is_busy = last_made_at is not None and last_made_at > now - STORM_WAIT
    return gathers_at(
        wanted_at=wanted_at,
        last_made_at=last_made_at if is_busy else None,
        openings=_news(channel, now=now) if is_busy else 0,
        scale=settings.GATHER_SECONDS,
    )


def _plainly(found: Iterable[Delivery], *, now: int) -> list[Waiting]:
    return [
        Waiting(
            pk=one.pk,
            event=one.event,
            is_due=one.wanted_at <= now or microseconds(one.created_at) > now,
            incident=one.incident_id,
            opening=one.opening,
            number=one.number,
            is_over=one.incident is not None and not one.incident.is_open,
        )
        for one in found
    ]


def _told_before(channel: Channel, found: Iterable[Delivery]) -> set[int]:
    ended = [one.incident_id for one in found if one.event == Delivery.Event.RESOLVED]
    told = Delivery.objects.told().filter(channel=channel, incident__in=ended)
    beginnings = told.exclude(event=Delivery.Event.RESOLVED)
    return {pk for pk in beginnings.values_list("incident", flat=True) if pk is not None}


def _make(
    channel: Channel,
    choice: Choice,
    content: dict[str, object] | None,
    *,
    now: datetime,
    key: uuid.UUID,
) -> bool:
    """Whether it was made, or another worker made one; not when something was held meanwhile."""
    _held(channel.pk)
    if Message.objects.under_way().filter(channel=channel).exists():
        return True
    wanted = choice.said + choice.along + choice.ended
    # Locked: what an overlay holds back at this moment is either told or held, and never both.
    still = Delivery.objects.waiting().filter(pk__in=wanted).select_for_update()
    if len(still.values_list("pk")) < len(wanted):
        return False
    Delivery.objects.filter(pk__in=choice.ended).hold(Delivery.HeldBy.ENDED, ENDED, now=now)
    if content is not None:
        message = Message.objects.create(
            key=key,
            channel=channel,
            content=content,
            made_at=now,
            next_attempt_at=microseconds(now),
        )
        Delivery.objects.filter(pk__in=choice.said + choice.along).update(message=message)
    return True


def _content(
    channel: Channel,
    found: Sequence[Delivery],
    choice: Choice,
    *,
    now: datetime,
    key: uuid.UUID,
) -> dict[str, object]:
    """What goes along is told with what is said: that it was failing, and for how long."""
    told = {*choice.said, *choice.along}
    return content_of([one for one in found if one.pk in told], channel, now=now, key=key)


def _last_made_at(channel: Channel, *, now: int) -> int | None:
    made = channel.messages.filter(made_at__lte=moment(now)).order_by("-pk")
    newest = made.values_list("made_at", flat=True).first()
    return microseconds(newest) if newest else None


def _news(channel: Channel, *, now: int) -> int:
    """How much began, or ended, of what this channel had to be told in the last minute."""
    since = moment(now - 60 * SECOND)
    recent = channel.deliveries.filter(created_at__gte=since, held_at=None)
    told = Q(message__in=channel.messages.filter(made_at__gte=since).values("pk"))
    recent = recent.filter(Q(message=None) | told)
    failing = recent.filter(event=Delivery.Event.FAILING).count()
    return max(failing, recent.filter(event=Delivery.Event.RESOLVED).count())


def bring_up_to_date(message: Message, *, now: datetime) -> bool:
    """What was not taken in time is told as it is now: never failing when it is over.

    `message` is in the caller's hands and was tried before. Returns whether it changed.
    """
    if not _ended_since(message).filter(message=None).exists():
        return False
    return say_as_it_is(message, now=now)


def say_as_it_is(message: Message, *, now: datetime) -> bool:
    """Put it into words anew, where something it says fails is over. Returns whether it was.

    It gets a key of its own then: had the far side taken it after all, it would pass over the news
    under the old one.
    """
    ended = list(_ended_since(message))
    if not ended:
        return False
    ids = [one.pk for one in [*message.deliveries.all(), *ended]]
    found = list(_for_telling(Delivery.objects.filter(pk__in=ids)))
    told = {one.incident_id for one in found if one.incident_id}
    choice = choose(_plainly(found, now=microseconds(now)), told=told)
    if not choice.said:
        return False
    key = uuid.uuid4()
    content = _content(message.channel, found, choice, now=now, key=key)
    with transaction.atomic():
        mine = Message.objects.under_way().filter(pk=message.pk, claim_id=message.claim_id)
        if not mine.update(content=content, key=key):
            return False
        # Of those that were not told elsewhere.
        Delivery.objects.waiting().filter(pk__in=ids).update(message=message)
    message.content, message.key = content, key
    return True


def _ended_since(message: Message) -> QuerySet[Delivery]:
    """The ends of what the message says fails: still waiting, or told since it was given up."""
    its_own = message.deliveries.filter(incident=OuterRef("incident"))
    tells = its_own.exclude(event=Delivery.Event.RESOLVED)
    return Delivery.objects.filter(
        Exists(tells),
        ~Exists(its_own.filter(event=Delivery.Event.RESOLVED, opening=OuterRef("opening"))),
        channel=message.channel_id,
        event=Delivery.Event.RESOLVED,
        held_at=None,
        incident__resolved_at__isnull=False,
    )
