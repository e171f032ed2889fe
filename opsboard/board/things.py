"""What a board is made of, as plain values: from a file and from the database in the same words.

A thing is told by its kind and its names; its fields are what a file can say of it. Two boards are
the same when their things have equal fields. Pure.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from opsboard.board.path_fields import fields_of
from opsboard.services.versions import (
    read_version_commit,
    read_version_config_root,
    read_version_route,
)

# ("path", "fares-api", "price-a-crossing"); a note has the names of its service and its path.
type Thing = tuple[str, ...]
type Fields = dict[str, Any]
type Things = dict[Thing, Fields]

TEAM = "team"
SERVICE = "service"
ENVIRONMENT = "environment"
VARIABLE = "variable"
PATH = "path"
NOTE = "rollback note"

KINDS = (TEAM, SERVICE, ENVIRONMENT, VARIABLE, PATH, NOTE)
_OF_PATH = (
    "owner",
    "user_notices",
    "slow_query_or_command",
    "patience",
    "patience_to_recover",
    "environments",
)


def subject(thing: Thing) -> str:
    """ "fares-api/price-a-crossing"."""
    return "/".join(thing[1:])


def words(thing: Thing) -> str:
    """ "path fares-api/price-a-crossing"."""
    return f"{thing[0]} {subject(thing)}"


def as_name(slug: str) -> str:
    """The name of what was given none: "Price a crossing"."""
    text = slug.replace("-", " ")
    return text[:1].upper() + text[1:]


def things_of_team(slug: str, declared: Mapping[str, Any]) -> Things:
    fields = dict(declared) | {"name": declared["name"] or as_name(slug)}
    return {(TEAM, slug): _said(fields, "members", "gates")}


def things_of_service(slug: str, declared: Mapping[str, Any]) -> Things:
    names = ("owner", "summary", "tier", "links", "tags", "facts", "depends_on")
    fields = {"name": declared["name"] or slug} | {name: declared[name] for name in names}
    fields |= _said(declared, "config", "gates", only=True)
    things: Things = {(SERVICE, slug): fields}
    for environment, one in declared["environments"].items():
        things |= _of_environment(slug, environment, one)
    if declared["rollback_note"]:
        things[NOTE, slug] = _note(declared["rollback_note"])
    for path, one in declared["paths"].items():
        things |= _of_path(slug, path, one)
    return things


def _said(declared: Mapping[str, Any], *names: str, only: bool = False) -> Fields:
    """Without those of `names` that the file leaves as they are; `only`: just these."""
    return {
        name: value
        for name, value in declared.items()
        if (name in names and value is not None) or not (only or name in names)
    }


def _of_environment(service: str, slug: str, declared: Mapping[str, Any]) -> Things:
    version = declared["version"]
    fields = {
        "base_url": declared["base_url"].rstrip("/"),
        "version_route": read_version_route(version["route"])[0] if version else "",
        "version_commit": read_version_commit(version["commit"])[0] if version else "",
        "version_config_root": (
            read_version_config_root(version["config_root"])[0] if version else ""
        ),
    }
    things: Things = {(ENVIRONMENT, service, slug): fields}
    for name, written in declared["variables"].items():
        things[VARIABLE, service, slug, name] = {"value": written}
    return things


def _of_path(service: str, slug: str, declared: Mapping[str, Any]) -> Things:
    fields = fields_of(declared) | {"name": declared["name"] or as_name(slug)}
    fields |= {name: declared[name] for name in _OF_PATH}
    if declared["paused"] is not None:
        fields["paused"] = declared["paused"]
    things: Things = {(PATH, service, slug): fields}
    if declared["rollback_note"]:
        things[NOTE, service, slug] = _note(declared["rollback_note"])
    return things


def _note(declared: Mapping[str, Any]) -> Fields:
    return dict(declared)


def of_service(things: Things, slug: str) -> Iterator[tuple[Thing, Fields]]:
    return ((thing, fields) for thing, fields in things.items() if thing[1] == slug)
