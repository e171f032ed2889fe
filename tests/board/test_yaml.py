"""What is no board file is refused with its place and one sentence, and nothing is changed."""

import pytest

from opsboard.services.models import Team
from tests.board.files import apply_text, errors_of, run

pytestmark = pytest.mark.django_db

BOMB = "a0: &a0 [x, x]\n" + "\n".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)
)

REFUSED = {
    "a colon is missing": (
        "teams:\n  a: {}\n  b\nservices: {}\n",
        "3:3: Expected ':' after this key.",
    ),
    "a colon too many": ("teams: a: b\n", "1:9: A colon cannot stand here"),
    "billion laughs": (BOMB, "1:5: Anchors and aliases are not allowed: write &a0 out"),
    "an alias alone": ("teams: *all\n", "1:8: Anchors and aliases are not allowed"),
    "a hundred thousand brackets": ("[" * 100_000, "1:"),
    "twenty-one deep": ("[" * 21 + "]" * 21, "1:21: This is nested more than 20 deep."),
    "a python object": (
        "teams: !!python/object/apply:os.system [true]\n",
        "1:8: Tags such as !!str are not allowed",
    ),
    "duplicate keys": (
        "teams:\n  a: {name: One}\n  a: {name: Two}\n",
        "3:3: `a` stands here twice, first in line 2, column 3: take one out.",
    ),
    "a merge key": ("teams:\n  <<: {a: {}}\n", "2:3: Merge keys (<<) are not allowed"),
    "a tab": ("teams:\n\ta: {}\n", "2:1: A tab cannot stand here: indent with spaces."),
    "UTF-16": ("teams: {}\n".encode("utf-16"), "1:1: This is UTF-16 or UTF-32"),
    "NUL": (b"teams:\n  a: {name: A\0}\n", "2:14: The character U+0000 cannot be seen"),
    "not UTF-8": (b"teams:\n  a: {name: \xe9}\n", "2:13: This is not UTF-8"),
    "half a character": ('teams: {a: {name: "\\ud800"}}\n', "1:"),
    "a quote left open": (
        "teams:\n  a: {name: 'One}\nservices: {}\n",
        "2:13: This is not YAML: a quote that is opened here is never closed.",
    ),
    "two documents": ("teams: {}\n---\nteams: {}\n", "2:1: A file holds one document"),
    "a list": ("- teams\n", "1:1: Expected a map of names and values, found a list."),
    "a key that is a map": ("teams: {{ TOKEN }}\n", "1:9: A key is a text."),
    "an unknown key": ("team: {}\n", "1:1: Unknown key `team` of board; did you mean `teams`?"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused(name, tmp_path):
    text, sentence = REFUSED[name]
    errors = errors_of(tmp_path, text)
    assert any(error.startswith(sentence) for error in errors), errors
    ran = apply_text(tmp_path, text)
    assert ran.code == 2
    assert ran.out == ""
    assert "nothing was changed." in ran.err
    assert not Team.objects.exists()


NORWAY = {
    "no": '"no"',
    "on": '"on"',
    "1:30": '"1:30"',
    "017": '"017"',
    "2024-01-01": '"2024-01-01"',
    "123": '"123"',
    "1.5": '"1.5"',
}


@pytest.mark.parametrize("written", NORWAY)
def test_a_text_that_is_something_else_to_yaml_wants_quotes(written, tmp_path):
    (error,) = errors_of(tmp_path, f"teams:\n  a: {{name: {written}}}\n")
    assert error.startswith(f"2:13: Quote this value: {NORWAY[written]}.")


def test_a_comment_where_a_channel_was_meant_is_told(tmp_path):
    (error,) = errors_of(tmp_path, "teams:\n  a:\n    contact: #pricing\n")
    assert error == "3:13: This is empty: write a text, or take the key out."


@pytest.mark.parametrize(
    "text",
    [
        b"\xef\xbb\xbfteams:\r\n  a: {}\r\n",
        b"# nothing\n",
        b"",
        b"---\nteams: {a: {}}\n",
        b"teams:\nservices:\n",
        "teams: {a: {name: Prís é}}".encode(),
    ],
)
def test_these_are_read(text, tmp_path):
    assert apply_text(tmp_path, text).code == 0


def test_a_file_is_at_most_ten_mebibytes(tmp_path):
    (error,) = errors_of(tmp_path, b"# " + b"x" * (10 * 1024 * 1024))
    assert error.endswith("A file has at most 10 MiB: divide it into several.")


def test_a_file_that_is_not_there(tmp_path):
    ran = run("apply", str(tmp_path / "none.yaml"), str(tmp_path))
    assert ran.code == 2
    assert "none.yaml: It cannot be read: no such file or directory." in ran.err
    assert "No file in it ends in .yaml or .yml." in ran.err
