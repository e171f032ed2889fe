"""No page asks the database more often because there is more to show, nor row by row."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import FETCH_RAISE
from django.test import Client
from django.test.utils import CaptureQueriesContext

from opsboard.alerts.models import Channel, Delivery, Message, Route, Silence
from opsboard.incidents.models import Incident
from opsboard.probes.rules import State
from opsboard.releases.models import GateChoice
from opsboard.services.models import Deploy, Running, Service
from tests.web.measured import a_change, compared, was_judged
from tests.web.releases import COMMIT, HOUR, a_note, a_release, an_override, evidence, now, went_out
from tests.web.standing import a_path, a_service, observed, stands

SignIn = Callable[[Any], Client]
# Session and account: the price of signing in, not of the page.
SIGN_IN = 2
MOST_OF_A_POLL = 12
# Each page, and how many queries it may make of its own.
PAGES = {
    "service": ("/services/fares-api", 14),
    "path": ("/services/fares-api/path-0?range=24h", 13),
    "incident": ("/incidents/{incident}", 14),
    "release": ("/releases/fares-api/1.0", 14),
    "change": ("/changes/{change}", 14),
    "releases": ("/releases", 14),
    "changes": ("/changes", 14),
    "incidents": ("/incidents", 14),
    "notes": ("/rollback-notes", 14),
    "mine": ("/mine", 14),
    "alerts": ("/alerts", 14),
    "search": ("/search?q=path", 14),
}


@pytest.fixture
def fares(db: None) -> Service:
    service = a_service("fares-api", environments=2)
    GateChoice.objects.create(team=service.team, gate="security", words="S", need="required")
    for place in service.environments.all():
        Running.objects.create(environment=place, commit=COMMIT, commit_since=now(), told_at=now())
    a_note(service)
    return service


def fill(service: Service, numbers: range, *, by: Any) -> None:
    """One more of everything that the pages show, for each number."""
    place = service.environments.get(slug="production")
    for number in numbers:
        path = a_path(service, f"Path {number}")
        observed(stands(path, State.FAILING, reason="status is 503"), [80, 90, 100])
        _around(service, number)
        _alerting(service, number, by=by)
        _incident(service, place, path, number, by=by)
        _release(service, number, by=by)
        was_judged(a_change(path, declared_by=by, commit=COMMIT), compared("F3_real_fix"))
        was_judged(a_change(service.paths.earliest("pk")), compared("F3_real_fix"))
        Deploy.objects.create(environment=place, name=f"v{number}", at=now() - number * HOUR)


def _around(service: Service, number: int) -> None:
    for called in (True, False):
        other = a_service(f"{'called' if called else 'calls'}-{number}")
        stands(a_path(other), State.WARNING)
        (service if called else other).depends_on.add(other if called else service)


def _alerting(service: Service, number: int, *, by: Any) -> None:
    channel = Channel(name=f"Channel {number}", kind=Channel.Kind.EMAIL, team=service.team)
    channel.keep(address="ops@skerry.example")
    channel.save()
    route = Route.objects.create(name=f"Route {number}", remind_every=15, escalate_after=30)
    route.channels.add(channel)
    route.escalate_to.add(channel)
    Silence.objects.create(
        service=service, path=service.paths.latest("pk"), reason="Moves", by=by,
        starts_at=now() - HOUR, ends_at=now() + HOUR,
    )  # fmt: skip


def _incident(service: Service, place: Any, path: Any, number: int, *, by: Any) -> None:
    """The first is open, with all paths in it; the others are over."""
    incident = Incident.objects.filter(service=service).first()
    if number == 0 or number % 2:
        opened = now() - timedelta(hours=number + 1)
        incident = Incident.objects.create(
            service=service, environment=place, title="Prices fail", opened_at=opened,
            acknowledged_by=by, acknowledged_at=opened, resolved_at=now() if number else None,
            resolved_by=by if number else None,
        )  # fmt: skip
    assert incident is not None
    for one in {incident, Incident.objects.earliest("pk")}:
        one.paths.create(path=path, joined_at=one.opened_at, reason="status is 503")
        one.note("It is the new table", by=by, now=now())
    for channel in Channel.objects.all()[number:]:
        message = Message.objects.create(
            channel=channel, content={}, made_at=now(), next_attempt_at=0
        )
        Delivery.objects.create(
            channel=channel, incident=Incident.objects.earliest("pk"), message=message,
            event="failing", created_at=now(), wanted_at=0,
        )  # fmt: skip


def _release(service: Service, number: int, *, by: Any) -> None:
    waits = a_release(service, f"1.{number}", named_by=by, planned_at=now() + HOUR)
    for release in {waits, service.releases.get(version="1.0")}:
        for gate in ("lint", "unit"):
            evidence(release, gate, by=by)
        an_override(release, "unit", by=by).acts.create(act="accepted", at=now(), by=by)
        release.paths.add(service.paths.latest("pk"))
    went_out(a_release(service, f"0.{number}", named_by=by), by=by)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_asks_as_often_for_many_rows_as_for_few(client_of, fares, editor, page, monkeypatch):
    client = client_of("editor")
    fill(fares, range(2), by=editor)
    address, most = PAGES[page]
    address = address.format(
        incident=Incident.objects.earliest("pk").pk, change=fares.changes.earliest("pk").pk
    )
    few = asked(client, address, monkeypatch)
    fill(fares, range(2, 6), by=editor)
    many = asked(client, address, monkeypatch)
    assert len(many) == len(few), "\n".join(many)
    assert len(many) - SIGN_IN <= most, "\n".join(many)


def test_a_poll_of_a_path_asks_no_more_than_twelve_times(client_of, fares, editor, monkeypatch):
    client = client_of("editor")
    client.defaults["HTTP_HX_REQUEST"] = "true"
    fill(fares, range(2), by=editor)
    few = asked(client, PAGES["path"][0], monkeypatch)
    fill(fares, range(2, 6), by=editor)
    many = asked(client, PAGES["path"][0], monkeypatch)
    assert len(many) == len(few), "\n".join(many)
    assert len(many) - SIGN_IN <= MOST_OF_A_POLL, "\n".join(many)


def asked(client: Client, address: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements of a page; a row that would be read by itself raises instead."""
    client.get(address)
    with monkeypatch.context() as patch, CaptureQueriesContext(connection) as captured:
        patch.setattr("django.db.models.query.DEFAULT_FETCH_MODE", FETCH_RAISE)
        patch.setattr("django.db.models.base.FETCH_ONE", FETCH_RAISE)
        page = client.get(address)
    assert page.status_code == 200
    return [one["sql"] for one in captured.captured_queries]


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_reads_never_hides_the_places_to_go(client_of, fares, editor, page):
    fill(fares, range(1), by=editor)
    number = {"incident": Incident.objects.get().pk, "change": fares.changes.earliest("pk").pk}
    found = client_of("editor").get(PAGES[page][0].format(**number)).text
    for words in ("Board", "Releases", "Changes", "Incidents", "Rollback notes", "Alerts"):
        assert f">{words}" in found.partition("<nav")[2].partition("</nav>")[0]
