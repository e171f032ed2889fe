"""What happened to a path, newest first: its standing, its note, its gaps, its last probes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse

from opsboard.incidents.models import IncidentPath
from opsboard.probes.models import (
    Gap,
    Kind,
    Observation,
    Probe,
    StateChange,
    moment,
)
from opsboard.probes.orders import traceparent
from opsboard.probes.rules import STATES, State, Verdict
from opsboard.probes.step_facts import read_steps
from opsboard.probes.stored import CACHE
from opsboard.probes.unconfirmed import Belief, beliefs
from opsboard.rollbacks.models import NoteVersion
from opsboard.services.together import Number, one_of
from opsboard.web.notes_for import in_use, versions_of
from opsboard.web.words import ago, counted, reason_sentence, sentence

EVENTS_SHOWN = 12
PROBES_SHOWN = 8
GAPS_OF = timedelta(days=7)
# How a failure is said where a status would stand.
FAILURES = {
    "dns": "name not found",
    "refused": "refused",
    "unreachable": "no way there",
    "connect_timeout": "no connection",
    "timeout": "timed out",
    "reset": "cut off",
    "protocol": "not HTTP",
    "too_large": "too large",
    "headers_too_large": "headers too large",
    "decode": "not readable",
    "redirect_refused": "redirect refused",
    "redirect_loop": "redirect loop",
    "egress_denied": "not allowed to ask",
    "tls_expired": "certificate expired",
    "tls_not_yet_valid": "certificate not valid yet",
    "tls_hostname": "certificate of another name",
    "tls_untrusted": "certificate not trusted",
    "tls_version": "old TLS version",
    "tls_handshake": "no TLS",
    "config": "cannot be asked",
    "internal": "error of Opsboard",
    "late": "no report in time",
    "not_ended": "does not end",
    "awaited": "no report yet",
}
KINDS = {
    Kind.ASKED_AGAIN: "asked again",
    Kind.ASKED_NOW: "asked by a person",
    Kind.REPORTED: "reported in",
}


# The newest observations of each probe, by its number, newest first.
type Seen = Mapping[int, Sequence[Observation]]


@dataclass(frozen=True, slots=True)
class Event:
    at: datetime
    text: str
    # The state it led to, or "" for what is no state: then the icon.
    state: str = ""
    icon: str = ""
    url: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class ProbeRow:
    """One observation as a row of a table."""

    # The same in every answer, for live updates.
    key: str
    at: datetime
    # "" for an error of our own, which says nothing about the service.
    state: str
    words: str
    # None: nothing came.
    total: int | None
    cache: str
    calls: str
    status: str
    # Whether it was believed, why it was asked, and whether our own loop was late; "" as a rule.
    note: str
    location: str
    # By which the far side's own logs name it: for editors alone.
    trace_id: str

    @property
    def cache_icon(self) -> str:
        return self.cache if self.cache in ("hit", "miss") else ""


def newest_seen(probes: Sequence[Probe]) -> Seen:
    """One query for each location."""
    return {
        probe.pk: list(Observation.objects.filter(probe=probe).order_by("-slot_at")[:PROBES_SHOWN])
        for probe in probes
    }


def parts(
    path: Number,
    service: Number,
    environment: Number,
    probes: Sequence[Number],
    *,
    seen_since: Mapping[int, Number],
    gaps_since: Number,
) -> dict[str, QuerySet[Any]]:
    """What `last_probes` and `history` are made of: for opsboard.services.together.

    `seen_since`: by the places of those probes of which `troubled` is true, when the oldest of
    their newest observations was asked.
    """
    return {
        **{f"changes_{place}": _newest_changes(probe) for place, probe in enumerate(probes)},
        **{
            f"believed_{place}": StateChange.objects.filter(probe=probes[place], at__gte=since)
            for place, since in seen_since.items()
        },
        "gaps": _newest_gaps(probes, gaps_since),
        "joined": _newest_joined(path, environment),
        **versions_of(path, service, most=EVENTS_SHOWN),
    }


def troubled(probes: Sequence[Probe], seen: Seen) -> dict[int, int]:
    """By their places, the probes that saw trouble, and when the oldest of what they saw was asked.

    In microseconds since 1970.
    """
    return {
        place: _asked_at(seen[probe.pk][-1])
        for place, probe in enumerate(probes)
        if _saw_trouble(seen[probe.pk])
    }


def last_probes(
    probes: Sequence[Probe], seen: Seen, found: Mapping[str, list[Any]]
) -> list[ProbeRow]:
    rows: list[tuple[Observation, ProbeRow]] = []
    for place, probe in enumerate(probes):
        newest = seen[probe.pk]
        changes = found.get(f"believed_{place}", [])
        believed = _beliefs(probe, newest[::-1], changes)[::-1]
        rows += [
            (one, _row(one, probe.location, belief))
            for one, belief in zip(newest, believed, strict=True)
        ]
    rows.sort(key=lambda pair: pair[0].slot_at, reverse=True)
    return [row for _, row in rows[:PROBES_SHOWN]]


def _saw_trouble(seen: Sequence[Observation]) -> bool:
    return any(one.verdict not in (Verdict.PASSING, Verdict.ERROR) for one in seen)


def _asked_at(one: Observation) -> int:
    return one.slot_at + one.lateness


def _beliefs(
    probe: Probe, seen: Sequence[Observation], believed: Sequence[StateChange]
) -> list[Belief]:
    """Of observations, the oldest first."""
    if not _saw_trouble(seen):
        return [Belief.CONFIRMED] * len(seen)
    asked = [(_asked_at(one), Verdict(one.verdict)) for one in seen]
    changes = sorted(believed, key=attrgetter("at", "pk"))
    before = State(changes[0].before if changes else probe.state)
    return beliefs(asked, before, [(one.at, State(one.after)) for one in changes])


def _row(one: Observation, location: str, belief: Belief) -> ProbeRow:
    verdict = Verdict(one.verdict)
    state = STATES.get(verdict)
    cache = CACHE[one.cache]
    return ProbeRow(
        key=f"{one.probe_id}-{one.slot_at}",
        at=moment(one.slot_at),
        state=state or State.NO_DATA,
        words=state.words.capitalize() if state else "Not asked",
        total=one.total if state else None,
        cache="not reported" if cache == "unknown" else cache,
        calls="not reported" if one.db_calls is None else str(one.db_calls),
        status=FAILURES.get(one.failure, one.failure) if one.failure else str(one.status),
        note=", ".join(_notes(one, belief)),
        location=location,
        trace_id=traceparent(one.probe_id, one.slot_at).split("-")[1],
    )


def _notes(one: Observation, belief: Belief) -> list[str]:
    kind = KINDS.get(Kind(one.kind), "")
    late = "our prober was late" if one.is_delayed else ""
    return [note for note in (_broke_at(one), belief, kind, late) if note]


def _broke_at(one: Observation) -> str:
    """The first step that failed, of a path of several: "broke at step 2, Book it"."""
    for number, step in enumerate(read_steps(one.steps), 1):
        if step.verdict in (Verdict.FAILING, Verdict.ERROR):
            return f"broke at step {number}, {step.name}"
    return ""


def history(probes: Sequence[Probe], found: Mapping[str, list[Any]]) -> list[Event]:
    """Changes, gaps, incidents and note versions together, from what `parts` names."""
    events = [
        *_changes(probes, found),
        *_gaps(found["gaps"]),
        *_joined(found["joined"]),
        *_versions(in_use(found)),
    ]
    return sorted(events, key=lambda event: event.at, reverse=True)[:EVENTS_SHOWN]


def _newest_changes(probe: Number) -> QuerySet[StateChange]:
    newest = StateChange.objects.filter(probe=probe).order_by("-at", "-pk")
    return StateChange.objects.filter(pk__in=newest.values("pk")[:EVENTS_SHOWN])


def _changes(probes: Sequence[Probe], found: Mapping[str, list[Any]]) -> list[Event]:
    events = []
    for place in range(len(probes)):
        changes = sorted(found[f"changes_{place}"], key=attrgetter("at", "pk"), reverse=True)
        older: list[StateChange | None] = [*changes, None][1:]
        events += [_change(change, before) for change, before in zip(changes, older, strict=True)]
    return events


def _change(change: StateChange, before: StateChange | None) -> Event:
    lasted = f" after {ago(moment(before.at), moment(change.at))}" if before else ""
    return Event(moment(change.at), change_words(change, lasted), state=change.after)


def change_words(change: StateChange, lasted: str) -> str:
    """ "Failing. Status is 503, expected 201." and "Passing again after 9 min failing."."""
    was, became = State(change.before), State(change.after)
    if became is State.PASSING:
        began = was is State.NO_DATA and not lasted
        return "Passing." if began else f"Passing again{lasted} {was.words}."
    if was is State.PAUSED:
        return f"Asked again{lasted} paused." if lasted else "Asked again."
    if became is State.PAUSED:
        return "Paused."
    return f"{became.words.capitalize()}. {reason_sentence(change.reason)}".strip()


def _newest_gaps(probes: Sequence[Number], since: Number) -> QuerySet[Gap]:
    found = Gap.objects.filter(one_of("probe", probes), last_slot_at__gte=since)
    newest = found.order_by("-last_slot_at")
    return Gap.objects.filter(pk__in=newest.values("pk")[:EVENTS_SHOWN])


def _gaps(gaps: Sequence[Gap]) -> list[Event]:
    return [
        Event(
            moment(gap.first_slot_at),
            f"{counted(gap.slots, 'slot')} missed until {moment(gap.last_slot_at):%H:%M}: "
            "nobody asked.",
            state=State.NO_DATA,
        )
        for gap in sorted(gaps, key=attrgetter("last_slot_at"), reverse=True)
    ]


def _newest_joined(path: Number, environment: Number) -> QuerySet[IncidentPath]:
    joined = IncidentPath.objects.filter(path=path, incident__environment=environment)
    newest = joined.order_by("-joined_at", "-pk")
    few = newest.values("pk")[:EVENTS_SHOWN]
    return IncidentPath.objects.filter(pk__in=few).select_related("incident")


def _joined(places: Sequence[IncidentPath]) -> list[Event]:
    return [
        Event(
            place.joined_at,
            "It opened this incident:"
            if place.incident.opened_at == place.joined_at
            else "Joined this incident:",
            icon="mail",
            url=reverse("incident", args=[place.incident.pk]),
            link=str(place.incident),
        )
        for place in sorted(places, key=attrgetter("joined_at", "pk"), reverse=True)
    ]


def _versions(versions: Sequence[NoteVersion]) -> list[Event]:
    return [
        Event(
            version.written_at,
            f"Rollback note version {version.number} by "
            f"{version.writer}. {sentence(version.reason)}",
            icon="history",
        )
        for version in versions
    ]
