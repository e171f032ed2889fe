"""A plan of apply as text for a terminal."""

from collections.abc import Iterator

from opsboard.board.applying import told
from opsboard.board.changing import Prepared
from opsboard.board.planning import Act, Change, Plan, counted
from opsboard.board.showing import change_lines
from opsboard.board.things import VARIABLE, words

_SIGNS = {Act.ADDED: "+", Act.CHANGED: "~", Act.RESTORED: "^", Act.REMOVED: "-"}
_MOST_STAYING = 20


def plan_text(prepared: Prepared) -> str:
    return "\n".join(_lines(prepared))


def _lines(prepared: Prepared) -> Iterator[str]:
    for warning in prepared.checked.warnings:
        yield f"warning: {warning}"
    for change in prepared.plan.changes:
        yield from _change_lines(change, prepared.plan)
    for mark in prepared.marks.gone:
        yield f"{mark.kind} {mark.slug} is not declared by {mark.file} any more."
    yield from _staying(prepared.plan)
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


def _staying(plan: Plan) -> Iterator[str]:
    if not plan.staying:
        return
    few = len(plan.staying) <= _MOST_STAYING
    names = f": {', '.join(words(thing) for thing in plan.staying)}" if few else ""
    is_one = len(plan.staying) == 1
    yield (
        f"{counted(plan.staying)} on the board {'is' if is_one else 'are'} in no file, and "
        f"{'stays' if is_one else 'stay'}{names}."
    )


def summary(prepared: Prepared) -> str:
    if prepared.is_empty:
        return "Nothing changes."
    parts = [
        f"{len(changes):,} {words}"
        for act, words in (
            (Act.ADDED, "to add"),
            (Act.CHANGED, "to change"),
            (Act.RESTORED, "to bring back"),
            (Act.REMOVED, "to remove"),
        )
        if (changes := prepared.plan.having(act))
    ]
    if not parts:
        return "The board stays as it is; which file declares what is written down."
    return f"Plan: {', '.join(parts)}."
