"""Releases to look at, made in the database by hand: what waits, what went out, what stands."""

from datetime import UTC, datetime, timedelta

from django.contrib.auth.models import User

from opsboard.releases.models import Decision, Evidence, Freeze, Override, Release
from opsboard.releases.reading import readiness_of
from opsboard.releases.rules import readiness_json
from opsboard.rollbacks.models import RollbackNote
from opsboard.services.models import Service

COMMIT = "9f3c1ab" + "0" * 33
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def now() -> datetime:
    return datetime.now(UTC)


def a_release(service: Service, version: str = "2026.11.4", **fields: object) -> Release:
    values: dict[str, object] = {"commit": COMMIT, "named_at": now() - HOUR, "named_as": "ci"}
    return Release.objects.create(service=service, version=version, **(values | fields))


def evidence(release: Release, gate: str, outcome: str = "passed", **fields: object) -> Evidence:
    began = now() - 10 * MINUTE
    values: dict[str, object] = {
        "commit": release.commit,
        "started_at": began,
        "finished_at": began + MINUTE,
        "received_at": began + MINUTE,
        "command": f"make {gate}",
        "exit_code": 0 if outcome == "passed" else 1,
        "by_name": "CI run 18204",
    }
    if gate in ("unit", "integration"):
        values["counts"] = {"collected": 3, "passed": 3, "failed": 0, "skipped": 0}
    return Evidence.objects.create(release=release, gate=gate, outcome=outcome, **(values | fields))


def an_override(release: Release, *gates: str, by: User, **fields: object) -> Override:
    values: dict[str, object] = {
        "reason": "The old key is read as well until Friday",
        "asked_at": now() - MINUTE,
        "ends_at": now() + 2 * HOUR,
        "needs_second": False,
    }
    return Override.objects.create(
        release=release, gates=list(gates), asked_by=by, **(values | fields)
    )


def a_note(service: Service, by: User | None = None) -> None:
    """The way back of the service, checked by whom; without a person it is not reviewed."""
    RollbackNote.objects.create(service=service).write(
        title="Go back to the one before", use_when="", does_not_undo="", minutes=4,
        steps=[{"do": "Go back", "run": "ferryctl back", "see": "6 healthy"}], reason="", by=by,
        now=now(),
    )  # fmt: skip


def went_out(release: Release, at: datetime | None = None, **fields: object) -> Decision:
    """Recorded, with the readiness as it stands."""
    at = at or now() - HOUR
    Release.objects.filter(pk=release.pk).update(released_at=at)
    release.refresh_from_db()
    values: dict[str, object] = {
        "kind": Decision.Kind.RELEASED,
        "environment_slug": release.environment_slug,
        "at": at,
        "by_name": "CI run 18204",
        "snapshot": readiness_json(readiness_of(release, now=now())),
    }
    return Decision.objects.create(release=release, **(values | fields))


def a_freeze(**fields: object) -> Freeze:
    values: dict[str, object] = {
        "reason": "first week of the winter timetable",
        "starts_at": now() - HOUR,
        "ends_at": now() + HOUR,
        "planned_at": now() - 2 * HOUR,
    }
    return Freeze.objects.create(**(values | fields))
