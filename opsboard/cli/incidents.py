"""Reading what hurts and the way back: incidents, acknowledging one, rollback notes."""

import argparse

from opsboard.cli.answers import Object, inner, maybe_text, number, objects, text, yes
from opsboard.cli.arguments import Commands, Parser, command, group
from opsboard.cli.leaving import Usage
from opsboard.cli.printing import document, paint, plain, say, table
from opsboard.cli.surroundings import board_of


def add(commands: Commands) -> None:
    incidents = group(commands, "incident", "list incidents, show one, acknowledge one")
    listing = command(incidents, "list", "list open incidents, the newest first", list_incidents)
    listing.add_argument("--service", metavar="S")
    listing.add_argument("--environment", metavar="E")
    listing.add_argument("--all", action="store_true", help="resolved ones too")
    listing.add_argument("--limit", metavar="N", type=int, choices=range(1, 201), default=50)
    _add_number(command(incidents, "show", "show one incident and what happened", show))
    _add_number(command(incidents, "ack", "say that somebody has it", acknowledge))
    notes = group(commands, "note", "show rollback notes")
    note = command(notes, "show", "show the way back of a service or of one path", show_note)
    note.add_argument("of", metavar="SERVICE[/PATH]")


def _add_number(parser: Parser) -> None:
    parser.add_argument("number", metavar="NUMBER", type=_number)


def _number(written: str) -> str:
    digits = written.removeprefix("#").removeprefix("INC-")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 19):
        raise argparse.ArgumentTypeError("write the number of the incident, as 12")
    return digits


def list_incidents(asked: argparse.Namespace) -> int:
    said = board_of(asked).get(
        "incidents",
        service=asked.service,
        environment=asked.environment,
        open=None if asked.all else "true",
        limit=asked.limit,
    )
    rows = [_row(one) for one in objects(said, "items")]
    if asked.json:
        document(said)
    elif rows:
        table(rows)
        if said.get("next"):
            say("There are more: narrow it down, or raise --limit.")
    else:
        say("No incidents." if asked.all else "No open incidents.")
    return 0


def _row(one: Object) -> list[str]:
    since = text(one, "opened_at")[:16].replace("T", " ")
    place = f"{text(one, 'service')} {text(one, 'environment')}"
    title = text(one, "title")
    return [str(number(one, "number")), _state(one), place, f"since {since} UTC", title]


def _state(one: Object) -> str:
    if not yes(one, "is_open"):
        return "resolved"
    return "acknowledged" if maybe_text(one, "acknowledged_at") else "open"


def show(asked: argparse.Namespace) -> int:
    said = board_of(asked).get("incidents", asked.number)
    _print(asked, said)
    if not asked.json:
        for entry in objects(said, "timeline"):
            by = maybe_text(entry, "by")
            what = f"{text(entry, 'act')} {maybe_text(entry, 'path')}".strip()
            told = maybe_text(entry, "text")
            line = f"{what}{f' by {by}' if by else ''}{f': {told}' if told else ''}"
            say(f"  {text(entry, 'at')[11:19]}  {plain(line)}")
    return 0


def acknowledge(asked: argparse.Namespace) -> int:
    said = board_of(asked).post("incidents", asked.number, "acknowledgement", body={})
    _print(asked, said)
    return 0


def _print(asked: argparse.Namespace, said: Object) -> None:
    row = _row(said)
    if asked.json:
        document(said)
        return
    say(f"{paint(row[1])}: {plain(row[4])}")
    say(f"  {plain(row[2])}, {row[3]}")
    if by := maybe_text(said, "acknowledged_by"):
        say(f"  acknowledged by {plain(by)}")


def show_note(asked: argparse.Namespace) -> int:
    service, _, path = asked.of.partition("/")
    if "/" in path or not service:
        raise Usage("Write SERVICE or SERVICE/PATH.")
    place = ("services", service, *(("paths", path) if path else ()), "rollback-note")
    said = board_of(asked).get(*place)
    current = inner(said, "current")
    steps = objects(current, "steps")
    lines = [line for at, step in enumerate(steps, 1) for line in _step(at, step)]
    if asked.json:
        document(said)
        return 0
    of, version = text(said, "of"), number(current, "version")
    say(plain(f"{text(current, 'title')} ({of}, version {version})"))
    say(f"  {text(said, 'freshness')}; rehearsed: {plain(text(said, 'rehearsed'))}")
    for name, title in (("use_when", "Use it when"), ("does_not_undo", "It does not undo")):
        say(f"  {title}: {plain(text(current, name))}")
    for line in lines:
        say(line)
    return 0


def _step(at: int, step: Object) -> list[str]:
    lines = [f"  {at}. {plain(text(step, 'do'))}"]
    if run := maybe_text(step, "run"):
        lines += [f"     $ {plain(one)}" for one in run.splitlines()]
    for name, title in (("see", "you see"), ("call", "if it fails, call")):
        if said := maybe_text(step, name):
            lines.append(f"     {title}: {plain(said)}")
    return lines
