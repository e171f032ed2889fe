"""A whole sheet as plain values, and what in it cannot work. Pure.

Board files and the form read their own way into a Sheet; what is wrong is said here once.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from opsboard.expectations.clauses import Clause
from opsboard.expectations.grammar import ClauseErrors, parse
from opsboard.expectations.kinds import refuse_facts
from opsboard.expectations.nearest import did_you_mean
from opsboard.expectations.units import SECOND
from opsboard.services.connection import check_connection, texts_of
from opsboard.services.heartbeats import check_heartbeat
from opsboard.services.kinds import (
    check_kind,
    check_route_of,
    misplaced_beside_steps,
    unused,
    uses,
)
from opsboard.services.problems import At, Problem
from opsboard.services.rules import Pairs, names_in
from opsboard.services.steps import Step, check_steps, read_steps, variables_of

if TYPE_CHECKING:
    from opsboard.services.models import CriticalPath

USUAL_TIMEOUT = 10 * SECOND
USUAL_INTERVAL = 30 * SECOND
AS_IS = "as is"
WARM = "warm"
# What may be asked twice and changes nothing.
ASKED_TWICE = ("GET", "HEAD")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """`connection`, `heartbeat` and `steps` as they are stored; `expected` a clause an item."""

    kind: str = "http"
    method: str = "GET"
    route: str = ""
    headers: Pairs = field(default_factory=list)
    query: Pairs = field(default_factory=list)
    body: str = ""
    follows_redirects: bool = True
    connection: Mapping[str, Any] = field(default_factory=dict)
    cache_mode: str = AS_IS
    expected: Sequence[str] = ()
    steps: Sequence[Step] = ()
    heartbeat: Mapping[str, Any] = field(default_factory=dict)
    interval: int = USUAL_INTERVAL
    timeout: int = USUAL_TIMEOUT
    locations: Sequence[str] = ()

    @classmethod
    def of(cls, path: "CriticalPath") -> Self:
        return cls(
            kind=path.kind,
            method=path.method,
            route=path.route,
            headers=[(name, value) for name, value in path.headers],
            query=[(name, value) for name, value in path.query],
            body=path.body,
            follows_redirects=path.follows_redirects,
            connection=path.connection,
            cache_mode=path.cache_mode,
            expected=path.expected_result.split("\n") if path.expected_result else [],
            steps=read_steps(path.steps),
            heartbeat=path.heartbeat,
            interval=path.interval,
            timeout=path.timeout,
            locations=path.locations,
        )

    @property
    def options(self) -> dict[str, Any]:
        """The connection without what is sent over it."""
        return {key: value for key, value in self.connection.items() if key != "form"}

    @property
    def given(self) -> dict[str, Any]:
        """What differs from the usual, by its field."""
        return {
            "route": self.route,
            "headers": self.headers,
            "query": self.query,
            "body": self.body,
            "form": self.connection.get("form"),
            "follows_redirects": not self.follows_redirects,
            "connection": self.options,
            "cache_mode": self.cache_mode != AS_IS,
            "steps": self.steps,
            "heartbeat": self.heartbeat,
            "interval": self.interval != USUAL_INTERVAL,
            "timeout": self.timeout != USUAL_TIMEOUT,
            "locations": self.locations,
        }

    def places(self) -> Iterator[tuple[At, list[str]]]:
        """Every text in which a mark may stand, by its place."""
        yield ("route",), [self.route]
        yield ("headers",), [value for _, value in self.headers]
        yield ("query",), [value for _, value in self.query]
        yield ("body",), [self.body]
        for key, texts in texts_of(self.connection):
            yield ("form",) if key == "form" else ("connection", key), texts
        for number, step in enumerate(self.steps):
            for name, texts in step.texts().items():
                yield ("steps", number, name), texts

    @property
    def variables(self) -> list[str]:
        """The variables of an environment that it needs, each once, in order."""
        texts = [text for at, some in self.places() for text in some if at[0] != "steps"]
        return list(dict.fromkeys([*names_in(*texts), *variables_of(self.steps)]))


def check_sheet(sheet: Sheet) -> Iterator[Problem]:
    """Everything in it that cannot work, whatever the environment."""
    if wrong := check_kind(sheet.kind):
        yield Problem(("kind",), wrong)
        return
    given = sheet.given
    yield from unused(sheet.kind, given)
    if sheet.steps and uses(sheet.kind, "steps"):
        yield from misplaced_beside_steps(given)
        yield from (one.below("steps") for one in check_steps(sheet.steps))
    elif uses(sheet.kind, "route"):
        yield from _check_asked(sheet)
    if uses(sheet.kind, "heartbeat"):
        yield from (one.below("heartbeat") for one in check_heartbeat(sheet.heartbeat))
    if uses(sheet.kind, "connection"):
        yield from _check_connection(sheet)
    yield from _check_expected(sheet)


def _check_asked(sheet: Sheet) -> Iterator[Problem]:
    if not sheet.route:
        yield Problem(("route",), "Say what is asked: a path needs a route.")
    elif wrong := check_route_of(sheet.kind, sheet.route):
        yield Problem(("route",), wrong)
    if sheet.cache_mode == WARM and sheet.method not in ASKED_TWICE:
        yield Problem(
            ("cache_mode",),
            f"Warm asks twice, and what {sheet.method} does may not be done twice: choose another.",
        )
    if sheet.body and sheet.connection.get("form") and uses(sheet.kind, "form"):
        yield Problem(("form",), "A request sends a body or a form: take one of them out.")


def _check_connection(sheet: Sheet) -> Iterator[Problem]:
    connection = sheet.connection if uses(sheet.kind, "form") else sheet.options
    for problem in check_connection(sheet.kind, connection):
        is_form = problem.at[:1] == ("form",)
        yield problem if is_form else problem.below("connection")
    if not sheet.follows_redirects and sheet.connection.get("redirects"):
        yield Problem(
            ("connection", "redirects"),
            "This path follows no redirects: let it follow them, or take this out.",
        )


def _check_expected(sheet: Sheet) -> Iterator[Problem]:
    """Of clauses that can be read. Those that cannot are told where they are read."""
    for number, line in enumerate(sheet.expected):
        if wrong := wrong_line(sheet, line):
            yield Problem(("expected_result", number), wrong)


def wrong_line(sheet: Sheet, line: str) -> str:
    """Why a clause that can be read cannot be expected of this sheet, or ""."""
    return next((wrong for one in clauses_of(line) if (wrong := _wrong_clause(sheet, one))), "")


def _wrong_clause(sheet: Sheet, clause: Clause) -> str:
    if refused := refuse_facts([clause], sheet.kind):
        return refused[0][1]
    if sheet.steps and not clause.window and clause.fact != "time":
        return (
            f"`{clause.text}` is about one reply: move it to the step whose reply it is. Of all "
            "steps together, `time` and clauses over a window can be said."
        )
    return ""


def clauses_of(line: str) -> tuple[Clause, ...]:
    """None of a line that cannot be read."""
    try:
        return parse(line)
    except ClauseErrors:
        return ()


def check_locations(names: Sequence[str], known: Sequence[str]) -> Iterator[Problem]:
    """`known`: those for which this board has workers."""
    for number, name in enumerate(names):
        if name not in known:
            hint = did_you_mean(name, tuple(known), {})
            yield Problem(("locations", number), f"Unknown location {name[:60]}; {hint}")
