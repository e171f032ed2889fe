"""What a burst asks: the sheets of the path and of the control path, in the mode of the change."""

import copy
from dataclasses import dataclass

from opsboard.changes.models import Change
from opsboard.probes.models import Probe
from opsboard.probes.orders import Order, compile_order
from opsboard.probes.planning import SAFE
from opsboard.services.models import CriticalPath, Environment

Mode, CacheMode = Change.Mode, CriticalPath.CacheMode
COLD = (CacheMode.COLD_QUERY, CacheMode.COLD_HEADER)


@dataclass(frozen=True, slots=True)
class Question:
    """One sheet, in the ways it is asked in turn."""

    is_control: bool
    orders: tuple[Order, ...]

    def nth(self, number: int) -> Order:
        """`number` counts the samples of this sheet in its window, from 0."""
        return self.orders[number % len(self.orders)]


@dataclass(frozen=True, slots=True)
class Questions:
    path: Question
    # None: the change names no control path.
    control: Question | None

    def following(self, of_path: int, of_control: int) -> Question:
        """The path and its control path in turn, so that both see the same drift."""
        is_behind = self.control is not None and of_control < of_path
        return self.control if self.control and is_behind else self.path


def questions_of(change: Change, location: str) -> Questions:
    """Compile the sheets as they stand. Reads path, control, environment and its variables."""
    control = change.control
    return Questions(
        path=_question(change, change.path, location, is_control=False),
        control=_question(change, control, location, is_control=True) if control else None,
    )


def _question(change: Change, path: CriticalPath, location: str, *, is_control: bool) -> Question:
    orders = tuple(
        _order(path, change.environment, location, cache_mode)
        for cache_mode in _cache_modes(change.mode, path)
    )
    return Question(is_control, orders)


def _cache_modes(mode: str, path: CriticalPath) -> tuple[str, ...]:
    cold = path.cache_mode if path.cache_mode in COLD else CacheMode.COLD_QUERY
    match mode:
        case Mode.HIT_AND_MISS:
            return (CacheMode.WARM, cold)
        case Mode.MISSES:
            return (cold,)
    return (path.cache_mode,)


def _order(path: CriticalPath, environment: Environment, location: str, cache_mode: str) -> Order:
    asked = copy.copy(path)
    asked.cache_mode = cache_mode
    return compile_order(Probe(path=asked, environment=environment, location=location))


def requests_of(order: Order) -> int:
    """How many requests one answer takes, redirects apart."""
    if order.plan is None:
        return 1
    return sum(2 if step.warms else 1 for step in order.plan.steps)


def why_not_asked(change: Change) -> str:
    """Why a burst cannot ask its paths, in a sentence; "": it can."""
    for path in filter(None, (change.path, change.control)):
        if why := _why_not(path, change.mode):
            return why
    return ""


def _why_not(path: CriticalPath, mode: str) -> str:
    if path.removed_at is not None:
        return f"The path {path.slug} was removed."
    if path.paused_at is not None:
        return f"{path.name} is paused: resume it before it is asked."
    if path.kind == CriticalPath.Kind.HEARTBEAT:
        return f"{path.name} is a heartbeat, which reports in and is not asked."
    if mode == Mode.AS_IS:
        return ""
    if path.kind != CriticalPath.Kind.HTTP or len(path.steps) > 1:
        return (
            f"{path.name} is more than one HTTP request: only as users ask can a burst ask it, "
            "not for hits and misses."
        )
    method = path.steps[0].get("method", "GET") if path.steps else path.method
    if method not in SAFE:
        return (
            f"{path.name} is a {method}, which is asked neither twice nor past a cache: "
            "only as users ask can a burst ask it."
        )
    return ""
