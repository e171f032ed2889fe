"""A plan of apply as text for a terminal."""

from collections.abc import Iterator

from opsboard.board.applying import told
from opsboard.board.changing import Prepared
from opsboard.board.plan_words import forgotten, staying, summary
from opsboard.board.planning import Act, Change, Plan
from opsboard.board.showing import change_lines
from opsboard.board.things import VARIABLE, words

_SIGNS = {Act.ADDED: "+", Act.CHANGED: "~", Act.RESTORED: "^", Act.REMOVED: "-"}


def plan_text(prepared: Prepared) -> str:
    return "\n".join(_lines(prepared))


def _lines(prepared: Prepared) -> Iterator[str]:
    for warning in prepared.checked.warnings:
        yield f"warning: {warning}"
    for change in prepared.plan.changes:
        yield from _change_lines(change, prepared.plan)
    yield from forgotten(prepared)
    if stays := staying(prepared.plan):
        yield stays
    yield summary(prepared)


def _change_lines(change: Change, plan: Plan) -> Iterator[str]:
    brought = ", brought back" if change.act is Act.RESTORED else ""
    yield f"{_SIGNS[change.act]} {words(change.thing)}{brought}"
    if change.act is Act.REMOVED:
        if change.thing[0] == VARIABLE:
            yield "    its value cannot be brought back"
        return
    before, after = told(change, plan)
    if change.act is Act.ADDED:
        return
    for line in change_lines(before, after):
        yield f"    {line}"
