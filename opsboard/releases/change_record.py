"""The record of one change: what was declared, measured, done and judged, and how to repeat it."""

from datetime import datetime
from typing import Any

from opsboard.changes.models import Change, Comparison, Window
from opsboard.releases import change_parts as of
from opsboard.releases import record_parts as parts
from opsboard.releases.models import Release
from opsboard.releases.record import NOT_RECORDED, Fact, Facts, moment
from opsboard.rollbacks.models import NoteVersion
from opsboard.services.models import CriticalPath

_METRICS = {"time": "time", "db calls": "db_calls"}


def change_record(change: Change, *, as_of: datetime) -> Facts:
    """`change` comes as for pages. A few dozen queries at most, whatever was tried."""
    attempts = of.attempts_of(change, as_of=as_of)
    newest = attempts[-1] if attempts else None
    applied = _applied_at(newest, as_of=as_of)
    path = _path(change)
    version = parts.version_at(change.service, path, applied or as_of)
    return {
        "title": f"Record of {change}",
        "as_of": moment(as_of),
        "record": "change",
        "change": _facts(change, as_of=as_of),
        "service": parts.service_facts(change.service),
        "sheet": [parts.sheet(path)],
        "declared": {
            "variables": list(change.variables),
            "purpose": change.purpose,
            "commit": change.commit,
            "release": change.version or "none was named",
        },
        "settings": _settings(change),
        "baseline": _of(newest, Window.Side.BEFORE, as_of=as_of),
        "after": _of(newest, Window.Side.AFTER, as_of=as_of),
        "change_verdict": of.verdict_facts(newest, as_of=as_of) if newest else NOT_RECORDED,
        "acts": of.act_facts(newest.acts.all(), as_of=as_of) if newest else [],
        "attempts": [_attempt(one, as_of=as_of) for one in attempts],
        "rollback_note": parts.note_facts(version, as_of=as_of),
        "rollback_note_used": _used(version, applied),
        "releases": _releases(change, as_of=as_of),
        "how_to_repeat_it": _repeat(change, newest, as_of=as_of),
        "commands": _commands(change, attempts, version, as_of=as_of),
        "assumptions": list(change.assumptions),
    }


def _facts(change: Change, *, as_of: datetime) -> Facts:
    withdrawn = change.withdrawn_at if (change.withdrawn_at or as_of) <= as_of else None
    return {
        "number": str(change),
        "title": change.title,
        "path": change.path.name,
        "environment": change.environment.slug,
        "location": change.location or "where the path is asked from",
        "declared_at": moment(change.declared_at),
        "declared_by": parts.name_of(change.declared_by, change.declared_as),
        "withdrawn_at": moment(withdrawn),
        "withdrawn_by": parts.name_of(change.withdrawn_by) if withdrawn else None,
    }


def _settings(change: Change) -> Facts:
    """Set before the first baseline was opened, and not edited after."""
    return {
        "metric": change.get_metric_display(),
        "aim": change.get_aim_display(),
        "goal_share": change.goal,
        "samples_a_side": change.samples,
        "margin_share": change.margin,
        "no_change_within_share": change.margin
        if change.equivalence is None
        else change.equivalence,
        "guardrails": ["errors", *change.guardrails],
        "control_path": change.control.name if change.control else "none was named",
        "sampling": change.get_sampling_display(),
        "asked": change.get_mode_display(),
        "requests_a_second": change.rate,
        "warm_up_seconds": change.warm_up_seconds,
        "warm_up_samples": change.warm_up_samples,
        "hours_a_window_may_take": change.lasts,
    }


def _path(change: Change) -> CriticalPath:
    found: CriticalPath = parts.paths_of(change.service).get(pk=change.path_id)
    return found


def _of(newest: Comparison | None, side: str, *, as_of: datetime) -> Fact:
    return of.side_facts(newest, side, as_of=as_of) if newest else NOT_RECORDED


def _applied_at(attempt: Comparison | None, *, as_of: datetime) -> datetime | None:
    at = attempt.applied_at if attempt else None
    return at if at and at <= as_of else None


def _used(version: NoteVersion | None, applied: datetime | None) -> str:
    if version is None:
        return "no rollback note"
    if applied is None:
        return f"version {version.number}; the change was not applied"
    return f"version {version.number} was in use when it was applied, {moment(applied)}"


def _attempt(attempt: Comparison, *, as_of: datetime) -> Facts:
    """All of them, so that nobody picks the one that pleases."""
    given_up = attempt.given_up_at if (attempt.given_up_at or as_of) <= as_of else None
    return {
        "name": f"Attempt {attempt.number}",
        "began_at": moment(attempt.began_at),
        "began_by": parts.name_of(attempt.began_by, attempt.began_as),
        "asks": attempt.fingerprint or "samples were sent",
        "ran_when_sealed": dict(attempt.surroundings) or NOT_RECORDED,
        "applied_at": moment(_applied_at(attempt, as_of=as_of)),
        "given_up_at": moment(given_up),
        "given_up_because": attempt.given_up_because if given_up else None,
        "baseline": of.side_facts(attempt, Window.Side.BEFORE, as_of=as_of),
        "after": of.side_facts(attempt, Window.Side.AFTER, as_of=as_of),
        "change_verdict": of.verdict_facts(attempt, as_of=as_of),
        "acts": of.act_facts(attempt.acts.all(), as_of=as_of),
    }


def _releases(change: Change, *, as_of: datetime) -> Fact:
    """Those it goes out with: by its version, or by its commit."""
    named = Release.objects.filter(service=change.service_id, named_at__lte=as_of)
    found = named.filter(version=change.version) if change.version else named.none()
    if change.commit:
        found |= named.filter(commit=change.commit)
    rows: list[Any] = [
        {
            "name": one.version,
            "commit": one.commit,
            "environment": one.environment_slug,
            "released_at": moment(one.released_at)
            if one.released_at and one.released_at <= as_of
            else None,
        }
        for one in found.order_by("named_at", "pk")[: of.CHANGES]
    ]
    return rows or NOT_RECORDED


def _repeat(change: Change, newest: Comparison | None, *, as_of: datetime) -> Facts | str:
    """From the sealed samples to the verdict, by anybody."""
    if newest is None or not of.is_judged(newest, as_of=as_of):
        return "there is no verdict to repeat yet"
    file = f"{change}-attempt-{newest.number}.csv".lower()
    facts: dict[str, Fact] = {
        "samples": f"/changes/{change.pk}/attempts/{newest.number}/samples.csv",
        "file": file,
        "check": "Each SHA-256 is of the same address with ?side=before or ?side=after.",
        "command": _command(change, file),
    }
    if change.control_id or change.guardrails:
        facts["not_in_the_file"] = (
            "Samples of the control path and of guarded paths: without them the command says what "
            "the path alone shows."
        )
    return facts


def _command(change: Change, file: str) -> str:
    parts_of_it = ["manage.py compare", file, "--changed", *change.variables]
    parts_of_it += ["--margin", f"{change.margin:g}"]
    if change.equivalence is not None:
        parts_of_it += ["--equivalence", f"{change.equivalence:g}"]
    if (metric := _METRICS.get(change.metric, "time")) != "time":
        parts_of_it += ["--metric", metric]
    return " ".join(parts_of_it)


def _commands(
    change: Change, attempts: list[Comparison], version: NoteVersion | None, *, as_of: datetime
) -> list[str]:
    """Exactly as they were declared, as they were run, and as the way back runs them; each once."""
    ran = [one.command for attempt in attempts for one in attempt.acts.all() if one.at <= as_of]
    back = [step.get("run", "") for step in version.steps] if version else []
    every = [*change.commands, *ran, *back]
    return [text for text in dict.fromkeys(every) if text.strip()]
