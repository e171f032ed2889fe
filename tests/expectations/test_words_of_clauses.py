"""Clauses as pages say them, and the units they use."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsboard.expectations.grammar import parse
from opsboard.expectations.units import (
    exact_duration,
    format_duration,
    format_share,
    format_size,
    parse_duration,
)
from opsboard.expectations.words import expectation, words_for
from tests.expectations.test_writing_clauses import EXAMPLES, MORE


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("status == 200", "Status is 200"),
        ("status != 404", "Status is not 404"),
        ("status in 200..299, 304", "Status is 200 to 299 or 304"),
        ("time < 400 ms", "Answers in under 400 ms"),
        ("time <= 400 ms", "Answers in at most 400 ms"),
        ("time between 1 ms and 2 s", "Answers in 1 ms to 2 s"),
        ("time.first_byte < 1 s", "First byte in under 1 s"),
        ('body contains "ok"', 'Body contains "ok"'),
        ('body not contains "oops"', 'Body does not contain "oops"'),
        (r"body matches /^pong\s*$/", r"Body matches /^pong\s*$/"),
        ("json $.ok == true", "$.ok is true"),
        ("json $.note != null", "$.note is not null"),
        ("json $.total between 118 and 240", "$.total is 118 to 240"),
        ('json $.s in "a", 3, null', '$.s is "a", 3 or null'),
        ("json $.items[*].id count >= 1", "$.items[*].id finds at least 1 value"),
        ("json $.items[*].id count > 3", "$.items[*].id finds over 3 values"),
        ("json $.user.email exists", "$.user.email is there"),
        ("json $.error absent", "$.error is not there"),
        ("json $.price is number", "$.price is a number"),
        ("json $.price is integer", "$.price is a whole number"),
        ('header Content-Type contains "json"', 'Header Content-Type contains "json"'),
        ("header X-Request-Id exists", "Header X-Request-Id is there"),
        ("db.calls <= 8", "At most 8 database calls"),
        ("db.calls == 1", "Exactly 1 database call"),
        ("db.calls in 1, 3", "Number of database calls is 1 or 3"),
        ("db.time < 50 ms", "Database time is under 50 ms"),
        ("cache is hit", "Cache result is hit"),
        ("cache is not bypass", "Cache result is not bypass"),
        ("certificate.days > 14", "Certificate is valid for over 14 days"),
        ('certificate.issuer contains "CA"', 'Certificate issuer contains "CA"'),
        ("size < 200 kB", "Size of the body is under 200 kB"),
        ("http == 2", "HTTP version is 2"),
        ("redirects == 0", "Number of redirects is 0"),
        ("errors < 1 % over 15 m", "Errors under 1 % over 15 m"),
        ("p95 time < 400 ms over 30 m", "95 % of answers in under 400 ms over 30 m"),
        ("p95 db.calls <= 12 over 1 h", "95 % of answers with at most 12 database calls over 1 h"),
        ("cache.hits >= 80 % over 1 h", "Cache hits at least 80 % over 1 h"),
        ("warn time < 400 ms", "Answers in under 400 ms"),
    ],
)
def test_a_clause_is_said_in_plain_language(text: str, words: str) -> None:
    (clause,) = parse(text)
    assert words_for(clause) == words


@pytest.mark.parametrize("text", EXAMPLES + MORE)
def test_every_clause_can_be_said(text: str) -> None:
    (clause,) = parse(text)
    assert words_for(clause)[0].isupper() or words_for(clause)[0] == "$" or clause.percentile
    assert expectation(clause)


@pytest.mark.parametrize(
    ("text", "us"),
    [
        ("30 s", 30_000_000),
        ("10s", 10_000_000),
        ("1500 ms", 1_500_000),
        ("1.5 s", 1_500_000),
        ("2 m", 120_000_000),
        ("1 h", 3_600_000_000),
        ("1 d", 86_400_000_000),
        ("0.001 ms", 1),
        ("0 s", 0),
        (" 15\u00a0m ", 900_000_000),
    ],
)
def test_durations_are_whole_microseconds(text: str, us: int) -> None:
    assert parse_duration(text) == us


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("30", "A duration needs a unit: ms, s, m, h or d."),
        ("30 sec", "Unknown unit `sec`; did you mean `s`?"),
        ("30 parsecs", "Unknown unit `parsecs`; "),
        ("", "Write a duration as a number and a unit, such as 30 s or 1500 ms."),
        ("soon", "Write a duration as a number and a unit"),
        ("-1 s", "Write a duration as a number and a unit"),
        ("1e3 s", "Write a duration as a number and a unit"),
        ("１０ s", "Write a duration as a number and a unit"),
        ("1 m 30 s", "Write a duration as a number and a unit"),
        ("0.0001 ms", "whole number of microseconds"),
        ("367 d", "at most 366 d"),
        ("9" * 400 + " s", "Write a duration as a number and a unit"),
    ],
)
def test_what_is_no_duration_is_refused_with_a_sentence(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=r"^[A-Z].*[.?]$") as caught:
        parse_duration(text)
    assert said in str(caught.value)


@settings(max_examples=200, deadline=None)
@given(
    st.from_regex(r"[0-9]{1,5}(\.[0-9]{0,4})? ?[a-z]{0,3}", fullmatch=True) | st.text(max_size=9)
)
def test_any_text_is_a_duration_or_refused(text: str) -> None:
    try:
        us = parse_duration(text)
    except ValueError:
        return
    assert us >= 0


@pytest.mark.parametrize(
    ("us", "words"),
    [
        (0, "0 ms"),
        (340, "0.34 ms"),
        (23_100, "23.1 ms"),
        (400_000, "400 ms"),
        (999_700, "1 s"),
        (2_841_223, "2.84 s"),
        (30_000_000, "30 s"),
        (90_000_000, "90 s"),
        (900_000_000, "15 m"),
        (3_600_000_000, "1 h"),
        (86_400_000_000, "1 d"),
        (125_340_000, "125 s"),
        (3_725_400_000, "3725 s"),
    ],
)
def test_durations_are_shown_with_three_figures_and_one_unit(us: int, words: str) -> None:
    assert format_duration(us) == words


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 30 * 86_400 * 10**6))
def test_a_duration_shown_in_full_is_read_back_the_same(us: int) -> None:
    assert parse_duration(exact_duration(us)) == us
    assert abs(parse_duration(format_duration(us)) - us) <= max(us // 200, 1)


@pytest.mark.parametrize(
    ("size", "words"),
    [(0, "0 B"), (999, "999 B"), (1_234, "1.23 kB"), (200_000, "200 kB"), (1 << 20, "1.05 MB")],
)
def test_sizes_are_shown_by_the_thousand(size: int, words: str) -> None:
    assert format_size(size) == words


@pytest.mark.parametrize(
    ("part", "whole", "words"),
    [(0, 20, "0 %"), (13, 110, "11.8 %"), (20, 20, "100 %"), (1, 30_000, "0.00333 %")],
)
def test_shares_are_shown_with_three_figures(part: int, whole: int, words: str) -> None:
    assert format_share(part, whole) == words
