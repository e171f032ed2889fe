"""Drafts and restored versions of a rollback note: nobody's text is lost."""

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from opsboard.people.models import AuditEntry
from opsboard.rollbacks.models import NoteDraft, NoteVersion, RollbackNote
from opsboard.services.models import Service
from tests.conftest import PASSWORD
from tests.web.test_note_form import BACK, EDIT, HOLD, typed

SignIn = Callable[[Any], Client]
NOTE = "/services/fares-api/rollback-note"


@pytest.fixture
def client(client_of: SignIn, service: Service) -> Client:
    return client_of("editor")


@pytest.fixture
def note(service: Service, viewer: User) -> RollbackNote:
    """Three versions by somebody else."""
    made = RollbackNote.objects.create(service=service)
    for number, title in enumerate(["First", "Second", "Third"]):
        publish(made, title, base=number, by=viewer)
    return made


def publish(note: RollbackNote, title: str, *, base: int, by: User) -> None:
    version = note.write(
        title=title, use_when="", does_not_undo="", minutes=None,
        steps=[HOLD | {"do": f"Step of {title}"}], reason="", by=by,
        now=timezone.now(), base=base,
    )  # fmt: skip
    assert version


def kept() -> str:
    return NoteDraft.objects.get().kept_at.isoformat()


def keep(client: Client, *steps: dict[str, str], **fields: str) -> Any:
    return client.post(EDIT, typed(*steps, **fields, act="draft"))


# Restoring ---------------------------------------------------------------------------------


def test_restoring_an_old_version_makes_a_new_one(client: Client, note: RollbackNote) -> None:
    shown = client.get(f"{NOTE}?version=1")
    assert "Restore version 1" in shown.text
    page = client.get(f"{EDIT}?restore=1")
    form = page.context["form"]
    assert (form["title"].value(), form["base"].value()) == ("First", 3)
    assert form["reason"].value() == "Restores version 1"
    assert page.context["rows"][0]["do"].value() == "Step of First"
    reason = {"title": "First", "reason": "Restores version 1", "base": "3"}
    client.post(EDIT, typed(HOLD, **reason))
    restored = NoteVersion.objects.get(number=4)
    assert (restored.title, restored.reason) == ("First", "Restores version 1")
    assert NoteVersion.objects.count() == 4
    entry = AuditEntry.objects.get(kind="rollback note", act="changed")
    assert {"field": "reason", "old": "", "new": "Restores version 1"} in entry.changes


def test_a_version_published_while_restoring_is_shown_first(
    client: Client, note: RollbackNote, viewer: User
) -> None:
    client.get(f"{EDIT}?restore=1")
    publish(note, "Fourth", base=3, by=viewer)
    page = client.post(EDIT, typed(HOLD, title="First", base="3"))
    assert page.status_code == 422
    assert "Version 4 was saved since you opened this" in page.text
    assert NoteVersion.objects.count() == 4


@pytest.mark.parametrize("number", ["9", "x", "", "-1", "99999999999999999999"])
def test_a_version_that_never_was_cannot_be_restored(
    client: Client, note: RollbackNote, number: str
) -> None:
    assert client.get(f"{EDIT}?restore={number}").status_code == 404


def test_the_newest_offers_no_restoring(client: Client, note: RollbackNote) -> None:
    assert "Restore version" not in client.get(NOTE).text


# Drafts ------------------------------------------------------------------------------------


def test_a_draft_is_kept_not_judged_and_begins_the_form_again(
    client: Client, note: RollbackNote
) -> None:
    answered = keep(client, HOLD | {"see": ""}, title="", minutes="six", base="3")
    assert answered.status_code == 302
    assert NoteVersion.objects.count() == 3
    page = client.get(EDIT)
    assert "Draft of version 4, based on version 3." in page.text
    assert page.context["form"]["minutes"].value() == "six"
    assert page.context["rows"][0]["do"].value() == "Hold releases"
    assert "Discard draft" in page.text


def test_there_is_one_draft_a_person_and_note(client: Client, note: RollbackNote) -> None:
    keep(client, HOLD, title="One", base="3")
    keep(client, HOLD, title="Two", base="3", kept=kept())
    assert NoteDraft.objects.get().typed["title"] == "Two"


def test_publishing_removes_the_draft_it_came_from(client: Client, note: RollbackNote) -> None:
    keep(client, HOLD, title="Mine", base="3")
    client.post(EDIT, typed(HOLD, title="Mine", base="3", kept=kept()))
    assert NoteVersion.objects.get(number=4).title == "Mine"
    assert not NoteDraft.objects.exists()


def test_publishing_something_else_leaves_the_draft(client: Client, note: RollbackNote) -> None:
    keep(client, HOLD, title="Mine", base="3")
    restoring = client.get(f"{EDIT}?restore=1")
    assert "Your draft stays as it is." in restoring.text
    client.post(EDIT, typed(HOLD, title="First", base="3", kept=""))
    assert NoteDraft.objects.get().typed["title"] == "Mine"


def test_a_draft_is_discarded(client: Client, note: RollbackNote) -> None:
    keep(client, HOLD, base="3")
    answered = client.post(EDIT, {"act": "discard", "kept": kept()})
    assert answered["Location"] == NOTE
    assert not NoteDraft.objects.exists()


def test_a_draft_kept_again_in_another_window_is_not_discarded_unseen(
    client: Client, note: RollbackNote
) -> None:
    keep(client, HOLD, title="Old", base="3")
    seen = kept()
    keep(client, HOLD, title="New", base="3", kept=seen)
    client.post(EDIT, {"act": "discard", "kept": seen})
    assert NoteDraft.objects.get().typed["title"] == "New"


def test_a_second_window_does_not_write_over_the_first_unseen(
    client: Client, note: RollbackNote
) -> None:
    keep(client, HOLD, title="First window", base="3")
    page = keep(client, HOLD, title="Second window", base="3")
    assert page.status_code == 422
    assert "You kept another draft of this note since you opened this." in page.text
    rows = {row.label: (row.theirs, row.yours) for row in page.context["differences"]}
    assert rows["What it does"] == ("First window", "Second window")
    assert NoteDraft.objects.get().typed["title"] == "First window"
    again = page.context["form"]["kept"].value()
    keep(client, HOLD, title="Second window", base="3", kept=again)
    assert NoteDraft.objects.get().typed["title"] == "Second window"


def test_somebody_published_since_the_draft_was_begun_and_both_are_shown(
    client: Client, note: RollbackNote, viewer: User
) -> None:
    keep(client, BACK, title="Mine", base="3")
    publish(note, "Theirs", base=3, by=viewer)
    page = client.get(EDIT)
    assert "Version 4 was published since you began this draft." in page.text
    rows = {row.label: (row.theirs, row.yours) for row in page.context["differences"]}
    assert rows["What it does"] == ("Theirs", "Mine")
    assert page.context["form"]["title"].value() == "Mine"
    assert page.context["form"]["base"].value() == 4
    client.post(EDIT, typed(BACK, title="Mine", base="4", kept=kept()))
    assert NoteVersion.objects.get(number=4).title == "Theirs"
    assert NoteVersion.objects.get(number=5).title == "Mine"


def test_who_else_has_a_draft_is_said_without_its_text(
    client: Client, note: RollbackNote, administrator: User
) -> None:
    NoteDraft.objects.create(
        service=note.service, by=administrator, base=2, typed={"title": "Their words"},
        kept_at=timezone.now(),
    )  # fmt: skip
    page = client.get(EDIT)
    assert "Layla Haddad has a draft too, based on version 2" in page.text
    assert "Their words" not in page.text


def test_a_draft_of_the_first_version(client: Client) -> None:
    keep(client, HOLD, title="First")
    assert "Draft of version 1." in client.get(EDIT).text


def test_a_draft_has_at_most_128_kib(client: Client) -> None:
    page = keep(client, HOLD, use_when="x" * 140_000)
    assert page.status_code == 422
    assert "A draft has at most 128 KiB" in page.text
    assert not NoteDraft.objects.exists()


def test_a_viewer_keeps_none(client_of: SignIn, service: Service) -> None:
    assert keep(client_of("viewer"), HOLD).status_code == 403
    assert not NoteDraft.objects.exists()


@pytest.mark.parametrize(
    ("act", "stored"), [("draft", NoteDraft), ("save", NoteVersion)], ids=["draft", "publish"]
)
def test_a_long_note_survives_a_lost_sign_in_with_one_send(
    service: Service, editor: User, act: str, stored: Any
) -> None:
    """Signed out while typing: sign in, send it once more, and it is stored."""
    browser, ours = Client(), {"Origin": "http://testserver"}
    steps = [HOLD | {"do": f"Step {number} " + "æ" * 200} for number in range(40)]
    words = "\n".join(f"Prices fail in market {number}: {number * 7919}" for number in range(700))
    sent = typed(*steps, use_when=words, act=act)
    lost = browser.post(EDIT, sent, headers=ours)
    form = {"name": "Edith Moe", "password": PASSWORD}
    resumed = browser.post("/sign-in", hidden(lost) | form, headers=ours)
    assert not stored.objects.exists()
    again = browser.post(EDIT, hidden(resumed), headers=ours)
    assert again.status_code == 302
    one = stored.objects.get()
    note = one.typed if act == "draft" else {"use_when": one.use_when, "steps": one.steps}
    assert note["use_when"] == words
    assert len(note["steps"]) == 40


def hidden(page: Any) -> dict[str, str]:
    pairs = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text)
    areas = re.findall(r'<textarea[^>]* name="([^"]+)"[^>]*>\n?([^<]*)</textarea>', page.text)
    return {unescape(name): unescape(value) for name, value in [*pairs, *areas]}


# Words ---------------------------------------------------------------------------------------


def test_words_that_are_not_filled_are_refused_beside_their_field(client: Client) -> None:
    wrong = HOLD | {"run": "ferryctl deploy --to {{ previous }}"}
    page = client.post(EDIT, typed(wrong, title="To {{ previous_version }}"))
    assert page.status_code == 422
    assert "{{ previous }} is no word that is filled in. Known are" in unescape(page.text)
    assert "Braces are filled in steps alone." in page.text
    good = HOLD | {"run": "ferryctl deploy --to {{ previous_version }}"}
    assert client.post(EDIT, typed(good)).status_code == 302
