"""Whether a rollback note can be trusted as it is, and what a typed text would do to that."""

from datetime import datetime
from typing import Any

from opsboard.releases.models import Release
from opsboard.rollbacks.rehearsing import rehearsals_of, state_of
from opsboard.web.forms.notes import NoteForm, StepRows, typed_note, version_of_typed
from opsboard.web.note_place import Place
from opsboard.web.rehearsed import rehearsed_of

# That wait: more are not named.
MOST_NAMED = 3


def read(place: Place, form: NoteForm, rows: StepRows, *, now: datetime) -> dict[str, Any]:
    """Of the version in use, and of what stands in the form. Four queries."""
    newest = place.newest()
    if newest is None:
        return {}
    rehearsals = rehearsals_of([newest.note_id])[newest.note_id]
    typed = version_of_typed(typed_note(form, rows))
    in_use = state_of(newest, rehearsals, now=now)
    of_typed = state_of(typed, rehearsals, now=now)
    is_lost = in_use.is_fresh and not of_typed.is_fresh
    return {
        "in_use": newest,
        "now": now,
        "rehearsed": rehearsed_of(in_use, now=now),
        "rehearsed_typed": rehearsed_of(of_typed, now=now),
        "waiting": _waiting(place) if is_lost else [],
    }


def _waiting(place: Place) -> list[str]:
    """The releases that would go out without a rehearsal of these steps."""
    waiting = Release.objects.waiting().filter(service=place.service).order_by("-named_at")
    return list(waiting.values_list("version", flat=True)[:MOST_NAMED])
