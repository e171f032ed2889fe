"""The record of one incident: what hurt, what was done, by whom, how long it took."""

from datetime import datetime
from typing import Any

from django.db.models import FETCH_RAISE

from opsboard.incidents.models import Incident, TimelineEntry
from opsboard.releases import record_parts as parts
from opsboard.releases.change_parts import of_the_changes
from opsboard.releases.models import Release
from opsboard.releases.record import NOT_RECORDED, Fact, Facts, moment
from opsboard.releases.release_record import in_utc, incident_minutes
from opsboard.rollbacks.models import NoteVersion

ENTRIES = 2_000


def incident_record(incident: Incident, *, as_of: datetime) -> Facts:
    """`incident` comes as for pages, with its service's team. A few dozen queries at most."""
    places = _places(incident)
    version, used = _note(incident, places[0].path if places else None, as_of=as_of)
    release = _release(incident)
    evidence = parts.evidence_of(release, as_of=as_of) if release else []
    return {
        "title": f"Record of {incident}",
        "as_of": moment(as_of),
        "record": "incident",
        "incident": _facts(incident, as_of=as_of),
        "minutes": incident_minutes(incident),
        "service": parts.service_facts(incident.service),
        "cause": incident.cause or NOT_RECORDED,
        "paths": [
            parts.sheet(place.path)
            | {
                "failing_since": moment(place.joined_at),
                "failing_until": moment(place.left_at),
                "failed_because": place.reason,
            }
            for place in places
        ],
        "rollback_note": parts.note_facts(version, as_of=as_of),
        "rollback_note_used": used,
        "release_before": _release_facts(release, as_of=as_of),
        **of_the_changes(release, as_of=as_of),
        "timeline": _timeline(incident, as_of=as_of),
        "afterword": incident.afterword or "none written",
        "commands": parts.commands_of(evidence, version),
        "assumptions": parts.assumptions_of(evidence),
    }


def _facts(incident: Incident, *, as_of: datetime) -> Facts:
    resolved = incident.resolved_at if (incident.resolved_at or as_of) <= as_of else None
    return {
        "number": str(incident),
        "title": incident.title,
        "environment": incident.environment.slug,
        "opened_at": moment(incident.opened_at),
        "opened_by": parts.name_of(incident.opened_by) if incident.is_by_hand else "Opsboard",
        "openings": incident.openings,
        "reopened_at": moment(incident.reopened_at),
        "acknowledged_at": moment(incident.acknowledged_at),
        "acknowledged_by": parts.name_of(incident.acknowledged_by, incident.acknowledged_as)
        if incident.acknowledged_at
        else None,
        "resolved_at": moment(resolved),
        "resolved_by": parts.name_of(incident.resolved_by) if incident.resolved_by else None,
        "below": str(incident.below) if incident.below_id else None,
    }


def _places(incident: Incident) -> list[Any]:
    rows = incident.paths.select_related(
        "path__owner", "path__service__team", "path__checked_by"
    ).order_by("joined_at", "pk")
    return list(rows.fetch_mode(FETCH_RAISE))


def _note(incident: Incident, path: Any, *, as_of: datetime) -> tuple[NoteVersion | None, str]:
    """The version by which somebody went back; else the one that was in use when it began."""
    started = (
        incident.timeline.filter(act=TimelineEntry.Act.ROLLBACK_STARTED, at__lte=as_of)
        .order_by("-at", "-pk")
        .first()
    )
    if started:
        used = NoteVersion.objects.filter(
            note=started.facts.get("note"), number=started.facts.get("version")
        ).select_related("written_by", "checked_by")
        if found := used.first():
            return found, f"version {found.number}, since {moment(started.at)}"
    return parts.version_at(incident.service, path, incident.opened_at), "no rollback was started"


def _release(incident: Incident) -> Release | None:
    """The last that went out there before it began."""
    releases = Release.objects.filter(
        service=incident.service_id,
        environment_slug=incident.environment.slug,
        released_at__lte=incident.opened_at,
    )
    return releases.select_related("service__team").order_by("-released_at", "-pk").first()


def _release_facts(release: Release | None, *, as_of: datetime) -> Fact:
    if release is None:
        return NOT_RECORDED
    return {
        "version": release.version,
        "commit": release.commit,
        "tag": release.tag,
        "released_at": moment(release.released_at),
        "migrations": list(release.migrations),
        "decisions": [
            in_utc(parts.decision_facts(one)) for one in parts.decisions_of(release, as_of=as_of)
        ],
        "overrides": [
            parts.override_facts(one, as_of=as_of)
            for one in parts.overrides_of(release, as_of=as_of)
        ],
    }


def _timeline(incident: Incident, *, as_of: datetime) -> list[Facts]:
    rows = incident.timeline.filter(at__lte=as_of).select_related("path", "by")
    newest = rows.order_by("at", "pk").fetch_mode(FETCH_RAISE)[:ENTRIES]
    return [
        {
            "act": one.act,
            "at": moment(one.at),
            "path": one.path.name if one.path else None,
            "by": parts.name_of(one.by, one.by_name) if one.by or one.by_name else "Opsboard",
            "text": one.text,
            "facts": one.facts,
        }
        for one in newest
    ]
