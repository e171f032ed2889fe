"""What was measured, beside what the sheet expects."""

import pytest

from opsboard.expectations.grammar import parse
from opsboard.probes.models import Kind, Probe
from opsboard.probes.rules import Verdict
from opsboard.probes.stored import CACHE
from opsboard.web import measuring
from opsboard.web.measurements import Measured, figures, limits_of, severity
from tests.web.standing import MINUTE, a_path, a_service, observed, stands

NOW = 10**18


@pytest.fixture
def probe(db: None) -> Probe:
    return stands(a_path(a_service()))


def measured(probe: Probe) -> Measured:
    return measuring.whole([probe.pk], since=0, until=NOW)


def test_a_percentile_is_the_time_that_so_many_of_100_right_answers_do_not_exceed(probe):
    observed(probe, list(range(1, 101)))
    found = measured(probe)
    assert (found.p50, found.p95, found.p99) == (50_000, 95_000, 99_000)


def test_a_wrong_answer_counts_in_errors_and_not_in_p95(probe):
    observed(probe, [100] * 20)
    observed(probe, [9_000] * 10, minutes_ago=30, is_wrong=True, verdict=Verdict.FAILING)
    found = measured(probe)
    assert (found.p95, found.wrong, found.probes, found.answered) == (100_000, 10, 30, 20)


def test_an_error_of_our_own_counts_nowhere(probe):
    observed(probe, [100] * 20)
    observed(probe, [0] * 5, minutes_ago=30, verdict=Verdict.ERROR, status=None)
    assert (measured(probe).probes, measured(probe).answered) == (20, 20)


def test_what_our_own_loop_delayed_is_not_in_p95(probe):
    observed(probe, [100] * 20)
    observed(probe, [9_000] * 20, minutes_ago=30, is_delayed=True)
    assert measured(probe).p95 == 100_000


@pytest.mark.parametrize("kind", [Kind.ASKED_AGAIN, Kind.ASKED_NOW])
def test_only_scheduled_probes_are_measured(probe, kind):
    observed(probe, [100] * 20)
    observed(probe, [9_000] * 20, minutes_ago=30, kind=kind)
    assert (measured(probe).probes, measured(probe).p95) == (20, 100_000)


def test_the_mean_of_database_calls_is_of_those_that_reported(probe):
    observed(probe, [100] * 10, db_calls=12)
    observed(probe, [100] * 10, minutes_ago=30)
    assert measured(probe).calls == 12


def test_stale_is_a_hit_and_unknown_is_neither(probe):
    for minutes, cache in enumerate(CACHE):
        observed(probe, [100] * 10, minutes_ago=1 + 10 * minutes, cache=CACHE.index(cache))
    found = measured(probe)
    assert (found.cache_hits, found.cache_known) == (20, 40)


def test_steps_are_measured_apart(probe):
    observed(probe, [100] * 3, minutes_ago=0, step_seconds=60)
    found = measuring.by_step([probe.pk], since=0, until=NOW, step=MINUTE)
    assert [one.probes for one in found.values()] == [1, 1, 1]


def test_the_paths_of_two_probes_are_measured_apart(probe):
    other = stands(a_path(a_service()))
    observed(probe, [100] * 5)
    observed(other, [200] * 7)
    found = measuring.by_path([probe.pk, other.pk], since=0, until=NOW)
    assert {key: one.p95 for key, one in found.items()} == {
        probe.path_id: 100_000,
        other.path_id: 200_000,
    }


@pytest.mark.parametrize(
    ("one", "errors", "hits", "calls"),
    [
        (Measured(), "no data", "no data", "no data"),
        (Measured(probes=10, wrong=2), "2 of 10", "not reported", "not reported"),
        (Measured(probes=20, wrong=2), "10%", "not reported", "not reported"),
        (Measured(probes=60, wrong=7), "11.6%", "not reported", "not reported"),
        (Measured(probes=30, cache_hits=9, cache_known=10), "0%", "9 of 10", "not reported"),
        (Measured(probes=30, db_calls_sum=4440, db_calls_reported=30), "0%", "not reported", "148"),
    ],
)
def test_few_probes_are_counted_and_what_is_missing_is_named(one, errors, hits, calls):
    assert (one.errors_words, one.hits_words, one.calls_words) == (errors, hits, calls)


def test_phases_are_means_that_add_up_and_the_database_is_never_more_than_the_waiting():
    one = Measured(
        answered=2, first_byte_sum=200_000, db_time_sum=500_000, connect_sum=20_000, tls_sum=4_000
    )
    assert one.phases == (100, 0, 12, 0)


@pytest.mark.parametrize(
    ("text", "words", "value", "is_warning"),
    [
        ("time < 400 ms", "under 400 ms", 400_000, False),
        ("warn time < 300 ms\ntime < 400 ms", "under 400 ms", 400_000, False),
        ("p95 time < 2 s over 30 m\nwarn time < 300 ms", "under 2 s", 2_000_000, False),
        ("warn time < 300 ms", "under 300 ms", 300_000, True),
    ],
)
def test_the_limit_of_time_is_the_one_that_fails_the_path(text, words, value, is_warning):
    limit = limits_of(parse(text)).time
    assert limit is not None
    assert (limit.words, limit.value, limit.is_warning) == (words, value, is_warning)


@pytest.mark.parametrize("text", ["status == 200", "time > 1 s", "p50 time < 400 ms over 30 m"])
def test_what_does_not_bound_the_time_from_above_is_no_limit_of_p95(text):
    assert limits_of(parse(text)).time is None


@pytest.mark.parametrize(
    ("text", "value", "is_over"),
    [
        ("db.calls <= 8", 8, False),
        ("db.calls <= 8", 9, True),
        ("db.calls < 8", 8, True),
        ("db.calls <= 8", None, False),
    ],
)
def test_a_value_is_over_its_limit_as_the_clause_says(text, value, is_over):
    limit = limits_of(parse(text)).calls
    assert limit is not None
    assert limit.is_over(value) is is_over


def test_hits_are_over_when_they_are_too_few():
    limit = limits_of(parse("cache.hits >= 80 % over 1 h")).hits
    assert limit is not None
    assert (limit.is_over(79.9), limit.is_over(80)) == (True, False)


def test_a_number_over_its_limit_is_as_grave_as_its_path():
    limit = limits_of(parse("time < 400 ms")).time
    assert severity(limit, 500_000, is_failing=True) == "fail"
    assert severity(limit, 500_000, is_failing=False) == "warn"
    assert severity(limit, 300_000, is_failing=True) == ""


def test_figures_say_number_unit_and_expectation():
    one = Measured(probes=60, wrong=7, p95=2_840_000, db_calls_sum=60, db_calls_reported=60)
    limits = limits_of(parse("time < 400 ms"))
    time, errors, hits, calls = figures(one, limits, is_failing=True)
    assert (time.value, time.unit, time.expected, time.css) == (
        "2.84", "s", "expected under 400 ms", "fail",
    )  # fmt: skip
    assert (errors.value, errors.unit, errors.expected) == ("11.6", "%", "no limit in the sheet")
    assert (hits.value, hits.is_number) == ("not reported", False)
    assert (calls.value, calls.unit) == ("1", "")
