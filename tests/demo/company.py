"""The shipped board file as plain values, and its sheets asked and judged without a board."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import yaml

from opsboard.board.reading import read_board
from opsboard.board.sheet_format import split_route
from opsboard.board.sources import decode
from opsboard.board.things import ENVIRONMENT, PATH
from opsboard.demo.company import board_file
from opsboard.demo.probe_token import probe_token
from opsboard.demo.running import SampleServices
from opsboard.outbound.egress import Policy
from opsboard.outbound.http import ask_once
from opsboard.outbound.reply import Ask, Reply
from opsboard.people.probe_pass import HEADER
from opsboard.probes.cache_modes import never_asked
from opsboard.probes.orders import compile_expected
from opsboard.probes.planning import plan_of
from opsboard.probes.rules import Judgement, judge
from opsboard.probes.walking import Walk
from opsboard.services.models import CriticalPath, Environment

HERE = Policy(allow=(), allow_loopback=True, allow_private=True)
SHIPPED: dict[str, Any] = yaml.safe_load(board_file({}))
SHEETS = [
    (service, path, environment)
    for service, of_service in SHIPPED["services"].items()
    for path, sheet in of_service["paths"].items()
    for environment in sheet.get("environments") or of_service["environments"]
]


def sheet_of(service: str, path: str) -> dict[str, Any]:
    sheet: dict[str, Any] = SHIPPED["services"][service]["paths"][path]
    return sheet


def ask_sheet(
    samples: SampleServices,
    service: str,
    path: str,
    environment: str = "production",
    timeout: int | None = None,
) -> tuple[Reply, Judgement]:
    """As a worker would, from the file alone. `timeout`: in microseconds, instead of the file's."""
    declared = read_board([decode("board.yaml", board_file(samples.sites).encode())]).things
    sheet = _path(declared[PATH, service, path])
    base_url = declared[ENVIRONMENT, service, environment]["base_url"]
    variables = SHIPPED["services"][service]["environments"][environment].get("variables", {})
    expected = compile_expected(sheet.expected_result, sheet.interval, kind=sheet.kind)
    ask, plan = plan_of(sheet, Environment(base_url=base_url), variables, expected)
    if sheet.cache_mode == "cold query" and isinstance(ask, Ask):
        ask = replace(ask, url=never_asked(ask.url))
    now = datetime.now(UTC)
    token = (HEADER, probe_token(samples.directory))
    if plan is None:
        ask = replace(ask, timeout=timeout or ask.timeout)
        known = replace(ask, headers=(*ask.headers, token)) if isinstance(ask, Ask) else ask
        reply = ask_once(known, policy=HERE)
        return reply, judge(reply, expected.clauses, now=now)
    walk = Walk(plan, now=now, dress=lambda one, _: replace(one, headers=(*one.headers, token)))
    following = walk.begin()
    while following:
        following = walk.hear(ask_once(following, policy=HERE))
    return walk.finish()


def _path(fields: dict[str, Any]) -> CriticalPath:
    names = ("kind", "headers", "query", "body", "connection", "cache_mode", "steps", "timeout")
    path = CriticalPath(**{name: fields[name] for name in names})
    path.method, path.route = split_route(fields["route"], path.kind)
    path.expected_result = "\n".join(fields["expect"])
    return path
