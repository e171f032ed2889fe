"""What was done between the windows: the change applied, and caches cleared. As it was told."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from opsboard.changes import sealing
from opsboard.changes.collecting import LONGEST_BACK
from opsboard.changes.holding import hold_open
from opsboard.changes.models import Act, Comparison, Window
from opsboard.changes.refusing import Refused
from opsboard.people import audit
from opsboard.people.audit import Actor
from opsboard.services.models import Deploy

# How far a clock may be ahead of ours.
A_MOMENT = timedelta(minutes=5)
LONGEST_COMMAND, LONGEST_PATTERN, LONGEST_REMARK = 4_000, 500, 300
MOST_COUNTED = 2_147_483_647


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """How it was applied. `at`: when, if that was before now."""

    command: str = ""
    exit_code: int | None = None
    at: datetime | None = None
    remark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleared:
    """What was cleared: one of Act.What, the key or prefix, and how many, if the command said."""

    what: str
    pattern: str = ""
    count: int | None = None
    command: str = ""
    exit_code: int | None = None
    at: datetime | None = None
    remark: str = ""


@transaction.atomic
def mark_applied(comparison: Comparison, told: Told, *, by: Actor, now: datetime) -> Act:
    """It was applied: the after window begins, after its warm-up. Raises Refused."""
    _check(told)
    held = hold_open(comparison)
    change = held.change
    if held.applied_at is not None:
        raise Refused(f"{held} was marked as applied at {held.applied_at:%F %H:%M} UTC.")
    before = _sealed(held)
    at = _since(told.at, before, now=now)
    if at - (before.ended_at or before.opened_at) > LONGEST_BACK:
        raise Refused(
            f"The baseline is older than {LONGEST_BACK.days} days: "
            "give this attempt up and repeat it."
        )
    if sentence := sealing.why_not_the_same(held):
        raise Refused(sentence)
    act = _act(held, Act.Kind.APPLIED, told, at=at, by=by)
    Comparison.objects.filter(pk=held.pk).update(applied_at=at)
    Deploy.objects.create(
        environment=change.environment,
        kind=Deploy.Kind.CHANGE,
        name=str(change),
        url=f"/changes/{change.pk}",
        at=at,
    )
    starts_at = at + timedelta(seconds=change.warm_up_seconds)
    Window.objects.create(
        comparison=held,
        side=Window.Side.AFTER,
        opened_at=now,
        starts_at=starts_at,
        closes_at=max(starts_at, now) + timedelta(hours=change.lasts),
    )
    audit.record(
        by, "applied", "change", str(change), now=now,
        after={"attempt": held.number, "at": at, "command": told.command,
               "exit code": told.exit_code},
    )  # fmt: skip
    comparison.refresh_from_db()
    return act


@transaction.atomic
def record_clear(comparison: Comparison, cleared: Cleared, *, by: Actor, now: datetime) -> Act:
    """A cache was cleared, before or after the change was applied. Raises Refused.

    After it, the warm-up begins anew.
    """
    _check_clear(cleared)
    held = hold_open(comparison)
    before = _sealed(held)
    at = _since(cleared.at, before, now=now)
    after = held.windows.filter(side=Window.Side.AFTER).first()
    if after and after.sealed_at is not None:
        raise Refused("The after window is closed: a cache that is cleared now has no part in it.")
    act = _act(held, Act.Kind.CLEARED, cleared, at=at, by=by)
    starts_at = at + timedelta(seconds=held.change.warm_up_seconds)
    if after and starts_at > after.starts_at:
        Window.objects.filter(pk=after.pk).update(
            starts_at=starts_at,
            closes_at=max(after.closes_at, starts_at + timedelta(hours=held.change.lasts)),
        )
    audit.record(
        by, "cleared the cache of", "change", str(held.change), now=now,
        after={"attempt": held.number, "at": at, "what": cleared.what, "pattern": cleared.pattern,
               "count": cleared.count, "command": cleared.command,
               "exit code": cleared.exit_code},
    )  # fmt: skip
    return act


def _act(
    comparison: Comparison, kind: str, told: Told | Cleared, *, at: datetime, by: Actor
) -> Act:
    cleared = told if isinstance(told, Cleared) else None
    return Act.objects.create(
        comparison=comparison,
        kind=kind,
        at=at,
        by=by.person,
        by_name=by.who[:120],
        command=told.command.strip(),
        exit_code=told.exit_code,
        what=cleared.what if cleared else "",
        pattern=cleared.pattern.strip() if cleared else "",
        count=cleared.count if cleared else None,
        remark=told.remark.strip(),
    )


def _sealed(comparison: Comparison) -> Window:
    before = comparison.windows.get(side=Window.Side.BEFORE)
    if before.sealed_at is None:
        raise Refused(
            "The baseline is not sealed: what was done before that cannot be told from the change."
        )
    return before


def _since(at: datetime | None, before: Window, *, now: datetime) -> datetime:
    """When it was done. Raises Refused."""
    if at is None or now < at <= now + A_MOMENT:
        return now
    if at > now:
        raise Refused("It cannot have been done in the future.")
    if before.sealed_at and at < before.sealed_at:
        if at == before.sealed_at.replace(second=0, microsecond=0):
            # Typed by hand a time has no seconds: it was done after sealing, in that minute.
            return before.sealed_at
        raise Refused(
            f"The baseline was sealed at {before.sealed_at:%F %H:%M:%S} UTC, after that: "
            "its samples may be of what was changed. Give this attempt up and repeat it."
        )
    return at


def _check(told: Told | Cleared) -> None:
    if len(told.command) > LONGEST_COMMAND or "\0" in told.command:
        raise Refused(f"A command is a text of at most {LONGEST_COMMAND} characters.")
    if len(told.remark) > LONGEST_REMARK or not told.remark.isprintable():
        raise Refused(f"A remark is one line of at most {LONGEST_REMARK} characters.")
    if told.exit_code is not None and not -32_768 <= told.exit_code <= 32_767:
        raise Refused("An exit code is a whole number from -32768 to 32767.")


def _check_clear(cleared: Cleared) -> None:
    _check(cleared)
    if cleared.what not in Act.What.values:
        raise Refused(f"What was cleared is one of {', '.join(Act.What.values)}.")
    pattern = cleared.pattern.strip()
    if len(pattern) > LONGEST_PATTERN or not pattern.isprintable():
        raise Refused(f"A key or prefix is one line of at most {LONGEST_PATTERN} characters.")
    if not pattern and cleared.what != Act.What.EVERYTHING:
        raise Refused("Say which key or prefix was cleared.")
    if cleared.count is not None and not 0 <= cleared.count <= MOST_COUNTED:
        raise Refused(f"Cleared entries are counted from 0 to {MOST_COUNTED}.")
