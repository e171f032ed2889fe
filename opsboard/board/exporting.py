"""The whole board as a board file: the same board gives the same text, to the byte.

Secrets are written as references, never as values. Defaults are left out.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from django.db import connection

from opsboard.board.backup import one_moment
from opsboard.board.format import BOARD
from opsboard.board.path_fields import declared_of
from opsboard.board.references import names_of, plain
from opsboard.board.stored import Stored, read_stored
from opsboard.board.things import (
    ENVIRONMENT,
    NOTE,
    PATH,
    SERVICE,
    TEAM,
    VARIABLE,
    Fields,
    Thing,
    Things,
    as_name,
)
from opsboard.board.writing import yaml_of
from opsboard.services.secret_looks import looks_secret

_USUAL_TEAM = {"name": "Opsboard", "contact": "", "zone": "UTC", "members": [], "gates": {}}


def export(stored: Stored) -> str:
    things = _exported(stored)
    teams = {thing[1]: _team(thing, things) for thing in things if thing[0] == TEAM}
    return yaml_of(BOARD.write({"teams": teams, "services": _services(things)}))


def _exported(stored: Stored) -> Things:
    """Everything but the team that Opsboard makes for itself, while nothing else needs it."""
    own: Thing = (TEAM, stored.built_in_team)
    owners = {fields.get("owner") for fields in stored.things.values()}
    if stored.things.get(own) != _USUAL_TEAM or stored.built_in_team in owners:
        return stored.things
    return {thing: fields for thing, fields in stored.things.items() if thing != own}


def _team(thing: Thing, things: Things) -> Fields:
    fields = things[thing]
    return fields | {
        "name": _unless(fields["name"], as_name(thing[1])),
        "members": fields["members"] or None,
        "gates": fields["gates"] or None,
    }


def _unless(text: str, usual: str) -> str:
    return "" if text == usual else text


def _services(things: Things) -> dict[str, Any]:
    of: dict[str, dict[str, list[Thing]]] = defaultdict(lambda: defaultdict(list))
    for thing in things:
        of[thing[1]][thing[0]].append(thing)
    return {
        thing[1]: _service(thing, things, of[thing[1]]) for thing in things if thing[0] == SERVICE
    }


def _service(thing: Thing, things: Things, inside: dict[str, list[Thing]]) -> Fields:
    slug = thing[1]
    fields = things[thing]
    variables: dict[str, dict[str, str]] = defaultdict(dict)
    for one in inside[VARIABLE]:
        variables[one[2]][one[3]] = things[one]["value"]
    return fields | {
        "name": _unless(fields["name"], slug),
        "config": fields["config"] or None,
        "gates": fields["gates"] or None,
        "environments": {
            one[2]: _environment(things[one], variables[one[2]]) for one in inside[ENVIRONMENT]
        },
        "rollback_note": things.get((NOTE, slug)),
        "paths": {one[2]: _path(one, things) for one in inside[PATH]},
    }


def _environment(fields: Fields, variables: dict[str, str]) -> Fields:
    route, commit = fields["version_route"], fields["version_commit"]
    root = fields["version_config_root"]
    version = {"route": route, "commit": commit, "config_root": root} if route and commit else {}
    return {"base_url": fields["base_url"], "version": version, "variables": variables}


def _path(thing: Thing, things: Things) -> Fields:
    fields = things[thing]
    return fields | {
        "name": _unless(fields["name"], as_name(thing[2])),
        **declared_of(fields),
        "paused": fields["paused"] or None,
        "rollback_note": things.get((NOTE, *thing[1:])),
    }


def read_at_one_moment() -> Stored:
    """The board as it is at one moment, however long it takes to read. Nobody waits for it."""
    if connection.in_atomic_block:
        return read_stored()
    with one_moment():
        return read_stored()


def told_in_the_open(stored: Stored) -> Iterator[str]:
    """Variables that look like secrets, and that an export holds as they are."""
    for thing, fields in stored.things.items():
        if thing[0] != VARIABLE or names_of(fields["value"]):
            continue
        if looks_secret(thing[-1], plain(fields["value"])):
            yield f"{thing[1]}/{thing[2]}: {thing[3]}"
