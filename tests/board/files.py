"""Applying and exporting as a person does, on the board of this test."""

from io import StringIO
from pathlib import Path

from django.core.management import call_command

from opsboard.board.changing import prepare, read_files
from opsboard.people.audit import Actor, Via
from tests.company import NOON

ACTOR = Actor(None, Via.APPLY, who="tests")

# The example of the issue, with the services it depends on.
FERRIES = """\
teams: {pricing: {name: Pricing, contact: "#pricing-on-call", zone: Europe/Oslo}}
services:
  fares-db: {owner: pricing}
  sailings-api: {owner: pricing}
  fares-api:
    name: fares-api
    owner: pricing
    tier: 1
    depends_on: [fares-db, sailings-api]
    environments:
      production: {base_url: "https://fares.internal", version: {route: GET /version, commit: json $.commit}, variables: {TOKEN: "${FARES_TOKEN}"}}
      staging: {base_url: "https://fares.staging", variables: {TOKEN: "${FARES_TOKEN}"}}
    rollback_note: {title: Go back to the previous release, use_when: "...", does_not_undo: "...", minutes: 4, steps: [{do: Hold new releases, run: "...", see: "..."}]}
    paths:
      health: {route: GET /healthz, expect: ["status == 200"]}
      price-a-crossing:
        name: Price a crossing
        route: POST /v2/quotes
        input: {json: {from: LEI, to: STN}, headers: {Authorization: "Bearer {{ TOKEN }}"}}
        expect: ["status == 200", "time < 400 ms", "json $.total between 118 and 240", "db.calls <= 8", "errors < 1 % over 15 m", "warn cache is hit"]
        user_notices: "Booking, step 2 of 4: the price stays empty"
        slow_query_or_command: "SELECT ... FROM fare_rules WHERE route = ... (seq scan)"
        interval: 30 s
        timeout: 10 s
        patience: 3
        environments: [production, staging]
"""  # noqa: E501


class Ran:
    """What a command printed, and how it ended."""

    def __init__(self, out: str, err: str, code: int) -> None:
        self.out, self.err, self.code = out, err, code


def run(*words: str) -> Ran:
    out, err, code = StringIO(), StringIO(), 0
    try:
        call_command(*words, stdout=out, stderr=err)
    except SystemExit as left:
        code = int(left.code or 0)
    return Ran(out.getvalue(), err.getvalue(), code)


def apply_text(folder: Path, text: str | bytes, *options: str) -> Ran:
    file = folder / "board.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return run("apply", str(file), *options)


def errors_of(folder: Path, text: str | bytes) -> list[str]:
    """Every error of a file, each from its line on: "12:5: sentence"."""
    file = folder / "board.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    declared = read_files([str(file)])
    prepared = prepare(declared, environ={}, prune=False, actor=ACTOR, now=NOON)
    return [str(error).removeprefix(f"{file}:") for error in prepared.errors]
