"""What the page of one release shows: ready or not, why not, each gate's proof, and what came."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db.models import FETCH_RAISE, Q

from opsboard.incidents.models import Incident
from opsboard.releases.aftermath import Aftermath, read_aftermath
from opsboard.releases.models import Decision, Evidence, Freeze, Hold, Override, Release
from opsboard.releases.overriding import may_accept, never
from opsboard.releases.reading import readiness_of
from opsboard.releases.rules import REHEARSAL, GateState, Need, Readiness, Word
from opsboard.services.models import Running
from opsboard.web.notes_for import Notes
from opsboard.web.release_words import (
    Glance,
    Look,
    changes_words,
    glance,
    glance_now,
    look_of,
    release_head,
    verdict_of,
    who_decided,
    who_named,
)
from opsboard.web.words import person_name

EVIDENCE_READ = 200
EARLIER_SHOWN = 10
DECISIONS_SHOWN = 50
OVERRIDES_SHOWN = 50


@dataclass(frozen=True, slots=True)
class GateRow:
    state: GateState
    look: Look
    word: str
    # Of what this gate was read from, as it came. None: Opsboard's own answer, or none.
    proof: Evidence | None
    # Newest first, without the proof.
    earlier: Sequence[Evidence]
    # How many older ones are not shown.
    more: int

    @property
    def url(self) -> str:
        """Where it was found; "" for what no browser should open."""
        return self.state.url if self.state.url.startswith(("https://", "http://", "/")) else ""

    @property
    def is_bad(self) -> bool:
        return self.state.need is Need.REQUIRED and not self.state.is_met


@dataclass(frozen=True, slots=True)
class OverrideRow:
    override: Override
    gates: str
    by: str
    # "Accepted by Ingrid Solheim, 14:20", "waits for a second person", "ended", …
    stands: str
    may_accept: bool
    may_take_back: bool


@dataclass(frozen=True, slots=True)
class DecisionRow:
    decision: Decision
    by: str
    then: Glance
    # The gates as they were then: (look, name, word, reason).
    gates: list[tuple[Look, str, str, str]]


@dataclass(frozen=True, slots=True)
class RunningRow:
    environment: str
    # The version when a release of this commit is known, else the commit, shortened; "": unknown.
    words: str
    is_this: bool
    told_at: datetime | None
    incident: Incident | None


def read_release_page(release: Release, *, person: User, now: datetime) -> dict[str, Any]:
    readiness = readiness_of(release, now=now)
    decisions = _decisions(release)
    rows = _gate_rows(release, readiness)
    note = Notes([release.service_id]).of_service(release.service_id)
    # What was tried elsewhere on its way says nothing of where it goes.
    there = [row.decision for row in decisions if _is_there(row.decision, release)]
    waits = release.released_at is None and release.withdrawn_at is None
    return {
        "release": release,
        "service": release.service,
        "readiness": readiness,
        "waits": waits,
        "head": release_head(release, readiness, next(iter(there), None)),
        "glance": glance_now(readiness),
        "verdict": verdict_of(readiness.whole),
        "named_by": who_named(release),
        "gates": rows,
        "reasons": [one for one in readiness.reasons if one.override is None],
        "overridable": overridable(readiness),
        "overrides": _overrides(release, readiness, person, now=now),
        "stops": _stops(release, readiness, now=now),
        "decisions": decisions,
        "aftermath": _aftermath(release, now=now),
        "changes": changes_words(release),
        "paths": [path for path in release.paths.order_by("name") if path.removed_at is None],
        "running": _running(release),
        "note": note,
        "rehearsal": next((one for one in readiness.gates if one.gate == REHEARSAL), None),
        "can_roll_back": release.released_at is not None,
        "runs_out": _running_out(readiness),
    }


def overridable(readiness: Readiness) -> list[GateState]:
    """The gates that hold it back and whose risk a person may accept."""
    return [
        one
        for one in readiness.reasons
        if one.override is None and one.is_overridable and not never(one)
    ]


def _aftermath(release: Release, *, now: datetime) -> Aftermath | None:
    if release.released_at is None:
        return None
    return read_aftermath([release], now=now).get(release.pk)


# Gates -------------------------------------------------------------------------------------


def _gate_rows(release: Release, readiness: Readiness) -> list[GateRow]:
    """Not met first; within each word, and below, the order of the pages."""
    by_gate: dict[str, list[Evidence]] = {}
    for one in _evidence(release):
        by_gate.setdefault(one.gate, []).append(one)
    proofs = Evidence.objects.in_bulk(
        [state.evidence_id for state in readiness.gates if state.evidence_id]
    )
    states = sorted(readiness.gates, key=_rank)
    return [_gate_row(state, by_gate.get(state.gate, []), proofs) for state in states]


def _rank(state: GateState) -> int:
    """A gate that blocks first, then what is overridden, met, only advised, and absent."""
    if state.need is Need.ABSENT:
        return 9
    if state.need is Need.ADVISORY:
        return 8
    if state.is_met:
        return 7
    order = [Word.NOT_MET, Word.NO_EVIDENCE, Word.OUT_OF_DATE]
    return order.index(state.word) + (3 if state.override else 0)


def _evidence(release: Release) -> list[Evidence]:
    """The newest rows, without the end of their logs: only the one that counts shows its own."""
    rows = release.evidence.select_related("by").defer("log_tail", "assumptions", "metrics")
    return list(rows.order_by("-started_at", "-pk").fetch_mode(FETCH_RAISE)[:EVIDENCE_READ])


def _gate_row(
    state: GateState, rows: Sequence[Evidence], proofs: Mapping[int, Evidence]
) -> GateRow:
    earlier = [one for one in rows if one.pk != state.evidence_id]
    return GateRow(
        state,
        look_of(state.word, is_overridden=state.override is not None),
        "Absent" if state.need is Need.ABSENT else state.word.value.capitalize(),
        proofs.get(state.evidence_id or 0),
        earlier[:EARLIER_SHOWN],
        max(len(earlier) - EARLIER_SHOWN, 0),
    )


def _running_out(readiness: Readiness) -> list[tuple[GateState, datetime]]:
    """Gates that are met and will not stay so by the clock alone, the soonest first."""
    known = [
        (one, until)
        for one in readiness.required
        if one.is_met and (until := one.runs_out_at) is not None
    ]
    return sorted(known, key=lambda pair: pair[1])


# Overrides, freezes, holds -----------------------------------------------------------------


def _overrides(
    release: Release, readiness: Readiness, person: User, *, now: datetime
) -> list[OverrideRow]:
    rows = (
        release.overrides.select_related("asked_by")
        .prefetch_related("acts__by")
        .order_by("-asked_at", "-pk")
    )
    names = {one.gate: one.name for one in readiness.gates}
    return [_override(one, names, person, now=now) for one in rows[:OVERRIDES_SHOWN]]


def _override(
    override: Override, names: Mapping[str, str], person: User, *, now: datetime
) -> OverrideRow:
    acts = sorted(override.acts.all(), key=lambda act: (act.at, act.pk))
    accepted = next((act for act in acts if act.act == act.Act.ACCEPTED), None)
    taken = next((act for act in acts if act.act == act.Act.TAKEN_BACK), None)
    is_over = taken is not None or override.ends_at <= now
    if taken:
        stands = f"Taken back by {person_name(taken.by)}."
    elif override.ends_at <= now:
        stands = "Ended: it covers nothing any more."
    elif accepted:
        stands = f"Accepted by {person_name(accepted.by)}."
    elif override.needs_second:
        stands = "Waits for a second person: it covers nothing until somebody else accepts it."
    else:
        stands = "Alone: there is only one editor." if override.is_alone else "It stands."
    waits = override.needs_second and accepted is None and not is_over
    return OverrideRow(
        override,
        ", ".join(names.get(gate, gate) for gate in override.gates),
        person_name(override.asked_by),
        stands,
        waits and may_accept(override, person),
        not is_over,
    )


@dataclass(frozen=True, slots=True)
class StopRow:
    # The words of the readiness; `freeze` or `hold` is the row it can be ended by.
    kind: str
    reason: str
    by: str
    since: datetime
    until: datetime | None
    freeze: Freeze | None
    hold: Hold | None


def _stops(release: Release, readiness: Readiness, *, now: datetime) -> list[StopRow]:
    """What stands now, each with what ends it."""
    if not readiness.stops:
        return []
    hold = release.service.holds.open().select_related("by").first()
    rows = [
        StopRow(
            "freeze", one.reason, person_name(one.planned_by), one.starts_at, one.ends_at, one, None
        )
        for one in freezes_of(release, now=now)
    ]
    if hold:
        by = hold.by_name or person_name(hold.by)
        rows.append(StopRow("hold", hold.reason, by, hold.at, None, None, hold))
    return rows


def freezes_of(release: Release, *, now: datetime) -> Iterable[Freeze]:
    service = release.service
    return (
        Freeze.objects.open(now)
        .filter(
            Q(team=None) | Q(team=service.team_id),
            Q(service=None) | Q(service=service),
            environment_slug__in=["", release.environment_slug],
        )
        .select_related("planned_by")
        .order_by("ends_at", "pk")
    )


# What was decided, and what runs -----------------------------------------------------------


def _decisions(release: Release) -> list[DecisionRow]:
    rows = release.decisions.select_related("by").order_by("-at", "-pk")
    return [
        DecisionRow(one, who_decided(one), glance(one.snapshot), _gates_then(one.snapshot))
        for one in rows.fetch_mode(FETCH_RAISE)[:DECISIONS_SHOWN]
    ]


def _is_there(decision: Decision, release: Release) -> bool:
    return decision.environment_slug == release.environment_slug


def _gates_then(snapshot: Mapping[str, Any]) -> list[tuple[Look, str, str, str]]:
    return [
        (
            look_of(one["word"], is_overridden=bool(one["override"])),
            one["name"],
            one["word"] if one["need"] != Need.ABSENT else "absent",
            one["reason"],
        )
        for one in snapshot.get("gates", [])
    ]


def _running(release: Release) -> list[RunningRow]:
    """What each environment says it runs; without a version address that is unknown."""
    places = list(release.service.environments.filter(removed_at=None).order_by("slug"))
    told = {one.environment_id: one for one in Running.objects.filter(environment__in=places)}
    versions = dict(
        Release.objects.filter(
            service=release.service_id, commit__in=[one.commit for one in told.values()]
        ).values_list("commit", "version")
    )
    hurt = {
        one.environment_id: one
        for one in Incident.objects.open().filter(service=release.service_id)
    }
    return [
        _running_row(place.slug, told.get(place.pk), versions, release, hurt.get(place.pk))
        for place in places
    ]


def _running_row(
    slug: str,
    running: Running | None,
    versions: Mapping[str, str],
    release: Release,
    incident: Incident | None,
) -> RunningRow:
    if running is None:
        return RunningRow(slug, "", False, None, incident)
    known = versions.get(running.commit, f"commit {running.commit[:12]}")
    return RunningRow(slug, known, running.commit == release.commit, running.told_at, incident)
