"""The 90-day strip and the spark: never more than was measured."""

from dataclasses import dataclass
from datetime import date, timedelta

import pytest

from opsboard.probes.rules import State
from opsboard.web.strips import Bar, bars, spark, strip_paths, strip_words

TODAY = date(2026, 11, 17)


@dataclass
class Day:
    day: date
    worst: str = "passing"
    warning: int = 0
    failing: int = 0
    no_data: int = 0
    paused: int = 0
    maintenance: int = 0
    is_example: bool = False


def back(days: int) -> date:
    return TODAY - timedelta(days=days)


def test_ninety_bars_end_today_with_the_newest_at_the_right():
    drawn = bars([Day(TODAY, "failing", failing=23 * 60)], today=TODAY)
    assert len(drawn) == 90
    assert drawn[-1] == Bar(TODAY, State.FAILING, 23)
    assert drawn[0].day == back(89)


def test_days_before_the_first_are_not_watched_and_a_gap_after_it_is_no_data():
    drawn = bars([Day(back(3)), Day(back(1)), Day(TODAY)], today=TODAY)
    states = [bar.state for bar in drawn[-5:]]
    assert states == [None, State.PASSING, State.NO_DATA, State.PASSING, State.PASSING]


def test_a_service_never_watched_has_no_bars():
    drawn = bars([], today=TODAY)
    assert strip_paths(drawn) == []
    assert strip_words(drawn) == "Not watched yet."


@pytest.mark.parametrize(
    ("state", "seconds", "height", "code"),
    [
        ("passing", 0, 6, "p"),
        ("warning", 90, 12, "s2"),
        ("failing", 1, 15, "f1"),
        ("failing", 300, 15, "f5"),
        ("failing", 301, 19, "f6"),
        ("failing", 1800, 19, "f30"),
        ("failing", 1801, 22, "f31"),
        ("no_data", 3600, 10, "n60"),
        ("paused", 86400, 2, "o1440"),
    ],
)
def test_a_bar_grows_with_severity(state, seconds, height, code):
    [bar] = bars([Day(TODAY, state, **({state: seconds} if seconds else {}))], today=TODAY, days=1)
    assert (bar.height, bar.code) == (height, code)


def test_a_day_of_maintenance_alone_claims_nothing_and_is_named():
    row = Day(TODAY, "paused", maintenance=86_400)
    drawn = bars([Day(back(1)), row], today=TODAY, days=2)
    assert (drawn[-1].height, drawn[-1].code) == (2, "m1440")
    assert strip_paths(drawn) == [("pass", "M1 22v-6"), ("paused", "M4 22v-2")]
    assert strip_words(drawn) == "1 day passing, 1 in maintenance."


def test_a_day_that_was_partly_in_maintenance_shows_the_rest_of_it():
    [bar] = bars([Day(TODAY, "failing", failing=60, maintenance=3600)], today=TODAY, days=1)
    assert (bar.state, bar.code) == (State.FAILING, "f1")


def test_one_path_draws_all_days_of_a_state():
    drawn = bars(
        [Day(back(2)), Day(back(1), "failing", failing=60), Day(TODAY)], today=TODAY, days=3
    )
    assert strip_paths(drawn) == [("pass", "M1 22v-6M7 22v-6"), ("fail", "M4 22v-15")]


def test_the_words_count_every_state_that_occurs():
    rows = [Day(back(days)) for days in range(3, 90)]
    rows += [Day(back(2), "warning", warning=60), Day(back(1), "failing", failing=60)]
    rows += [Day(TODAY, "no_data", no_data=60)]
    assert (
        strip_words(bars(rows, today=TODAY)) == "87 days passing, 1 warning, 1 failing, 1 no data."
    )


def test_the_words_say_how_many_days_were_watched():
    assert strip_words(bars([Day(TODAY)], today=TODAY)) == "1 day passing. Watched for 1 of them."


def test_a_gap_in_data_is_a_gap_in_the_spark():
    assert spark([1, 2, None, 3, 4], limit=None).lines == [
        "1.0,16.7 24.5,12.3",
        "71.5,8.0 95.0,3.6",
    ]


def test_only_the_part_over_the_limit_is_drawn_in_the_hue_of_its_state():
    drawn = spark([100, 100, 500, 600], limit=400)
    assert len(drawn.over) == 1
    assert drawn.over[0].count(",") == 2
    assert drawn.end == (95.0, 3.6)


def test_a_value_under_the_limit_leaves_the_limit_in_the_picture():
    drawn = spark([10, 20], limit=400)
    assert drawn.over == []
    assert drawn.limit_y == 3.6


def test_nothing_measured_draws_nothing():
    drawn = spark([], limit=None)
    assert (drawn.lines, drawn.over, drawn.limit_y, drawn.end) == ([], [], None, None)
