"""The page of a release: ready or not, why not, each gate's proof, and what was decided."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from opsboard.incidents.models import Incident
from opsboard.people import joining
from opsboard.releases.models import Decision, Release
from opsboard.releases.reading import readiness_of
from opsboard.releases.rules import Readiness
from opsboard.releases.stopping import hold
from opsboard.rollbacks.models import RollbackNote
from opsboard.services.models import Running, Service
from tests.company import BY
from tests.releases.changing import a_change, a_verdict
from tests.web.releases import (
    COMMIT,
    HOUR,
    MINUTE,
    a_freeze,
    a_note,
    a_release,
    an_override,
    evidence,
    now,
    went_out,
)
from tests.web.standing import text_of

SignIn = Callable[[Any], Client]
HERE = "/releases/fares-api/2026.11.4"


@pytest.fixture
def client(client_of: SignIn) -> Client:
    return client_of("editor")


@pytest.fixture
def release(service, environment) -> Release:
    return a_release(service, summary="Load fare rules in one query", planned_at=now() + HOUR)


@pytest.fixture
def page(client: Client, release: Release) -> Callable[[], str]:
    return lambda: text_of(client.get(HERE).text)


def readiness(release: Release) -> Readiness:
    return readiness_of(release, now=now())


def gate_of(html: str, gate: str) -> str:
    return html.split(f'id="gate-{gate}"')[1].split("</li>")[0]


def test_it_says_first_that_it_is_not_ready_and_why(page, release):
    text = page()
    assert "fares-api 2026.11.4 is not ready" in text
    assert "Load fare rules in one query." in text
    assert "To make it ready:" in text
    for reason in readiness(release).reasons:
        assert reason.reason.rstrip(".") in text


def test_each_gate_of_the_way_back_leads_to_where_it_is_mended(client, client_of, release):
    edit, rehearse = "/rollback-note/edit", "/rollback-note/rehearsals/new"
    assert f'{edit}">Write the note' in gate_of(client.get(HERE).text, "note")
    a_note(release.service)
    html = client.get(HERE).text
    assert '/rollback-note">Read version 1' in gate_of(html, "note")
    assert f'{rehearse}">Write down a rehearsal' in gate_of(html, "rehearsal")
    assert "Write down" not in gate_of(client_of("viewer").get(HERE).text, "rehearsal")


def test_the_verdict_is_read_before_the_gates(client, release):
    html = client.get(HERE).text
    assert html.index(">Verdict</h2>") < html.index('id="gate-lint"')


def test_what_is_not_met_stands_before_what_is_met(client, release):
    evidence(release, "lint")
    evidence(release, "unit", "failed")
    html = client.get(HERE).text
    assert html.index('id="gate-unit"') < html.index('id="gate-lint"')
    assert html.index('id="gate-tag"') < html.index('id="gate-lint"')


def test_a_gate_shows_its_proof(client, release):
    evidence(release, "unit", "failed", exit_code=2, started_at=now() - 3 * HOUR)
    proof = evidence(
        release,
        "unit",
        command="pytest -q <all>",
        tool="pytest 9",
        log_tail="3 passed </pre><script>",
        assumptions=["staging has the fares of March"],
        metrics={"coverage": 91.5},
        url="https://ci.example/runs/18204",
    )
    html = gate_of(client.get(HERE).text, "unit")
    text = text_of(html)
    for shown in ("3 collected", "pytest 9", "staging has the fares of March", "coverage: 91.5"):
        assert shown in text
    assert "pytest -q &lt;all&gt;" in html
    assert "3 passed &lt;/pre&gt;&lt;script&gt;" in html
    assert "and 1 earlier" in text
    assert "failed, exit code 2" in text
    assert proof.commit in text


def test_a_link_of_evidence_leads_nowhere_but_to_the_web(client, release):
    evidence(release, "lint", url="javascript:alert(1)")
    assert 'href="javascript' not in client.get(HERE).text


def test_the_gates_that_cannot_apply_are_said_to_be_absent(client, release):
    absent = [one for one in readiness(release).gates if one.need == "absent"]
    assert absent
    html = client.get(HERE).text
    for one in absent:
        assert "it does not count here" in gate_of(html, one.gate)
        assert "gate-met" not in gate_of(html, one.gate)


def test_an_overridden_gate_keeps_its_word_and_is_never_green(client, release, editor):
    evidence(release, "unit", "failed")
    an_override(release, "unit", by=editor, is_alone=True)
    html = gate_of(client.get(HERE).text, "unit")
    assert "gate-over" in html
    assert "gate-met" not in html
    assert "Not met" in html
    assert "Overridden by Edith Moe, alone, until" in text_of(html)


def test_when_all_is_overridden_the_page_says_overridden_and_not_ready(client, release, editor):
    a_note(release.service)
    lacking = [one.gate for one in readiness(release).reasons]
    an_override(release, *lacking, by=editor, is_alone=True)
    html = client.get(HERE).text
    verdict = html.split('id="v-h"')[1].split("</section>")[0]
    assert "st-over" in verdict
    assert "st-pass" not in verdict
    assert "overridden" in text_of(html.split("<h1>")[1].split("</h1>")[0])
    assert f'href="{HERE}/release"' in html


def test_not_ready_the_button_keeps_its_place_and_says_why(client, release):
    html = client.get(HERE).text
    button = html.split('aria-disabled="true"')[1].split("</button>")[0]
    assert 'aria-describedby="why"' in button
    assert 'id="why"' in html
    assert "Record anyway" in html


def test_the_second_person_is_asked_and_the_first_is_not(client, client_of, release, editor):
    joining.add("Ingrid Solheim", "editor", password="correct horse battery")
    evidence(release, "unit", "failed")
    one = an_override(release, "unit", by=editor, needs_second=True)
    mine = client.get(HERE).text
    assert "Waits for a second person" in mine
    assert "Accept the risk" not in mine
    theirs = client_of("administrator").get(HERE).text
    assert f'formaction="{HERE}/overrides/{one.pk}/accept"' in theirs
    assert "Take back" not in client_of("viewer").get(HERE).text


def test_freezes_and_holds_stand_above_with_what_ends_them(client, release, service):
    a_freeze(service=service)
    held = hold(service, reason="fare tables were lost", by=BY, now=now())
    html = client.get(HERE).text
    text = text_of(html)
    assert "First week of the winter timetable." in text
    assert "Fare tables were lost." in text
    assert f'href="/releases/holds/{held.pk}/end"' in html


def test_what_runs_now_is_named_by_its_release(page, release, service, environment):
    a_release(service, "2026.11.3", commit="3" * 40)
    Running.objects.create(
        environment=environment, commit="3" * 40, commit_since=now(), told_at=now()
    )
    assert "Production: 2026.11.3" in page()
    Running.objects.update(commit=COMMIT)
    assert "Production: this release" in page()


def test_without_a_version_address_what_runs_is_unknown(page):
    assert "Production: unknown" in page()


def test_an_open_incident_stands_where_it_fails(client, release, service, environment):
    incident = Incident.objects.create(
        service=service, environment=environment, title="Price a crossing", opened_at=now() - HOUR
    )
    assert f'href="/incidents/{incident.pk}"' in client.get(HERE).text


def test_the_way_back_is_named(page, service):
    assert "No rollback note yet." in page()
    a_note(service)
    text = page()
    assert "Go back to the one before" in text
    assert "1 step, about 4 min." in text


def test_changes_migrations_and_paths_are_told(client, release, path):
    release.commits, release.migrations = 4, ["0148"]
    release.save()
    release.paths.add(path)
    html = client.get(HERE).text
    assert "4 commits, 1 migration: 0148" in html
    assert 'href="/services/fares-api/price-a-crossing"' in html


def test_a_decision_keeps_the_gates_as_they_stood(client, release):
    went_out(release, kind=Decision.Kind.RELEASED_ANYWAY, reason="The ferry sails at noon")
    evidence(release, "lint")
    html = client.get(HERE).text
    kept = text_of(html.split('id="dec-h"')[1].split("</section>")[0])
    assert "fares-api 2026.11.4 is released" in html
    assert "Released anyway" in kept
    assert "The ferry sails at noon." in kept
    assert "Lint: no evidence" in kept
    assert "Record rollback" in html
    assert "Record release" not in html


def test_tried_on_staging_it_waits_still(page, release):
    went_out(release, environment_slug="staging")
    Release.objects.update(released_at=None)
    assert "fares-api 2026.11.4 is not ready" in page()


def test_what_runs_out_by_the_clock_is_told(page, release, editor):
    evidence(release, "integration", environment_slug="production")
    a_note(release.service, editor)
    assert "By the clock alone: Rollback note fresh runs out" in page()


def test_an_unknown_release_and_one_of_a_removed_service_are_not_found(client, release, service):
    assert client.get("/releases/fares-api/9").status_code == 404
    assert client.get("/releases/nothing/2026.11.4").status_code == 404
    service.removed_at = now()
    service.save()
    assert "Fares API" in client.get(HERE).text
    assert client.get(HERE).status_code == 404


def test_a_version_may_hold_what_an_address_needs_escaped(client, service, environment):
    a_release(service, "1.0+build~2")
    assert client.get("/releases/fares-api/1.0+build~2").status_code == 200


def test_a_poll_gets_the_part_alone_and_304_when_nothing_changed(client, release):
    first = client.get(HERE, headers={"HX-Request": "true"})
    assert "<html" not in first.text
    again = client.get(HERE, headers={"HX-Request": "true", "HX-PTag": first["HX-PTag"]})
    assert again.status_code in (200, 304)


def write_note(service: Service, run: str) -> None:
    RollbackNote.objects.create(service=service).write(
        title="Go back", use_when="", does_not_undo="", minutes=4, reason="", by=None, now=now(),
        steps=[{"do": "Go back", "run": run, "see": "", "call": ""}],
    )  # fmt: skip


def test_the_steps_of_the_way_back_are_filled_for_this_release(client, release, page):
    write_note(release.service, "ferryctl back {{ previous_version }} {{ release.version }}")
    assert "The previous version is not known: fill in" in page()
    assert "<code>ferryctl back {{ previous_version }} 2026.11.4</code>" in client.get(HERE).text
    went_out(a_release(release.service, "2026.11.3", commit="3" * 40))
    html = client.get(HERE).text
    assert "<code>ferryctl back 2026.11.3 2026.11.4</code>" in html
    assert "is not known" not in html.split('id="way-back"')[1].split("</details>")[0]
    assert "data-copy hidden" in html.split('id="way-back"')[1].split("</details>")[0]


def test_the_page_of_a_release_takes_at_most_23_queries(client, release):
    write_note(release.service, "ferryctl back {{ previous_version }}")
    evidence(release, "unit")
    went_out(release)
    with CaptureQueriesContext(connection) as asked:
        assert client.get(HERE).status_code == 200
    assert len(asked) <= 23, "\n".join(one["sql"] for one in asked.captured_queries)


def test_the_queries_do_not_grow_with_the_evidence(client, release):
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            client.get(HERE)
        return len(asked)

    evidence(release, "unit")
    few = queries()
    for number in range(200):
        evidence(release, "unit", started_at=now() - timedelta(hours=2) - number * MINUTE)
    assert queries() == few


def test_the_changes_that_go_out_with_it_are_listed_with_where_they_stand(page, release):
    assert "Measured" not in page()
    verified = a_change(release.service)
    a_verdict(verified)
    a_change(release.service, title="Round fares in SQL")

    shown = page()

    assert f"Index fare rules {verified} Improved" in shown
    assert "Round fares in SQL" in shown
    assert "Not begun" in shown.split("Round fares in SQL")[1]


def test_a_listed_change_is_a_link(client, release):
    change = a_change(release.service)

    assert f'href="/changes/{change.pk}"' in client.get(HERE).text
