"""What the page of one release shows: ready or not, why not, each gate's proof, and what came."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db.models import FETCH_RAISE

from opsboard.releases.aftermath import Aftermath, read_aftermath
from opsboard.releases.models import Decision, Release
from opsboard.releases.of_changes import of_release
from opsboard.releases.reading import readiness_of
from opsboard.releases.rules import REHEARSAL, Need
from opsboard.releases.versions_known import steps_for
from opsboard.web.change_list import Row, rows_of
from opsboard.web.notes_for import Notes
from opsboard.web.release_gates import gate_rows, overridable, running_out
from opsboard.web.release_stands import override_rows, read_beside, stop_rows
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

DECISIONS_SHOWN = 50
CHANGES_SHOWN = 50


@dataclass(frozen=True, slots=True)
class DecisionRow:
    decision: Decision
    by: str
    then: Glance
    # The gates as they were then: (look, name, word, reason).
    gates: list[tuple[Look, str, str, str]]


def read_release_page(release: Release, *, person: User, now: datetime) -> dict[str, Any]:
    readiness = readiness_of(release, now=now)
    beside = read_beside(release)
    decisions = _decisions(release)
    rows = gate_rows(release, readiness)
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
        "overrides": override_rows(beside, readiness, person, now=now),
        "stops": stop_rows(release, readiness, now=now),
        "decisions": decisions,
        "aftermath": _aftermath(release, now=now),
        "changes": changes_words(release),
        "measured": _measured(release, now=now),
        "paths": beside.paths,
        "running": beside.running,
        "note": note,
        "way": steps_for(release, note.version.steps, now=now) if note else None,
        "rehearsal": next((one for one in readiness.gates if one.gate == REHEARSAL), None),
        "can_roll_back": release.released_at is not None,
        "runs_out": running_out(readiness),
    }


def _aftermath(release: Release, *, now: datetime) -> Aftermath | None:
    if release.released_at is None:
        return None
    return read_aftermath([release], now=now).get(release.pk)


def _measured(release: Release, *, now: datetime) -> list[Row]:
    """The changes that go out with it, and where each stands."""
    changes = list(of_release(release).for_pages().order_by("pk")[:CHANGES_SHOWN])
    return rows_of(changes, now=now) if changes else []


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
