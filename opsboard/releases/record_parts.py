"""The parts that records of releases and of incidents share, read at one moment."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db.models import FETCH_RAISE

from opsboard.expectations.units import exact_duration
from opsboard.releases.models import Decision, Evidence, Override, Release
from opsboard.releases.record import NOT_RECORDED, Facts, moment
from opsboard.rollbacks.models import NoteVersion, Rehearsal
from opsboard.rollbacks.rules import steps_digest
from opsboard.services.models import CriticalPath, Service
from opsboard.services.rules import write_headers, write_query

if TYPE_CHECKING:
    from django.contrib.auth.models import User

REHEARSALS = 20
EVIDENCE = 500
# What only a change has: where there is none it is said to be missing, and not left out.
OF_A_CHANGE: Facts = {
    "baseline": NOT_RECORDED,
    "after": NOT_RECORDED,
    "change_verdict": NOT_RECORDED,
}


def name_of(user: "User | None", name: str = "") -> str:
    """A token's name, else an account's; one that has gone is said to be unknown."""
    if name or user is None:
        return name or "somebody unknown"
    return user.get_full_name() or user.get_username()


def service_facts(service: Service) -> Facts:
    return {
        "name": service.name,
        "slug": service.slug,
        "tier": service.tier,
        "owner": service.team.name,
        "contact": service.team.contact,
    }


def sheet(path: CriticalPath) -> dict[str, Any]:
    """In the order of the pages. `path` comes with its owner and its service's team."""
    owner = path.owner or path.service.team
    return {
        "name": path.name,
        "owner": owner.name,
        "contact": owner.contact,
        "route": f"{path.method} {path.route}",
        "headers": write_headers(path.headers),
        "query": write_query(path.query),
        "body": path.body,
        "timeout": exact_duration(path.timeout),
        "expected_result": path.expected_result,
        "user_notices": path.user_notices,
        "slow_query_or_command": path.slow_query_or_command,
        "checked_at": moment(path.checked_at),
        "checked_by": name_of(path.checked_by) if path.checked_by else None,
    }


def paths_of(service: Service) -> Any:
    return (
        service.paths.select_related("owner", "service__team", "checked_by")
        .order_by("name", "pk")
        .fetch_mode(FETCH_RAISE)
    )


def note_facts(version: NoteVersion | None, *, as_of: datetime) -> Facts | str:
    """A version with how it was rehearsed, or that there is none."""
    if version is None:
        return "no rollback note"
    return {
        "title": version.title,
        "version": version.number,
        "written_at": moment(version.written_at),
        "written_by": version.writer,
        "checked_at": moment(version.checked_at),
        "checked_by": name_of(version.checked_by) if version.checked_by else None,
        "minutes": version.minutes,
        "use_when": version.use_when,
        "does_not_undo": version.does_not_undo,
        "steps": [
            {key: step.get(key, "") for key in ("do", "run", "see", "call")}
            for step in version.steps
        ],
        "rehearsals": _rehearsals(version, as_of=as_of) or "never rehearsed",
    }


def _rehearsals(version: NoteVersion, *, as_of: datetime) -> list[Facts]:
    """Of the note in any version, newest first; whether each was of these very steps is said."""
    digest = steps_digest(version.steps)
    rows = Rehearsal.objects.filter(version__note=version.note_id, at__lte=as_of)
    newest = rows.select_related("version", "by").order_by("-at", "-pk")[:REHEARSALS]
    return [
        {
            "title": f"{one.environment_slug}, {moment(one.at)}",
            "version": one.version.number,
            "is_of_these_steps": one.steps_digest == digest,
            "release": one.release,
            "migrations": list(one.migrations),
            "seconds": one.seconds,
            "worked": one.worked,
            "outcomes": one.outcomes,
            "remark": one.remark,
            "by": name_of(one.by, one.by_name),
        }
        for one in newest
    ]


def version_at(service: Service, path: CriticalPath | None, at: datetime) -> NoteVersion | None:
    """The version of the note that was in use then: of the path, else of the service."""
    for of in [path, None] if path else [None]:
        found = (
            NoteVersion.objects.filter(note__service=service, note__path=of, written_at__lte=at)
            .select_related("written_by", "checked_by")
            .order_by("-number")
            .first()
        )
        if found:
            return found
    return None


# Of a release ------------------------------------------------------------------------------


def evidence_of(release: Release, *, as_of: datetime) -> list[Evidence]:
    rows = release.evidence.filter(received_at__lte=as_of).select_related("by")
    return list(rows.order_by("started_at", "pk").fetch_mode(FETCH_RAISE)[:EVIDENCE])


def evidence_facts(one: Evidence) -> dict[str, Any]:
    return {
        "gate": one.gate,
        "outcome": one.outcome,
        "commit": one.commit,
        "environment": one.environment_slug,
        "started_at": moment(one.started_at),
        "finished_at": moment(one.finished_at),
        "received_at": moment(one.received_at),
        "command": one.command,
        "exit_code": one.exit_code,
        "counts": one.counts,
        "tool": one.tool,
        "url": one.url,
        "assumptions": list(one.assumptions),
        "metrics": one.metrics,
        "facts": one.facts,
        "log_tail": one.log_tail,
        "by": name_of(one.by, one.by_name),
    }


def override_facts(override: Override, *, as_of: datetime) -> dict[str, Any]:
    acts = sorted(
        (act for act in override.acts.all() if act.at <= as_of), key=lambda act: (act.at, act.pk)
    )
    return {
        "gates": ", ".join(override.gates),
        "reason": override.reason,
        "asked_by": name_of(override.asked_by),
        "asked_at": moment(override.asked_at),
        "ends_at": moment(override.ends_at),
        "needs_second": override.needs_second,
        "is_alone": override.is_alone,
        "acts": [{"act": act.act, "at": moment(act.at), "by": name_of(act.by)} for act in acts],
    }


def decision_facts(decision: Decision) -> dict[str, Any]:
    return {
        "kind": decision.get_kind_display(),
        "environment": decision.environment_slug,
        "at": moment(decision.at),
        "by": name_of(decision.by, decision.by_name),
        "reason": decision.reason,
        "readiness_then": decision.snapshot or NOT_RECORDED,
    }


def overrides_of(release: Release, *, as_of: datetime) -> list[Override]:
    rows = release.overrides.filter(asked_at__lte=as_of).select_related("asked_by")
    return list(rows.prefetch_related("acts__by").order_by("asked_at", "pk"))


def decisions_of(release: Release, *, as_of: datetime) -> list[Decision]:
    rows = release.decisions.filter(at__lte=as_of).select_related("by")
    return list(rows.order_by("at", "pk").fetch_mode(FETCH_RAISE))


def commands_of(evidence: Sequence[Evidence], version: NoteVersion | None) -> list[str]:
    """Exactly as they were run, and as the way back runs them; each once."""
    ran = [one.command for one in evidence]
    back = [step.get("run", "") for step in version.steps] if version else []
    return _each_once([*ran, *back])


def assumptions_of(evidence: Iterable[Evidence]) -> list[str]:
    return _each_once(str(text) for one in evidence for text in one.assumptions)


def _each_once(texts: Iterable[str]) -> list[str]:
    return [text for text in dict.fromkeys(texts) if text.strip()]
