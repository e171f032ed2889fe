"""What the evidence of a tag, an integration check and a config check is bound to. Pure."""

from collections.abc import Callable
from datetime import datetime

from opsboard.releases.asking import Asking
from opsboard.releases.facts import EvidenceSeen, PlaceSeen
from opsboard.releases.rules import CONFIG, INTEGRATION, TAG, GateState, Word
from opsboard.releases.saying import clock, counted, named, short

# None: it is bound to what it must be bound to.
type Rule = Callable[[Asking, EvidenceSeen], GateState | None]


def _of_tag(ask: Asking, one: EvidenceSeen) -> GateState | None:
    """Never to be overridden: what is released has to be what was tagged."""
    commit, tag = ask.facts.release.commit, ask.facts.release.tag
    told, points_at = str(one.facts.get("tag", "")), str(one.facts.get("object", ""))
    if not told or not points_at:
        reason = "The report does not say which tag it is, and where it points."
        return ask.told(Word.NOT_MET, reason, one, is_overridable=False)
    if tag and told != tag:
        reason = f"The release is tagged {tag}, and the newest report is of {told}."
        return ask.told(Word.NOT_MET, reason, one, is_overridable=False)
    if points_at.lower() == commit.lower():
        return None
    here, there = short(commit, points_at), short(points_at, commit)
    if _pointed_here(ask, told):
        reason = f"{told} was moved: it points to {there} now, and the release is {here}."
        return ask.told(Word.OUT_OF_DATE, reason, one, is_overridable=False)
    reason = f"{told} points to {there}, and the release is {here}."
    return ask.told(Word.NOT_MET, reason, one, is_overridable=False)


def _pointed_here(ask: Asking, tag: str) -> bool:
    """Whether an earlier report of the tag had it where the release is."""
    told = [one.facts for one in ask.facts.evidence if one.gate == TAG]
    commit = ask.facts.release.commit.lower()
    return any(
        one.get("tag") == tag and str(one.get("object", "")).lower() == commit for one in told
    )


def _of_integration(ask: Asking, one: EvidenceSeen) -> GateState | None:
    """It holds where it was run, as long as that environment runs this commit."""
    place = ask.facts.places.get(one.environment)
    if place is None:
        has_not = f"It names {one.environment}, which {ask.facts.service.slug} does not have"
        reason = f"{has_not if one.environment else 'It names no environment'}: run it on one."
        return ask.told(Word.NO_EVIDENCE, reason, one)
    if not place.is_known(ask.now, ask.facts.ages):
        return ask.told(Word.NO_EVIDENCE, unknown(place, ask.now), one)
    if not place.runs(ask.facts.release.commit):
        reason = f"{other(ask, place)}: deploy it there, then run it again."
        return ask.told(Word.OUT_OF_DATE, reason, one, since=place.commit_since)
    return None


def unknown(place: PlaceSeen, now: datetime) -> str:
    """Why nobody knows what runs there, and what would tell it."""
    if place.commit and place.told_at:
        last = clock(place.told_at, now)
        return (
            f"Which commit runs on {place.slug} is unknown: its version address told last {last}."
        )
    return (
        f"Which commit runs on {place.slug} is unknown: give it a version address, or record "
        "what is released there."
    )


def other(ask: Asking, place: PlaceSeen) -> str:
    commit = ask.facts.release.commit
    told, wanted = short(place.commit, commit), short(commit, place.commit)
    return f"{place.slug} runs {told}, not {wanted}"


def _of_config(ask: Asking, one: EvidenceSeen) -> GateState | None:
    """It holds for the configuration it checked, which the environment may tell to run."""
    place = ask.facts.staging
    if place is None or one.environment != place.slug:
        said = one.environment or "no environment"
        reason = f"It was of {said}: run the config check on staging."
        return ask.told(Word.NO_EVIDENCE, reason, one)
    if not (checked := one.facts.get("root")):
        return ask.told(Word.NO_EVIDENCE, "It does not say which configuration it checked.", one)
    if is_root_observed(ask) and checked != place.config_root:
        reason = "The configuration of staging has changed since: run the config check again."
        return ask.told(Word.OUT_OF_DATE, reason, one)
    return None


def is_root_observed(ask: Asking) -> bool:
    place = ask.facts.staging
    return bool(place and place.config_root and place.is_known(ask.now, ask.facts.ages))


def wrong_keys(one: EvidenceSeen) -> str:
    """Which keys are wrong, and how, by the words of the config check; "" when it says none.

    Where none is wrong: why they could not be compared.
    """
    found = one.facts.get("differences")
    rows = [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []
    if not rows:
        unknown = one.facts.get("unknown")
        return str(unknown[0]) if isinstance(unknown, list) and unknown else ""
    where = one.environment or "staging"
    said = named([f"{row.get('key')} ({row.get('what')})" for row in rows])
    are = "is" if len(rows) == 1 else "are"
    return f"{counted(len(rows), 'key')} {are} wrong on {where}: {said}."


BOUND: dict[str, Rule] = {TAG: _of_tag, INTEGRATION: _of_integration, CONFIG: _of_config}
