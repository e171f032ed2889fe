"""What people do about an incident: open one, update, resolve, go back, write the afterword."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from opsboard.alerts.models import Channel
from opsboard.incidents.models import Incident
from opsboard.people.models import AuditEntry
from opsboard.probes.rules import State
from opsboard.rollbacks.models import NoteVersion, RollbackNote
from opsboard.services.models import CriticalPath, Service
from tests.web.standing import a_path, a_service, stands, text_of


@pytest.fixture
def fares(db: None) -> Service:
    return a_service("fares-api")


@pytest.fixture
def price(fares: Service) -> CriticalPath:
    return a_path(fares)


@pytest.fixture
def incident(price: CriticalPath) -> Incident:
    """Open for 23 minutes, of a path that fails."""
    opened = datetime.now(UTC) - timedelta(minutes=23)
    stands(price, State.FAILING)
    made = Incident.objects.create(
        service=price.service,
        environment=price.service.environments.get(),
        title="Price a crossing is failing",
        opened_at=opened,
    )
    made.paths.create(path=price, joined_at=opened, reason="status is 503, expected 200")
    return made


@pytest.fixture
def client(client_of) -> Client:
    return client_of("editor")


@pytest.fixture
def here(incident) -> str:
    return f"/incidents/{incident.pk}"


def newest() -> AuditEntry:
    return AuditEntry.objects.order_by("-pk")[0]


def told(client: Client, url: str, typed: dict[str, Any]) -> str:
    answer = client.post(url, typed, follow=True)
    assert answer.redirect_chain
    return text_of(answer.text)


# Opening one by hand


def place_of(service: Service) -> int:
    return service.environments.get().pk


def test_an_incident_is_opened_by_hand(client, fares, editor):
    channel = Channel(name="Everybody", kind=Channel.Kind.EMAIL)
    channel.keep(address="everybody@skerry.example")
    channel.save()
    typed = {"place": place_of(fares), "title": "Passengers cannot pay", "text": "Since **noon**."}
    page = told(client, "/incidents/new", typed)
    incident = Incident.objects.get()
    assert (incident.is_by_hand, incident.opened_by) == (True, editor)
    assert "Passengers cannot pay" in page
    assert "Opened by hand by Edith Moe." in page
    assert "Edith Moe opened this incident by hand." in page
    assert "Edith Moe: Since noon." in page
    assert [delivery.channel for delivery in incident.deliveries.all()] == [channel]
    opened = AuditEntry.objects.get(act="opened")
    assert (opened.kind, opened.subject) == ("incident", str(incident))


def test_the_form_begins_with_the_service_that_a_page_names(client, fares):
    page = client.get("/incidents/new?service=fares-api&environment=production").text
    assert f'<option value="{place_of(fares)}" selected>fares-api in production' in page


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"place": ""}, "Choose a service and where it runs."),
        ({"place": "99999"}, "This is not on the board any more"),
        ({"place": "a place"}, "This is not on the board any more"),
        ({"title": " "}, "Fill this in."),
        ({"title": "x" * 301}, "300"),
        ({"title": "turned\u202earound"}, "turned"),
        ({"text": "x" * 10_001}, "10000"),
    ],
    ids=["no place", "unknown", "words", "no title", "long", "turning", "much"],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(client, fares, typed, said):
    good = {"place": place_of(fares), "title": "Cannot pay", "text": "Since noon, kept"}
    answer = client.post("/incidents/new", good | typed)
    assert answer.status_code == 422
    assert said in answer.text
    assert ("Since noon, kept" in answer.text) is ("text" not in typed)
    assert not Incident.objects.exists()


def test_where_one_is_open_it_is_named_and_no_second_one_opens(client, incident, fares):
    typed = {"place": place_of(fares), "title": "Cannot pay", "text": "Kept"}
    answer = client.post("/incidents/new", typed)
    assert answer.status_code == 422
    assert f"{incident} of fares-api is open in production: write an update there." in answer.text
    assert "Kept" in answer.text
    assert Incident.objects.count() == 1
    assert not AuditEntry.objects.exists()


# Updates


def test_an_update_stands_in_what_happened_with_its_writer(client, here, incident):
    page = told(client, f"{here}/updates", {"text": "Rolling **back** is faster."})
    assert "Edith Moe: Rolling back is faster." in page
    assert (newest().act, newest().subject) == ("updated", str(incident))


@pytest.mark.parametrize("act", ["updates"])
def test_an_empty_update_says_so(client, here, act):
    answer = client.post(f"{here}/{act}", {"text": "  "})
    assert answer.status_code == 422
    assert "Fill this in." in answer.text
    assert not AuditEntry.objects.exists()


def test_what_people_write_is_never_markup(client, here):
    client.post(f"{here}/updates", {"text": "<script>alert(1)</script>"})
    assert "<script>alert(1)" not in client.get(here).text


def test_an_ended_incident_can_still_be_added_to(client, here, incident):
    incident.resolved_at = datetime.now(UTC)
    incident.save()
    assert "Edith Moe: It was the cache." in told(
        client, f"{here}/updates", {"text": "It was the cache."}
    )


# Resolving


def test_the_form_says_what_fails_still_and_that_it_opens_again(client, here):
    page = text_of(client.get(f"{here}/resolution").text)
    assert "Failing still: Price a crossing" in page
    assert "10 minutes after you resolve opens the incident again" in page


def test_an_incident_is_resolved_by_hand_with_what_was_done(client, here, incident, editor):
    page = told(client, f"{here}/resolution", {"text": "Went back to 2026.11.2."})
    incident.refresh_from_db()
    assert (incident.is_open, incident.resolved_by) == (False, editor)
    assert "Resolved by Edith Moe. Went back to 2026.11.2." in page
    assert "has recovered" not in page
    resolved = AuditEntry.objects.get(act="resolved")
    assert "Went back" in str(resolved.changes)


def test_resolving_twice_changes_nothing_and_keeps_what_was_written(client, here, incident):
    client.post(f"{here}/resolution", {"text": ""})
    page = told(client, f"{here}/resolution", {"text": "Second"})
    assert f"{incident} is resolved already." in page
    assert AuditEntry.objects.filter(act="resolved").count() == 1


# The afterword


@pytest.fixture
def ended(incident) -> Incident:
    incident.resolved_at = datetime.now(UTC)
    incident.save()
    incident.paths.update(left_at=incident.resolved_at)
    return incident


def afterword(client: Client, here: str, text: str) -> dict[str, Any]:
    """The form as it is open now, with `text` typed into it."""
    form = client.get(f"{here}/afterword").context["form"]
    return {"shown": form["shown"].value(), "text": text}


def test_an_afterword_is_written_once_it_is_over(client, here, ended):
    assert "Write an afterword" in client.get(here).text
    page = told(client, f"{here}/afterword", afterword(client, here, "We *learned*."))
    assert "Afterword Edith Moe" in page
    assert "We learned." in page
    assert "Edith Moe wrote the afterword." in page
    assert (newest().act, newest().subject) == ("changed", str(ended))


def test_of_an_open_incident_there_is_none_yet(client, here, incident):
    assert "Write an afterword" not in client.get(here).text
    page = told(client, f"{here}/afterword", {"text": "Early"})
    assert "An afterword is written once the incident is over" in page
    incident.refresh_from_db()
    assert incident.afterword == ""


def test_two_writers_see_both_texts(client, here, ended, client_of, administrator):
    mine = afterword(client, here, "Mine")
    client_of("administrator").post(
        f"{here}/afterword", afterword(client_of("administrator"), here, "Theirs")
    )
    answer = client.post(f"{here}/afterword", mine)
    assert answer.status_code == 422
    assert "Somebody else has saved this since you opened it" in answer.text
    assert "Theirs" in answer.text
    assert "Mine" in answer.text
    ended.refresh_from_db()
    assert ended.afterword == "Theirs"


# The way back


@pytest.fixture
def version(fares) -> NoteVersion:
    note = RollbackNote.objects.create(service=fares)
    steps = [{"do": f"Step {name}", "run": "", "see": "", "call": ""} for name in ["one", "two"]]
    written = note.write(
        title="Go back one release", use_when="", does_not_undo="", minutes=4, steps=steps,
        reason="", by=None, now=datetime.now(UTC),
    )  # fmt: skip
    assert written
    return written


def test_starting_the_rollback_says_who_and_when_and_runs_nothing(client, here, version):
    html = client.get(here).text
    before = text_of(html)
    assert "Start rollback" in before
    assert "It runs nothing by itself." in before
    # The marks keep their place, and cannot be used yet.
    assert html.count("Mark done") == len(re.findall(r"<button[^>]*aria-disabled[^>]*>Mark", html))
    page = told(client, f"{here}/rollback", {"version": version.pk})
    assert "Edith Moe started this rollback at" in page
    assert "0 of 2 steps done." in page
    assert "Edith Moe started the rollback." in page
    assert "Start rollback" not in page
    assert newest().act == "started the rollback of"


def test_each_step_says_who_did_it_and_can_be_undone(client, here, version):
    client.post(f"{here}/rollback", {"version": version.pk})
    page = told(client, f"{here}/rollback/steps/2", {"done": "yes"})
    assert "1 of 2 steps done." in page
    assert "Edith Moe marked step 2 of the rollback done." in page
    assert "Undo: step 2" in page
    page = told(client, f"{here}/rollback/steps/2", {"done": "no"})
    assert "0 of 2 steps done." in page
    assert "Mark done: step 2" in page


def test_a_rollback_follows_the_version_it_was_started_with(client, here, version, editor):
    client.post(f"{here}/rollback", {"version": version.pk})
    version.note.write(
        title="Another way", use_when="", does_not_undo="", minutes=4, steps=[], reason="",
        by=editor, now=datetime.now(UTC), base=1,
    )  # fmt: skip
    page = text_of(client.get(here).text)
    assert "Rollback note: Go back one release" in page
    assert "Version 1" in page
    assert "Version 2 is in use now." in page


@pytest.mark.parametrize("key", ["", "99999", "words"])
def test_a_note_that_is_not_in_use_is_not_started(client, here, version, key):
    page = told(client, f"{here}/rollback", {"version": key})
    assert "This note is not the one in use any more." in page
    assert not AuditEntry.objects.exists()


def test_it_is_started_once(client, here, version):
    client.post(f"{here}/rollback", {"version": version.pk})
    page = told(client, f"{here}/rollback", {"version": version.pk})
    assert "Somebody started the rollback already" in page
    assert AuditEntry.objects.count() == 1


@pytest.mark.parametrize("step", [0, 3, 999])
def test_a_step_that_is_not_there_cannot_be_marked(client, here, version, step):
    client.post(f"{here}/rollback", {"version": version.pk})
    assert f"This note has no step {step}." in told(client, f"{here}/rollback/steps/{step}", {})


def test_no_step_is_marked_before_the_start(client, here, version):
    assert "Start the rollback first" in told(client, f"{here}/rollback/steps/1", {"done": "yes"})


def test_of_a_resolved_incident_nothing_is_started(client, here, version, ended):
    page = told(client, f"{here}/rollback", {"version": version.pk})
    assert "is resolved: there is nothing to go back from." in page
    assert "Start rollback" not in page


ACTS = ("updates", "resolution", "afterword", "rollback")


@pytest.mark.parametrize("act", [*ACTS, "new"])
def test_a_viewer_is_offered_and_allowed_none_of_it(client_of, here, version, act):
    client = client_of("viewer")
    page = client.get(here).text
    assert not [one for one in ACTS if f'{here}/{one}"' in page]
    assert "Start rollback" not in page
    url = "/incidents/new" if act == "new" else f"{here}/{act}"
    assert client.post(url, {"text": "x"}).status_code == 403
