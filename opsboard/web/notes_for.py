"""Which rollback note is the way back for which path: its own, else its service's."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from django.db.models import FETCH_RAISE, Q, QuerySet
from django.urls import reverse

from opsboard.rollbacks.models import NoteVersion, RollbackNote
from opsboard.rollbacks.newest import newest_versions
from opsboard.services.models import CriticalPath
from opsboard.services.together import Number
from opsboard.web.sentences import note_sentence


@dataclass(frozen=True, slots=True)
class WayBack:
    """A note that somebody has written, with where it is read."""

    note: RollbackNote
    version: NoteVersion
    url: str

    @property
    def title(self) -> str:
        return self.version.title

    @property
    def size(self) -> str:
        return note_sentence(len(self.version.steps), self.version.minutes)


class Notes:
    """The written notes of some services, read in one query."""

    def __init__(self, service_ids: Iterable[int]) -> None:
        versions = (
            newest_versions()
            .filter(note__service_id__in=set(service_ids))
            .select_related("note__service", "note__path")
            .fetch_mode(FETCH_RAISE)
        )
        self._of_service: dict[int, WayBack] = {}
        self._of_path: dict[int, WayBack] = {}
        for version in versions:
            self._keep(version.note, version)

    def _keep(self, note: RollbackNote, version: NoteVersion) -> None:
        way = WayBack(note, version, note_url(note))
        if note.path_id is None:
            self._of_service[note.service_id] = way
        else:
            self._of_path[note.path_id] = way

    def of_service(self, service_id: int) -> WayBack | None:
        return self._of_service.get(service_id)

    def of_path(self, path: CriticalPath) -> WayBack | None:
        """None: nobody wrote the way back."""
        return self._of_path.get(path.pk) or self._of_service.get(path.service_id)


def versions_of(path: Number, service: Number, *, most: int) -> dict[str, QuerySet[NoteVersion]]:
    """The newest of the two notes that may be the way back: for opsboard.services.together."""
    notes = {
        "own_versions": Q(note__path=path),
        "service_versions": Q(note__service=service, note__path=None),
    }
    return {
        name: NoteVersion.objects.filter(
            pk__in=NoteVersion.objects.filter(note).order_by("-number").values("pk")[:most]
        ).select_related("note", "written_by")
        for name, note in notes.items()
    }


def in_use(found: Mapping[str, list[Any]]) -> list[NoteVersion]:
    """Of what `versions_of` names: those of the way back, newest first; [] when nobody wrote it."""
    return sorted(
        found["own_versions"] or found["service_versions"],
        key=attrgetter("number"),
        reverse=True,
    )


def way_back(path: CriticalPath, versions: Sequence[NoteVersion]) -> WayBack | None:
    """From what `in_use` found for the path."""
    if not versions:
        return None
    note = versions[0].note
    note.service, note.path = path.service, path if note.path_id else None
    return WayBack(note, versions[0], note_url(note))


def note_url(note: RollbackNote) -> str:
    if note.path is None:
        return reverse("note", args=[note.service.slug])
    return reverse("path-note", args=[note.service.slug, note.path.slug])
