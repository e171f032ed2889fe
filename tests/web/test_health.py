"""Whether the process lives, whether Opsboard does its work, and the same reason on every page."""

from dataclasses import replace

import pytest
from django.db import DatabaseError, connection
from django.utils import timezone

from opsboard.probes.models import Probe, Shift, microseconds, stand_up
from opsboard.probes.wellness import Signs, overloaded, read_signs, trouble

SECOND = 1_000_000
NOW = 10_000 * SECOND


def signs(*, newest=NOW, interval=30 * SECOND, since=0, rang=NOW):
    return Signs(newest_at=newest, shortest_interval=interval, watching_since=since, rang_at=rang)


@pytest.mark.parametrize(
    "fine",
    [
        signs(),
        signs(newest=NOW - 90 * SECOND),
        signs(newest=NOW - 15 * SECOND, interval=SECOND),
        signs(rang=NOW - 60 * SECOND),
        signs(rang=None, since=NOW - 60 * SECOND),
        signs(newest=None, interval=None, since=None),
        signs(newest=None, interval=None, since=None, rang=None),
    ],
)
def test_there_is_no_trouble_while_work_is_recorded_and_the_bell_rings(fine):
    assert trouble(fine, now=NOW) is None


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (
            signs(newest=NOW - 91 * SECOND),
            "No probe was recorded for 91 s, though one is due every 30 s",
        ),
        (signs(newest=NOW - 16 * SECOND, interval=SECOND), "No probe was recorded for 16 s"),
        (signs(newest=NOW - 600 * SECOND), "No probe was recorded for 10 min"),
        (signs(rang=NOW - 61 * SECOND), "Nothing has set probes off for 61 s"),
        (signs(rang=NOW - 7200 * SECOND), "Nothing has set probes off for 2 h"),
        (signs(rang=None, since=NOW - 61 * SECOND), "Nothing has set probes off for 61 s"),
        (
            signs(newest=None, interval=None, since=None, rang=NOW - 61 * SECOND),
            "Nothing has set probes off for 61 s",
        ),
        (signs(newest=0, rang=NOW - 61 * SECOND), "Nothing has set probes off for 61 s"),
    ],
)
def test_trouble_is_said_in_one_sentence(bad, says):
    sentence = trouble(bad, now=NOW)
    assert sentence.startswith(says)
    assert sentence.endswith(", or read its log.")


def test_a_prober_that_delays_its_own_replies_says_so():
    busy = replace(signs(), judged=100, delayed=11)
    assert overloaded(busy).startswith("11 of the last 100 replies were kept waiting by")
    assert overloaded(replace(busy, delayed=10)) is None
    assert overloaded(replace(busy, judged=49, delayed=49)) is None


@pytest.mark.django_db
def test_the_work_of_shifts_that_are_still_at_it_is_added_up():
    at = microseconds(timezone.now())
    Shift.objects.create(duty="bell", instance="beat", began_at=at, claimed_at=at)
    for instance, said_at in (("a", at), ("b", at), ("gone", at - 60 * SECOND)):
        Shift.objects.create(
            duty="drain:default",
            instance=instance,
            began_at=at,
            claimed_at=said_at,
            judged=40,
            delayed=9,
        )
    signs_now = read_signs()
    assert (signs_now.judged, signs_now.delayed) == (80, 18)


def away(*_):
    raise DatabaseError("gone")


@pytest.fixture
def probe(path):
    now = timezone.now()
    stand_up(path.service, now=now, location="default")
    Shift.objects.create(duty="bell", instance="beat", began_at=0, claimed_at=microseconds(now))
    return Probe.objects.get()


def silent_for(probe, seconds):
    at = microseconds(timezone.now()) - seconds * SECOND
    Probe.objects.filter(pk=probe.pk).update(observed_at=at, state_since=at)


def test_the_process_answers_without_the_database(client):
    response = client.get("/healthz")
    assert (response.status_code, response.text) == (200, "ok\n")


@pytest.mark.django_db
def test_a_fresh_board_is_ready(client):
    response = client.get("/readyz")
    assert (response.status_code, response.text) == (200, "ready\n")


def test_a_board_that_records_is_ready(client, probe):
    silent_for(probe, 80)
    assert client.get("/readyz").status_code == 200


def test_a_probe_added_a_moment_ago_is_given_its_time(client, probe):
    assert client.get("/readyz").status_code == 200


def test_a_board_that_records_nothing_is_not_ready_and_says_so(client, probe):
    silent_for(probe, 100)
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.text.startswith("No probe was recorded for 1")


def test_a_paused_probe_is_not_waited_for(client, probe):
    silent_for(probe, 100)
    Probe.objects.update(ended_at=timezone.now())
    assert client.get("/readyz").status_code == 200


def test_a_silent_beat_is_not_ready(client, probe):
    Shift.objects.update(claimed_at=microseconds(timezone.now()) - 90 * SECOND)
    response = client.get("/readyz")
    assert response.status_code == 503
    assert "Celery beat is not running" in response.text


@pytest.mark.django_db
def test_a_database_that_does_not_answer_is_the_reason(client):
    with connection.execute_wrapper(away):
        response = client.get("/readyz")
    assert response.status_code == 503
    assert response.text == "The database does not answer. Look at it, and at DATABASE_URL.\n"


def test_the_same_sentence_is_the_banner_on_every_page(client_of, probe):
    silent_for(probe, 700)
    reason = client_of("viewer").get("/readyz").text.strip()
    assert reason in client_of("viewer").get("/account").text
    assert reason in client_of("viewer").get("/no-such-page").text


def test_a_board_that_is_well_hides_the_banner(client_of, probe):
    assert 'id="banner" role="status" hidden>' in client_of("viewer").get("/account").text


def test_a_board_that_is_not_well_shows_it(client_of, probe):
    silent_for(probe, 700)
    assert 'id="banner" role="status">' in client_of("viewer").get("/account").text


def test_a_stranger_is_shown_no_banner(client, probe):
    silent_for(probe, 700)
    assert "Opsboard is not well" not in client.get("/sign-in").text


@pytest.mark.parametrize("address", ["/healthz", "/readyz"])
@pytest.mark.django_db
def test_answers_about_health_are_never_kept(client, address):
    assert "no-store" in client.get(address).headers["Cache-Control"]
