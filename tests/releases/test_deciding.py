"""What went out and what was rolled back, each with the readiness it was decided on."""

import threading
from datetime import timedelta

import pytest
from django.db import connection

from opsboard.people.models import AuditEntry
from opsboard.releases import deciding
from opsboard.releases.deciding import record_release, record_rollback
from opsboard.releases.models import Decision, Hold, Release
from opsboard.releases.refusing import Refused
from opsboard.releases.rules import OverrideSeen, Stop, Word
from opsboard.services.models import Deploy, Environment, Running
from tests.company import NOON
from tests.releases.going_out import (
    BLOCKED,
    CI,
    COMMIT,
    OTHER,
    READY,
    REASON,
    a_release,
    by,
    gate,
    readiness,
    standing,
)

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture
def release(service, environment) -> Release:
    return a_release(service)


@pytest.fixture
def stands(monkeypatch):
    def as_found(found):
        monkeypatch.setattr(deciding, "readiness_of", standing(found))

    as_found(READY)
    return as_found


def out(release: Release, **more) -> Decision:
    return record_release(
        release, **({"environment_slug": "production", "by": CI, "now": NOON} | more)
    )


def runs(environment: Environment) -> str:
    found = Running.objects.filter(environment=environment).first()
    return found.commit if found else "unknown"


def test_a_release_that_is_ready_goes_out(release, environment, stands):
    decision = out(release)
    decision.refresh_from_db()
    assert (decision.kind, decision.environment_slug, decision.at) == (
        "released", "production", NOON,
    )  # fmt: skip
    assert decision.snapshot["whole"] == "ready"
    assert [one["gate"] for one in decision.snapshot["gates"]] == ["unit", "note"]
    assert release.released_at == NOON
    deploy = Deploy.objects.get()
    assert (deploy.kind, deploy.name, deploy.url, deploy.at) == (
        "release", "2026.11.4", "/releases/fares-api/2026.11.4", NOON,
    )  # fmt: skip
    assert AuditEntry.objects.get(act="released").who == "CI (3f2b8c1e…)"


def test_a_release_that_is_not_ready_is_refused_with_what_is_in_its_way(release, stands):
    freeze = Stop(kind="freeze", reason="Summer sale", by="Edith Moe", since=NOON)
    stands(readiness(gate("unit", Word.NOT_MET), stops=(freeze,)))
    with pytest.raises(
        Refused, match=r"not ready but blocked: Freeze: Summer sale\. Unit tests: It"
    ):
        out(release)
    assert not Decision.objects.exists()
    assert not Deploy.objects.exists()
    assert Release.objects.get().released_at is None


@pytest.mark.parametrize("reason", ["urgent", "x" * 19, "x" * 2_001])
def test_released_anyway_needs_a_reason_that_says_something(release, stands, reason):
    stands(BLOCKED)
    with pytest.raises(Refused, match="in 20 to 2000 characters"):
        out(release, anyway_because=reason)


def test_released_anyway_keeps_why_and_what_was_not_met(release, stands):
    stands(BLOCKED)
    decision = out(release, anyway_because=f" {REASON} ")
    assert (decision.kind, decision.reason) == ("anyway", REASON)
    assert decision.snapshot["whole"] == "blocked"
    assert AuditEntry.objects.filter(act="released anyway").exists()


def test_a_release_whose_gates_are_overridden_goes_out_as_overridden(release, stands):
    seen = OverrideSeen(
        override_id=1, gates=("unit",), by="Edith Moe", accepted_by="Layla Haddad",
        is_alone=False, reason=REASON, at=NOON, ends_at=NOON + MINUTE, covers_not_met=True,
    )  # fmt: skip
    stands(readiness(gate("unit", Word.NOT_MET, override=seen)))
    decision = out(release)
    assert (decision.kind, decision.snapshot["whole"]) == ("released", "overridden")


def test_on_its_way_to_staging_nothing_has_to_be_met_yet(release, service, stands):
    service.environments.create(slug="staging", base_url="http://127.0.0.1:9")
    stands(BLOCKED)
    decision = out(release, environment_slug="staging")
    assert (decision.kind, decision.environment_slug) == ("released", "staging")
    assert Release.objects.get().released_at is None
    assert Running.objects.get().commit == COMMIT


def test_told_twice_it_went_out_once(release, stands):
    assert out(release).pk == out(release, now=NOON + MINUTE).pk
    assert Decision.objects.count() == Deploy.objects.count() == 1


def test_it_goes_out_again_after_another_was_there(release, service, stands):
    out(release)
    out(a_release(service, "2026.11.5", OTHER), now=NOON + MINUTE)
    out(release, now=NOON + 2 * MINUTE)
    assert Decision.objects.count() == 3
    assert Release.objects.get(version="2026.11.4").released_at == NOON
    assert Running.objects.get().commit == COMMIT


def test_what_was_announced_runs_since_it_began(release, environment, stands):
    out(release, at=NOON - 10 * MINUTE)
    running = Running.objects.get()
    assert (running.commit, running.is_announced) == (COMMIT, True)
    assert (running.commit_since, running.told_at) == (NOON - 10 * MINUTE, NOON)


def test_where_the_version_is_told_by_the_service_an_announcement_claims_nothing(
    release, environment, stands
):
    Environment.objects.update(version_route="GET /version", version_commit="$.commit")
    out(release)
    assert runs(environment) == "unknown"
    assert Deploy.objects.exists()


def test_a_late_word_of_an_earlier_release_does_not_change_what_runs(release, service, stands):
    out(a_release(service, "2026.11.5", OTHER))
    out(release, at=NOON - 10 * MINUTE, now=NOON + MINUTE)
    assert Running.objects.get().commit == OTHER


@pytest.mark.parametrize(
    ("at", "sentence"),
    [(NOON + 6 * MINUTE, "in the future"), (NOON - timedelta(days=8), "within 7 days")],
    ids=["future", "long ago"],
)
def test_a_time_that_cannot_be_is_refused(release, stands, at, sentence):
    with pytest.raises(Refused, match=sentence):
        out(release, at=at)


def test_a_clock_a_little_ahead_is_taken_as_now(release, stands):
    assert out(release, at=NOON + 4 * MINUTE).at == NOON


@pytest.mark.parametrize("slug", ["", "moon"])
def test_it_runs_in_an_environment_that_is_there(release, stands, slug):
    with pytest.raises(Refused, match="environment"):
        out(release, environment_slug=slug)


def test_a_withdrawn_release_does_not_go_out(release, stands):
    Release.objects.update(withdrawn_at=NOON)
    with pytest.raises(Refused, match="was withdrawn"):
        out(release)


def test_a_rollback_is_always_taken_and_holds_the_service(release, environment, editor, stands):
    out(release)
    stop = Stop(kind="freeze", reason="Summer sale", by="Edith Moe", since=NOON)
    stands(readiness(gate("unit", Word.NOT_MET), stops=(stop,)))
    decision = record_rollback(release, reason="Fares wrong", by=by(editor), now=NOON + MINUTE)
    assert (decision.kind, decision.snapshot["stops"][0]["kind"]) == ("rolled back", "freeze")
    held = Hold.objects.get()
    assert (held.reason, held.by) == ("2026.11.4 was rolled back: Fares wrong", editor)
    assert runs(environment) == "unknown"


def test_after_a_rollback_the_one_before_it_runs(release, service, environment, stands):
    out(release)
    bad = a_release(service, "2026.11.5", OTHER)
    out(bad, now=NOON + MINUTE)
    record_rollback(bad, reason="x" * 400, by=CI, now=NOON + 2 * MINUTE)
    assert runs(environment) == COMMIT
    assert Deploy.objects.latest("at").name == "2026.11.4"
    assert len(Hold.objects.get().reason) == 300


def test_a_rollback_of_what_nobody_told_of_is_taken_too(release, stands):
    assert record_rollback(release, reason="", by=CI, now=NOON).reason == ""
    assert Hold.objects.get().reason == "2026.11.4 was rolled back"


def test_rolled_back_twice_it_was_rolled_back_once_and_is_held_all_the_same(release, stands):
    out(release)
    first = record_rollback(release, reason="Fares wrong", by=CI, now=NOON + MINUTE)
    Hold.objects.update(ended_at=NOON + MINUTE)
    again = record_rollback(release, reason="Fares wrong", by=CI, now=NOON + 2 * MINUTE)
    assert again.pk == first.pk
    assert Hold.objects.open().exists()


def test_what_went_back_may_go_out_again(release, stands):
    out(release)
    record_rollback(release, reason="Fares wrong", by=CI, now=NOON + MINUTE)
    again = out(release, now=NOON + 2 * MINUTE)
    assert again.at == NOON + 2 * MINUTE
    assert Release.objects.get().released_at == NOON


@pytest.mark.django_db(transaction=True)
def test_two_who_tell_of_it_at_once_tell_of_one_release(release, stands):
    begin, told = threading.Barrier(2), []

    def tell() -> None:
        begin.wait(10)
        try:
            told.append(out(Release.objects.get()).pk)
        finally:
            connection.close()

    threads = [threading.Thread(target=tell) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(told) == 2
    assert len(set(told)) == Decision.objects.count() == Deploy.objects.count() == 1
