"""What the gates that programs answer are bound to, and when their answers run out."""

from dataclasses import replace

import pytest

from tests.company import NOON
from tests.releases.ready import (
    COMMIT,
    COUNTS,
    DAY,
    HOUR,
    MINUTE,
    MOMENT,
    OTHER,
    READY,
    STAGING,
    answer,
    evidence,
    gate_of,
    with_choice,
    with_evidence,
    with_staging,
    without,
)

BY_PROGRAMS = ["lint", "unit", "integration", "config", "tag"]


@pytest.mark.parametrize("gate", BY_PROGRAMS)
def test_without_evidence_there_is_none(gate):
    assert answer(gate, without(gate))[0] == "no evidence"


@pytest.mark.parametrize("gate", BY_PROGRAMS)
@pytest.mark.parametrize(
    ("outcome", "word"),
    [
        ("passed", "met"),
        ("running", "no evidence"),
        ("failed", "not met"),
        ("error", "not met"),
        ("skipped", "not met"),
        ("inconclusive", "not met"),
        ("something new", "not met"),
    ],
)
def test_only_what_passed_meets_a_gate(gate, outcome, word):
    assert answer(gate, with_evidence(gate, outcome=outcome))[0] == word


@pytest.mark.parametrize("gate", BY_PROGRAMS)
@pytest.mark.parametrize("outcome", ["passed", "failed", "running"])
def test_evidence_of_another_commit_is_out_of_date(gate, outcome):
    word, reason = answer(gate, with_evidence(gate, commit=OTHER, outcome=outcome))
    assert word == "out of date"
    assert reason == "It was run on 1a2b3c400000, and the release is 9f3c1ab00000."


def test_commits_that_begin_alike_are_written_out():
    longer = COMMIT[:12] + "1" * 28
    assert longer in answer("lint", with_evidence("lint", commit=longer))[1]


def test_the_newest_that_started_wins_and_of_two_at_once_the_later_row():
    def both(first, second):
        rest = without("lint").evidence
        return replace(
            READY, evidence=(*rest, evidence("lint", **first), evidence("lint", **second))
        )

    failed = {"outcome": "failed", "started_at": NOON - MINUTE}
    late = {"started_at": NOON - 2 * MINUTE, "received_at": NOON}
    assert answer("lint", both(failed, late))[0] == "not met"
    assert answer("lint", both(late, failed))[0] == "not met"
    again = {"started_at": NOON - MINUTE, "evidence_id": 2}
    assert answer("lint", both(again, failed))[0] == "met"
    assert answer("lint", both(failed, again))[0] == "met"


@pytest.mark.parametrize("gate", ["unit", "integration"])
@pytest.mark.parametrize(
    ("counts", "phrase"),
    [
        ({}, "did not say how many tests ran"),
        ({"passed": 4}, "did not say how many tests ran"),
        ({"collected": True}, "did not say how many tests ran"),
        ({"collected": "12"}, "did not say how many tests ran"),
        ({"collected": 0, "passed": 0}, "collected 0 tests"),
        ({"collected": -1}, "collected 0 tests"),
        ({"collected": 1_284, "skipped": 1_284}, "No test ran of 1,284: all were skipped."),
        ({"collected": 4, "passed": 0, "skipped": 3}, "No test ran of 4"),
        ({"collected": 4, "passed": 3, "failed": 1}, "1 of 4 failed, whatever its outcome says."),
    ],
)
def test_a_test_gate_is_not_met_by_tests_that_did_not_run(gate, counts, phrase):
    word, reason = answer(gate, with_evidence(gate, counts=counts))
    assert word == "not met"
    assert phrase in reason


@pytest.mark.parametrize("gate", ["lint", "config", "tag"])
def test_the_other_gates_need_no_counts(gate):
    assert answer(gate, with_evidence(gate, counts={}))[0] == "met"


def test_a_gate_that_failed_says_how_many_when_and_with_which_code():
    counts = {"collected": 1_284, "passed": 1_281, "failed": 3}
    facts = with_evidence("unit", outcome="failed", counts=counts, exit_code=1)
    state = gate_of("unit", facts)
    assert state.reason == "3 of 1,284 failed at 11:01 with exit code 1."
    assert (state.who, state.source) == ("CI of fares-api", "CI run 18204")
    assert (state.since, state.evidence_id) == (NOON - HOUR + MINUTE, 1)


def test_a_gate_that_is_met_says_by_what():
    assert answer("unit", READY)[1] == "11 tests passed, 1 skipped."
    assert answer("integration", READY)[1] == "11 tests passed on staging, 1 skipped."
    assert answer("lint", with_evidence("lint", counts={}))[1] == "Passed."
    assert answer("tag", READY)[1] == "v4 points to 9f3c1ab00000."
    assert gate_of("unit", READY).who == ""


# Integration ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("age", "word"),
    [
        (DAY - MOMENT, "met"),
        (DAY, "out of date"),
        (DAY + MOMENT, "out of date"),
        (-HOUR, "met"),
    ],
)
def test_an_integration_check_lasts_a_day(age, word):
    started = {"started_at": NOON - age, "received_at": NOON - age}
    assert answer("integration", with_evidence("integration", **started))[0] == word


def test_a_clock_that_is_ahead_makes_nothing_younger():
    facts = with_evidence(
        "integration", started_at=NOON + 30 * DAY, received_at=NOON - DAY, finished_at=None
    )
    assert answer("integration", facts)[0] == "out of date"


def test_what_lasts_says_when_it_runs_out():
    state = gate_of("integration", READY)
    assert state.runs_out_at == NOON - HOUR + DAY
    assert gate_of("lint", READY).runs_out_at is None
    assert (
        gate_of("integration", with_evidence("integration", outcome="failed")).runs_out_at is None
    )


@pytest.mark.parametrize(
    ("fields", "word", "phrase"),
    [
        ({"commit": OTHER}, "out of date", "staging runs 1a2b3c400000, not 9f3c1ab00000"),
        ({"commit": COMMIT[:7]}, "met", ""),
        ({"commit": COMMIT[:7].upper()}, "met", ""),
        ({"commit": COMMIT[:6]}, "out of date", "staging runs 9f3c1a,"),
        ({"commit": "9f3c1ab-dirty"}, "out of date", "staging runs 9f3c1ab-dirt"),
        ({"commit": ""}, "no evidence", "unknown"),
        ({"told_at": None}, "no evidence", "unknown"),
        (
            {"told_at": NOON - 5 * MINUTE},
            "no evidence",
            "unknown: its version address told last 11:55",
        ),
        ({"told_at": NOON - 5 * MINUTE + MOMENT}, "met", ""),
        ({"told_at": NOON - 90 * DAY, "is_announced": True}, "met", ""),
        ({"commit": OTHER, "is_announced": True}, "out of date", "staging runs 1a2b3c400000"),
    ],
)
def test_an_integration_check_holds_while_its_environment_runs_the_commit(fields, word, phrase):
    facts = replace(with_staging(**fields), ages=READY.ages)
    found, reason = answer("integration", facts)
    assert found == word
    assert phrase in reason


@pytest.mark.parametrize("environment", ["", "moon"])
def test_an_integration_check_of_no_known_environment_is_none(environment):
    facts = with_evidence("integration", environment=environment)
    assert answer("integration", facts)[0] == "no evidence"


def test_what_failed_stays_so_however_old_and_whatever_runs():
    facts = with_evidence("integration", outcome="failed", started_at=NOON - 30 * DAY)
    facts = replace(facts, places={"staging": replace(STAGING, commit=OTHER)})
    assert answer("integration", facts)[0] == "not met"


# Config -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("root", "age", "word"),
    [
        ("r1", 400 * DAY, "met"),
        ("r2", MINUTE, "out of date"),
        ("", 4 * HOUR - MOMENT, "met"),
        ("", 4 * HOUR, "out of date"),
        ("", 4 * HOUR + MOMENT, "out of date"),
    ],
)
def test_a_config_check_holds_for_the_root_that_is_observed_or_for_four_hours(root, age, word):
    places = {"staging": replace(STAGING, config_root=root)}
    checked = {"started_at": NOON - age, "received_at": NOON - age}
    assert answer("config", replace(with_evidence("config", **checked), places=places))[0] == word


def test_a_root_that_was_told_too_long_ago_is_not_observed():
    places = {"staging": replace(STAGING, told_at=NOON - 5 * MINUTE, config_root="r2")}
    assert answer("config", replace(READY, places=places))[0] == "met"
    old = with_evidence("config", started_at=NOON - 4 * HOUR)
    assert answer("config", replace(old, places=places))[0] == "out of date"
    assert gate_of("config", READY).runs_out_at is None
    assert gate_of("config", replace(READY, places=places)).runs_out_at == NOON + 3 * HOUR


@pytest.mark.parametrize("fields", [{"environment": "production"}, {"facts": {}}])
def test_a_config_check_of_something_else_is_none(fields):
    assert answer("config", with_evidence("config", **fields))[0] == "no evidence"


def test_a_config_check_that_failed_names_the_keys_that_are_wrong():
    differences = [
        {"key": "FARE_BATCH_SIZE", "what": "not set"},
        {"key": "FARE_CACHE_TTL", "what": "differs", "environment": "production"},
    ]
    found = {"root": "r1", "differences": differences}
    assert answer("config", with_evidence("config", outcome="failed", facts=found)) == (
        "not met",
        "2 keys are wrong on staging: FARE_BATCH_SIZE (not set) and FARE_CACHE_TTL (differs).",
    )
    found["differences"] = "nonsense"
    word, reason = answer("config", with_evidence("config", outcome="failed", facts=found))
    assert (word, reason) == ("not met", "It failed at 11:01.")


# Tag --------------------------------------------------------------------------------------------


def at_two(first: dict, second: dict):
    rows = [
        evidence("tag", evidence_id=turn, started_at=NOON - HOUR + turn * MINUTE, facts=facts)
        for turn, facts in enumerate((first, second))
    ]
    return replace(READY, evidence=(*without("tag").evidence, *rows))


HERE = {"tag": "v4", "object": COMMIT}
THERE = {"tag": "v4", "object": OTHER}


@pytest.mark.parametrize(
    ("facts", "word", "phrase"),
    [
        (with_evidence("tag", facts=HERE), "met", "v4 points to 9f3c1ab00000."),
        (
            with_evidence("tag", facts=THERE),
            "not met",
            "v4 points to 1a2b3c400000, and the release is 9f3c1ab00000.",
        ),
        (with_evidence("tag", facts={"tag": "v5", "object": COMMIT}), "not met", "tagged v4"),
        (with_evidence("tag", facts={"tag": "v4"}), "not met", "where it points"),
        (with_evidence("tag", facts={}), "not met", "does not say which tag"),
        (at_two(HERE, THERE), "out of date", "v4 was moved: it points to 1a2b3c400000 now"),
        (at_two(THERE, HERE), "met", ""),
        (at_two(THERE, THERE), "not met", ""),
    ],
)
def test_a_tag_has_to_point_to_the_release(facts, word, phrase):
    found, reason = answer("tag", facts)
    assert found == word
    assert phrase in reason
    assert gate_of("tag", facts).is_overridable is (word == "met")


def test_a_tag_that_was_not_reported_says_whether_one_was_named():
    assert answer("tag", without("tag"))[1] == "Nobody reported where v4 points."
    untagged = replace(without("tag"), release=replace(READY.release, tag=""))
    assert answer("tag", untagged)[1] == "9f3c1ab00000 has no tag yet."
    assert gate_of("tag", untagged).is_overridable


# A team's own -----------------------------------------------------------------------------------


def test_a_gate_of_the_teams_own_is_answered_by_evidence_of_the_commit():
    facts = with_choice("load-test", words="Load test", lasts=HOUR)
    assert answer("load-test", facts)[0] == "no evidence"
    ran = with_evidence("load-test", facts, counts={}, started_at=NOON - HOUR + MOMENT)
    state = gate_of("load-test", ran)
    assert (state.name, state.word, state.runs_out_at) == ("Load test", "met", NOON + MOMENT)
    assert answer("load-test", ran, now=NOON + MOMENT)[0] == "out of date"
    assert answer("load-test", with_evidence("load-test", facts, commit=OTHER))[0] == "out of date"


@pytest.mark.parametrize("gate", BY_PROGRAMS)
@pytest.mark.parametrize(
    ("age", "word"), [(HOUR - MOMENT, "met"), (HOUR, "out of date"), (HOUR + MOMENT, "out of date")]
)
def test_a_team_may_choose_how_long_an_answer_lasts(gate, age, word):
    facts = with_choice(gate, lasts=HOUR)
    aged = with_evidence(gate, facts, started_at=NOON - age, received_at=NOON)
    assert answer(gate, aged)[0] == word


def test_counts_of_lint_that_failed_do_not_pass():
    assert answer("lint", with_evidence("lint", counts=COUNTS | {"failed": 2}))[0] == "not met"
