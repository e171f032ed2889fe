"""What is wrong is said when it is written, with its place and the nearest known word."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsboard.expectations.clauses import Clause
from opsboard.expectations.grammar import ClauseError, ClauseErrors, parse
from tests.expectations.test_writing_clauses import EXAMPLES, MORE


def errors_of(text: str) -> tuple[ClauseError, ...]:
    with pytest.raises(ClauseErrors) as caught:
        parse(text)
    return caught.value.errors


@pytest.mark.parametrize(
    ("text", "column", "said"),
    [
        ("respnse == 3", 1, "Unknown fact `respnse`; did you mean `body`?"),
        ("stats == 200", 1, "did you mean `status`?"),
        ("warn tiem < 1 s", 6, "did you mean `time`?"),
        ("latency < 1 s", 1, "did you mean `time`?"),
        ("zzzz == 3", 1, "known are status, time,"),
        ("warn", 5, "Expected a fact"),
        ("== 200", 1, "Unknown fact `==`"),
        ("status = 200", 8, "did you mean `==`?"),
        ("status => 200", 8, "did you mean `>=`?"),
        ("status", 7, "Unknown operator the end of the line"),
        ("body contain \"x\"", 6, "did you mean `contains`?"),
        ("body includes \"x\"", 6, "did you mean `contains`?"),
        ("body not matches /x/", 6, "Unknown operator `not`"),
        ("time contains \"x\"", 6, "`time` takes ==, !=, <, <=, >, >= or between, not `contains`"),
        ("header Server absent", 15, "not `absent`"),
        ("json $.a is not number", 10, "not `is not`"),
        ("status == abc", 11, "Expected a number, found `abc`."),
        ("status == 99", 11, "100 to 999"),
        ("status == 1000", 11, "100 to 999"),
        ("status == 200.5", 11, "whole number"),
        ("status in 299..200", 16, "from the lower number to the higher"),
        ("status in 200..", 16, "Expected a number"),
        ("status in 200,", 15, "Expected a number"),
        ("status == 200 201", 15, "Expected the end of the clause, found `201`."),
        ("time < 800", 8, "needs a unit: ms, s, m, h or d"),
        ("time < 800 sec", 8, "Unknown unit `sec`; did you mean `s`?"),
        ("time < 2 minutes", 8, "did you mean `m`?"),
        ("time < 40 d", 8, "0 ms to 31 d"),
        ("time < -1 s", 8, "0 ms to 31 d"),
        ("time < 0.0001 ms", 8, "whole number of microseconds"),
        ("size < 3", 8, "needs a unit: B, kB or MB"),
        ("size < 3 KB", 8, "did you mean `kB`?"),
        ("size < 0.5 B", 8, "whole number of bytes"),
        ("http == 5", 9, "Versions of HTTP are 1.0, 1.1, 2 and 3."),
        ("cache is hti", 10, "did you mean `hit`?"),
        ("cache is not", 13, "Expected a cache result, found the end of the line"),
        ("json $.a is numbr", 13, "did you mean `number`?"),
        ("certificate.days > 14 d", 23, "Expected the end of the clause, found `d`."),
        ("header : exists", 8, "Expected the name of a header"),
        ("json ok == 1", 6, "A JSON path begins with $"),
        ("json $[ == 1", 6, "not a JSON path"),
        ("json $.a. == 1", 6, "not a JSON path"),
        ("json $[99999999999999999999] exists", 6, "index out of range"),
        ("json $[?@.a == 1e999] exists", 6, "not a JSON path"),
        ("json $.a ==", 12, "double quotes"),
        ("json $.a == ok", 13, 'in double quotes, as in "ok"; found `ok`.'),
        ("json $.a == 'ok'", 13, "double quotes"),
        ("json $.a < true", 12, "`true` has no order"),
        ("json $.a between null and 3", 27, "Two bounds are numbers or texts"),
        ("json $.a between 5 and 3", 24, "the lower one comes first"),
        ('json $.a between 5 and "6"', 24, "Two bounds"),
        ("json $.a between 5 3", 20, "Expected `and`"),
        ("json $.a == 1e99", 13, "at most 40 digits"),
        ("json $.a == 1e99999999999999999999", 13, "at most 40 digits"),
        ("json $.a == 1e999999999", 13, "at most 40 digits"),
        (f"json $.a == {'9' * 41}", 13, "at most 40 digits"),
        ("json $.a count >= x", 19, "Expected a number"),
        ("json $.a count == 0", 19, "write `absent`"),
        ("json $.a count < 1", 18, "write `absent`"),
        ("json $.a count exists", 16, "takes ==, !=, <, <=, > or >="),
        ('body contains ""', 15, "Every text contains the empty text"),
        ('body contains "abc', 15, "no closing quote"),
        ('body contains "a\\d"', 15, "bad escape"),
        ('body contains "\\ud800"', 15, "bad escape"),
        (f'body contains "{"x" * 1001}"', 15, "at most 1,000 characters"),
        ("body contains ok", 15, "double quotes"),
        ("status == 200 # fine", 15, "Expected the end of the clause, found `#`."),
        ("body contains \"a\x00b\"", 17, "cannot be seen"),
        ("body contains \"a\ud800b\"", 17, "cannot be seen"),
        (f"status == {'0' * 3000}", 3001, "at most 3,000 characters"),
    ],
)  # fmt: skip
def test_an_error_has_its_column_and_what_to_do(text: str, column: int, said: str) -> None:
    (error,) = errors_of(text)
    assert said in error.message
    assert error.column == column


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("errors < 1 %", "needs a window, such as `over 30 m`"),
        ("errors < 1 over 15 m", "Expected `%`"),
        ("errors < 101 % over 15 m", "0 to 100"),
        ("errors > 1 % over 15 m", "`errors` takes < or <=, not `>`"),
        ("cache.hits < 1 % over 15 m", "`cache.hits` takes > or >=, not `<`"),
        ("cache.hits > 1 %", "needs a window"),
        ("p95 time < 1 s", "needs a window"),
        ("p95 time > 1 s over 1 h", "`time` takes < or <=, not `>`"),
        ("p94 time < 1 s over 1 h", "p50, p75, p90, p95 and p99 are known"),
        ("p95 status == 200 over 1 h", "of `time` and of `db.calls` only"),
        ("p95 time.dns < 1 s over 1 h", "of `time` and of `db.calls` only"),
        ("time < 1 s over 1 h", "as in `p95 time …`"),
        ("status == 200 over 1 h", "is judged on each reply"),
        ("errors < 1 % over 59 s", "1 m to 7 d"),
        ("errors < 1 % over 8 d", "1 m to 7 d"),
        ("errors < 1 % over 15", "needs a unit"),
        ("errors < 1 % within 15 m", "found `within`"),
    ],
)
def test_what_is_wrong_with_a_window_is_said(text: str, said: str) -> None:
    assert said in errors_of(text)[0].message


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("(?=a)", "Look-around is not supported"),
        ("(?!a)b", "Look-around is not supported"),
        ("(?<=a)b", "Look-around is not supported"),
        ("(?<!a)b", "Look-around is not supported"),
        (r"(a)\1", "Back-references are not supported"),
        (r"(?P<a>x)(?P=a)", "Back-references are not supported"),
        (r"(?P<a>x)\k<a>", "Back-references are not supported"),
        (r"pong\Z", r"\z, not \Z"),
        ("(a", "not valid RE2: missing )"),
        ("a{1001}", "not valid RE2: invalid repetition size"),
        ("(a{1000}){1000}", "not valid RE2"),
        (r"(\pL{1,20}\PL{0,20}){10}", "too large"),
        (".{900}", "too large"),
        ("a" * 1001, "at most 1,000 characters"),
        ("", "An empty pattern matches everything"),
    ],
)
def test_a_bad_pattern_is_refused_with_the_reason(
    pattern: str, said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    (error,) = errors_of(f"body matches /{pattern}/")
    assert said in error.message
    assert error.column == 14
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("body matches /a", "no closing slash"),
        ("body matches /a/i", "Flags go inside"),
        ("body matches a", "between slashes"),
    ],
)
def test_a_pattern_needs_its_slashes(text: str, said: str) -> None:
    assert said in errors_of(text)[0].message


@pytest.mark.parametrize("path", ["$..a..b", "$[?count(@..a) > count(@..b)]"])
def test_two_descents_in_a_json_path_are_refused(path: str) -> None:
    assert "one `..` at most" in errors_of(f"json {path} exists")[0].message


def test_dots_in_a_quoted_name_are_no_descents() -> None:
    assert len(parse("json $..['a..b'] exists")) == 1


@pytest.mark.parametrize("function", ["match", "search"])
def test_pattern_functions_in_a_json_path_are_refused(function: str) -> None:
    (error,) = errors_of(f"json $[?{function}(@.a, 'x')] exists")
    assert f"has an unknown function '{function}'" in error.message


def test_all_errors_of_a_text_are_told_at_once() -> None:
    found = errors_of("stats == 200\ntime < 1 s\n\n# fine\ntime < 800\nbody matches /(/")
    assert [error.line for error in found] == [1, 5, 6]


def test_the_exception_says_all_lines_and_columns() -> None:
    with pytest.raises(ClauseErrors, match=r"(?s)Line 1, column 1: .*\nLine 2, column 8: "):
        parse("stats == 200\ntime < 800")


def test_a_hundred_clauses_are_enough() -> None:
    assert len(parse("status == 200\n" * 100)) == 100
    assert [error.line for error in errors_of("status == 200\n" * 101)] == [101]


def is_inside(error: ClauseError, text: str) -> bool:
    lines = text.split("\n")
    return 1 <= error.line <= len(lines) and 1 <= error.column <= len(lines[error.line - 1]) + 1


def read(text: str) -> tuple[tuple[Clause, ...], tuple[ClauseError, ...]]:
    try:
        return parse(text), ()
    except ClauseErrors as refused:
        return (), refused.errors


MARKS = ["\n", "warn", "..", "/", '"', "$[", "1e9", "%", "\\", "not"]
WORDS = st.sampled_from([*" ".join(EXAMPLES + MORE).split(" "), *MARKS])
ANY_TEXT = st.text(st.characters(exclude_categories=()))
LIKE_PATHS = st.text(alphabet="$.*[]?@()'\"\\,:0123456789-ab &|=<>!e", max_size=30)
LIKE_PATTERNS = st.text(alphabet="()[]{}?*+\\|^$.0123456789,<>=!:P-a", max_size=20)


@settings(max_examples=200, deadline=None)
@given(st.one_of(ANY_TEXT, st.lists(WORDS, max_size=12).map(" ".join)))
def test_any_text_gives_clauses_or_errors_that_lie_within_it(text: str) -> None:
    clauses, errors = read(text)
    assert not (clauses and errors)
    assert all(is_inside(error, text) for error in errors)
    assert all("\n" not in error.message for error in errors)
    assert read("\n".join(clause.text for clause in clauses)) == (clauses, ())


@settings(max_examples=200, deadline=None)
@given(LIKE_PATHS)
def test_any_json_path_gives_a_clause_or_an_error(path: str) -> None:
    clauses, errors = read(f"json ${path} exists")
    assert len(clauses) + len(errors) == 1


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=20), LIKE_PATTERNS)
def test_any_pattern_gives_a_clause_or_an_error(start: str, end: str) -> None:
    clauses, errors = read(f"body matches /{start}{end}/".replace("\n", " "))
    assert len(clauses) + len(errors) == 1
