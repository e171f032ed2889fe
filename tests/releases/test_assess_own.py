"""The gates that Opsboard answers itself: the note, its rehearsal, and those a team may add."""

from dataclasses import replace

import pytest

from opsboard.releases.facts import DutySeen, IncidentSeen
from opsboard.releases.rules import Need
from tests.company import NOON
from tests.releases.ready import (
    DAY,
    HOUR,
    MOMENT,
    READY,
    answer,
    gate_of,
    rehearsal,
    with_choice,
)


def of_tier(tier: int, facts=READY):
    return replace(facts, service=replace(READY.service, tier=tier))


def with_note(**fields):
    return replace(READY, note=replace(READY.note, **fields))


def rehearsed(*rehearsals, facts=READY):
    return replace(facts, rehearsals=rehearsals)


@pytest.mark.parametrize(
    ("tier", "age", "word"),
    [
        (1, 30 * DAY - MOMENT, "met"),
        (1, 30 * DAY, "out of date"),
        (1, 30 * DAY + MOMENT, "out of date"),
        (2, 30 * DAY, "met"),
        (2, 90 * DAY - MOMENT, "met"),
        (2, 90 * DAY, "out of date"),
        (3, 90 * DAY + MOMENT, "out of date"),
    ],
)
def test_a_look_at_the_note_lasts_by_the_tier(tier, age, word):
    assert answer("note", of_tier(tier, with_note(checked_at=NOON - age)))[0] == word


def test_a_note_that_is_met_says_its_version_and_until_when():
    state = gate_of("note", READY)
    assert state.reason == "Version 6, checked 22 Nov 12:00. Fresh until 22 Dec 12:00."
    assert (state.runs_out_at, state.source) == (NOON + 29 * DAY, "Edith Moe")


def test_a_note_that_nobody_reviewed_is_no_evidence():
    state = gate_of("note", with_note(checked_at=None))
    assert state.word == "no evidence"
    assert state.is_overridable


def test_without_a_note_nothing_overrides_it():
    state = gate_of("note", replace(READY, note=None))
    assert (state.word, state.reason) == ("not met", "There is no rollback note: write one.")
    assert not state.is_overridable
    assert answer("rehearsal", replace(READY, note=None))[0] == "no evidence"


@pytest.mark.parametrize("need", ["dropped", "advisory", "required"])
def test_the_note_is_always_required(need):
    assert gate_of("note", with_choice("note", need=need)).need is Need.REQUIRED


def test_a_team_may_choose_how_long_a_look_lasts():
    assert answer("note", with_choice("note", lasts=DAY))[0] == "out of date"
    assert answer("note", with_choice("note", lasts=DAY + MOMENT))[0] == "met"


@pytest.mark.parametrize(
    ("facts", "word", "phrase"),
    [
        (rehearsed(), "no evidence", "never rehearsed"),
        (rehearsed(rehearsal()), "met", "Rehearsed at 22 Nov 12:00 on staging, in 5 min."),
        (rehearsed(rehearsal(worked=False)), "not met", "The rehearsal of 22 Nov 12:00 failed"),
        (
            rehearsed(rehearsal(steps_digest="others")),
            "out of date",
            "The steps have changed since the rehearsal of 22 Nov 12:00",
        ),
        (
            rehearsed(rehearsal(migrations=("0146",))),
            "out of date",
            "This release adds migration 0147, which the rehearsal of 22 Nov 12:00 did not",
        ),
        (rehearsed(rehearsal(migrations=("0146", "0147"))), "met", ""),
        (rehearsed(rehearsal(at=NOON - 90 * DAY + MOMENT)), "met", ""),
        (rehearsed(rehearsal(at=NOON - 90 * DAY)), "out of date", "is older than 90 days"),
        (rehearsed(rehearsal(at=NOON - 90 * DAY - MOMENT)), "out of date", ""),
        (
            rehearsed(rehearsal(), rehearsal(worked=False, at=NOON - HOUR, rehearsal_id=2)),
            "not met",
            "failed",
        ),
        (
            rehearsed(rehearsal(worked=False), rehearsal(at=NOON - HOUR, rehearsal_id=2)),
            "met",
            "",
        ),
    ],
)
def test_a_rehearsal_is_bound_to_steps_and_migrations(facts, word, phrase):
    found, reason = answer("rehearsal", facts)
    assert found == word
    assert phrase in reason


def test_a_rehearsal_says_when_it_runs_out():
    assert gate_of("rehearsal", READY).runs_out_at == NOON + 89 * DAY
    assert answer("rehearsal", with_choice("rehearsal", lasts=DAY))[0] == "out of date"


@pytest.mark.parametrize(
    ("tier", "rehearsals", "need"),
    [
        (1, (), Need.REQUIRED),
        (2, (), Need.ADVISORY),
        (3, (rehearsal(worked=False),), Need.ADVISORY),
        (2, (rehearsal(),), Need.REQUIRED),
        # Met once, long ago and with other steps: from then on it is required.
        (3, (rehearsal(at=NOON - 900 * DAY, steps_digest="others"),), Need.REQUIRED),
    ],
)
def test_rehearsals_are_advised_until_one_worked_except_for_tier_1(tier, rehearsals, need):
    facts = of_tier(tier, rehearsed(*rehearsals))
    assert gate_of("rehearsal", facts).need is need
    chosen = with_choice("rehearsal", facts, need="advisory")
    assert gate_of("rehearsal", chosen).need is Need.ADVISORY


def about(**fields):
    return replace(READY, service=replace(READY.service, **fields))


OPEN = IncidentSeen(number=412, title="Prices are slow", opened_at=NOON - HOUR)


@pytest.mark.parametrize(
    ("gate", "facts", "word", "phrase"),
    [
        ("owner", READY, "no evidence", "Pricing has no rota"),
        ("owner", replace(READY, duty=DutySeen(person="")), "not met", "nobody is on duty"),
        ("owner", replace(READY, duty=DutySeen(person="Vera")), "met", "Vera is on duty."),
        ("expected", READY, "met", "Every critical path has an expected result."),
        ("expected", about(unwritten_path="Hold a fare"), "not met", "Hold a fare has no"),
        ("expected", about(has_paths=False), "no evidence", "has no critical path"),
        ("incident", READY, "met", "fares-api has no open incident."),
        ("incident", about(incident=OPEN), "not met", "INC-0412 is open since 11:00: Prices are"),
        ("baseline", READY, "no evidence", "No change was measured for this release"),
        ("verified", READY, "no evidence", "No change was measured for this release"),
    ],
)
def test_the_gates_that_a_team_may_add(gate, facts, word, phrase):
    found, reason = answer(gate, with_choice(gate, facts))
    assert found == word
    assert phrase in reason
