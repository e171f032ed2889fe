"""The steps of a path of several: what each asks, what it takes for those after it. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from opsboard.expectations.clauses import Clause
from opsboard.expectations.grammar import ClauseErrors, parse
from opsboard.expectations.nearest import did_you_mean
from opsboard.expectations.paths import refusal
from opsboard.services.addresses import check_route
from opsboard.services.marks import TAKEN
from opsboard.services.problems import Problem
from opsboard.services.rules import (
    MARK,
    METHODS,
    MOST_HEADERS,
    MOST_QUERY,
    VARIABLE,
    Pairs,
    check_header,
    check_name,
    check_parameter,
    names_in,
)

MOST_STEPS = 20
MOST_TAKEN = 20
LONGEST_STEP_NAME = 60
LONGEST_TAKEN = 40

_HEADER = re.compile(r"header\s+([!#$%&'*+.^_`|~0-9A-Za-z-]{1,100})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    name: str
    method: str = "GET"
    route: str
    headers: Pairs
    query: Pairs
    body: str = ""
    # Sent instead of a body, as a form on a page is.
    form: Pairs
    # Clauses, one a line; empty: the status is 200 to 299.
    expect: tuple[str, ...] = ()
    # "json $.token" or "header Location", by the name the value gets.
    take: Mapping[str, str]
    # It runs whatever became of those before it: a clean-up.
    always: bool = False

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> Self:
        """A step as it is stored; what is absent there is as usual."""
        return cls(
            name=stored.get("name", ""),
            method=stored.get("method", "GET"),
            route=stored.get("route", ""),
            headers=_pairs(stored, "headers"),
            query=_pairs(stored, "query"),
            body=stored.get("body", ""),
            form=_pairs(stored, "form"),
            expect=tuple(stored.get("expect", ())),
            take=dict(stored.get("take", {})),
            always=stored.get("always", False),
        )

    def stored(self) -> dict[str, Any]:
        """Without what is as usual, in an order that never changes."""
        usual = {"method": "GET", "body": "", "always": False}
        values = {
            "name": self.name,
            "method": self.method,
            "route": self.route,
            "headers": [list(pair) for pair in self.headers],
            "query": [list(pair) for pair in self.query],
            "body": self.body,
            "form": [list(pair) for pair in self.form],
            "expect": list(self.expect),
            "take": dict(sorted(self.take.items())),
            "always": self.always,
        }
        return {key: value for key, value in values.items() if value and usual.get(key) != value}

    @property
    def clauses(self) -> tuple[Clause, ...]:
        """Raises ClauseErrors."""
        return parse("\n".join(self.expect))

    def texts(self) -> dict[str, list[str]]:
        """Every text in which a mark may stand, by its field."""
        return {
            "route": [self.route],
            "headers": [value for _, value in self.headers],
            "query": [value for _, value in self.query],
            "body": [self.body],
            "form": [value for _, value in self.form],
        }


def _pairs(stored: Mapping[str, Any], name: str) -> Pairs:
    return [(key, value) for key, value in stored.get(name, ())]


def read_steps(stored: Sequence[Mapping[str, Any]]) -> tuple[Step, ...]:
    return tuple(Step.read(one) for one in stored)


def check_steps(steps: Sequence[Step]) -> Iterator[Problem]:
    """Everything that is wrong with them; places begin with the number of the step, from 0."""
    if len(steps) > MOST_STEPS:
        yield Problem(
            (MOST_STEPS,), f"A path has at most {MOST_STEPS} steps; these are {len(steps)}."
        )
    for number, step in enumerate(steps):
        yield from (problem.below(number) for problem in check_step(step))
    yield from check_together(steps)


def check_step(step: Step) -> Iterator[Problem]:
    """What is wrong with a step by itself."""
    if wrong := check_step_name(step.name):
        yield Problem(("name",), wrong)
    if step.method not in METHODS:
        yield Problem(("method",), f"Methods are {', '.join(METHODS)}.")
    if wrong := check_step_route(step.route):
        yield Problem(("route",), wrong)
    yield from _check_pairs(step)
    yield from check_clauses(step.expect)
    for name, place in step.take.items():
        if wrong := check_taken(name) or check_take(place):
            yield Problem(("take", name), wrong)
    if step.body and step.form:
        yield Problem(("form",), "A step sends a body or a form: take one of them out.")


def check_step_route(route: str) -> str:
    """Why nothing can be asked there, or "". What an earlier step took may begin it."""
    begun = MARK.match(route)
    if begun and TAKEN.fullmatch(begun[1]):
        return check_route(f"/{route[begun.end() :]}")
    return check_route(route)


def _check_pairs(step: Step) -> Iterator[Problem]:
    for field, pairs, check, most in (
        ("headers", step.headers, check_header, MOST_HEADERS),
        ("query", step.query, check_parameter, MOST_QUERY),
        ("form", step.form, check_parameter, MOST_QUERY),
    ):
        if len(pairs) > most:
            yield Problem((field,), f"At most {most} go here; these are {len(pairs)}.")
        for name, value in pairs:
            if wrong := check(name, value):
                yield Problem((field,), wrong)


def check_step_name(name: str) -> str:
    if not name:
        return "Name the step, as in Ask for a quote: the page says by it what broke."
    return check_name(name, LONGEST_STEP_NAME)


def check_clauses(lines: Sequence[str]) -> Iterator[Problem]:
    """Each clause that cannot be read, by its line (from 0) and column."""
    try:
        parse("\n".join(lines))
    except ClauseErrors as errors:
        for error in errors.errors:
            yield Problem(("expect", error.line - 1), error.message, error.column)
        return
    yield from check_windows(lines)


def check_windows(lines: Sequence[str]) -> Iterator[Problem]:
    """Clauses over many observations, which a step cannot have. Others are not looked at."""
    for number, line in enumerate(lines):
        try:
            clauses = parse(line)
        except ClauseErrors:
            continue
        for clause in clauses:
            if clause.window:
                yield Problem(
                    ("expect", number),
                    f"`{clause.text}` is about many observations, and one is of all steps: move it "
                    "to the expected result of the whole path.",
                )


def check_taken(name: str) -> str:
    """Why a taken value cannot have this name, or ""."""
    if TAKEN.fullmatch(name) and len(name) <= LONGEST_TAKEN:
        return ""
    return (
        f"Name what is taken with small letters, digits and _, at most {LONGEST_TAKEN} of them, "
        "as in token: capitals are variables of the environment."
    )


def check_take(place: str) -> str:
    """Why nothing can be taken from `place`, or ""."""
    if _HEADER.fullmatch(place):
        return ""
    word, _, path = place.partition(" ")
    if word == "json" and path.strip().startswith("$"):
        return refusal(path.strip())
    usual = "Write where it stands in the reply, as in json $.token or header Location."
    if word in ("json", "header"):
        return usual
    return (
        f"Nothing is taken from `{word[:40]}`; {did_you_mean(word, ('json', 'header'), {})} {usual}"
    )


def check_together(steps: Sequence[Step]) -> Iterator[Problem]:
    """Names that stand twice, and values used before they are taken."""
    names: dict[str, int] = {}
    taken: dict[str, int] = {}
    for number, step in enumerate(steps):
        if step.name and step.name in names:
            yield Problem(
                (number, "name"),
                f"Step {names[step.name] + 1} is called {step.name} too: give each its own name.",
            )
        names.setdefault(step.name, number)
        yield from _check_uses(steps, number, taken)
        for name in step.take:
            if name in taken:
                yield Problem(
                    (number, "take", name),
                    f"Step {taken[name] + 1} takes {name} already: choose another name.",
                )
            taken.setdefault(name, number)


def _check_uses(steps: Sequence[Step], number: int, taken: Mapping[str, int]) -> Iterator[Problem]:
    for field, texts in steps[number].texts().items():
        for name in names_in(*texts):
            if not VARIABLE.fullmatch(name) and name not in taken:
                yield Problem((number, field), _not_taken(steps, number, name, tuple(taken)))


def _not_taken(steps: Sequence[Step], number: int, name: str, taken: tuple[str, ...]) -> str:
    mark = f"{{{{ {name} }}}}"
    for later, step in enumerate(steps[number:], number):
        if name in step.take:
            when = "by this step itself" if later == number else f"only by step {later + 1}"
            return f"{mark} is taken {when}, after this is sent: take it in an earlier step."
    if not taken:
        return (
            f"No step before this takes {mark}: take it there, or write a variable of the "
            "environment, in capital letters."
        )
    return f"No step before this takes {mark}; {did_you_mean(name, taken, {})}"


def variables_of(steps: Sequence[Step]) -> list[str]:
    """The variables of the environment that steps use, each once, in order."""
    texts = [text for step in steps for some in step.texts().values() for text in some]
    return [name for name in names_in(*texts) if VARIABLE.fullmatch(name)]
