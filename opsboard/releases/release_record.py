"""The record of one release: what another developer needs to inspect, understand and repeat it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from opsboard.incidents.models import Incident, TimelineEntry
from opsboard.releases import record_parts as parts
from opsboard.releases.aftermath import read_aftermath
from opsboard.releases.change_parts import of_the_changes
from opsboard.releases.models import Decision, Evidence, Override, Release
from opsboard.releases.reading import readiness_of
from opsboard.releases.record import NOT_RECORDED, Fact, Facts, minutes, moment
from opsboard.releases.rules import readiness_json

# The readiness writes them with an offset, the record with a Z.
_TIMES = ("at", "since", "until", "answered_at", "ends_at", "runs_out_at")


def release_record(release: Release, *, as_of: datetime) -> Facts:
    """`release` comes with its service, its team and who named it. A few dozen queries at most."""
    evidence = parts.evidence_of(release, as_of=as_of)
    overrides = parts.overrides_of(release, as_of=as_of)
    decisions = parts.decisions_of(release, as_of=as_of)
    version = parts.version_at(release.service, None, as_of)
    readiness = in_utc(readiness_json(readiness_of(release, now=as_of)))
    return {
        "title": f"Record of {release}",
        "as_of": moment(as_of),
        "record": "release",
        "release": _facts(release, as_of=as_of),
        "service": parts.service_facts(release.service),
        "readiness": readiness["whole"],
        "gates": readiness["gates"],
        "stops": readiness["stops"],
        "evidence": [parts.evidence_facts(one) for one in evidence],
        "overrides": [parts.override_facts(one, as_of=as_of) for one in overrides],
        "decisions": [in_utc(parts.decision_facts(one)) for one in decisions],
        "rollback_note": parts.note_facts(version, as_of=as_of),
        "sheets": [parts.sheet(path) for path in _paths(release)],
        "became": _became(release, as_of=as_of),
        **of_the_changes(release, as_of=as_of),
        "timeline": _timeline(release, evidence, overrides, decisions, as_of=as_of),
        "commands": parts.commands_of(evidence, version),
        "assumptions": parts.assumptions_of(evidence),
    }


def _facts(release: Release, *, as_of: datetime) -> Facts:
    return {
        "version": release.version,
        "commit": release.commit,
        "tag": release.tag,
        "environment": release.environment_slug,
        "summary": release.summary,
        "planned_at": moment(release.planned_at),
        "named_at": moment(release.named_at),
        "named_by": parts.name_of(release.named_by, release.named_as),
        "released_at": _until(release.released_at, as_of),
        "withdrawn_at": _until(release.withdrawn_at, as_of),
        "commits": release.commits,
        "files": release.files,
        "lines": release.lines,
        "migrations": list(release.migrations),
    }


def _until(at: datetime | None, as_of: datetime) -> str | None:
    return moment(at) if at and at <= as_of else None


def _paths(release: Release) -> Any:
    """Those it touches; where nobody has said, all of its service."""
    paths = parts.paths_of(release.service)
    touched = list(release.paths.values_list("pk", flat=True))
    return paths.filter(pk__in=touched) if touched else paths.filter(removed_at=None)


def _became(release: Release, *, as_of: datetime) -> Fact:
    if release.released_at is None or release.released_at > as_of:
        return "not released"
    found = read_aftermath([release], now=as_of).get(release.pk)
    if found is None:
        return NOT_RECORDED
    incident = found.incident
    return {
        "words": found.words.replace("\u00a0", " "),
        "failing_at": moment(found.failing_at),
        "incident": str(incident) if incident else None,
        "minutes": incident_minutes(incident) if incident else None,
    }


def incident_minutes(incident: Incident) -> Facts:
    """From its beginning; None for what has not come."""
    alerted = (
        incident.timeline.filter(act=TimelineEntry.Act.ALERTED)
        .order_by("at")
        .values_list("at", flat=True)
        .first()
    )
    began = incident.opened_at
    return {
        "to_alert": minutes(began, alerted),
        "to_acknowledge": minutes(began, incident.acknowledged_at),
        "to_recover": minutes(began, incident.resolved_at),
    }


def _timeline(
    release: Release,
    evidence: Sequence[Evidence],
    overrides: Sequence[Override],
    decisions: Sequence[Decision],
    *,
    as_of: datetime,
) -> list[Facts]:
    """Everything dated of it, oldest first; within a moment, in the order of their making."""
    named = parts.name_of(release.named_by, release.named_as)
    lines: list[tuple[datetime, str, str]] = [(release.named_at, "named", named)]
    lines += [
        (one.started_at, f"{one.gate} {one.outcome}", parts.name_of(one.by, one.by_name))
        for one in evidence
    ]
    for one in overrides:
        gates = ", ".join(one.gates)
        lines.append((one.asked_at, f"override of {gates} asked", parts.name_of(one.asked_by)))
        lines += [
            (act.at, f"override of {gates} {act.act}", parts.name_of(act.by))
            for act in one.acts.all()
            if act.at <= as_of
        ]
    lines += [
        (one.at, one.get_kind_display().lower(), parts.name_of(one.by, one.by_name))
        for one in decisions
    ]
    if release.withdrawn_at and release.withdrawn_at <= as_of:
        lines.append((release.withdrawn_at, "withdrawn", parts.name_of(release.withdrawn_by)))
    ordered = sorted(lines, key=lambda line: line[0])
    return [{"act": act, "at": moment(at), "by": by} for at, act, by in ordered]


def in_utc(facts: Any) -> Any:
    """Times of a kept readiness as the record writes all of its own."""
    if isinstance(facts, dict):
        return {
            key: moment(datetime.fromisoformat(value))
            if key in _TIMES and isinstance(value, str)
            else in_utc(value)
            for key, value in facts.items()
        }
    return [in_utc(one) for one in facts] if isinstance(facts, list) else facts
