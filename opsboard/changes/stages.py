"""Where a change stands with its newest attempt, from its declaration to its verdict."""

from enum import StrEnum

from opsboard.changes.models import Change, Comparison, Window


class Stage(StrEnum):
    DECLARED = "declared"
    BASELINE = "baseline"
    SEALED = "sealed"
    COLLECTING = "collecting"
    JUDGING = "judging"
    JUDGED = "judged"
    GIVEN_UP = "given_up"
    WITHDRAWN = "withdrawn"

    @property
    def words(self) -> str:
        return _WORDS[self]


_WORDS = {
    Stage.DECLARED: "declared",
    Stage.BASELINE: "collecting before",
    Stage.SEALED: "baseline sealed",
    Stage.COLLECTING: "collecting after",
    Stage.JUDGING: "being judged",
    Stage.JUDGED: "judged",
    Stage.GIVEN_UP: "given up",
    Stage.WITHDRAWN: "withdrawn",
}


def stage_of(change: Change, comparison: Comparison | None) -> Stage:
    """Reads the windows of the comparison: prefetch them."""
    if comparison is None:
        return Stage.WITHDRAWN if change.withdrawn_at else Stage.DECLARED
    if comparison.judged_at:
        return Stage.JUDGED
    if change.withdrawn_at:
        return Stage.WITHDRAWN
    if comparison.given_up_at:
        return Stage.GIVEN_UP
    windows = {window.side: window for window in comparison.windows.all()}
    after, before = windows.get(Window.Side.AFTER), windows.get(Window.Side.BEFORE)
    if after is not None:
        return Stage.JUDGING if after.sealed_at else Stage.COLLECTING
    return Stage.SEALED if before and before.sealed_at else Stage.BASELINE
