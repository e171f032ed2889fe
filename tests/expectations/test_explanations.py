"""Every failed clause explains itself: what was expected, what was got, on one line."""

import pytest

from opsboard.outbound.reply import Phases, Reply
from tests.expectations.replies import answered, certificate_for, holding, with_headers


def slow(us: int) -> Reply:
    return answered(phases=Phases(total=us))


@pytest.mark.parametrize(
    ("text", "reply", "got", "sentence"),
    [
        ("status == 201", answered(status=503), "503", "status is 503, expected 201"),
        (
            "status in 200..299, 304",
            answered(status=503),
            "503",
            "status is 503, expected 200 to 299 or 304",
        ),
        (
            "time < 400 ms",
            slow(2_841_223),
            "2.84 s",
            "time is 2.84 s, expected under 400 ms",
        ),
        (
            "time < 400 ms",
            slow(400_200),
            "400.2 ms",
            "time is 400.2 ms, expected under 400 ms",
        ),
        ("time < 400 ms", slow(400_000), "400 ms", "time is 400 ms, expected under 400 ms"),
        (
            "size < 4 B",
            answered("pong"),
            "4 B",
            "size is 4 B, expected under 4 B",
        ),
        (
            "size < 1 kB",
            answered("x" * 1_004),
            "1.004 kB",
            "size is 1.004 kB, expected under 1 kB",
        ),
        (
            'body contains "ok"',
            answered("<html>\nno"),
            '"<html>\\nno"',
            'body is "<html>\\nno", expected to contain "ok"',
        ),
        ("body matches /^ping/", answered(""), "empty", "body is empty, expected to match /^ping/"),
        (
            'body not contains "Traceback"',
            answered("Oops: Traceback"),
            '"Oops: Traceback"',
            'body is "Oops: Traceback", expected not to contain "Traceback"',
        ),
        (
            'json $.status == "ok"',
            answered('{"status": "down"}'),
            '"down"',
            'json $.status is "down", expected "ok"',
        ),
        (
            "json $.total between 118 and 240",
            answered('{"total": 287.40}'),
            "287.40",
            "json $.total is 287.40, expected 118 to 240",
        ),
        (
            "json $.error absent",
            answered('{"error": {"code": 1}}'),
            "an object of 1",
            "json $.error is an object of 1, expected not to be there",
        ),
        (
            "json $.items[*] count >= 3",
            answered('{"items": [1]}'),
            "1 value",
            "json $.items[*] is 1 value, expected at least 3",
        ),
        (
            "json $.n is integer",
            answered('{"n": 1.5}'),
            "1.5",
            "json $.n is 1.5, expected a whole number",
        ),
        (
            "json $.ok == true",
            answered("{}"),
            "not there",
            "json $.ok is not there, expected true",
        ),
        (
            "json $.ok == true",
            answered("oops"),
            "not JSON: expecting value at line 1, column 1",
            "json $.ok is unknown: the body is not JSON, expecting value at line 1, column 1",
        ),
        (
            'header Content-Type contains "json"',
            with_headers("Content-Type: text/html"),
            '"text/html"',
            'header Content-Type is "text/html", expected to contain "json"',
        ),
        (
            "header X-Request-Id exists",
            answered(),
            "not sent",
            "header X-Request-Id is not sent, expected to be there",
        ),
        (
            "db.calls <= 8",
            with_headers('Server-Timing: db;desc="1482"'),
            "1,482",
            "db.calls is 1,482, expected at most 8",
        ),
        (
            "db.calls <= 8",
            answered(),
            "not reported",
            "db.calls is not reported, expected at most 8",
        ),
        ("cache is hit", answered(), "unknown", "cache is unknown, expected hit"),
        (
            "cache is not bypass",
            with_headers("X-Cache-Status: BYPASS"),
            "bypass",
            "cache is bypass, expected not bypass",
        ),
        (
            "certificate.days > 14",
            answered(certificate=certificate_for(days=9)),
            "9",
            "certificate.days is 9, expected over 14",
        ),
        (
            'certificate.issuer == "CN=X"',
            answered(certificate=certificate_for(days=9)),
            '"CN=Internal CA 2"',
            'certificate.issuer is "CN=Internal CA 2", expected "CN=X"',
        ),
        ("http == 2", answered(), "1.1", "http is 1.1, expected 2"),
        ("redirects == 0", answered(redirects=2), "2", "redirects is 2, expected 0"),
    ],
)
def test_a_failed_clause_says_what_was_expected_and_what_was_got(
    text: str, reply: Reply, got: str, sentence: str
) -> None:
    found = holding(text, reply)
    assert found.held is False
    assert (found.got, found.sentence) == (got, sentence)


def test_a_clause_that_holds_says_what_it_got() -> None:
    found = holding("status == 200", answered())
    assert (found.held, found.got, found.sentence) == (True, "200", "status is 200")


def test_text_is_shown_from_a_little_before_what_was_looked_for() -> None:
    body = "é" * 500 + " Traceback (most recent call last)" + "y" * 500
    found = holding('body not contains "Traceback"', answered(body))
    assert found.got.startswith(f'"…{"é" * 9} Traceback (most')
    assert found.got.endswith('…"')


@pytest.mark.parametrize("text", ['body contains "ok"', "body matches /ok/", 'body == "ok"'])
def test_what_was_got_is_cut_to_one_short_line(text: str) -> None:
    found = holding(text, answered("é\r\n\x00\x1b[31m" * 100_000))
    assert len(found.got) < 500
    assert found.got.isprintable()


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ("a\x00b", '"a\\x00b"'),
        ("a\x1b[2Jb", '"a\\x1b[2Jb"'),
        ("a\u202eb", '"a\\u202eb"'),
        (b"a\xffb", '"a�b"'),
        ('say "hi"', '"say \\"hi\\""'),
        ("x" * 101, f'"{"x" * 99}…"'),
    ],
)
def test_nothing_unseen_is_shown(body: str | bytes, shown: str) -> None:
    assert holding('body == "ok"', answered(body)).got == shown


def test_a_text_of_a_json_body_is_shown_without_its_controls() -> None:
    found = holding('json $.s == "ok"', answered('{"s": "a\\u0000\\u202e\\nb"}'))
    assert found.got == '"a\\x00\\u202e\\nb"'


def test_a_long_number_is_cut() -> None:
    found = holding("json $.n == 1", answered(f'{{"n": {"9" * 300}}}'))
    assert found.got == "9" * 99 + "…"


def test_several_values_that_hold_are_shown_by_the_first() -> None:
    assert holding("json $[*] > 0", answered("[1, 2, 3]")).got == "1 and 2 more"
