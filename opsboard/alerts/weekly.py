"""One list a week for each team: what runs out within 14 days. On Monday at 08:00, of its zone.

The notice of the week is what says that it was told: it is written with its deliveries, and stands
until the next week's.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, time, timedelta

from django.db import transaction

from opsboard.alerts import planning
from opsboard.alerts.models import Notice
from opsboard.rollbacks.running_out import RunsOut
from opsboard.services.models import Team
from opsboard.services.zones import zone_of

type Read = Callable[[Collection[int], datetime], Mapping[int, Sequence[RunsOut]]]

AT = time(8)
# Who was not told on Monday, for nobody worked, is told until then and not after.
STILL_TOLD_FOR = timedelta(hours=24)
MOST_NAMED = 20


def tell(*, read: Read, now: datetime) -> None:
    """Write the notices that are due. Run by the clock; however often, each is written once.

    `read` says what runs out, by team: also what rooms above this one know.
    """
    begun = {team: begins for team in Team.objects.standing() if (begins := _begun(team, now))}
    _end_last_weeks(now)
    told = _told(begun)
    due = [team for team in begun if _key(team, begun[team]) not in told]
    if not due:
        return
    found = read([team.pk for team in due], now)
    new = [_notice(one, begun[one], found[one.pk], now) for one in due if found.get(one.pk)]
    with transaction.atomic():
        # Where another worker was faster, its notice stays and this one is none.
        Notice.objects.bulk_create(new, ignore_conflicts=True)
        opened = Notice.objects.open().filter(
            kind=Notice.Kind.RUNS_OUT, key__in=[one.key for one in new]
        )
        untold = opened.filter(deliveries=None).select_related("team")
        planning.plan_notices(untold, now=now)


def _begun(team: Team, now: datetime) -> datetime | None:
    """When this week's list was due, while it may be told; None: not now."""
    local = now.astimezone(zone_of(team.zone))
    monday = local.date() - timedelta(days=local.weekday())
    begins = datetime.combine(monday, AT, zone_of(team.zone))
    return begins if begins <= now < begins + STILL_TOLD_FOR else None


def _key(team: Team, begins: datetime) -> str:
    year, week, _ = begins.isocalendar()
    return f"team {team.pk} week {year}-{week:02}"


def _told(begun: Mapping[Team, datetime]) -> set[str]:
    """Also of those that have ended: a list is told once a week."""
    keys = [_key(team, begins) for team, begins in begun.items()]
    notices = Notice.objects.filter(kind=Notice.Kind.RUNS_OUT, key__in=keys)
    return set(notices.values_list("key", flat=True))


def _end_last_weeks(now: datetime) -> None:
    over = Notice.objects.open().filter(
        kind=Notice.Kind.RUNS_OUT, began_at__lte=now - timedelta(days=7) + STILL_TOLD_FOR
    )
    over.update(ended_at=now)


def _notice(team: Team, begins: datetime, rows: Sequence[RunsOut], now: datetime) -> Notice:
    return Notice(
        kind=Notice.Kind.RUNS_OUT,
        key=_key(team, begins),
        team=team,
        text=list_words(team.name, rows),
        began_at=now,
    )


def list_words(team: str, rows: Sequence[RunsOut]) -> str:
    """ "Pricing: 2 things run out within 14 days. Rollback note of Fares API, 30 Nov; ..."."""
    verb = "thing runs" if len(rows) == 1 else "things run"
    named = [f"{one.what} of {one.whose}, {one.until.day} {one.until:%b}" for one in rows]
    more = f"; and {len(rows) - MOST_NAMED} more" if len(rows) > MOST_NAMED else ""
    listed = "; ".join(named[:MOST_NAMED])
    return f"{team}: {len(rows)} {verb} out within 14 days. {listed}{more}."
