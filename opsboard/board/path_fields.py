"""How a path is asked: as a file says it, as a plan names its fields, and as a Sheet. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from opsboard.board.json_values import is_json_for_yaml
from opsboard.board.sheet_format import (
    check_method,
    split_route,
    stored_connection,
    stored_heartbeat,
    stored_step,
    written_route,
)
from opsboard.services.problems import At, Problem
from opsboard.services.sheets import Sheet, check_sheet
from opsboard.services.steps import read_steps

# In a file these stand below input.
_SENT = frozenset({"headers", "query", "form"})
_AS_DECLARED = ("kind", "cache_mode", "follows_redirects", "expect", "interval", "timeout")
# How deep the key json of a step stands in a file, counted as for the path's own.
_DEEPER_IN_A_STEP = 2


def fields_of(declared: Mapping[str, Any]) -> dict[str, Any]:
    """In the words of a plan, from what a file says."""
    kind, sent = declared["kind"], declared["input"]
    method, route = split_route(declared["route"], kind)
    return {name: declared[name] for name in (*_AS_DECLARED, "locations")} | {
        "route": written_route(method, route, kind),
        "headers": sent["headers"] if sent else [],
        "query": sent["query"] if sent else [],
        "body": (sent["json"] or sent["body"]) if sent else "",
        "connection": stored_connection(declared["connection"], sent["form"] if sent else []),
        "steps": [stored_step(step) for step in declared["steps"]],
        "heartbeat": stored_heartbeat(declared["heartbeat"]),
    }


def declared_of(fields: Mapping[str, Any]) -> dict[str, Any]:
    """What a file says, from the words of a plan."""
    connection = dict(fields["connection"])
    form = connection.pop("form", [])
    return {
        "input": _input(fields, form),
        "connection": connection,
        "steps": [_step(step) for step in fields["steps"]],
    }


def _step(step: Mapping[str, Any]) -> dict[str, Any]:
    usual: dict[str, Any] = {"body": "", "headers": [], "query": []}
    route = written_route(step.get("method", "GET"), step["route"], "http")
    sent = _input(usual | dict(step), step.get("form", []), deeper=_DEEPER_IN_A_STEP)
    return dict(step) | {"route": route, "input": sent}


def _input(fields: Mapping[str, Any], form: list[Any], *, deeper: int = 0) -> dict[str, Any]:
    body = fields["body"]
    is_json = is_json_for_yaml(body, deeper=deeper)
    sent = {
        "json": body if is_json else "",
        "body": "" if is_json else body,
        "form": form,
        "headers": fields["headers"],
        "query": fields["query"],
    }
    return sent if any(sent.values()) else {}


def sheet_of(fields: Mapping[str, Any]) -> Sheet:
    """The sheet, from the words of a plan."""
    method, route = split_route(fields["route"], fields["kind"])
    return Sheet(
        kind=fields["kind"],
        method=method,
        route=route,
        headers=[(name, value) for name, value in fields["headers"]],
        query=[(name, value) for name, value in fields["query"]],
        body=fields["body"],
        follows_redirects=fields["follows_redirects"],
        connection=fields["connection"],
        cache_mode=fields["cache_mode"],
        expected=fields["expect"],
        steps=read_steps(fields["steps"]),
        heartbeat=fields["heartbeat"],
        interval=fields["interval"],
        timeout=fields["timeout"],
        locations=fields["locations"],
    )


def check_path(declared: dict[str, Any], wrong: frozenset[str]) -> Iterator[Problem]:
    """What in it cannot work, by its place in a file. `wrong`: keys that could not be read."""
    if "kind" in wrong:
        return
    if declared["kind"] == "http" and (no_method := check_method(declared["route"])):
        yield Problem(("route",), no_method)
        return
    for problem in check_sheet(sheet_of(fields_of(declared))):
        if problem.at == ("route",) and not declared["route"]:
            if not wrong & {"route", "steps"}:
                about = "what is asked, as in POST /v2/quotes."
                yield Problem((), f"Path needs route: {about}")
        else:
            at = _place(problem.at, declared)
            yield Problem(at, problem.sentence, problem.column)


def _place(at: At, declared: Mapping[str, Any]) -> At:
    field, rest = at[0], at[1:]
    if field == "expected_result":
        return ("expect", *rest)
    if field == "steps" and len(rest) > 1:
        return ("steps", rest[0], *_sent_at(rest[1:], declared["steps"][rest[0]]))
    return _sent_at(at, declared)


def _sent_at(at: At, declared: Mapping[str, Any]) -> At:
    if at[0] == "body":
        is_json = bool(declared["input"] and declared["input"]["json"])
        return ("input", "json" if is_json else "body")
    if at[0] == "method":
        return ("route",)
    return ("input", *at) if at[0] in _SENT else at
