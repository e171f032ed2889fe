"""Whatever is missing never makes a release ready, and whatever is bad never makes it better."""

from collections.abc import Callable
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from opsboard.releases.assessing import assess
from opsboard.releases.facts import Facts
from opsboard.releases.rules import GATES, Need, Whole
from tests.company import NOON
from tests.releases.ready import (
    DAY,
    HOUR,
    MINUTE,
    OTHER,
    READY,
    change,
    evidence,
    freeze,
    override,
    path,
    rehearsal,
    with_choice,
    with_evidence,
    without,
)

type Change = Callable[[Facts], Facts]
GIVEN = ["lint", "unit", "integration", "config", "tag"]
ORDER = list(Whole)


def _service(**fields: object) -> Change:
    return lambda facts: replace(facts, service=replace(facts.service, **fields))


def _staging(**fields: object) -> Change:
    def change(facts: Facts) -> Facts:
        return replace(facts, places={"staging": replace(facts.places["staging"], **fields)})

    return change


def _note(**fields: object) -> Change:
    def change(facts: Facts) -> Facts:
        return replace(facts, note=replace(facts.note, **fields)) if facts.note else facts

    return change


def _without(gate: str) -> Change:
    return lambda facts: without(gate, facts)


def _newer(gate: str, **fields: object) -> Change:
    def change(facts: Facts) -> Facts:
        newest = max((one.started_at for one in facts.evidence), default=NOON)
        row = evidence(gate, evidence_id=99, started_at=newest + MINUTE, **fields)
        return replace(facts, evidence=(*facts.evidence, row))

    return change


def _measured(**fields: object) -> Change:
    """Both gates of changes are wanted, and the only change is like this."""
    return lambda facts: _wanted(replace(facts, changes=(change(**fields),)))


def _wanted(facts: Facts) -> Facts:
    return with_choice("verified", with_choice("baseline", facts))


# What takes a fact away.
MISSING: list[Change] = [
    *(_without(gate) for gate in GIVEN),
    _staging(commit=""),
    _staging(told_at=None),
    _staging(told_at=NOON - HOUR),
    lambda facts: replace(facts, paths=()),
    lambda facts: replace(facts, paths=(path(first_seen_at=None),)),
    lambda facts: replace(facts, paths=(path(observed_at=None, first_seen_at=None),)),
    lambda facts: replace(facts, note=None),
    _note(checked_at=None),
    lambda facts: replace(facts, rehearsals=()),
    lambda facts: _wanted(replace(facts, changes=())),
    _measured(attempt=0),
    _measured(is_given_up=True),
    _measured(sealed_at=None),
    _measured(verdict=""),
    *(lambda facts, gate=gate: with_evidence(gate, facts, outcome="running") for gate in GIVEN),
    *(lambda facts, gate=gate: with_evidence(gate, facts, counts={}) for gate in GIVEN[1:3]),
]
# What is bad, and does not take the place of something worse.
BAD: list[Change] = [
    *(_newer(gate, outcome="failed") for gate in GIVEN),
    *(_newer(gate, outcome="skipped") for gate in GIVEN),
    lambda facts: replace(facts, paths=(*facts.paths, path("F", state="failing"))),
    lambda facts: replace(facts, paths=(*facts.paths, path("N", first_seen_at=None))),
    lambda facts: replace(facts, paths=(*facts.paths, path("Y", since=NOON - MINUTE))),
    lambda facts: replace(
        facts,
        paths=(*facts.paths, path("S", observed_at=NOON - HOUR, since=NOON - DAY,
                                  first_seen_at=NOON - DAY)),
    ),
    lambda facts: replace(facts, paths=(*facts.paths, path("P", is_paused=True))),
    lambda facts: replace(facts, note=None),
    lambda facts: replace(
        facts,
        rehearsals=(*facts.rehearsals, rehearsal(worked=False, at=NOON, rehearsal_id=9)),
    ),
    lambda facts: replace(facts, stops=(*facts.stops, freeze())),
    lambda facts: replace(facts, overrides=()),
    lambda facts: _wanted(replace(facts, changes=(*facts.changes, change(verdict="regressed")))),
    lambda facts: _wanted(replace(facts, changes=(*facts.changes, change(attempt=0)))),
    lambda facts: _wanted(facts),
    lambda facts: with_choice("owner", facts),
    lambda facts: with_choice("load-test", facts, words="Load test"),
]  # fmt: skip
# What may be so besides: not all of it bad.
ANY: list[Change] = [
    *MISSING,
    *BAD,
    _measured(),
    _measured(verdict="no_change"),
    _measured(verdict="no_change", aim="keep"),
    _staging(commit=OTHER),
    _staging(config_root="r2"),
    _staging(config_root=""),
    _service(tier=3),
    _service(has_config_keys=False),
    lambda facts: replace(facts, overrides=(override(*GATES),)),
    lambda facts: replace(facts, overrides=(override(*GATES, covers_not_met=False),)),
    lambda facts: with_choice("lint", facts, need="advisory"),
    lambda facts: with_choice("paths", facts, need="dropped"),
    lambda facts: with_choice("rehearsal", facts, need="advisory"),
    *(lambda facts, gate=gate: with_evidence(gate, facts, commit=OTHER) for gate in GIVEN),
    *(lambda facts, gate=gate: with_evidence(gate, facts, outcome="error") for gate in GIVEN),
    lambda facts: with_evidence("integration", facts, started_at=NOON - 9 * DAY),
]


def changed(facts: Facts, changes: list[Change]) -> Facts:
    for one in changes:
        facts = one(facts)
    return facts


@given(st.lists(st.sampled_from(MISSING), min_size=1, max_size=6))
def test_with_anything_missing_it_is_never_ready(changes):
    found = assess(changed(READY, changes), now=NOON)
    assert found.whole not in (Whole.READY, Whole.OVERRIDDEN)


@given(st.lists(st.sampled_from(ANY), max_size=8), st.sampled_from(BAD))
def test_something_bad_more_never_makes_the_whole_better(changes, bad):
    facts = changed(READY, changes)
    before, after = (assess(one, now=NOON).whole for one in (facts, bad(facts)))
    assert ORDER.index(after) <= ORDER.index(before)


@given(st.lists(st.sampled_from(ANY), max_size=8))
def test_ready_means_that_every_required_gate_is_met_and_nothing_stops_it(changes):
    found = assess(changed(READY, changes), now=NOON)
    is_met = all(one.is_met for one in found.gates if one.need is Need.REQUIRED)
    assert found.is_ready is (is_met and not found.stops)
    assert "note" in [one.gate for one in found.required]


@given(st.lists(st.sampled_from(ANY), max_size=6), st.integers(0, 200))
def test_time_alone_makes_nothing_ready_that_had_no_paths_on_the_way(changes, days):
    """Nothing but the ten minutes of green paths gets better by waiting."""
    facts = changed(READY, changes)
    before = assess(facts, now=NOON)
    after = assess(replace(facts, overrides=(), stops=()), now=NOON + days * DAY)
    if {one.gate for one in before.reasons} - {"paths"}:
        assert not after.is_ready
