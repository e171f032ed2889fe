"""What teams and services want of gates, and when nothing of theirs is to go out."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from operator import itemgetter

from django.db.models import Q

from opsboard.releases.facts import Chosen
from opsboard.releases.models import Freeze, GateChoice
from opsboard.releases.persons import person_in
from opsboard.releases.rules import Stop
from opsboard.services.models import Service
from opsboard.services.together import Found, Moment, Part

_CHOICE = ("team_id", "service_id", "gate", "words", "need", "lasts")
_FREEZE = (
    *("pk", "team_id", "service_id", "environment_slug", "reason", "starts_at", "ends_at"),
    "person",
)


@dataclass(frozen=True, slots=True)
class Wanted:
    of_teams: Mapping[int, Mapping[str, Chosen]]
    of_services: Mapping[int, Mapping[str, Chosen]]

    def of(self, service_id: int, team_id: int) -> dict[str, Chosen]:
        """By gate. The service's choice beats its team's, and keeps the words of its gate."""
        chosen = dict(self.of_teams.get(team_id, {}))
        for gate, one in self.of_services.get(service_id, {}).items():
            theirs = chosen.get(gate)
            words = one.words or (theirs.words if theirs else "")
            chosen[gate] = replace(one, words=words)
        return chosen


def parts_of_wanted(services: Collection[int], *, now: Moment) -> dict[str, Part]:
    """What `wanted_of` and `freezes_of` need, to be read in one query."""
    teams = Service.objects.filter(pk__in=services).values("team")
    choices = GateChoice.objects.filter(Q(team__in=teams) | Q(service__in=services))
    freezes = Freeze.objects.open(now).filter(
        Q(team=None) | Q(team__in=teams), Q(service=None) | Q(service__in=services)
    )
    named = freezes.annotate(person=person_in("planned_by"))
    return {"choices": (choices, _CHOICE), "freezes": (named, _FREEZE)}


def wanted_of(rows: Iterable[Found]) -> Wanted:
    of_teams: dict[int, dict[str, Chosen]] = defaultdict(dict)
    of_services: dict[int, dict[str, Chosen]] = defaultdict(dict)
    for row in rows:
        lasts = None if row["lasts"] is None else timedelta(seconds=row["lasts"])
        chosen = Chosen(need=row["need"], words=row["words"], lasts=lasts)
        if row["service_id"] is not None:
            of_services[row["service_id"]][row["gate"]] = chosen
        else:
            of_teams[row["team_id"]][row["gate"]] = chosen
    return Wanted(of_teams, of_services)


@dataclass(frozen=True, slots=True)
class Frozen:
    """A freeze that is open. None or "" stands for all."""

    team_id: int | None
    service_id: int | None
    environment: str
    stop: Stop

    def holds(self, service_id: int, team_id: int, environment: str) -> bool:
        return (
            self.team_id in (None, team_id)
            and self.service_id in (None, service_id)
            and self.environment in ("", environment)
        )


def freezes_of(rows: Iterable[Found]) -> list[Frozen]:
    """The one that began first stands first."""
    return [
        Frozen(
            team_id=row["team_id"],
            service_id=row["service_id"],
            environment=row["environment_slug"],
            stop=Stop(
                kind="freeze",
                reason=row["reason"],
                by=row["person"],
                since=row["starts_at"],
                until=row["ends_at"],
            ),
        )
        for row in sorted(rows, key=itemgetter("starts_at", "pk"))
    ]
