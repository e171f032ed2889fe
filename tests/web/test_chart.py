"""The chart of a path: its numbers, its shapes, its stretches, its words."""

import pytest

from opsboard.expectations.grammar import parse
from opsboard.probes.rules import State
from opsboard.web.chart import data_of, finding, lines_of, scale_for
from opsboard.web.drawing import draw
from opsboard.web.measurements import NOTHING, Limits, Measured, limits_of
from opsboard.web.series import Series
from opsboard.web.uptime import Standing
from opsboard.web.words import MINUTE

F, P = State.FAILING, State.PASSING


def a_point(total: int) -> Measured:
    return Measured(
        probes=2, answered=2, p95=total, first_byte_sum=2 * total, db_time_sum=total,
        cache_hits=1, cache_known=2, db_calls_sum=12, db_calls_reported=2,
    )  # fmt: skip


def a_series(points: list[Measured], limits: Limits | None = None, **fields: object) -> Series:
    values: dict[str, object] = {"start": 0, "step": MINUTE, "standing": standing()}
    return Series(points=points, limits=limits or Limits(), **(values | fields))


def standing(*line: tuple[int, State], end: int = 100 * MINUTE) -> Standing:
    return Standing(line=list(line), end=end)


@pytest.mark.parametrize(
    ("most", "ticks"),
    [
        (2_900, (0, 1000, 2000, 3000)),
        (480, (0, 200, 400, 600)),
        (1, (0, 0.5, 1)),
        (9.6, (0, 5, 10)),
        (178, (0, 50, 100, 150, 200)),
    ],
)
def test_scales_are_round_and_hold_the_most(most: float, ticks: tuple[float, ...]):
    scale = scale_for(most, parts=4)
    assert scale.top == scale.ticks[-1] >= most
    assert scale.ticks == ticks


def test_a_gap_stays_a_gap_in_every_line():
    lines = lines_of(a_series([a_point(100_000), NOTHING, a_point(200_000)]))
    assert {name: values[1] for name, values in lines.items()} == dict.fromkeys(lines)
    assert lines["p95"] == [100, None, 200]
    assert lines["database"] == [50, None, 100]
    assert lines["hits"] == [50, None, 50]
    assert lines["calls"] == [6, None, 6]
    assert lines["errors"] == [0, None, 0]


def test_a_drawn_line_is_broken_at_a_gap():
    points = [a_point(100_000), NOTHING, a_point(200_000), a_point(200_000)]
    time = draw(a_series(points)).rows[0]
    assert len(time.lines) == 2
    assert [css for css, _ in time.areas] == [
        "d-4",
        "d-4",
        "d-3",
        "d-3",
        "d-2",
        "d-2",
        "d-1",
        "d-1",
    ]


def test_the_limit_is_drawn_with_its_words():
    series = a_series([a_point(100_000)] * 2, limits_of(parse("time < 400 ms\ndb.calls <= 8")))
    time, _, calls, errors = draw(series).rows
    assert time.limit is not None
    assert calls.limit is not None
    assert (time.limit[1], calls.limit[1], errors.limit) == (
        "expected under 400 ms", "expected at most 8", None,
    )  # fmt: skip
    assert time.top < time.limit[0] < time.top + time.height


def test_the_script_gets_seconds_and_milliseconds():
    series = a_series([a_point(100_000)] * 2, standing=standing((30 * 1_000_000, F), (MINUTE, P)))
    data = data_of(series)
    assert (data["t"], data["step"], data["p95"]) == ([0, 60], 60, [100, 100])
    assert data["failing"] == [[30, 60]]
    assert data["scales"]["cache"] == {"top": 100, "ticks": (0, 50, 100)}


@pytest.mark.parametrize(
    ("line", "stretches"),
    [
        ([], []),
        ([(0, F)], [(0, 100)]),
        ([(0, P)], []),
        ([(0, P), (40, F)], [(40, 100)]),
        ([(0, F), (40, P)], [(0, 40)]),
        ([(0, P), (10, F), (20, P), (50, F)], [(10, 20), (50, 100)]),
        ([(10, F), (20, F), (30, P)], [(10, 30)]),
        ([(10, F), (100, P)], [(10, 100)]),
    ],
)
def test_the_stretches_in_which_a_path_was_failing(line, stretches):
    assert standing(*line, end=100).failing == stretches


def test_the_finding_says_how_many_were_wrong_and_when_it_failed():
    points = [a_point(2_840_000)] * 20
    said = finding(a_series(points, standing=standing((5 * MINUTE, F), (20 * MINUTE, P))), "3 h")
    assert said.replace("\u00a0", " ") == (
        "40 probes in 3 h, 0% wrong; slowest p95 2.84 s. "
        "It was failing for 15 min in all, last from 00:05."
    )
    assert finding(a_series([NOTHING]), "3 h") == "Nothing was measured in the last 3 h."
