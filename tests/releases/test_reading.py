"""Readiness read from the database: in a few queries, and the same as the rules say."""

from datetime import time, timedelta

import pytest
from django.test import override_settings

from opsboard.probes.models import Kind, Observation, Probe, StateChange, microseconds, stand_up
from opsboard.probes.rules import State, Verdict
from opsboard.releases.models import (
    Evidence,
    Freeze,
    GateChoice,
    Hold,
    Override,
    OverrideAct,
    Release,
)
from opsboard.releases.reading import read_readiness, readiness_of
from opsboard.releases.rules import Whole, Word
from opsboard.rollbacks.models import NoteVersion, Rehearsal, RollbackNote
from opsboard.rollbacks.rules import steps_digest
from opsboard.services.models import CriticalPath, Rota, Running, Service, Team
from tests.company import NOON, a_service

pytestmark = pytest.mark.django_db
COMMIT = "9f3c1ab" + "0" * 33
MINUTE = timedelta(minutes=1)
STEPS = [{"do": "Go back", "run": "deploy {{ previous_version }}", "see": "", "call": ""}]


def a_release(service: Service | None = None, **fields: object) -> Release:
    service = service or a_service()
    values = {"version": "2026.11.4", "commit": COMMIT, "named_at": NOON, "tag": "v4"}
    return Release.objects.create(service=service, **(values | fields))


def given(release: Release, gate: str, outcome: str = "passed", *, at=NOON, **fields) -> Evidence:
    values = {
        "commit": release.commit, "started_at": at, "finished_at": at, "received_at": at,
        "environment_slug": "staging" if gate in ("integration", "config") else "",
        "counts": {"collected": 2, "passed": 2, "failed": 0, "skipped": 0},
    }  # fmt: skip
    return Evidence.objects.create(release=release, gate=gate, outcome=outcome, **(values | fields))


def staging(service: Service, commit: str = COMMIT, *, since=NOON - 60 * MINUTE):
    place = service.environments.create(slug="staging", base_url="http://127.0.0.1:9")
    Running.objects.create(
        environment=place, commit=commit, commit_since=since, told_at=NOON, config_root="r1"
    )
    return place


def green_path(service: Service, name: str = "price") -> Probe:
    """Asked on staging, and passing for 20 minutes."""
    path = service.paths.create(slug=name, name=name, route="/", expected_result="status == 200")
    stand_up(service, now=NOON - 40 * MINUTE, location="default")
    probe = Probe.objects.get(path=path, environment__slug="staging")
    since = microseconds(NOON - 20 * MINUTE)
    StateChange.objects.create(probe=probe, at=since, before="no_data", after="passing")
    Probe.objects.filter(pk=probe.pk).update(
        state=State.PASSING, state_since=since, observed_at=microseconds(NOON)
    )
    return probe


def a_note(service: Service, *, checked_at=NOON - timedelta(days=1)) -> NoteVersion:
    note = RollbackNote.objects.create(service=service)
    return note.versions.create(
        number=1, title="Go back", steps=STEPS, written_at=NOON, checked_at=checked_at
    )


def a_rehearsal(version: NoteVersion, **fields: object) -> Rehearsal:
    values = {
        "environment_slug": "staging", "steps_digest": steps_digest(STEPS), "seconds": 300,
        "at": NOON - timedelta(days=1), "worked": True, "outcomes": [{"outcome": "worked"}],
    }  # fmt: skip
    return Rehearsal.objects.create(version=version, **(values | fields))


def a_ready_release() -> Release:
    release = a_release()
    staging(release.service)
    green_path(release.service)
    a_rehearsal(a_note(release.service))
    for gate in ("lint", "unit", "integration"):
        given(release, gate)
    given(release, "tag", facts={"tag": "v4", "object": COMMIT})
    return release


def words(release: Release, *, now=NOON) -> dict[str, str]:
    return {one.gate: str(one.word) for one in readiness_of(release, now=now).gates}


def reason(release: Release, gate: str, *, now=NOON) -> str:
    return next(one.reason for one in readiness_of(release, now=now).gates if one.gate == gate)


def test_a_release_is_ready_by_its_evidence():
    found = readiness_of(a_ready_release(), now=NOON)
    assert {one.gate: one.reason for one in found.reasons} == {}
    assert found.whole is Whole.READY
    assert found.met == len(found.required) == 7


def test_a_release_of_which_nothing_is_known_is_not_ready():
    found = readiness_of(a_release(), now=NOON)
    assert found.whole is Whole.BLOCKED
    assert {one.gate: str(one.word) for one in found.required} == {
        "lint": "no evidence",
        "unit": "no evidence",
        "integration": "no evidence",
        "tag": "no evidence",
        "note": "not met",
    }
    assert [one.gate for one in found.gates if one.need == "absent"] == ["config", "paths"]


# Queries ----------------------------------------------------------------------------------------


def much_evidence(release: Release, rows: int) -> None:
    """Of every gate many runs, older than those it was given already."""
    Evidence.objects.bulk_create(
        Evidence(
            release=release,
            gate=("lint", "unit", "integration", "load-test")[number % 4],
            outcome="failed",
            commit=release.commit,
            started_at=NOON - number * MINUTE,
            received_at=NOON,
            log_tail="x" * 4_000,
        )
        for number in range(1, rows + 1)
    )


def test_one_release_with_much_evidence_takes_3_queries(django_assert_max_num_queries):
    release = a_ready_release()
    much_evidence(release, 200)
    GateChoice.objects.create(service=release.service, gate="load-test", words="L", need="advisory")
    asked = Override.objects.create(
        release=release, gates=["unit"], reason="", asked_at=NOON, ends_at=NOON + MINUTE,
        needs_second=True,
    )  # fmt: skip
    OverrideAct.objects.create(override=asked, act="accepted", at=NOON)
    Hold.objects.create(service=release.service, reason="Wait", at=NOON)
    # Just deployed: the first observation since then is looked for as well.
    Running.objects.update(commit_since=NOON - MINUTE)
    with django_assert_max_num_queries(3):
        found = readiness_of(release, now=NOON)
    assert found.whole is Whole.FROZEN


def test_as_many_queries_for_many_releases(django_assert_max_num_queries):
    releases = [a_ready_release() for _ in range(3)]
    releases += [a_release(one.service, version=f"2026.12.{one.pk}") for one in releases]
    ids = [one.pk for one in releases]
    plain = list(Release.objects.filter(pk__in=ids))
    with django_assert_max_num_queries(3):
        found = read_readiness(plain, now=NOON)
    wholes = [str(found[pk].whole) for pk in ids]
    assert wholes == ["ready"] * 3 + ["incomplete"] * 3


def test_a_team_that_wants_its_owner_on_duty_takes_two_more(django_assert_max_num_queries):
    release = a_ready_release()
    GateChoice.objects.create(team=release.service.team, gate="owner", need="required")
    with django_assert_max_num_queries(5):
        assert words(release)["owner"] == "no evidence"


def test_no_release_takes_no_query(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert read_readiness([], now=NOON) == {}


# What is read -----------------------------------------------------------------------------------


def test_the_newest_evidence_is_read_and_what_is_not_needed_is_left():
    release = a_ready_release()
    given(release, "unit", "failed", at=NOON - MINUTE, tool="pytest", url="https://ci.example/1")
    assert words(release)["unit"] == "met"
    row = given(release, "unit", "failed", tool="pytest", exit_code=1)
    state = next(one for one in readiness_of(release, now=NOON).gates if one.gate == "unit")
    assert (state.word, state.evidence_id, state.source) == (Word.NOT_MET, row.pk, "pytest")


def test_evidence_of_another_release_is_not_taken():
    release = a_ready_release()
    other = a_release(release.service, version="2026.11.5")
    given(other, "lint", "failed")
    assert words(release)["lint"] == "met"


def test_a_tag_that_was_moved_is_read_from_the_reports_before():
    release = a_ready_release()
    given(release, "tag", at=NOON + MINUTE, facts={"tag": "v4", "object": "b" * 40})
    assert words(release)["tag"] == "out of date"


def a_look(probe: Probe, minutes: float, verdict: Verdict = Verdict.PASSING) -> None:
    facts = dict.fromkeys(
        ("total", "dns", "connect", "tls", "first_byte", "transfer", "lateness", "size", "cache"), 0
    )
    Observation.objects.create(
        probe=probe, slot_at=microseconds(NOON + minutes * MINUTE), kind=Kind.SCHEDULED,
        verdict=verdict, is_wrong=False, is_delayed=False, status=200, **facts,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("looks", "now", "expected"),
    [
        # Nothing yet since the commit began to run, 12 minutes before noon.
        ([-13], 0, "has not been observed on this commit yet"),
        ([-13, -11.5], 0, ""),
        ([-13, -5], 0, "passed on staging since 11:55; 10 min are needed"),
    ],
)
def test_what_was_observed_before_the_commit_ran_does_not_count(looks, now, expected):
    release = a_release()
    staging(release.service, since=NOON - 12 * MINUTE)
    probe = green_path(release.service)
    # So rarely that the commit may have begun to run between two observations.
    Probe.objects.filter(pk=probe.pk).update(interval=600_000_000)
    CriticalPath.objects.filter(pk=probe.path_id).update(interval=600_000_000)
    for minutes in looks:
        a_look(probe, minutes)
    state = next(one for one in readiness_of(release, now=NOON).gates if one.gate == "paths")
    assert (state.word == Word.MET) is (expected == "")
    assert expected in state.reason


def test_an_error_of_our_own_is_no_observation():
    release = a_release()
    staging(release.service, since=NOON - 5 * MINUTE)
    a_look(green_path(release.service), -4, Verdict.ERROR)
    assert "not been observed on this commit" in reason(release, "paths")


def test_a_warning_between_does_not_end_the_green_time():
    release = a_release()
    staging(release.service)
    probe = green_path(release.service)
    since = microseconds(NOON - 2 * MINUTE)
    StateChange.objects.create(probe=probe, at=since, before="passing", after="warning")
    Probe.objects.filter(pk=probe.pk).update(state=State.WARNING, state_since=since)
    assert "since 11:40, on this commit. With a warning: price." in reason(release, "paths")


def test_a_silence_between_begins_the_green_time_anew():
    release = a_release()
    staging(release.service)
    probe = green_path(release.service)
    for minutes, before, after in ((5, "passing", "no_data"), (3, "no_data", "passing")):
        at = microseconds(NOON - minutes * MINUTE)
        StateChange.objects.create(probe=probe, at=at, before=before, after=after)
        Probe.objects.filter(pk=probe.pk).update(state=after, state_since=at)
    assert "since 11:57; 10 min are needed" in reason(release, "paths")


def test_a_path_that_is_paused_is_not_green_and_one_that_was_removed_is_gone():
    release = a_release()
    staging(release.service)
    green_path(release.service)
    path = green_path(release.service, "hold").path
    path.paused_at = NOON
    path.save()
    stand_up(release.service, now=NOON, location="default")
    assert reason(release, "paths") == "hold is paused on staging: resume it."
    path.environments.set([release.service.environments.get(slug="production")])
    stand_up(release.service, now=NOON, location="default")
    assert words(release)["paths"] == "met"
    path.environments.clear()
    path.remove(by=None, now=NOON)
    stand_up(release.service, now=NOON, location="default")
    assert words(release)["paths"] == "met"


def test_staging_that_was_removed_is_no_staging():
    release = a_ready_release()
    release.service.environments.get(slug="staging").remove(by=None, now=NOON)
    found = readiness_of(release, now=NOON)
    assert [one.gate for one in found.gates if one.need == "absent"] == ["config", "paths"]


@pytest.mark.parametrize(("route", "expected"), [("", "met"), ("GET /version", "no evidence")])
def test_what_was_announced_is_known_while_no_version_address_tells(route, expected):
    release = a_ready_release()
    Running.objects.update(is_announced=True, told_at=NOON - timedelta(days=3))
    release.service.environments.filter(slug="staging").update(version_route=route)
    assert words(release)["paths"] == expected


def test_what_a_version_address_told_grows_old_where_the_address_was_taken_away():
    release = a_ready_release()
    Running.objects.update(told_at=NOON - timedelta(minutes=6))
    assert words(release)["integration"] == "no evidence"


def test_the_services_choice_beats_its_teams():
    release = a_ready_release()
    team = release.service.team
    GateChoice.objects.create(team=team, gate="load-test", words="Load test", need="required")
    GateChoice.objects.create(team=team, gate="lint", need="dropped")
    other = Team.objects.create(slug="other", name="Other")
    GateChoice.objects.create(team=other, gate="unit", need="dropped")
    assert words(release)["load-test"] == "no evidence"
    assert "lint" not in words(release)
    GateChoice.objects.create(service=release.service, gate="load-test", need="advisory")
    GateChoice.objects.create(service=release.service, gate="lint", need="required")
    state = next(one for one in readiness_of(release, now=NOON).gates if one.gate == "load-test")
    assert (state.name, state.need) == ("Load test", "advisory")
    assert words(release)["lint"] == "met"


def test_keys_make_the_config_check_required():
    release = a_ready_release()
    release.service.config_keys.create(name="DEBUG")
    assert words(release)["config"] == "no evidence"
    given(release, "config", facts={"root": "r1"}, counts={})
    assert words(release)["config"] == "met"
    Running.objects.update(config_root="r2")
    assert words(release)["config"] == "out of date"


def test_the_newest_version_of_the_services_own_note_counts():
    release = a_ready_release()
    note = RollbackNote.objects.get(service=release.service)
    path = release.service.paths.get()
    of_path = RollbackNote.objects.create(service=release.service, path=path)
    of_path.versions.create(number=1, title="Restart it", steps=[], written_at=NOON)
    assert words(release)["note"] == "met"
    note.versions.create(number=2, title="Go back", steps=[], written_at=NOON)
    assert words(release)["note"] == "no evidence"
    assert words(release)["rehearsal"] == "out of date"


def test_a_note_without_a_version_is_no_note():
    release = a_release()
    RollbackNote.objects.create(service=release.service)
    assert words(release)["note"] == "not met"


@pytest.mark.parametrize(
    ("fields", "is_frozen"),
    [
        ({}, True),
        ({"environment_slug": "production"}, True),
        ({"environment_slug": "staging"}, False),
        ({"starts_at": NOON + MINUTE / 2}, False),
        ({"ends_at": NOON}, False),
        ({"removed_at": NOON}, False),
    ],
)
@pytest.mark.parametrize("whose", ["all", "team", "service", "other team", "other service"])
def test_a_freeze_holds_what_it_names(fields, is_frozen, whose):
    release = a_ready_release()
    other = Team.objects.create(slug="other", name="Other")
    named = {
        "all": {},
        "team": {"team": release.service.team},
        "service": {"service": release.service},
        "other team": {"team": other},
        "other service": {"service": a_service()},
    }[whose]
    values = {
        "starts_at": NOON - MINUTE, "ends_at": NOON + MINUTE, "planned_at": NOON, "reason": "Peak",
    }  # fmt: skip
    Freeze.objects.create(**(values | fields | named))
    found = readiness_of(release, now=NOON)
    is_theirs = is_frozen and "other" not in whose
    assert found.whole is (Whole.FROZEN if is_theirs else Whole.READY)


def test_an_open_hold_stops_and_says_who_and_why(editor):
    release = a_ready_release()
    hold = Hold.objects.create(service=release.service, reason="Wait", at=NOON, by=editor)
    stop = readiness_of(release, now=NOON).stops[0]
    assert (stop.kind, stop.reason, stop.by, stop.until) == ("hold", "Wait", "Edith Moe", None)
    hold.ended_at = NOON
    hold.save()
    assert readiness_of(release, now=NOON).is_ready


def test_an_override_waits_for_its_second_person(editor, administrator):
    release = a_ready_release()
    given(release, "lint", "failed", at=NOON + MINUTE)
    asked = Override.objects.create(
        release=release, gates=["lint"], reason="Known", asked_by=editor, asked_at=NOON,
        ends_at=NOON + 60 * MINUTE, needs_second=True,
    )  # fmt: skip
    assert readiness_of(release, now=NOON).whole is Whole.BLOCKED
    act = {"override": asked, "at": NOON}
    OverrideAct.objects.create(**act, act="accepted", by=administrator)
    found = readiness_of(release, now=NOON)
    override = found.reasons[0].override
    assert found.whole is Whole.OVERRIDDEN
    assert override
    assert (override.by, override.accepted_by) == ("Edith Moe", "Layla Haddad")
    OverrideAct.objects.create(**act, act="taken back", by=editor)
    assert readiness_of(release, now=NOON).whole is Whole.BLOCKED


def test_somebody_who_has_gone_accepted_it_all_the_same(administrator):
    release = a_ready_release()
    given(release, "lint", "failed", at=NOON + MINUTE)
    asked = Override.objects.create(
        release=release, gates=["lint"], reason="Known", asked_at=NOON,
        ends_at=NOON + 60 * MINUTE, needs_second=True,
    )  # fmt: skip
    OverrideAct.objects.create(override=asked, act="accepted", at=NOON)
    override = readiness_of(release, now=NOON).reasons[0].override
    assert override
    assert override.accepted_by == "somebody who has gone"


def test_what_a_team_may_add_is_read():
    release = a_ready_release()
    service = release.service
    for gate in ("owner", "expected", "incident"):
        GateChoice.objects.create(team=service.team, gate=gate, need="required")
    assert words(release)["expected"] == "met"
    assert words(release)["incident"] == "met"
    service.paths.update(expected_result="  ")
    place = service.environments.get(slug="production")
    service.incidents.create(environment=place, title="Prices are slow", opened_at=NOON)
    assert reason(release, "expected") == "price has no expected result: write it."
    assert reason(release, "incident").endswith("is open since 12:00: Prices are slow")


def test_who_is_on_duty_is_read_from_the_rota(editor):
    release = a_ready_release()
    team = release.service.team
    GateChoice.objects.create(team=team, gate="owner", need="required")
    rota = Rota.objects.create(team=team, starts_on=NOON.date(), hand_over_at=time(9))
    rota.turns.create(person=editor, position=1)
    assert reason(release, "owner") == "Edith Moe is on duty."
    editor.is_active = False
    editor.save()
    assert words(release)["owner"] == "not met"


@override_settings(
    INTEGRATION_LASTS_SECONDS=60,
    REHEARSAL_LASTS_DAYS=0.5,
    NOTE_LASTS_DAYS=0.5,
    GREEN_FOR_SECONDS=3600,
    RUNNING_KNOWN_FOR_SECONDS=600,
)
def test_every_age_is_a_setting():
    release = a_ready_release()
    assert words(release, now=NOON + MINUTE) == {
        "lint": "met",
        "unit": "met",
        "integration": "out of date",
        "tag": "met",
        "paths": "no evidence",
        "note": "out of date",
        "rehearsal": "out of date",
        "config": "no evidence",
    }
