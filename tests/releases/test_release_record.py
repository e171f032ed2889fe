"""What a record holds of a release and of an incident; a moment's facts keep their hash."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
from django.test import Client

from opsboard.incidents.models import Incident
from opsboard.releases.incident_record import incident_record
from opsboard.releases.models import Decision, Release
from opsboard.releases.record import write_json, write_markdown
from opsboard.releases.release_record import release_record
from opsboard.rollbacks.models import NoteVersion, Rehearsal
from opsboard.rollbacks.rules import steps_digest
from tests.web.releases import HOUR, MINUTE, a_note, a_release, an_override, evidence, now, went_out

SignIn = Callable[[Any], Client]
HERE = "/releases/fares-api/2026.11.4"


@pytest.fixture
def release(service, path, editor) -> Release:
    """Released anyway an hour ago, with evidence, an override, and a note that was rehearsed."""
    a_note(service, editor)
    version = NoteVersion.objects.get()
    NoteVersion.objects.update(written_at=now() - 3 * HOUR, checked_at=now() - 3 * HOUR)
    Rehearsal.objects.create(
        version=version, environment_slug="staging", release="2026.11.4", at=now() - 2 * HOUR,
        steps_digest=steps_digest(version.steps), seconds=240, worked=True, by=editor,
        outcomes=[{"outcome": "worked", "remark": "it took | a while"}],
    )  # fmt: skip
    release = a_release(service, summary="Load *fare* rules", named_at=now() - 2 * HOUR)
    release.paths.add(path)
    evidence(
        release, "unit", command="pytest -q `all`", log_tail="1\n```\n3 passed",
        assumptions=["staging has the fares of March"],
    )  # fmt: skip
    an_override(release, "lint", by=editor, reason="Lint is broken <today>, the code is not")
    went_out(release, kind=Decision.Kind.RELEASED_ANYWAY, reason="The ferry sails at noon")
    return release


@pytest.fixture
def incident(service, environment, path, editor) -> Incident:
    began = now() - 50 * MINUTE
    incident = Incident.objects.create(
        service=service, environment=environment, title="Price a crossing fails", opened_at=began,
        acknowledged_at=began + 4 * MINUTE, acknowledged_by=editor, resolved_at=began + 20 * MINUTE,
    )  # fmt: skip
    incident.paths.create(path=path, joined_at=began, reason="status is 503")
    incident.timeline.create(at=began, act="opened", path=path, text="status is 503")
    incident.timeline.create(at=began + 90 * timedelta(seconds=1), act="alerted", text="Pricing")
    return incident


def test_a_release_is_told_whole(release):
    facts: Any = release_record(release, as_of=now())
    assert facts["release"]["commit"] == release.commit
    assert facts["service"]["owner"] == "Pricing"
    assert facts["rollback_note"]["version"] == 1
    assert facts["rollback_note"]["rehearsals"][0]["is_of_these_steps"] is True
    assert [one["name"] for one in facts["sheets"]] == ["Price a crossing"]
    assert facts["evidence"][0]["command"] == "pytest -q `all`"
    assert facts["overrides"][0]["asked_by"] == "Edith Moe"
    assert facts["decisions"][0]["readiness_then"]["whole"]
    assert facts["commands"] == ["pytest -q `all`", "ferryctl back"]
    assert facts["assumptions"] == ["staging has the fares of March"]
    assert (facts["baseline"], facts["after"]) == ("not recorded", "not recorded")
    acts = [one["act"] for one in facts["timeline"]]
    assert acts[0] == "named"
    assert {"unit passed", "released anyway", "override of lint asked"} <= set(acts)


def test_the_gates_of_the_record_are_those_of_the_page(release, client_of):
    facts: Any = release_record(release, as_of=now())
    html = client_of("viewer").get(HERE).text
    for gate in facts["gates"]:
        assert gate["word"].capitalize() in html.split(f'id="gate-{gate["gate"]}"')[1] or (
            gate["need"] == "absent"
        )


def test_an_incident_is_told_with_its_minutes_and_the_release_before_it(release, incident):
    facts: Any = incident_record(incident, as_of=now())
    assert facts["minutes"] == {"to_alert": 1.5, "to_acknowledge": 4.0, "to_recover": 20.0}
    assert facts["paths"][0]["failed_because"] == "status is 503"
    assert facts["release_before"]["version"] == "2026.11.4"
    assert facts["rollback_note"]["title"] == "Go back to the one before"
    assert facts["rollback_note_used"] == "no rollback was started"
    assert [one["act"] for one in facts["timeline"]] == ["opened", "alerted"]
    became: Any = release_record(release, as_of=now())
    assert became["became"]["minutes"] == facts["minutes"]


def test_the_version_by_which_somebody_went_back_is_the_one_told(release, incident, editor):
    note = NoteVersion.objects.get().note
    note.write(
        title="Another way", use_when="", does_not_undo="", minutes=1, steps=[], reason="", by=None,
        now=now() - 2 * HOUR, base=1,
    )  # fmt: skip
    facts = {"note": note.pk, "version": 1}
    incident.timeline.create(at=now(), act="started", by=editor, facts=facts)
    told: Any = incident_record(incident, as_of=now())
    assert told["rollback_note"]["version"] == 1
    assert told["rollback_note_used"].startswith("version 1, since ")


@pytest.mark.parametrize("write", [write_json, write_markdown])
def test_the_same_moment_gives_the_same_bytes(release, incident, write):
    as_of = now()
    for read, thing in ((release_record, release), (incident_record, incident)):
        assert write(read(thing, as_of=as_of)) == write(read(thing, as_of=as_of))


def test_what_came_after_the_moment_is_not_told(release, editor):
    before: Any = release_record(release, as_of=now() - 90 * MINUTE)
    assert before["evidence"] == before["decisions"] == before["overrides"] == []
    assert before["release"]["released_at"] is None
    assert before["became"] == "not released"


@pytest.mark.parametrize("kind", ["md", "json"])
def test_a_download_has_the_hash_that_its_page_shows(client_of, release, incident, kind):
    client = client_of("viewer")
    for here in (HERE, f"/incidents/{incident.pk}"):
        page = client.get(f"{here}/record").text
        link = page.split(f'href="{here}/record.{kind}?as_of=')[1].split('"')[0]
        answer = client.get(f"{here}/record.{kind}?as_of={link}")
        digest = sha256(answer.content).hexdigest()
        assert answer["Opsboard-SHA256"] == digest
        assert digest in page
        assert answer["Repr-Digest"].startswith("sha-256=:")
        assert "attachment" in answer["Content-Disposition"]


def test_markdown_and_json_have_the_same_facts(client_of, release):
    client = client_of("viewer")
    facts = json.loads(client.get(f"{HERE}/record.json").content)
    markdown = client.get(f"{HERE}/record.md").content.decode()
    for key in facts.keys() - {"title", "as_of"}:
        assert f"## {key[:1].upper()}{key[1:].replace('_', ' ')}\n" in markdown
    assert "Load \\*fare\\* rules" in markdown
    assert "\\<today\\>" in markdown
    assert "``pytest -q `all` ``" in markdown.replace("`` pytest", "``pytest")


@pytest.mark.parametrize("asked", ["", "x", "2999-01-01T00:00:00Z", "2026-11-17"])
def test_a_moment_that_is_none_or_to_come_is_now(client_of, release, asked):
    facts = json.loads(client_of("viewer").get(f"{HERE}/record.json", {"as_of": asked}).content)
    told = datetime.fromisoformat(facts["as_of"])
    assert datetime.now(UTC) - told < timedelta(seconds=10)


def test_the_record_is_linked_from_both_pages(client_of, release, incident):
    client = client_of("viewer")
    assert f'href="{HERE}/record"' in client.get(HERE).text
    assert f'href="/incidents/{incident.pk}/record"' in client.get(f"/incidents/{incident.pk}").text


def test_without_anything_known_it_says_so(service, environment):
    facts: Any = release_record(a_release(service), as_of=now())
    assert facts["rollback_note"] == "no rollback note"
    assert facts["evidence"] == []
    assert "## Rollback note\n\nno rollback note\n" in write_markdown(facts).decode()
