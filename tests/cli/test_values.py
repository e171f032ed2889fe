"""Values of a configuration from files; no mistake tells one."""

import pytest

from opsboard.cli.leaving import Usage
from opsboard.cli.values import dotenv, json_values

WRITTEN = {
    "plain": ("A=1\nB=two words\n", {"A": "1", "B": "two words"}),
    "export, comments and empty lines": ("# x\n\nexport A=1 # why\n", {"A": "1"}),
    "empty": ("A=\n", {"A": ""}),
    "a sign of equality in it": ("URL=postgres://a?b=c#d\n", {"URL": "postgres://a?b=c#d"}),
    "single quotes": ("A='a \\n \"b\" # c'\n", {"A": 'a \\n "b" # c'}),
    "double quotes": ('A="a\\nb \\"c\\" \\$d" # e\n', {"A": 'a\nb "c" $d'}),
    "over lines": ("A='one\ntwo'\nB=3\n", {"A": "one\ntwo", "B": "3"}),
    "nothing is put in": ("A=$HOME\n", {"A": "$HOME"}),
    "the last one wins": ("A=1\nA=2\n", {"A": "2"}),
    "a byte order mark and carriage returns": ("\ufeffA=1\r\nB=2\r\n", {"A": "1", "B": "2"}),
}


@pytest.mark.parametrize(("written", "found"), WRITTEN.values(), ids=WRITTEN.keys())
def test_dotenv(written: str, found: dict[str, str]) -> None:
    assert dotenv(written) == found


@pytest.mark.parametrize("written", ["A='planted\nB=1\n", 'A="planted" B\n', "planted words\n"])
def test_a_mistake_in_a_dotenv_names_its_line_and_no_value(written: str) -> None:
    with pytest.raises(Usage) as refused:
        dotenv(written, ".env")

    assert "line" in str(refused.value)
    assert "planted" not in str(refused.value)


def test_json() -> None:
    written = '{"A": "x", "B": 3, "C": true, "D": null, "E": 1.5}'

    assert json_values(written) == {"A": "x", "B": "3", "C": "true", "E": "1.5"}


@pytest.mark.parametrize("written", ["", "[]", '{"A": ["planted"]}', "planted", "[" * 100_000])
def test_json_that_is_no_object_of_values(written: str) -> None:
    with pytest.raises(Usage) as refused:
        json_values(written)

    assert "planted" not in str(refused.value)
