"""A baseline is opened, reaches back as far as it may, and is sealed before anything is changed."""

from datetime import timedelta
from hashlib import sha256

import pytest

from opsboard.changes.baselines import give_up, open_baseline, seal
from opsboard.changes.collecting import progress
from opsboard.changes.models import Burst, Change, Comparison, Sample, Window
from opsboard.changes.refusing import Refused
from opsboard.changes.sealing import beside_of
from opsboard.changes.stages import Stage, stage_of
from opsboard.changes.taking import samples_of
from opsboard.people.audit import Actor, Via
from opsboard.people.models import AuditEntry
from opsboard.probes.models import Probe, microseconds, stand_up
from opsboard.services.models import CriticalPath, Deploy, Running
from tests.changes.measuring import (
    CI,
    LONG_AGO,
    a_baseline,
    a_change,
    a_measured_path,
    a_sealed_baseline,
    before,
    every_half_minute,
    minutes,
    observe,
)
from tests.company import NOON, a_path
from tests.incidents.test_at_the_same_time import side_by_side

pytestmark = pytest.mark.django_db


@pytest.fixture
def change(db: None) -> Change:
    return a_change()


def the_window() -> Window:
    return Window.objects.get(side="before")


def beside(path: CriticalPath) -> CriticalPath:
    other = a_path(path.service)
    stand_up(path.service, now=LONG_AGO, location="default")
    return other


def test_it_reaches_back_and_may_be_full_at_once(change):
    comparison = a_baseline(change, 100)
    assert stage_of(change, comparison) is Stage.BASELINE
    seen = progress(the_window(), now=NOON)
    assert (seen.count, seen.of, seen.is_full) == (60, 60, True)
    # The newest of them.
    assert seen.since == before(60)[0]
    assert (comparison.number, comparison.began_at, comparison.began_as) == (1, NOON, CI.who)
    assert len(comparison.fingerprint) == 32


def test_it_does_not_reach_back_before_the_newest_deploy(change):
    Deploy.objects.create(environment=change.environment, name="9fceb02d", at=minutes(-10))
    a_baseline(change, 100)
    seen = progress(the_window(), now=NOON)
    assert (seen.count, seen.since) == (20, minutes(-10))


def test_it_does_not_reach_back_before_what_is_asked_was_edited(change):
    stand_up(change.service, now=minutes(-5), location="default")
    a_baseline(change, 100)
    assert progress(the_window(), now=NOON).count == 10


def test_it_does_not_reach_back_where_nobody_wrote_down_when_that_was(change):
    Probe.objects.update(ordered_at=None)
    a_baseline(change, 100)
    assert progress(the_window(), now=NOON).count == 0


def test_it_does_not_reach_back_before_the_configuration_was_this_one(change):
    Running.objects.create(
        environment=change.environment, commit="9fceb02d", commit_since=LONG_AGO,
        config_root="ab", root_since=minutes(-5), told_at=NOON,
    )  # fmt: skip
    a_baseline(change, 100)
    assert progress(the_window(), now=NOON).count == 10


def test_it_does_not_reach_back_over_seven_days(change):
    observe(change.path, every_half_minute(NOON - timedelta(days=8), 30))
    a_baseline(change, 30)
    assert progress(the_window(), now=NOON).count == 30
    assert the_window().starts_at == NOON - timedelta(days=7)


def test_for_a_burst_it_begins_when_it_is_opened():
    change = a_change(sampling="burst")
    a_baseline(change, 100)
    assert progress(the_window(), now=NOON).count == 0
    assert the_window().starts_at == NOON


def test_one_attempt_is_open_at_a_time(change):
    a_baseline(change)
    with pytest.raises(Refused, match="still open"):
        open_baseline(change, by=CI, now=minutes(1))


def test_the_next_attempt_has_the_next_number(change):
    give_up(a_baseline(change), "Wrong day.", by=CI, now=minutes(1))
    again = open_baseline(change, by=CI, now=minutes(2))
    assert again.number == 2
    assert change.comparisons.count() == 2


def test_what_nothing_asks_there_cannot_be_measured(change):
    Probe.objects.all().delete()
    with pytest.raises(Refused, match="is not asked in production"):
        open_baseline(change, by=CI, now=NOON)
    assert not Comparison.objects.exists()


@pytest.mark.parametrize("what", ["service", "path", "environment"])
def test_what_was_removed_cannot_be_measured(change, what):
    getattr(change, what).remove(by=None, now=NOON)
    with pytest.raises(Refused, match=f"The {what} .* was removed"):
        open_baseline(change, by=CI, now=NOON)


@pytest.mark.django_db(transaction=True)
def test_of_many_who_open_at_once_one_does(change):
    refused = []

    def open_it() -> None:
        try:
            open_baseline(change, by=CI, now=NOON)
        except Refused:
            refused.append(1)

    side_by_side([open_it] * 4)
    assert Comparison.objects.count() == Window.objects.count() == 1
    assert len(refused) == 3


# Sealing ---------------------------------------------------------------------------------------


def test_sealed_it_has_a_count_and_the_hash_of_its_text(change, editor):
    comparison = a_baseline(change, 80)
    person = Actor(editor, Via.PAGES)
    window = seal(comparison, by=person, now=minutes(1))
    window.refresh_from_db()
    assert (window.count, window.sealed_at, window.sealed_by) == (60, minutes(1), editor)
    assert window.sha256 == sha256(window.text.encode()).hexdigest()
    lines = window.text.splitlines()
    assert lines[0] == "side,i,latency_us,cache,ok,db_calls,at"
    assert len(lines) == 61
    side, i, latency, cache, ok, calls, at = lines[1].split(",")
    assert (side, i, cache, ok, calls) == ("before", "0", "hit", "1", "12")
    assert (int(latency) > 0, at) == (True, "2026-11-23T11:30:00.000000Z")
    entry = AuditEntry.objects.get(act="sealed a baseline")
    assert {"field": "SHA-256", "old": "", "new": window.sha256} in entry.changes


def test_what_was_sealed_is_read_again_as_it_was(change):
    comparison = a_baseline(change)
    rows = samples_of(the_window(), now=minutes(1))
    seal(comparison, by=None, now=minutes(1))
    observe(change.path, [minutes(0.5)], milliseconds=5_000)
    assert samples_of(the_window(), now=minutes(2)) == rows
    assert progress(the_window(), now=minutes(2)).count == 60


def test_a_person_may_seal_it_early_but_not_below_sixty():
    change = a_change(samples=200)
    comparison = a_baseline(change, 59)
    with pytest.raises(Refused, match="59 samples"):
        seal(comparison, by=CI, now=minutes(1))
    assert the_window().sealed_at is None
    observe(change.path, [minutes(0.5)])
    assert seal(comparison, by=CI, now=minutes(1)).count == 60


def test_it_is_sealed_once(change):
    comparison = a_sealed_baseline(change)
    with pytest.raises(Refused, match="was sealed at"):
        seal(comparison, by=CI, now=minutes(2))


@pytest.mark.django_db(transaction=True)
def test_of_many_who_seal_at_once_one_does(change):
    comparison, refused = a_baseline(change), []

    def seal_it() -> None:
        try:
            seal(comparison, by=CI, now=minutes(1))
        except Refused:
            refused.append(1)

    side_by_side([seal_it] * 4)
    assert len(refused) == 3
    assert AuditEntry.objects.filter(act="sealed a baseline").count() == 1


def test_it_is_not_sealed_when_something_else_is_asked_now(change):
    comparison = a_baseline(change)
    change.path.query = [["lang", "en"]]
    change.path.save()
    with pytest.raises(Refused, match="is not asked as it was"):
        seal(comparison, by=CI, now=minutes(1))


def test_an_edit_that_asks_the_same_is_no_hindrance(change):
    comparison = a_baseline(change)
    change.path.user_notices = "The price is late"
    change.path.save()
    stand_up(change.service, now=minutes(0.5), location="default")
    assert seal(comparison, by=CI, now=minutes(1)).count == 60


def test_the_control_path_and_guarded_ones_are_sealed_with_it():
    path = a_measured_path()
    control, guarded = beside(path), beside(path)
    change = a_change(path, control=control, guardrails=[f"path:{guarded.slug}"])
    observe(control, before(60), milliseconds=5)
    observe(guarded, before(30), milliseconds=7)
    comparison = a_baseline(change)
    kept = beside_of(seal(comparison, by=None, now=minutes(1)))
    assert kept.control is not None
    assert kept.control.count("\n") == 61
    assert kept.paths[guarded.slug].count("\n") == 31


def test_it_is_not_sealed_when_the_control_path_is_asked_otherwise():
    path = a_measured_path()
    control = beside(path)
    comparison = a_baseline(a_change(path, control=control))
    control.route = "/other"
    control.save()
    with pytest.raises(Refused, match="control path"):
        seal(comparison, by=CI, now=minutes(1))


def test_what_ran_is_written_down_with_it(change):
    Running.objects.create(
        environment=change.environment, commit="9fceb02d", commit_since=LONG_AGO,
        config_root="ab", root_since=LONG_AGO, told_at=NOON,
    )  # fmt: skip
    comparison = a_sealed_baseline(change)
    comparison.refresh_from_db()
    assert comparison.surroundings == {"commit": "9fceb02d", "config_root": "ab", "asked": {}}


def test_samples_that_were_sent_are_in_the_text_and_then_go():
    change = a_change(sampling="sent")
    comparison = open_baseline(change, by=CI, now=NOON)
    assert comparison.fingerprint == ""
    Sample.objects.bulk_create(
        Sample(window=the_window(), at=microseconds(at), latency=1000, cache=2, db_calls=None)
        for at in before(60)
    )
    window = seal(comparison, by=CI, now=minutes(1))
    assert window.text.splitlines()[1].startswith("before,0,1000,miss,1,,2026-11-23T11:30:00")
    assert not Sample.objects.exists()


# Giving up -------------------------------------------------------------------------------------


def test_given_up_it_says_why_and_asks_nothing_more():
    change = a_change(sampling="burst")
    comparison = open_baseline(change, by=CI, now=NOON)
    Burst.objects.create(window=the_window(), location="default", wanted=9, started_at=NOON)
    Sample.objects.create(window=the_window(), at=1, latency=1)
    give_up(comparison, "  The load\n is odd. ", by=CI, now=minutes(1))
    assert (comparison.given_up_at, comparison.given_up_because) == (minutes(1), "The load is odd.")
    assert Burst.objects.get().finished_at == minutes(1)
    assert not Sample.objects.exists()
    with pytest.raises(Refused, match="was given up"):
        give_up(comparison, "Again.", by=CI, now=minutes(2))
    with pytest.raises(Refused, match=r"was given up: The load is odd\. Repeat it"):
        seal(comparison, by=CI, now=minutes(2))


@pytest.mark.parametrize("because", ["", "  ", "x" * 301])
def test_giving_up_takes_a_reason(change, because):
    comparison = a_baseline(change)
    with pytest.raises(Refused, match="Say why"):
        give_up(comparison, because, by=CI, now=minutes(1))
