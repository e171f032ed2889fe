"""Evidence by the API: kept once, for the commit of its release, and never against itself."""

from datetime import timedelta

import pytest
from django.utils import timezone

from opsboard.people.models import AuditEntry
from opsboard.releases.models import Evidence, GateChoice, Release
from tests.api.ci import (
    COMMIT,
    OTHER,
    RELEASE,
    RELEASES,
    ago,
    evidence,
    get,
    moment,
    named,
    places,
    post,
)

pytestmark = pytest.mark.django_db
EVIDENCE = f"{RELEASE}/evidence"


@pytest.fixture(autouse=True)
def release(service, environment, ask) -> Release:
    service.environments.create(slug="staging", base_url="http://127.0.0.1:9")
    assert post(ask, RELEASES, named())[0] == 201
    return Release.objects.get()


def test_evidence_is_kept_and_answered_with_the_gate_and_the_whole(ask):
    said = evidence(
        tool="pytest 9.1", url="https://ci.example/run/1", log_tail="10 tests\nin 2 s\n",
        assumptions=["Staging has yesterday's data"], metrics={"coverage": 91.5, "slow": 2},
    )  # fmt: skip
    status, answer = post(ask, EVIDENCE, said)
    assert status == 201
    assert (answer["gate"]["gate"], answer["gate"]["word"]) == ("unit", "met")
    assert (answer["readiness"], answer["exit_code"]) == ("blocked", 1)
    assert "unit" not in [one["gate"] for one in answer["reasons"]]
    kept = get(ask, EVIDENCE)[1]["items"][0]
    assert {name: kept[name] for name in said if not name.endswith("_at")} == {
        name: value for name, value in said.items() if not name.endswith("_at")
    }
    assert moment(kept["started_at"]) == moment(said["started_at"])
    assert kept["by"].startswith("CI (")


def test_the_same_with_the_same_key_is_kept_once_and_another_with_it_is_409(ask):
    key, said = {"Idempotency-Key": "run-4711-1-unit"}, evidence()
    first = post(ask, EVIDENCE, said, **key)
    again = post(ask, EVIDENCE, said, **key)
    assert (first[0], again[0]) == (201, 200)
    assert first[1] == again[1]
    status, answer = post(ask, EVIDENCE, said | {"exit_code": None, "outcome": "failed"}, **key)
    assert (status, answer["errors"][0]["code"]) == (409, "key_used")
    assert Evidence.objects.count() == 1


@pytest.mark.parametrize("commit", [OTHER, COMMIT[:10]], ids=["another", "its short form"])
def test_evidence_of_another_commit_is_409_and_names_both(ask, commit):
    status, answer = post(ask, EVIDENCE, evidence(commit=commit))
    assert status == 409
    assert commit in answer["errors"][0]["message"]
    assert COMMIT in answer["errors"][0]["message"]
    assert not Evidence.objects.exists()


def test_every_contradiction_is_named_at_once_with_its_place(ask):
    said = evidence(
        "integration", exit_code=1, environment="moon",
        counts={"collected": 10, "passed": 9, "failed": 2, "skipped": 0},
        started_at=ago(minutes=1), finished_at=ago(minutes=2),
    )  # fmt: skip
    status, answer = post(ask, EVIDENCE, said)
    assert status == 422
    assert places(answer) == [
        "/counts", "/counts/failed", "/environment", "/exit_code", "/finished_at",
    ]  # fmt: skip
    assert not Evidence.objects.exists()


def test_every_mistake_of_form_is_named_at_once_with_its_place(ask):
    said = evidence(
        gate="un it", outcome="ok", commit="HEAD", environment="a\nb", started_at="2026-11-28",
        finished_at="2026-11-28T12:00:00", exit_code="0", tool="a\nb", url="javascript:alert(1)",
        log_tail="ü" * 2_049, assumptions=["fine", "a\nb"], metrics={"a b": 1.0, "c": "2"},
        counts={"collected": -1, "passed": 1.5, "passde": 1}, resutl="passed",
    )  # fmt: skip
    status, answer = post(ask, EVIDENCE, said)
    assert status == 422
    found = places(answer)
    for place in (
        "/gate", "/outcome", "/commit", "/environment", "/started_at", "/finished_at",
        "/exit_code", "/tool", "/url", "/log_tail", "/assumptions/1", "/counts/collected",
        "/counts/passed", "/counts/passde", "/resutl", "/metrics/c",
    ):  # fmt: skip
        assert place in found, found


@pytest.mark.parametrize("name", ["gate", "outcome", "commit", "started_at"])
def test_what_is_missing_is_named(ask, name):
    said = evidence()
    del said[name]
    assert places(post(ask, EVIDENCE, said)[1]) == [f"/{name}"]


@pytest.mark.parametrize(
    ("time", "code"),
    [
        ({"minutes": -4}, None),
        ({"minutes": -6}, "in_the_future"),
        ({"days": 6}, None),
        ({"days": 8}, "too_old"),
    ],
    ids=["a clock a little ahead", "future", "last week", "older"],
)
def test_a_time_is_neither_in_the_future_nor_long_ago(ask, time, code):
    said = evidence(started_at=ago(**time), finished_at=ago(**time))
    _, answer = post(ask, EVIDENCE, said)
    assert [one["code"] for one in answer.get("errors", [])] == [code, code][: 2 * bool(code)]


@pytest.mark.parametrize(
    "started",
    ["1970-01-01T00:00:00Z", "2026-11-28 12:00:00Z", "2026-11-28T12:00:00", 1764331200, None, ""],
)
def test_a_time_is_written_with_its_zone(ask, started):
    assert places(post(ask, EVIDENCE, evidence(started_at=started))[1]) == ["/started_at"]


@pytest.mark.parametrize(
    ("change", "is_kept"),
    [
        ({"log_tail": "ü" * 2_048}, True),
        ({"log_tail": "x" * 4_097}, False),
        ({"command": "x" * 4_000}, True),
        ({"command": "x" * 4_001}, False),
        ({"tool": "x" * 120}, True),
        ({"tool": "x" * 121}, False),
        ({"url": "https://ci.example/" + "x" * 1_981}, True),
        ({"url": "https://ci.example/" + "x" * 1_982}, False),
        ({"assumptions": ["x"] * 50}, True),
        ({"assumptions": ["x"] * 51}, False),
        ({"metrics": {f"m{n}": 1.0 for n in range(51)}}, False),
        ({"exit_code": 40_000, "outcome": "failed"}, False),
        ({"exit_code": -11, "outcome": "failed"}, True),
    ],
    ids=lambda one: f"{next(iter(one))}" if isinstance(one, dict) else "",
)
def test_texts_and_lists_have_an_end(ask, change, is_kept):
    status, _ = post(ask, EVIDENCE, evidence(counts={}) | change)
    assert status == (201 if is_kept else 422)


@pytest.mark.parametrize("gate", ["paths", "note", "rehearsal", "tag", "config", "moon"])
def test_a_gate_that_this_does_not_answer_is_refused(ask, gate):
    status, answer = post(ask, EVIDENCE, evidence(gate, environment="staging"))
    assert (status, places(answer)) == (422, ["/gate"])
    assert not Evidence.objects.exists()


def test_a_gate_of_their_own_is_answered(ask, team):
    GateChoice.objects.create(team=team, gate="licences", words="Licences", need="required")
    status, answer = post(ask, EVIDENCE, evidence("licences", counts=None))
    assert (status, answer["gate"]["word"]) == (201, "met")


@pytest.mark.parametrize(
    ("counts", "word"),
    [
        (None, "not met"),
        ({"collected": 0, "passed": 0, "failed": 0, "skipped": 0}, "not met"),
        ({"collected": 3, "passed": 0, "failed": 0, "skipped": 3}, "not met"),
        ({"collected": 3, "passed": 1, "failed": 0, "skipped": 2}, "met"),
    ],
    ids=["no counts", "nothing collected", "all skipped", "one passed"],
)
def test_a_suite_that_showed_nothing_does_not_meet_its_gate(ask, counts, word):
    assert post(ask, EVIDENCE, evidence(counts=counts))[1]["gate"]["word"] == word


def test_what_runs_is_no_evidence_yet_and_the_newest_start_wins(ask):
    running = evidence(outcome="running", started_at=ago(seconds=1))
    for name in ("finished_at", "exit_code", "counts"):
        del running[name]
    assert post(ask, EVIDENCE, evidence())[1]["gate"]["word"] == "met"
    assert post(ask, EVIDENCE, running)[1]["gate"]["word"] == "no evidence"
    assert post(ask, EVIDENCE, evidence())[1]["gate"]["word"] == "no evidence"


def test_a_token_of_other_gates_gives_none_for_this_one(ask_with, make_token):
    client = ask_with(make_token(gates=["lint"])[1])
    assert post(client, EVIDENCE, evidence())[0] == 403
    tag = {"tag": "v4", "object": COMMIT, "commit": COMMIT}
    assert post(client, f"{RELEASE}/tag", tag)[0] == 403
    assert post(client, EVIDENCE, evidence("lint"))[0] == 201


def test_evidence_is_read_a_page_at_a_time_the_newest_start_first(ask):
    for minutes in (5, 3, 4):
        post(ask, EVIDENCE, evidence(started_at=ago(minutes=minutes)))
    _, first = get(ask, f"{EVIDENCE}?limit=2")
    _, second = get(ask, f"{EVIDENCE}?limit=2&cursor={first['next']}")
    started = [moment(one["started_at"]) for one in first["items"] + second["items"]]
    assert started == sorted(started, reverse=True)
    assert len(started) == 3


def test_evidence_leaves_its_entry_in_the_audit_log_by_the_token(ask):
    post(ask, EVIDENCE, evidence())
    entry = AuditEntry.objects.get(act="gave evidence")
    assert (entry.via, entry.subject) == ("api", "fares-api/2026.11.4")
    assert timezone.now() - entry.at < timedelta(minutes=1)


# The tag ---------------------------------------------------------------------------------------


def test_a_tag_of_another_commit_is_409(ask):
    status, _ = post(ask, f"{RELEASE}/tag", {"tag": "v4", "object": OTHER, "commit": OTHER})
    assert status == 409


def test_another_tag_than_the_release_s_is_409(ask):
    said = {"tag": "v4", "object": COMMIT, "commit": COMMIT}
    assert post(ask, f"{RELEASE}/tag", said)[1]["gate"]["word"] == "met"
    assert post(ask, f"{RELEASE}/tag", said | {"tag": "v5"})[0] == 409


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"object": "HEAD"}, "/object"),
        ({"tag": "a\nb"}, "/tag"),
        ({"tag": ""}, "/tag"),
        ({"tag": "x" * 201}, "/tag"),
        ({"commit": "main"}, "/commit"),
        ({"sha": COMMIT}, "/sha"),
    ],
)
def test_a_wrong_word_of_a_tag_is_named(ask, change, place):
    said = {"tag": "v4", "object": COMMIT, "commit": COMMIT}
    status, answer = post(ask, f"{RELEASE}/tag", said | change)
    assert (status, places(answer)) == (422, [place])
