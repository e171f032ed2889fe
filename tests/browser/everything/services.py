"""Services whose paths stand in every state and are of every kind, with their notes and keys."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.test import Client

from opsboard.probes.heartbeats import Heartbeat
from opsboard.probes.models import Exchange, Gap, Probe, ServiceDay, microseconds, stand_up
from opsboard.probes.rules import State
from opsboard.probes.stored import CACHE
from opsboard.releases.models import ConfigReport, GateChoice
from opsboard.rollbacks.models import NoteDraft, RollbackNote
from opsboard.rollbacks.rules import steps_digest
from opsboard.services.models import SECOND, CriticalPath, Running, Service, Team
from tests.web.standing import a_path, a_service, observed, stands

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
BACK = [
    {"do": "Hold releases", "run": "ferryctl hold fares-api", "see": "held", "call": ""},
    {"do": "Go back", "run": "ferryctl " + "d" * 150, "see": "6 healthy", "call": "Mirela"},
]
STEPS = [
    {"name": "Ask for a quote", "method": "POST", "route": "/quotes", "expect": ["status == 201"],
     "take": {"quote": "json $.id"}},
    {"name": "Book it", "method": "POST", "route": "/bookings", "expect": ["time < 400 ms"]},
    {"name": "Cancel", "method": "DELETE", "route": "/bookings/{{ quote }}", "always": True},
]  # fmt: skip


def now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Made:
    """What the other parts of the company hang on."""

    team: Team
    fares: Service
    berths: Service
    price: CriticalPath
    hold: CriticalPath
    failing: Probe


def make(editor: User) -> Made:
    fares, berths = _fares(editor), a_service("berths", team="Harbour")
    price = _price(fares)
    failing = _hurts(price)
    hold = a_path(berths, "Hold a berth", checked_by=editor, checked_at=now() - DAY)
    observed(stands(hold), [31, 29, 44] * 10, cache=CACHE.index("hit"), db_calls=3)
    berths.depends_on.add(fares)
    _kinds(a_service("booking-web", team="Booking"))
    _states(a_service("w" * 58, team="Harbour"))
    _days(failing)
    _notes(fares, price, editor)
    _configuration(fares)
    _gone(editor, fares)
    return Made(fares.team, fares, berths, price, hold, failing)


def _fares(editor: User) -> Service:
    fares = a_service("fares-api", environments=2)
    fares.tier, fares.tags = 1, ["money", "t" * 40]
    fares.links = [{"name": "Repository", "url": "https://git.example/" + "u" * 120}]
    fares.facts = {
        "language": "Python",
        "cost centre": ["4711", "f" * 80],
        "on": {"host": "h" * 80},
    }
    fares.save()
    Team.objects.filter(pk=fares.team_id).update(contact="#pricing-on-call", zone="Europe/Oslo")
    fares.team.refresh_from_db()
    fares.team.members.add(editor)
    return fares


def _price(fares: Service) -> CriticalPath:
    return a_path(
        fares,
        route="/" + "v" * 120,
        headers=[["Accept", "application/json"]],
        body='{"' + "x" * 200 + '": 1}',
        user_notices="w" * 150,
        slow_query_or_command="SELECT " + "y" * 200,
    )


def _hurts(price: CriticalPath) -> Probe:
    probe = stands(
        price,
        State.FAILING,
        reason="status is 503, expected 200: " + "z" * 120,
        clauses=[("status == 200", False, "g" * 200), ("time < 400 ms", None, "")],
    )
    observed(probe, [300, 2_800] * 40, cache=CACHE.index("hit"), db_calls=12, db_time=90_000)
    stands(price, State.WARNING, environment="staging", reason="time is 512 ms")
    Exchange.objects.create(
        probe=probe, slot_at=1, status=503, headers=[["Server", "q" * 150]], excerpt="e" * 300
    )
    begun = microseconds(now() - HOUR)
    Gap.objects.create(probe=probe, first_slot_at=begun, last_slot_at=begun + 60 * SECOND, slots=6)
    return probe


def _kinds(service: Service) -> None:
    """A path of each kind but the usual."""
    service.environments.update(base_url="https://booking-web.example")
    stands(a_path(service, "Port", kind="tcp", route=":5432", body="PING", expected_result=""))
    certificate = {"kind": "tls", "route": "a.test:443", "expected_result": "certificate.days > 14"}
    stands(a_path(service, "Certificate", **certificate), State.WARNING, reason="9 days are left")
    stands(a_path(service, "Name", kind="dns", route="a.test MX", expected_result="time < 1 s"))
    nightly = {"kind": "heartbeat", "route": "", "expected_result": ""}
    every = {"cron": "0 2 * * *", "zone": "Europe/Oslo", "grace": 600 * SECOND}
    stands(a_path(service, "Nightly import", **nightly, heartbeat=every))
    address = "/beat/" + Heartbeat.objects.get().address.rpartition("/")[2]
    for act, body in [("/start", ""), ("/3", "3 files were lost " + "b" * 120)]:
        Client().post(address + act, data=body, content_type="text/plain")
    walked = a_path(service, "Book a trip", route="", steps=STEPS, expected_result="time < 2 s")
    _walks(stands(walked, State.FAILING, reason="step 2, Book it: time is 912 ms"))
    far = a_path(service, "From two places", locations=["oslo", "hull"])
    stand_up(service, now=now() - DAY, location="default")
    Probe.objects.filter(path=far, location="oslo").update(
        state=State.PASSING, observed_at=microseconds(now())
    )


def _walks(probe: Probe) -> None:
    told = [("Ask for a quote", "passing", ""), ("Book it", "failing", "time is 912 ms"),
            ("Cancel", None, "")]  # fmt: skip
    steps = [_did(name, verdict, reason) for name, verdict, reason in told]
    probe.latest = json.dumps({"clauses": [], "steps": steps})
    probe.save()


def _did(name: str, verdict: str | None, reason: str) -> dict[str, Any]:
    return {
        "name": name, "verdict": verdict, "status": 201 if verdict else None, "total": 12_000,
        "db_calls": 4 if verdict else None, "cache": "unknown", "reason": reason,
        "clauses": [{"clause": "time < 400 ms", "held": not reason, "got": "912 ms"}],
    }  # fmt: skip


def _states(service: Service) -> None:
    """Paths that pass, warn, are paused, have no data, or were never asked; one without a sheet."""
    stands(a_path(service, "Passes"))
    stands(a_path(service, "Warns"), State.WARNING, reason="time is 412 ms, expected < 400 ms")
    stands(a_path(service, "Rests", paused_at=now() - HOUR), State.PAUSED)
    stands(a_path(service, "Says nothing"), State.NO_DATA)
    a_path(service, "Never asked", expected_result="", user_notices="")
    stand_up(service, now=now(), location="default")
    probe = Probe.objects.get(path__slug="passes")
    observed(probe, [20] * 3)


def _days(probe: Probe) -> None:
    today = now().date()
    worst = [State.FAILING, State.WARNING, State.NO_DATA, State.PAUSED, *[State.PASSING] * 40]
    days = []
    for back, state in enumerate(worst):
        of = {"passing": 80_000, state.value: 6_400} if state != State.PASSING else {"passing": 1}
        days.append(
            ServiceDay(
                environment=probe.environment,
                day=today - back * DAY,
                worst=state,
                maintenance=600 * (back % 3),
                is_example=back > 30,
                **of,
            )
        )
    ServiceDay.objects.bulk_create(days)


def write(
    note: RollbackNote, title: str, by: User | None, base: int, steps: Sequence[Any] = BACK
) -> None:
    note.write(
        title=title, use_when="w" * 90, does_not_undo="Bookings **stay**", minutes=4 + base,
        steps=list(steps), reason="", by=by, now=now() - HOUR, base=base,
    )  # fmt: skip


def _notes(fares: Service, price: CriticalPath, editor: User) -> None:
    """Of three versions and two rehearsals; of one nobody checked; of none, with a draft."""
    note = RollbackNote.objects.create(service=fares, path=price)
    for base in range(3):
        write(note, f"Go back {'n' * 60}", editor, base)
    version = note.current
    assert version
    for worked in (True, False):
        version.rehearsals.create(
            environment_slug="staging", steps_digest=steps_digest(version.steps), at=now() - HOUR,
            seconds=230, worked=worked, remark="r" * 90, by=editor,
            outcomes=[{"outcome": "worked" if worked else "failed", "remark": "m" * 80}] * 2,
        )  # fmt: skip
    write(RollbackNote.objects.create(service=fares), "Go back to the one before", None, 0)
    NoteDraft.objects.create(
        service=fares, by=editor, base=1, kept_at=now(), typed={"title": "Not published yet"}
    )


def _configuration(fares: Service) -> None:
    for name, rule in [("DATABASE_URL", {"across": "differ"}), ("K" * 110, {"equals": "false"})]:
        fares.config_keys.create(name=name, **rule)
    fares.config_keys.create(name="OLD_FLAG", presence="absent")
    for place in fares.environments.all():
        Running.objects.create(
            environment=place, commit="3" * 40, commit_since=now() - HOUR, told_at=now(),
            config_root="7" * 64, root_since=now() - HOUR,
        )  # fmt: skip
        ConfigReport.objects.create(
            environment=place, root="7" * 64, at=now(), made_with="1" * 16, by_name="CI run 18204",
            fingerprints={"DATABASE_URL": "a" * 16, "K" * 110: None}, rules={"K" * 110: False},
        )  # fmt: skip
    GateChoice.objects.create(team=fares.team, gate="load-test", words="Load " + "l" * 80,
                              need="required", lasts=3600)  # fmt: skip
    GateChoice.objects.create(service=fares, gate="lint", need="dropped")


def _gone(editor: User, fares: Service) -> None:
    """One of each kind that can be brought back."""
    a_service("old-tariffs").remove(by=editor, now=now() - DAY)
    a_path(fares, "An old question").remove(by=editor, now=now() - DAY)
    fares.environments.create(slug="preview", base_url="http://127.0.0.1:9").remove(
        by=editor, now=now() - DAY
    )
    Team.objects.create(slug="tariffs", name="Tariffs").remove(by=None, now=now() - DAY)
