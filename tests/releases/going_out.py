"""A release on its way, who lets it out, and a readiness as a test wants it."""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.contrib.auth.models import User

from opsboard.people.audit import Actor, Via
from opsboard.releases.models import Release
from opsboard.releases.naming import Named, name_release
from opsboard.releases.rules import GATES, GateState, Need, Readiness, Stop, Word, whole_of
from opsboard.services.models import Service
from tests.company import NOON

COMMIT = "9fceb02d0ae598e95dc970b74767f19372d61af8"
OTHER = "1111111111111111111111111111111111111111"
CI = Actor(None, Via.API, who="CI (3f2b8c1e…)")
REASON = "The gate hardware is away for repair until Thursday."


def named(**more: object) -> Named:
    return Named(**({"version": "2026.11.4", "commit": COMMIT} | more))  # type: ignore[arg-type]


def a_release(service: Service, version: str = "2026.11.4", commit: str = COMMIT) -> Release:
    made = Named(version=version, commit=commit)
    return name_release(service, made, by=CI, now=NOON - timedelta(hours=1))[0]


def by(person: User) -> Actor:
    return Actor(person, Via.PAGES)


def gate(name: str, word: Word, need: Need = Need.REQUIRED, **more: object) -> GateState:
    reason = f"It is {word.value}."
    return GateState(  # type: ignore[arg-type]
        gate=name, name=GATES.get(name, name), need=need, word=word, reason=reason, **more
    )


def readiness(*gates: GateState, stops: tuple[Stop, ...] = ()) -> Readiness:
    return Readiness(whole=whole_of(gates, stops), gates=gates, stops=stops, at=NOON)


READY = readiness(gate("unit", Word.MET), gate("note", Word.MET))
BLOCKED = readiness(gate("unit", Word.NOT_MET), gate("note", Word.MET))


def standing(found: Readiness) -> Callable[..., Readiness]:
    """In place of readiness_of: what a verb makes of a readiness is tested, not how it is read."""

    def read(release: Release, *, now: datetime) -> Readiness:
        return found

    return read
