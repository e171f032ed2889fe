"""A release whose changes have to be verified waits for each of them."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsboard.releases.assessing import assess
from tests.company import NOON
from tests.releases.ready import DAY, HOUR, MOMENT, READY, change, gate_of, with_choice


def answer(gate, *changes):
    state = gate_of(gate, with_choice(gate, replace(READY, changes=changes)))
    return state.word, state.reason


@pytest.mark.parametrize("gate", ["baseline", "verified"])
def test_without_a_change_nothing_was_shown(gate):
    word, reason = answer(gate)

    assert word == "no evidence"
    assert reason == (
        "No change was measured for this release: declare one with its version or commit."
    )


@pytest.mark.parametrize(
    ("fields", "word", "reason"),
    [
        ({}, "met", "The baseline of CHG-0198 was sealed at 07:00."),
        ({"attempt": 0}, "no evidence", "CHG-0198 has no baseline yet: open it."),
        (
            {"attempt": 2, "is_given_up": True},
            "no evidence",
            "Attempt 2 of CHG-0198 was given up: repeat it.",
        ),
        (
            {"sealed_at": None, "collected": 137},
            "no evidence",
            "The baseline of CHG-0198 is collecting, 137 of 200.",
        ),
        (
            {"sealed_at": None},
            "no evidence",
            "The baseline of CHG-0198 is collecting up to 200 samples.",
        ),
        (
            {"sealed_at": NOON - 7 * DAY, "applied_at": None},
            "out of date",
            "The baseline of CHG-0198 was sealed at 16 Nov 12:00, and lasts 7 days: repeat it.",
        ),
        (
            {"sealed_at": NOON - 90 * DAY, "applied_at": NOON - 83 * DAY},
            "met",
            "The baseline of CHG-0198 was sealed at 25 Aug 12:00.",
        ),
        (
            {"sealed_at": NOON - 90 * DAY, "applied_at": NOON - 83 * DAY + MOMENT},
            "out of date",
            "The baseline of CHG-0198 was sealed at 25 Aug 12:00, and lasts 7 days: repeat it.",
        ),
        (
            {"measured_at": NOON - 8 * DAY, "applied_at": NOON - HOUR},
            "out of date",
            "The baseline of CHG-0198 was sealed at 07:00, and lasts 7 days: repeat it.",
        ),
        (
            {"sealed_at": NOON - HOUR, "applied_at": NOON - 2 * HOUR},
            "not met",
            "CHG-0198 was applied before its baseline was sealed.",
        ),
    ],
)
def test_a_baseline_is_sealed_before_its_change_and_young_enough(fields, word, reason):
    assert answer("baseline", change(**fields)) == (word, reason)


def test_a_baseline_that_waits_says_when_it_runs_out():
    waiting = change(sealed_at=NOON - 7 * DAY + MOMENT, applied_at=None)
    state = gate_of("baseline", with_choice("baseline", replace(READY, changes=(waiting,))))

    assert (state.word, state.runs_out_at) == ("met", NOON + MOMENT)
    assert (
        gate_of(
            "baseline", with_choice("baseline", replace(READY, changes=(change(),)))
        ).runs_out_at
        is None
    )


WAITING = {"verdict": "", "because": "", "judged_at": None}


@pytest.mark.parametrize(
    ("fields", "word", "reason"),
    [
        ({}, "met", "CHG-0198 improved."),
        ({"aim": "keep"}, "met", "CHG-0198 improved."),
        ({"aim": "keep", "verdict": "no_change"}, "met", "CHG-0198 did not get worse."),
        ({"verdict": "no_change"}, "not met", "CHG-0198, no change: Requests got 34% faster."),
        ({"verdict": "regressed", "because": ""}, "not met",
         "CHG-0198, regressed: it was meant to improve."),
        ({"verdict": "confounded", "aim": "keep"}, "not met", "CHG-0198, confounded: Requests"),
        ({"verdict": "inconclusive", "aim": "keep"}, "not met", "CHG-0198, inconclusive: Requests"),
        ({"verdict": "invalid", "aim": "keep"}, "not met", "CHG-0198, invalid: Requests"),
        ({"verdict": "a word of tomorrow", "aim": "keep"}, "not met", "CHG-0198, a word of"),
        ({"verdict": "no_change", "aim": "an aim of tomorrow"}, "not met", "CHG-0198, no change"),
        ({"attempt": 0}, "no evidence", "CHG-0198 was not measured yet: open its baseline."),
        ({"is_given_up": True}, "no evidence", "Attempt 1 of CHG-0198 was given up: repeat it."),
        (
            WAITING | {"sealed_at": None, "collected": 137},
            "no evidence",
            "The baseline of CHG-0198 is collecting, 137 of 200.",
        ),
        (
            WAITING | {"applied_at": None},
            "no evidence",
            "The baseline of CHG-0198 is sealed, and it was not applied yet.",
        ),
        (
            WAITING | {"collected_at": None, "collected": 999},
            "no evidence",
            "CHG-0198 is collecting, 200 of 200.",
        ),
        (WAITING, "no evidence", "CHG-0198 is being judged."),
    ],
)  # fmt: skip
def test_a_change_is_verified_by_the_verdict_that_was_meant(fields, word, reason):
    found, said = answer("verified", change(**fields))

    assert found == word
    assert said.startswith(reason)


def test_of_several_changes_the_worst_decides():
    fine, waiting = change(), change(number=199, attempt=0)
    slower = change(number=200, verdict="regressed", because="Requests got 25% slower.")

    assert answer("verified", fine, change(number=201)) == (
        "met",
        "All changes are verified: CHG-0198 and CHG-0201.",
    )
    assert answer("verified", fine, waiting)[0] == "no evidence"
    assert answer("verified", waiting, fine, slower) == (
        "not met",
        "CHG-0200, regressed: Requests got 25% slower, and 1 change more is not there.",
    )


VERDICTS = ["", "improved", "regressed", "no_change", "inconclusive", "confounded", "invalid"]
CHANGES = st.builds(
    change,
    aim=st.sampled_from(["improve", "keep"]),
    attempt=st.integers(0, 2),
    is_given_up=st.booleans(),
    sealed_at=st.sampled_from([None, NOON - HOUR, NOON - 6 * DAY, NOON - 9 * DAY]),
    applied_at=st.sampled_from([None, NOON, NOON - 2 * HOUR]),
    verdict=st.sampled_from(VERDICTS),
    collected=st.none() | st.integers(0, 300),
)


@given(st.lists(CHANGES, max_size=4))
def test_a_release_is_ready_only_by_changes_that_did_what_was_meant(changes):
    facts = replace(READY, changes=tuple(changes))
    facts = with_choice("verified", with_choice("baseline", facts))

    if assess(facts, now=NOON).is_ready:
        assert changes
        for one in changes:
            assert one.attempt and one.sealed_at and not one.is_given_up
            assert one.verdict == "improved" or (one.aim, one.verdict) == ("keep", "no_change")


@given(st.lists(CHANGES, max_size=3), CHANGES)
def test_one_change_more_makes_no_gate_better_once_there_is_one(changes, more):
    order = ["not met", "no evidence", "out of date", "met"]
    for gate in ("baseline", "verified"):
        if changes:
            before, after = answer(gate, *changes)[0], answer(gate, *changes, more)[0]
            assert order.index(after) <= order.index(before)
