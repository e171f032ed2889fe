"""A board with one of everything on it, whatever is written into it."""

import json
from datetime import UTC, date, datetime, time, timedelta

from django.contrib.auth.models import User
from django.test import Client

from opsboard.alerts.models import Channel, Delivery, Message, Notice, Route, Silence
from opsboard.alerts.telling import content_of
from opsboard.board.models import Declaration
from opsboard.incidents.models import Incident
from opsboard.people import audit, joining, tokens
from opsboard.probes.beat_rules import BeatKind
from opsboard.probes.heartbeats import Heartbeat
from opsboard.probes.models import Exchange, Probe, StateChange, microseconds, stand_up
from opsboard.probes.rules import State
from opsboard.releases.models import ConfigReport, GateChoice
from opsboard.rollbacks.models import NoteDraft, RollbackNote
from opsboard.services.models import (
    CriticalPath,
    Deploy,
    Environment,
    MaintenanceWindow,
    Rota,
    Service,
    Team,
)
from tests.api import everything
from tests.company import BY, SECOND
from tests.web import releases
from tests.web.measured import a_burst, a_change, a_window, an_attempt, is_applied, was_cleared

HOUR = timedelta(hours=1)
# The address of the administrator who made it all, and whose name is as hostile.
HOSTILE = "x@skerry.example"


def now() -> datetime:
    return datetime.now(UTC)


def build(ask: Client) -> None:
    """`ask` is a program that may do everything."""
    person = joining.add("x", "administrator", email=HOSTILE)
    everything.fill(ask, person)
    path = CriticalPath.objects.get(slug="price-a-crossing")
    probe = _hurts(path)
    _heartbeat(path)
    incident = _incidents(path, person)
    _alerts(path, incident)
    _held(path, person)
    _rollback(path, person)
    _team(path.service.team, person)
    _releases(path, person)
    _changes(path)
    _known(probe, person)


def _hurts(path: CriticalPath) -> Probe:
    """It fails, as recording writes it: a certificate near its end, a clause that quotes."""
    probe = path.probes.get()
    since, at = microseconds(now() - HOUR), microseconds(now()) - SECOND
    change = StateChange.objects.create(
        probe=probe, at=since, before=State.PASSING, after=State.FAILING, reason="status is 503"
    )
    said = change.reason
    latest = {
        "clauses": [{"clause": "status == 200", "held": False, "got": said}],
        "ending_certificate": {
            "key": "k", "not_after": now().timestamp(), "subject": said, "host": "a.test",
        },
    }  # fmt: skip
    Probe.objects.filter(pk=probe.pk).update(
        state=State.FAILING, streak_state=State.FAILING, state_since=since, observed_at=at,
        reason=said, latest=json.dumps(latest),
    )  # fmt: skip
    Exchange.objects.create(
        probe=probe, slot_at=at, status=503, headers=[["Server", "x"]], excerpt="x"
    )
    production(path.service).variables.create(name="TOKEN", value="x")
    Deploy.objects.create(
        environment=probe.environment, name="x", tag="x", url="https://ci.example/1", at=now()
    )
    return probe


def _heartbeat(path: CriticalPath) -> None:
    nightly = path.service.paths.create(
        slug="nightly", name="Nightly", kind="heartbeat", heartbeat={"every": 3600 * SECOND}
    )
    stand_up(path.service, now=now(), location="default")
    heartbeat = Heartbeat.objects.filter(path=nightly).first()
    assert heartbeat
    for kind in (BeatKind.FAILURE, BeatKind.LOG):
        beat = heartbeat.beats.create(at=microseconds(now()), kind=kind, body="x")
        Heartbeat.objects.update(body=beat.body)


def _incidents(path: CriticalPath, person: User) -> Incident:
    """One open by a path; one open by hand, taken by a link; one over, with what was learned."""
    open_one = Incident.objects.get()
    entry = {"at": now(), "path": path, "text": "x"}
    for act in ("joined", "left", "alerted", "reminded", "noted"):
        open_one.timeline.create(act=act, **entry)
    for slug, ended in (("staging", None), ("production", now())):
        one = Incident.objects.create(
            service=path.service, environment=path.service.environments.get(slug=slug), title="x",
            opened_at=now() - HOUR, resolved_at=ended, acknowledged_at=now(), acknowledged_as="x",
            is_by_hand=True, afterword="x",
            afterword_at=now(), afterword_by=person, opened_by=person, below=open_one,
        )  # fmt: skip
        one.timeline.create(act="acknowledged", by_name="x", **entry)
    return open_one


def _alerts(path: CriticalPath, incident: Incident) -> None:
    notice = Notice.objects.create(
        kind="warning", key="probe 1", service=path.service, path=path, text="x", began_at=now()
    )
    for kind in ("email", "slack", "teams", "webhook", "pagerduty"):
        channel = Channel(name=kind, kind=kind, failing_since=now(), last_error="x")
        channel.keep(address="all@skerry.example" if kind == "email" else "https://x.example/y")
        channel.save()
        usual = {"channel": channel, "created_at": now(), "wanted_at": 0}
        told = [
            Delivery.objects.create(event="failing", incident=incident, **usual),
            Delivery.objects.create(event="notice", notice=notice, **usual),
            Delivery.objects.create(event="test", **usual),
        ]
        # One that tells of the incident alone, and one of all.
        for some in (told[:1], told):
            message = Message(channel=channel, made_at=now(), next_attempt_at=0, attempts=3)
            message.content = content_of(some, channel, now=now(), key=message.key)
            message.save()
        Delivery.objects.filter(channel=channel).update(message=message)
        Delivery.objects.create(
            event="reminder", incident=incident, held_at=now(), held_by="silence", **usual
        )
    Route.objects.create(name="Nights")


def _held(path: CriticalPath, person: User) -> None:
    Silence.objects.create(
        service=path.service, starts_at=now(), ends_at=now() + HOUR, by=person, reason="x"
    )
    for days in (-1, 2):
        MaintenanceWindow.objects.create(
            name="x", service=path.service, starts_on=now().date() + timedelta(days=days),
            starts_at="02:30", minutes=60, planned_at=now() - timedelta(days=3),
        )  # fmt: skip


def _rollback(path: CriticalPath, person: User) -> None:
    """Further versions of each note, of which a command wrote one; a draft of each."""
    steps = [{"do": "x", "run": "x", "see": "x", "call": "x"}]
    words = {"use_when": "x", "does_not_undo": "x", "minutes": 4, "steps": steps, "reason": "x"}
    for note in RollbackNote.objects.all():
        note.write(title="x", by=None, written_as="x", now=now(), base=1, **words)
        note.write(title="x", by=person, now=now(), base=2, **words)
        typed = {"title": "x", "use_when": "x", "does_not_undo": "x", "reason": "x"}
        NoteDraft.objects.create(
            service=note.service, path=note.path, by=person, base=3, typed=typed, kept_at=now()
        )


def _team(team: Team, person: User) -> None:
    team.members.add(person)
    rota = Rota.objects.create(team=team, starts_on=date(2026, 3, 2), hand_over_at=time(9))
    rota.turns.create(person=person, position=0)
    rota.covers.create(person=person, starts_at=now() - HOUR, ends_at=now() + HOUR)
    GateChoice.objects.create(team=team, gate="own", words="x", need="required")
    Declaration.objects.create(
        kind="team", slug=team.slug, file="board.yaml", declared={f"team/{team.slug}": {}},
        applied_at=now(), applied_by=person,
    )  # fmt: skip


def _releases(path: CriticalPath, person: User) -> None:
    release = releases.a_release(path.service, "2026.11.9", tag="x", summary="x", migrations=["x"])
    for gate, outcome in (("unit", "failed"), ("lint", "passed"), ("own", "failed")):
        releases.evidence(release, gate, outcome, log_tail="x", tool="x", assumptions=["x"])
    releases.an_override(release, "unit", by=person)
    releases.a_freeze()
    path.service.holds.create(reason="x", at=now(), ended_at=now(), ended_by=person)
    ConfigReport.objects.create(
        environment=production(path.service), root="0" * 64, at=now(), by_name="x",
        fingerprints={"DEBUG": "0" * 16}, made_with="0" * 16,
    )  # fmt: skip


def _changes(path: CriticalPath) -> None:
    """One that collects, one that was given up; what was judged came with the API's."""
    for given_up in (None, now()):
        attempt = an_attempt(a_change(path, assumptions=["x"]))
        window = a_window(attempt, "before", is_sealed=False)
        a_burst(window)
        is_applied(attempt, command="x", remark="x")
        was_cleared(attempt)
        attempt.given_up_at = given_up
        attempt.save()


def _known(probe: Probe, person: User) -> None:
    tokens.make(
        name="CI", scopes=["read"], by=person, now=now(), expires_at=now() + timedelta(days=1)
    )
    audit.record(BY, "changed", "service", "fares-api", now=now(), after={"name": "x"})


def production(service: Service) -> Environment:
    return service.environments.get(slug="production")
