"""Trouble that was seen is shown with whether it was believed."""

import pytest

from opsboard.probes.rules import State, Verdict
from opsboard.probes.unconfirmed import beliefs

LETTERS = {
    "p": Verdict.PASSING,
    "w": Verdict.WARNING,
    "f": Verdict.FAILING,
    "e": Verdict.ERROR,
}
STATES = {"p": State.PASSING, "w": State.WARNING, "f": State.FAILING, "n": State.NO_DATA}
WORDS = {"": "-", "not confirmed": "n", "not confirmed yet": "y"}


@pytest.mark.parametrize(
    ("verdicts", "standings", "expected"),
    [
        # The standing after each verdict.
        ("ppfpp", "ppppp", "--n--"),
        ("ppffp", "pppff", "-----"),
        ("pppff", "ppppp", "---yy"),
        ("pfepf", "ppnpp", "-n--y"),
        ("pfef", "ppnf", "----"),
        ("pwfp", "ppwp", "--n-"),
        ("nf", "nn", "-y"),
        ("fffp", "ffff", "----"),
        ("fwwp", "fffw", "----"),
    ],
)
def test_what_was_not_confirmed_is_told(verdicts: str, standings: str, expected: str):
    verdicts = verdicts.replace("n", "p")
    seen = [(at, LETTERS[letter]) for at, letter in enumerate(verdicts)]
    states = [STATES[letter] for letter in standings]
    found = beliefs(seen, State.NO_DATA, list(enumerate(states)))
    assert "".join(WORDS[one] for one in found) == expected


def test_before_the_first_change_the_standing_was_what_it_says():
    assert beliefs([(1, Verdict.FAILING)], State.FAILING, []) == [""]
    assert beliefs([(1, Verdict.FAILING)], State.PASSING, [(2, State.FAILING)]) == [
        "not confirmed yet"
    ]
