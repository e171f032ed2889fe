"""Of one incident a message says the last that is known; what came before it goes along."""

from typing import Any

import pytest

from opsboard.alerts.choosing import Choice, Waiting, choose


def waits(pk: int, event: str, **fields: Any) -> Waiting:
    values: dict[str, Any] = {"incident": 1, "is_due": True}
    return Waiting(pk=pk, event=event, **(values | fields))


def told(*waiting: Waiting, before: tuple[int, ...] = ()) -> Choice:
    return choose(waiting, told=before)


def test_what_fails_is_said():
    assert told(waits(1, "failing")) == Choice((1,), (), ())


def test_what_failed_and_is_over_is_said_once_as_over():
    over = [waits(1, "failing", is_over=True), waits(2, "resolved", is_over=True)]
    assert told(*over) == Choice((2,), (1,), ())


def test_what_recovered_and_fails_again_is_said_to_fail():
    again = [waits(1, "resolved"), waits(2, "failing", opening=2)]
    assert told(*again, before=(1,)) == Choice((2,), (1,), ())


def test_that_it_is_over_is_said_to_whom_it_was_said_that_it_fails():
    assert told(waits(1, "resolved", is_over=True), before=(1,)) == Choice((1,), (), ())
    assert told(waits(1, "resolved", is_over=True)) == Choice((), (), (1,))


@pytest.mark.parametrize("event", ["failing", "reminder", "escalated", "linked"])
def test_nobody_is_told_that_something_fails_that_is_over(event):
    assert told(waits(1, event, is_over=True), before=(1,)) == Choice((), (), (1,))


def test_an_end_is_not_told_before_a_beginning_that_was_to_wait():
    later = [waits(1, "failing", is_due=False), waits(2, "resolved", is_over=True)]
    assert told(*later) == Choice((2,), (1,), ())


def test_what_is_not_due_waits():
    assert told(waits(1, "failing", is_due=False), waits(2, "test", incident=None)) == Choice(
        (2,), (), ()
    )


def test_a_reminder_goes_along_with_what_it_reminds_of():
    assert told(waits(1, "failing"), waits(2, "reminder", number=2)) == Choice((1,), (2,), ())
    two = [waits(1, "reminder", number=1), waits(2, "reminder", number=2)]
    assert told(*two, before=(1,)) == Choice((2,), (1,), ())


def test_what_fails_stands_before_what_is_over():
    mixed = [waits(2, "resolved", incident=2, is_over=True), waits(3, "failing", incident=3)]
    assert told(*mixed, before=(2,)).said == (3, 2)


def test_a_page_never_stands_among_notices_and_they_wait_for_the_next_message():
    notices = [waits(1, "notice", incident=None), waits(2, "linked", incident=2)]
    assert told(*notices, waits(3, "failing", incident=3)) == Choice((3,), (), ())
    assert set(told(*notices).said) == {1, 2}
