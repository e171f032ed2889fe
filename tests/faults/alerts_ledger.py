"""The incidents and alerts of a run: what was stored, joined with what the sinks took.

A delivery counts by the key of the message that tells it. One that is held back on purpose is
nobody's loss: its reason is stored with it.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from uuid import UUID

from tests.faults.runs import Run
from tests.faults.store import Store


@dataclass(frozen=True)
class ToldIncident:
    service: int
    is_resolved: bool
    # The keys of the messages that tell each event, one for each channel; "": in none yet.
    keys: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Taken:
    """A line of a sink: one message that it took."""

    key: str
    path: str
    at: float


def incidents_of(run: Run) -> list[ToldIncident]:
    deliveries: dict[int, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for incident, event, key in run.store.rows(
        "SELECT d.incident_id, d.event, m.key FROM alerts_delivery d"
        " LEFT JOIN alerts_message m ON m.id = d.message_id"
        " WHERE d.held_at IS NULL AND d.incident_id IS NOT NULL"
    ):
        deliveries[incident][event].append(_written(key))
    question = (
        "SELECT i.id, s.slug, i.resolved_at IS NOT NULL FROM incidents_incident i"
        " JOIN services_service s ON s.id = i.service_id"
    )
    return [
        ToldIncident(_number(slug), bool(resolved), _frozen(deliveries[pk]))
        for pk, slug, resolved in run.store.rows(question)
    ]


def _written(key: Any) -> str:
    return str(UUID(str(key))) if key else ""


def _frozen(keys: Mapping[str, list[str]]) -> dict[str, tuple[str, ...]]:
    return {event: tuple(those) for event, those in keys.items()}


def _number(slug: Any) -> int:
    return int(str(slug).rpartition("-")[2])


def taken(run: Run) -> list[Taken]:
    """What the sinks took, in the order they did."""
    lines = (line.split() for line in run.sink.read_text().splitlines())
    return [Taken(key, path, float(at)) for key, path, at in lines]


def times_told(run: Run) -> Counter[str]:
    """How often the sinks took each key."""
    return Counter(one.key for one in taken(run))


def untold(store: Store) -> int:
    """Deliveries that still wait, or are on their way. What was given up is neither."""
    return int(
        store.one(
            "SELECT count(*) FROM alerts_delivery d LEFT JOIN alerts_message m"
            " ON m.id = d.message_id WHERE d.held_at IS NULL"
            " AND (m.id IS NULL OR (m.delivered_at IS NULL AND m.dead_at IS NULL))"
        )
    )


def waiting(store: Store) -> list[tuple[Any, ...]]:
    """What `untold` counts, to be looked at."""
    return store.rows(
        "SELECT d.channel_id, d.incident_id, d.event, d.opening, d.created_at, d.wanted_at,"
        " m.id, m.attempts, m.last_error FROM alerts_delivery d LEFT JOIN alerts_message m"
        " ON m.id = d.message_id WHERE d.held_at IS NULL"
        " AND (m.id IS NULL OR (m.delivered_at IS NULL AND m.dead_at IS NULL))"
    )


def too_many(incidents: Iterable[ToldIncident], outages: frozenset[int]) -> int:
    counts = Counter(incident.service for incident in incidents)
    return sum(max(0, count - (service in outages)) for service, count in counts.items())


def alerts_lost(run: Run, incidents: Iterable[ToldIncident], told: Counter[str]) -> int:
    lost = len(run.outages - {incident.service for incident in incidents})
    for incident in incidents:
        events = ["failing", "resolved"] if incident.is_resolved else ["failing"]
        for event in events:
            keys = incident.keys.get(event, ())
            lost += not keys or any(told[key] == 0 for key in keys)
    return lost


def out_of_order(run: Run) -> list[str]:
    """Ends that a channel took before their beginnings. Both in one message are in order."""
    place: dict[str, int] = {}
    for number, one in enumerate(taken(run)):
        place.setdefault(one.key, number)
    rows = run.store.rows(
        "SELECT d.channel_id, d.incident_id, d.opening, d.event, m.key FROM alerts_delivery d"
        " JOIN alerts_message m ON m.id = d.message_id"
        " WHERE d.incident_id IS NOT NULL AND d.event IN ('failing', 'resolved')"
        " ORDER BY d.channel_id, d.incident_id, d.opening, d.event"
    )
    wrong = []
    for (*where, event, key), (*where_next, _, key_next) in pairwise(rows):
        if event == "failing" and where == where_next:
            begins, ends = place.get(_written(key)), place.get(_written(key_next))
            if begins is not None and ends is not None and ends < begins:
                wrong.append(f"incident {where[1]} was over before it began")
    return wrong
