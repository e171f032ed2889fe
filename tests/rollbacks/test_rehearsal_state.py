"""What a rehearsal is worth: bound to the steps and to the release's migrations, not for ever."""

from datetime import datetime, timedelta

import pytest

from opsboard.rollbacks.rules import (
    RehearsalSeen,
    RehearsalState,
    Rehearsed,
    rehearsal_state,
    steps_digest,
)
from tests.company import NOON

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
LASTS = 90 * DAY


def gone(
    at: datetime = NOON - DAY,
    *migrations: str,
    digest: str = "same",
    worked: bool = True,
    number: int = 1,
) -> RehearsalSeen:
    return RehearsalSeen(
        rehearsal_id=number,
        at=at,
        steps_digest=digest,
        migrations=tuple(migrations),
        worked=worked,
    )


def judged(*rehearsals: RehearsalSeen, migrations: tuple[str, ...] = ()) -> RehearsalState:
    return rehearsal_state(rehearsals, digest="same", migrations=migrations, lasts=LASTS, now=NOON)


OLD, NEW = NOON - 5 * DAY, NOON - DAY


@pytest.mark.parametrize(
    ("rehearsals", "migrations", "expected"),
    [
        pytest.param([], (), Rehearsed.NEVER, id="nobody went"),
        pytest.param([gone()], (), Rehearsed.FRESH, id="it worked"),
        pytest.param([gone(worked=False)], (), Rehearsed.FAILED, id="a step failed"),
        pytest.param([gone(digest="other")], (), Rehearsed.STEPS_CHANGED, id="other steps"),
        pytest.param(
            [gone(OLD), gone(NEW, worked=False)], (), Rehearsed.FAILED, id="worked, then failed"
        ),
        pytest.param(
            [gone(OLD, worked=False), gone(NEW)], (), Rehearsed.FRESH, id="failed, then worked"
        ),
        pytest.param(
            [gone(OLD), gone(NEW, digest="other", worked=False)],
            (),
            Rehearsed.FRESH,
            id="steps restored after other steps failed",
        ),
        pytest.param([gone()], ("0148",), Rehearsed.NEW_MIGRATIONS, id="migrations not gone"),
        pytest.param([gone(NEW, "0148")], ("0148",), Rehearsed.FRESH, id="migrations gone"),
        pytest.param([gone(NEW, "0148")], (), Rehearsed.FRESH, id="no migrations to go back over"),
        pytest.param(
            [gone(NEW, "0148")], ("0148", "0149"), Rehearsed.NEW_MIGRATIONS, id="one more"
        ),
        pytest.param(
            [gone(OLD, "0148"), gone(NEW)], ("0148",), Rehearsed.FRESH, id="an older one covers"
        ),
        pytest.param(
            [gone(NOON - 9 * DAY, "0148"), gone(OLD, worked=False), gone(NEW)],
            ("0148",),
            Rehearsed.NEW_MIGRATIONS,
            id="the one that covers was taken back by a failure",
        ),
        pytest.param([gone(NOON - LASTS)], (), Rehearsed.TOO_OLD, id="at the moment it runs out"),
        pytest.param([gone(NOON - LASTS + SECOND)], (), Rehearsed.FRESH, id="a second before"),
        pytest.param(
            [gone(NOON - LASTS, "0148"), gone(NEW)], ("0148",), Rehearsed.TOO_OLD, id="covers, old"
        ),
        pytest.param(
            [gone(NOON - LASTS, worked=False)], (), Rehearsed.FAILED, id="failed long ago"
        ),
    ],
)
def test_a_rehearsal_is_bound_to_steps_migrations_and_time(
    rehearsals: list[RehearsalSeen], migrations: tuple[str, ...], expected: Rehearsed
) -> None:
    assert judged(*rehearsals, migrations=migrations).word is expected
    assert judged(*reversed(rehearsals), migrations=migrations).word is expected


def test_it_says_which_migrations_are_new_and_when_it_runs_out() -> None:
    state = judged(gone(NEW, "0148"), migrations=("0148", "0149"))
    assert state.new_migrations == ("0149",)
    assert judged(gone(NEW)).until == NEW + LASTS


@pytest.mark.parametrize(
    ("left", "soon"), [(14 * DAY, True), (14 * DAY + SECOND, False), (SECOND, True)]
)
def test_it_runs_out_soon_within_14_days(left: timedelta, soon: bool) -> None:
    assert judged(gone(NOON - LASTS + left)).runs_out_soon(now=NOON) is soon


def test_only_what_is_done_and_run_binds_a_rehearsal() -> None:
    step = {"do": "Hold", "run": "ferryctl hold", "see": "held", "call": "Mirela"}
    digest = steps_digest([step])
    assert steps_digest([step | {"see": "other", "call": ""}]) == digest
    assert steps_digest([step | {"run": "other"}]) != digest
    assert steps_digest([step | {"do": "other"}]) != digest
