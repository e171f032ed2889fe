"""Whose rollback note a page is about."""

from dataclasses import dataclass

from django.db.models import QuerySet
from django.urls import reverse

from opsboard.rollbacks.models import NoteVersion, RollbackNote
from opsboard.services.models import CriticalPath, Service
from opsboard.web.finding import find_path, find_service


@dataclass(frozen=True, slots=True)
class Place:
    """Of a service, or of one of its paths."""

    service: Service
    # None: the note of the whole service.
    path: CriticalPath | None

    @property
    def name(self) -> str:
        return self.path.name if self.path else self.service.name

    def url(self, name: str) -> str:
        """The address of a view of this note: "note", "note-edit" or "note-still-true"."""
        if self.path:
            return reverse(f"path-{name}", args=[self.service.slug, self.path.slug])
        return reverse(name, args=[self.service.slug])

    @property
    def still_true_url(self) -> str:
        return self.url("note-still-true")

    @property
    def note_url(self) -> str:
        return self.url("note")

    @property
    def edit_url(self) -> str:
        return self.url("note-edit")

    @property
    def rehearse_url(self) -> str:
        return self.url("note-rehearse")

    @property
    def print_url(self) -> str:
        return self.url("note-print")

    @property
    def subject(self) -> str:
        """As the audit log names it: "fares-api", "fares-api/price-a-crossing"."""
        return f"{self.service.slug}/{self.path.slug}" if self.path else self.service.slug

    def newest(self) -> NoteVersion | None:
        """None: nobody has written one yet."""
        return self.versions().first()

    def version(self, number: str) -> NoteVersion | None:
        """None: there never was one of this number."""
        is_number = number.isascii() and number.isdigit() and len(number) < 10
        return self.versions().filter(number=int(number)).first() if is_number else None

    def versions(self) -> QuerySet[NoteVersion]:
        versions = NoteVersion.objects.filter(note__service=self.service, note__path=self.path)
        read = versions.select_related("written_by", "checked_by", "note__service", "note__path")
        return read.order_by("-number")

    def note(self) -> RollbackNote:
        return RollbackNote.objects.get_or_create(service=self.service, path=self.path)[0]


def place_of(slug: str, path: str | None) -> Place:
    """Raises Http404 for what is not on the board."""
    service = find_service(slug, Service.objects.select_related("team"))
    return Place(service, find_path(service, path) if path else None)
