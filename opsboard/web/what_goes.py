"""What goes when a thing is removed, in words: read before somebody says yes."""

from collections.abc import Iterable
from dataclasses import dataclass

from opsboard.board.removing import asked_only_in
from opsboard.incidents.models import Incident
from opsboard.probes.models import Probe, ServiceDay
from opsboard.rollbacks.models import RollbackNote
from opsboard.services.models import CriticalPath, Environment, Service, Team
from opsboard.services.told import Thing
from opsboard.web.words import counted

NAMED = 20


@dataclass(frozen=True, slots=True)
class Part:
    what: str
    words: str


def what_goes(thing: Thing) -> list[Part]:
    match thing:
        case Service():
            return _of_service(thing)
        case Environment():
            return _of_environment(thing)
        case CriticalPath():
            return _of_path(thing)
        case Team():
            return _of_team(thing)


def _of_service(service: Service) -> list[Part]:
    paths = list(service.paths.standing().order_by("name").values_list("name", flat=True))
    places = service.environments.standing().order_by("slug").values_list("slug", flat=True)
    callers = service.called_by.standing().order_by("name").values_list("name", flat=True)
    days = ServiceDay.objects.filter(environment__service=service)
    notes = RollbackNote.objects.filter(service=service, versions__isnull=False).distinct().count()
    return _written(
        Part("Open incident", _incidents(Incident.objects.filter(service=service))),
        Part("Critical paths", _named(paths, "is not asked any more", "are not asked any more")),
        Part("Environments", _named(list(places), "with its variables", "with their variables")),
        Part("History", _days(days.values("day").distinct().count())),
        Part("Rollback notes", f"{counted(notes, 'note')}, with all versions." if notes else ""),
        Part("Who calls it", _named(list(callers), "calls it", "call it")),
    )


def _of_environment(environment: Environment) -> list[Part]:
    only_here = [path.name for path in asked_only_in(environment)]
    asked = Probe.objects.active().filter(environment=environment).values("path").distinct().count()
    return _written(
        Part("Open incident", _incidents(Incident.objects.filter(environment=environment))),
        Part("Probes", f"{counted(asked, 'critical path')} asked here." if asked else ""),
        Part(
            "Critical paths",
            _named(
                only_here, "is asked only here, and goes too", "are asked only here, and go too"
            ),
        ),
        Part(
            "Variables",
            _named([one.name for one in environment.variables.order_by("name")], "", ""),
        ),
        Part("History", _days(ServiceDay.objects.filter(environment=environment).count())),
    )


def _of_path(path: CriticalPath) -> list[Part]:
    probes = Probe.objects.active().filter(path=path).select_related("environment")
    slugs = sorted({probe.environment.slug for probe in probes})
    incidents = Incident.objects.filter(paths__path=path, paths__left_at=None)
    has_note = RollbackNote.objects.filter(path=path, versions__isnull=False).exists()
    return _written(
        Part("Open incident", _incidents(incidents)),
        Part("Probes", f"It is not asked any more in {' and '.join(slugs)}." if slugs else ""),
        Part("Rollback note", "Its own note, with all versions." if has_note else ""),
        Part("History", f"What was measured stays in the days of {path.service.name}."),
    )


def _of_team(team: Team) -> list[Part]:
    members = [user.get_username() for user in team.members.order_by("username")]
    channels = team.channels.filter(removed_at=None).order_by("name").values_list("name", flat=True)
    return _written(
        Part("Members", _named(members, "leaves it", "leave it")),
        Part("Channels", _named(list(channels), "hears about it only", "hear about it only")),
    )


def _written(*parts: Part) -> list[Part]:
    return [part for part in parts if part.words]


def _incidents(incidents: Iterable[Incident]) -> str:
    names = [str(one) for one in incidents if one.is_open]
    if len(names) == 1:
        return f"{names[0]}: its failing paths leave, and it ends."
    return f"{' and '.join(names)}: their failing paths leave, and they end." if names else ""


def _named(names: list[str], one: str, many: str) -> str:
    """ "2 are not asked any more: Health, Price a crossing."; "" for none."""
    if not names:
        return ""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    head = f"{len(names)} {one if len(names) == 1 else many}".strip()
    return f"{head}: {', '.join(names[:NAMED])}{more}."


def _days(days: int) -> str:
    return f"{counted(days, 'day')} measured." if days else ""
