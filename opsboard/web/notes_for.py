"""Which rollback note is the way back for which path: its own, else its service's."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import FETCH_RAISE, Prefetch
from django.urls import reverse

from opsboard.rollbacks.models import NoteVersion, RollbackNote
from opsboard.rollbacks.newest import newest_versions
from opsboard.services.models import CriticalPath
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
    """The written notes of some services, read in two queries."""

    def __init__(self, service_ids: Iterable[int]) -> None:
        notes = (
            RollbackNote.objects.filter(service_id__in=set(service_ids))
            .select_related("service", "path")
            .prefetch_related(Prefetch("versions", queryset=newest_versions()))
            .fetch_mode(FETCH_RAISE)
        )
        self._of_service: dict[int, WayBack] = {}
        self._of_path: dict[int, WayBack] = {}
        for note in notes:
            self._keep(note)

    def _keep(self, note: RollbackNote) -> None:
        version = note.current
        if version is None:
            return
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


def note_url(note: RollbackNote) -> str:
    if note.path is None:
        return reverse("note", args=[note.service.slug])
    return reverse("path-note", args=[note.service.slug, note.path.slug])
