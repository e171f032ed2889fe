"""Readiness read from the database: in a few queries, and the same as the rules say."""

from datetime import timedelta

import pytest

from opsboard.people.audit import Actor, Via
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
from opsboard.services.models import CriticalPath, Running, Service, Team
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
