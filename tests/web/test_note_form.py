"""The editor of a rollback note: every save is a version, and nobody's text is lost."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from opsboard.rollbacks.models import NoteVersion, RollbackNote
from opsboard.services.models import CriticalPath, Service

SignIn = Callable[[Any], Client]
EDIT = "/services/fares-api/rollback-note/edit"
PATH_EDIT = "/services/fares-api/price-a-crossing/rollback-note/edit"
HOLD = {"do": "Hold releases", "run": "ferryctl hold", "see": "fares-api is held.", "call": ""}
BACK = {"do": "Go back to 2026.11.2", "run": "", "see": "", "call": "Mirela Dobre"}


@pytest.fixture
def client(client_of: SignIn, service: Service) -> Client:
    return client_of("editor")


def typed(*steps: dict[str, str], **fields: str) -> dict[str, str]:
    data = {"title": "Go back", "use_when": "Prices fail", "does_not_undo": "", "minutes": "6"}
    data |= {"reason": "First version", "base": "0"}
    data |= {"step-TOTAL_FORMS": str(len(steps)), "step-INITIAL_FORMS": "0"}
    for number, step in enumerate(steps):
        data |= {f"step-{number}-{name}": value for name, value in step.items()}
    return data | fields


EMPTY = {"do": "", "run": "", "see": "", "call": ""}


def test_the_first_version_is_written_for_a_service(client: Client, editor: User) -> None:
    answered = client.post(EDIT, typed(EMPTY, HOLD, EMPTY, BACK))
    assert answered["Location"] == "/services/fares-api/rollback-note"
    version = NoteVersion.objects.get()
    assert (version.number, version.title, version.minutes) == (1, "Go back", 6)
    assert version.steps == [HOLD, BACK]
    assert version.written_by == editor
    assert version.note.path is None


def test_a_path_has_a_note_of_its_own(client: Client, path: CriticalPath) -> None:
    answered = client.post(PATH_EDIT, typed(BACK))
    assert answered["Location"] == "/services/fares-api/price-a-crossing/rollback-note"
    assert NoteVersion.objects.get().note.path == path


def test_the_next_version_begins_with_the_text_of_the_last(client: Client) -> None:
    client.post(EDIT, typed(HOLD, BACK))
    page = client.get(EDIT)
    assert page.context["form"]["base"].value() == 1
    assert page.context["rows"][1]["do"].value() == "Go back to 2026.11.2"
    assert len(page.context["rows"].forms) == 3
    assert "Publish version 2" in page.text
    client.post(EDIT, typed(BACK, base="1"))
    assert [version.number for version in NoteVersion.objects.order_by("number")] == [1, 2]


def test_somebody_else_saved_meanwhile_and_both_are_shown(
    client: Client, service: Service, viewer: User
) -> None:
    client.post(EDIT, typed(HOLD))
    note = RollbackNote.objects.get()
    note.write(
        title="Theirs", use_when="", does_not_undo="", minutes=None, steps=[BACK], reason="",
        by=viewer, now=timezone.now(), base=1,
    )  # fmt: skip
    page = client.post(EDIT, typed(HOLD, title="Mine", base="1"))
    assert page.status_code == 422
    assert "Version 2 was saved since you opened this" in page.text
    assert "Theirs" in page.text
    assert "Vera Lind" in page.text
    assert 'value="Mine"' in page.text
    assert page.context["form"]["base"].value() == 2
    rows = {row.label: (row.theirs, row.yours) for row in page.context["differences"]}
    assert rows["What it does"] == ("Theirs", "Mine")
    assert "1. Hold releases" in rows["Steps"][1]
    client.post(EDIT, typed(HOLD, title="Mine", base="2"))
    assert NoteVersion.objects.get(number=3).title == "Mine"
    assert NoteVersion.objects.get(number=2).title == "Theirs"


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("title", "", "Fill this in."),
        ("title", "x" * 201, "At most 200"),
        ("title", "a\u202eb", "reverses the direction"),
        ("use_when", "a\x1b[2J", "control character"),
        ("minutes", "0", "from 1 to 10000"),
        ("minutes", "six", "from 1 to 10000"),
    ],
)
def test_a_mistake_is_told_beside_its_field(
    client: Client, field: str, value: str, says: str
) -> None:
    page = client.post(EDIT, typed(HOLD, **{field: value}))
    assert page.status_code == 422
    assert says in page.context["form"].errors[field][0]
    assert "Hold releases" in page.text
    assert not NoteVersion.objects.exists()


@pytest.mark.parametrize(
    ("step", "says"),
    [
        (HOLD | {"do": ""}, "Fill this in."),
        (HOLD | {"see": ""}, "Say what the person should see"),
        (HOLD | {"run": "a\nb"}, "control characters"),
    ],
)
def test_a_wrong_step_is_told(client: Client, step: dict[str, str], says: str) -> None:
    page = client.post(EDIT, typed(step))
    assert page.status_code == 422
    assert says in page.text
    assert "1\N{NO-BREAK SPACE}thing to fix first" in page.text


def test_a_note_without_a_step_is_refused(client: Client) -> None:
    page = client.post(EDIT, typed(EMPTY))
    assert "Write at least one step." in page.text


def test_a_note_has_at_most_64_kib(client: Client) -> None:
    long = "x" * 33_000
    page = client.post(EDIT, typed(HOLD, use_when=long, does_not_undo=long))
    assert page.status_code == 422
    assert "at most 64 KiB" in page.text
    assert client.post(EDIT, typed(HOLD, use_when=long)).status_code == 302


def test_markup_is_kept_as_it_was_typed_and_shown_as_text(client: Client) -> None:
    client.post(EDIT, typed(HOLD, use_when="<script>alert(1)</script>"))
    assert NoteVersion.objects.get().use_when == "<script>alert(1)</script>"
    assert "<script>alert" not in client.get(EDIT).text


def test_a_step_is_added_without_judging_what_was_typed(client: Client) -> None:
    page = client.post(EDIT, typed(HOLD, title="", act="add-step"))
    assert page.status_code == 200
    assert len(page.context["rows"].forms) == 2
    assert page.context["rows"][0]["do"].value() == "Hold releases"
    assert "aria-invalid" not in page.text


def test_a_step_is_taken_out_and_the_others_keep_what_was_typed(client: Client) -> None:
    page = client.post(EDIT, typed(HOLD, BACK, title="", act="remove-step-0"))
    rows = page.context["rows"].forms
    assert [row["do"].value() or "" for row in rows] == ["Go back to 2026.11.2", ""]
    assert rows[0]["call"].value() == "Mirela Dobre"
    assert "aria-invalid" not in page.text
    assert not NoteVersion.objects.exists()
    last = client.post(EDIT, typed(HOLD, act="remove-step-0"))
    assert [row["do"].value() or "" for row in last.context["rows"].forms] == ["", "", ""]


@pytest.mark.parametrize("act", ["remove-step-9", "remove-step-", "remove-step-x"])
def test_a_step_that_is_not_there_takes_nothing_out(client: Client, act: str) -> None:
    answered = client.post(EDIT, typed(HOLD, title="", act=act))
    assert answered.context["rows"][0]["do"].value() == "Hold releases"


@pytest.mark.parametrize("base", ["", "x", "-1", "7", "９"])
def test_a_version_that_no_form_names_loses_nothing(client: Client, base: str) -> None:
    page = client.post(EDIT, typed(HOLD, base=base))
    assert page.status_code in (302, 422)
    assert page.status_code == 302 or "Hold releases" in page.text


def test_viewers_may_not(client_of: SignIn, service: Service) -> None:
    assert client_of("viewer").get(EDIT).status_code == 403
