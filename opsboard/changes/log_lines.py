"""Samples of real traffic, out of the request log of an instrumented service. Pure.

A line is one JSON object as opsboard.instrument writes it, with whatever a logger puts before it:

    {"time": "2026-11-28T12:33:41.858+00:00", "method": "GET", "route": "/v1/quotes/{id}",
     "status": 200, "ms": 12.6, "cache": "hit", "db_calls": 3, "db_ms": 4.1}
"""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeGuard

from opsboard.changes.files import MOST_CALLS
from opsboard.changes.sent import Sent
from opsboard.expectations.cache_label import label_of

MOST_LINES, MOST_READ = 2_000_000, 100_000
LONGEST_LINE = 10_000
# The log tells tenths of a millisecond: 0.0 is anything below half of one, and is taken as that.
LEAST_MS = 0.05
# The column of a sample holds no more.
MOST_MS = 2_147_483.0
MOST_ROUTES, ROUTES_NAMED = 1_000, 3
# Why a line is no sample, in the words of `skipped`.
NOT_JSON, OTHER_SHAPE = "not JSON", "another shape"
OTHER_REQUEST, LEFT_OUT = "another request", "left out by 1 in N"


class NothingReadError(ValueError):
    """The log gives no samples, or too many; the message is one sentence that says what to do."""


@dataclass(frozen=True, slots=True)
class Read:
    # Oldest first.
    samples: tuple[Sent, ...]
    # How many lines there were, and why some are no samples.
    lines: int
    skipped: Mapping[str, int]


def read(
    lines: Iterable[str],
    *,
    route: str,
    method: str | None = None,
    every: int = 1,
    expected: Collection[int] = (),
) -> Read:
    """The requests of one route, of which the first of `every` is taken.

    A request is good when its status is among the `expected`; without those, when it is below 500:
    the log does not know what the service should have answered. Raises NothingReadError.
    """
    if every < 1:
        raise NothingReadError("Of 1 in N requests N is 1 or more.")
    wanted = method.upper() if method else None
    samples: list[Sent] = []
    skipped: Counter[str] = Counter()
    routes: Counter[str] = Counter()
    count = of_route = 0
    for line in lines:
        if not line.strip():
            continue
        count += 1
        if count > MOST_LINES:
            raise NothingReadError(f"A log has at most {MOST_LINES:,} lines: read it in parts.")
        told = _object_in(line)
        if told is None:
            skipped[NOT_JSON] += 1
        elif (sample := _sample_of(told, expected)) is None:
            skipped[OTHER_SHAPE] += 1
        elif told["route"] != route or wanted not in (None, told["method"].upper()):
            skipped[OTHER_REQUEST] += 1
            name = f"{told['method']} {told['route']}"[:200]
            if name in routes or len(routes) < MOST_ROUTES:
                routes[name] += 1
        else:
            of_route += 1
            if (of_route - 1) % every:
                skipped[LEFT_OUT] += 1
            else:
                samples.append(sample)
            if len(samples) > MOST_READ:
                raise NothingReadError(
                    f"More than {MOST_READ:,} samples are in the log: take 1 in {every * 2}, "
                    "or fewer."
                )
    if not samples:
        raise NothingReadError(_nothing(f"{wanted or 'any method'} {route}", count, routes))
    samples.sort(key=lambda sample: sample.at)
    return Read(tuple(samples), count, dict(skipped))


def _object_in(line: str) -> dict[str, Any] | None:
    begins = line.find("{")
    if begins < 0 or len(line) > LONGEST_LINE:
        return None
    try:
        told = json.loads(line[begins:])
    except (ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) else None


def _sample_of(told: Mapping[str, Any], expected: Collection[int]) -> Sent | None:
    """None: it is not what the instrument writes."""
    at, status, ms = _time(told.get("time")), told.get("status"), told.get("ms")
    calls, cache = told.get("db_calls"), told.get("cache", "unknown")
    route = told.get("route")
    is_told = isinstance(told.get("method"), str) and isinstance(cache, str)
    if at is None or not is_told or not (route is None or isinstance(route, str)):
        return None
    if not _is_whole(status) or not 100 <= status <= 599:
        return None
    # Nor is NaN within.
    if isinstance(ms, bool) or not isinstance(ms, int | float) or not 0 <= ms <= MOST_MS:
        return None
    if calls is not None and (not _is_whole(calls) or not 0 <= calls <= MOST_CALLS):
        return None
    return Sent(
        at=at,
        latency_us=round(max(ms, LEAST_MS) * 1_000),
        cache=_cache_word(cache),
        ok=status in expected if expected else status < 500,
        db_calls=calls,
    )


def _is_whole(number: object) -> TypeGuard[int]:
    return isinstance(number, int) and not isinstance(number, bool)


def _time(text: object) -> datetime | None:
    if not isinstance(text, str) or len(text) > 40:
        return None
    try:
        at = datetime.fromisoformat(text)
        # Near the year 1 or 9999 an offset leads out of the calendar.
        return at.astimezone(UTC) if at.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _cache_word(told: str) -> str:
    """The instrument tells the parameter of Cache-Status (RFC 9211) that matters, alone."""
    return label_of({"cache-status": f"log; {told[:100]}"}).word


def _nothing(wanted: str, count: int, routes: Mapping[str, int]) -> str:
    if not count:
        return "The log is empty: give the file that the service writes its requests to."
    if not routes:
        return (
            f"None of the {count:,} lines is one that opsboard.instrument writes: "
            "see its README.md for how to log requests."
        )
    most = sorted(routes, key=lambda one: -routes[one])[:ROUTES_NAMED]
    return f"No line is of {wanted[:200]}; most are of {', '.join(most)}."
