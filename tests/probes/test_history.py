"""Roll-ups, service days and pruning: counted from rows, the same however often."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection

from opsboard.expectations.histogram import Histogram
from opsboard.probes import history
from opsboard.probes.models import (
    Gap,
    HourlyRollup,
    Observation,
    Probe,
    ServiceDay,
    StateChange,
    microseconds,
)
from opsboard.probes.rules import availability
from opsboard.services.models import MaintenanceWindow
from tests.company import NOON, SECOND, a_probe

pytestmark = pytest.mark.django_db

HOUR = 3600 * SECOND


def observe(probe: Probe, at: datetime, **fields: object) -> None:
    values = {
        "total": 20_000,
        "dns": 1,
        "connect": 2,
        "tls": 3,
        "first_byte": 4,
        "transfer": 5,
        "lateness": 0,
        "size": 2,
        "db_calls": 3,
        "db_time": 700,
        "status": 200,
        "kind": 0,
        "verdict": 0,
        "cache": 1,
        "is_wrong": False,
        "is_delayed": False,
    }
    Observation.objects.create(probe=probe, slot_at=microseconds(at), **(values | fields))


def minute(number: int) -> datetime:
    return datetime(2026, 11, 23, 10, tzinfo=UTC) + timedelta(minutes=number)


@pytest.fixture
def probe() -> Probe:
    probe = a_probe()
    Probe.objects.filter(pk=probe.pk).update(began_at=microseconds(NOON - timedelta(days=2)))
    probe.refresh_from_db()
    return probe


def test_an_hour_is_rolled_up_once_it_has_settled(probe: Probe):
    observe(probe, minute(59))
    assert history.roll_up(now=minute(61)) == 0
    assert history.roll_up(now=minute(64)) == 1


def test_a_roll_up_counts_verdicts_cache_database_and_times(probe: Probe):
    observe(probe, minute(1))
    observe(probe, minute(2), cache=2, total=40_000)
    observe(probe, minute(3), verdict=2, is_wrong=True, status=503, db_calls=None, db_time=None)
    observe(probe, minute(4), verdict=3, cache=0, db_calls=None, db_time=None)
    history.roll_up(now=minute(70))
    hour = HourlyRollup.objects.get()
    assert (hour.observations, hour.passing, hour.failing, hour.errors_of_ours) == (4, 2, 1, 1)
    assert (hour.wrong, hour.answered) == (1, 2)
    assert (hour.cache_hits, hour.cache_known) == (2, 3)
    assert (hour.db_calls_sum, hour.db_calls_reported) == (6, 2)
    median = Histogram.from_bytes(bytes(hour.times)).percentile(50)
    assert median is not None
    assert 20_000 <= median < 21_000


def test_delayed_observations_count_and_their_times_do_not(probe: Probe):
    observe(probe, minute(1), is_delayed=True, total=9_000_000)
    observe(probe, minute(2))
    history.roll_up(now=minute(70))
    hour = HourlyRollup.objects.get()
    assert hour.observations == 2
    slowest = Histogram.from_bytes(bytes(hour.times)).percentile(99)
    assert slowest is not None
    assert slowest < 30_000


def test_re_asks_are_left_out_of_roll_ups(probe: Probe):
    observe(probe, minute(1))
    observe(probe, minute(2), kind=1)
    observe(probe, minute(3), kind=2)
    history.roll_up(now=minute(70))
    assert HourlyRollup.objects.get().observations == 1


def test_missed_slots_are_counted_in_their_hours(probe: Probe):
    observe(probe, minute(1))
    observe(probe, minute(61))
    Gap.objects.create(
        probe=probe,
        first_slot_at=microseconds(minute(58)),
        last_slot_at=microseconds(minute(67)),
        slots=10,
    )
    history.roll_up(now=minute(130))
    missed = list(HourlyRollup.objects.order_by("hour_at").values_list("missed", flat=True))
    assert missed == [2, 8]


def test_rolling_up_goes_on_where_it_stopped(probe: Probe):
    observe(probe, minute(1))
    history.roll_up(now=minute(70))
    observe(probe, minute(200))
    assert history.roll_up(now=minute(300)) == 1
    assert HourlyRollup.objects.count() == 2


def change(probe: Probe, at: datetime, before: str, after: str) -> None:
    StateChange.objects.create(probe=probe, at=microseconds(at), before=before, after=after)


def passing_until(probe: Probe, at: datetime) -> None:
    Probe.objects.filter(pk=probe.pk).update(state="passing", observed_at=microseconds(at))


def test_a_day_adds_up_and_remembers_its_worst(probe: Probe):
    passing_until(probe, NOON)
    change(probe, NOON - timedelta(hours=3), "passing", "failing")
    change(probe, NOON - timedelta(hours=2), "failing", "passing")
    history.count_days(now=NOON)
    day = ServiceDay.objects.get(day=date(2026, 11, 23))
    assert (day.passing, day.failing, day.worst) == (11 * 3600, 3600, "failing")


def a_window(probe: Probe, at: datetime, minutes: int, **fields: object) -> MaintenanceWindow:
    return MaintenanceWindow.objects.create(
        service=probe.path.service,
        name="nightly import",
        starts_on=at.date(),
        starts_at=at.time(),
        minutes=minutes,
        planned_at=at - timedelta(days=1),
        **fields,
    )


def today() -> ServiceDay:
    return ServiceDay.objects.get(day=date(2026, 11, 23))


def test_maintenance_is_left_out_of_every_state_of_a_day(probe: Probe):
    passing_until(probe, NOON)
    change(probe, NOON - timedelta(hours=3), "passing", "failing")
    change(probe, NOON - timedelta(hours=1), "failing", "passing")
    a_window(probe, NOON - timedelta(hours=4), 150)
    history.count_days(now=NOON)
    day = today()
    assert (day.passing, day.failing, day.maintenance) == (9 * 3600, 1800, 9000)
    assert availability(passing=day.passing, warning=0, failing=day.failing) < 100


def test_two_windows_at_once_are_counted_once(probe: Probe):
    passing_until(probe, NOON)
    a_window(probe, NOON - timedelta(hours=4), 60)
    a_window(probe, NOON - timedelta(hours=4, minutes=30), 60)
    history.count_days(now=NOON)
    assert (today().maintenance, today().passing) == (5400, 12 * 3600 - 5400)


def test_a_day_of_maintenance_alone_claims_nothing(probe: Probe):
    passing_until(probe, NOON)
    a_window(probe, NOON - timedelta(hours=12), 24 * 60)
    history.count_days(now=NOON)
    day = today()
    assert (day.maintenance, day.worst) == (12 * 3600, "paused")
    known = {"passing": day.passing, "warning": day.warning, "failing": day.failing}
    assert availability(**known) is None


def test_a_window_over_midnight_is_in_both_days(probe: Probe):
    passing_until(probe, NOON)
    a_window(probe, NOON - timedelta(hours=13), 120)
    history.count_days(now=NOON)
    days = ServiceDay.objects.order_by("day").values_list("maintenance", flat=True)
    assert list(days)[-2:] == [3600, 3600]


def test_the_window_of_another_environment_takes_nothing(probe: Probe):
    passing_until(probe, NOON)
    a_window(probe, NOON - timedelta(hours=4), 60, environment_slug="staging")
    history.count_days(now=NOON)
    assert today().maintenance == 0


def test_counting_again_gives_the_same_and_what_a_window_was_stands(probe: Probe):
    passing_until(probe, NOON)
    window = a_window(probe, NOON - timedelta(hours=4), 60)
    history.count_days(now=NOON)
    window.removed_at = NOON - timedelta(hours=1)
    window.save()
    for _ in range(2):
        history.count_days(now=NOON)
        assert (today().maintenance, today().passing) == (3600, 11 * 3600)


def test_a_window_ended_early_takes_what_it_was_open(probe: Probe):
    passing_until(probe, NOON)
    a_window(probe, NOON - timedelta(hours=4), 60, removed_at=NOON - timedelta(hours=3, minutes=50))
    history.count_days(now=NOON)
    assert today().maintenance == 600


def test_days_before_today_are_closed_with_all_their_seconds(probe: Probe):
    passing_until(probe, NOON)
    history.count_days(now=NOON)
    yesterday = ServiceDay.objects.get(day=date(2026, 11, 22))
    assert yesterday.passing == 86_400


def test_silence_up_to_now_is_no_data_from_when_it_began(probe: Probe):
    passing_until(probe, NOON - timedelta(hours=1))
    history.count_days(now=NOON)
    day = ServiceDay.objects.get(day=date(2026, 11, 23))
    assert day.no_data == 3600 - 70
    assert day.passing == 11 * 3600 + 70


def test_counting_twice_gives_the_same_rows(probe: Probe):
    passing_until(probe, NOON)
    history.count_days(now=NOON)
    rows = list(ServiceDay.objects.values_list("day", "passing"))
    history.count_days(now=NOON)
    assert list(ServiceDay.objects.values_list("day", "passing")) == rows


def test_what_is_older_than_it_is_kept_is_let_go(probe: Probe):
    observe(probe, NOON - timedelta(days=31))
    observe(probe, NOON - timedelta(days=29))
    history.prune(now=NOON, observations_days=30, rollups_days=730)
    assert Observation.objects.count() == 1


def test_only_the_newest_replies_of_a_probe_are_kept(probe: Probe):
    for number in range(8):
        probe.exchanges.create(slot_at=number, status=500)
    history.prune(now=NOON, observations_days=30, rollups_days=730)
    assert sorted(probe.exchanges.values_list("slot_at", flat=True)) == [3, 4, 5, 6, 7]


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="partitions are PostgreSQL's")
def test_old_days_are_dropped_as_partitions(probe: Probe):
    old = NOON - timedelta(days=40)
    history.make_partitions(now=old)
    observe(probe, old)
    history.make_partitions(now=NOON)
    history.prune(now=NOON, observations_days=30, rollups_days=730)
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s)", [f"probes_observation_{old:%Y%m%d}"])
        assert cursor.fetchone()[0] is None
    assert not Observation.objects.exists()
