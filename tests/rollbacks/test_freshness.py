"""How long a look at a rollback note lasts: 90 days, and 30 for a tier 1 service."""

from datetime import timedelta

import pytest

from opsboard.rollbacks.rules import Ages, Freshness, fresh_until, freshness
from tests.company import NOON

AGES = Ages()
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("tier", "age", "expected"),
    [
        (1, 0 * DAY, Freshness.FRESH),
        (1, 16 * DAY - SECOND, Freshness.FRESH),
        (1, 16 * DAY, Freshness.RUNS_OUT_SOON),
        (1, 30 * DAY - SECOND, Freshness.RUNS_OUT_SOON),
        (1, 30 * DAY, Freshness.OUT_OF_DATE),
        (2, 30 * DAY, Freshness.FRESH),
        (2, 76 * DAY, Freshness.RUNS_OUT_SOON),
        (2, 90 * DAY - SECOND, Freshness.RUNS_OUT_SOON),
        (2, 90 * DAY, Freshness.OUT_OF_DATE),
        (3, 89 * DAY, Freshness.RUNS_OUT_SOON),
        (3, 400 * DAY, Freshness.OUT_OF_DATE),
        # A clock that was set back does not make a note old.
        (1, -2 * DAY, Freshness.FRESH),
    ],
)
def test_a_check_lasts_by_the_tier_of_the_service(tier, age, expected):
    until = fresh_until(NOON - age, tier=tier, ages=AGES)
    assert freshness(until, now=NOON) is expected


@pytest.mark.parametrize("tier", [1, 2, 3])
def test_a_note_that_nobody_reviewed_is_never_fresh(tier):
    until = fresh_until(None, tier=tier, ages=AGES)
    assert until is None
    assert freshness(until, now=NOON) is Freshness.NOT_REVIEWED


def test_the_ages_can_be_seconds():
    ages = Ages(tier_1=2 * SECOND, others=5 * SECOND)
    assert fresh_until(NOON, tier=1, ages=ages) == NOON + 2 * SECOND
    assert fresh_until(NOON, tier=2, ages=ages) == NOON + 5 * SECOND
