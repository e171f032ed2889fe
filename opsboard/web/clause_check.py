"""Whether each clause of an expected result can be read: told while it is being typed."""

from dataclasses import dataclass

from opsboard.expectations.clauses import Clause
from opsboard.expectations.grammar import MOST_CLAUSES, ClauseErrors, parse
from opsboard.expectations.windows import check_window
from opsboard.services.models import CriticalPath
from opsboard.services.sheets import Sheet, wrong_line
from opsboard.services.steps import Step, check_windows

LONGEST = 50_000
_SOME = (Step(name="One", route="/", headers=[], query=[], form=[], take={}),)
# Longer lines are shown cut: what is wrong with them is told by its column.
LINE_SHOWN = 120


@dataclass(frozen=True, slots=True)
class CheckedLine:
    text: str
    # What is wrong, with its place; "": the clause can be read.
    error: str

    @property
    def state(self) -> str:
        return "failing" if self.error else "passing"


def check_clauses(
    text: str,
    interval: int | None = None,
    *,
    kind: str = "http",
    is_of_step: bool = False,
    has_steps: bool = False,
) -> list[CheckedLine]:
    """One for each clause of `text`, in order, at most MOST_CLAUSES.

    `interval` in microseconds; None: the usual one. Windows are held against it, and facts against
    `kind`. `is_of_step`: the text is of one step; `has_steps`: it is of a path that has some.
    """
    whole = Sheet(kind=kind, steps=_SOME if has_steps else ())
    if len(text) > LONGEST:
        return [CheckedLine("", f"At most {LONGEST:,} characters go here.")]
    lines = text.replace("\r\n", "\n").split("\n")
    errors = _errors("\n".join(lines))
    checked = []
    for number, line in enumerate(lines, start=1):
        stripped = line.strip()
        if stripped and not stripped.startswith("#"):
            wrong = errors.get(number) or _window_error(line, interval)
            wrong = wrong or (_step_error(line) if is_of_step else wrong_line(whole, line))
            checked.append(CheckedLine(stripped[:LINE_SHOWN], wrong))
        if len(checked) == MOST_CLAUSES:
            break
    return checked


def _read(text: str) -> tuple[Clause, ...]:
    # Past the cache: what is half typed is never read again.
    return parse.__wrapped__(text)


def _errors(text: str) -> dict[int, str]:
    try:
        _read(text)
    except ClauseErrors as wrong:
        return {one.line: f"Column {one.column}: {one.message}" for one in wrong.errors}
    return {}


def _step_error(line: str) -> str:
    return next((problem.sentence for problem in check_windows([line])), "")


def _window_error(line: str, interval: int | None) -> str:
    try:
        clauses = _read(line)
    except ClauseErrors:
        # Said above, for the line in its place; a text of too many errors is not read to its end.
        return "It is not looked at before the lines above can be read."
    wrong = (
        check_window(one, interval or CriticalPath().interval) for one in clauses if one.window
    )
    return next(filter(None, wrong), "")
