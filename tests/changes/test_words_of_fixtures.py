"""The words of samples with known answers: from the file to the two sentences."""

import pytest

from opsboard.changes.words import About, say
from tests.changes.test_compare_fixtures import EXPECTED, judged

SENTENCES = {
    "F1_null": (
        "It cannot be said whether requests for Price a crossing got faster or slower: a typical "
        "cache miss took 167 ms before and 182 ms after, and a typical cache hit 19 ms before and "
        "20 ms after.",
        "It could be anything from 2% faster to 17% slower, so it may be nothing, or more than the "
        "margin of 10%.",
    ),
    "F2_lucky_hit": (
        "The average request for Price a crossing got 46% faster, from 135 ms to 73 ms, but not "
        "because of this change: after it 74% of requests hit the cache, up from 33%.",
        "On cache misses alone, nothing is certain to have moved: 168 ms before, 184 ms after; the "
        "difference could be anything from 28 ms faster to 83 ms slower.",
    ),
    "F3_real_fix": (
        "Requests for Price a crossing got 34% faster: a typical cache miss took 183 ms before and "
        "128 ms after, and a typical cache hit 21 ms before and 14 ms after.",
        "Hits are compared with hits and misses with misses, so luck with the cache has no part in "
        "it, and the true figure could be anything from 28% to 39% faster.",
    ),
    "F5_all_hits_after": (
        "The average request for Price a crossing got 85% faster, from 148 ms to 22 ms, but the "
        "cache had its part in that: after it 100% of requests hit the cache, up from 28%.",
        "There were 217 cache misses before and 0 after, and without 20 on both sides what the "
        "change did cannot be said.",
    ),
    "F7_fast_fail": (
        "More answers were wrong after the change: 0 of 300 answers were wrong before, and 45 of "
        "300 (15%) after.",
        "The rise could be anything from 11.2 to 19.5 percentage points; how fast the others came "
        "does not count then, because a wrong answer is often quick.",
    ),
    "F8_two_variables": (
        "Two things changed between the two sides: the query and the cache.",
        "Whichever way the figures moved, it cannot be said which of them did it, so there is no "
        "verdict on any.",
    ),
    "F9_too_small": (
        "There are not enough samples to say anything: 40 before and 40 after.",
        "A verdict needs 60 on each side, because with fewer, luck looks like an effect.",
    ),
    "F11_null_large": (
        "Requests for Price a crossing take as long as before: a typical cache miss took 178 ms "
        "before and 177 ms after, and a typical cache hit 20 ms before and 20 ms after.",
        "The difference could be anything from 6% faster to 5% slower, which is all within the 10% "
        "that was set as no difference.",
    ),
}


def test_every_fixture_has_its_words():
    assert SENTENCES.keys() == EXPECTED.keys()


@pytest.mark.parametrize("name", SENTENCES)
def test_a_fixture_is_said_in_two_sentences(name):
    about = About(path="Price a crossing", variables=tuple(EXPECTED[name]["changed"]))

    assert say(judged(name), about).sentences == SENTENCES[name]


def test_a_real_fix_tells_the_database_calls_that_it_saves():
    assert (
        "A cache miss made 12 database calls before and 3 after."
        in say(judged("F3_real_fix"), About()).reasons
    )
