"""Who of which team is on duty, for what a message says and for channels to who is on duty."""

from collections.abc import Iterable
from datetime import datetime

from django.contrib.auth.models import User

from opsboard.services.models import Team
from opsboard.services.rota import read_rotas


def on_duty_of(teams: Iterable[Team], *, at: datetime) -> dict[int, User]:
    """The person on duty of each of `teams` at a moment, by the team's id, if there is one."""
    rotas = read_rotas({team.pk for team in teams})
    found = {number: rota.on_duty(at) for number, rota in rotas.items()}
    return {number: duty.person for number, duty in found.items() if duty is not None}
