"""The database itself lets nobody change what was said of a release, until the release goes."""

from datetime import timedelta
from importlib import import_module

import pytest
from django.db import DatabaseError, connection, transaction

from opsboard.board.removing import purge
from opsboard.releases.models import Decision, Evidence, Override, OverrideAct, Release
from opsboard.services.models import KEPT_AFTER_REMOVAL, Service
from tests.company import NOON
from tests.releases.going_out import COMMIT, REASON, a_release

pytestmark = pytest.mark.django_db

SENTENCE = "Evidence, overrides and decisions are append only"
TABLES = {
    "releases_evidence": Evidence,
    "releases_decision": Decision,
    "releases_override": Override,
    "releases_overrideact": OverrideAct,
}


@pytest.fixture
def release(service, editor) -> Release:
    """With one of each."""
    release = a_release(service)
    release.evidence.create(
        gate="unit", outcome="failed", commit=COMMIT, started_at=NOON, finished_at=NOON,
        received_at=NOON, exit_code=1, counts={"collected": 1}, by=editor,
    )  # fmt: skip
    release.decisions.create(
        kind="anyway", environment_slug="production", at=NOON, by=editor, reason=REASON,
        snapshot={"whole": "blocked"},
    )  # fmt: skip
    override = release.overrides.create(
        gates=["unit"], reason=REASON, asked_by=editor, asked_at=NOON,
        ends_at=NOON + timedelta(hours=1), needs_second=False,
    )  # fmt: skip
    override.acts.create(act="taken back", at=NOON, by=editor)
    return release


def run(statement: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def everything() -> list[object]:
    return [list(model.objects.values()) for model in TABLES.values()]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE releases_evidence SET outcome = 'passed'",
        "UPDATE releases_evidence SET exit_code = 0",
        "UPDATE releases_evidence SET counts = '{}'",
        "UPDATE releases_evidence SET started_at = '2027-01-01'",
        "UPDATE releases_evidence SET gate = 'lint'",
        "UPDATE releases_decision SET kind = 'released'",
        "UPDATE releases_decision SET snapshot = '{}'",
        "UPDATE releases_decision SET reason = ''",
        "UPDATE releases_override SET gates = '[]'",
        "UPDATE releases_override SET ends_at = '2036-01-01'",
        "UPDATE releases_override SET is_alone = (1 = 1)",
        "UPDATE releases_overrideact SET act = 'accepted'",
        *(f"DELETE FROM {table}" for table in TABLES),  # noqa: S608
        *(f"UPDATE {table} SET id = id + 1000" for table in TABLES),  # noqa: S608
    ],
)
def test_the_database_refuses_to_change_or_remove(release, statement):
    before = everything()
    with pytest.raises(DatabaseError, match=SENTENCE):
        run(statement)
    assert everything() == before


@pytest.mark.parametrize("table", TABLES)
def test_replacing_a_row_by_writing_it_again_is_refused(release, table):
    if connection.vendor == "postgresql":
        run("SET CONSTRAINTS ALL IMMEDIATE")
        return run_refused(f"TRUNCATE {table} CASCADE")
    names = [field.column for field in TABLES[table]._meta.concrete_fields]
    listed = ", ".join(f'"{name}"' for name in names)
    return run_refused(
        f"INSERT OR REPLACE INTO {table} ({listed}) SELECT {listed} FROM {table}"  # noqa: S608
    )


def run_refused(statement: str) -> None:
    before = everything()
    with pytest.raises(DatabaseError, match=SENTENCE):
        run(statement)
    assert everything() == before


def test_a_row_is_never_given_to_another_person(release, administrator):
    for table, column in zip(TABLES, ["by_id", "by_id", "asked_by_id", "by_id"], strict=True):
        run_refused(f"UPDATE {table} SET {column} = {administrator.pk}")  # noqa: S608


def test_who_gave_it_is_forgotten_with_that_person_and_what_was_said_stays(release, editor):
    editor.delete()
    assert [model.objects.count() for model in TABLES.values()] == [1, 1, 1, 1]
    assert Evidence.objects.get().by is None
    assert Override.objects.get().asked_by is None


def test_all_of_it_goes_with_its_release(release):
    other = a_release(release.service, "2026.11.5", "1" * 40)
    other.decisions.create(kind="released", environment_slug="production", at=NOON)
    release.delete()
    assert [model.objects.count() for model in TABLES.values()] == [0, 1, 0, 0]


@pytest.mark.django_db(transaction=True)
def test_a_removed_service_is_let_go_for_good_with_its_releases(release):
    """Constraints are checked at the end of a real transaction."""
    release.service.remove(by=None, now=NOON)
    purge(now=NOON + KEPT_AFTER_REMOVAL - timedelta(minutes=1))
    assert Release.objects.exists()
    purge(now=NOON + KEPT_AFTER_REMOVAL)
    assert not Service.objects.exists()
    assert [model.objects.count() for model in TABLES.values()] == [0, 0, 0, 0]


def test_every_column_is_protected_also_one_that_was_added_since(release):
    """One that a migration adds has to be named in the triggers: see 0002_what_was_said_stays."""
    kept = import_module("opsboard.releases.migrations.0002_what_was_said_stays")
    for table, model in TABLES.items():
        columns = {field.column for field in model._meta.concrete_fields}
        assert columns == {*kept.KEPT[table], *kept.TABLES[table][2]}
