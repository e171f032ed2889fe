"""The audit log: what it keeps, and that the database itself lets nobody change it."""

import pytest
from django.db import DatabaseError, connection, transaction

from opsboard.people.audit import Actor, Via, differences, record
from opsboard.people.models import AuditEntry
from tests.company import NOON

pytestmark = pytest.mark.django_db

SENTENCE = "The audit log is append only"
REPLACE = (
    "INSERT OR REPLACE INTO people_auditentry (id, at, who, via, act, kind, subject, changes)"
    " VALUES (%s, '2026-11-23', 'x', 'board', 'x', 'x', 'x', '[]')"
)
UPSERT = (
    "INSERT INTO people_auditentry (id, at, who, via, act, kind, subject, changes)"
    " VALUES (%s, '2026-11-23', 'x', 'board', 'x', 'x', 'x', '[]')"
    " ON CONFLICT (id) DO UPDATE SET who = 'x'"
)


@pytest.fixture
def entry(administrator):
    record(Actor(administrator, Via.PAGES), "added", "team", "pricing", now=NOON)
    return AuditEntry.objects.get()


def run(statement: str, *values: object) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE people_auditentry SET who = 'nobody'",
        "DELETE FROM people_auditentry",
        "DELETE FROM people_auditentry WHERE id = (SELECT max(id) FROM people_auditentry)",
    ],
)
def test_the_database_refuses_to_change_or_remove_an_entry(entry, statement):
    with pytest.raises(DatabaseError, match=SENTENCE):
        run(statement)
    assert AuditEntry.objects.values().get()["who"] == "Layla Haddad"


def test_replacing_an_entry_by_writing_it_again_is_refused(entry):
    statement = UPSERT if connection.vendor == "postgresql" else REPLACE
    with pytest.raises(DatabaseError, match=SENTENCE):
        run(statement, entry.pk)
    assert AuditEntry.objects.get().who == "Layla Haddad"


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has no TRUNCATE")
def test_emptying_the_table_is_refused(entry):
    with pytest.raises(DatabaseError, match=SENTENCE):
        run("TRUNCATE people_auditentry CASCADE")


def test_django_cannot_change_one_either(entry):
    entry.who = "nobody"
    with pytest.raises(DatabaseError, match=SENTENCE), transaction.atomic():
        entry.save()
    with pytest.raises(DatabaseError, match=SENTENCE), transaction.atomic():
        entry.delete()


def test_entries_can_be_written_with_the_numbers_they_had_as_a_restore_does(entry):
    more = [AuditEntry(pk=entry.pk + 1000, at=NOON, who="x", via="pages", act="a", kind="k")]
    AuditEntry.objects.bulk_create(more)
    assert AuditEntry.objects.count() == 2


def test_an_entry_outlives_its_person(entry, administrator):
    administrator.delete()
    assert AuditEntry.objects.get().who == "Layla Haddad"


def test_only_what_differs_is_kept_in_words():
    old = {"name": "a", "tags": ["x", "y"], "owner": None, "same": 1, "empty": None}
    new = {"name": "b", "tags": ["x"], "owner": "Pricing", "same": 1, "empty": ""}
    assert differences(old, new) == [
        {"field": "name", "old": "a", "new": "b"},
        {"field": "tags", "old": "x\ny", "new": "x"},
        {"field": "owner", "old": "", "new": "Pricing"},
    ]


@pytest.mark.django_db(transaction=True)
def test_a_test_that_commits_can_still_be_cleaned_up(entry):
    with pytest.raises(DatabaseError, match=SENTENCE):
        AuditEntry.objects.all().delete()


@pytest.mark.django_db(transaction=True)
def test_and_the_next_one_finds_the_log_empty_and_guarded(administrator):
    assert not AuditEntry.objects.exists()
    record(Actor(administrator, Via.PAGES), "added", "team", "pricing", now=NOON)
    with pytest.raises(DatabaseError, match=SENTENCE):
        run("DELETE FROM people_auditentry")
