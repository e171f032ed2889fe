"""Whether a cache was cleared in fact: the first answer after it is a miss."""

from dataclasses import dataclass
from datetime import datetime

from opsboard.changes.collecting import Sampling, probe_of
from opsboard.changes.models import Act, Change, Comparison, Sample
from opsboard.probes import narrow
from opsboard.probes.models import Observation, microseconds
from opsboard.probes.rules import Verdict
from opsboard.probes.stored import CACHE
from opsboard.services.models import CriticalPath

HITS = ("hit", "stale")
# What came first cannot be told: nothing has come, or it is asked in a way that says nothing.
NONE_YET, ASKED_OTHERWISE = "", "asked otherwise"


@dataclass(frozen=True, slots=True)
class FirstAnswer:
    act: Act
    # None: it cannot be told, or not yet.
    worked: bool | None
    words: str


def clear_answers(comparison: Comparison) -> list[FirstAnswer]:
    """Of every clear, the oldest first."""
    kept = comparison.surroundings.get("after_clears", {})
    cleared = _clears(comparison)
    # Samples of a burst are gone once a window is sealed, but a probe may have answered since.
    if any(kept.get(str(act.pk), NONE_YET) == NONE_YET for act in cleared):
        told = {key: word for key, word in kept.items() if word != NONE_YET}
        kept = first_answers(comparison, now=None) | told
    return [_answer(act, kept.get(str(act.pk), NONE_YET)) for act in cleared]


def first_answers(comparison: Comparison, *, now: datetime | None) -> dict[str, str]:
    """The cache word of the first answer after each clear, by the key of the act."""
    change = comparison.change
    cleared = _clears(comparison)
    if cleared and change.path.cache_mode != CriticalPath.CacheMode.AS_IS:
        return {str(act.pk): ASKED_OTHERWISE for act in cleared}
    return {str(act.pk): _first(comparison, change, act, now=now) for act in cleared}


def _clears(comparison: Comparison) -> list[Act]:
    return sorted(
        (act for act in comparison.acts.all() if act.kind == Act.Kind.CLEARED),
        key=lambda act: (act.at, act.pk),
    )


def _first(comparison: Comparison, change: Change, act: Act, *, now: datetime | None) -> str:
    at = microseconds(act.at)
    until = {} if now is None else {"slot_at__lte": microseconds(now)}
    answers = []
    if probe := probe_of(change, change.path):
        seen = Observation.objects.alias(said=narrow.VERDICT.value).filter(
            probe_id=probe.pk, slot_at__gte=at, **until
        )
        # An error of ours is no answer.
        first = seen.exclude(said=Verdict.ERROR).order_by("slot_at").first()
        answers += [(first.slot_at, CACHE[first.cache])] if first else []
    # A burst that asks for misses gets them in any case.
    if change.sampling != Sampling.PROBES and change.mode == Change.Mode.AS_IS:
        samples = Sample.objects.filter(window__comparison=comparison, is_control=False)
        sample = samples.filter(at__gte=at).order_by("at", "pk").first()
        answers += [(sample.at, CACHE[sample.cache])] if sample else []
    return min(answers)[1] if answers else NONE_YET


def _answer(act: Act, word: str) -> FirstAnswer:
    if word == "miss":
        return FirstAnswer(act, True, "The first answer after it was a miss.")
    if word in HITS:
        return FirstAnswer(
            act, False, f"The first answer after it was a {_NAMES[word]}: it did not work."
        )
    if word == NONE_YET:
        return FirstAnswer(act, None, "Nothing has answered since.")
    if word == ASKED_OTHERWISE:
        return FirstAnswer(act, None, "The path is asked past its cache, or twice: it cannot tell.")
    return FirstAnswer(
        act, None, f"The cache result of the first answer was {word}: it cannot tell."
    )


_NAMES = {"hit": "hit", "stale": "stale hit"}
