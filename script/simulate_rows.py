"""The rows of script/simulate: what each simulates, and what its verdicts have to be."""

from dataclasses import dataclass, replace
from math import log

from opsboard.changes.rules.power import found, stays
from script.simulate_samples import Side

AT_MOST, AT_LEAST = "≤", "≥"
# Of intervals at 95 %.
COVERAGE = (("covered", AT_LEAST, 0.92), ("covered", AT_MOST, 0.98))
NOTHING = (("improved", AT_MOST, 0.05), ("regressed", AT_MOST, 0.05))


@dataclass(frozen=True)
class Row:
    """`truth`: the log ratio that ranges have to hold; None where no one figure is true."""

    name: str
    what: str
    before: Side
    after: Side
    bounds: tuple[tuple[str, str, float], ...] = ()
    truth: float | None = 0.0
    changed: tuple[str, ...] = ("query",)
    equivalence: float | None = None
    # A path that the change does not touch, with the same drift.
    has_control: bool = False


def lucky(name: str, what: str, side: Side, **given) -> Row:
    """30 % hits before, 70 % after: nothing else differs unless `given` says."""
    return Row(name, what, replace(side, hits=0.3), replace(side, hits=0.7), **given)


def drifting(share: float, *, has_control: bool, bounds=()) -> Row:
    """From so much faster to so much slower over both windows, evenly."""
    sides = Side(drift=(1 - share, 1.0)), Side(drift=(1.0, 1 + share))
    name = f"drift-{share * 100:.0f}" + ("-control" if has_control else "")
    what = f"times drift by ±{share:.0%}, " + (
        "a control path too" if has_control else "no control"
    )
    return Row(name, what, *sides, bounds, has_control=has_control)


NOT_A_FIX = (("improved", AT_MOST, 0.015), ("confounded", AT_LEAST, 0.98))
SAME = Side()
UNSEEN = Side(sees_cache=False)
BURSTS = Side(failing=0.02, burst=5.0)
ROWS = (
    lucky("lucky-0", "lucky hit: 30 → 70 % hits, nothing fixed, φ 0", Side(likeness=0.0),
          bounds=NOT_A_FIX),
    lucky("lucky-3", "lucky hit, φ 0.3", SAME, bounds=NOT_A_FIX),
    lucky("lucky-6", "lucky hit, φ 0.6", Side(likeness=0.6), bounds=NOT_A_FIX),
    lucky("lucky-sticky", "lucky hit, sticky cache", Side(is_sticky=True),
          bounds=(("improved", AT_MOST, 0.02), ("confounded", AT_LEAST, 0.88))),
    Row("mild", "50 → 60 % hits, nothing fixed", SAME, Side(hits=0.6),
        (("improved", AT_MOST, 0.05),)),
    Row("all-hits", "30 → 100 % hits, nothing fixed", Side(hits=0.3), Side(hits=1.0),
        (("improved", AT_MOST, 0.015), ("confounded", AT_LEAST, 0.98)), truth=None),
    lucky("unseen", "lucky hit, cache result unknown", UNSEEN,
          bounds=(("improved", AT_MOST, 0.0), ("inconclusive", AT_LEAST, 0.98)), truth=None),
    lucky("witness", "lucky hit, unknown, database calls reported",
          Side(sees_cache=False, counts_calls=True),
          bounds=(("improved", AT_MOST, 0.015), ("confounded", AT_LEAST, 0.95))),
    Row("same", "nothing changed", SAME, SAME, (*NOTHING, *COVERAGE)),
    Row("same-900", "nothing changed, 900 a side", Side(n=900), Side(n=900),
        (*NOTHING, ("no_change", AT_LEAST, 0.80), *COVERAGE)),
    Row("faster", "20 % faster", SAME, Side(ratio=0.8), (("improved", AT_LEAST, 0.90), *COVERAGE),
        truth=log(0.8)),
    Row("slower", "25 % slower", SAME, Side(ratio=1.25), (("regressed", AT_LEAST, 0.92), *COVERAGE),
        truth=log(1.25)),
    Row("at-margin", "faster by the margin itself, 9.1 %", SAME, Side(ratio=1 / 1.1),
        (("improved", AT_MOST, 0.55), *COVERAGE), truth=-log(1.1)),
    Row("fix-and-luck", "30 % faster and 30 → 70 % hits", Side(hits=0.3), Side(hits=0.7, ratio=0.7),
        (("improved", AT_LEAST, 0.98),), truth=log(0.7)),
    Row("miss-fix", "misses 50 % faster and 30 → 70 % hits", Side(hits=0.3),
        Side(hits=0.7, miss_ratio=0.5), (("improved", AT_LEAST, 0.90),), truth=None),
    Row("masked", "25 % faster but 70 → 30 % hits", Side(hits=0.7), Side(hits=0.3, ratio=0.75),
        (("improved", AT_MOST, 0.02), ("confounded", AT_LEAST, 0.98)), truth=log(0.75)),
    Row("two-variables", "20 % faster, two variables", SAME, Side(ratio=0.8),
        (("confounded", AT_LEAST, 1.0),), truth=log(0.8), changed=("query", "config")),
    Row("fast-fail", "20 % of answers fail in 2 ms after", SAME,
        Side(failing=0.2, fails_fast=True), (("regressed", AT_LEAST, 0.98),)),
    Row("failing", "errors 0 → 5 %", SAME, Side(failing=0.05),
        (("improved", AT_MOST, 0.0), ("regressed", AT_LEAST, 0.90))),
    Row("bursts", "2 % errors in bursts of 5, both sides", BURSTS, BURSTS, NOTHING),
    drifting(0.1, has_control=False),
    drifting(0.1, has_control=True, bounds=NOTHING),
    drifting(0.2, has_control=False),
    drifting(0.2, has_control=True, bounds=NOTHING),
)  # fmt: skip


def finding(ratio: float, n: int) -> Row:
    """One cache result, as the formulas of rules/power.py take it: misses, of spread 0.5."""
    before, expected = Side(n=n, hits=0.0), found(ratio, n)
    what = f"{1 - ratio:.0%} faster, {n} a side: expected {expected:.2f}"
    return Row(f"find-{ratio * 100:.0f}-{n}", what, before, replace(before, ratio=ratio),
               near("improved", expected), truth=log(ratio))  # fmt: skip


def staying(equivalence: float, n: int) -> Row:
    """Half hits of spread 0.35, half misses of 0.5: together as sure as one result of 0.405."""
    side, expected = Side(n=n), stays(n, equivalence, spread=0.405)
    what = f"the same within {equivalence:.0%}, {n} a side: expected {expected:.2f}"
    return Row(f"same-{equivalence * 100:.0f}-{n}", what, side, side,
               near("no_change", expected), equivalence=equivalence)  # fmt: skip


def near(column: str, expected: float) -> tuple[tuple[str, str, float], ...]:
    return (column, AT_LEAST, expected - 0.06), (column, AT_MOST, expected + 0.06)


SIZES = (60, 100, 200, 400)
POWER = (
    *(finding(ratio, n) for ratio in (0.7, 0.8, 0.85, 0.9) for n in SIZES),
    *(staying(equivalence, n) for equivalence in (0.1, 0.2) for n in (200, 400, 600)),
)
BY_NAME = {row.name: row for row in (*ROWS, *POWER)}
