"""The board as it is stored, in the words of a board file. Read in few queries, however large.

The built-in service is left out: no file declares, changes or removes it.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Model, OuterRef, Subquery

from opsboard.board import references
from opsboard.board.planning import Board
from opsboard.board.readiness import config_by_service, gates_by
from opsboard.board.sheet_format import written_route
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
)
from opsboard.people.models import people
from opsboard.rollbacks.models import NoteVersion, RollbackNote
from opsboard.services.models import CriticalPath, Environment, Service, Team, Variable

# What a file says of a path in the very words it is stored in.
_AS_STORED = (
    *("name", "user_notices", "slow_query_or_command", "interval", "timeout", "locations"),
    *("patience", "patience_to_recover", "kind", "body", "follows_redirects", "cache_mode"),
    *("connection", "steps", "heartbeat"),
)


@dataclass(slots=True)
class Stored:
    things: Things = field(default_factory=dict)
    # What was removed, by itself or with what it belongs to, and can be brought back.
    removed: Things = field(default_factory=dict)
    # The rows of both. Of a note: its newest version, and its own row.
    rows: dict[Thing, Any] = field(default_factory=dict)
    notes: dict[Thing, RollbackNote] = field(default_factory=dict)
    # Everybody who can be a member, by their name in small letters.
    people: dict[str, Any] = field(default_factory=dict)
    built_in: str = ""
    built_in_team: str = ""

    def add(self, thing: Thing, row: Model, fields: Fields, *, is_removed: bool) -> None:
        self.rows[thing] = row
        (self.removed if is_removed else self.things)[thing] = fields

    @property
    def board(self) -> Board:
        """As a plan needs it. The team of the built-in service is not for files to remove."""
        return Board(self.things, self.removed, frozenset({(TEAM, self.built_in_team)}))


def read_stored() -> Stored:
    stored = Stored()
    stored.people = {one.username.casefold(): one for one in people()}
    _read_teams(stored)
    services = _read_services(stored)
    environments = _read_environments(stored, services)
    _read_variables(stored, environments)
    paths = _read_paths(stored, services, environments)
    _read_notes(stored, services, paths)
    return stored


def _by_first(pairs: Iterable[tuple[int, Any]]) -> dict[int, list[Any]]:
    grouped: dict[int, list[Any]] = defaultdict(list)
    for first, second in pairs:
        grouped[first].append(second)
    return grouped


def _read_teams(stored: Stored) -> None:
    through = Team.members.through.objects
    members = _by_first(through.values_list("team_id", "user__username"))
    gates = gates_by("team_id")
    for team in Team.objects.order_by("slug"):
        fields = {name: getattr(team, name) for name in ("name", "contact", "zone")}
        fields["members"] = sorted(members[team.pk])
        fields["gates"] = gates[team.pk]
        is_removed = team.removed_at is not None
        stored.add((TEAM, team.slug), team, fields, is_removed=is_removed)


def _read_services(stored: Stored) -> dict[int, Service]:
    through = Service.depends_on.through.objects.filter(to_service__removed_at=None)
    calls = _by_first(through.values_list("from_service_id", "to_service__slug"))
    keys, gates = config_by_service(), gates_by("service_id")
    services: dict[int, Service] = {}
    for service in Service.objects.select_related("team").order_by("slug"):
        if service.is_built_in:
            stored.built_in, stored.built_in_team = service.slug, service.team.slug
            continue
        services[service.pk] = service
        fields = {name: getattr(service, name) for name in ("name", "summary", "tier", "tags")}
        fields |= {
            "owner": service.team.slug,
            "links": [[link["name"], link["url"]] for link in service.links],
            "facts": service.facts,
            "depends_on": sorted(calls[service.pk]),
            "config": keys[service.pk],
            "gates": gates[service.pk],
        }
        is_removed = service.removed_at is not None
        stored.add((SERVICE, service.slug), service, fields, is_removed=is_removed)
    return services


def _read_environments(stored: Stored, services: dict[int, Service]) -> dict[int, Environment]:
    environments: dict[int, Environment] = {}
    for one in Environment.objects.order_by("service_id", "slug"):
        service = services.get(one.service_id)
        if service is None:
            continue
        one.service = service
        environments[one.pk] = one
        names = ("base_url", "version_route", "version_commit", "version_config_root")
        thing = (ENVIRONMENT, service.slug, one.slug)
        is_removed = (one.removed_at or service.removed_at) is not None
        stored.add(thing, one, {name: getattr(one, name) for name in names}, is_removed=is_removed)
    return environments


def _read_variables(stored: Stored, environments: dict[int, Environment]) -> None:
    for variable in Variable.objects.order_by("environment_id", "name"):
        environment = environments.get(variable.environment_id)
        if environment is None:
            continue
        variable.environment = environment
        thing = (VARIABLE, environment.service.slug, environment.slug, variable.name)
        is_removed = (ENVIRONMENT, *thing[1:3]) in stored.removed
        stored.add(thing, variable, {"value": _written(variable)}, is_removed=is_removed)


def _written(variable: Variable) -> str:
    """The value as a board file writes it."""
    if not variable.is_secret:
        return references.escape(variable.value)
    environment = variable.environment
    typed = references.name_for(environment.service.slug, environment.slug, variable.name)
    return variable.written or f"${{{typed}}}"


def _read_paths(
    stored: Stored, services: dict[int, Service], environments: dict[int, Environment]
) -> dict[int, CriticalPath]:
    through = CriticalPath.environments.through.objects
    places = _by_first(through.values_list("criticalpath_id", "environment_id"))
    paths: dict[int, CriticalPath] = {}
    for path in CriticalPath.objects.select_related("owner").order_by("service_id", "slug"):
        service = services.get(path.service_id)
        if service is None:
            continue
        path.service = service
        paths[path.pk] = path
        chosen = [environments[pk] for pk in places[path.pk] if pk in environments]
        fields = _fields_of_path(path, [one.slug for one in chosen if one.removed_at is None])
        is_removed = (path.removed_at or service.removed_at) is not None
        stored.add((PATH, service.slug, path.slug), path, fields, is_removed=is_removed)
    return paths


def _fields_of_path(path: CriticalPath, environments: list[str]) -> Fields:
    return {name: getattr(path, name) for name in _AS_STORED} | {
        "owner": path.owner.slug if path.owner else "",
        "route": written_route(path.method, path.route, path.kind),
        "headers": [list(pair) for pair in path.headers],
        "query": [list(pair) for pair in path.query],
        "expect": path.expected_result.split("\n") if path.expected_result else [],
        "environments": sorted(environments),
        "paused": path.paused_at is not None,
    }


def _read_notes(
    stored: Stored, services: dict[int, Service], paths: dict[int, CriticalPath]
) -> None:
    of_note = NoteVersion.objects.filter(note=OuterRef("note")).order_by("-number")
    newest = NoteVersion.objects.filter(number=Subquery(of_note.values("number")[:1]))
    versions = {version.note_id: version for version in newest}
    for note in RollbackNote.objects.order_by("pk"):
        service = services.get(note.service_id)
        if service is None:
            continue
        thing: Thing = (NOTE, service.slug)
        of: Thing = (SERVICE, service.slug)
        if note.path_id is not None:
            slug = paths[note.path_id].slug
            thing, of = (*thing, slug), (PATH, service.slug, slug)
        stored.notes[thing] = note
        if version := versions.get(note.pk):
            is_removed = of in stored.removed
            stored.add(thing, version, _fields_of_note(version), is_removed=is_removed)


def _fields_of_note(version: NoteVersion) -> Fields:
    names = ("title", "use_when", "does_not_undo", "minutes")
    parts = ("do", "run", "see", "call")
    steps = [{part: step.get(part) or "" for part in parts} for step in version.steps]
    return {name: getattr(version, name) for name in names} | {"steps": steps}
