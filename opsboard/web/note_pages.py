"""Reading rollback notes: one with its versions, two compared, and the list of them all."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import FETCH_RAISE, QuerySet
from django.http import Http404, HttpRequest

from opsboard.rollbacks.models import NoteVersion
from opsboard.rollbacks.newest import newest_versions
from opsboard.services.models import Service
from opsboard.web.note_diff import compare_versions
from opsboard.web.note_editor import Place
from opsboard.web.notes_for import Notes, note_url
from opsboard.web.sentences import note_sentence, notes_head


def read_note(place: Place, request: HttpRequest) -> dict[str, Any]:
    """The version that is asked for, else the newest. Raises Http404 for one that never was."""
    versions = list(
        NoteVersion.objects.filter(note__service=place.service, note__path=place.path)
        .select_related("written_by", "checked_by")
        .order_by("-number")
        .fetch_mode(FETCH_RAISE)
    )
    shown = _wanted(versions, request.GET.get("version"))
    pair = _pair(versions, request.GET.getlist("compare"))
    newest = versions[0] if versions else None
    return {
        "place": place,
        "service": place.service,
        "version": shown,
        "size": note_sentence(len(shown.steps), shown.minutes) if shown else "",
        "versions": versions,
        "newest": newest,
        "is_newest": shown is newest,
        "pair": pair,
        # What the form to compare two begins with: the newest and the one before it.
        "choices": pair or (*versions[1:2], *versions[:1]),
        "differences": compare_versions(*pair) if pair else [],
        # A path without a note of its own goes back by its service's.
        "fallback": Notes([place.service.pk]).of_service(place.service.pk) if place.path else None,
    }


def _wanted(versions: Sequence[NoteVersion], number: str | None) -> NoteVersion | None:
    if number is None:
        return versions[0] if versions else None
    return _version(versions, number)


def _version(versions: Sequence[NoteVersion], number: str) -> NoteVersion:
    for version in versions:
        if str(version.number) == number:
            return version
    raise Http404


def _pair(
    versions: Sequence[NoteVersion], asked: Sequence[str]
) -> tuple[NoteVersion, NoteVersion] | None:
    """The two versions of ?compare=2,5 (or compare=2&compare=5), the older first."""
    numbers = [number for text in asked for number in text.split(",")]
    if not numbers:
        return None
    if len(numbers) != 2:
        raise Http404
    first, second = (_version(versions, number) for number in numbers)
    return (first, second) if first.number < second.number else (second, first)


@dataclass(frozen=True, slots=True)
class NoteRow:
    """One written note in the list of all."""

    service: Service
    # "" for the note of the whole service.
    path: str
    url: str
    version: NoteVersion


def read_notes() -> dict[str, Any]:
    """Two queries, however many notes and versions there are."""
    services = Service.objects.standing().select_related("team").order_by("tier", "name")
    every = list(services.fetch_mode(FETCH_RAISE))
    rows = [_row(version) for version in _in_use()]
    covered = {row.service.pk for row in rows if not row.path}
    missing = [service for service in every if service.pk not in covered]
    return {"rows": rows, "missing": missing, "head": notes_head(len(missing), len(every))}


def _in_use() -> QuerySet[NoteVersion]:
    return (
        newest_versions()
        .filter(note__service__removed_at=None, note__path__removed_at=None)
        .select_related("note__service", "note__path", "written_by", "checked_by")
        .defer("steps", "use_when", "does_not_undo")
        .order_by("note__service__name", "note__path__name")
        .fetch_mode(FETCH_RAISE)
    )


def _row(version: NoteVersion) -> NoteRow:
    note = version.note
    return NoteRow(note.service, note.path.name if note.path else "", note_url(note), version)
