"""Silences and windows hold alerts back, never observing; what fails still at the end is told."""

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from opsboard.alerts.holding import Overlays, why_held, why_notice_held
from opsboard.alerts.models import Channel, Delivery, Message, Notice, Silence
from opsboard.alerts.planning import plan_test, react, reconcile
from opsboard.incidents.models import Incident
from opsboard.probes.models import Probe, microseconds
from opsboard.probes.rules import State
from opsboard.services.models import CriticalPath, MaintenanceWindow, Service, Team
from tests.company import NOON, a_path, a_probe, a_service, production

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
SOON = NOON + timedelta(minutes=5)
AFTER = NOON + HOUR + timedelta(seconds=1)


@pytest.fixture(autouse=True)
def channel() -> Channel:
    return a_channel("Everybody")


def a_channel(name: str) -> Channel:
    channel = Channel(name=name, kind=Channel.Kind.EMAIL)
    channel.keep(address="everybody@skerry.example")
    channel.save()
    return channel


@pytest.fixture
def path() -> CriticalPath:
    return a_path(a_service("fares-api"), name="Price a crossing")


def become(path: CriticalPath, state: State, *, at: datetime) -> None:
    if not Probe.objects.filter(path=path).exists():
        a_probe(path, now=NOON - HOUR)
    Probe.objects.filter(path=path).update(state=state, observed_at=microseconds(at))
    react(path.pk, production(path.service).pk, now=at)


def silence(**fields: object) -> Silence:
    values: dict[str, object] = {
        "reason": "loading new fares",
        "starts_at": NOON - HOUR,
        "ends_at": NOON + HOUR,
    }
    return Silence.objects.create(**(values | fields))


def window(**fields: object) -> MaintenanceWindow:
    """From 11:00 to 13:00."""
    values: dict[str, object] = {
        "name": "nightly import",
        "starts_on": NOON.date(),
        "starts_at": (NOON - HOUR).time(),
        "minutes": 120,
        "planned_at": NOON - 24 * HOUR,
    }
    return MaintenanceWindow.objects.create(**(values | fields))


OVERLAYS = pytest.mark.parametrize("begins", [silence, window], ids=["silence", "window"])


def outcomes() -> list[tuple[str, str]]:
    return [(one.event, one.outcome()) for one in Delivery.objects.order_by("pk")]


def test_a_silence_holds_what_it_matches_and_says_who_and_until_when(path, django_user_model):
    ingrid = django_user_model.objects.create_user(
        "ingrid", first_name="Ingrid", last_name="Solheim"
    )
    silence(path=path, by=ingrid)
    become(path, State.FAILING, at=NOON)
    held = Delivery.objects.get()
    assert (held.outcome(), held.held_by) == ("held", "silence")
    assert held.reason == "Silenced by Ingrid Solheim until 13:00: loading new fares."


def test_a_window_holds_what_it_matches_and_says_until_when(path):
    window(service=path.service)
    become(path, State.FAILING, at=NOON)
    held = Delivery.objects.get()
    assert (held.held_by, held.reason) == ("window", "In maintenance until 13:00: nightly import.")


def test_an_end_on_another_day_is_said_with_its_day(path):
    silence(ends_at=NOON + 20 * HOUR)
    become(path, State.FAILING, at=NOON)
    assert "until 08:00 on 24 November: loading" in Delivery.objects.get().reason


@OVERLAYS
def test_the_incident_and_its_timeline_go_on(begins, path):
    begins()
    become(path, State.FAILING, at=NOON)
    become(path, State.PASSING, at=SOON)
    incident = Incident.objects.get()
    assert (incident.opened_at, incident.resolved_at) == (NOON, SOON)
    acts = list(incident.timeline.order_by("pk").values_list("act", flat=True))
    assert acts == ["opened", "left", "resolved"]


@pytest.mark.parametrize(
    "about",
    ["team", "owner", "service", "path", "environment", "all of them"],
)
def test_what_a_silence_matches(about, path):
    owner = Team.objects.create(slug="crossings", name="Crossings")
    CriticalPath.objects.filter(pk=path.pk).update(owner=owner)
    fields = {
        "team": path.service.team,
        "owner": owner,
        "service": path.service,
        "path": path,
        "environment": "production",
    }
    if about == "all of them":
        silence(team=owner, service=path.service, path=path, environment_slug="production")
    else:
        silence(
            **{
                {"owner": "team", "environment": "environment_slug"}.get(about, about): fields[
                    about
                ]
            }
        )
    become(path, State.FAILING, at=NOON)
    assert outcomes() == [("failing", "held")]


@pytest.mark.parametrize("about", ["team", "service", "path", "environment", "past", "future"])
def test_what_a_silence_does_not_match(about, path):
    other = a_path()
    team = Team.objects.create(slug="crossings", name="Crossings")
    fields = {
        "team": {"team": team},
        "service": {"service": other.service},
        "path": {"path": other},
        "environment": {"environment_slug": "staging"},
        "past": {"ends_at": NOON},
        "future": {"starts_at": SOON},
    }
    silence(**fields[about])
    become(path, State.FAILING, at=NOON)
    assert outcomes() == [("failing", "waiting")]


@pytest.mark.parametrize("about", ["team", "service", "environment"])
def test_what_a_window_does_not_match(about, path):
    team = Team.objects.create(slug="crossings", name="Crossings")
    fields = {
        "team": {"team": team},
        "service": {"service": a_service()},
        "environment": {"environment_slug": "staging"},
    }
    window(**fields[about])
    become(path, State.FAILING, at=NOON)
    assert outcomes() == [("failing", "waiting")]


def test_one_failing_path_that_nobody_silenced_is_told_of(path):
    silence(path=path)
    become(path, State.FAILING, at=NOON)
    become(a_path(path.service), State.FAILING, at=NOON)
    reconcile(now=SOON)
    assert outcomes() == [("failing", "waiting")]


def test_two_silences_of_two_paths_hold_the_incident_until_the_first_ends(path):
    other = a_path(path.service)
    silence(path=path, ends_at=NOON + 2 * HOUR)
    silence(path=other, reason="a new index")
    become(path, State.FAILING, at=NOON)
    become(other, State.FAILING, at=NOON)
    reconcile(now=SOON)
    assert Delivery.objects.get().reason.endswith("until 13:00: a new index.")
    reconcile(now=AFTER)
    assert outcomes() == [("failing", "waiting")]


def test_an_incident_opened_by_hand_is_held_by_what_silences_the_service(path):
    place = production(path.service)
    incident = Incident.objects.create(
        service=path.service, environment=place, title="x", opened_at=NOON, is_by_hand=True
    )
    silence(path=path)
    assert why_held(incident, now=NOON) is None
    silence(service=path.service)
    assert why_held(incident, now=NOON)


def test_an_incident_is_held_by_the_open_one_below(path):
    below = Incident.objects.create(
        service=a_service("fares-db"),
        environment=production(Service.objects.get(slug="fares-db")),
        title="x",
        opened_at=NOON - HOUR,
    )
    incident = Incident.objects.create(
        service=path.service,
        environment=production(path.service),
        title="x",
        opened_at=NOON,
        below=below,
    )
    hold = why_held(incident, now=NOON)
    assert hold is not None
    assert (hold.by, hold.reason) == (
        "below",
        f"{below} of fares-db below was open before this one began.",
    )
    below.resolved_at = SOON
    assert why_held(incident, now=SOON) is None


# As overlays begin and end


@OVERLAYS
def test_at_the_end_what_fails_still_is_sent_once(begins, path):
    begins()
    become(path, State.FAILING, at=NOON)
    reconcile(now=SOON)
    assert outcomes() == [("failing", "held")]
    reconcile(now=AFTER)
    delivery = Delivery.objects.get()
    assert (delivery.outcome(), delivery.created_at) == ("waiting", AFTER)
    assert delivery.wanted_at == microseconds(AFTER)
    reconcile(now=AFTER + HOUR)
    assert Delivery.objects.get().created_at == AFTER
    become(path, State.PASSING, at=AFTER + HOUR)
    assert outcomes() == [("failing", "waiting"), ("resolved", "waiting")]


@pytest.mark.parametrize(
    ("begins", "says"),
    [
        (silence, "Recovered before the silence ended."),
        (window, "Recovered before the maintenance ended."),
    ],
    ids=["silence", "window"],
)
def test_what_recovered_meanwhile_is_never_told(begins, says, path):
    begins()
    become(path, State.FAILING, at=NOON)
    become(path, State.PASSING, at=SOON)
    reconcile(now=SOON)
    reconcile(now=AFTER)
    held = Delivery.objects.get()
    assert (held.outcome(), held.held_by, held.reason) == ("held", "ended", says)


@OVERLAYS
def test_ended_early_it_holds_nothing_more(begins, path):
    overlay = begins()
    become(path, State.FAILING, at=NOON)
    field = "ends_at" if isinstance(overlay, Silence) else "removed_at"
    type(overlay).objects.filter(pk=overlay.pk).update(**{field: SOON})
    reconcile(now=SOON)
    assert outcomes() == [("failing", "waiting")]


@OVERLAYS
def test_what_waits_in_no_message_is_held_as_one_begins(begins, path, channel):
    become(path, State.FAILING, at=NOON)
    test = plan_test(channel, now=NOON, by="Ingrid")
    begins()
    reconcile(now=SOON)
    assert outcomes() == [("failing", "held"), ("test", "waiting")]
    assert Delivery.objects.waiting().get() == test


def test_what_is_in_a_message_is_not_held_any_more(path, channel):
    become(path, State.FAILING, at=NOON)
    message = Message.objects.create(
        channel=channel, content={}, made_at=NOON, next_attempt_at=microseconds(NOON)
    )
    Delivery.objects.update(message=message)
    silence()
    reconcile(now=SOON)
    assert Delivery.objects.get().held_at is None
    # And who was told that it fails is told that it does not, silenced or not.
    become(path, State.PASSING, at=SOON)
    assert outcomes() == [("failing", "waiting"), ("resolved", "waiting")]


def test_both_of_an_incident_that_is_over_go_though_a_silence_begins(path):
    become(path, State.FAILING, at=NOON)
    become(path, State.PASSING, at=SOON)
    silence()
    reconcile(now=SOON)
    assert outcomes() == [("failing", "waiting"), ("resolved", "waiting")]


def test_another_overlay_goes_on_holding_and_says_so(path):
    silence()
    become(path, State.FAILING, at=NOON)
    window(minutes=180)
    reconcile(now=AFTER)
    held = Delivery.objects.get()
    assert (held.held_by, held.reason) == ("window", "In maintenance until 14:00: nightly import.")


def test_what_failed_first_in_an_opening_that_is_over_is_not_told(path):
    silence()
    become(path, State.FAILING, at=NOON)
    Incident.objects.update(openings=2)
    reconcile(now=AFTER)
    assert Delivery.objects.get().held_by == "ended"


def test_a_reminder_of_what_somebody_took_meanwhile_is_not_sent(path, channel):
    become(path, State.FAILING, at=NOON)
    Delivery.objects.update(event="reminder")
    silence()
    reconcile(now=SOON)
    Incident.objects.update(acknowledged_at=SOON)
    reconcile(now=AFTER)
    assert Delivery.objects.get().reason == "Somebody took it before it was sent."


def test_the_resolve_of_the_incident_below_sends_what_it_held(path):
    lower = a_path(a_service("fares-db"))
    path.service.depends_on.add(lower.service)
    become(lower, State.FAILING, at=NOON - 2 * HOUR)
    become(path, State.FAILING, at=NOON)
    pages = Incident.objects.get(service=path.service).deliveries.filter(event="failing")
    reconcile(now=SOON)
    assert [one.outcome() for one in pages.all()] == ["held"]
    become(lower, State.PASSING, at=SOON)
    reconcile(now=SOON)
    # It had no time to recover yet.
    assert [one.outcome() for one in pages.all()] == ["held"]
    reconcile(now=AFTER)
    assert [one.outcome() for one in pages.all()] == ["waiting"]


# Notices


def a_notice(path: CriticalPath | None) -> Notice:
    return Notice.objects.create(
        kind="warning",
        key="x",
        text="Price a crossing warns.",
        began_at=NOON,
        path=path,
        service=path.service if path else None,
        environment=production(path.service) if path else None,
    )


@OVERLAYS
def test_a_notice_is_held_and_sent_while_it_is_open(begins, path, channel):
    begins()
    notice = a_notice(path)
    hold = why_notice_held(notice, now=NOON)
    assert hold is not None
    Delivery.objects.create(
        channel=channel,
        notice=notice,
        event="notice",
        created_at=NOON,
        wanted_at=0,
    )
    reconcile(now=NOON)
    assert outcomes() == [("notice", "held")]
    reconcile(now=AFTER)
    assert outcomes() == [("notice", "waiting")]


def test_a_notice_that_is_over_is_not_sent(path, channel):
    silence(path=path)
    notice = a_notice(path)
    Delivery.objects.create(
        channel=channel, notice=notice, event="notice", created_at=NOON, wanted_at=0
    )
    reconcile(now=NOON)
    Notice.objects.update(ended_at=SOON)
    reconcile(now=AFTER)
    assert Delivery.objects.get().held_by == "ended"


def test_a_notice_about_opsboard_itself_is_never_held():
    silence()
    window()
    assert why_notice_held(a_notice(None), now=NOON) is None


# Many


@pytest.fixture
def many() -> None:
    silence()
    window(minutes=30)
    for _ in range(3):
        a_channel("one more")


def reconciling(count: int) -> int:
    for _ in range(count):
        become(a_path(), State.FAILING, at=NOON)
    with CaptureQueriesContext(connection) as captured:
        reconcile(now=SOON)
    assert all(outcome == "held" for _, outcome in outcomes())
    return len(captured)


@pytest.mark.usefixtures("many")
def test_reconciling_asks_no_more_of_many_that_are_held():
    assert reconciling(1) == reconciling(6)


def test_overlays_are_read_in_one_query(path):
    silence()
    window()
    with CaptureQueriesContext(connection) as captured:
        overlays = Overlays.load(now=NOON)
        assert len(overlays.of_place(path.service, path, "production")) == 2
    assert len(captured) == 1
