"""A range of a path, read from single probes or from counted hours: nothing is lost or made up."""

import random
from datetime import UTC, datetime

import pytest

from opsboard.expectations.histogram import Histogram
from opsboard.probes.models import HourlyRollup, Probe, microseconds
from opsboard.probes.path_states import path_now
from opsboard.web.measurements import NOTHING, Limits
from opsboard.web.series import RANGES, Series, changes_in, read_with_table
from opsboard.web.words import DAY, HOUR
from tests.web.standing import a_path, a_service, observed, stands

NOW = datetime(2026, 11, 23, 12, 20, tzinfo=UTC)
AT = microseconds(NOW)
SUMMED = ("dns_sum", "connect_sum", "tls_sum", "first_byte_sum", "transfer_sum", "db_time_sum")


@pytest.fixture
def probe(db: None) -> Probe:
    return stands(a_path(a_service()))


def an_hour(probe: Probe, hour_at: int, times: list[int], **fields: object) -> HourlyRollup:
    """`times` in microseconds."""
    histogram = Histogram()
    for time in times:
        histogram.add(time)
    counts = dict.fromkeys(("warning", "failing", "missed", "wrong", "errors_of_ours"), 0)
    values: dict[str, object] = {
        "observations": len(times), "passing": len(times), "answered": len(times),
        "cache_hits": 3, "cache_known": 4, "db_calls_sum": 12, "db_calls_reported": 2,
        "times": histogram.to_bytes(),
    }  # fmt: skip
    sums = {name: len(times) * 1000 for name in SUMMED}
    return HourlyRollup(probe_id=probe.pk, hour_at=hour_at, **(counts | values | sums | fields))


def read(probe: Probe, chosen: str = "1y") -> tuple[Series, Series]:
    standing = path_now([probe], now=NOW)
    changes = changes_in(standing, RANGES[chosen], now=NOW)
    return read_with_table(standing, RANGES[chosen], Limits(), changes, now=NOW)


def test_a_year_is_one_step_a_day_and_its_percentiles_are_of_all_answers_of_the_day(probe):
    day = AT // DAY * DAY - 300 * DAY
    HourlyRollup.objects.bulk_create(
        [
            an_hour(probe, day, [10_000] * 98),
            an_hour(probe, day + 23 * HOUR, [500_000] * 2, wrong=1, errors_of_ours=1),
            an_hour(probe, day + DAY, [20_000] * 10),
        ]
    )
    series, _ = read(probe)
    assert (len(series.points), series.step) == (365, DAY)
    one, other = (point for point in series.points if point.probes)
    assert (one.probes, one.wrong, one.answered) == (99, 1, 100)
    assert (one.cache_hits, one.cache_known, one.db_calls_sum) == (6, 8, 24)
    assert (one.first_byte_sum, other.probes) == (100_000, 10)
    assert one.p50 == one.p95 == Histogram.merged([histogram_of(10_000)]).percentile(50)
    assert one.p99 == Histogram.merged([histogram_of(500_000)]).percentile(50)


def histogram_of(time: int) -> bytes:
    histogram = Histogram()
    histogram.add(time)
    return histogram.to_bytes()


@pytest.mark.parametrize("chosen", ["7d", "30d", "90d", "1y"])
def test_the_table_holds_the_same_probes_as_the_chart(probe, chosen):
    dice = random.Random(3)
    last = AT // HOUR * HOUR - HOUR
    hours = sorted(dice.sample(range(RANGES[chosen].span // HOUR - 24), 100))
    HourlyRollup.objects.bulk_create(
        [
            an_hour(probe, last - back * HOUR, [dice.randint(1_000, 90_000) for _ in range(7)])
            for back in hours
        ]
    )
    series, table = read(probe, chosen)
    assert series.probes == table.probes == 700
    for name in ("wrong", "answered", "cache_hits", "first_byte_sum"):
        assert sum(getattr(p, name) for p in table.points) == sum(
            getattr(p, name) for p in series.points
        )


def test_hours_that_are_not_counted_yet_are_shown_where_a_step_is_an_hour(probe):
    HourlyRollup.objects.bulk_create([an_hour(probe, AT // HOUR * HOUR - 2 * HOUR, [10_000] * 5)])
    since_then = (microseconds(datetime.now(UTC)) - AT) / 60e6
    observed(probe, [100] * 3, minutes_ago=since_then + 40, step_seconds=60)
    series, _ = read(probe, "7d")
    assert [point.probes for point in series.points[-3:]] == [5, 3, 0]


def test_a_gap_stays_a_gap_and_the_range_stays_whole(probe):
    HourlyRollup.objects.bulk_create([an_hour(probe, AT // DAY * DAY - 100 * DAY, [10_000])])
    series, _ = read(probe)
    assert [point for point in series.points if point is not NOTHING] == [series.points[264]]
    assert series.start == (AT // DAY - 364) * DAY


def test_an_hour_of_another_probe_is_not_read(probe):
    other = stands(a_path(a_service()))
    HourlyRollup.objects.bulk_create([an_hour(other, AT // DAY * DAY - DAY, [10_000])])
    assert read(probe)[0].probes == 0
