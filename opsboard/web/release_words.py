"""Releases in the words and marks of the pages. Pure: from a readiness, or from a kept snapshot."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from opsboard.releases.models import Decision, Release
from opsboard.releases.rules import GateState, Need, Readiness, Whole, Word, readiness_json
from opsboard.web.words import person_name

MISSING_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Look:
    """How a gate's word looks: its mark in the sprite, its class, and whose hue it takes."""

    mark: str
    gate: str
    css: str


LOOKS: Mapping[str, Look] = {
    Word.MET: Look("met", "gate-met", "pass"),
    Word.NOT_MET: Look("fail", "gate-not", "fail"),
    Word.NO_EVIDENCE: Look("none", "gate-none", "none"),
    Word.OUT_OF_DATE: Look("old", "gate-old", "warn"),
}
OVERRIDDEN = Look("over", "gate-over", "over")
UNKNOWN = Look("none", "gate-none", "none")


def look_of(word: str, *, is_overridden: bool) -> Look:
    """What a person decided is ink: it is never green, and a gate that is met stays met."""
    if is_overridden and word != Word.MET:
        return OVERRIDDEN
    return LOOKS.get(word, UNKNOWN)


@dataclass(frozen=True, slots=True)
class Verdict:
    words: str
    mark: str
    css: str


READY = Verdict("Ready", "met", "pass")
NOT_READY = Verdict("Not ready", "fail", "fail")
ANYWAY = Verdict("Overridden", "over", "over")
NOT_KEPT = Verdict("Not known", "none", "none")


def verdict_of(whole: str) -> Verdict:
    """One of three words; every other whole is not ready."""
    return {Whole.READY: READY, Whole.OVERRIDDEN: ANYWAY}.get(Whole(whole), NOT_READY)


@dataclass(frozen=True, slots=True)
class Pip:
    look: Look
    name: str


@dataclass(frozen=True, slots=True)
class Glance:
    """Verdict and gates of one release, for a row of a list."""

    verdict: Verdict
    pips: list[Pip]
    met: int
    # How many are required.
    of: int

    @property
    def count(self) -> str:
        """ "6 of 8 met"; of a readiness that was not kept, that it is not known."""
        return f"{self.met} of {self.of} met" if self.verdict is not NOT_KEPT else "not known"

    @property
    def heading(self) -> str:
        return f"{self.met} of {self.of} gates met"


def glance(snapshot: Mapping[str, Any]) -> Glance:
    """Of a readiness as it was kept, or {} when none was."""
    if not snapshot:
        return Glance(NOT_KEPT, [], 0, 0)
    required = [one for one in snapshot["gates"] if one["need"] == Need.REQUIRED]
    met = sum(one["word"] == Word.MET for one in required)
    pips = [
        Pip(look_of(one["word"], is_overridden=bool(one["override"])), one["name"])
        for one in required
    ]
    return Glance(verdict_of(snapshot["whole"]), pips, met, len(required))


def glance_now(readiness: Readiness) -> Glance:
    return glance(readiness_json(readiness))


def missing_words(readiness: Readiness) -> str:
    """What keeps it back, in one short sentence: "Not met: Staging config. Out of date: Lint."."""
    stops = [f"{stop.kind.capitalize()}: {_ended(stop.reason)}" for stop in readiness.stops]
    open_ones = [one for one in readiness.reasons if one.override is None]
    said = [f"{word}: {names}." for word, names in _by_word(open_ones[:MISSING_SHOWN])]
    if more := len(open_ones) - MISSING_SHOWN:
        said += [f"{more} more."] if more > 0 else []
    covered = [one for one in readiness.reasons if one.override is not None]
    said += [f"Overridden: {', '.join(one.name for one in covered)}."] if covered else []
    return " ".join([*stops, *said]) or "Nothing"


def _ended(reason: str) -> str:
    return reason if reason.endswith((".", "!", "?")) else f"{reason}."


def _by_word(states: Iterable[GateState]) -> list[tuple[str, str]]:
    names: dict[str, list[str]] = {}
    for state in states:
        names.setdefault(state.word.value.capitalize(), []).append(state.name)
    return [(word, ", ".join(kept)) for word, kept in names.items()]


def releases_head(ready: int, shown: int, waiting: int) -> str:
    """ "2 of 5 releases are ready"; of more than a page, how many of the ones shown."""
    if not waiting:
        return "No release is waiting"
    if waiting == 1:
        return f"The one release that waits is {'ready' if ready else 'not ready'}"
    of = f"{shown} releases shown" if shown < waiting else f"{waiting} releases"
    return f"{ready} of {of} {'is' if ready == 1 else 'are'} ready"


def release_head(release: Release, readiness: Readiness, last: Decision | None) -> str:
    """ "fares-api 2026.11.4 is not ready"."""
    name = str(release)
    if release.withdrawn_at:
        return f"{name} is withdrawn"
    if last is not None:
        if last.kind == Decision.Kind.ROLLED_BACK:
            return f"{name} was rolled back"
        return f"{name} is released"
    match readiness.whole:
        case Whole.READY:
            return f"{name} is ready"
        case Whole.OVERRIDDEN:
            return f"{name} may go out: {_overridden(readiness)}"
        case Whole.FROZEN:
            return f"{name} is not ready: nothing of it may go out now"
    return f"{name} is not ready"


def _overridden(readiness: Readiness) -> str:
    count = sum(one.override is not None for one in readiness.reasons)
    return f"{count} gate{' is' if count == 1 else 's are'} overridden"


def who_named(release: Release) -> str:
    """Who named it: a person, or the token of a program."""
    return release.named_as or person_name(release.named_by)


def who_decided(decision: Decision) -> str:
    return decision.by_name or person_name(decision.by)


def changes_words(release: Release) -> str:
    """ "4 commits, 12 files, 1 migration: 0148"; "" when nobody has said."""
    counts = ((release.commits, "commit"), (release.files, "file"), (release.lines, "line"))
    said = [f"{count:,} {noun}{'' if count == 1 else 's'}" for count, noun in counts if count]
    return ", ".join([*said, *_migrations(release.migrations)])


def _migrations(names: Sequence[str]) -> list[str]:
    if not names:
        return []
    return [f"{len(names)} migration{'' if len(names) == 1 else 's'}: {', '.join(names)}"]
