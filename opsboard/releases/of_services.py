"""What readiness needs to know of services, read once for all of them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from opsboard.releases.facts import STAGING, Ages, Chosen, DutySeen, NoteSeen, PathSeen
from opsboard.releases.rows_of_services import Row, part_of_services, rows_of
from opsboard.releases.rules import OWNER, Stop
from opsboard.releases.wanted import Frozen, Wanted, freezes_of, parts_of_wanted, wanted_of
from opsboard.releases.way_back import notes_of, parts_of_way_back, rehearsals_of
from opsboard.releases.where_asked import Asked, read_paths
from opsboard.rollbacks.rules import RehearsalSeen
from opsboard.services.rota import read_rotas
from opsboard.services.together import Found, Moment, Part


@dataclass(frozen=True, slots=True, kw_only=True)
class OfServices:
    rows: Mapping[int, Row]
    wanted: Wanted
    paths: Mapping[int, Sequence[PathSeen]]
    notes: Mapping[int, NoteSeen]
    rehearsals: Mapping[int, Sequence[RehearsalSeen]]
    freezes: Sequence[Frozen]
    # By the team's id; only of teams where the owner has to be on duty.
    duties: Mapping[int, DutySeen]

    @staticmethod
    def parts(services: Collection[int], *, now: Moment) -> dict[str, Part]:
        """What `read` is given, to be read in one query with what belongs to releases."""
        return {
            "services": part_of_services(services),
            **parts_of_wanted(services, now=now),
            **parts_of_way_back(services),
        }

    @classmethod
    def read(
        cls,
        found: Mapping[str, Sequence[Found]],
        *,
        ages: Ages,
        now: datetime,
    ) -> "OfServices":
        """One query; one more where a team wants its owner on duty."""
        rows = rows_of(found["services"])
        wanted = wanted_of(found["choices"])
        return cls(
            rows=rows,
            wanted=wanted,
            paths=read_paths(_staging_of(rows), green_for=ages.green_for, now=now),
            notes=notes_of(found["notes"]),
            rehearsals=rehearsals_of(found["rehearsals"]),
            freezes=freezes_of(found["freezes"]),
            duties=_duties(rows, wanted, now=now),
        )

    def choices_of(self, service_id: int) -> Mapping[str, Chosen]:
        return self.wanted.of(service_id, self.rows[service_id].team_id)

    def duty_of(self, service_id: int) -> DutySeen | None:
        return self.duties.get(self.rows[service_id].team_id)

    def stops_of(self, service_id: int, environment: str) -> list[Stop]:
        """The hold of the service, and the freezes of where the release goes."""
        row = self.rows[service_id]
        holding = [
            one.stop for one in self.freezes if one.holds(service_id, row.team_id, environment)
        ]
        return ([row.hold] if row.hold else []) + holding


def _staging_of(rows: Mapping[int, Row]) -> dict[int, Asked]:
    return {
        row.place_ids[STAGING]: Asked(service_id, row.places[STAGING].commit_since, row.longest)
        for service_id, row in rows.items()
        if STAGING in row.places
    }


def _duties(rows: Mapping[int, Row], wanted: Wanted, *, now: datetime) -> dict[int, DutySeen]:
    """Who is on duty, where somebody has to be."""
    teams = {row.team_id for service_id, row in rows.items() if _asks(wanted, service_id, row)}
    if not teams:
        return {}
    duties = {}
    for team_id, rota in read_rotas(teams).items():
        one = rota.on_duty(now)
        person = (one.person.get_full_name() or one.person.get_username()) if one else ""
        duties[team_id] = DutySeen(person=person)
    return duties


def _asks(wanted: Wanted, service_id: int, row: Row) -> bool:
    return OWNER in wanted.of(service_id, row.team_id)
