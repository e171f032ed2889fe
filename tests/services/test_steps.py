"""The steps of a path: what may be written, and what of them belongs together."""

from typing import Any

import pytest

from opsboard.services.steps import Step, check_steps, read_steps, variables_of

QUOTE: dict[str, Any] = {
    "name": "Ask for a quote",
    "method": "POST",
    "route": "/v2/quotes",
    "body": '{"from": "SK1"}',
    "expect": ["status == 201", "time < 800 ms"],
    "take": {"quote": "json $.id", "place": "header Location"},
}
BOOK: dict[str, Any] = {
    "name": "Book it",
    "method": "POST",
    "route": "/v2/bookings",
    "headers": [["Authorization", "Bearer {{ TOKEN }}"]],
    "body": '{"quote": "{{ quote }}"}',
    "take": {"booking": "json $.id"},
}
CANCEL: dict[str, Any] = {
    "name": "Cancel",
    "method": "DELETE",
    "route": "/v2/bookings/{{ booking }}",
    "always": True,
}


def problems(*steps: dict[str, Any]) -> dict[tuple[str | int, ...], str]:
    return {one.at: one.sentence for one in check_steps(read_steps(steps))}


def test_a_path_of_three_steps_can_be_written() -> None:
    assert problems(QUOTE, BOOK, CANCEL) == {}
    assert variables_of(read_steps([QUOTE, BOOK, CANCEL])) == ["TOKEN"]


def test_a_step_is_stored_without_what_is_as_usual() -> None:
    plain = {"name": "See", "route": "/"}
    assert Step.read(plain).stored() == plain
    assert Step.read(QUOTE).stored() == QUOTE
    assert Step.read(CANCEL).stored() == CANCEL


@pytest.mark.parametrize(
    ("change", "at", "says"),
    [
        ({"name": ""}, "name", "Name the step"),
        ({"name": "x" * 61}, "name", "At most 60"),
        ({"method": "FETCH"}, "method", "Methods are GET"),
        ({"route": "quotes"}, "route", "Begin with /"),
        ({"headers": [["Host", "x"]]}, "headers", "Leave out Host"),
        ({"query": [["a=b", "x"]]}, "query", "holds no ="),
        ({"form": [["a", "b"]]}, "form", "a body or a form"),
    ],
)
def test_a_step_that_cannot_be_asked_is_refused(change: dict[str, Any], at: str, says: str) -> None:
    assert says in problems(QUOTE | change)[0, at]


@pytest.mark.parametrize(
    ("name", "place", "says"),
    [
        ("Token", "json $.token", "small letters"),
        ("x" * 41, "json $.token", "at most 40"),
        ("token", "jsn $.token", "did you mean `json`?"),
        ("token", "body", "known are json and header"),
        ("token", "json token", "as in json $.token"),
        ("token", "json $.[", "not a JSON path"),
        ("token", "header", "header Location"),
        ("token", "header Set Cookie", "header Location"),
    ],
)
def test_a_value_that_cannot_be_taken_is_refused(name: str, place: str, says: str) -> None:
    assert says in problems(QUOTE | {"take": {name: place}})[0, "take", name]


def test_a_clause_that_cannot_be_read_is_told_with_its_line_and_column() -> None:
    wrong = QUOTE | {"expect": ["status == 201", "time < 800", "jsn $.id exists"]}
    found = list(check_steps(read_steps([wrong])))
    assert [(one.at, one.column) for one in found] == [
        ((0, "expect", 1), 8),
        ((0, "expect", 2), 1),
    ]
    assert "did you mean `json`?" in found[1].sentence


def test_a_clause_about_many_observations_belongs_to_the_whole_path() -> None:
    (says,) = problems(QUOTE | {"expect": ["errors < 1 % over 15 m"]}).values()
    assert says == (
        "`errors < 1 % over 15 m` is about many observations, and one is of all steps: move it to "
        "the expected result of the whole path."
    )


def test_a_value_is_used_after_it_was_taken_only() -> None:
    assert problems(BOOK, QUOTE) == {
        (0, "body"): "{{ quote }} is taken only by step 2, after this is sent: take it in an "
        "earlier step."
    }
    itself = QUOTE | {"route": "/v2/quotes/{{ quote }}"}
    assert "is taken by this step itself" in problems(itself)[0, "route"]


def test_a_value_that_nobody_takes_is_told_the_nearest_name() -> None:
    typo = BOOK | {"body": "{{ qoute }}"}
    assert "did you mean `quote`?" in problems(QUOTE, typo)[1, "body"]
    assert "No step before this takes {{ x }}" in problems(QUOTE | {"body": "{{ x }}"})[0, "body"]


def test_a_clean_up_may_use_what_any_step_before_it_takes() -> None:
    assert problems(QUOTE, BOOK, CANCEL | {"route": "/{{ quote }}/{{ booking }}"}) == {}


def test_names_and_taken_values_stand_once() -> None:
    twice = problems(QUOTE, QUOTE | {"take": {"quote": "json $.other"}})
    assert "Step 1 is called Ask for a quote too" in twice[1, "name"]
    assert "Step 1 takes quote already" in twice[1, "take", "quote"]


def test_there_are_twenty_steps_at_most() -> None:
    many = [{"name": f"Step {number}", "route": "/"} for number in range(21)]
    assert problems(*many[:20]) == {}
    assert "at most 20 steps" in problems(*many)[20,]
