"""One list a week for each team of what runs out: on Monday at 08:00, once, and never empty."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from opsboard import tasks
from opsboard.alerts.models import Channel, Delivery, Notice
from opsboard.alerts.noticing import notice
from opsboard.alerts.weekly import list_words, tell
from opsboard.releases.running_out import running_out
from opsboard.rollbacks.models import NoteVersion, RollbackNote
from opsboard.rollbacks.rehearsing import rehearse
from opsboard.rollbacks.running_out import RunsOut
from opsboard.services.models import CriticalPath, Environment, Service, Team
from tests.company import BY

pytestmark = pytest.mark.django_db

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MONDAY = datetime(2026, 11, 23, 8, tzinfo=UTC)
ROW = RunsOut(MONDAY + 7 * DAY, "Rollback note", "Fares API", "/services/fares-api/rollback-note")


@pytest.fixture
def channel(team: Team) -> Channel:
    channel = Channel(name="Pricing on call", kind="webhook", team=team)
    channel.keep(address="http://127.0.0.1:9/hook", signing_secret="whsec_test")
    channel.save()
    return channel


def read_one(teams: Collection[int], now: datetime) -> Mapping[int, Sequence[RunsOut]]:
    return {number: [ROW] for number in teams}


def read_none(teams: Collection[int], now: datetime) -> Mapping[int, Sequence[RunsOut]]:
    return {}


def ring(at: datetime) -> int:
    """How many have been told after the clock rang at that time."""
    tell(read=read_one, now=at)
    return Delivery.objects.count()


def test_it_is_told_on_monday_at_eight_and_once(channel: Channel) -> None:
    assert ring(MONDAY - timedelta(seconds=1)) == 0
    assert ring(MONDAY) == 1
    assert ring(MONDAY + timedelta(minutes=1)) == 1
    assert ring(MONDAY + 3 * DAY) == 1
    assert ring(MONDAY + 7 * DAY) == 2
    assert Notice.objects.open().count() == 1


def test_it_is_told_once_also_after_its_notice_ended(channel: Channel) -> None:
    ring(MONDAY)
    Notice.objects.update(ended_at=MONDAY + HOUR)
    assert ring(MONDAY + 2 * HOUR) == 1


@pytest.mark.parametrize(("late", "told"), [(23 * HOUR, 1), (24 * HOUR, 0)])
def test_who_slept_on_monday_tells_within_a_day(
    channel: Channel, late: timedelta, told: int
) -> None:
    assert ring(MONDAY + late) == told


def test_it_is_eight_in_the_zone_of_the_team(channel: Channel, team: Team) -> None:
    Team.objects.filter(pk=team.pk).update(zone="America/New_York")
    assert ring(MONDAY) == 0
    assert ring(MONDAY + 5 * HOUR) == 1


def test_an_empty_list_is_not_told(channel: Channel) -> None:
    tell(read=read_none, now=MONDAY)
    assert not Notice.objects.exists()


def test_only_the_channels_of_the_team_hear(channel: Channel, administrator: object) -> None:
    other = Team.objects.create(slug="harbour", name="Harbour")
    ring(MONDAY)
    told = Delivery.objects.select_related("channel", "notice__team")
    assert [(one.channel.name, one.notice.team.name) for one in told] == [
        ("Pricing on call", "Pricing")
    ]
    # A team without a channel is told by its page alone.
    assert Notice.objects.filter(team=other, deliveries=None).exists()


def test_it_stands_until_next_week_whatever_else_is_noticed(channel: Channel) -> None:
    ring(MONDAY)
    notice(now=MONDAY + HOUR)
    assert Notice.objects.open().filter(kind=Notice.Kind.RUNS_OUT).exists()


def test_the_words() -> None:
    one = list_words("Pricing", [ROW])
    assert one == ("Pricing: 1 thing runs out within 14 days. Rollback note of Fares API, 30 Nov.")
    many = list_words("Pricing", [ROW] * 23)
    assert many.startswith("Pricing: 23 things run out within 14 days.")
    assert many.endswith("; and 3 more.")


def test_the_task_reads_all_that_runs_out(channel: Channel) -> None:
    tasks.tell_weekly()


# What runs out -------------------------------------------------------------------------------


def a_note(service: Service, *, checked: datetime, path: CriticalPath | None = None) -> NoteVersion:
    note = RollbackNote.objects.create(service=service, path=path)
    version = note.write(
        title="Go back", use_when="", does_not_undo="", minutes=None,
        steps=[{"do": "Hold", "run": "hold"}], reason="", by=None, now=MONDAY,
    )  # fmt: skip
    assert version
    NoteVersion.objects.filter(pk=version.pk).update(checked_at=checked)
    return version


def whats(team: Team) -> list[tuple[str, str]]:
    rows = running_out([team.pk], now=MONDAY).get(team.pk, [])
    return [(row.what, row.whose) for row in rows]


@pytest.mark.parametrize(
    ("left", "is_listed"),
    [(14 * DAY, True), (14 * DAY + HOUR, False), (HOUR, True), (timedelta(), False)],
)
def test_a_note_is_listed_within_14_days(
    team: Team, service: Service, left: timedelta, is_listed: bool
) -> None:
    # A tier 1 service: a look lasts 30 days.
    a_note(service, checked=MONDAY - 30 * DAY + left)
    assert whats(team) == ([("Rollback note", "Fares API")] if is_listed else [])


def test_a_rehearsal_and_a_sheet_are_listed(
    team: Team, service: Service, environment: Environment, path: CriticalPath
) -> None:
    version = a_note(service, checked=MONDAY)
    rehearse(
        version, environment_slug="production", at=MONDAY - 85 * DAY, seconds=60,
        outcomes=[{"outcome": "worked"}], by=BY, now=MONDAY - 84 * DAY,
    )  # fmt: skip
    CriticalPath.objects.filter(pk=path.pk).update(checked_at=MONDAY - 80 * DAY)
    assert whats(team) == [
        ("Rehearsal", "Fares API"),
        ("Sheet", "Price a crossing, Fares API"),
    ]


def test_the_note_of_a_path_is_of_the_team_that_owns_it(
    team: Team, service: Service, path: CriticalPath
) -> None:
    other = Team.objects.create(slug="harbour", name="Harbour")
    CriticalPath.objects.filter(pk=path.pk).update(owner=other)
    a_note(service, checked=MONDAY - 29 * DAY, path=path)
    assert whats(team) == []
    assert whats(other) == [("Rollback note", "Price a crossing, Fares API")]
