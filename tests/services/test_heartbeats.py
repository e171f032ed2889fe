"""When a heartbeat may be due."""

from typing import Any

import pytest

from opsboard.services.heartbeats import check_heartbeat
from opsboard.services.models import SECOND

MINUTE = 60 * SECOND


@pytest.mark.parametrize(
    "heartbeat",
    [
        {"every": 60 * MINUTE, "grace": 5 * MINUTE},
        {"cron": "0 2 * * *", "zone": "Europe/Oslo", "grace": MINUTE, "longest": 30 * MINUTE},
        {"cron": "*/5 8-16 * * MON-FRI"},
        {"cron": "0 3 29 2 *"},
    ],
)
def test_these_can_be_written(heartbeat: dict[str, Any]) -> None:
    assert list(check_heartbeat(heartbeat)) == []


@pytest.mark.parametrize(
    ("heartbeat", "at", "says"),
    [
        ({}, (), "every, as in 1 h, or cron"),
        ({"grace": MINUTE}, (), "every, as in 1 h, or cron"),
        ({"every": MINUTE, "cron": "0 2 * * *"}, ("cron",), "every or cron"),
        ({"every": 1}, ("every",), "from 10 s to 366 d"),
        ({"every": MINUTE, "grace": 0}, ("grace",), "from 1 s to 31 d"),
        ({"every": MINUTE, "longest": 1}, ("longest",), "from 1 s to 31 d"),
        ({"every": MINUTE, "zone": "UTC"}, ("zone",), "goes with cron only"),
        ({"cron": "0 2 * * *", "zone": "Oslo"}, ("zone",), "Europe/Oslo"),
        ({"cron": "0 2 * *"}, ("cron",), "five words"),
        ({"cron": "0 0 2 * * *"}, ("cron",), "This has 6"),
        ({"cron": "* * * * *" + " " * 100}, ("cron",), "at most 100"),
        ({"cron": "0 0 31 2 *"}, ("cron",), "a day that no month has"),
        ({"every": MINUTE, "perod": "x"}, ("perod",), "did you mean `every`?"),
    ],
)
def test_others_are_refused_with_what_to_do(
    heartbeat: dict[str, Any], at: tuple[str, ...], says: str
) -> None:
    (problem,) = check_heartbeat(heartbeat)
    assert problem.at == at
    assert says in problem.sentence


def test_the_word_of_a_cron_expression_that_is_wrong_is_told_with_its_column() -> None:
    (problem,) = check_heartbeat({"cron": "0 26 * * *"})
    assert problem.sentence == "The hour of this cron expression cannot be read."
    assert problem.column == 3
