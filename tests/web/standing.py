"""Paths that stand somehow, and what was measured of them, made in the database by hand."""

import json
import re
from datetime import UTC, datetime, timedelta
from itertools import count

from opsboard.probes.models import Kind, Observation, Probe, StateChange, microseconds, stand_up
from opsboard.probes.rules import State, Verdict
from opsboard.probes.stored import CACHE
from opsboard.services.models import CriticalPath, Service, Team

SECOND = 1_000_000
MINUTE = 60 * SECOND
_numbers = count(1)


def text_of(html: str) -> str:
    """A page as it is read: without tags, white space as one space."""
    apart = re.sub(r"</?(?:p|td|th|li|div|dt|dd|h\d)\b[^>]*>", " ", html.replace("\u00a0", " "))
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", apart))


def a_service(name: str = "", *, team: str = "Pricing", environments: int = 1) -> Service:
    owner, _ = Team.objects.get_or_create(slug=team.lower(), defaults={"name": team})
    name = name or f"service-{next(_numbers)}"
    service = Service.objects.create(slug=name, name=name, summary=f"What {name} does", team=owner)
    for slug in ("production", "staging")[:environments]:
        service.environments.create(slug=slug, base_url=f"https://{name}.{slug}.example")
    return service


def a_path(service: Service, name: str = "Price a crossing", **fields: object) -> CriticalPath:
    values: dict[str, object] = {
        "slug": name.lower().replace(" ", "-"),
        "name": name,
        "route": "/price",
        "expected_result": "status == 200\ntime < 400 ms",
        "user_notices": "Step 2 of booking stays empty",
    }
    return CriticalPath.objects.create(service=service, **(values | fields))


def stands(
    path: CriticalPath,
    state: State = State.PASSING,
    *,
    reason: str = "",
    minutes: int = 23,
    clauses: list[tuple[str, bool | None, str]] | None = None,
    environment: str = "production",
) -> Probe:
    """The probe of a path that has been in `state` for so many minutes, heard of 5 s ago."""
    now = datetime.now(UTC)
    if not path.probes.exists():
        stand_up(path.service, now=now - timedelta(days=1), location="default")
    probe = Probe.objects.get(path=path, environment__slug=environment)
    since = microseconds(now) - minutes * MINUTE
    outcomes = [{"clause": c, "held": held, "got": got} for c, held, got in clauses or []]
    probe.state = probe.streak_state = state
    probe.state_since, probe.reason = since, reason
    probe.observed_at = microseconds(now) - 5 * SECOND
    probe.latest = json.dumps({"clauses": outcomes})
    probe.save()
    StateChange.objects.create(
        probe=probe, at=since, before=State.PASSING, after=state, reason=reason
    )
    return probe


def observed(
    probe: Probe,
    times: list[int],
    *,
    minutes_ago: float = 0.1,
    step_seconds: int = 10,
    **fields: object,
) -> None:
    """One observation for each time in ms, the last of them so many minutes ago."""
    last = microseconds(datetime.now(UTC)) - round(minutes_ago * MINUTE)
    rows = [
        _observation(probe, last - number * step_seconds * SECOND, total * 1000, fields)
        for number, total in enumerate(reversed(times))
    ]
    Observation.objects.bulk_create(rows)


def _observation(probe: Probe, at: int, total: int, fields: dict[str, object]) -> Observation:
    values: dict[str, object] = {
        "dns": 0,
        "connect": 0,
        "tls": 0,
        "first_byte": total,
        "transfer": 0,
        "lateness": 0,
        "size": 2,
        "status": 200,
        "kind": Kind.SCHEDULED,
        "verdict": Verdict.PASSING,
        "cache": CACHE.index("unknown"),
        "is_wrong": False,
        "is_delayed": False,
    }
    return Observation(probe=probe, slot_at=at, total=total, **(values | fields))
