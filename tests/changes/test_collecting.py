"""What a window has: which observations are samples, what is left out, and how far it has come."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from opsboard.changes.baselines import give_up, open_baseline
from opsboard.changes.collecting import progress
from opsboard.changes.models import Change, Sample, Window, latest_of
from opsboard.changes.stages import Stage, stage_of
from opsboard.changes.taking import samples_of
from opsboard.probes.models import Kind, Probe, microseconds, stand_up
from opsboard.probes.rules import Verdict
from tests.changes.measuring import (
    CI,
    a_baseline,
    a_change,
    an_applied_change,
    before,
    every_half_minute,
    minutes,
    observe,
)
from tests.company import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture
def change(db: None) -> Change:
    return a_change()


def window(side: str = "before") -> Window:
    return Window.objects.get(side=side)


def test_only_scheduled_observations_are_samples(change):
    for nth, kind in enumerate((Kind.ASKED_AGAIN, Kind.ASKED_NOW, Kind.REPORTED)):
        observe(change.path, [minutes(-nth - 1.3)], kind=kind)
    a_baseline(change, 5)
    assert progress(window(), now=NOON).count == len(samples_of(window(), now=NOON)) == 5


def test_what_our_own_loop_delayed_and_errors_of_ours_are_left_out_and_counted(change):
    observe(change.path, [minutes(-1.3), minutes(-2.3)], is_delayed=True)
    observe(change.path, [minutes(-3.3)], verdict=Verdict.ERROR, is_wrong=True, is_delayed=True)
    observe(change.path, [minutes(-4.3)], verdict=Verdict.ERROR)
    a_baseline(change, 5)
    seen = progress(window(), now=NOON)
    assert (seen.count, seen.left_out) == (5, {"delayed": 2, "errors": 2})
    assert len(samples_of(window(), now=NOON)) == 5


def test_a_wrong_answer_is_a_sample_that_is_not_ok(change):
    observe(change.path, [minutes(-1.3)], verdict=Verdict.FAILING, is_wrong=True)
    a_baseline(change, 1)
    assert [row.is_ok for row in samples_of(window(), now=NOON)] == [False, True]


def test_a_slow_answer_is_ok(change):
    observe(change.path, [minutes(-1.3)], verdict=Verdict.FAILING)
    a_baseline(change, 0)
    assert [row.is_ok for row in samples_of(window(), now=NOON)] == [True]


def test_database_calls_that_were_not_reported_are_none(change):
    observe(change.path, [minutes(-1.3)], db_calls=None)
    a_baseline(change, 0)
    assert samples_of(window(), now=NOON)[0].db_calls is None


def test_a_window_after_takes_the_first_and_one_before_the_newest(change):
    comparison = an_applied_change(change)
    observe(change.path, every_half_minute(minutes(2), 100))
    after = samples_of(window("after"), now=minutes(60))
    # Ten samples are longer than a minute: those are the warm-up.
    assert after[0].at == microseconds(minutes(7))
    assert len(after) == 60
    assert samples_of(window("before"), now=minutes(60))[-1].at == microseconds(minutes(-0.5))
    assert comparison.applied_at == minutes(2)


@pytest.mark.parametrize(
    ("seconds", "number", "dropped"), [(60, 0, 2), (60, 10, 10), (0, 0, 0), (300, 3, 10)]
)
def test_the_longer_warm_up_counts(seconds, number, dropped):
    change = a_change(warm_up_seconds=seconds, warm_up_samples=number)
    an_applied_change(change)
    observe(change.path, every_half_minute(minutes(2), 20))
    seen = progress(window("after"), now=minutes(12))
    assert seen.count == 20 - dropped == len(samples_of(window("after"), now=minutes(12)))
    assert seen.left_out == ({"warm_up": dropped} if dropped else {})


def test_nothing_after_the_end_of_its_time_is_taken():
    change = a_change(lasts=1)
    a_baseline(change, 5)
    observe(change.path, [minutes(59), minutes(61)])
    assert progress(window(), now=minutes(70)).count == 6


def test_progress_says_how_far_it_is_and_how_fast_it_goes(change):
    a_baseline(change, 30)
    seen = progress(window(), now=NOON)
    assert (seen.words, seen.is_full) == ("collecting, 30 of 60", False)
    assert (seen.per_hour, seen.newest_at) == (120, minutes(-0.5))


def test_progress_takes_few_queries(change, django_assert_max_num_queries):
    a_baseline(change, 30)
    loaded = Window.objects.select_related("comparison__change__path").get()
    with django_assert_max_num_queries(4):
        progress(loaded, now=NOON)


def test_what_hinders_it_is_said(change):
    a_baseline(change, 30)
    Probe.objects.update(observed_at=microseconds(NOON))
    assert progress(window(), now=NOON).trouble == ""
    assert "was not asked for some time" in progress(window(), now=minutes(5)).trouble
    change.path.paused_at = minutes(1)
    change.path.save()
    stand_up(change.service, now=minutes(1), location="default")
    seen = progress(window(), now=minutes(5))
    assert "is paused" in seen.trouble
    assert seen.per_hour is None


def test_samples_of_a_program_are_read_in_the_order_of_time():
    change = a_change(sampling="sent")
    open_baseline(change, by=CI, now=NOON)
    for at in reversed(before(3)):
        Sample.objects.create(window=window(), at=microseconds(at), latency=1000, cache=1)
    Sample.objects.create(window=window(), at=microseconds(NOON), latency=1, is_control=True)
    rows = samples_of(window(), now=NOON)
    assert [row.at for row in rows] == [microseconds(at) for at in before(3)]
    assert rows[0][1:] == (1000, "hit", True, None)
    assert progress(window(), now=NOON).count == 3


def test_the_stages_of_a_change(change):
    def stage() -> Stage:
        return stage_of(change, latest_of(change))

    assert stage() is Stage.DECLARED
    comparison = an_applied_change(change)
    assert stage() is Stage.COLLECTING
    give_up(comparison, "Enough.", by=CI, now=minutes(3))
    assert stage() is Stage.GIVEN_UP
    open_baseline(change, by=CI, now=minutes(4))
    assert stage() is Stage.BASELINE


def test_the_samples_of_windows_are_not_fetched_for_a_stage(change):
    an_applied_change(change)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        stage_of(change, latest_of(change))
    assert not [one for one in queries.captured_queries if '"content"' in one["sql"]]
