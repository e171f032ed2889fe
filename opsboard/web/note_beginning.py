"""What the editor of a rollback note begins with: a draft, a version to restore, or the newest."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import User
from django.http import Http404

from opsboard.rollbacks import drafting
from opsboard.rollbacks.models import NoteDraft, NoteVersion
from opsboard.web.forms.editing import Difference
from opsboard.web.forms.notes import differences, stored_note, version_of_typed
from opsboard.web.note_place import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    fields: dict[str, Any]
    steps: list[dict[str, str]]
    # The version in use; None: nobody wrote one yet.
    newest: NoteVersion | None
    # The draft that it begins with, and the version that it would restore.
    draft: NoteDraft | None = None
    restored: NoteVersion | None = None
    # Between the version in use and a draft that was begun before it was published.
    differences: Sequence[Difference] = field(default=())

    @property
    def is_overtaken(self) -> bool:
        """Somebody published since the draft was begun."""
        number = self.newest.number if self.newest else 0
        return self.draft is not None and self.draft.base != number


def read(place: Place, *, by: User, restore: str | None) -> Beginning:
    """Raises Http404 for a version to restore that never was."""
    newest = place.newest()
    if restore is not None:
        return _restoring(place.version(restore), newest)
    if draft := drafting.draft_of(place.service, place.path, by):
        return _of_draft(draft, newest)
    steps = newest.steps if newest else []
    return Beginning(fields=stored_note(newest), steps=steps, newest=newest)


def _restoring(version: NoteVersion | None, newest: NoteVersion | None) -> Beginning:
    """Its text on top of the version in use: what is saved is a new version."""
    if version is None or newest is None:
        raise Http404
    fields = stored_note(version) | {
        "base": newest.number,
        "reason": f"Restores version {version.number}",
    }
    return Beginning(fields=fields, steps=version.steps, newest=newest, restored=version)


def _of_draft(draft: NoteDraft, newest: NoteVersion | None) -> Beginning:
    """On top of the version in use: where that is newer than the draft, both are shown."""
    note = dict(draft.typed)
    steps = note.pop("steps", [])
    fields = note | {"base": newest.number if newest else 0, "kept": drafting.mark_of(draft)}
    both = differences(newest, version_of_typed(draft.typed)) if newest else []
    return Beginning(fields=fields, steps=steps, newest=newest, draft=draft, differences=both)
