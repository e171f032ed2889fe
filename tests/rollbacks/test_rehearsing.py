"""A rehearsal is written down with an outcome a step, who went and how long it took."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User

from opsboard.people.audit import Actor, Via
from opsboard.people.models import AuditEntry
from opsboard.rollbacks.models import NoteVersion, Rehearsal, RollbackNote
from opsboard.rollbacks.rehearsing import Refused, rehearsals_of, rehearse, state_of
from opsboard.rollbacks.rules import Rehearsed
from opsboard.services.models import Environment, Service
from tests.company import BY, NOON

HOUR = timedelta(hours=1)
WORKED, FAILED, LEFT = ({"outcome": word} for word in ("worked", "failed", "left out"))
STEPS = [{"do": "Hold", "run": "hold"}, {"do": "Go back", "run": "deploy"}]


@pytest.fixture
def version(service: Service, environment: Environment) -> NoteVersion:
    note = RollbackNote.objects.create(service=service)
    return write(note, STEPS)


def write(note: RollbackNote, steps: list[dict[str, str]], base: int = 0) -> NoteVersion:
    version = note.write(
        title="Go back",
        use_when="",
        does_not_undo="",
        minutes=6,
        steps=steps,
        reason="",
        by=None,
        now=NOON,
        base=base,
    )
    assert version
    return version


def gone(version: NoteVersion, *outcomes: dict[str, str], **fields: Any) -> Rehearsal:
    values = {"environment_slug": "production", "at": NOON - HOUR, "seconds": 230, "by": BY}
    return rehearse(version, outcomes=outcomes, now=NOON, **(values | fields))


def test_it_worked_when_no_step_failed(version: NoteVersion) -> None:
    assert gone(version, WORKED, WORKED).worked
    assert gone(version, WORKED, LEFT).worked
    assert not gone(version, WORKED, FAILED).worked


@pytest.mark.parametrize(
    ("outcomes", "fields", "sentence"),
    [
        ([WORKED], {}, "Say of each of the 2 steps whether it worked: this says it of 1."),
        ([WORKED, {"outcome": "fine"}], {}, "Step 2 worked, failed or was left out: say which."),
        ([LEFT, LEFT], {}, "Every step was left out: then nothing was rehearsed."),
        ([WORKED, WORKED], {"seconds": 0}, "A rehearsal takes between 1 second and 7 days."),
        ([WORKED, WORKED], {"seconds": 8 * 86_400}, "between 1 second and 7 days"),
        ([WORKED, WORKED], {"at": NOON + HOUR}, "after it was gone"),
        ([WORKED, WORKED], {"seconds": 7_200}, "would not be over yet"),
        ([WORKED, WORKED], {"environment_slug": "moon"}, "Fares API has no environment moon."),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(
    version: NoteVersion, outcomes: list[dict[str, str]], fields: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(Refused, match=sentence):
        gone(version, *outcomes, **fields)
    assert not Rehearsal.objects.exists()
    assert not AuditEntry.objects.filter(act="rehearsed").exists()


def test_a_person_or_the_name_of_a_token_is_kept(version: NoteVersion, editor: User) -> None:
    token = Actor(None, Via.COMMAND, who="ci of fares")
    assert gone(version, WORKED, WORKED, by=token).by_name == "ci of fares"
    by_editor = gone(version, WORKED, WORKED, by=Actor(editor, Via.PAGES))
    assert (by_editor.by, by_editor.by_name) == (editor, "")


def test_it_stands_in_the_audit_log(version: NoteVersion) -> None:
    gone(version, WORKED, FAILED, release="2026.11.3", remark="The cache was cold.")
    entry = AuditEntry.objects.get(act="rehearsed")
    assert (entry.kind, entry.subject) == ("rollback note", "fares-api")
    changes = {change["field"]: change["new"] for change in entry.changes}
    assert changes["outcome"] == "failed"
    assert changes["steps"] == "worked\nfailed"
    assert changes["release"] == "2026.11.3"


def test_a_new_version_with_the_same_steps_stays_rehearsed(version: NoteVersion) -> None:
    gone(version, WORKED, WORKED)
    same = write(version.note, STEPS, base=1)
    other = write(version.note, [{"do": "Hold", "run": "hold --now"}], base=2)
    rehearsals = rehearsals_of([version.note_id])[version.note_id]
    assert state_of(same, rehearsals, now=NOON).word is Rehearsed.FRESH
    assert state_of(other, rehearsals, now=NOON).word is Rehearsed.STEPS_CHANGED


def test_all_rehearsals_of_many_notes_take_one_query(
    version: NoteVersion, django_assert_num_queries: Any
) -> None:
    gone(version, WORKED, WORKED)
    gone(version, WORKED, FAILED)
    with django_assert_num_queries(1):
        found = rehearsals_of([version.note_id])
    assert [one.failed_steps for one in found[version.note_id]] == [(2,), ()]
