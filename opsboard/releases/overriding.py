"""Overriding: named people accept a named risk until a named time. It paints no gate green."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.contrib.auth.models import User
from django.db import transaction

from opsboard.people import audit
from opsboard.people.audit import Actor
from opsboard.people.models import people, role_of
from opsboard.people.roles import ADMINISTRATOR, EDITOR
from opsboard.releases.models import Override, OverrideAct, Release
from opsboard.releases.naming import subject_of
from opsboard.releases.reading import readiness_of
from opsboard.releases.refusing import Refused
from opsboard.releases.rules import GateState, Need, Readiness, Word

SHORTEST_REASON, LONGEST_REASON = 20, 2_000


@transaction.atomic
def ask(
    release: Release,
    gates: Sequence[str],
    *,
    reason: str,
    ends_at: datetime,
    by: Actor,
    now: datetime,
) -> Override:
    """Raises Refused. A gate that is not met waits for a second person."""
    if by.person is None:
        raise Refused("An override is asked for by a person.")
    words = long_reason(reason, "accept this risk")
    _check_end(ends_at, now)
    # Nobody decides on it meanwhile.
    held = Release.objects.select_for_update().get(pk=release.pk)
    if held.withdrawn_at is not None:
        raise Refused(f"{held} was withdrawn: there is nothing to override.")
    states = _states(readiness_of(held, now=now), list(dict.fromkeys(gates)))
    is_not_met = any(state.word is Word.NOT_MET for state in states)
    is_alone = is_not_met and not _others(by.person)
    override = Override.objects.create(
        release=held,
        gates=[state.gate for state in states],
        reason=words,
        asked_by=by.person,
        asked_at=now,
        ends_at=ends_at,
        needs_second=is_not_met and not is_alone,
        is_alone=is_alone,
    )
    _record("asked to override", override, by=by, now=now)
    return override


@transaction.atomic
def accept(override: Override, *, by: Actor, now: datetime) -> None:
    """By somebody other than who asked. Raises Refused."""
    held = Override.objects.select_for_update().get(pk=override.pk)
    if why_not := _why_not(held, by.person):
        raise Refused(why_not)
    if held.ends_at <= now:
        raise Refused(f"This override ended at {held.ends_at:%F %H:%M} UTC: ask for a new one.")
    OverrideAct.objects.create(override=held, act=OverrideAct.Act.ACCEPTED, at=now, by=by.person)
    _record("accepted the override of", held, by=by, now=now)


@transaction.atomic
def take_back(override: Override, *, by: Actor, now: datetime) -> None:
    """It covers nothing from now on. Taken back twice, it was taken back the first time."""
    held = Override.objects.select_for_update().get(pk=override.pk)
    if not held.acts.filter(act=OverrideAct.Act.TAKEN_BACK).exists():
        OverrideAct.objects.create(
            override=held, act=OverrideAct.Act.TAKEN_BACK, at=now, by=by.person
        )
        _record("took back the override of", held, by=by, now=now)


def may_accept(override: Override, person: User) -> bool:
    return not _why_not(override, person)


def never(state: GateState) -> str:
    """Why nobody may override this gate as it stands; "" when a person may."""
    if state.is_overridable:
        return ""
    return f"{state.name} is never overridden as it stands: {state.reason}"


def long_reason(written: str, what: str) -> str:
    """A reason that somebody can judge later, as it is kept. Raises Refused."""
    reason = written.strip()
    if not SHORTEST_REASON <= len(reason) <= LONGEST_REASON:
        raise Refused(f"Write why you {what}, in {SHORTEST_REASON} to {LONGEST_REASON} characters.")
    return reason


def _check_end(ends_at: datetime, now: datetime) -> None:
    hours = settings.OVERRIDE_LASTS_AT_MOST_HOURS
    if not now < ends_at <= now + timedelta(hours=hours):
        raise Refused(f"An override ends in the future, at most {hours:g} hours from now.")


def _states(readiness: Readiness, gates: Sequence[str]) -> list[GateState]:
    """The gates as they stand, each one that may be overridden. Raises Refused."""
    if not gates:
        raise Refused("Name the gates whose risk is accepted.")
    known = {state.gate: state for state in readiness.gates if state.need is not Need.ABSENT}
    for gate in gates:
        if gate not in known:
            raise Refused(f"This release has no gate {gate}.")
        state = known[gate]
        if state.is_met:
            raise Refused(f"{state.name} is met: there is nothing to override.")
        if state.need is not Need.REQUIRED:
            raise Refused(f"{state.name} is advisory: it holds nothing up.")
        if why := never(state):
            raise Refused(why)
    return [known[gate] for gate in gates]


def _why_not(override: Override, person: User | None) -> str:
    """Why this person may not accept it; "" when they may."""
    role = role_of(person)
    if person is None or role is None or not role.allows(EDITOR):
        return "An editor or administrator accepts an override."
    if not override.needs_second:
        return "This override waits for nobody."
    if override.asked_by_id == person.pk:
        return "Somebody other than who asked for it accepts an override."
    if acts := {one.act for one in override.acts.all()}:
        is_back = OverrideAct.Act.TAKEN_BACK in acts
        return f"This override was {'taken back' if is_back else 'accepted'} already."
    return ""


def _others(person: User) -> bool:
    """Whether anybody else could accept: an editor or administrator who can sign in."""
    others = people().filter(role__name__in=[EDITOR, ADMINISTRATOR], is_active=True)
    others = others.exclude(password__startswith=UNUSABLE_PASSWORD_PREFIX)
    return others.exclude(pk=person.pk).exists()


def _record(act: str, override: Override, *, by: Actor, now: datetime) -> None:
    after = {
        "gates": ", ".join(override.gates),
        "reason": override.reason,
        "ends": f"{override.ends_at:%F %H:%M} UTC",
    }
    audit.record(by, act, "release", subject_of(override.release), now=now, after=after)
