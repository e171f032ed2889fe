"""Paths green on staging: by what was observed while it told this commit, and for long enough."""

from dataclasses import replace
from datetime import timedelta

import pytest

from opsboard.releases.rules import Need
from tests.company import NOON
from tests.releases.ready import (
    COMMIT,
    DAY,
    HOUR,
    MINUTE,
    MOMENT,
    OTHER,
    READY,
    answer,
    gate_of,
    path,
    with_paths,
    with_staging,
)

TEN = 10 * MINUTE
SILENT = timedelta(seconds=60)


@pytest.mark.parametrize(
    ("fields", "word", "phrase"),
    [
        ({"commit": COMMIT}, "met", "1 of 1 path has passed on staging since 11:40, on this"),
        ({"commit": COMMIT[:7]}, "met", ""),
        ({"commit": OTHER}, "no evidence", "staging runs 1a2b3c400000, not 9f3c1ab00000: deploy"),
        ({"commit": ""}, "no evidence", "Which commit runs on staging is unknown: give it"),
        ({"told_at": NOON - 5 * MINUTE + MOMENT}, "met", ""),
        (
            {"told_at": NOON - 5 * MINUTE},
            "no evidence",
            "is unknown: its version address told last 11:55.",
        ),
        ({"told_at": NOON - 5 * MINUTE - MOMENT}, "no evidence", "is unknown"),
        ({"told_at": NOON - 9 * DAY}, "no evidence", "told last 14 Nov 12:00."),
        ({"told_at": NOON - 9 * DAY, "is_announced": True}, "met", ""),
    ],
)
def test_it_counts_only_while_staging_runs_the_commit(fields, word, phrase):
    found, reason = answer("paths", with_staging(**fields))
    assert found == word
    assert phrase in reason


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        # Green, and observed on this commit, for ten minutes.
        ({"first_seen_at": NOON - TEN}, "met"),
        ({"first_seen_at": NOON - TEN - MOMENT}, "met"),
        ({"first_seen_at": NOON - TEN + MOMENT}, "no evidence"),
        ({"since": NOON - TEN}, "met"),
        ({"since": NOON - TEN + MOMENT}, "no evidence"),
        # Green for a week, and never asked since the commit began to run.
        ({"since": NOON - 7 * DAY, "first_seen_at": None}, "no evidence"),
        # Two intervals without an observation.
        ({"observed_at": NOON - SILENT + MOMENT}, "met"),
        ({"observed_at": NOON - SILENT}, "out of date"),
        ({"observed_at": NOON - SILENT - MOMENT}, "out of date"),
        ({"observed_at": None, "first_seen_at": None}, "no evidence"),
        ({"state": "warning"}, "met"),
        ({"state": "failing"}, "not met"),
        ({"state": "failing", "observed_at": NOON - HOUR}, "not met"),
        # It failed on the commit before, and was not asked on this one.
        ({"state": "failing", "first_seen_at": None}, "no evidence"),
        ({"state": "no_data"}, "no evidence"),
        ({"is_paused": True}, "no evidence"),
    ],
)
def test_each_path_has_to_be_green_and_heard(fields, word):
    assert answer("paths", with_paths(path(**fields)))[0] == word
    assert answer("paths", with_paths(path(), path("Hold a fare", **fields)))[0] == word


def test_while_a_path_is_silent_its_green_time_does_not_grow():
    short = path(first_seen_at=NOON - TEN, observed_at=NOON - 2 * MINUTE)
    assert answer("paths", with_paths(short))[0] == "no evidence"
    assert answer("paths", with_paths(short), now=NOON + 4 * MINUTE)[0] == "no evidence"


WORDS = {
    "not met": path("A", state="failing"),
    "no evidence": path("B", first_seen_at=None),
    "no evidence: too short": path("B", since=NOON - MINUTE),
    "out of date": path("C", observed_at=NOON - HOUR, since=NOON - 2 * HOUR,
                        first_seen_at=NOON - 2 * HOUR),
    "met": path("D"),
}  # fmt: skip
ORDER = ["not met", "no evidence", "no evidence: too short", "out of date", "met"]


@pytest.mark.parametrize("worse", ORDER)
@pytest.mark.parametrize("better", ORDER)
def test_the_worst_path_decides(worse, better):
    if ORDER.index(worse) <= ORDER.index(better):
        for paths in ((WORDS[worse], WORDS[better]), (WORDS[better], WORDS[worse])):
            assert answer("paths", with_paths(*paths))[0] == worse.partition(":")[0]


def test_a_failing_path_is_named_with_its_reason():
    why = "status is 503, expected 200."
    failing = path("Hold a fare", state="failing", reason=why, since=NOON - 3 * MINUTE)
    state = gate_of("paths", with_paths(path(), failing))
    assert state.reason == ("Hold a fare is failing since 11:57: status is 503, expected 200.")
    assert (state.since, state.who, state.source) == (NOON - 3 * MINUTE, "Pricing", "probes")


def test_a_warning_does_not_block_and_is_named():
    state = gate_of("paths", with_paths(path(), path("Hold a fare", state="warning")))
    assert state.reason == (
        "2 of 2 paths have passed on staging since 11:40, on this commit. "
        "With a warning: Hold a fare."
    )


def test_green_for_too_short_says_since_when_and_how_long_is_needed():
    state = gate_of("paths", with_paths(path(), path("B", since=NOON - 3 * MINUTE)))
    assert state.reason == ("2 of 2 paths have passed on staging since 11:57; 10 min are needed.")


def test_many_silent_paths_are_counted():
    silent = [path(f"Path {one}", observed_at=NOON - HOUR, since=NOON - DAY,
                   first_seen_at=NOON - DAY) for one in range(6)]  # fmt: skip
    reason = answer("paths", with_paths(*silent))[1]
    assert reason == ("Path 0, Path 1, Path 2 and 3 more have not been observed for 2 intervals.")


def test_without_a_path_on_staging_there_is_no_evidence():
    assert answer("paths", with_paths())[0] == "no evidence"


def test_without_staging_the_gate_is_absent_and_says_so():
    state = gate_of("paths", replace(READY, places={}))
    assert state.need is Need.ABSENT
    assert state.reason == "There is no staging environment of fares-api, so this cannot apply."
    assert not state.blocks


def test_how_long_is_needed_is_a_setting():
    ages = replace(READY.ages, green_for=timedelta(seconds=2))
    young = path(since=NOON - timedelta(seconds=2))
    assert answer("paths", replace(with_paths(young), ages=ages))[0] == "met"
    younger = path(since=NOON - timedelta(seconds=2) + MOMENT)
    word, reason = answer("paths", replace(with_paths(younger), ages=ages))
    assert (word, reason.endswith("; 2 s are needed.")) == ("no evidence", True)
