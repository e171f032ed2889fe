"""The fixtures with known answers: every figure within its tolerance, every word exact."""

import json
from pathlib import Path
from typing import Any

import pytest

from opsboard.changes.rules.comparing import Settings, compare
from opsboard.changes.rules.judged import Judged
from opsboard.changes.rules.reading import both_sides

HERE = Path(__file__).parent / "fixtures"
EXPECTED: dict[str, Any] = json.loads((HERE / "expected.json").read_text())
ESTIMATE, BOUND = 0.005, 0.02


def judged(name: str, **settings: Any) -> Judged:
    with (HERE / f"{name}.csv").open(newline="") as file:
        sides = both_sides(file)
    return compare(*sides, Settings(**{"changed": tuple(EXPECTED[name]["changed"]), **settings}))


def differences(
    expected: Any, found: Any, where: str = "", tolerance: float = ESTIMATE
) -> list[str]:
    match expected:
        case dict():
            return [
                line
                for key, value in expected.items()
                for line in differences(value, found[key], f"{where}.{key}")
            ]
        case [float(), float(), float()]:
            return [
                line
                for place, (value, got) in enumerate(zip(expected, found, strict=True))
                for line in differences(
                    value, got, f"{where}[{place}]", BOUND if place else ESTIMATE
                )
            ]
        case [float(), float()]:
            return [
                line
                for place, (value, got) in enumerate(zip(expected, found, strict=True))
                for line in differences(value, got, f"{where}[{place}]", BOUND)
            ]
        case float():
            return [] if abs(expected - found) <= tolerance else [f"{where}: {expected} {found}"]
    return [] if expected == found else [f"{where}: {expected!r} {found!r}"]


@pytest.mark.parametrize("name", EXPECTED)
def test_every_figure_and_every_word_of_a_fixture(name: str) -> None:
    assert differences(EXPECTED[name], judged(name), name) == []
