"""Releases by the API: named once, read with their readiness, let out, rolled back and held."""

from datetime import timedelta

import pytest
from django.utils import timezone

from opsboard.probes.models import Probe, StateChange, microseconds, stand_up
from opsboard.releases.models import Decision, Hold, Release
from opsboard.rollbacks.models import RollbackNote
from opsboard.services.models import Deploy, Service
from tests.api.ci import (
    COMMIT,
    OTHER,
    REASON,
    RELEASE,
    RELEASES,
    ago,
    evidence,
    get,
    named,
    places,
    post,
)

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def staging(service, environment):
    Service.objects.update(tier=2)
    return service.environments.create(slug="staging", base_url="http://127.0.0.1:9")


@pytest.fixture
def release(ask, staging) -> Release:
    assert post(ask, RELEASES, named())[0] == 201
    return Release.objects.get()


def green(service: Service) -> None:
    """Its path has been passing on staging for 20 minutes, and the note is fresh."""
    now = timezone.now()
    service.paths.create(slug="price", name="Price", route="/", expected_result="status == 200")
    stand_up(service, now=now - 40 * MINUTE, location="default")
    since = microseconds(now - 20 * MINUTE)
    for probe in Probe.objects.all():
        StateChange.objects.create(probe=probe, at=since, before="no_data", after="passing")
    Probe.objects.update(state="passing", state_since=since, observed_at=microseconds(now))
    RollbackNote.objects.create(service=service).versions.create(
        number=1, title="Go back", steps=[{"do": "Go back", "run": "", "see": "", "call": ""}],
        written_at=now, checked_at=now,
    )  # fmt: skip


# Naming ----------------------------------------------------------------------------------------


def test_a_release_is_named_and_answered_as_it_is_known(ask, path):
    status, answer = post(
        ask,
        RELEASES,
        named(
            tag="v4", environment="production", planned_at="2026-11-29T10:00:00+01:00",
            summary="Surcharges", migrations=["0007_fares"], commits=3, files=9, lines=120,
            paths=["price-a-crossing"],
        ),
    )  # fmt: skip
    assert status == 201
    assert answer["planned_at"] == "2026-11-29T09:00:00+00:00"
    assert answer["paths"] == ["price-a-crossing"]
    assert answer["named_by"].startswith("CI (")
    assert answer["url"].endswith("/releases/fares-api/2026.11.4")
    found = get(ask, RELEASE)[1]
    assert {name: found[name] for name in answer} == answer


def test_named_again_with_its_commit_200_and_with_another_409(ask, release):
    assert post(ask, RELEASES, named(commit=COMMIT.upper()))[0] == 200
    status, answer = post(ask, RELEASES, named(commit=OTHER))
    assert status == 409
    assert COMMIT in answer["errors"][0]["message"]
    assert Release.objects.get().commit == COMMIT


def test_every_mistake_in_a_release_is_named_at_once(ask):
    status, answer = post(
        ask,
        RELEASES,
        {
            "version": "a/b", "commit": "main", "tag": "v1\nv2", "environment": "m oon",
            "planned_at": "2026-11-29T10:00:00", "summary": "x" * 301, "migrations": ["a\nb"],
            "commits": -1, "files": "9", "lines": True, "sumary": "x",
        },
    )  # fmt: skip
    assert status == 422
    assert places(answer) == [
        "/commit", "/commits", "/environment", "/files", "/lines", "/migrations/0",
        "/planned_at", "/sumary", "/summary", "/tag", "/version",
    ]  # fmt: skip
    assert not Release.objects.exists()


def test_an_environment_and_paths_that_are_not_there_are_named_at_once(ask, path):
    said = named(environment="moon", paths=["price-a-crossing", "moon", "mars"])
    status, answer = post(ask, RELEASES, said)
    assert (status, places(answer)) == (422, ["/environment", "/paths/1", "/paths/2"])


@pytest.mark.parametrize("at", ["1970-01-01T00:00:00Z", "2036-01-01T00:00:00Z", "tomorrow"])
def test_a_release_is_planned_within_a_year(ask, at):
    assert post(ask, RELEASES, named(planned_at=at))[1]["errors"][0]["pointer"] == "/planned_at"


# Reading ---------------------------------------------------------------------------------------


def test_releases_come_a_page_at_a_time_with_their_word(ask, staging):
    for number in range(3):
        post(ask, RELEASES, named(version=f"2026.11.{number}"))
    _, first = get(ask, f"{RELEASES}?limit=2")
    _, second = get(ask, f"{RELEASES}?limit=2&cursor={first['next']}")
    assert [one["version"] for one in first["items"] + second["items"]] == [
        "2026.11.2", "2026.11.1", "2026.11.0",
    ]  # fmt: skip
    assert second["next"] is None
    assert {one["readiness"] for one in first["items"]} == {"blocked"}


def test_a_page_of_releases_takes_few_queries(ask, staging, django_assert_max_num_queries):
    for number in range(30):
        post(ask, RELEASES, named(version=f"2026.11.{number}"))
    with django_assert_max_num_queries(16):
        assert len(get(ask, f"{RELEASES}?limit=30")[1]["items"]) == 30


@pytest.mark.parametrize("what", ["", "/readiness", "/decisions", "/overrides", "/evidence"])
def test_what_is_not_there_is_404_and_another_s_service_403(ask, ask_with, make_token, what):
    assert get(ask, f"{RELEASES}/9{what}")[0] == 404
    assert get(ask, f"/api/v1/services/moon/releases/9{what}")[0] == 404
    other = ask_with(make_token(services=["notify"])[1])
    assert get(other, f"{RELEASE}{what}")[0] == 403


def test_who_may_release_may_read_releases_and_who_may_neither_may_not(
    release, ask_with, make_token
):
    for scopes, status in ((["release"], 200), (["read"], 200), (["note", "silence"], 403)):
        client = ask_with(make_token(scopes)[1])
        assert get(client, f"{RELEASE}/readiness")[0] == status
        assert get(client, RELEASES)[0] == status


@pytest.mark.parametrize(
    ("address", "body"),
    [
        (RELEASES, named(version="5")),
        (f"{RELEASE}/evidence", evidence()),
        (f"{RELEASE}/tag", {"tag": "v4", "object": COMMIT, "commit": COMMIT}),
        (f"{RELEASE}/released", {"anyway_because": REASON}),
        (f"{RELEASE}/rollbacks", {"reason": "Fares wrong"}),
        ("/api/v1/services/fares-api/holds", {"reason": "Fares wrong"}),
        ("/api/v1/services/fares-api/holds/end", {"because": "Mended"}),
    ],
)
def test_who_may_only_read_writes_nothing(release, ask_with, make_token, address, body):
    for token in (make_token(["read"]), make_token(services=["notify"])):
        assert post(ask_with(token[1]), address, body)[0] == 403
    assert Release.objects.count() == 1
    assert not Decision.objects.exists()
    assert not Hold.objects.exists()


def test_overrides_are_shown_and_not_made_here(ask, release, editor):
    now = timezone.now()
    override = release.overrides.create(
        gates=["unit"], reason=REASON, asked_by=editor, asked_at=now, ends_at=now + MINUTE,
        needs_second=False,
    )  # fmt: skip
    override.acts.create(act="taken back", at=now, by=editor)
    _, answer = get(ask, f"{RELEASE}/overrides")
    assert answer["items"][0]["reason"] == REASON
    assert answer["items"][0]["acts"][0]["by"] == "Edith Moe"
    assert post(ask, f"{RELEASE}/overrides", {})[0] == 405


# Becoming ready --------------------------------------------------------------------------------


def test_step_by_step_a_release_becomes_ready_and_goes_out(ask, release, service):
    """Nothing but the API, beside the note and the probes."""
    green(service)

    def whole() -> tuple[str, int]:
        found = get(ask, f"{RELEASE}/readiness")[1]
        return found["whole"], found["exit_code"]

    assert whole() == ("incomplete", 3)
    assert post(ask, f"{RELEASE}/released", {})[0] == 409
    began = {"environment": "staging", "at": ago(minutes=30)}
    assert post(ask, f"{RELEASE}/released", began)[0] == 201
    for gate in ("lint", "unit", "integration"):
        status, answer = post(ask, f"{RELEASE}/evidence", evidence(gate))
        assert (status, answer["gate"]["word"]) == (201, "met"), answer
        assert whole() == ("incomplete", 3)
    status, answer = post(ask, f"{RELEASE}/tag", {"tag": "v4", "object": COMMIT, "commit": COMMIT})
    assert (status, answer["readiness"], answer["exit_code"]) == (201, "ready", 0), answer
    assert answer["reasons"] == []
    assert whole() == ("ready", 0)

    status, decision = post(ask, f"{RELEASE}/released", {})
    assert (status, decision["kind"], decision["readiness"]["whole"]) == (201, "released", "ready")
    assert post(ask, f"{RELEASE}/released", {})[0] == 200
    assert Deploy.objects.filter(environment__slug="production").count() == 1

    moved = {"tag": "v4", "object": OTHER, "commit": COMMIT}
    assert post(ask, f"{RELEASE}/tag", moved)[1]["gate"]["word"] == "out of date"


def test_a_reason_names_its_gate_and_who_can_mend_it(ask, release):
    _, answer = get(ask, f"{RELEASE}/readiness")
    assert answer["whole"] == "blocked"
    assert answer["met"] < answer["required"]
    first = answer["reasons"][0]
    assert (first["gate"], first["word"]) == ("note", "not met")
    assert first["who"]


# Letting out -----------------------------------------------------------------------------------


def test_not_ready_is_409_with_what_is_in_its_way(ask, release):
    status, answer = post(ask, f"{RELEASE}/released", {})
    assert status == 409
    assert "There is no rollback note" in answer["errors"][0]["message"]
    assert post(ask, f"{RELEASE}/released", {"anyway_because": "urgent"})[0] == 409
    status, answer = post(ask, f"{RELEASE}/released", {"anyway_because": REASON})
    assert (status, answer["kind"], answer["reason"]) == (201, "anyway", REASON)
    assert answer["readiness"]["whole"] == "blocked"


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"environment": "moon"}, "/environment"),
        ({"at": "2026-11-29"}, "/at"),
        ({"at": "2026-11-29T10:00:00"}, "/at"),
        ({"anyway_because": "x" * 2_001}, "/anyway_because"),
        ({"anyway_because": "  "}, "/anyway_because"),
        ({"anyway": REASON}, "/anyway"),
    ],
)
def test_a_wrong_word_of_a_release_is_named(ask, release, body, place):
    status, answer = post(ask, f"{RELEASE}/released", body)
    assert (status, places(answer)) == (422, [place])


def test_a_rollback_is_taken_and_holds_the_service_until_somebody_says_why_not(ask, release):
    status, answer = post(ask, f"{RELEASE}/rollbacks", {"reason": "Fares wrong"})
    assert (status, answer["kind"]) == (201, "rolled back")
    assert post(ask, f"{RELEASE}/rollbacks", {"reason": "Fares wrong"})[0] == 200
    assert get(ask, f"{RELEASE}/readiness")[1]["stops"][0]["kind"] == "hold"
    ended = "/api/v1/services/fares-api/holds/end"
    assert post(ask, ended, {"because": " "})[0] == 422
    status, answer = post(ask, ended, {"because": "The rule is mended"})
    assert (status, answer["ended_because"]) == (200, "The rule is mended")
    assert get(ask, f"{RELEASE}/readiness")[1]["stops"] == []
    assert post(ask, ended, {"because": "Again"})[0] == 409
    kinds = [one["kind"] for one in get(ask, f"{RELEASE}/decisions")[1]["items"]]
    assert kinds == ["rolled back"]


def test_a_service_is_held_by_a_program(ask, service):
    status, answer = post(ask, "/api/v1/services/fares-api/holds", {"reason": "Fares wrong"})
    assert (status, answer["reason"], answer["ended_at"]) == (201, "Fares wrong", None)
    assert Hold.objects.get().by_name.startswith("CI (")
