"""What else became different between the windows is named, and the change itself is not."""

import pytest

from opsboard.changes.applying import Told, mark_applied
from opsboard.changes.differences import Above, Difference, found
from opsboard.changes.judging import advance
from opsboard.changes.models import Change, Comparison
from opsboard.releases.beside_changes import ABOVE
from opsboard.releases.models import ConfigReport, Release
from opsboard.services.models import Deploy, Running
from tests.changes.measuring import (
    CI,
    LONG_AGO,
    a_change,
    a_sealed_baseline,
    an_applied_change,
    every_half_minute,
    minutes,
    observe,
)
from tests.company import a_service
from tests.releases.going_out import COMMIT, OTHER, a_release

pytestmark = pytest.mark.django_db

SHORT = COMMIT[:12]


def runs(change: Change, root: str, *, since: float, unknown_until: float | None = None) -> None:
    row = {
        "commit": COMMIT,
        "commit_since": LONG_AGO if unknown_until is None else minutes(unknown_until),
        "config_root": root,
        "root_since": minutes(since),
        "told_at": minutes(60),
    }
    Running.objects.update_or_create(environment=change.environment, defaults=row)


def measured(change: Change) -> Comparison:
    """Applied at two minutes past NOON, closed at forty."""
    comparison = an_applied_change(change)
    observe(change.path, every_half_minute(minutes(2), 80))
    return comparison


def deployed(change: Change, minute: float, name: str, kind: str = "seen") -> None:
    Deploy.objects.create(environment=change.environment, kind=kind, name=name, at=minutes(minute))


def differences(above: Above = ABOVE) -> dict[str, str]:
    judged = {"verdict": "improved", "reason": "", "n": [60, 60], "changed": ["query"]}
    advance(now=minutes(40), compute=lambda *_, **__: judged)
    comparison = Comparison.objects.get()
    assert comparison.judged_at
    return {one.variable: one.sentence for one in found(comparison, above=above)}


def variables() -> list[str]:
    return list(differences())


def test_nothing_else_is_no_difference():
    measured(a_change())
    assert differences() == {}


def test_applied_at_the_moment_of_sealing_it_is_not_another_one():
    change = a_change()
    comparison = a_sealed_baseline(change)
    mark_applied(comparison, Told(at=minutes(1)), by=CI, now=minutes(2))
    observe(change.path, every_half_minute(minutes(1), 80))
    assert differences() == {}


def test_another_release_is_one_and_is_named():
    change = a_change()
    measured(change)
    deployed(change, 10, "2026.11.5", "release")
    assert differences() == {
        "release 2026.11.5": "The release 2026.11.5 went out there, at 2026-11-23 12:10 UTC."
    }


def test_another_commit_is_one():
    change = a_change(commit=OTHER)
    measured(change)
    deployed(change, 3, COMMIT)
    assert variables() == [f"deploy {SHORT}"]


def test_another_change_is_one():
    change = a_change()
    measured(change)
    deployed(change, 10, "CHG-9999", "change")
    assert variables() == ["CHG-9999"]


def rolled_back(release: Release, minute: float) -> None:
    release.decisions.create(kind="rolled back", environment_slug="production", at=minutes(minute))


@pytest.mark.parametrize("minute", [-10, 20])
def test_a_rollback_in_between_is_one(minute):
    change = a_change(version="2026.11.4")
    measured(change)
    rolled_back(a_release(change.service), minute)
    (name,) = variables()
    assert name == "rollback of 2026.11.4"


def test_after_a_rollback_the_release_that_went_out_again_is_the_one_that_is_named():
    change = a_change(version="2026.11.4")
    measured(change)
    rolled_back(a_release(change.service), 20)
    deployed(change, 20, "2026.11.3", "release")
    assert variables() == ["release 2026.11.3"]


def test_a_rollback_of_another_service_or_of_another_time_is_none():
    change = a_change()
    measured(change)
    rolled_back(a_release(a_service()), 20)
    rolled_back(a_release(change.service), -60)
    assert variables() == []


@pytest.mark.parametrize("minute", [-29.9, -10, 0.5, 1.5, 39])
def test_from_the_first_sample_to_the_last(minute):
    change = a_change(commit=OTHER)
    measured(change)
    deployed(change, minute, "2026.11.5", "release")
    assert variables() == ["release 2026.11.5"]


@pytest.mark.parametrize("minute", [-31, 41])
def test_what_lies_outside_is_none(minute):
    change = a_change()
    measured(change)
    deployed(change, minute, "2026.11.5", "release")
    assert variables() == []


# What the change itself is -----------------------------------------------------------------------


@pytest.mark.parametrize("declared", [COMMIT, COMMIT[:7]])
@pytest.mark.parametrize("seen", [COMMIT, COMMIT[:10]])
def test_its_own_commit_is_none_in_a_short_form_or_a_long_one(declared, seen):
    change = a_change(commit=declared)
    measured(change)
    deployed(change, 30, seen)
    assert variables() == []


@pytest.mark.parametrize(
    ("name", "kind", "found"),
    [(COMMIT, "seen", f"deploy {SHORT}"), ("2026.11.4", "release", "release 2026.11.4")],
)
def test_its_own_version_is_one_when_it_went_out_before_the_baseline_was_sealed(name, kind, found):
    change = a_change(commit=COMMIT, version="2026.11.4")
    measured(change)
    deployed(change, -5, name, kind)
    deployed(change, 3, COMMIT)
    assert variables() == [found]


def test_its_own_version_is_none_nor_the_commit_of_that():
    change = a_change(version="2026.11.4")
    a_release(change.service)
    measured(change)
    deployed(change, 2, "2026.11.4", "release")
    deployed(change, 3, COMMIT)
    assert variables() == []


def test_a_release_of_its_own_commit_is_none():
    change = a_change(commit=COMMIT)
    a_release(change.service)
    measured(change)
    deployed(change, 2, "2026.11.4", "release")
    assert variables() == []
    # Who knows nothing of releases cannot tell.
    assert [one.variable for one in found(Comparison.objects.get())] == ["release 2026.11.4"]


def test_another_release_and_its_commit_are_one():
    change = a_change(commit=OTHER)
    a_release(change.service)
    measured(change)
    deployed(change, 20, "2026.11.4", "release")
    deployed(change, 21, COMMIT)
    assert variables() == ["release 2026.11.4"]


@pytest.mark.parametrize(
    ("minute", "is_own"), [(0.5, False), (1.5, True), (3, True), (12, True), (20, False)]
)
def test_without_a_declared_commit_the_first_one_seen_when_it_was_applied_is_it(minute, is_own):
    change = a_change()
    measured(change)
    deployed(change, minute, COMMIT)
    assert variables() == ([] if is_own else [f"deploy {SHORT}"])


def test_with_a_version_that_nobody_released_no_commit_is_taken_for_it():
    change = a_change(version="2026.11.4")
    measured(change)
    deployed(change, 3, COMMIT)
    assert variables() == [f"deploy {SHORT}"]


def test_and_a_second_one_is_another():
    change = a_change()
    measured(change)
    deployed(change, 3, COMMIT)
    deployed(change, 5, OTHER)
    assert variables() == [f"deploy {OTHER[:12]}"]


@pytest.mark.parametrize(("minute", "is_part_of_it"), [(1.5, True), (2.5, True), (20, False)])
def test_the_old_version_still_answers_while_it_is_rolled_out(minute, is_part_of_it):
    change = a_change(commit=COMMIT)
    deployed(change, -60, OTHER)
    measured(change)
    deployed(change, 1.2, COMMIT)
    deployed(change, minute, OTHER)
    deployed(change, minute + 0.5, COMMIT)
    assert variables() == ([] if is_part_of_it else [f"deploy {OTHER[:12]}"])


# Configuration -----------------------------------------------------------------------------------


def test_a_configuration_that_moved_is_one():
    change = a_change()
    runs(change, "aa", since=-100)
    measured(change)
    runs(change, "bb", since=20)
    assert differences() == {
        "configuration": "The configuration became another one at 2026-11-23 12:20 UTC."
    }


def test_one_that_moved_before_the_baseline_was_sealed_is_one():
    change = a_change()
    runs(change, "aa", since=-100)
    measured(change)
    runs(change, "aa", since=0.5, unknown_until=0.5)
    assert variables() == ["configuration"]


@pytest.mark.parametrize("minute", [-60, 41])
def test_a_configuration_that_moved_outside_is_none(minute):
    change = a_change()
    measured(change)
    runs(change, "bb", since=minute)
    assert variables() == []


def test_one_that_was_not_told_for_a_while_and_is_what_it_was_is_none():
    change = a_change()
    runs(change, "aa", since=-100)
    measured(change)
    runs(change, "aa", since=20, unknown_until=20)
    assert variables() == []


def test_one_that_moved_away_and_back_is_one():
    change = a_change()
    runs(change, "aa", since=-100)
    measured(change)
    runs(change, "aa", since=20)
    assert differences() == {
        "configuration": "The configuration was another one, until 2026-11-23 12:20 UTC."
    }


@pytest.mark.parametrize(("minute", "is_own"), [(0.5, False), (1.5, True), (3, True), (20, False)])
def test_a_change_of_the_configuration_moves_it_once(minute, is_own):
    change = a_change(variables=["config"])
    runs(change, "aa", since=-100)
    measured(change)
    runs(change, "bb", since=minute)
    assert variables() == ([] if is_own else ["configuration"])


def reported(change: Change, minute: float, root: str, made_with: str = "key") -> None:
    ConfigReport.objects.create(
        environment=change.environment, root=root, at=minutes(minute), made_with=made_with
    )


def test_another_configuration_that_was_reported_is_one():
    change = a_change()
    measured(change)
    reported(change, -60, "aa")
    reported(change, 20, "bb")
    assert variables() == ["configuration"]


def test_one_made_with_another_key_says_nothing():
    change = a_change()
    measured(change)
    reported(change, -60, "aa")
    reported(change, 20, "bb", "another key")
    assert variables() == []


def test_a_change_of_the_configuration_is_reported_once():
    change = a_change(variables=["config"])
    measured(change)
    reported(change, -60, "aa")
    reported(change, 20, "bb")
    assert variables() == []
    reported(change, 30, "cc")
    assert [one.variable for one in found(Comparison.objects.get(), above=ABOVE)] == [
        "configuration"
    ]


def test_what_rooms_above_saw_is_given_to_the_rules_and_told_with_the_verdict():
    change = a_change()
    measured(change)
    asked = []

    def compute(question, *, is_stopping):
        asked.append(question)
        return {"verdict": "confounded", "reason": "changed_variables=2", "n": [60, 60],
                "changed": question["settings"]["changed"]}  # fmt: skip

    more = Difference("replicas", "Three replicas became five.")
    advance(now=minutes(40), compute=compute, differences=Above(also=lambda _: [more]))
    assert asked[0]["settings"]["changed"] == ["query", "replicas"]
    assert Comparison.objects.get().result["notes"] == ["Three replicas became five."]
