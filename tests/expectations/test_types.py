"""Types do not drift: a text is not a number, true is not 1, decimals are exact."""

import pytest

from tests.expectations.replies import answered, holding, on_json


@pytest.mark.parametrize(
    ("clause", "value", "verdict"),
    [
        ("< 0.85", "0.50", True),
        ("== 10.0", "10", True),
        ("== 10", "10.0", True),
        ("== 10", "1e1", True),
        ("== 0.1", "0.1", True),
        ("== 0.1", "0.10000000000000001", False),
        ("< 9007199254740993", "9007199254740992", True),
        ("== 9007199254740993", "9007199254740992", False),
        ("== 9007199254740993", "9007199254740992.0", False),
        (">= -0.5", "-0.50", True),
        ("between 118 and 240", "118", True),
        ("between 118 and 240", "240.0", True),
        ("between 118 and 240", "240.01", False),
        ("in 200..299, 304", "299", True),
        ("in 200..299, 304", "304.0", True),
        ("in 200..299, 304", "300", False),
        ("!= 10", "11", True),
        ("in 1, false", "true", False),
        ("!= 10", "10.0", False),
        ("> 0", "1e-400", True),
    ],
)
def test_numbers_compare_as_decimals(clause: str, value: str, verdict: bool) -> None:
    assert on_json(f"json $.n {clause}", f'{{"n": {value}}}') is verdict


@pytest.mark.parametrize(
    ("clause", "value", "verdict"),
    [
        ('== "up"', '"up"', True),
        ('== "up"', '"UP"', False),
        ('!= "up"', '"down"', True),
        ('>= "2026-11-01"', '"2026-11-17"', True),
        ('>= "2026-11-01"', '"2025-12-31"', False),
        ('between "a" and "c"', '"b"', True),
        ('in "up", "warm"', '"warm"', True),
        ('in "up", "warm"', '"cold"', False),
        ('contains "ar"', '"warm"', True),
        ('not contains "ar"', '"warm"', False),
        (r"matches /^2026\./", '"2026.11"', True),
        (r"matches /^2026\./", '"v2026.11"', False),
        ('== "caf\\u00e9"', '"café"', True),
    ],
)
def test_texts_compare_as_texts(clause: str, value: str, verdict: bool) -> None:
    assert on_json(f"json $.s {clause}", f'{{"s": {value}}}') is verdict


@pytest.mark.parametrize(
    ("clause", "value", "said"),
    [
        ("== 10", '"10"', 'is the text "10", not a number'),
        ("!= 10", '"10"', 'is the text "10", not a number'),
        ("< 10", '"9"', 'is the text "9", not a number'),
        ("between 1 and 9", '"5"', 'is the text "5", not a number'),
        ("in 1..9", '"5"', 'is the text "5", not a number'),
        ("== 1", "true", "is true, not a number"),
        ("in 1, 2", "true", "is true, not a number"),
        ("in 0..2", "false", "is false, not a number"),
        ("== true", "1", "is 1, not true or false"),
        ("== true", '"true"', 'is the text "true", not true or false'),
        ('== "10"', "10", "is 10, not a text"),
        ('!= "up"', "null", "is null, not a text"),
        ('contains "1"', "10", "is 10, not a text"),
        ('not contains "1"', "20", "is 20, not a text"),
        ("matches /1/", "1.5", "is 1.5, not a text"),
        ("== null", "0", "is 0, not null"),
        ("< 5", "[1, 2]", "is an array of 2, not a number"),
        ("< 5", '{"a": 1}', "is an object of 1, not a number"),
        ('in 1, "up"', "true", "is true, not a number or a text"),
    ],
)
def test_another_type_fails_and_says_so(clause: str, value: str, said: str) -> None:
    got = holding(f"json $.v {clause}", answered(f'{{"v": {value}}}'))
    assert got.held is False
    assert got.sentence == f"json $.v {said}"


@pytest.mark.parametrize(
    ("value", "verdict"),
    [('"x"', True), ("0", True), ("false", True), ("[]", True), ("null", False)],
)
def test_anything_but_null_is_not_null(value: str, verdict: bool) -> None:
    assert on_json("json $.v != null", f'{{"v": {value}}}') is verdict


TYPES = {
    '"x"': {"string"},
    "1": {"number", "integer"},
    "1.0": {"number", "integer"},
    "1.5": {"number"},
    "true": {"boolean"},
    "[]": {"array"},
    "{}": {"object"},
    "null": {"null"},
}


@pytest.mark.parametrize("value", TYPES)
@pytest.mark.parametrize(
    "name", ["string", "number", "integer", "boolean", "array", "object", "null"]
)
def test_a_value_is_of_its_own_types_only(value: str, name: str) -> None:
    assert on_json(f"json $.v is {name}", f'{{"v": {value}}}') is (name in TYPES[value])


ITEMS = '{"items": [{"price": 3}, {"price": 4.5}, {"price": 7}]}'


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("json $.items[*].price > 2", True),
        ("json $.items[*].price > 3", False),
        ("json $.items[*].price is number", True),
        ("json $.items[*].price is integer", False),
        ("json $.items[*].price count == 3", True),
        ("json $.items[*].price count > 3", False),
        ("json $.items[?@.price > 4].price count == 2", True),
        ("json $.items[?@.price == 4.5].price < 5", True),
        ("json $..price count <= 3", True),
    ],
)
def test_where_a_path_finds_several_values_every_one_must_hold(text: str, verdict: bool) -> None:
    assert on_json(text, ITEMS) is verdict


def test_the_value_that_breaks_is_named_by_its_place() -> None:
    got = holding("json $.items[*].price < 4", answered(ITEMS))
    assert got.sentence == "json $.items[*].price is 4.5 (value 2 of 3), expected under 4"
