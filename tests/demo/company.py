"""The shipped board file as plain values, and its sheets asked and judged without a board."""

import json
from datetime import UTC, datetime
from typing import Any

import yaml

from opsboard.demo.company import board_file
from opsboard.demo.probe_token import probe_token
from opsboard.demo.running import SampleServices
from opsboard.expectations.grammar import parse
from opsboard.outbound.egress import Policy
from opsboard.outbound.http import ask_once
from opsboard.outbound.reply import Ask, Reply
from opsboard.probes.rendering import render
from opsboard.probes.rules import Judgement, judge
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
    samples: SampleServices, service: str, path: str, environment: str = "production"
) -> tuple[Reply, Judgement]:
    sheet, now = sheet_of(service, path), datetime.now(UTC)
    clauses = parse("\n".join(sheet["expect"]))
    reply = ask_once(_ask(samples, service, sheet, environment), policy=HERE)
    return reply, judge(reply, clauses, now=now)


def _ask(samples: SampleServices, service: str, sheet: dict[str, Any], environment: str) -> Ask:
    place = SHIPPED["services"][service]["environments"][environment]
    method, route = sheet["route"].split(" ", 1)
    given = sheet.get("input", {})
    path = CriticalPath(
        method=method,
        route=route,
        headers=[
            *given.get("headers", {}).items(),
            ("X-Opsboard-Probe", probe_token(samples.directory)),
        ],
        query=list(given.get("query", {}).items()),
        body=json.dumps(given["json"]) if "json" in given else "",
        timeout=10_000_000,
    )
    base_url = place["base_url"]
    for kind, site in samples.sites.items():
        base_url = base_url.replace(f"http://{kind}.example", site)
    return render(path, Environment(base_url=base_url), place.get("variables", {}))
