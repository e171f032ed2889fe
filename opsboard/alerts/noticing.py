"""Notices: each thing to know within the day is told once, for as long as it lasts.

What is noticed opens a notice with its deliveries, in one transaction; what is over ends it, and
nobody is told of that. One that comes back within the hour goes on, and is not told again.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from opsboard.alerts import planning
from opsboard.alerts.models import Delivery, Notice
from opsboard.alerts.noticed import Found, Look, look
from opsboard.probes.models import microseconds

Kind = Notice.Kind
# Looked for here; that a channel does not deliver is noticed where it is tried.
LOOKED_FOR = (
    *(Kind.WARNING, Kind.NO_DATA, Kind.CERTIFICATE),
    *(Kind.OWN_ERROR, Kind.OVERLOADED, Kind.LOCATION),
)
COMES_BACK_WITHIN = timedelta(hours=1)


def notice(*, now: datetime) -> None:
    """Bring the notices in line with what there is to notice. Run by the clock."""
    told = {_which(one) for one in _known((), now=now)}
    looked = look(now=now, told=told)
    wanted = {(found.kind, found.key): found for found in looked.found}
    with transaction.atomic():
        # Read again: another worker may have looked meanwhile, and what is told stays told.
        known = _known(looked.found, now=now)
        open_now = {_which(one) for one in known if one.ended_at is None}
        _end([one for one in known if _is_over(one, wanted.keys(), looked)], now=now)
        back = {_which(one): one for one in known if one.ended_at and _which(one) in wanted}
        back = {which: one for which, one in back.items() if which not in open_now}
        _take_up_again(list(back.values()), now=now)
        here = open_now | back.keys()
        # Without words: it was told when the look began, and another worker has ended it since.
        new = [found for which, found in wanted.items() if found.text and which not in here]
        _open(new, now=now)


def _which(notice: Notice) -> tuple[str, str]:
    return (notice.kind, notice.key)


def _known(found: Sequence[Found], *, now: datetime) -> list[Notice]:
    """Those that are open, and those that were told already. The oldest first.

    A certificate is told once at each threshold, however long ago that was.
    """
    of_certificates = [one.key for one in found if one.kind is Kind.CERTIFICATE]
    told = Q(ended_at__gte=now - COMES_BACK_WITHIN) | Q(
        kind=Kind.CERTIFICATE, key__in=of_certificates
    )
    looked_for = Notice.objects.filter(kind__in=LOOKED_FOR)
    return list(looked_for.filter(Q(ended_at=None) | told).order_by("pk"))


def _is_over(notice: Notice, wanted: object, looked: Look) -> bool:
    if notice.ended_at is not None or _which(notice) in wanted:  # type: ignore[operator]
        return False
    # While Opsboard is not well nobody knows that data comes again.
    return looked.knows_silence or notice.kind != Kind.NO_DATA


def _end(over: Sequence[Notice], *, now: datetime) -> None:
    if not over:
        return
    ended = Notice.objects.filter(pk__in=[one.pk for one in over], ended_at=None)
    ended.update(ended_at=now)
    untold = Delivery.objects.filter(notice__in=[one.pk for one in over])
    untold.hold(Delivery.HeldBy.ENDED, "It was over before it was told.", now=now)


def _take_up_again(back: Sequence[Notice], *, now: datetime) -> None:
    """Who was told knows; who was to be told when it ended is told now."""
    if not back:
        return
    numbers = [one.pk for one in back]
    Notice.objects.filter(pk__in=numbers).update(ended_at=None)
    untold = Delivery.objects.held().filter(notice__in=numbers, held_by=Delivery.HeldBy.ENDED)
    untold.update(held_at=None, held_by="", reason="", wanted_at=microseconds(now))


def _open(new: Sequence[Found], *, now: datetime) -> None:
    """Where another worker was faster, its notice stays and this one is none."""
    if not new:
        return
    Notice.objects.bulk_create([_notice(found, now=now) for found in new], ignore_conflicts=True)
    opened = Notice.objects.open().filter(
        kind__in={found.kind for found in new}, key__in=[found.key for found in new]
    )
    planning.plan_notices(
        opened.filter(deliveries=None).select_related(
            "service__team", "environment", "path__owner", "path__service__team"
        ),
        now=now,
    )


def _notice(found: Found, *, now: datetime) -> Notice:
    probe = found.probe
    return Notice(
        kind=found.kind,
        key=found.key,
        text=found.text,
        began_at=now,
        service_id=probe.path.service_id if probe else None,
        environment_id=probe.environment_id if probe else None,
        path_id=None if probe is None or found.of_service else probe.path_id,
    )
