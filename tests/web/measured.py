"""Changes that were measured, made in the database by hand, and what a comparison came to."""

import hashlib
import zlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import numpy as np

from opsboard.changes.models import Act, Burst, Change, Comparison, Window
from opsboard.changes.rules.comparing import Settings, compare
from opsboard.changes.rules.judged import Judged
from opsboard.changes.rules.reading import both_sides
from opsboard.services.models import CriticalPath

FIXTURES = Path(__file__).parents[1] / "changes" / "fixtures"
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def now() -> datetime:
    return datetime.now(UTC)


def a_change(path: CriticalPath, **fields: object) -> Change:
    values: dict[str, object] = {
        "title": "Index fare rules by route and date",
        "service": path.service,
        "environment": path.service.environments.get(slug="production"),
        "purpose": "make prices faster when the cache misses",
        "variables": ["index"],
        "declared_at": now() - 26 * HOUR,
        "declared_as": "Ingrid Solheim",
    }
    return Change.objects.create(path=path, **(values | fields))


def an_attempt(change: Change, **fields: object) -> Comparison:
    """The next one of the change, its baseline just opened."""
    number = change.comparisons.count() + 1
    values = {"number": number, "began_at": now() - 25 * HOUR}
    return Comparison.objects.create(change=change, **(values | fields))


def csv_of(side: str, count: int = 3) -> bytes:
    rows = [
        f"{side},{number},{62_000 + number},hit,1,12,2026-11-12T09:00:{number % 60:02}.000000Z"
        for number in range(count)
    ]
    return "\n".join(["side,i,latency_us,cache,ok,db_calls,at", *rows, ""]).encode()


def a_window(attempt: Comparison, side: str, *, is_sealed: bool = True, **fields: object) -> Window:
    begun = now() - (24 * HOUR if side == "before" else 11 * HOUR)
    values: dict[str, object] = {
        "opened_at": begun,
        "starts_at": begun,
        "closes_at": begun + 24 * HOUR,
    }
    if is_sealed:
        text = csv_of(side)
        values |= {
            "sealed_at": begun + 10 * HOUR,
            "ended_at": begun + 10 * HOUR,
            "count": 300,
            "sha256": hashlib.sha256(text).hexdigest(),
            "content": zlib.compress(text),
        }
    return Window.objects.create(comparison=attempt, side=side, **(values | fields))


def is_applied(attempt: Comparison, **fields: object) -> Act:
    at = now() - 12 * HOUR
    attempt.applied_at = at
    attempt.save()
    values = {"kind": "applied", "at": at, "by_name": "Ingrid Solheim"}
    return Act.objects.create(comparison=attempt, **(values | fields))


def was_cleared(attempt: Comparison, **fields: object) -> Act:
    values: dict[str, object] = {
        "kind": "cleared",
        "at": now() - 12 * HOUR + MINUTE,
        "by_name": "Ingrid Solheim",
        "what": "prefix",
        "pattern": "fare:*",
        "count": 214,
        "command": "redis-cli --scan --pattern 'fare:*' | xargs redis-cli unlink",
        "exit_code": 0,
    }
    return Act.objects.create(comparison=attempt, **(values | fields))


def a_burst(window: Window, **fields: object) -> Burst:
    values = {"location": "default", "wanted": 200, "started_at": now() - MINUTE}
    return Burst.objects.create(window=window, **(values | fields))


def was_judged(change: Change, judged: Judged, **fields: object) -> Comparison:
    """An attempt with both windows sealed, applied between them, and this verdict."""
    attempt = an_attempt(change)
    a_window(attempt, "before")
    is_applied(attempt)
    a_window(attempt, "after", left_out={"warm_up": 10})
    attempt.verdict, attempt.reason = judged["verdict"], judged["reason"]
    attempt.result, attempt.judged_at = dict(judged), now() - HOUR
    for name, value in fields.items():
        setattr(attempt, name, value)
    attempt.save()
    return attempt


@cache
def compared(
    fixture: str,
    *,
    swapped: bool = False,
    labels: bool = True,
    calls: bool = True,
    control: bool = False,
    changed: tuple[str, ...] = ("index",),
    guardrails: tuple[str, ...] = (),
) -> Judged:
    """What the samples of a fixture come to; `swapped` is after first."""
    with (FIXTURES / f"{fixture}.csv").open(newline="") as file:
        before, after = both_sides(file)
    if swapped:
        before, after = after, before
    if not labels:
        before, after = (replace(one, cache=np.zeros_like(one.cache)) for one in (before, after))
    if not calls:
        before, after = (
            replace(one, db_calls=np.full(len(one), np.nan)) for one in (before, after)
        )
    settings = Settings(changed=changed, guardrails=guardrails)
    return compare(before, after, settings, control=(before, before) if control else None)


def not_the_same() -> Judged:
    return {
        "verdict": "invalid",
        "reason": "not_the_same_question",
        "n": [300, 300],
        "changed": ["index"],
    }
