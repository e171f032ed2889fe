"""From the steps of a sheet to requests with places for what earlier steps take.

Each step is rendered like a sheet of one request. Where a taken value goes, a long number stands in
for it: a number passes through forms, queries and JSON unchanged, and is then cut out again.
"""

import copy
import json
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from opsboard.expectations.clauses import Clause
from opsboard.expectations.grammar import ClauseErrors, parse
from opsboard.outbound.reply import Ask
from opsboard.probes.cache_modes import render_for
from opsboard.probes.rendering import NotOrderable
from opsboard.probes.rules import UNWRITTEN
from opsboard.probes.taking import Slot, Take, Text, Use, read_take
from opsboard.probes.walking import Step
from opsboard.services.models import CriticalPath, Environment
from opsboard.services.rules import MARK, VARIABLE, names_in

_JSON_STRING = re.compile(r'"(?:[^"\\]|\\.)*+"?', re.DOTALL)


@dataclass(frozen=True, slots=True)
class _StandIns:
    """Numbers by the name of the taken value they stand in for."""

    by_name: Mapping[str, str]

    def cut(self, text: str, use: Use) -> Text:
        return tuple(
            Slot(part, use) if is_name else part for part, is_name in self._parts(text) if part
        )

    def cut_body(self, body: str, content_type: str) -> Text:
        if "x-www-form-urlencoded" in content_type:
            return self.cut(body, Use.FORM)
        if "json" not in content_type and not _is_json(body):
            return self.cut(body, Use.TEXT)
        parts: list[str | Slot] = []
        at = 0
        for quoted in _JSON_STRING.finditer(body):
            parts += self.cut(body[at : quoted.start()], Use.JSON_VALUE)
            parts += self.cut(quoted[0], Use.IN_JSON_TEXT)
            at = quoted.end()
        return (*parts, *self.cut(body[at:], Use.JSON_VALUE))

    def _parts(self, text: str) -> list[tuple[str, bool]]:
        if not self.by_name:
            return [(text, False)]
        names = {number: name for name, number in self.by_name.items()}
        pieces = re.split(f"({'|'.join(names)})", text)
        return [(names.get(piece, piece), piece in names) for piece in pieces]


def render_steps(
    path: CriticalPath, environment: Environment, values: dict[str, str]
) -> tuple[Step, ...]:
    """The steps of a sheet, ready to be walked. Raises NotOrderable."""
    warms = path.cache_mode == CriticalPath.CacheMode.WARM
    taken: dict[str, str] = {}
    rendered: list[Step] = []
    for number, sheet in enumerate(path.steps, start=1):
        name = sheet.get("name") or "without a name"
        where = f"Step {number}, {name},"
        _check_names(sheet, taken, values, where)
        step = _render_step(path, sheet, environment, values, _StandIns(dict(taken)))
        takes = _takes(sheet, path.steps[number:], where)
        rendered.append(
            Step(
                **step,
                name=name,
                clauses=_clauses(sheet.get("expect", ()), where),
                takes=takes,
                always=bool(sheet.get("always")),
                warms=warms and step["ask"].method in ("GET", "HEAD"),
            )
        )
        for one in takes:
            # Never one that stands in a text by chance.
            taken.setdefault(one.name, f"7{secrets.randbelow(10**40):040d}")
    return tuple(rendered)


def _check_names(
    sheet: Mapping[str, Any], taken: Iterable[str], values: Iterable[str], where: str
) -> None:
    for name in names_in(*_texts(sheet)):
        if name not in taken and name not in values and not VARIABLE.fullmatch(name):
            raise NotOrderable(
                f"{where} uses {{{{ {name} }}}}, which no step before it takes. Edit the sheet."
            )


def _texts(sheet: Mapping[str, Any]) -> list[str]:
    pairs = [*sheet.get("headers", ()), *sheet.get("query", ()), *sheet.get("form", ())]
    return [sheet.get("route", ""), sheet.get("body", ""), *(value for _, value in pairs)]


def _render_step(
    path: CriticalPath,
    sheet: Mapping[str, Any],
    environment: Environment,
    values: dict[str, str],
    stand_ins: _StandIns,
) -> dict[str, Any]:
    alone = copy.copy(path)
    alone.method = sheet.get("method") or "GET"
    alone.route = sheet.get("route", "")
    alone.headers = sheet.get("headers", [])
    alone.query = sheet.get("query", [])
    alone.body = sheet.get("body", "")
    form = {"form": sheet["form"]} if "form" in sheet else {}
    alone.connection = {k: v for k, v in path.connection.items() if k != "form"} | form
    ask = render_for(alone, environment, values | dict(stand_ins.by_name))
    return {
        "ask": ask,
        "url": _cut_url(alone.route, ask, stand_ins),
        "headers": tuple((name, stand_ins.cut(value, Use.LINE)) for name, value in ask.headers),
        "body": stand_ins.cut_body(ask.body.decode(), _content_type(ask)),
    }


def _cut_url(route: str, ask: Ask, stand_ins: _StandIns) -> Text:
    whole = MARK.fullmatch(route.strip())
    if whole is None or whole[1] not in stand_ins.by_name:
        return stand_ins.cut(ask.url, Use.ADDRESS)
    query = ask.url.partition(stand_ins.by_name[whole[1]])[2]
    return (Slot(whole[1], Use.WHOLE_ADDRESS), *stand_ins.cut(query, Use.ADDRESS))


def _content_type(ask: Ask) -> str:
    return next((v.lower() for n, v in ask.headers if n.lower() == "content-type"), "")


def _is_json(body: str) -> bool:
    try:
        json.loads(body)
    except ValueError:
        return False
    return True


def _takes(
    sheet: Mapping[str, Any], later: Iterable[Mapping[str, Any]], where: str
) -> tuple[Take, ...]:
    later = list(later)
    try:
        return tuple(
            read_take(name, text, _uses(name, later))
            for name, text in sheet.get("take", {}).items()
        )
    except ValueError as error:
        raise NotOrderable(f"{where} cannot take it: {error}. Edit the sheet.") from error


def _uses(name: str, later: Iterable[Mapping[str, Any]]) -> Iterable[Use]:
    """Only what narrows the values that may be taken."""
    for sheet in later:
        if name in names_in(*(value for _, value in sheet.get("headers", ()))):
            yield Use.LINE
        if name in names_in(sheet.get("route", ""), *(v for _, v in sheet.get("query", ()))):
            yield Use.ADDRESS


def _clauses(lines: Iterable[str], where: str) -> tuple[Clause, ...]:
    try:
        clauses = parse("\n".join(lines))
    except ClauseErrors as error:
        wrong = error.errors[0].message.rstrip(".")
        raise NotOrderable(
            f"{where} expects what cannot be read: {wrong}. Edit the sheet."
        ) from error
    return tuple(clause for clause in clauses if not clause.window) or UNWRITTEN
