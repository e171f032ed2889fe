"""Figures of verdicts, made by hand: as opsboard.changes.rules.judged.Judged has them."""

from typing import Any

from opsboard.changes.rules.judged import Judged


def times(
    n: tuple[int, int],
    share: tuple[float, float],
    median: tuple[float | None, float | None],
    mean: tuple[float | None, float | None] = (None, None),
    difference: list[float] | None = None,
) -> dict[str, Any]:
    return {
        "n": list(n),
        "share": list(share),
        "mean": list(mean),
        "median": list(median),
        "p95": [None, None],
        "difference": difference,
        "call": None,
    }


SAME_MIX = {
    "hit": times((150, 160), (0.5, 0.53), (20.0, 13.0)),
    "miss": times((150, 140), (0.5, 0.47), (183.0, 119.0), difference=[-64.0, -80.0, -50.0]),
    "all": times((300, 300), (1, 1), (83.0, 36.4), mean=(110.0, 70.2)),
}
SLOWER = {
    "hit": times((150, 160), (0.5, 0.53), (20.0, 25.0)),
    "miss": times((150, 140), (0.5, 0.47), (183.0, 229.0), difference=[46.0, 30.0, 60.0]),
    "all": times((300, 300), (1, 1), (83.0, 104.0), mean=(110.0, 137.0)),
}
ALIKE = {
    "hit": times((150, 160), (0.5, 0.53), (20.0, 20.1)),
    "miss": times((150, 140), (0.5, 0.47), (183.0, 182.0), difference=[-1.0, -9.0, 8.0]),
    "all": times((300, 300), (1, 1), (83.0, 82.0), mean=(110.0, 109.0)),
}
LUCKY = {
    "hit": times((174, 273), (0.58, 0.91), (62.0, 62.0), difference=[0.0, 0.0, 1.0]),
    "miss": times((126, 27), (0.42, 0.09), (232.0, 230.0), difference=[-2.0, -11.0, 6.0]),
    "all": times((300, 300), (1, 1), (76.0, 64.0), mean=(135.8, 78.4)),
}
UNTOLD = {
    "unknown": times((300, 300), (1, 1), (83.0, 36.4)),
    "all": times((300, 300), (1, 1), (83.0, 36.4), mean=(135.8, 78.4)),
}
MORE_HITS = {"hit": [0.33, 0.25, 0.41], "miss": [-0.33, -0.41, -0.25]}
CALLS = {
    "miss": {"mean": [12, 3], "most": [12, 3], "mode": [12, 3], "is_constant": True, "ratio": None}
}


def judged(verdict: str, reason: str = "", **figures: Any) -> Judged:
    """Of 300 samples a side, half of them hits, that got 34 % faster, unless said otherwise."""
    found: dict[str, Any] = {
        "verdict": verdict,
        "reason": reason,
        "n": [300, 300],
        "changed": ["query"],
        "error_rate": {
            "before": 0.0,
            "after": 0.0,
            "diff": 0.0,
            "newcombe": [-0.0126, 0.0126],
            "robust": [0.0, 0.0],
        },
        "pooled": [-0.4383, -0.5764, -0.302],
        "pooled_call": "improved",
        "mix": {"hit": [0.03, -0.05, 0.11], "miss": [-0.03, -0.11, 0.05]},
        "mix_shifted": False,
        "coverage": 1.0,
        "strata": {"hit": [-0.46, -0.56, -0.37], "miss": [-0.35, -0.48, -0.21]},
        "adjusted": [-0.4105, -0.4936, -0.3216],
        "adjusted_call": "improved",
        "metric": "time",
        "margin": 0.10,
        "times": SAME_MIX,
        **figures,
    }
    return found  # type: ignore[return-value]
