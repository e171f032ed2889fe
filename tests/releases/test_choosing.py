"""What a service wants of a gate beats what its team wants, and the note is never given up."""

import pytest

from opsboard.releases.choosing import (
    DEFAULT_NEEDS,
    DEFAULTS,
    check_choice,
    choice_lines,
    chosen,
)
from opsboard.releases.rules import GATES


def choice(need: str = "required", words: str = "", lasts: int | None = None) -> dict[str, object]:
    return {"need": need, "words": words, "lasts": lasts}


@pytest.mark.parametrize(
    ("team", "service", "expected"),
    [
        pytest.param({}, {}, ("required", None, "default"), id="nobody has chosen"),
        pytest.param({"lint": choice("dropped")}, {}, ("dropped", None, "team"), id="the team"),
        pytest.param(
            {"lint": choice("dropped", lasts=60)},
            {"lint": choice("advisory")},
            ("advisory", None, "service"),
            id="the service, as a whole",
        ),
        pytest.param(
            {}, {"lint": choice(lasts=60)}, ("required", 60, "service"), id="the service alone"
        ),
    ],
)
def test_who_has_the_last_word(team, service, expected):
    one = chosen(team, service, DEFAULT_NEEDS)["lint"]
    assert (one.need, one.lasts, one.source) == expected


def test_the_note_is_required_whatever_was_stored():
    found = chosen({"note": choice("dropped")}, {"note": choice("advisory")}, DEFAULT_NEEDS)
    assert found["note"].need == "required"


def test_a_gate_of_the_team_keeps_its_words_and_stands_after_the_known():
    team = {"load-test": choice(words="Load test")}
    found = chosen(team, {"load-test": choice("advisory")}, DEFAULT_NEEDS)
    assert [*found] == [*GATES, "load-test"]
    assert found["load-test"].name == "Load test"
    assert found["load-test"].is_own


def test_what_nobody_asked_for_is_not_asked_for():
    found = chosen({}, {}, DEFAULT_NEEDS)
    assert {gate for gate, one in found.items() if one.need == "dropped"} == {
        "owner", "expected", "incident", "baseline", "verified",
    }  # fmt: skip
    assert set(DEFAULTS) == set(GATES)


@pytest.mark.parametrize(
    ("gate", "made", "part"),
    [
        pytest.param("note", choice("dropped"), "need", id="the note dropped"),
        pytest.param("note", choice("advisory"), "need", id="the note advisory"),
        pytest.param("lint", choice("perhaps"), "need", id="no need"),
        pytest.param("lint", choice(words="Linting"), "words", id="words for a known gate"),
        pytest.param("load-test", choice(), "words", id="no words for an own gate"),
        pytest.param("load-test", choice(words="a\nb"), "words", id="two lines"),
        pytest.param("Load", choice(words="x"), "gate", id="no slug"),
        pytest.param("owner", choice(lasts=60), "lasts", id="lasts of what is computed"),
        pytest.param("lint", choice(lasts=0), "lasts", id="lasts no time"),
        pytest.param("lint", choice(lasts=366 * 86_400), "lasts", id="lasts too long"),
    ],
)
def test_what_cannot_be_chosen(gate, made, part):
    assert [*check_choice(gate, made)] == [part]


def test_choices_are_told_in_words():
    choices = {"b": choice("dropped"), "a": choice(words="A b", lasts=90 * 86_400)}
    assert choice_lines(choices) == ["a: A b, required, lasts 90 d", "b: dropped"]
