"""The whole: its precedence, overrides beside their gates, stops, and what is required at all."""

from dataclasses import replace
from datetime import timedelta

import pytest

from opsboard.releases.assessing import assess
from opsboard.releases.facts import Facts, ReleaseSeen, ServiceSeen
from opsboard.releases.rules import GATES, Need, Whole, readiness_json, whole_of
from tests.company import NOON
from tests.releases.ready import (
    COMMIT,
    DAY,
    HOUR,
    MOMENT,
    OTHER,
    READY,
    evidence,
    freeze,
    gate_of,
    override,
    with_choice,
    with_evidence,
    without,
)


def whole(facts: Facts, *, now=NOON) -> Whole:
    return assess(facts, now=now).whole


def blocked(facts: Facts) -> Facts:
    return with_evidence("lint", facts, outcome="failed")


def frozen(facts: Facts) -> Facts:
    return replace(facts, stops=(freeze(),))


def incomplete(facts: Facts) -> Facts:
    return without("unit", facts)


def out_of_date(facts: Facts) -> Facts:
    return with_evidence("integration", facts, started_at=NOON - 2 * DAY)


def overridden(facts: Facts) -> Facts:
    facts = with_evidence("config", facts, outcome="failed")
    return replace(facts, overrides=(override("config"),))


def ready(facts: Facts) -> Facts:
    return facts


IN_ORDER = [blocked, frozen, incomplete, out_of_date, overridden, ready]
WHOLES = dict(zip(IN_ORDER, Whole, strict=True))


def test_what_is_wanted_is_ready():
    found = assess(READY, now=NOON)
    assert found.is_ready
    assert (found.met, len(found.required)) == (8, 8)
    assert found.reasons == ()


@pytest.mark.parametrize("first", IN_ORDER)
@pytest.mark.parametrize("second", IN_ORDER)
def test_of_two_the_graver_word_is_the_whole(first, second):
    expected = min((first, second), key=IN_ORDER.index)
    assert whole(first(second(READY))) is WHOLES[expected]


def test_all_at_once_is_blocked():
    facts = READY
    for spoil in IN_ORDER:
        facts = spoil(facts)
    found = assess(facts, now=NOON)
    assert found.whole is Whole.BLOCKED
    words = ["not met", "not met", "no evidence", "out of date"]
    assert [str(one.word) for one in found.reasons] == words


# Overrides --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, Whole.OVERRIDDEN),
        ({"gates": ("unit",)}, Whole.BLOCKED),
        ({"ends_at": NOON + MOMENT}, Whole.OVERRIDDEN),
        ({"ends_at": NOON}, Whole.BLOCKED),
        ({"ends_at": NOON - MOMENT}, Whole.BLOCKED),
        ({"at": NOON}, Whole.OVERRIDDEN),
        ({"at": NOON + MOMENT}, Whole.BLOCKED),
        ({"covers_not_met": False, "accepted_by": ""}, Whole.BLOCKED),
        ({"is_alone": True, "accepted_by": ""}, Whole.OVERRIDDEN),
        ({"is_taken_back": True}, Whole.BLOCKED),
    ],
)
def test_an_override_covers_what_it_names_until_it_ends(fields, expected):
    facts = replace(blocked(READY), overrides=(override(**({"gates": ("lint",)} | fields)),))
    assert whole(facts) is expected


@pytest.mark.parametrize(
    ("spoil", "gate", "expected"),
    [
        (blocked, "lint", Whole.BLOCKED),
        (incomplete, "unit", Whole.OVERRIDDEN),
        (out_of_date, "integration", Whole.OVERRIDDEN),
    ],
)
def test_without_a_second_person_it_covers_nothing_that_is_not_met(spoil, gate, expected):
    one = override(gate, accepted_by="", covers_not_met=False)
    assert whole(replace(spoil(READY), overrides=(one,))) is expected


def test_an_overridden_gate_keeps_its_word():
    state = gate_of("config", overridden(READY))
    assert (state.word, state.is_met, state.blocks) == ("not met", False, False)
    assert state.override
    assert state.override.by == "Edith Moe"
    assert assess(overridden(READY), now=NOON).met == 7


def test_of_several_overrides_the_one_that_ends_last_is_shown():
    several = tuple(
        override("lint", override_id=number, ends_at=NOON + hours * HOUR)
        for number, hours in enumerate([1, 3, 2])
    )
    state = gate_of("lint", replace(blocked(READY), overrides=several))
    assert state.override
    assert state.override.override_id == 1


def test_a_gate_that_is_met_shows_no_override():
    assert gate_of("lint", replace(READY, overrides=(override("lint"),))).override is None
    assert whole(replace(READY, overrides=(override("lint"),))) is Whole.READY


THERE = {"tag": "v4", "object": OTHER}


@pytest.mark.parametrize(
    ("facts", "gate"),
    [
        (replace(READY, note=None), "note"),
        (with_evidence("tag", facts=THERE), "tag"),
        (with_evidence("tag", facts={"tag": "v5", "object": COMMIT}), "tag"),
        (
            replace(READY, evidence=(*READY.evidence, evidence(
                "tag", facts=THERE, started_at=NOON, evidence_id=9))),
            "tag",
        ),
    ],
)  # fmt: skip
def test_what_nobody_may_accept_is_never_overridden(facts, gate):
    facts = replace(facts, overrides=(override(gate, "rehearsal"),))
    assert gate_of(gate, facts).override is None
    assert whole(facts) not in (Whole.OVERRIDDEN, Whole.READY)


# Stops ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"since": NOON}, Whole.FROZEN),
        ({"since": NOON + MOMENT}, Whole.READY),
        ({"until": NOON + MOMENT}, Whole.FROZEN),
        ({"until": NOON}, Whole.READY),
        ({"until": NOON - MOMENT}, Whole.READY),
        ({"kind": "hold", "until": None}, Whole.FROZEN),
    ],
)
def test_a_stop_stands_from_its_beginning_until_its_end(fields, expected):
    found = assess(replace(READY, stops=(freeze(**fields),)), now=NOON)
    assert found.whole is expected
    assert bool(found.stops) is (expected is Whole.FROZEN)


def test_no_override_lifts_a_freeze():
    facts = replace(overridden(READY), stops=(freeze(),))
    assert whole(facts) is Whole.FROZEN


# What is required -------------------------------------------------------------------------------


def test_gates_stand_in_the_order_of_the_pages_and_what_cannot_apply_at_the_end():
    assert [one.gate for one in assess(READY, now=NOON).gates] == list(GATES)[:8]
    facts = with_choice("load-test", replace(READY, places={}), words="Load test")
    states = assess(facts, now=NOON).gates
    assert [one.gate for one in states] == [
        *("lint", "unit", "integration", "tag", "note", "rehearsal", "load-test"),
        *("config", "paths"),
    ]
    assert [one.need for one in states][-2:] == [Need.ABSENT, Need.ABSENT]


@pytest.mark.parametrize(
    ("fields", "need"),
    [({"has_config_keys": True}, Need.REQUIRED), ({"has_config_keys": False}, Need.ABSENT)],
)
def test_config_is_required_once_keys_are_declared(fields, need):
    facts = replace(READY, service=replace(READY.service, **fields))
    assert gate_of("config", facts).need is need
    assert gate_of("config", with_choice("config", facts)).need is need


@pytest.mark.parametrize("gate", ["lint", "unit", "integration", "config", "tag", "paths"])
def test_a_dropped_gate_is_not_spoken_of_and_an_advisory_one_never_blocks(gate):
    bare = replace(without(gate), paths=())
    dropped = with_choice(gate, with_choice("paths", bare, need="dropped"), need="dropped")
    assert gate not in [one.gate for one in assess(dropped, now=NOON).gates]
    assert whole(dropped) is Whole.READY
    advised = with_choice(gate, with_choice("paths", bare, need="dropped"), need="advisory")
    assert gate_of(gate, advised).word == "no evidence"
    assert whole(advised) is Whole.READY


def test_a_gate_of_their_own_that_was_dropped_is_gone():
    facts = with_choice("load-test", words="Load test", need="dropped")
    assert whole(facts) is Whole.READY


def test_nothing_known_is_not_ready():
    bare = Facts(
        release=ReleaseSeen(version="1", commit=COMMIT),
        service=ServiceSeen(slug="fares-api", tier=3, team="Pricing"),
    )
    assert whole(bare) is Whole.BLOCKED
    everything = bare
    for gate in GATES:
        everything = with_choice(gate, everything, need="dropped")
    assert whole(everything) is Whole.BLOCKED


def test_without_a_required_gate_nothing_was_shown():
    assert whole_of([], []) is Whole.INCOMPLETE
    assert whole_of([], [freeze()]) is Whole.FROZEN


def test_the_written_form_says_everything():
    found = readiness_json(assess(frozen(overridden(READY)), now=NOON))
    assert found["whole"] == "frozen"
    config = found["gates"][3]
    assert (config["gate"], config["word"]) == ("config", "not met")
    assert config["override"]["by"] == "Edith Moe"
    assert found["stops"][0]["until"] == (NOON + HOUR).isoformat()
    note = found["gates"][6]
    assert note["runs_out_at"] == (NOON + timedelta(days=29)).isoformat()
