"""The version in use of each rollback note: the others may be many, and long."""

from collections.abc import Iterable

from django.db.models import FETCH_RAISE, OuterRef, QuerySet, Subquery

from opsboard.rollbacks.models import NoteVersion


def newest_versions() -> QuerySet[NoteVersion]:
    newest = NoteVersion.objects.filter(note=OuterRef("note")).order_by("-number")
    return NoteVersion.objects.filter(number=Subquery(newest.values("number")[:1]))


class InUse:
    """The versions in use of the notes of some services, read in one query."""

    def __init__(self, service_ids: Iterable[int]) -> None:
        versions = newest_versions().filter(note__service_id__in=set(service_ids))
        self._of_service: dict[int, NoteVersion] = {}
        self._of_path: dict[int, NoteVersion] = {}
        for version in versions.select_related("note").fetch_mode(FETCH_RAISE):
            if version.note.path_id is None:
                self._of_service[version.note.service_id] = version
            else:
                self._of_path[version.note.path_id] = version

    def of_service(self, service_id: int) -> NoteVersion | None:
        """None: nobody wrote the way back."""
        return self._of_service.get(service_id)

    def of_path(self, path_id: int, service_id: int) -> NoteVersion | None:
        """Its own, else its service's."""
        return self._of_path.get(path_id) or self._of_service.get(service_id)
