"""What people decide of a release: forms that say what is wrong, and keep what was typed."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from opsboard.people import joining
from opsboard.people.models import AuditEntry
from opsboard.releases.models import Decision, Hold, Override, OverrideAct, Release
from opsboard.releases.reading import readiness_of
from opsboard.services.models import Deploy
from tests.web.releases import COMMIT, HOUR, a_note, a_release, an_override, evidence, now, went_out
from tests.web.standing import text_of

SignIn = Callable[[Any], Client]
HERE = "/releases/fares-api/2026.11.4"
REASON = "The old key is read as well until Friday"


@pytest.fixture
def client(client_of: SignIn) -> Client:
    return client_of("editor")


@pytest.fixture
def release(service, environment) -> Release:
    return a_release(service)


@pytest.fixture
def plan(service, environment) -> dict[str, Any]:
    return {
        "service": service.pk,
        "version": "2026.11.4",
        "commit": COMMIT,
        "environment": "production",
        "planned_at": "2026-12-03 15:00",
        "summary": "Load fare rules in one query",
        "migrations": "0147\n\n0148\n0147",
        "paths": "",
    }


# The plan


def test_a_release_is_planned(client, plan, path, editor):
    answer = client.post("/releases/new", plan | {"paths": "price-a-crossing", "tag": "v4"})
    assert answer["Location"] == HERE
    release = Release.objects.get()
    assert (release.commit, release.tag, release.named_by) == (COMMIT, "v4", editor)
    assert release.migrations == ["0147", "0148"]
    assert list(release.paths.all()) == [path]
    assert f"{release.planned_at:%Y-%m-%d %H:%M}" == "2026-12-03 15:00"
    assert AuditEntry.objects.get().who == "Edith Moe"


def test_a_service_in_the_address_is_chosen(client, service, environment):
    assert f'value="{service.pk}" selected' in client.get("/releases/new?service=fares-api").text
    assert client.get("/releases/new?service=nothing").status_code == 404


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("service", "", "Choose a service."),
        ("version", "", "Fill this in."),
        ("version", "a/b", "Write letters, digits and"),
        ("version", "-1", "Write letters, digits and"),
        ("version", "1" * 101, "Write letters, digits and"),
        ("commit", "", "Fill this in."),
        ("commit", "main", "hexadecimal digits"),
        ("commit", "9f3c1a", "hexadecimal digits"),
        ("planned_at", "tomorrow", "Write a day and a time"),
        ("summary", "a\x07b", "one line without control characters"),
        ("migrations", "m\n" * 2 + "x" * 201, "at most 200 characters"),
        ("paths", "nowhere", "has no path nowhere"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_lost(client, plan, field, typed, said):
    answer = client.post("/releases/new", plan | {field: typed})
    assert answer.status_code == 422
    assert said in answer.text
    if field != "summary":
        assert "Load fare rules in one query" in answer.text
    assert not Release.objects.exists()


def test_a_version_of_another_commit_is_refused(client, plan, release):
    answer = client.post("/releases/new", plan | {"commit": "b" * 40})
    assert answer.status_code == 422
    assert "was named with the commit" in answer.text


def test_a_plan_is_changed_and_can_be_emptied(client, plan, release):
    release.planned_at, release.tag, release.migrations = now(), "v1", ["0146"]
    release.save()
    shown = client.get(f"{HERE}/edit").text
    version = shown.split('name="shown" value="')[1].split('"')[0]
    empty = {"environment": "production", "planned_at": "", "tag": "", "migrations": ""}
    answer = client.post(f"{HERE}/edit", empty | {"shown": version, "summary": "Less"})
    assert answer["Location"] == HERE
    release.refresh_from_db()
    assert (release.planned_at, release.tag, release.migrations) == (None, "", [])
    assert release.summary == "Less"
    assert release.commit == COMMIT
    entry = AuditEntry.objects.get()
    assert (entry.act, entry.kind, entry.subject) == ("changed", "release", "fares-api/2026.11.4")


def test_two_who_change_a_plan_lose_nothing(client, release):
    version = client.get(f"{HERE}/edit").text.split('name="shown" value="')[1].split('"')[0]
    Release.objects.update(summary="Somebody wrote this")
    typed = {"environment": "production", "summary": "I wrote this", "shown": version}
    answer = client.post(f"{HERE}/edit", typed)
    assert answer.status_code == 422
    assert "Somebody wrote this" in answer.text
    assert "I wrote this" in answer.text


def test_the_plan_of_what_is_released_is_history(client, release):
    went_out(release)
    shown = client.get(f"{HERE}/edit").text.split('name="shown" value="')[1].split('"')[0]
    answer = client.post(f"{HERE}/edit", {"environment": "production", "shown": shown})
    assert answer.status_code == 422
    assert "is released: its plan is history" in answer.text


# Overriding


def test_gates_are_overridden_with_a_reason_and_an_end(client, release, editor):
    answer = client.post(
        f"{HERE}/override", {"gates": ["lint", "unit"], "reason": REASON, "ends": "2h"}
    )
    assert answer["Location"] == HERE
    override = Override.objects.get()
    assert (override.gates, override.reason, override.asked_by) == (
        ["lint", "unit"],
        REASON,
        editor,
    )
    assert override.ends_at - override.asked_at == 2 * HOUR


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"gates": []}, "Choose at least one gate."),
        ({"gates": ["nothing"]}, "Select a valid choice"),
        ({"reason": "safe enough"}, "These are 11 of at least 20 characters: say more."),
        ({"reason": ""}, "Fill this in."),
        ({"ends": "never"}, "Select a valid choice"),
    ],
    ids=["no gate", "no such gate", "too short", "no reason", "no such end"],
)
def test_an_override_that_lacks_something_is_not_kept(client, release, typed, said):
    answer = client.post(
        f"{HERE}/override", {"gates": ["lint"], "reason": REASON, "ends": "2h"} | typed
    )
    assert answer.status_code == 422
    assert said in answer.text
    assert not Override.objects.exists()


def test_a_missing_rollback_note_is_never_offered(client, release):
    assert 'value="note"' not in client.get(f"{HERE}/override").text
    answer = client.post(f"{HERE}/override", {"gates": ["note"], "reason": REASON, "ends": "2h"})
    assert answer.status_code == 422


def test_a_second_person_accepts_and_anybody_takes_back(client, client_of, release, editor):
    evidence(release, "unit", "failed")
    one = an_override(release, "unit", by=editor, needs_second=True)
    client.post(f"{HERE}/overrides/{one.pk}/accept")
    assert not one.acts.exists()
    client_of("administrator").post(f"{HERE}/overrides/{one.pk}/accept")
    assert one.acts.get().act == OverrideAct.Act.ACCEPTED
    client.post(f"{HERE}/overrides/{one.pk}/take-back")
    assert one.acts.filter(act=OverrideAct.Act.TAKEN_BACK).exists()


def test_an_override_of_another_release_is_not_found(client, release, service, editor):
    other = a_release(service, "1.0", commit="1" * 40)
    one = an_override(other, "lint", by=editor)
    assert client.post(f"{HERE}/overrides/{one.pk}/take-back").status_code == 404
    assert not one.acts.exists()


# Decisions


def test_what_is_not_ready_is_recorded_only_with_a_reason(client, release):
    for typed in ("", "it was safe"):
        answer = client.post(f"{HERE}/release", {"environment": "production", "reason": typed})
        assert answer.status_code == 422
    assert not Decision.objects.exists()
    answer = client.post(f"{HERE}/release", {"environment": "production", "reason": REASON})
    assert answer["Location"] == HERE
    decision = Decision.objects.get()
    assert (decision.kind, decision.reason) == (Decision.Kind.RELEASED_ANYWAY, REASON)
    assert decision.snapshot["whole"] == readiness_of(release, now=now()).whole.value
    assert Deploy.objects.get().url == HERE
    kept = client.get(HERE).text.split('id="dec-h"')[1].split("</section>")[0]
    assert "Edith Moe" in kept


def test_on_its_way_in_another_environment_it_needs_no_reason(client, release, service):
    service.environments.create(slug="staging", base_url="http://127.0.0.1:9")
    assert "optional" not in client.get(f"{HERE}/release").text.split('name="reason"')[0][-200:]
    assert client.post(f"{HERE}/release", {"environment": "staging"})["Location"] == HERE
    release.refresh_from_db()
    assert release.released_at is None
    assert "is not ready" in client.get(HERE).text


def test_what_is_overridden_goes_out_without_another_reason(client, release, editor):
    a_note(release.service)
    lacking = [one.gate for one in readiness_of(release, now=now()).reasons]
    an_override(release, *lacking, by=editor, is_alone=True)
    assert 'name="reason"' not in client.get(f"{HERE}/release").text
    client.post(f"{HERE}/release", {"environment": "production"})
    assert Decision.objects.get().kind == Decision.Kind.RELEASED
    assert Decision.objects.get().snapshot["whole"] == "overridden"


def test_it_may_have_gone_out_a_while_ago_but_not_in_the_future(client, release):
    ago = now() - timedelta(minutes=30)
    typed = {"environment": "production", "reason": REASON}
    to_come = f"{now() + HOUR:%Y-%m-%d %H:%M}"
    answer = client.post(f"{HERE}/release", typed | {"at": to_come})
    assert "This is still to come" in answer.text
    client.post(f"{HERE}/release", typed | {"at": f"{ago:%Y-%m-%d %H:%M}"})
    release.refresh_from_db()
    assert release.released_at == ago.replace(second=0, microsecond=0)


def test_a_rollback_is_recorded_and_holds_the_service(client, release, service):
    went_out(release)
    assert client.post(f"{HERE}/rollback", {"reason": ""}).status_code == 422
    assert client.post(f"{HERE}/rollback", {"reason": "Prices were lost"})["Location"] == HERE
    assert "Prices were lost" in Hold.objects.get().reason
    text = text_of(client.get(HERE).text)
    assert "fares-api 2026.11.4 was rolled back" in text
    assert "until somebody writes why it may go out again" in text


def test_a_release_is_withdrawn_and_one_that_went_out_is_not(client, release):
    assert client.get(f"{HERE}/withdrawal").status_code == 200
    assert client.post(f"{HERE}/withdrawal")["Location"] == HERE
    assert "fares-api 2026.11.4 is withdrawn" in client.get(HERE).text
    Release.objects.update(withdrawn_at=None)
    went_out(release)
    assert client.post(f"{HERE}/withdrawal").status_code == 422


def test_where_there_is_nothing_to_override_no_form_is_shown(client, release, monkeypatch):
    monkeypatch.setattr("opsboard.web.release_forms.overridable", lambda _: [])
    page = client.get(f"{HERE}/override").text
    assert "There is nothing to override" in page
    assert "<textarea" not in page


def test_two_editors_are_needed_for_what_is_not_met(client, release, editor):
    joining.add("Ingrid Solheim", "editor", password="correct horse battery")
    evidence(release, "unit", "failed")
    client.post(f"{HERE}/override", {"gates": ["unit"], "reason": REASON, "ends": "tomorrow"})
    assert Override.objects.get().needs_second
    assert Override.objects.get().ends_at.hour == 9
