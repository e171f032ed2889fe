"""The sentences at the head of pages, made from counts and times. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping

from opsboard.alerts.models import Delivery
from opsboard.probes.rules import State
from opsboard.web.words import ago, number

NOTHING_WATCHED = "Nothing is watched yet"


def counted(count: int, noun: str) -> str:
    """ "1 path", "2,841 paths", with a space at which a head may break."""
    return f"{number(count)} {noun}{'' if count == 1 else 's'}"


def board_head(counts: Counter[State]) -> str:
    """ "1 path is failing, 2 have warnings", "All 12 critical paths pass"."""
    total = sum(counts.values())
    if not total:
        return NOTHING_WATCHED
    if counts[State.FAILING] or counts[State.WARNING]:
        return _hurting(counts)
    if counts[State.NO_DATA]:
        return f"{counted(counts[State.NO_DATA], 'path')} {_have(counts[State.NO_DATA])} no data"
    if counts[State.PASSING] == total:
        return (
            "The one critical path passes"
            if total == 1
            else f"All {number(total)} critical paths pass"
        )
    if counts[State.PAUSED] == total:
        return f"{counted(total, 'critical path')} {_are(total)} paused"
    passing, paused = counts[State.PASSING], counts[State.PAUSED]
    verb = "passes" if passing == 1 else "pass"
    return f"{counted(passing, 'critical path')} {verb}, {number(paused)} {_are(paused)} paused"


def _hurting(counts: Mapping[State, int]) -> str:
    failing, warning = counts[State.FAILING], counts[State.WARNING]
    said = "a warning" if warning == 1 else "warnings"
    if not failing:
        return f"{counted(warning, 'path')} {_have(warning)} {said}"
    head = f"{counted(failing, 'path')} {_are(failing)} failing"
    return f"{head}, {number(warning)} {_have(warning)} {said}" if warning else head


def board_sub(counts: Counter[State], *, environment: str) -> str:
    """ "38 of 45 critical paths pass in production. 2 have no data and 2 are paused."."""
    total = sum(counts.values())
    if not total:
        return f"No critical path is probed in {environment}."
    passing, unknown, paused = (
        counts[state] for state in (State.PASSING, State.NO_DATA, State.PAUSED)
    )
    verb = "passes" if total == 1 else "pass"
    first = f"{number(passing)} of {counted(total, 'critical path')} {verb} in {environment}."
    rest = [f"{number(unknown)} {_have(unknown)} no data"] * bool(unknown)
    rest += [f"{number(paused)} {_are(paused)} paused"] * bool(paused)
    return f"{first} {' and '.join(rest)}." if rest else first


def _have(count: int) -> str:
    return "has" if count == 1 else "have"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def paths_words(states: Iterable[State]) -> tuple[str, str]:
    """A row's paths as (number, rest): ("3", " of 4"), ("", "2 unknown"), ("", "no paths")."""
    counts = Counter(states)
    total = sum(counts.values())
    if not total:
        return "", "no paths"
    if counts[State.PAUSED] == total:
        return "", f"{total} paused"
    if counts[State.NO_DATA] == total:
        return "", f"{total} unknown"
    return str(counts[State.PASSING]), f" of {total}"


def service_state(states: Iterable[State], worst: State) -> str:
    """How many paths are in the service's state: "1 of 4 critical paths"."""
    counts = Counter(states)
    total = sum(counts.values())
    if not total:
        return "no critical path is probed here"
    if counts[worst] == total:
        return "the one critical path" if total == 1 else f"all {total} critical paths"
    return f"{counts[worst]} of {counted(total, 'critical path')}"


def channels_head(failing: Iterable[str], total: int) -> str:
    """ "2 channels deliver", "Pricing on call has not delivered since 14:09".

    `failing` are sentences' ends, one for each channel that fails: "… since 14:09".
    """
    failed = list(failing)
    if not total:
        return "Nobody would be told"
    if len(failed) == 1:
        return f"{counted(1, 'channel')} has not delivered since {failed[0]}"
    if failed:
        return f"{len(failed)} of {counted(total, 'channel')} do not deliver"
    return f"{counted(total, 'channel')} {'delivers' if total == 1 else 'deliver'}"


def note_sentence(steps: int, minutes: int | None) -> str:
    """ "4 steps, about 4 min", said beside a note's title."""
    said = counted(steps, "step") if steps else "No steps written"
    return f"{said}, about {minutes} min" if minutes else said


def incidents_head(open_now: int) -> str:
    if not open_now:
        return "No incident is open"
    return f"{counted(open_now, 'incident')} {_are(open_now)} open"


def delivery_words(delivery: Delivery) -> str:
    """ "delivered in 4 s", "trying again after 3 tries", "given up", "waiting", "silenced"."""
    message = delivery.message
    if delivery.held_at or message is None:
        return delivery.get_held_by_display() if delivery.held_at else delivery.outcome()
    if message.delivered_at:
        return f"delivered in {ago(delivery.created_at, message.delivered_at)}"
    outcome = delivery.outcome()
    return f"{outcome} after {_tries(message.attempts)}" if message.attempts else outcome


def _tries(count: int) -> str:
    return "1 try" if count == 1 else f"{count} tries"


def notes_head(missing: int, services: int) -> str:
    if not services:
        return NOTHING_WATCHED
    if not missing:
        return "Every service has a rollback note"
    return f"{counted(missing, 'service')} of {services} {_have(missing)} no rollback note"


def notices_head(count: int) -> str:
    return f"{counted(count, 'notice')} {_are(count)} open" if count else "No notice is open"
