"""Reading rollback notes: one with its versions, two compared, and the list of them all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import FETCH_RAISE, Exists, OuterRef, QuerySet
from django.http import Http404, HttpRequest

from opsboard.rollbacks.known import Released
from opsboard.rollbacks.models import NoteVersion, RollbackNote
from opsboard.rollbacks.newest import newest_versions
from opsboard.rollbacks.rehearsing import rehearsals_of, state_of
from opsboard.rollbacks.words import words_of
from opsboard.services.models import Service
from opsboard.web.note_diff import compare_versions
from opsboard.web.note_place import Place
from opsboard.web.notes_for import Notes, note_url
from opsboard.web.rehearsed import rehearsed_of
from opsboard.web.sentences import note_sentence, notes_head
from opsboard.web.turning import turn


def read_note(place: Place, request: HttpRequest, *, now: datetime) -> dict[str, Any]:
    """The version that is asked for, else the newest. Raises Http404 for one that never was."""
    versions = list(place.versions().fetch_mode(FETCH_RAISE))
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
        **_trusted(place, shown, newest, now=now),
        # A path without a note of its own goes back by its service's.
        "fallback": Notes([place.service.pk]).of_service(place.service.pk) if place.path else None,
    }


def _trusted(
    place: Place, shown: NoteVersion | None, newest: NoteVersion | None, *, now: datetime
) -> dict[str, Any]:
    """What its rehearsals are worth, each of them, and what the words of its steps stand for."""
    if shown is None or newest is None:
        return {}
    rehearsals = rehearsals_of([shown.note_id])[shown.note_id]
    of_newest = rehearsed_of(state_of(newest, rehearsals, now=now), now=now)
    return {
        "rehearsals": rehearsals,
        "rehearsed": of_newest,
        "rehearsed_shown": rehearsed_of(state_of(shown, rehearsals, now=now), now=now),
        "filled_words": words_of(shown.steps),
        "filled": _filled(place, shown, now=now) if words_of(shown.steps) else [],
    }


def _filled(place: Place, version: NoteVersion, *, now: datetime) -> list[tuple[str, list[str]]]:
    """Of each environment: what the words used stand for there now; "": not known."""
    environments = place.service.environments.filter(removed_at=None).order_by("slug")
    standing = list(environments[:MOST_ENVIRONMENTS])
    released, words = Released(one.pk for one in standing), words_of(version.steps)
    known = {one.slug: released.known(one.pk, until=now) for one in standing}
    return [(slug, [one.value(word) for word in words]) for slug, one in known.items()]


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


MOST_ENVIRONMENTS = 10
# The list's two pages: of the notes, and of the services without one.
PAGES = ("page", "missing")


@dataclass(frozen=True, slots=True)
class NoteRow:
    """One written note in the list of all."""

    service: Service
    # "" for the note of the whole service.
    path: str
    url: str
    version: NoteVersion


def read_notes(asked: Mapping[str, str]) -> dict[str, Any]:
    """Six queries, however many notes and versions there are."""
    services = Service.objects.standing()
    written = RollbackNote.objects.filter(service=OuterRef("pk"), path=None)
    missing = services.filter(~Exists(_written(written))).select_related("team")
    notes, turning = turn(_in_use(), asked, kept=PAGES)
    ordered = missing.order_by("tier", "name", "pk").fetch_mode(FETCH_RAISE)
    without, missing_turning = turn(ordered, asked, "missing", kept=PAGES)
    return {
        "rows": _rows(notes),
        "turning": turning,
        "missing": without,
        "missing_turning": missing_turning,
        "head": notes_head(missing_turning.count, services.count()),
    }


def _written(notes: QuerySet[RollbackNote]) -> QuerySet[RollbackNote]:
    """Those that somebody has written a version of."""
    return notes.filter(Exists(NoteVersion.objects.filter(note=OuterRef("pk"))))


def _in_use() -> QuerySet[RollbackNote]:
    standing = RollbackNote.objects.filter(service__removed_at=None, path__removed_at=None)
    return (
        _written(standing)
        .select_related("service", "path")
        .order_by("service__name", "path__name", "pk")
        .fetch_mode(FETCH_RAISE)
    )


def _rows(notes: Sequence[RollbackNote]) -> list[NoteRow]:
    versions = (
        newest_versions()
        .filter(note__in=notes)
        .select_related("written_by", "checked_by")
        .defer("steps", "use_when", "does_not_undo")
        .fetch_mode(FETCH_RAISE)
    )
    in_use = {version.note_id: version for version in versions}
    return [_row(note, in_use[note.pk]) for note in notes if note.pk in in_use]


def _row(note: RollbackNote, version: NoteVersion) -> NoteRow:
    version.note = note
    return NoteRow(note.service, note.path.name if note.path else "", note_url(note), version)
