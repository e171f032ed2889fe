"""Samples as in the literature on response times: log-normal, neighbours alike, hits and misses."""

from dataclasses import replace
from typing import Any

import numpy as np

from opsboard.changes.rules.comparing import Settings, compare
from opsboard.changes.rules.judged import Judged
from opsboard.changes.rules.samples import CACHE_WORDS, Samples

HIT, MISS, UNKNOWN = (CACHE_WORDS.index(word) for word in ("hit", "miss", "unknown"))


def made(
    n: int = 200,
    *,
    seed: int = 1,
    hits: float = 0.5,
    ratio: float = 1.0,
    likeness: float = 0.3,
    miss_ratio: float = 1.0,
    calls: float = 12,
) -> Samples:
    """Hits of about 20 ms without database calls, misses of about 180 ms with `calls`."""
    rng = np.random.default_rng(seed)
    z = rng.standard_normal(n)
    for t in range(1, n):
        z[t] = likeness * z[t - 1] + np.sqrt(1 - likeness**2) * z[t]
    is_hit = rng.random(n) < hits
    times = np.exp(np.where(is_hit, np.log(20) + 0.35 * z, np.log(180) + 0.5 * z))
    return Samples(
        latency=np.round(times * ratio * np.where(is_hit, 1, miss_ratio) * 1000),
        cache=np.where(is_hit, HIT, MISS).astype(np.int8),
        ok=np.ones(n, dtype=np.bool_),
        db_calls=np.where(is_hit, 0.0, calls),
    )


def flat(n: int, latency: float = 1000, cache: int = MISS, calls: float = 12) -> Samples:
    return Samples(
        np.full(n, float(latency)),
        np.full(n, cache, dtype=np.int8),
        np.ones(n, dtype=np.bool_),
        np.full(n, float(calls)),
    )


def failing(samples: Samples, count: int, *, spread: bool = True) -> Samples:
    """The same with `count` wrong answers: spread over the side, or in one run at its end."""
    ok = samples.ok.copy()
    n = len(samples)
    places = np.linspace(0, n - 1, count).astype(int) if spread else np.arange(n - count, n)
    ok[places] = False
    return replace(samples, ok=ok)


def joined(*parts: Samples) -> Samples:
    columns = ("latency", "cache", "ok", "db_calls")
    return Samples(*(np.concatenate([getattr(one, name) for one in parts]) for name in columns))


def with_cache(samples: Samples, cache: Any) -> Samples:
    return replace(samples, cache=np.broadcast_to(np.int8(cache), len(samples)).copy())


def without_calls(samples: Samples) -> Samples:
    return replace(samples, db_calls=np.full(len(samples), np.nan))


def judged(before: Samples, after: Samples, *changed: str, **more: Any) -> Judged:
    sides = {name: more.pop(name) for name in ("control", "guarded") if name in more}
    return compare(before, after, Settings(changed or ("code",), **more), **sides)


def said(found: Judged) -> tuple[str, str]:
    return found["verdict"], found["reason"]


FIXED = (made(300, seed=1), made(300, seed=2, ratio=0.65))
SAME = (made(900, seed=3), made(900, seed=4))
LUCKY = (made(300, seed=1, hits=0.3), made(300, seed=2, hits=0.7))
