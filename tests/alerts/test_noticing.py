"""Notices: each thing to know within the day is told once, to those whom it concerns."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from opsboard.alerts.models import Channel, Delivery, Notice
from opsboard.alerts.noticing import notice
from opsboard.probes.models import Probe, Shift, microseconds, stand_up
from opsboard.services.models import CriticalPath, Service, Team
from tests.company import SECOND, a_path, a_probe, a_service

pytestmark = pytest.mark.django_db

# In the past, so that no clock but the test's matters.
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def at(now: datetime) -> None:
    """Opsboard works as of `now`: the bell rings, somebody claims, and what is on the board is
    heard of."""
    for duty, instance in (("bell", "beat"), ("claim:drain:default", "any")):
        Shift.objects.update_or_create(
            duty=duty,
            instance=instance,
            defaults={"claimed_at": microseconds(now)},
            create_defaults={"began_at": 0, "claimed_at": microseconds(now)},
        )
    Probe.objects.update(observed_at=microseconds(now))


@pytest.fixture
def channel() -> Channel:
    return a_channel()


@pytest.fixture(autouse=True)
def _mail_reaches_the_administrators(administrator: User, settings: LazySettings) -> None:
    settings.MAILERS = {"default": {"BACKEND": "django.core.mail.backends.locmem.EmailBackend"}}
    administrator.email = "layla@example.com"
    administrator.save()


def a_channel(**fields: object) -> Channel:
    channel = Channel(name="ops hook", kind="webhook", **fields)
    channel.keep(address="http://127.0.0.1:9/hook", signing_secret="whsec_test")
    channel.save()
    return channel


def standing(state: str, *, path: CriticalPath | None = None, **fields: object) -> Probe:
    probe = a_probe(path, now=NOW - HOUR)
    Probe.objects.filter(pk=probe.pk).update(
        **{"state": state, "state_since": microseconds(NOW - HOUR), "reason": "slow"} | fields
    )
    return probe


def look(now: datetime = NOW, *, works: bool = True) -> None:
    if works:
        at(now)
    notice(now=now)


def told() -> list[str]:
    return [one.notice.text for one in Delivery.objects.select_related("notice").order_by("pk")]  # type: ignore[union-attr]


def test_a_path_that_passes_is_no_news(channel: Channel):
    standing("passing")
    look()
    assert not Notice.objects.exists()


def test_a_path_that_warns_is_told_once_in_one_sentence(channel: Channel):
    path = a_path(a_service("fares-api"), name="Price a crossing")
    standing("warning", path=path, reason="time is 900 ms, expected < 800 ms.")
    look()
    look(NOW + timedelta(seconds=10))
    assert told() == [
        "Price a crossing (fares-api, production) warns: time is 900 ms, expected < 800 ms; "
        "look at its sheet before it fails."
    ]
    found = Notice.objects.get()
    assert (found.kind, found.path, found.service) == ("warning", path, path.service)


def test_the_probes_of_a_path_are_one_notice(channel: Channel):
    probe = standing("warning")
    twin = Probe.objects.get(pk=probe.pk)
    twin.pk, twin.location = None, "oslo"
    twin.save()
    at(NOW)
    Shift.objects.create(
        duty="claim:drain:oslo", instance="any", began_at=0, claimed_at=microseconds(NOW)
    )
    notice(now=NOW)
    assert len(told()) == 1


def test_what_is_over_ends_and_nobody_is_told_of_that(channel: Channel):
    standing("warning")
    look()
    Delivery.objects.update(message=a_message(channel))
    Probe.objects.update(state="passing")
    look(NOW + timedelta(minutes=1))
    assert Notice.objects.get().ended_at == NOW + timedelta(minutes=1)
    assert Delivery.objects.get().held_at is None


def a_message(channel: Channel):  # type: ignore[no-untyped-def]
    return channel.messages.create(content={}, made_at=NOW, next_attempt_at=0)


def test_what_comes_back_within_the_hour_is_not_told_again(channel: Channel):
    standing("warning")
    for minutes, state in ((0, "warning"), (10, "passing"), (60, "warning")):
        Probe.objects.update(state=state)
        look(NOW + timedelta(minutes=minutes))
        Delivery.objects.update(message=a_message(channel))
    assert (len(told()), Notice.objects.get().ended_at) == (1, None)


def test_what_comes_back_later_is_told_again(channel: Channel):
    standing("warning")
    for minutes, state in ((0, "warning"), (10, "passing"), (71, "warning")):
        Probe.objects.update(state=state)
        look(NOW + timedelta(minutes=minutes))
    assert Notice.objects.count() == 2


def test_what_was_over_before_it_was_told_is_told_when_it_comes_back(channel: Channel):
    standing("warning")
    for minutes, state in ((0, "warning"), (1, "passing")):
        Probe.objects.update(state=state)
        look(NOW + timedelta(minutes=minutes))
    assert Delivery.objects.get().held_by == Delivery.HeldBy.ENDED
    Probe.objects.update(state="warning")
    look(NOW + timedelta(minutes=2))
    assert Delivery.objects.get().held_at is None


def silent(probe: Probe, *, seconds: float) -> None:
    then = NOW - timedelta(seconds=seconds)
    Probe.objects.filter(pk=probe.pk).update(
        observed_at=microseconds(then), state_since=microseconds(NOW - HOUR)
    )


@pytest.fixture
def busy(channel: Channel) -> None:
    """Others on the board are heard of all the time."""
    for _ in range(3):
        standing("passing")
    return


@pytest.mark.parametrize(("seconds", "is_told"), [(99, False), (101, True)])
def test_a_path_that_nobody_heard_of_for_three_intervals_is_told(
    busy: None, seconds: int, *, is_told: bool
):
    probe = standing("passing")
    at(NOW)
    # Interval 30 s, timeout 10 s.
    silent(probe, seconds=seconds)
    look(works=False)
    assert Notice.objects.filter(kind="no_data").exists() is is_told


def test_after_a_stop_of_opsboard_silence_counts_from_its_start(busy: None):
    probe = standing("passing")
    at(NOW)
    silent(probe, seconds=7200)
    Shift.objects.filter(duty="bell").update(began_at=microseconds(NOW) - 5 * SECOND)
    look(works=False)
    assert not Notice.objects.exists()


def test_a_paused_path_is_not_waited_for(busy: None):
    probe = standing("passing")
    at(NOW)
    silent(probe, seconds=500)
    Probe.objects.filter(pk=probe.pk).update(ended_at=NOW)
    look(works=False)
    assert not Notice.objects.exists()


def test_when_all_are_silent_the_administrators_hear_it_once(channel: Channel):
    for _ in range(3):
        standing("passing")
    at(NOW)
    Probe.objects.update(observed_at=microseconds(NOW) - 500 * SECOND)
    look(works=False)
    [found] = Notice.objects.all()
    assert found.kind == Notice.Kind.OWN_ERROR
    assert found.text.startswith("No probe was recorded for 8 min")
    assert Delivery.objects.get().channel.kind == Channel.Kind.ADMINISTRATORS


def test_many_silent_paths_are_one_notice_to_the_administrators(busy: None):
    quiet = [standing("passing") for _ in range(11)]
    at(NOW)
    for probe in quiet:
        silent(probe, seconds=500)
    look(works=False)
    [found] = Notice.objects.all()
    assert (found.kind, found.key) == ("own_error", "silent")
    assert found.text.startswith("Nothing was recorded of 11 paths for 3 intervals")


def test_silence_that_is_told_does_not_end_while_opsboard_is_not_well(busy: None):
    probe = standing("passing")
    at(NOW)
    silent(probe, seconds=500)
    look(works=False)
    Probe.objects.update(observed_at=microseconds(NOW) - 500 * SECOND)
    look(works=False)
    assert Notice.objects.get(kind="no_data").ended_at is None


def test_errors_of_our_own_are_told_to_the_administrators_by_their_reason(channel: Channel):
    for _ in range(3):
        standing("no_data", reason="A key is lost.", latest=json.dumps({"verdict": "error"}))
    standing("no_data", reason="{{ X }} is not set.", latest=json.dumps({"verdict": "error"}))
    look()
    first, second = told()
    assert " and 2 more: A key is lost." in first
    assert second.endswith(": {{ X }} is not set.")
    assert {one.channel.kind for one in Delivery.objects.all()} == {"admins"}


def test_a_path_not_confirmed_yet_after_no_data_is_no_error_of_ours(channel: Channel):
    standing("no_data", latest=json.dumps({"verdict": "failing"}))
    look()
    assert not Notice.objects.exists()


def showing(days: float, *, path: CriticalPath | None = None, key: str = "abc") -> Probe:
    certificate = {
        "key": key,
        "not_after": (NOW + timedelta(days=days)).timestamp(),
        "subject": "CN = fares.example",
        "host": "fares.example",
    }
    latest = json.dumps({"verdict": "passing", "ending_certificate": certificate})
    return standing("passing", path=path, latest=latest)


def test_a_certificate_is_told_of_at_each_threshold_once(channel: Channel):
    showing(21.5)
    days_told = []
    for days in (0, 1, 2, 8, 9, 15, 16, 20.4, 20.6, 21.3, 21.6, 22):
        look(NOW + timedelta(days=days))
        days_told.append(Notice.objects.count())
    assert days_told == [0, 1, 1, 2, 2, 3, 3, 3, 4, 4, 4, 4]
    assert not Notice.objects.open().exists()
    assert told()[0].startswith(
        "The certificate of fares.example (CN = fares.example) runs out at "
        "00:00 UTC on 15 December 2026, in 20 days: renew it"
    )


def test_a_certificate_first_seen_late_is_told_of_once(channel: Channel):
    showing(3)
    look()
    assert len(told()) == 1


def test_a_certificate_of_many_paths_is_told_once_a_service(channel: Channel):
    service = a_service()
    for _ in range(3):
        showing(13, path=a_path(service))
    showing(13, path=a_path())
    look()
    assert sorted(" and 2 more shows" in text for text in told()) == [False, True]


def test_another_certificate_is_told_of_by_itself(channel: Channel):
    service = a_service()
    showing(13, path=a_path(service))
    showing(13, path=a_path(service), key="def")
    look()
    assert len(told()) == 2


def test_a_certificate_that_comes_back_is_not_told_again(channel: Channel):
    """Behind one address two machines may show an old one and a new one by turns."""
    probe = showing(13)
    look()
    latest = Probe.objects.get(pk=probe.pk).latest
    Probe.objects.update(latest="{}")
    look(NOW + 2 * HOUR)
    assert not Notice.objects.open().exists()
    Probe.objects.update(latest=latest)
    look(NOW + 4 * HOUR)
    assert Notice.objects.get().ended_at is None


def test_an_overload_is_told_to_the_administrators(channel: Channel):
    standing("passing")
    at(NOW)
    Shift.objects.create(
        duty="drain:default", instance="a", began_at=0, claimed_at=microseconds(NOW),
        judged=100, delayed=40,
    )  # fmt: skip
    look(works=False)
    [text] = told()
    assert text.startswith("40 of the last 100 replies were kept waiting by Opsboard itself")


def test_a_location_that_nobody_drains_is_told_by_its_name(busy: None):
    probe = standing("passing")
    Probe.objects.filter(pk=probe.pk).update(location="oslo")
    at(NOW)
    silent(probe, seconds=500)
    look(works=False)
    [found] = Notice.objects.all()
    assert found.kind == Notice.Kind.LOCATION
    assert "from the location oslo for" in found.text
    assert Delivery.objects.get().channel.kind == Channel.Kind.ADMINISTRATORS


def test_where_no_mail_reaches_the_administrators_the_channels_of_everybody_are_told(
    channel: Channel, settings: LazySettings
):
    settings.MAILERS = {}
    a_channel(team=Team.objects.create(slug="other", name="Other"))
    standing("no_data", reason="A key is lost.", latest=json.dumps({"verdict": "error"}))
    look()
    assert Delivery.objects.get().channel == channel


def test_a_notice_goes_to_the_owner_of_the_path_too():
    service = a_service()
    theirs = Team.objects.create(slug="other", name="Other")
    both = {a_channel(team=service.team), a_channel(team=theirs)}
    standing("warning", path=a_path(service, owner=theirs))
    look()
    assert {one.channel for one in Delivery.objects.all()} == both


def test_a_notice_goes_to_those_who_hear_about_the_service():
    service = a_service()
    mine = a_channel(team=service.team)
    a_channel(team=Team.objects.create(slug="other", name="Other"))
    standing("warning", path=a_path(service))
    look()
    assert Delivery.objects.get().channel == mine


def test_the_queries_are_few_however_many_probes_there_are(channel: Channel):
    service: Service = a_service()
    paths = [a_path(service) for _ in range(60)]
    stand_up(service, now=NOW - HOUR, location="default")
    numbers = [path.pk for path in paths]
    Probe.objects.filter(path__in=numbers[:30]).update(state="warning")
    Probe.objects.filter(path__in=numbers[30:]).update(
        state="no_data", latest=json.dumps({"verdict": "error"})
    )
    at(NOW)
    with CaptureQueriesContext(connection) as opening:
        notice(now=NOW)
    with CaptureQueriesContext(connection) as again:
        notice(now=NOW + timedelta(seconds=10))
    assert len(told()) == 31
    assert len(opening) <= 25
    assert len(again) < 12
