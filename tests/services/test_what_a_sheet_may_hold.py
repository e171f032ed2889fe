"""Names, headers and query of a sheet: rows B41 and B45 of the hardening list."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsboard.services.rules import (
    check_name,
    check_slug,
    check_text,
    names_in,
    read_headers,
    read_query,
    slug_from,
    write_headers,
    write_query,
)


@pytest.mark.parametrize("name", ["Fares API", "日本", "🚢 ferry", "<img onerror>", "=cmd()"])
def test_a_name_may_be_what_a_person_can_read(name: str) -> None:
    assert check_name(name) == ""


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("x" * 121, "At most 120"),
        ("x" * 10_000, "10,000"),
        ("a\nb", "control characters"),
        ("a\0b", "control characters"),
        ("a\u2028b", "control characters"),
        ("a\u202eb", "reverses the direction"),
        ("a\u2066b", "reverses the direction"),
    ],
)
def test_other_names_are_refused(name: str, says: str) -> None:
    assert says in check_name(name)


def test_a_text_may_have_lines_but_no_other_controls() -> None:
    assert check_text("a\n\tb") == ""
    assert "control character" in check_text("a\x1b[2Jb")
    assert "reverses the direction" in check_text("a\u202eb")


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Price a crossing", "price-a-crossing"),
        ("  Fares API / v2 ", "fares-api-v2"),
        ("Bücher søk", "bucher-sk"),
        ("x" * 80, "x" * 60),
    ],
)
def test_a_name_gives_a_slug(name: str, slug: str) -> None:
    assert slug_from(name) == (slug, "")
    assert check_slug(slug) == ""


@pytest.mark.parametrize("name", ["日本", "!!!", ""])
def test_a_name_without_letters_gives_none(name: str) -> None:
    assert "letters a to z" in slug_from(name)[1]


@pytest.mark.parametrize("slug", ["new", "edit", "rollback-note", "removal", "environments"])
def test_words_of_the_boards_own_addresses_are_refused(slug: str) -> None:
    assert "word of the board" in check_slug(slug)


@pytest.mark.parametrize("slug", ["A", "a_b", "-a", "a--b", "a/b", "é"])
def test_a_slug_is_small_letters_digits_and_hyphens(slug: str) -> None:
    assert "small letters" in check_slug(slug)


def test_headers_are_read_line_by_line() -> None:
    pairs, errors = read_headers("Accept: text/html\r\n\n X-Trace:  a: b \n")
    assert (pairs, errors) == ([("Accept", "text/html"), ("X-Trace", "a: b")], [])


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("Host: a", "Leave out Host: the address says it already"),
        ("Content-Length: 3", "Leave out Content-Length"),
        ("transfer-encoding: chunked", "Leave out transfer-encoding"),
        ("Connection: close", "Leave out Connection"),
        ("Proxy-Authorization: x", "Leave out Proxy-Authorization: a probe uses no proxy"),
        ("traceparent: x", "Leave out traceparent"),
        ("no colon", "Write Name: value."),
        ("A b: c", "The name of a header"),
        (": c", "The name of a header"),
        ("A: b\rC: d", "control character"),
        ("A: b\0", "control character"),
        ("A: é", "outside ASCII"),
        (f"A: {'x' * 8001}", "at most 8,000"),
    ],
)
def test_a_wrong_header_is_told_with_its_line(line: str, says: str) -> None:
    _, errors = read_headers(f"Accept: b\n{line}")
    assert len(errors) == 1
    assert errors[0].startswith("Line 2: ")
    assert says in errors[0]


def test_every_wrong_line_is_told() -> None:
    assert len(read_headers("Host: a\nok: b\nnonsense")[1]) == 2


def test_at_most_fifty_headers() -> None:
    assert read_headers("\n".join(f"A{n}: b" for n in range(50)))[1] == []
    assert "at most 50" in read_headers("\n".join(f"A{n}: b" for n in range(51)))[1][0]


def test_a_query_is_read_line_by_line() -> None:
    assert read_query("from=SK1\nq=a=b\nempty=") == (
        [("from", "SK1"), ("q", "a=b"), ("empty", "")],
        [],
    )
    assert "Write name=value." in read_query("from")[1][0]
    assert "Write name=value." in read_query("=x")[1][0]


@given(st.text(max_size=200))
def test_any_text_is_pairs_or_sentences(text: str) -> None:
    for read, write in ((read_headers, write_headers), (read_query, write_query)):
        pairs, errors = read(text)
        assert all(errors)
        if not errors:
            assert read(write(pairs)) == (pairs, [])


def test_names_of_variables_are_found_once() -> None:
    assert names_in("{{ A }} {{B}} {{ A }}", "{{ C }} { D }") == ["A", "B", "C"]
