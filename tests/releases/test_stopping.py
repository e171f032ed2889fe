"""Freezes always end; a hold stands until somebody writes why the service may go out again."""

import threading
from datetime import timedelta

import pytest
from django.db import connection

from opsboard.people.models import AuditEntry
from opsboard.releases.models import Freeze, Hold
from opsboard.releases.refusing import Refused
from opsboard.releases.stopping import end_freeze, end_hold, freeze, hold
from tests.company import NOON
from tests.releases.going_out import CI

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def frozen(**more):
    times = {"starts_at": NOON, "ends_at": NOON + HOUR}
    return freeze(**({"reason": "Summer sale", "by": CI, "now": NOON} | times | more))


def test_a_freeze_is_planned_and_is_open_from_its_start_until_its_end(service):
    planned = frozen(service=service)
    assert [
        Freeze.objects.open(NOON + minutes).exists()
        for minutes in (-timedelta(minutes=1), timedelta(), HOUR - timedelta(minutes=1), HOUR)
    ] == [False, True, True, False]
    assert AuditEntry.objects.get(kind="freeze").subject == "fares-api"
    assert str(planned) == "Summer sale"


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"ends_at": NOON}, "ends after it starts"),
        ({"starts_at": NOON - 2 * HOUR, "ends_at": NOON - HOUR}, "over already"),
        ({"starts_at": NOON - HOUR, "ends_at": NOON}, "over already"),
        ({"ends_at": NOON + timedelta(days=93)}, "at most 92 days"),
        ({"reason": " \n "}, "Write a reason"),
        ({"reason": "x" * 301}, "at most 300"),
    ],
    ids=["no time", "long over", "just over", "for ever", "no reason", "too much said"],
)
def test_a_freeze_that_cannot_be_is_refused(wrong, sentence):
    with pytest.raises(Refused, match=sentence):
        frozen(**wrong)
    assert not Freeze.objects.exists()


def test_a_freeze_is_of_an_environment_that_is_there(service, environment):
    with pytest.raises(Refused, match="no environment moon"):
        frozen(service=service, environment_slug="moon")
    assert frozen(service=service, environment_slug="production").pk


@pytest.mark.parametrize(
    ("minutes", "act"), [(-5, "called off"), (5, "ended")], ids=["before it began", "open"]
)
def test_a_freeze_ends_early_and_the_log_says_how(minutes, act):
    planned, now = frozen(), NOON + timedelta(minutes=minutes)
    end_freeze(planned, by=CI, now=now)
    end_freeze(planned, by=CI, now=now + timedelta(minutes=1))
    assert planned.removed_at == now
    assert AuditEntry.objects.filter(kind="freeze", act=act, subject="everything").count() == 1


def test_a_freeze_that_is_over_stays_as_it_was():
    planned = frozen()
    end_freeze(planned, by=CI, now=NOON + 2 * HOUR)
    assert planned.removed_at is None


def test_a_service_is_held_once_and_another_reason_stands_in_the_log(service):
    first = hold(service, reason="Fares are wrong", by=CI, now=NOON)
    again = hold(service, reason="And slow", by=CI, now=NOON + HOUR)
    assert (again.pk, again.reason, again.at) == (first.pk, "Fares are wrong", NOON)
    log = AuditEntry.objects.filter(kind="service").order_by("pk")
    assert [(one.act, one.changes[0]["new"]) for one in log] == [
        ("held", "Fares are wrong"),
        ("held again", "And slow"),
    ]


def test_a_hold_ends_with_a_reason_and_the_service_can_be_held_anew(service, editor):
    held = hold(service, reason="Fares are wrong", by=CI, now=NOON)
    with pytest.raises(Refused, match="Write why it may go out again"):
        end_hold(held, because="  ", by=CI, now=NOON)
    end_hold(held, because="The rule is mended", by=CI, now=NOON + HOUR)
    assert (held.ended_at, held.ended_because) == (NOON + HOUR, "The rule is mended")
    end_hold(held, because="Again", by=CI, now=NOON + 2 * HOUR)
    assert (held.ended_at, held.ended_because) == (NOON + HOUR, "The rule is mended")
    assert hold(service, reason="Once more", by=CI, now=NOON + HOUR).pk != held.pk


@pytest.mark.django_db(transaction=True)
def test_two_who_hold_a_service_at_once_share_one_hold(service):
    begin, held = threading.Barrier(2), []

    def act() -> None:
        begin.wait(10)
        try:
            held.append(hold(service, reason="Fares are wrong", by=CI, now=NOON).pk)
        finally:
            connection.close()

    threads = [threading.Thread(target=act) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(held) == 2
    assert len(set(held)) == Hold.objects.count() == 1
