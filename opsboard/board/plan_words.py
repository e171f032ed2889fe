"""A plan in a sentence or two, for a terminal and for a page alike."""

from opsboard.board.changing import Prepared
from opsboard.board.planning import Act, Plan, counted
from opsboard.board.things import words

_MOST_STAYING = 20


def summary(prepared: Prepared) -> str:
    if prepared.is_empty:
        return "Nothing changes."
    parts = [
        f"{len(changes):,} {said}"
        for act, said in (
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


def staying(plan: Plan) -> str:
    """What no file declares and stays; "": there is nothing like that."""
    if not plan.staying:
        return ""
    few = len(plan.staying) <= _MOST_STAYING
    names = f": {', '.join(words(thing) for thing in plan.staying)}" if few else ""
    is_one = len(plan.staying) == 1
    return (
        f"{counted(plan.staying)} on the board {'is' if is_one else 'are'} in no file, and "
        f"{'stays' if is_one else 'stay'}{names}."
    )


def forgotten(prepared: Prepared) -> list[str]:
    return [
        f"{mark.kind} {mark.slug} is not declared by {mark.file} any more."
        for mark in prepared.marks.gone
    ]
