"""What else is known of a verdict, each in a sentence: for programs, gates and the record. Pure."""

from collections.abc import Iterator

from opsboard.changes.words.caps import errors_words, how_guarded, what_is_guarded
from opsboard.changes.words.moving import calls_words
from opsboard.changes.words.numbers import capital, fall, is_number, percent
from opsboard.changes.words.seen import Seen, interval


def beside(seen: Seen) -> list[str]:
    return [f"{capital(one)}." for one in _parts(seen)] + _notes(seen)


def _parts(seen: Seen) -> Iterator[str]:
    yield from _goal(seen)
    if not seen.is_calls and (calls := calls_words(seen)):
        yield calls
    if not seen.reason.startswith("error_rate") and _has_errors(seen):
        yield from filter(None, [errors_words(seen)])
    if failed := interval(seen.get("with_failures")):
        span = seen.range_of(failed)
        yield f"with wrong answers taken for the slowest of all, times could be {span}"
    yield from _guardrails(seen)
    yield from _how(seen)


def _goal(seen: Seen) -> Iterator[str]:
    goal, effect = seen.about.goal, seen.effect
    is_said = seen.judged["verdict"] in ("improved", "no_change")
    if is_said and seen.about.aim == "improve" and is_number(goal) and goal and effect:
        less = f"{percent(goal)} {seen.better}"
        reached = fall(effect[0]) >= goal
        yield f"the goal was {less} than before, and it was {'' if reached else 'not '}reached"


def _has_errors(seen: Seen) -> bool:
    rates = seen.get("error_rate") or {}
    return any(is_number(rates.get(side)) and rates[side] for side in ("before", "after"))


def _guardrails(seen: Seen) -> Iterator[str]:
    """Those that did not hold, but for the one that is the reason."""
    for one in seen.guardrails():
        name = str(one.get("name") or "")
        is_said = name == seen.of_what or (name == "errors" and seen.reason.startswith("error_"))
        if one.get("holds") is not True and not is_said:
            what = what_is_guarded(name)
            yield f"{what} was not to get worse: {how_guarded(seen, one, what)}"


def _how(seen: Seen) -> Iterator[str]:
    about = seen.about
    if control := interval(seen.get("control")):
        word = "faster" if control[0] < 0 else "slower"
        name = f"the control path, {about.control}," if about.control else "the control path"
        moved = percent(fall(control[0]))
        yield f"meanwhile {name} got {moved} {word} than before, and that is taken out"
    if seen.get("is_inferred"):
        yield (
            "the answers did not tell their cache result, so it was read from their number of "
            "database calls"
        )
    if about.warm_up > 0:
        were = "sample was" if about.warm_up == 1 else "samples were"
        yield f"the first {about.warm_up:,} {were} left out, while the change was warming up"
    if about.attempt > 1:
        yield f"this was attempt {about.attempt}"


def _notes(seen: Seen) -> list[str]:
    return [one for one in seen.get("notes") or () if isinstance(one, str) and one.strip()]
