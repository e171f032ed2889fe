"""Patterns are RE2 and JSON paths are RFC 9535: neither can be made to run for long."""

import pytest

from opsboard.expectations import paths
from opsboard.outbound.reply import Reply
from tests.expectations.replies import answered, held, holding, on_json

MEBIBYTE = 1 << 20


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|aa)+$", "(.*a){20}b", "(x+x+)+y"])
def test_patterns_that_would_backtrack_for_ever_are_done_at_once(pattern: str) -> None:
    assert held(f"body matches /{pattern}/", answered(b"a" * MEBIBYTE + b"b")) is (
        pattern == "(.*a){20}b"
    )


@pytest.mark.parametrize(
    ("pattern", "body", "verdict"),
    [
        (r"^pong\s*$", "pong\n", True),
        (r"^pong\s*$", "a\npong", False),
        (r"(?m)^pong$", "a\npong\nb", True),
        (r"(?i)PONG", "ping pong", True),
        ("caf.$", "café", True),
        (r"a\/b", "a/b", True),
        ("[[:digit:]]{3}", "x123", True),
        (r"\x{1F600}", "😀", True),
    ],
)
def test_a_pattern_may_match_anywhere_in_the_body(pattern: str, body: str, verdict: bool) -> None:
    assert held(f"body matches /{pattern}/", answered(body)) is verdict


def in_charset(charset: str, body: bytes) -> Reply:
    return answered(body, headers=(("Content-Type", f"text/html; charset={charset}"),))


@pytest.mark.parametrize(
    ("charset", "codec"),
    [
        ("ISO-8859-1", "latin-1"),
        ('"windows-1252"', "cp1252"),
        ("utf-16", "utf-16"),
        ("utf-8", "utf-8"),
    ],
)
def test_a_body_is_read_in_the_charset_it_says(charset: str, codec: str) -> None:
    reply = in_charset(charset, "Überfahrt, café".encode(codec))
    assert held('body contains "Überfahrt"', reply) is True
    assert held("body matches /caf.$/", reply) is True


@pytest.mark.parametrize("charset", ["rot13", "zip", "idna", "punycode", "no-such", ""])
def test_an_unknown_charset_is_read_as_it_comes(charset: str) -> None:
    assert held('body contains "pong"', in_charset(charset, b"pong")) is True


BOOKS = """
{"books": [{"title": "Tides", "price": 8.95, "tags": ["sea"]},
           {"title": "Ropes", "price": 22.99, "tags": []}],
 "sea level": {"now": 3}}
"""


@pytest.mark.parametrize(
    "text",
    [
        'json $.books[0].title == "Tides"',
        'json $.books[-1].title == "Ropes"',
        "json $.books[?@.price < 10].price == 8.95",
        "json $.books[?@.price > 8.949].price count == 2",
        'json $.books[?(@.title == "Ropes" && @.price >= 22.99)] count == 1',
        "json $.books[?length(@.tags) == 1].price < 9",
        "json $['sea level'].now == 3",
        'json $["sea level"]["now"] is integer',
        "json $..price count == 2",
        "json $.books[0:2].tags is array",
        "json $.books[?@.isbn] absent",
    ],
)
def test_json_paths_find_what_rfc_9535_says(text: str) -> None:
    assert on_json(text, BOOKS) is True


@pytest.mark.parametrize(
    "path",
    [
        "$[?count($[*]) > 1]",
        "$..[?count($[*]) > 1]",
        "$[?count($..*) > 1]",
        "$[0,0]" + "[0,0]" * 30 + ".x",
        "$[*]" + "[*,*]" * 40,
    ],
)
def test_a_json_path_that_would_visit_too_much_fails_instead(path: str) -> None:
    deep = "[" * 90 + "1" + "]" * 90
    body = f"[{deep}, {'[[1]],' * 20_000} 1]"
    found = holding(f"json {path} exists", answered(body))
    assert found.held is False
    assert found.got == "the path visits more than 300,000 values"


def test_the_steps_of_a_path_are_counted_inside_filters_too() -> None:
    with pytest.raises(paths.TooManyStepsError):
        paths.select("$[?count($[*]) > 1]", list(range(1_000)))


def test_values_that_are_looked_into_in_vain_are_steps_too() -> None:
    with pytest.raises(paths.TooManyStepsError):
        paths.select("$..x", [[]] * (paths.MOST_STEPS + 1))


def test_a_long_list_stays_within_the_steps() -> None:
    assert len(paths.select("$[*]", list(range(100_000)))) == 100_000
