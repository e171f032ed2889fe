"""Steps of a form added, moved and taken out by its buttons: what was typed is kept, not judged."""

import re
from typing import Any

from opsboard.expectations.grammar import ClauseErrors, parse
from opsboard.services.kinds import KINDS
from opsboard.web.forms.path_kinds import EXPECTED, OF_REQUEST
from opsboard.web.forms.steps import PREFIX, StepForm, StepFormSet, StepRows

_ACT = re.compile(r"(add|remove|up|down)-step(?:-([0-9]{1,3}))?|kind-([a-z]{3,9})")
_NAMES = tuple(StepForm.base_fields)

type Typed = dict[str, Any]


def is_an_act(act: str) -> bool:
    return bool(_ACT.fullmatch(act))


def after(act: str, data: Any) -> tuple[Any, StepRows]:
    """The form's data and its steps after a button was pressed. `data` is copied."""
    found = _ACT.fullmatch(act)
    changed, steps = data.copy(), _typed(data)
    if found and found[3] in KINDS:
        # The rows stay among what was sent, to be there when the kind is changed back.
        usual = EXPECTED.get(changed.get("kind") or "http")
        if changed.get("expected_result", "").strip() == usual:
            changed["expected_result"] = EXPECTED[found[3]]
        changed["kind"] = found[3]
        return changed, _rows(steps)
    if found and found[1] == "add":
        steps = [*(steps or [_first(changed)]), {}]
    elif found and found[2] and int(found[2]) < len(steps):
        at = int(found[2])
        if found[1] == "remove":
            gone = steps.pop(at)
            if not steps:
                _only(changed, gone)
        else:
            to = max(0, min(len(steps) - 1, at + (1 if found[1] == "down" else -1)))
            steps.insert(to, steps.pop(at))
    for name in [name for name in changed if name.startswith(f"{PREFIX}-")]:
        del changed[name]
    return changed, _rows(steps)


def _typed(data: Any) -> list[Typed]:
    total = str(data.get(f"{PREFIX}-TOTAL_FORMS", ""))
    count = min(int(total), 200) if total.isascii() and total.isdigit() else 0
    return [{name: data.get(f"{PREFIX}-{n}-{name}", "") for name in _NAMES} for n in range(count)]


def _rows(steps: list[Typed]) -> StepRows:
    rows: StepRows = StepFormSet(prefix=PREFIX, initial=steps)
    return rows


def _first(data: Any) -> Typed:
    """The one request of the form as the first step, and its clauses with it."""
    step: Typed = {name: data.get(name, "") for name in OF_REQUEST}
    for name in OF_REQUEST:
        data[name] = ""
    lines = str(data.get("expected_result", "")).replace("\r\n", "\n").split("\n")
    of_step = [line for line in lines if not _is_of_whole(line)]
    data["expected_result"] = "\n".join(line for line in lines if _is_of_whole(line))
    return step | {"expect": "\n".join(of_step)}


def _is_of_whole(line: str) -> bool:
    try:
        clauses = parse(line)
    except ClauseErrors:
        return False
    return any(clause.window for clause in clauses)


def _only(data: Any, step: Typed) -> None:
    """The last step that is taken out is the one request of the form again."""
    for name in OF_REQUEST:
        data[name] = step[name]
    lines = [step["expect"], str(data.get("expected_result", ""))]
    data["expected_result"] = "\n".join(line for line in lines if line.strip())
