"""The audit log: every write leaves an entry, in the transaction of the write."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User

from opsboard.people.models import AuditEntry

Via = AuditEntry.Via
MASKED = "a secret"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, and from where. Doors make it; rooms only pass it down."""

    # None: nobody signed in; `who` then says what acts ("manage.py apply").
    person: User | None
    via: AuditEntry.Via
    # Via.API: the token, by its name and prefix.
    who: str = ""
    address: str | None = None

    @property
    def name(self) -> str:
        return self.person.get_username() if self.person else self.who


def record(
    actor: Actor,
    act: str,
    kind: str,
    subject: str,
    *,
    now: datetime,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
) -> None:
    """Write that `actor` did `act` to a thing; `before` and `after` are its fields by their words.

    Only fields that differ are kept. Mask secrets before: say MASKED, or that it was set anew.
    """
    entry(actor, act, kind, subject, now=now, before=before, after=after).save()


def entry(
    actor: Actor,
    act: str,
    kind: str,
    subject: str,
    *,
    now: datetime,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
) -> AuditEntry:
    """What `record` writes, not yet written: many are stored at once."""
    return AuditEntry(
        at=now,
        person=actor.person,
        who=actor.name[:150],
        via=actor.via,
        token=actor.who[:140] if actor.via == Via.API and actor.person else None,
        address=actor.address,
        act=act,
        kind=kind,
        subject=subject[:300],
        changes=differences(before or {}, after or {}),
    )


def last_change(kind: str, subject: str) -> AuditEntry | None:
    """The newest entry that says a thing was changed; None: nobody did since the log began."""
    entries = AuditEntry.objects.filter(kind=kind, subject=subject, act="changed")
    return entries.order_by("-at", "-pk").first()


def differences(before: Mapping[str, object], after: Mapping[str, object]) -> list[dict[str, str]]:
    """The fields of two versions that differ, in the order of the fields."""
    both = {
        name: (_text(before.get(name)), _text(after.get(name)))
        for name in dict.fromkeys([*before, *after])
    }
    return [
        {"field": name, "old": old, "new": new} for name, (old, new) in both.items() if old != new
    ]


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, (list, tuple)):
        return "\n".join(map(str, value))
    return str(value)
