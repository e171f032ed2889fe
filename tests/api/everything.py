"""A board that has one of everything that the API answers, and how it is named there."""

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from opsboard.changes.models import Change
from opsboard.incidents.models import Incident, TimelineEntry
from opsboard.probes.models import Kind, Observation, microseconds, stand_up
from opsboard.probes.rules import Verdict
from opsboard.releases.models import Override, OverrideAct, Release
from opsboard.services.models import ConfigKey, CriticalPath, Running, Service
from tests.api.changes import declare, judged
from tests.api.ci import COMMIT, ago, evidence, named
from tests.company import a_path, a_service

SERVICE = "/api/v1/services/fares-api"
VERSION = "1.4.2"
HERE = f"{SERVICE}/releases/{VERSION}"
STEP = {"do": "Turn it off", "run": "cache off", "see": "off", "call": "Layla"}
NOTE = {
    "base": 0,
    "title": "Turn the cache off",
    "use_when": "Prices are wrong.",
    "does_not_undo": "Orders that were placed.",
    "minutes": 5,
    "steps": [STEP, {"do": "Look"}],
}


def fill(ask: Client, person: User) -> dict[str, Any]:
    """Everything, made by `ask` where a program can. What it gives is what stands in addresses."""
    path = _services()
    # Before anything is deployed: a baseline reaches back no further.
    change = _compared(ask)
    _given(ask)
    _overridden(Release.objects.get(), person)
    _noted(ask, path)
    _post(ask, "/api/v1/silences", {"reason": "x", "service": "fares-api", "minutes": 9})
    return {
        "service": "fares-api",
        "path": path.slug,
        "version": VERSION,
        "environment": "staging",
        "number": _incident(path, person).pk,
        "change": str(change),
        "attempt": 1,
    }


def _services() -> CriticalPath:
    service = a_service("fares-api")
    service.links = [{"name": "Runbook", "url": "https://wiki.example/fares"}]
    service.tags, service.facts = ["booking"], {"Data": "none", "Runs on": ["a", "b"], "Of": {}}
    service.save()
    service.depends_on.add(a_service("mail"))
    path = a_path(service, slug="price-a-crossing", owner=service.team)
    stand_up(service, now=timezone.now(), location="default")
    _observed(path)
    _runs(service)
    service.environments.create(slug="staging", base_url="http://127.0.0.1:9")
    for name, rules in {"DEBUG": {"equals": "false"}, "ZONE": {"across": "equal"}}.items():
        ConfigKey.objects.create(service=service, name=name, **rules)
    return path


def _observed(path: CriticalPath) -> None:
    (probe,) = path.probes.all()
    at = microseconds(timezone.now() - timedelta(minutes=1))
    parts = [
        "total",
        "dns",
        "connect",
        "tls",
        "first_byte",
        "transfer",
        "lateness",
        "size",
        "cache",
    ]
    nothing = dict.fromkeys(parts, 0) | {"is_wrong": False, "is_delayed": False}
    whole = {"status": 200, "total": 20, "size": 12, "cache": 1, "db_calls": 4, "db_time": 2}
    rows = [
        (at, Verdict.PASSING, whole),
        (at + 1, Verdict.FAILING, {"failure": "timeout", "reason": "no answer in 2 s"}),
    ]
    for slot_at, verdict, more in rows:
        Observation.objects.create(
            probe=probe, slot_at=slot_at, kind=Kind.SCHEDULED, verdict=verdict, **(nothing | more)
        )


def _runs(service: Service) -> None:
    now, place = timezone.now(), service.environments.get(slug="production")
    since = now - timedelta(hours=1)
    Running.objects.create(environment=place, commit=COMMIT, commit_since=since, told_at=now)


def _given(ask: Client) -> None:
    """A release, its evidence, that it went out, and that it came back."""
    _post(ask, f"{SERVICE}/releases", named(version=VERSION, paths=["price-a-crossing"]))
    _post(ask, f"{HERE}/evidence", evidence("unit"))
    _post(ask, f"{HERE}/evidence", evidence("lint", counts=None, metrics={"lines": 2.5}))
    _post(ask, f"{HERE}/tag", {"tag": "v1.4.2", "object": COMMIT, "commit": COMMIT})
    because = "It had to go out before the storm came."
    _post(ask, f"{HERE}/released", {"environment": "staging", "anyway_because": because})
    _post(ask, f"{HERE}/rollbacks", {"reason": "Prices were wrong."})


def _overridden(release: Release, person: User) -> None:
    now = timezone.now()
    one = Override.objects.create(
        release=release, gates=["integration"], reason="The machine is away.", asked_by=person,
        asked_at=now, ends_at=now + timedelta(hours=8), needs_second=False,
    )  # fmt: skip
    OverrideAct.objects.create(override=one, act="accepted", at=now, by=person)


def _noted(ask: Client, path: CriticalPath) -> None:
    gone = {
        "environment": "production",
        "at": ago(minutes=30),
        "seconds": 240,
        "outcomes": [{"outcome": "worked"}, {"outcome": "failed", "remark": "It was still on."}],
    }
    for place in (SERVICE, f"{SERVICE}/paths/{path.slug}"):
        _post(ask, f"{place}/rollback-note", NOTE)
        _post(ask, f"{place}/rollback-note/rehearsals", gone)


def _compared(ask: Client) -> Change:
    """A change that was judged, and what was done for it."""
    declare(ask, version=VERSION, goal=0.3, assumptions=["As usual."], sampling="sent")
    change = Change.objects.get()
    at = f"/api/v1/changes/{change.pk}"
    samples = [{"at": ago(seconds=90 - second), "latency_us": 48_000} for second in range(60)]
    for act, told in (
        ("baseline", {}),
        ("samples", {"samples": samples}),
        ("baseline/seal", {}),
        ("cleared", {"what": "prefix", "pattern": "fares:", "count": 3}),
        ("applied", {"command": "make deploy", "exit_code": 0}),
    ):
        _post(ask, f"{at}/{act}", told)
    judged(change.pk)
    return change


def _incident(path: CriticalPath, person: User) -> Incident:
    now, service = timezone.now(), path.service
    place = service.environments.get(slug="production")
    one = Incident.objects.create(
        service=service, environment=place, title="Price a crossing is failing", opened_at=now
    )
    one.paths.create(path=path, joined_at=now, reason="status is 503")
    one.timeline.create(at=now, act=TimelineEntry.Act.OPENED, path=path, facts={"opening": 1})
    one.note("The import is running again.", by=person, now=now)
    return one


def _post(ask: Client, address: str, body: dict[str, Any]) -> None:
    answer = ask.post(address, body, content_type="application/json")
    assert answer.status_code == 201, answer.text
