"""When the typical time of a path moved, and what was put into service then."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from opsboard.expectations.histogram import Histogram
from opsboard.probes.history import HOUR
from opsboard.probes.models import HourlyRollup, Probe, microseconds
from opsboard.releases.moves import MOST_READ, read_moves
from opsboard.services.models import Deploy
from tests.changes.measuring import a_measured_path
from tests.company import NOON, production

pytestmark = pytest.mark.django_db
AN_HOUR = timedelta(hours=1)
WHOLE = {
    field.attname: 0
    for field in HourlyRollup._meta.concrete_fields
    if field.attname not in ("probe_id", "hour_at", "times", "is_example")
}


@pytest.fixture
def path():
    return a_measured_path()


def an_hour(probe, hours_ago, milliseconds, *, answers=60, **fields):
    times = Histogram()
    for number in range(answers):
        times.add(round(milliseconds * 1000 * (0.8 + 0.4 * number / answers)))
    return HourlyRollup(
        **(WHOLE | {"observations": answers, "answered": answers} | fields),
        probe_id=probe.pk,
        hour_at=microseconds(NOON) - hours_ago * HOUR,
        times=times.to_bytes(),
    )


def hours(path, levels, **fields):
    """Hourly roll-ups up to noon. `levels`: how many hours, and of how many milliseconds."""
    probe = Probe.objects.get(path=path)
    series = [level for count, level in levels for _ in range(count)]
    HourlyRollup.objects.bulk_create(
        an_hour(probe, len(series) - place, level * (1 + 0.06 * (place % 3)), **fields)
        for place, level in enumerate(series)
    )


def moves(path):
    return read_moves(production(path.service), list(Probe.objects.filter(path=path)), now=NOON)


def deploy(path, at, name="2026.11.4"):
    return production(path.service).deploys.create(at=at, name=name, kind=Deploy.Kind.RELEASE)


def test_a_new_level_is_dated_to_its_hour_and_said_from_what_to_what(path):
    hours(path, [(60, 62), (30, 85)])
    (move,) = moves(path)
    assert move.at == NOON - 30 * AN_HOUR
    assert 60_000 < move.before < 72_000
    assert 82_000 < move.after < 98_000
    assert list(move.deploys) == []


def test_what_was_put_into_service_within_an_hour_stands_beside_it(path):
    hours(path, [(60, 62), (30, 85)])
    deploy(path, NOON - 31 * AN_HOUR, "just in time")
    deploy(path, NOON - 29 * AN_HOUR + timedelta(seconds=1), "too late")
    (move,) = moves(path)
    assert [one.name for one in move.deploys] == ["just in time"]


def test_what_stays_or_moves_by_little_is_not_spoken_of(path):
    hours(path, [(60, 62), (30, 66)])
    assert moves(path) == []


def test_without_roll_ups_or_with_a_few_nothing_is_said(path):
    assert moves(path) == []
    hours(path, [(6, 62), (6, 85)])
    assert moves(path) == []


def test_hours_with_a_handful_of_answers_and_made_up_ones_do_not_count(path):
    hours(path, [(60, 62), (30, 85)], answers=19)
    assert moves(path) == []
    HourlyRollup.objects.all().delete()
    hours(path, [(60, 62), (30, 85)], is_example=True)
    assert moves(path) == []


def test_the_newest_comes_first_and_what_is_older_than_the_days_shown_is_left_out(path):
    hours(path, [(MOST_READ, 400), (100, 62), (100, 85), (60, 140)])
    assert [round(one.after, -4) for one in moves(path)] == [150_000, 90_000, 70_000]
    HourlyRollup.objects.all().delete()
    hours(path, [(60, 62), (MOST_READ, 85)])
    assert moves(path) == []


def test_what_went_into_service_at_one_move_is_not_said_of_another(path):
    hours(path, [(100, 62), (100, 85), (60, 140)])
    deploy(path, NOON - 60 * AN_HOUR)
    deploy(path, NOON - 160 * AN_HOUR, "2026.11.3")
    named = [[one.name for one in move.deploys] for move in moves(path)]
    assert named == [["2026.11.4"], ["2026.11.3"]]


def test_however_many_there_are_it_takes_two_queries(path):
    hours(path, [(100, 62), (100, 85), (60, 140)])
    for number in range(5):
        deploy(path, NOON - 60 * AN_HOUR, f"2026.11.{number}")
    environment, probes = production(path.service), list(Probe.objects.filter(path=path))
    with CaptureQueriesContext(connection) as queries:
        read_moves(environment, probes, now=NOON)
    assert len(queries) == 2
