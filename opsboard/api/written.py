"""How values stand in JSON: times in ISO 8601 and UTC, durations in milliseconds, people by name."""

from datetime import UTC, datetime
from typing import Any

from django.contrib.auth.models import User

from opsboard.probes.models import moment
from opsboard.services.models import Team


def time_of(at: datetime | int | None) -> str | None:
    """Of a time, or of microseconds since 1970."""
    if at is None:
        return None
    return (moment(at) if isinstance(at, int) else at.astimezone(UTC)).isoformat()


def ms(microseconds: int | None) -> float | None:
    return None if microseconds is None else microseconds / 1_000


def name_of(person: User | None) -> str | None:
    return person.get_username() if person else None


def team_json(team: Team) -> dict[str, Any]:
    return {"slug": team.slug, "name": team.name, "contact": team.contact}
