"""The form of a rehearsal, and what the note's page says of it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from opsboard.releases.models import Release
from opsboard.rollbacks.models import NoteVersion, Rehearsal, RollbackNote
from opsboard.services.models import Deploy, Service
from opsboard.web.forms.rehearsals import read_took
from tests.web.standing import a_service, text_of

NOTE = "/services/fares-api/rollback-note"
NEW = f"{NOTE}/rehearsals/new"
PRINT = f"{NOTE}/print"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
STEPS = [
    {"do": "Hold", "run": "ferryctl hold", "see": "held", "call": ""},
    {"do": "Go back", "run": "deploy --to {{ previous_version }}", "see": "", "call": "Mirela"},
]


@pytest.fixture(autouse=True)
def _the_clock_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)


@pytest.fixture
def fares(db: None) -> Service:
    return a_service("fares-api", environments=2)


@pytest.fixture
def note(fares: Service, editor: User) -> RollbackNote:
    note = RollbackNote.objects.create(service=fares)
    write(note, STEPS, editor)
    return note


def write(note: RollbackNote, steps: list[dict[str, str]], by: User, base: int = 0) -> None:
    note.write(
        title="Go back and flush", use_when="Prices **fail**", does_not_undo="", minutes=6,
        steps=steps, reason="", by=by, now=NOW - timedelta(days=1), base=base,
    )  # fmt: skip


@pytest.fixture
def client(client_of: Callable[[Any], Client], note: RollbackNote) -> Client:
    return client_of("editor")


def gone(*outcomes: str, **fields: str) -> dict[str, str]:
    sent = {"environment": "staging", "release": "", "at": "2026-11-23 11:30"}
    sent |= {"took": "3 min 50 s", "remark": "", "version": "1"}
    sent |= {f"step-{number}-outcome": word for number, word in enumerate(outcomes, 1)}
    return sent | fields


def test_the_form_begins_with_staging_and_the_steps(client: Client) -> None:
    page = client.get(NEW)
    assert page.context["form"]["environment"].value() == "staging"
    assert page.text.count("Left out") == 2
    assert "ferryctl hold" in page.text


def test_a_rehearsal_is_written_and_the_note_says_so(client: Client, editor: User) -> None:
    assert "Never rehearsed" in client.get(NOTE).text
    answered = client.post(NEW, gone("worked", "worked", remark="Cache was warm."))
    assert answered["Location"] == NOTE
    one = Rehearsal.objects.get()
    assert (one.environment_slug, one.seconds, one.worked, one.by) == ("staging", 230, True, editor)
    assert one.at == datetime(2026, 11, 23, 11, 30, tzinfo=UTC)
    page = text_of(client.get(NOTE).text)
    assert "Rehearsed 23 Nov on staging, 3 min 50 s" in page
    assert "Edith Moe. All 2 steps worked." in page


def test_steps_that_changed_are_not_rehearsed(
    client: Client, note: RollbackNote, editor: User
) -> None:
    client.post(NEW, gone("worked", "worked"))
    write(note, STEPS[:1], editor, base=1)
    page = text_of(client.get(NOTE).text)
    assert "Not rehearsed with these steps: they changed since 23 Nov on staging" in page
    # Restored, they are rehearsed again.
    write(note, STEPS, editor, base=2)
    assert "Rehearsed 23 Nov on staging, 3 min 50 s" in text_of(client.get(NOTE).text)


def test_a_failed_step_says_that_it_did_not_work(client: Client) -> None:
    client.post(NEW, gone("worked", "failed"))
    page = text_of(client.get(NOTE).text)
    assert "Rehearsed 23 Nov on staging: step 2 failed" in page


def test_the_steps_that_were_shown_are_the_ones_that_were_gone(
    client: Client, note: RollbackNote, editor: User
) -> None:
    write(note, STEPS[:1], editor, base=1)
    client.post(NEW, gone("worked", "worked", version="1"))
    assert Rehearsal.objects.get().version == NoteVersion.objects.get(number=1)


def test_the_migrations_are_those_of_the_release(client: Client, fares: Service) -> None:
    Release.objects.create(
        service=fares, version="2026.11.3", commit="a" * 40, migrations=["0148"], named_at=NOW
    )
    client.post(NEW, gone("worked", "worked", release="2026.11.3"))
    assert (Rehearsal.objects.get().release, Rehearsal.objects.get().migrations) == (
        "2026.11.3",
        ["0148"],
    )


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"step-1-outcome": ""}, "Say whether it worked, failed or was left out."),
        ({"took": "soon"}, "Write how long it took, as in 3 min 50 s."),
        ({"took": "0 s"}, "Write how long it took"),
        ({"at": "2026-11-23 12:30"}, "after it was gone"),
        ({"at": "2026-11-23 11:59"}, "would not be over yet"),
        ({"at": "today"}, "Write a day and a time"),
        ({"environment": "moon"}, "Select a valid choice"),
        ({"release": "2026.99"}, "No release 2026.99 is named"),
        ({"step-1-outcome": "left out", "step-2-outcome": "left out"}, "nothing was rehearsed"),
    ],
)
def test_what_is_wrong_is_told(client: Client, fields: dict[str, str], says: str) -> None:
    page = client.post(NEW, gone("worked", "worked") | fields)
    assert page.status_code == 422
    assert says in page.text
    assert not Rehearsal.objects.exists()


def test_a_viewer_reads_and_does_not_write(
    client_of: Callable[[Any], Client], note: RollbackNote
) -> None:
    viewer = client_of("viewer")
    assert viewer.post(NEW, gone("worked", "worked")).status_code == 403
    assert "Write down a rehearsal" not in viewer.get(NOTE).text


def test_there_is_nothing_to_rehearse_without_a_note(
    client_of: Callable[[Any], Client], fares: Service
) -> None:
    assert client_of("editor").get(NEW).status_code == 404
    assert client_of("editor").get(PRINT).status_code == 404


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("3 min 50 s", 230),
        ("4 min", 240),
        ("45s", 45),
        ("1 h 5 min", 3_900),
        ("2m", 120),
        ("50 s 3 min", None),
        ("3", None),
        ("-3 s", None),
        ("3 s 4 s", None),
        ("", None),
    ],
)
def test_how_long_it_took_is_read(text: str, seconds: int | None) -> None:
    assert read_took(text) == seconds


# On paper ------------------------------------------------------------------------------------


def release(fares: Service, *versions: str, environment: str = "production") -> None:
    place = fares.environments.get(slug=environment)
    for number, version in enumerate(versions):
        at = NOW - timedelta(hours=len(versions) - number)
        place.deploys.create(kind=Deploy.Kind.RELEASE, name=version, at=at)


def test_on_paper_the_commands_are_filled_in(client: Client, fares: Service) -> None:
    release(fares, "2026.11.2", "2026.11.3")
    page = text_of(client.get(PRINT).text)
    assert "deploy --to 2026.11.2" in page
    assert "from 2026.11.3 to 2026.11.2" in page
    assert "If it fails, call: Mirela" in page
    assert "Never rehearsed" in page
    assert "Printed 23 Nov 2026, 12:00 UTC" in page


def test_what_is_not_known_is_left_as_written_and_said(client: Client, fares: Service) -> None:
    release(fares, "2026.11.2", "2026.11.3")
    page = text_of(client.get(f"{PRINT}?environment=staging").text)
    assert "deploy --to {{ previous_version }}" in page
    assert "The previous version is not known: fill in {{ previous_version }} yourself." in page
    assert "which release runs in staging is not known" in page


@pytest.mark.parametrize("query", ["environment=moon", "incident=9", "incident=x"])
def test_paper_of_what_is_not_there(client: Client, query: str) -> None:
    assert client.get(f"{PRINT}?{query}").status_code == 404


def test_the_notes_page_says_what_the_words_stand_for(client: Client, fares: Service) -> None:
    release(fares, "2026.11.2", "2026.11.3")
    page = text_of(client.get(NOTE).text)
    assert "deploy --to {{ previous_version }}" in page
    assert "production 2026.11.2" in page
    assert "staging not known" in page
