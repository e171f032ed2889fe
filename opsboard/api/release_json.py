"""Releases and what belongs to them as JSON, and finding the one that an address names."""

from typing import Any

from django.conf import settings
from django.db.models import FETCH_RAISE, QuerySet
from django.http import HttpRequest

from opsboard.api.door import require, token_of
from opsboard.api.finding import find_service
from opsboard.api.problems import not_found
from opsboard.api.written import name_of, time_of
from opsboard.people.tokens import READ, RELEASE, allows
from opsboard.releases.deciding import address_of
from opsboard.releases.models import Decision, Evidence, Hold, Override, OverrideAct, Release
from opsboard.releases.rules import (
    GATES,
    GateState,
    Need,
    Readiness,
    Whole,
    Word,
    gate_json,
    readiness_json,
)
from opsboard.services.models import Service

# What `opsboard gate` ends with.
EXIT_CODES: dict[Whole, int] = {
    Whole.READY: 0,
    Whole.BLOCKED: 1,
    Whole.INCOMPLETE: 3,
    Whole.OUT_OF_DATE: 4,
    Whole.FROZEN: 5,
    Whole.OVERRIDDEN: 6,
}


def service_to_read(request: HttpRequest, slug: str) -> Service:
    """Who may release may look at it, too. Raises Problem 403, 404."""
    scope = READ if allows(token_of(request), READ) else RELEASE
    return find_service(request, slug, scope)


def service_to_release(request: HttpRequest, slug: str) -> Service:
    """Raises Problem 403, 404."""
    return find_service(request, slug, RELEASE)


def releases_of(service: Service) -> QuerySet[Release]:
    found = Release.objects.filter(service=service).select_related("service__team", "named_by")
    return found.prefetch_related("paths").fetch_mode(FETCH_RAISE)


def find_release(service: Service, version: str) -> Release:
    """Raises Problem 404."""
    found = releases_of(service).filter(version=version).first()
    if found is None:
        raise not_found(f"release {version} of {service.slug}")
    return found


def release_to_write(request: HttpRequest, service: str, version: str, gate: str = "") -> Release:
    """Raises Problem 403, 404."""
    require(request, RELEASE, service=service, gate=gate)
    return find_release(service_to_release(request, service), version)


def release_json(one: Release) -> dict[str, Any]:
    """`tag`, times and counts: null where nobody has said."""
    return {
        "version": one.version,
        "service": one.service.slug,
        "commit": one.commit,
        "tag": one.tag or None,
        "environment": one.environment_slug,
        "planned_at": time_of(one.planned_at),
        "summary": one.summary,
        "migrations": one.migrations,
        "commits": one.commits,
        "files": one.files,
        "lines": one.lines,
        "paths": sorted(path.slug for path in one.paths.all()),
        "named_at": time_of(one.named_at),
        "named_by": one.named_as or name_of(one.named_by),
        "released_at": time_of(one.released_at),
        "withdrawn_at": time_of(one.withdrawn_at),
        "url": f"{settings.URL}{address_of(one)}",
    }


def whole_json(one: Release, readiness: Readiness) -> dict[str, Any]:
    """All of it, with what a program ends with and the reasons it prints."""
    said = readiness_json(readiness)
    return said | {
        "service": one.service.slug,
        "version": one.version,
        "commit": one.commit,
        "exit_code": EXIT_CODES[readiness.whole],
        "met": readiness.met,
        "required": len(readiness.required),
        "reasons": _reasons(readiness, said),
        "url": f"{settings.URL}{address_of(one)}",
    }


def answer_json(readiness: Readiness, gate: str) -> dict[str, Any]:
    """What evidence for a gate made of it, and of the whole."""
    said = readiness_json(readiness)
    state = next((one for one in said["gates"] if one["gate"] == gate), None)
    return {
        "gate": state or _absent(gate),
        "readiness": readiness.whole.value,
        "exit_code": EXIT_CODES[readiness.whole],
        "reasons": _reasons(readiness, said),
    }


def _reasons(readiness: Readiness, said: dict[str, Any]) -> list[dict[str, Any]]:
    """The gates that are in the way, in the order of the reasons."""
    by_gate = {one["gate"]: one for one in said["gates"]}
    return [by_gate[one.gate] for one in readiness.reasons]


def _absent(gate: str) -> dict[str, Any]:
    """Kept, and shown nowhere: the team does not ask for this gate."""
    reason = "The team has dropped this gate."
    name = GATES.get(gate, gate)
    return gate_json(
        GateState(gate=gate, name=name, need=Need.ABSENT, word=Word.NO_EVIDENCE, reason=reason)
    )


def evidence_json(one: Evidence) -> dict[str, Any]:
    return {
        "gate": one.gate,
        "outcome": one.outcome,
        "commit": one.commit,
        "environment": one.environment_slug or None,
        "started_at": time_of(one.started_at),
        "finished_at": time_of(one.finished_at),
        "received_at": time_of(one.received_at),
        "command": one.command,
        "exit_code": one.exit_code,
        "counts": one.counts or None,
        "tool": one.tool,
        "url": one.url,
        "log_tail": one.log_tail,
        "assumptions": one.assumptions,
        "metrics": one.metrics,
        "facts": one.facts,
        "by": one.by_name or name_of(one.by),
    }


def decision_json(one: Decision) -> dict[str, Any]:
    return {
        "version": one.release.version,
        "kind": one.kind,
        "environment": one.environment_slug,
        "at": time_of(one.at),
        "by": one.by_name or name_of(one.by),
        "reason": one.reason,
        "readiness": one.snapshot,
    }


def override_json(one: Override) -> dict[str, Any]:
    return {
        "gates": one.gates,
        "reason": one.reason,
        "asked_by": name_of(one.asked_by),
        "asked_at": time_of(one.asked_at),
        "ends_at": time_of(one.ends_at),
        "needs_second": one.needs_second,
        "is_alone": one.is_alone,
        "acts": [_act_json(act) for act in one.acts.all()],
    }


def _act_json(act: OverrideAct) -> dict[str, Any]:
    return {"act": act.act, "at": time_of(act.at), "by": name_of(act.by)}


def hold_json(one: Hold) -> dict[str, Any]:
    return {
        "service": one.service.slug,
        "reason": one.reason,
        "at": time_of(one.at),
        "by": one.by_name or name_of(one.by),
        "ended_at": time_of(one.ended_at),
        "ended_by": name_of(one.ended_by),
        "ended_because": one.ended_because or None,
    }
