"""Writing a version of a rollback note, with its audit entry: nobody's text is ever lost."""

from dataclasses import asdict, dataclass, field
from datetime import datetime

from django.db import transaction

from opsboard.people.audit import Actor, record
from opsboard.rollbacks.models import NoteVersion, RollbackNote
from opsboard.services.models import CriticalPath, Service

MOST_STEPS = 40
# Of the whole note: it goes into every alert.
LONGEST_NOTE = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """What a version says."""

    title: str
    use_when: str
    does_not_undo: str
    # None: nobody has said how long it takes.
    minutes: int | None
    # As NoteVersion.steps: {"do", "run", "see", "call"}.
    steps: list[dict[str, str]]
    reason: str = ""

    @property
    def size(self) -> int:
        texts = [self.title, self.use_when, self.does_not_undo, self.reason]
        texts += [text for step in self.steps for text in step.values()]
        return sum(len(text.encode()) for text in texts)


@dataclass(frozen=True, slots=True)
class Place:
    """Whose note it is: of a service, or of one of its paths."""

    service: Service
    # None: the note of the whole service.
    path: CriticalPath | None = field(default=None)

    @property
    def subject(self) -> str:
        """As the audit log names it: "fares-api", "fares-api/price-a-crossing"."""
        return f"{self.service.slug}/{self.path.slug}" if self.path else self.service.slug

    def newest(self) -> NoteVersion | None:
        """None: nobody has written one yet."""
        versions = NoteVersion.objects.filter(note__service=self.service, note__path=self.path)
        named = versions.select_related("note__service", "note__path", "written_by", "checked_by")
        return named.order_by("-number").first()


def write(
    place: Place, text: Text, *, base: int, is_checked: bool, by: Actor, now: datetime
) -> NoteVersion | None:
    """Add a version on top of version number `base`; 0: there is none yet.

    None when somebody else has added one since. `is_checked`: a person has read it as it is now;
    without that it begins as not reviewed.
    """
    with transaction.atomic():
        before = place.newest()
        note, _ = RollbackNote.objects.get_or_create(service=place.service, path=place.path)
        version = note.write(by=by.person, written_as=by.who, now=now, base=base, **asdict(text))
        if version is None:
            return None
        if not is_checked:
            version.checked_by = version.checked_at = None
            version.save(update_fields=["checked_by", "checked_at"])
        act = "changed" if before else "added"
        record(
            by, act, "rollback note", place.subject, now=now,
            before=_facts(before), after=_facts(version),
        )  # fmt: skip
    return version


def _facts(version: NoteVersion | None) -> dict[str, object]:
    """What the audit log keeps of a version; None: there was none."""
    if version is None:
        return {}
    return {
        "version": version.number,
        "title": version.title,
        "use when": version.use_when,
        "does not undo": version.does_not_undo,
        "minutes": version.minutes,
        "steps": steps_text(version.steps),
        "reason": version.reason,
    }


def steps_text(steps: list[dict[str, str]]) -> str:
    return "\n".join(_step_text(number, step) for number, step in enumerate(steps, 1))


def _step_text(number: int, step: dict[str, str]) -> str:
    lines = [f"{number}. {step.get('do', '')}"]
    lines += [f"   Run: {step['run']}"] if step.get("run") else []
    lines += [f"   Should see: {step['see']}"] if step.get("see") else []
    lines += [f"   If it fails, call: {step['call']}"] if step.get("call") else []
    return "\n".join(lines)
