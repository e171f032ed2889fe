"""What counts as JSON: stricter than Python's reader, and bounded whatever the body is."""

import json
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsboard.expectations.facts import facts_of
from opsboard.expectations.json_body import JsonFraction, read_json
from tests.expectations.replies import NOON, answered, held, holding

QUARTER = 256_000


def problem(body: str | bytes, most: int = 1 << 20) -> str:
    raw = body.encode() if isinstance(body, str) else body
    return read_json(raw, most).problem


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("", "it is empty"),
        (" \n", "it is empty"),
        ("{'ok': 1}", "expecting property name enclosed in double quotes at line 1, column 2"),
        ('{"a":\n 1,}', "illegal trailing comma"),
        ('{"a": 1} {}', "extra data at line 1, column 10"),
        ("NaN", "it holds NaN"),
        ("[1, -Infinity]", "it holds -Infinity"),
        ("1e999", "a number in it is beyond 1e300"),
        ("-1.1e300", "beyond 1e300"),
        ("1" * 302, "beyond 1e300"),
        ("0." + "1" * 4_300, "more than 4,300 digits"),
        ("1" * 100_000, "more than 4,300 digits"),
        ("1e-999999999999999999999999", "an exponent out of all bounds"),
        ("[" * 101 + "]" * 101, "it nests deeper than 100"),
        ('{"a":' * 101 + "1" + "}" * 101, "it nests deeper than 100"),
        ("[" * 200_000, "it nests deeper than 100"),
        ('"\\ud800"', "half of a character"),
        ('{"\\udc00": 1}', "half of a character"),
        (b'"\xff"', "byte 2 is not UTF-8"),
        (b'"\xed\xa0\x80"', "byte 2 is not UTF-8"),
        ('{"a": 1}'.encode("utf-16"), "byte 1 is not UTF-8"),
        ("\ufeff{}", "byte order mark"),
        ('"a\nb"', "invalid control character at line 1"),
    ],
)  # fmt: skip
def test_the_reason_why_a_body_is_no_json_is_said_in_words(body: str | bytes, said: str) -> None:
    assert said in problem(body)


@pytest.mark.parametrize(
    "body",
    [
        "null",
        "1e300",
        "-1e300",
        "0." + "1" * 4_299,
        "[" * 100 + "]" * 100,
        json.dumps(["[" * 200, '\\"' + "{" * 200]),
        '"\\ud83d\\ude00"',
        '"\\\\ud800"',
        '{"a": 1, "a": 2}',
    ],
)
def test_json_up_to_its_bounds_is_json(body: str) -> None:
    assert problem(body) == ""


def test_numbers_keep_their_type_and_all_their_digits() -> None:
    document = read_json(b"[1, 1.10, true, 1e-400]", 100).document
    assert isinstance(document, list)
    whole, fraction, flag, tiny = document
    assert type(whole) is int
    assert isinstance(fraction, JsonFraction)
    assert str(fraction.exact) == "1.10"
    assert flag is True
    assert isinstance(tiny, JsonFraction)
    assert tiny.exact == Decimal("1e-400")


def test_a_body_is_json_up_to_256_kilobytes_unless_the_path_raises_it() -> None:
    body = b'{"a": "' + b"x" * 256_000 + b'"}'
    reply = answered(body)
    assert held("json $.a exists", reply) is False
    assert "it is larger than 256,000 bytes" in holding("json $.a exists", reply).got
    assert facts_of(reply, now=NOON, max_json=1 << 20).json.problem == ""


@pytest.mark.parametrize(
    "body",
    [
        b"[" * QUARTER,
        b'[{"a":' * (QUARTER // 6),
        b'["' + b'\\"' * (QUARTER // 2),
        b"[" * 101 + b'"' + b'\\"' * (QUARTER // 2),
        b"[" * 101 + b'"\\' * (QUARTER // 3),
        b'"' * QUARTER,
        b"1" * QUARTER,
        b"0." + b"1" * QUARTER,
        b"-" * QUARTER,
        b"[" + b"[]," * (QUARTER // 3) + b"[]]",
        b"[" + b'"\\ud83d\\ude00",' * (QUARTER // 16) + b"1]",
        b"\xff" * QUARTER,
        b"{" * 101 + b"}" * QUARTER,
    ],
    ids=lambda body: body[:12].decode(errors="replace"),
)
def test_no_hostile_body_holds_up_the_judge(body: bytes) -> None:
    # Each is a matter of milliseconds; one that grew with the square would take minutes.
    assert held("json $..price >= 0", answered(body)) is False


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.binary(max_size=300), st.text(max_size=200).map(str.encode)))
def test_any_bytes_are_json_or_have_a_reason_why_not(body: bytes) -> None:
    read = read_json(body, 250)
    assert read.document is None or not read.problem
    assert read.problem.isprintable()


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats(-1e9, 1e9) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=200, deadline=None)
@given(VALUES)
def test_what_python_writes_as_json_is_read_back_the_same(value: object) -> None:
    read = read_json(json.dumps(value).encode(), 1 << 20)
    assert (read.document, read.problem) == (value, "")


CLAUSES = st.sampled_from(
    [
        "json $ exists",
        "json $.* is string",
        "json $..* != null",
        "json $[*] count >= 1",
        'json $[?@ == "a" || @.a < 3] absent',
        "json $[?count(@.*) > 1][0] > 5",
        'json $.a contains "x"',
        "json $[-1:] matches /a+/",
        'body contains "a"',
        "body matches /(a|b)*c/",
        'body == ""',
        "size < 9 B",
    ]
)


@settings(max_examples=200, deadline=None)
@given(CLAUSES, st.one_of(st.binary(), VALUES.map(json.dumps).map(str.encode)))
def test_any_body_holds_or_breaks_a_clause_on_one_line(text: str, body: bytes) -> None:
    found = holding(text, answered(body))
    assert found.held is not None
    assert found.got.isprintable()
    assert found.sentence.isprintable()
