"""Values and plans as people read them. Pure."""

import difflib
from collections.abc import Iterator
from typing import Any

from opsboard.expectations.units import exact_duration
from opsboard.releases.choosing import choice_lines
from opsboard.services import config_keys
from opsboard.services.saying import connection_lines, heartbeat_lines, labelled, step_lines
from opsboard.services.steps import Step

LONGEST_SHOWN = 200
_DURATIONS = frozenset({"interval", "timeout"})
_PAIRS = frozenset({"headers", "query", "links"})


def field_text(name: str, value: Any) -> str:
    """One field as text; several lines where it has several parts."""
    if value is None or value == "" or value == [] or value == {}:
        return ""
    if name in _DURATIONS:
        return exact_duration(value)
    if name in _PAIRS:
        return "\n".join(f"{one}: {text}" for one, text in value)
    if name == "facts":
        return "\n".join(f"{one}: {_fact_text(value[one])}" for one in sorted(value))
    if name == "config":
        return "\n".join(config_keys.lines(value))
    if name == "gates":
        return "\n".join(choice_lines(value))
    if name == "steps":
        return "\n".join(_step_text(number, step) for number, step in enumerate(value, 1))
    if name == "connection":
        form = [("form", f"{one}={text}") for one, text in value.get("form", ())]
        return labelled([*connection_lines(value), *form])
    if name == "heartbeat":
        return labelled(heartbeat_lines(value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "\n".join(value) if isinstance(value, list) else str(value)


def _fact_text(fact: Any) -> str:
    if isinstance(fact, dict):
        return "; ".join(f"{name}: {fact[name]}" for name in sorted(fact))
    return ", ".join(fact) if isinstance(fact, list) else str(fact)


def _step_text(number: int, step: dict[str, Any]) -> str:
    """A step of a path, or of a rollback note."""
    if "do" not in step:
        return "\n".join(step_lines(number, Step.read(step)))
    parts = [f"{part}: {step[part]}" for part in ("run", "see", "call") if step[part]]
    return "\n".join([f"{number}. {step['do']}", *(f"   {part}" for part in parts)])


def change_lines(before: dict[str, str], after: dict[str, str]) -> Iterator[str]:
    """What differs, a line a field; line by line where a field has several."""
    for name in dict.fromkeys([*before, *after]):
        old, new = before.get(name, ""), after.get(name, "")
        if old == new:
            continue
        words = name.replace("_", " ")
        if "\n" in old + new:
            yield f"{words}:"
            yield from _line_by_line(old, new)
        else:
            yield f"{words}: {_short(old)} → {_short(new)}"


def _line_by_line(old: str, new: str) -> Iterator[str]:
    # ndiff goes on about single characters; a plan shows lines.
    compared = difflib.unified_diff(old.split("\n"), new.split("\n"), lineterm="", n=0)
    for line in list(compared)[2:]:
        if line[0] in "+-" and line[1:]:
            yield f"  {line[0]} {_short(line[1:])}"


def _short(text: str) -> str:
    if not text:
        return "nothing"
    return f"{text[:LONGEST_SHOWN]}…" if len(text) > LONGEST_SHOWN else text
