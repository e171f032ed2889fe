"""A timeline: append only in the database itself, and still forgotten with what it is of."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, connection, transaction

from opsboard.alerts.planning import react
from opsboard.board.removing import purge
from opsboard.incidents.models import Incident, TimelineEntry
from opsboard.probes.models import Probe
from opsboard.services.models import KEPT_AFTER_REMOVAL, CriticalPath
from tests.company import NOON, a_path, a_probe, production

pytestmark = pytest.mark.django_db

SENTENCE = "A timeline is append only"
REPLACE = (
    "INSERT OR REPLACE INTO incidents_timelineentry"
    " (id, at, act, text, incident_id, by_name, facts)"
    " VALUES (%s, '2026-11-23', 'noted', 'x', %s, '', '{}')"
)
UPSERT = (
    "INSERT INTO incidents_timelineentry (id, at, act, text, incident_id, by_name, facts)"
    " VALUES (%s, '2026-11-23', 'noted', 'x', %s, '', '{}')"
    " ON CONFLICT (id) DO UPDATE SET text = 'x'"
)


@pytest.fixture
def path() -> CriticalPath:
    path = a_path()
    probe = a_probe(path)
    Probe.objects.filter(pk=probe.pk).update(state="failing", reason="gone")
    react(path.pk, production(path.service).pk, now=NOON)
    return path


def run(statement: str, *values: object) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE incidents_timelineentry SET text = 'nothing happened'",
        "UPDATE incidents_timelineentry SET act = 'noted'",
        "UPDATE incidents_timelineentry SET at = '2020-01-01'",
        "UPDATE incidents_timelineentry SET facts = '{}'",
        "UPDATE incidents_timelineentry SET by_name = 'Somebody'",
        "UPDATE incidents_timelineentry SET by_id = (SELECT max(id) FROM auth_user)",
        "DELETE FROM incidents_timelineentry",
    ],
)
def test_the_database_refuses_to_change_or_remove_an_entry(path, administrator, statement):
    before = TimelineEntry.objects.values().get()
    with pytest.raises(DatabaseError, match=SENTENCE):
        run(statement)
    assert TimelineEntry.objects.values().get() == before


def test_replacing_an_entry_by_writing_it_again_is_refused(path):
    entry = TimelineEntry.objects.get()
    statement = UPSERT if connection.vendor == "postgresql" else REPLACE
    with pytest.raises(DatabaseError, match=SENTENCE):
        run(statement, entry.pk, entry.incident_id)
    assert TimelineEntry.objects.get().text == "gone"


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has no TRUNCATE")
def test_emptying_the_table_is_refused(path):
    with pytest.raises(DatabaseError, match=SENTENCE):
        run("SET CONSTRAINTS ALL IMMEDIATE; TRUNCATE incidents_timelineentry CASCADE")


def test_a_person_who_is_removed_for_good_is_forgotten(path, administrator: User):
    Incident.objects.get().note("looking", by=administrator, now=NOON)
    administrator.delete()
    entry = TimelineEntry.objects.get(act="noted")
    assert (entry.by, entry.text) == (None, "looking")


def test_a_path_that_is_removed_for_good_is_forgotten(path):
    path.remove(by=None, now=NOON)
    purge(now=NOON + KEPT_AFTER_REMOVAL + timedelta(days=1))
    entry = TimelineEntry.objects.order_by("pk").first()
    assert entry is not None
    assert (entry.path, entry.text) == (None, "gone")


def test_a_service_that_is_removed_for_good_takes_its_timelines_along(path):
    other = a_path()
    a_probe(other)
    Probe.objects.filter(path=other).update(state="failing")
    react(other.pk, production(other.service).pk, now=NOON)
    path.service.remove(by=None, now=NOON)
    purge(now=NOON + KEPT_AFTER_REMOVAL + timedelta(days=1))
    kept = Incident.objects.get()
    assert kept.service == other.service
    assert [entry.incident for entry in TimelineEntry.objects.all()] == [kept]
