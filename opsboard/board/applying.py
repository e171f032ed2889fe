"""Writing a plan: in bulk, in the caller's transaction, with an audit entry for each change.

Nothing is written for what does not change.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import models

from opsboard.alerts.models import Channel
from opsboard.board import readiness
from opsboard.board.declared import Declared
from opsboard.board.planning import Act, Change, Plan
from opsboard.board.references import names_of, plain
from opsboard.board.sheet_format import split_route
from opsboard.board.showing import field_text
from opsboard.board.stored import Stored
from opsboard.board.things import (
    ENVIRONMENT,
    NOTE,
    PATH,
    SERVICE,
    TEAM,
    VARIABLE,
    Fields,
    subject,
)
from opsboard.people.audit import MASKED, Actor, entry
from opsboard.people.models import AuditEntry
from opsboard.rollbacks.models import NoteVersion, RollbackNote
from opsboard.services.models import CriticalPath, Environment, Service, Team, Variable

BATCH = 500
# Told how far the writing is: what, and how many of how many.
type Progress = Callable[[str, int, int], None]


@dataclass(slots=True)
class Writing:
    plan: Plan
    stored: Stored
    declared: Declared
    actor: Actor
    now: datetime
    progress: Progress

    def of(self, kind: str) -> list[Change]:
        """What is written anew of a kind: added, changed or brought back."""
        changes = self.plan.having(Act.ADDED, Act.CHANGED, Act.RESTORED)
        return [change for change in changes if change.thing[0] == kind]

    def row(self, kind: str, *names: str) -> Any:
        return self.stored.rows[kind, *names]


def write(writing: Writing) -> set[str]:
    """Returns the services whose probes have to be brought in line."""
    _write_teams(writing)
    _write_services(writing)
    _write_environments(writing)
    _write_variables(writing)
    _write_paths(writing)
    _write_notes(writing)
    _remove(writing)
    _tell(writing)
    asked = (ENVIRONMENT, VARIABLE, PATH)
    return {
        change.thing[1]
        for change in writing.plan.changes
        if change.thing[0] in asked
        or (change.thing[0] == SERVICE and change.act in (Act.RESTORED, Act.REMOVED))
    }


def _set(row: Any, fields: Fields, *names: str) -> None:
    for name in names:
        if name in fields:
            setattr(row, name, fields[name])


def _save[Row: models.Model](
    writing: Writing, what: str, model: type[Row], rows: Sequence[Row]
) -> None:
    """New rows are added, others written over, each in few statements."""
    old = [row for row in rows if row.pk is not None]
    names = [f.name for f in model._meta.concrete_fields if not f.primary_key]
    _add(writing, what, model, [row for row in rows if row.pk is None])
    for number, some in enumerate(_batches(old)):
        writing.progress(f"{what} written over", number * BATCH, len(old))
        model._default_manager.bulk_create(
            some, update_conflicts=True, unique_fields=["id"], update_fields=names
        )


def _add[Row: models.Model](
    writing: Writing, what: str, model: type[Row], rows: Sequence[Row]
) -> None:
    """Told before each piece: what waits for the word that it may go on is not written yet."""
    for number, some in enumerate(_batches(rows)):
        writing.progress(what, number * BATCH, len(rows))
        model._default_manager.bulk_create(some)


def _batches[T](rows: Sequence[T]) -> Iterator[Sequence[T]]:
    return (rows[start : start + BATCH] for start in range(0, len(rows), BATCH))


def _write_teams(writing: Writing) -> None:
    changes = writing.of(TEAM)
    for change in changes:
        row = writing.stored.rows.setdefault(change.thing, Team(slug=change.thing[1]))
        _set(row, change.after, "name", "contact", "zone")
        if row.removed_at is not None:
            row.channels.filter(removed_at=row.removed_at).update(removed_at=None)
        row.removed_at = row.removed_by = None
    _save(writing, "teams", Team, [writing.stored.rows[change.thing] for change in changes])
    _write_gates(writing, changes)
    through = Team.members.through
    with_members = [change for change in changes if "members" in change.after]
    teams = [writing.stored.rows[change.thing] for change in with_members]
    through.objects.filter(team__in=teams).delete()
    through.objects.bulk_create(
        through(team=team, user=writing.stored.people[name.casefold()])
        for team, change in zip(teams, with_members, strict=True)
        for name in change.after["members"]
    )


def _write_services(writing: Writing) -> None:
    changes = writing.of(SERVICE)
    for change in changes:
        row = writing.stored.rows.setdefault(change.thing, Service(slug=change.thing[1]))
        _set(row, change.after, "name", "summary", "tier", "tags", "facts")
        if "owner" in change.after:
            row.team = writing.row(TEAM, change.after["owner"])
        if "links" in change.after:
            row.links = [{"name": name, "url": url} for name, url in change.after["links"]]
        row.removed_at = row.removed_by = None
    _save(writing, "services", Service, [writing.stored.rows[change.thing] for change in changes])
    _write_dependencies(writing, [one for one in changes if "depends_on" in one.after])
    readiness.write_config(
        (writing.stored.rows[one.thing], one.after["config"])
        for one in changes
        if "config" in one.after
    )
    _write_gates(writing, changes)


def _write_gates(writing: Writing, changes: list[Change]) -> None:
    readiness.write_gates(
        (writing.stored.rows[one.thing], one.after["gates"])
        for one in changes
        if "gates" in one.after
    )


def _write_dependencies(writing: Writing, changes: list[Change]) -> None:
    through = Service.depends_on.through
    built_in = Service.objects.filter(is_built_in=True).first()
    calling = [writing.stored.rows[change.thing] for change in changes]
    for some in _batches(calling):
        through.objects.filter(from_service__in=some).delete()
    through.objects.bulk_create(
        (
            through(
                from_service=service,
                to_service=writing.stored.rows.get((SERVICE, slug), built_in),
            )
            for service, change in zip(calling, changes, strict=True)
            for slug in change.after["depends_on"]
        ),
        batch_size=BATCH,
    )


def _write_environments(writing: Writing) -> None:
    changes = writing.of(ENVIRONMENT)
    for change in changes:
        new = Environment(slug=change.thing[2])
        row = writing.stored.rows.setdefault(change.thing, new)
        row.service = writing.row(SERVICE, change.thing[1])
        _set(
            row, change.after, "base_url", "version_route", "version_commit", "version_config_root"
        )
        row.removed_at = row.removed_by = None
    _save(
        writing,
        "environments",
        Environment,
        [writing.stored.rows[change.thing] for change in changes],
    )


def _write_variables(writing: Writing) -> None:
    changes = writing.of(VARIABLE)
    for change in changes:
        new = Variable(name=change.thing[3])
        row = writing.stored.rows.setdefault(change.thing, new)
        row.environment = writing.row(ENVIRONMENT, *change.thing[1:3])
        _give_value(row, change.after["value"], writing.plan.secrets.get(change.thing))
    _save(writing, "variables", Variable, [writing.stored.rows[change.thing] for change in changes])


def _give_value(variable: Variable, written: str, secret: str | None) -> None:
    if not names_of(written):
        variable.is_secret, variable.reference = False, ""
        variable.keep(plain(written))
        return
    was_secret = variable.is_secret
    variable.is_secret = True
    variable.reference = _reference(written)
    if secret is not None:
        variable.keep(secret)
    elif not was_secret:
        # What was typed in the open is no secret: it waits for one.
        variable.value = ""


def _reference(written: str) -> str:
    name = written.removeprefix("${").removesuffix("}")
    return name if written == f"${{{name}}}" and name.isidentifier() else written


def _write_paths(writing: Writing) -> None:
    changes = writing.of(PATH)
    for change in changes:
        new = CriticalPath(slug=change.thing[2])
        row = writing.stored.rows.setdefault(change.thing, new)
        row.service = writing.row(SERVICE, change.thing[1])
        _give_sheet(row, change.after, writing)
    _save(writing, "paths", CriticalPath, [writing.stored.rows[change.thing] for change in changes])
    _write_places(writing, [one for one in changes if "environments" in one.after])


def _give_sheet(path: CriticalPath, fields: Fields, writing: Writing) -> None:
    _set(path, fields, "name", "headers", "query", "body", "user_notices", "patience")
    _set(path, fields, "slow_query_or_command", "interval", "timeout", "follows_redirects")
    _set(path, fields, "kind", "connection", "cache_mode", "steps", "heartbeat", "locations")
    _set(path, fields, "patience_to_recover")
    if "route" in fields:
        path.method, path.route = split_route(fields["route"], path.kind)
    if "expect" in fields:
        path.expected_result = "\n".join(fields["expect"])
    if "owner" in fields:
        path.owner = writing.row(TEAM, fields["owner"]) if fields["owner"] else None
    if "paused" in fields:
        path.paused_at = writing.now if fields["paused"] else None
        path.paused_by = writing.actor.person if fields["paused"] else None
    path.removed_at = path.removed_by = None
    # Nobody has looked at it yet as it is now.
    path.checked_by = path.checked_at = None


def _write_places(writing: Writing, changes: list[Change]) -> None:
    through = CriticalPath.environments.through
    paths = [writing.stored.rows[change.thing] for change in changes]
    for some in _batches(paths):
        through.objects.filter(criticalpath__in=some).delete()
    through.objects.bulk_create(
        (
            through(criticalpath=path, environment=writing.row(ENVIRONMENT, change.thing[1], slug))
            for path, change in zip(paths, changes, strict=True)
            for slug in change.after["environments"]
        ),
        batch_size=BATCH,
    )


def _write_notes(writing: Writing) -> None:
    changes = writing.of(NOTE)
    missing = [change for change in changes if change.thing not in writing.stored.notes]
    for change in missing:
        path = writing.row(PATH, *change.thing[1:]) if len(change.thing) > 2 else None
        service = writing.row(SERVICE, change.thing[1])
        writing.stored.notes[change.thing] = RollbackNote(service=service, path=path)
    _save(
        writing,
        "rollback notes",
        RollbackNote,
        [writing.stored.notes[change.thing] for change in missing],
    )
    versions = [_version(writing, change) for change in changes]
    _add(writing, "versions of rollback notes", NoteVersion, versions)


def _version(writing: Writing, change: Change) -> NoteVersion:
    """The next version: earlier ones stay as they are."""
    newest: NoteVersion | None = writing.stored.rows.get(change.thing)
    names = ("title", "use_when", "does_not_undo", "minutes", "steps")
    kept = {name: getattr(newest, name) for name in names} if newest else {}
    file = writing.declared.file_of(SERVICE, change.thing[1])
    return NoteVersion(
        note=writing.stored.notes[change.thing],
        number=newest.number + 1 if newest else 1,
        reason=f"By the board file {file}"[:300],
        written_by=writing.actor.person,
        written_as="" if writing.actor.person else writing.actor.who[:150],
        written_at=writing.now,
        **kept | change.after,
    )


def _remove(writing: Writing) -> None:
    of_kind: dict[str, list[int]] = {}
    for thing in writing.plan.removals:
        of_kind.setdefault(thing[0], []).append(writing.stored.rows[thing].pk)
    for kind, model in ((PATH, CriticalPath), (ENVIRONMENT, Environment), (SERVICE, Service)):
        _mark_removed(model, of_kind.get(kind, []), writing)
    teams = of_kind.get(TEAM, [])
    # As by hand, in opsboard.board.removing: a team takes its own channels along.
    Channel.objects.filter(team__in=teams, removed_at=None).update(removed_at=writing.now)
    _mark_removed(Team, teams, writing)
    for some in _batches(of_kind.get(VARIABLE, [])):
        Variable.objects.filter(pk__in=some).delete()


def _mark_removed(model: Any, keys: list[int], writing: Writing) -> None:
    for some in _batches(keys):
        rows = model.objects.filter(pk__in=some)
        rows.update(removed_at=writing.now, removed_by=writing.actor.person)


def _tell(writing: Writing) -> None:
    entries = [_entry(writing, change) for change in writing.plan.changes]
    _add(writing, "entries of the audit log", AuditEntry, entries)


def _entry(writing: Writing, change: Change) -> AuditEntry:
    before, after = told(change, writing.plan)
    return entry(
        writing.actor,
        change.act,
        change.thing[0],
        subject(change.thing),
        now=writing.now,
        before=in_words(before),
        after=in_words(after),
    )


def in_words(fields: Fields) -> Fields:
    """As the pages name the fields: "user notices", not the key "user_notices"."""
    return {name.replace("_", " "): value for name, value in fields.items()}


def told(change: Change, plan: Plan) -> tuple[Fields, Fields]:
    """The fields before and after as people may see them: the value of a secret never is."""
    before, after = shown(change.before), shown(change.after)
    if change.thing in plan.secrets:
        before |= {"secret": MASKED if change.act is Act.CHANGED else ""}
        after |= {"secret": f"{MASKED}, set anew"}
    return before, after


def shown(fields: Fields) -> Fields:
    texts = {name: field_text(name, value) for name, value in fields.items()}
    return {name: text for name, text in texts.items() if text}
