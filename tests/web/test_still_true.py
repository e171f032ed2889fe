""" "Still true" on a rollback note: who said so, when, and until when it counts."""

from datetime import UTC, datetime, timedelta

import pytest

from opsboard.people.models import AuditEntry
from opsboard.rollbacks.models import NoteVersion, RollbackNote
from opsboard.services.models import CriticalPath
from tests.web.standing import a_path, a_service, text_of

NOTE = "/services/fares-api/rollback-note"


@pytest.fixture
def note(db) -> RollbackNote:
    service = a_service("fares-api")
    note = RollbackNote.objects.create(service=service)
    write(note)
    return note


def write(note: RollbackNote, *, by=None, base: int = 0) -> NoteVersion:
    version = note.write(
        title="Go back", use_when="", does_not_undo="", minutes=4, steps=[{"do": "x"}],
        reason="", by=by, now=datetime.now(UTC), base=base,
    )  # fmt: skip
    assert version is not None
    return version


def checked(days_ago: float) -> None:
    NoteVersion.objects.update(checked_at=datetime.now(UTC) - timedelta(days=days_ago))


def test_an_imported_note_begins_as_not_reviewed(note, client_of):
    assert "Not reviewed yet" in text_of(client_of("viewer").get(NOTE).text)


def test_a_note_is_checked_by_who_wrote_it(note, editor, client_of):
    version = write(note, by=editor, base=1)
    assert (version.checked_by, version.checked_at) == (editor, version.written_at)
    page = text_of(client_of("viewer").get(NOTE).text)
    assert "Fresh until" in page and "Checked by Edith Moe" in page


def test_still_true_stores_who_and_when_and_leaves_an_audit_entry(note, editor, client_of):
    before = datetime.now(UTC)
    response = client_of("editor").post(f"{NOTE}/review", {"version": 1}, follow=True)
    version = note.versions.get()
    assert version.checked_by == editor
    assert before <= version.checked_at <= datetime.now(UTC)
    assert "Checked by Edith Moe" in text_of(response.text)
    entry = AuditEntry.objects.get()
    assert (entry.who, entry.act, entry.kind, entry.subject) == (
        "Edith Moe",
        "checked",
        "rollback note",
        "fares-api",
    )


def test_the_note_of_a_path_is_checked_by_itself(note, client_of):
    path = a_path(note.service)
    own = RollbackNote.objects.create(service=note.service, path=path)
    write(own)
    address = f"/services/fares-api/{path.slug}/rollback-note/review"
    assert client_of("editor").post(address, {"version": 1}).status_code == 302
    assert own.versions.get().checked_at is not None
    assert note.versions.get().checked_at is None
    assert AuditEntry.objects.get().subject == "fares-api/price-a-crossing"


def test_a_version_that_was_saved_meanwhile_is_not_checked_unread(note, client_of):
    write(note, base=1)
    response = client_of("editor").post(f"{NOTE}/review", {"version": 1}, follow=True)
    assert "Version 2 was saved meanwhile. Read it first." in response.text
    assert not NoteVersion.objects.filter(checked_at__isnull=False).exists()


def test_where_no_note_is_there_is_nothing_to_check(db, client_of):
    a_service("fares-api")
    assert client_of("editor").post(f"{NOTE}/review", {"version": 1}).status_code == 404


def test_a_viewer_is_not_offered_the_button(note, client_of):
    assert "Still true" not in client_of("viewer").get(NOTE).text
    assert "Still true" in client_of("editor").get(NOTE).text


def test_a_note_that_ran_out_says_so_wherever_it_stands(note, client_of):
    checked(91)
    for address in (NOTE, "/rollback-notes"):
        assert "Out of date since" in text_of(client_of("viewer").get(address).text)


def test_the_ages_are_settings(note, client_of, settings):
    checked(1)
    assert "Fresh until" in text_of(client_of("viewer").get(NOTE).text)
    settings.NOTE_LASTS_DAYS = 0.5
    assert "Out of date since" in text_of(client_of("viewer").get(NOTE).text)


def test_a_pasted_sheet_begins_as_not_reviewed(note, client_of):
    client_of("editor").post(
        "/add",
        {
            "pasted": "http://127.0.0.1:9/price", "service": "fares-api", "owner": "Pricing",
            "name": "Price", "expected_result": "status == 200", "act": "save", "proposed": "",
        },
    )  # fmt: skip
    assert CriticalPath.objects.get(slug="price").checked_at is None
