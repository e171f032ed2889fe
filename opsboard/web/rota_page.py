"""What the page of a rota shows: who is on duty, the next turns, and who covers."""

from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from django.contrib.auth.models import User

from opsboard.alerts.models import Channel
from opsboard.services.models import Rota, Team
from opsboard.services.rota import OnDuty, Reading, read_rotas
from opsboard.services.turns import Turn, turns_from
from opsboard.web.words import person_name

TURNS_SHOWN = 6


@dataclass(frozen=True, slots=True)
class TurnRow:
    turn: Turn
    person: User
    is_now: bool


def read_rota_page(team: Team, *, now: datetime) -> dict[str, Any]:
    rota = Rota.objects.filter(team=team).first()
    reading = read_rotas([team.pk]).get(team.pk)
    on_duty = reading.on_duty(now) if reading else None
    covers = rota.covers.filter(ends_at__gt=now).select_related("person") if rota else []
    duty_channels = Channel.objects.standing().filter(kind=Channel.Kind.DUTY, team=team)
    return {
        "team": team,
        "rota": rota,
        "head": head_of(team, rota, on_duty),
        "on_duty": on_duty,
        "turns": _turns(reading, now=now) if reading else [],
        "passed_over": _passed_over(reading),
        "covers": sorted(covers, key=lambda one: one.starts_at),
        "channels": list(duty_channels.order_by("name")),
    }


def head_of(team: Team, rota: Rota | None, on_duty: OnDuty | None) -> str:
    if on_duty:
        return f"{person_name(on_duty.person)} is on duty for {team.name}"
    return f"Nobody is on duty for {team.name}" + ("" if rota else ": there is no rota")


def _turns(reading: Reading, *, now: datetime) -> list[TurnRow]:
    return [
        TurnRow(turn, reading.people[turn.person], turn.starts <= now < turn.ends)
        for turn in islice(turns_from(reading.order, now), TURNS_SHOWN)
    ]


def _passed_over(reading: Reading | None) -> list[User]:
    """Those of the order who may not sign in any more: the next one has their turns."""
    if reading is None:
        return []
    return [
        reading.people[number]
        for number in reading.order.people
        if number in reading.order.passed_over
    ]
