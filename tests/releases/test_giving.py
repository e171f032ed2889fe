"""Evidence is checked against itself, against its release, and then never changed."""

from dataclasses import replace
from datetime import timedelta

import pytest

from opsboard.people.models import AuditEntry
from opsboard.releases.giving import Given, contradictions, give
from opsboard.releases.models import Evidence, GateChoice, Release
from opsboard.releases.refusing import Refused
from tests.company import NOON
from tests.releases.going_out import CI, COMMIT, OTHER, a_release

GOOD = Given(
    gate="unit",
    outcome="passed",
    commit=COMMIT,
    started_at=NOON - timedelta(minutes=2),
    finished_at=NOON,
    command="pytest -q",
    exit_code=0,
    counts={"collected": 10, "passed": 9, "failed": 0, "skipped": 1},
)
TAG = replace(GOOD, gate="tag", exit_code=None, counts={}, facts={"tag": "v4", "object": "a" * 40})


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(GOOD, id="all passed"),
        pytest.param(replace(GOOD, counts={}), id="no counts: the gate is not met by it"),
        pytest.param(
            replace(GOOD, counts={"collected": 0, "passed": 0, "failed": 0, "skipped": 0}),
            id="nothing collected: the gate is not met by it",
        ),
        pytest.param(replace(GOOD, counts={"collected": 10, "passed": 9}), id="parts left out"),
        pytest.param(
            replace(GOOD, outcome="failed", exit_code=2, counts={}), id="failed before counting"
        ),
        pytest.param(
            replace(GOOD, outcome="failed", exit_code=None), id="failed, ended by a signal"
        ),
        pytest.param(replace(GOOD, outcome="error", exit_code=127, counts={}), id="not found"),
        pytest.param(
            replace(GOOD, outcome="running", finished_at=None, exit_code=None, counts={}),
            id="running",
        ),
        pytest.param(replace(GOOD, finished_at=GOOD.started_at), id="done at once"),
        pytest.param(TAG, id="a tag has no exit code"),
    ],
)
def test_what_agrees_with_itself_is_taken(given):
    assert contradictions(given) == {}


@pytest.mark.parametrize(
    ("change", "places"),
    [
        pytest.param({"exit_code": 1}, ["exit_code"], id="passed with exit code 1"),
        pytest.param({"exit_code": None}, ["exit_code"], id="passed without an exit code"),
        pytest.param({"outcome": "failed"}, ["exit_code"], id="failed with exit code 0"),
        pytest.param(
            {"counts": {"collected": 10, "passed": 9, "failed": 1, "skipped": 0}},
            ["counts/failed"],
            id="passed with one failed",
        ),
        pytest.param(
            {"counts": {"collected": 10, "passed": 8, "failed": 0, "skipped": 1}},
            ["counts"],
            id="counts that do not add up",
        ),
        pytest.param(
            {"counts": {"collected": 3, "passed": 4}}, ["counts"], id="more passed than collected"
        ),
        pytest.param({"counts": {"passed": 4}}, ["counts/collected"], id="collected left out"),
        pytest.param(
            {"counts": {"collected": 1, "passed": 2, "skipped": -1}},
            ["counts/skipped"],
            id="fewer than none",
        ),
        pytest.param(
            {"counts": {"collected": 1, "passde": 1}}, ["counts/passde"], id="unknown count"
        ),
        pytest.param(
            {"finished_at": NOON - timedelta(hours=1)},
            ["finished_at"],
            id="finished before it began",
        ),
        pytest.param({"finished_at": None}, ["finished_at"], id="passed and not finished"),
        pytest.param(
            {"outcome": "running"}, ["finished_at", "exit_code"], id="running and finished"
        ),
        pytest.param({"outcome": "ok"}, ["outcome"], id="unknown outcome"),
        pytest.param({"gate": "integration"}, ["environment"], id="integrated nowhere"),
        pytest.param(
            {"exit_code": 1, "finished_at": None, "counts": {"collected": 1, "failed": 1}},
            ["finished_at", "exit_code", "counts/failed"],
            id="all at once",
        ),
    ],
)
def test_what_contradicts_itself_is_named_by_its_place(change, places):
    found = contradictions(replace(GOOD, **change))
    assert list(found) == places
    assert all(sentence.endswith(".") for sentence in found.values())


@pytest.mark.parametrize("missing", ["tag", "object"])
def test_a_tag_says_its_name_and_what_it_points_to(missing):
    facts = {name: value for name, value in TAG.facts.items() if name != missing}
    assert list(contradictions(replace(TAG, facts=facts))) == [f"facts/{missing}"]


@pytest.fixture
def release(service) -> Release:
    return a_release(service)


def test_evidence_is_kept_as_it_was_given(release):
    evidence = give(release, replace(GOOD, url="https://ci.example/1"), by=CI, now=NOON)
    evidence.refresh_from_db()
    assert (evidence.gate, evidence.outcome, evidence.exit_code) == ("unit", "passed", 0)
    assert evidence.counts == {"collected": 10, "passed": 9, "failed": 0, "skipped": 1}
    assert (evidence.received_at, evidence.by_name) == (NOON, "CI (3f2b8c1e…)")
    entry = AuditEntry.objects.get(act="gave evidence")
    assert entry.subject == "fares-api/2026.11.4"
    assert {one["field"]: one["new"] for one in entry.changes} == {
        "gate": "unit",
        "outcome": "passed",
    }


@pytest.mark.parametrize("commit", [OTHER, COMMIT[:7]], ids=["another", "its short form"])
def test_evidence_of_another_commit_is_refused(release, commit):
    with pytest.raises(Refused, match=f"commit {commit}, and fares-api 2026.11.4 is {COMMIT}"):
        give(release, replace(GOOD, commit=commit), by=CI, now=NOON)
    assert not Evidence.objects.exists()


def test_a_clock_that_is_ahead_does_not_win_over_what_is_found_out_later(release):
    ahead, later = NOON + timedelta(minutes=4), NOON + timedelta(minutes=2)
    early = give(release, replace(GOOD, started_at=ahead, finished_at=ahead), by=CI, now=NOON)
    failed = replace(GOOD, outcome="failed", exit_code=1, started_at=NOON + timedelta(minutes=1))
    late = give(release, replace(failed, finished_at=later), by=CI, now=later)
    assert (early.started_at, early.finished_at) == (NOON, NOON)
    assert late.started_at > early.started_at


def test_evidence_that_contradicts_itself_is_not_kept(release):
    with pytest.raises(Refused, match="contradicts exit code 1"):
        give(release, replace(GOOD, exit_code=1), by=CI, now=NOON)
    assert not Evidence.objects.exists()


@pytest.mark.parametrize("name", ["paths", "note", "rehearsal", "owner", "incident"])
def test_what_opsboard_answers_itself_nobody_gives(release, name):
    with pytest.raises(Refused, match="Opsboard answers the gate"):
        give(release, replace(GOOD, gate=name), by=CI, now=NOON)


def test_a_gate_of_their_own_is_taken_when_the_team_wants_it(release, team):
    given = replace(GOOD, gate="licences")
    with pytest.raises(Refused, match="has no gate licences"):
        give(release, given, by=CI, now=NOON)
    GateChoice.objects.create(team=team, gate="licences", words="Licences", need="required")
    assert give(release, given, by=CI, now=NOON).gate == "licences"


def test_a_gate_that_the_service_dropped_is_not_taken_though_the_team_has_it(release, team):
    GateChoice.objects.create(team=team, gate="licences", words="Licences", need="required")
    GateChoice.objects.create(service=release.service, gate="licences", need="dropped")
    with pytest.raises(Refused, match="has no gate licences"):
        give(release, replace(GOOD, gate="licences"), by=CI, now=NOON)


def test_an_environment_that_is_not_there_is_refused(release, environment):
    given = replace(GOOD, gate="integration", environment_slug="moon")
    with pytest.raises(Refused, match="fares-api has no environment moon"):
        give(release, given, by=CI, now=NOON)


def test_the_first_tag_told_is_the_release_s_and_another_is_refused(release):
    give(release, TAG, by=CI, now=NOON)
    assert Release.objects.get().tag == "v4"
    other = replace(TAG, facts={"tag": "v5", "object": "a" * 40})
    with pytest.raises(Refused, match=r"fares-api 2026\.11\.4 is tagged v4, not v5"):
        give(release, other, by=CI, now=NOON)


def test_a_tag_that_points_elsewhere_is_kept_for_readiness_to_see(release):
    give(release, TAG, by=CI, now=NOON)
    give(release, replace(TAG, facts={"tag": "v4", "object": "b" * 40}), by=CI, now=NOON)
    found = Evidence.objects.order_by("pk").values_list("facts", flat=True)
    assert [facts["object"][0] for facts in found] == ["a", "b"]


def test_an_object_that_is_none_is_refused(release):
    with pytest.raises(Refused, match="hexadecimal"):
        give(release, replace(TAG, facts={"tag": "v4", "object": "HEAD"}), by=CI, now=NOON)
