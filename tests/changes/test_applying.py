"""A change is applied once, after its baseline was sealed, and in time."""

from collections.abc import Callable

import pytest

from opsboard.changes.applying import Cleared, Told, mark_applied, record_clear
from opsboard.changes.baselines import give_up, seal
from opsboard.changes.collecting import progress
from opsboard.changes.models import Act, Comparison, Window
from opsboard.changes.refusing import Refused
from opsboard.changes.stages import Stage, stage_of
from opsboard.changes.taking import samples_of
from opsboard.services.models import Deploy
from tests.changes.measuring import (
    CI,
    a_baseline,
    a_change,
    a_sealed_baseline,
    an_applied_change,
    every_half_minute,
    minutes,
    observe,
)
from tests.incidents.test_at_the_same_time import side_by_side

pytestmark = pytest.mark.django_db


def test_it_is_applied_after_the_baseline_was_sealed_and_marks_the_charts():
    change = a_change()
    comparison = a_sealed_baseline(change)
    act = mark_applied(comparison, Told(command="make deploy", exit_code=0), by=CI, now=minutes(2))
    assert (act.kind, act.at, act.by_name, act.exit_code) == ("applied", minutes(2), CI.who, 0)
    assert comparison.applied_at == minutes(2)
    deploy = Deploy.objects.get()
    assert (deploy.kind, deploy.name, deploy.at) == ("change", str(change), minutes(2))
    assert deploy.url == f"/changes/{change.pk}"
    after = comparison.windows.get(side="after")
    assert after.starts_at == minutes(3)
    assert stage_of(change, comparison) is Stage.COLLECTING


def test_the_warm_up_is_left_out_by_time_or_by_number():
    change = a_change(warm_up_seconds=60, warm_up_samples=5)
    comparison = an_applied_change(change)
    observe(change.path, every_half_minute(minutes(2.1), 20))
    window = comparison.windows.get(side="after")
    seen = progress(window, now=minutes(12))
    assert (seen.count, seen.left_out) == (15, {"warm_up": 5})
    assert len(samples_of(window, now=minutes(12))) == 15


def test_it_is_not_applied_before_sealing():
    comparison = a_baseline(a_change())
    with pytest.raises(Refused, match="not sealed"):
        mark_applied(comparison, Told(), by=CI, now=minutes(2))


def test_it_is_applied_once():
    comparison = an_applied_change(a_change())
    with pytest.raises(Refused, match="marked as applied at"):
        mark_applied(comparison, Told(), by=CI, now=minutes(3))
    assert Deploy.objects.count() == 1
    assert Window.objects.filter(side="after").count() == 1


def test_a_clear_after_it_begins_the_warm_up_anew():
    comparison = an_applied_change(a_change())
    cleared = Cleared(what="prefix", pattern="fares:", count=12)
    act = record_clear(comparison, cleared, by=CI, now=minutes(4))
    assert (act.what, act.pattern, act.count) == ("prefix", "fares:", 12)
    assert comparison.windows.get(side="after").starts_at == minutes(5)
    assert Act.objects.count() == 2
    assert Comparison.objects.get().applied_at == minutes(2)


def test_a_clear_before_it_was_applied_is_one_too():
    comparison = a_sealed_baseline(a_change())
    record_clear(comparison, Cleared(what="everything"), by=CI, now=minutes(1.5))
    mark_applied(comparison, Told(), by=CI, now=minutes(2))
    assert comparison.windows.get(side="after").starts_at == minutes(3)


def test_a_clear_that_is_told_late_does_not_shorten_the_warm_up():
    comparison = an_applied_change(a_change())
    record_clear(comparison, Cleared(what="key", pattern="f"), by=CI, now=minutes(4))
    told = Cleared(what="key", pattern="f", at=minutes(2.5))
    record_clear(comparison, told, by=CI, now=minutes(5))
    assert comparison.windows.get(side="after").starts_at == minutes(5)


def test_nothing_is_cleared_before_sealing():
    comparison = a_baseline(a_change())
    with pytest.raises(Refused, match="not sealed"):
        record_clear(comparison, Cleared(what="everything"), by=CI, now=minutes(2))


@pytest.mark.parametrize(
    ("at", "words"),
    [(minutes(0.5), "was sealed at"), (minutes(20), "in the future")],
)
def test_it_was_done_after_sealing_and_not_in_the_future(at, words):
    comparison = a_sealed_baseline(a_change())
    with pytest.raises(Refused, match=words):
        mark_applied(comparison, Told(at=at), by=CI, now=minutes(10))
    with pytest.raises(Refused, match=words):
        record_clear(comparison, Cleared(what="everything", at=at), by=CI, now=minutes(10))
    assert not Act.objects.exists()


def test_a_minute_that_is_typed_by_hand_may_be_the_one_of_sealing():
    comparison = a_baseline(a_change())
    sealed_at = seal(comparison, by=CI, now=minutes(1.7)).sealed_at
    with pytest.raises(Refused, match="was sealed at"):
        mark_applied(comparison, Told(at=minutes(1.5)), by=CI, now=minutes(3))
    cleared = Cleared(what="everything", at=minutes(1))
    assert record_clear(comparison, cleared, by=CI, now=minutes(3)).at == sealed_at
    assert mark_applied(comparison, Told(at=minutes(1)), by=CI, now=minutes(3)).at == sealed_at


def test_a_clock_that_is_a_little_ahead_is_taken_for_ours():
    comparison = a_sealed_baseline(a_change())
    assert mark_applied(comparison, Told(at=minutes(12)), by=CI, now=minutes(10)).at == minutes(10)


def test_it_may_be_told_later_and_counts_from_when_it_was():
    comparison = a_sealed_baseline(a_change(lasts=1))
    mark_applied(comparison, Told(at=minutes(5)), by=CI, now=minutes(500))
    after = comparison.windows.get(side="after")
    assert (after.starts_at, after.closes_at) == (minutes(6), minutes(560))


@pytest.mark.parametrize(("days", "can"), [(6.9, True), (7.1, False)])
def test_a_baseline_is_no_use_after_seven_days(days, can):
    comparison = a_sealed_baseline(a_change())
    now = minutes(days * 24 * 60)
    if can:
        mark_applied(comparison, Told(), by=CI, now=now)
        return
    with pytest.raises(Refused, match="older than 7 days"):
        mark_applied(comparison, Told(), by=CI, now=now)
    assert not Deploy.objects.exists()


def test_it_is_not_applied_when_something_else_is_asked_now():
    change = a_change()
    comparison = a_sealed_baseline(change)
    change.path.method = "HEAD"
    change.path.save()
    with pytest.raises(Refused, match="is not asked as it was"):
        mark_applied(comparison, Told(), by=CI, now=minutes(2))


def test_what_was_given_up_goes_no_further():
    comparison = a_sealed_baseline(a_change())
    give_up(comparison, "Wrong day.", by=CI, now=minutes(2))
    with pytest.raises(Refused, match="was given up"):
        mark_applied(comparison, Told(), by=CI, now=minutes(3))


@pytest.mark.parametrize(
    "told",
    [
        {"command": "x" * 10_001}, {"command": "a\0b"}, {"remark": "x" * 301},
        {"remark": "two\nlines"}, {"exit_code": 40_000},
    ],
)  # fmt: skip
def test_what_is_told_is_bounded(told):
    comparison = a_sealed_baseline(a_change())
    with pytest.raises(Refused):
        mark_applied(comparison, Told(**told), by=CI, now=minutes(2))
    with pytest.raises(Refused):
        record_clear(comparison, Cleared(what="everything", **told), by=CI, now=minutes(2))


@pytest.mark.parametrize(
    "cleared",
    [
        {"what": "luck"}, {"what": "key"}, {"what": "prefix", "pattern": " "},
        {"what": "key", "pattern": "x" * 501}, {"what": "key", "pattern": "a\nb"},
        {"what": "everything", "count": -1}, {"what": "everything", "count": 1 << 31},
    ],
)  # fmt: skip
def test_a_clear_says_what_was_cleared(cleared):
    comparison = a_sealed_baseline(a_change())
    with pytest.raises(Refused):
        record_clear(comparison, Cleared(**cleared), by=CI, now=minutes(2))
    assert not Act.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_many_who_apply_at_once_one_does():
    comparison, refused = a_sealed_baseline(a_change()), []

    def apply_it() -> None:
        try:
            mark_applied(comparison, Told(), by=CI, now=minutes(2))
        except Refused:
            refused.append(1)

    side_by_side([apply_it] * 4)
    assert len(refused) == 3
    assert Deploy.objects.count() == Window.objects.filter(side="after").count() == 1


@pytest.mark.django_db(transaction=True)
def test_applied_beside_given_up_it_is_one_of_both():
    comparison, refused = a_sealed_baseline(a_change()), []

    def trying(work) -> Callable[[], None]:
        def run() -> None:
            try:
                work()
            except Refused:
                refused.append(1)

        return run

    side_by_side(
        [
            trying(lambda: mark_applied(comparison, Told(), by=CI, now=minutes(2))),
            trying(lambda: give_up(Comparison.objects.get(), "Wrong day.", by=CI, now=minutes(2))),
        ]
    )
    found = Comparison.objects.get()
    # Given up after it was applied, or never applied.
    assert found.given_up_at
    assert bool(found.applied_at) is not bool(refused)
