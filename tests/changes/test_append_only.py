"""The database itself lets nobody change what was measured, until the change goes."""

from datetime import timedelta
from importlib import import_module

import pytest
from django.db import DatabaseError, connection, transaction

from opsboard.board.removing import purge
from opsboard.changes.baselines import open_baseline
from opsboard.changes.judging import advance
from opsboard.changes.models import Act, Burst, Change, Comparison, Sample, Window
from opsboard.people.audit import Actor, Via
from opsboard.services.models import KEPT_AFTER_REMOVAL, Service
from tests.changes.measuring import (
    CI,
    a_change,
    an_applied_change,
    every_half_minute,
    minutes,
    observe,
)
from tests.company import NOON

pytestmark = pytest.mark.django_db

SENTENCE = "Acts, sealed windows and judged attempts are never changed"
TABLES = {"changes_comparison": Comparison, "changes_window": Window, "changes_act": Act}


@pytest.fixture
def change(editor) -> Change:
    """With an attempt that was judged, and another one that collects."""
    change = a_change(warm_up_seconds=0, warm_up_samples=0)
    an_applied_change(change)
    observe(change.path, every_half_minute(minutes(2), 60))
    judged = {"verdict": "improved", "reason": "", "n": [60, 60], "changed": ["query"]}
    advance(now=minutes(40), compute=lambda *_, **__: judged)
    Act.objects.create(
        comparison=Comparison.objects.get(), kind="cleared", at=NOON, what="everything", by=editor
    )
    again = open_baseline(change, by=Actor(editor, Via.PAGES), now=minutes(50))
    window = again.windows.get()
    Sample.objects.create(window=window, at=1, latency=1)
    Burst.objects.create(window=window, location="default", wanted=1, started_at=NOON)
    return change


def run(statement: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def everything() -> list[object]:
    return [list(model.objects.order_by("pk").values()) for model in TABLES.values()]


def run_refused(statement: str) -> None:
    before = everything()
    with pytest.raises(DatabaseError, match=SENTENCE):
        run(statement)
    assert everything() == before


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE changes_comparison SET verdict = 'regressed' WHERE number = 1",
        "UPDATE changes_comparison SET result = '{}' WHERE number = 1",
        "UPDATE changes_comparison SET judged_at = NULL WHERE number = 1",
        "UPDATE changes_comparison SET given_up_at = '2027-01-01' WHERE number = 1",
        "UPDATE changes_comparison SET fingerprint = '' WHERE number = 1",
        "UPDATE changes_window SET content = NULL WHERE side = 'after'",
        "UPDATE changes_window SET count = 200 WHERE side = 'after'",
        "UPDATE changes_window SET sealed_at = NULL WHERE side = 'after'",
        "UPDATE changes_window SET sha256 = '' WHERE side = 'after'",
        "UPDATE changes_act SET at = '2027-01-01'",
        "UPDATE changes_act SET command = 'true'",
        *(f"DELETE FROM {table}" for table in TABLES),  # noqa: S608
    ],
)
def test_the_database_refuses_to_change_or_remove(change, statement):
    run_refused(statement)


@pytest.mark.parametrize("table", TABLES)
def test_replacing_a_row_by_writing_it_again_is_refused(change, table):
    if connection.vendor == "postgresql":
        run("SET CONSTRAINTS ALL IMMEDIATE")
        return run_refused(f"TRUNCATE {table} CASCADE")
    names = [field.column for field in TABLES[table]._meta.concrete_fields]
    listed = ", ".join(f'"{name}"' for name in names)
    return run_refused(
        f"INSERT OR REPLACE INTO {table} ({listed}) SELECT {listed} FROM {table}"  # noqa: S608
    )


def test_what_is_still_open_may_change(change):
    run("UPDATE changes_comparison SET tries = 1 WHERE number = 2")
    run("UPDATE changes_window SET count = 1 WHERE sealed_at IS NULL")


def test_who_did_it_is_forgotten_with_that_person_and_what_was_done_stays(change, editor):
    editor.delete()
    assert [model.objects.count() for model in TABLES.values()] == [2, 3, 2]
    assert not Act.objects.exclude(by=None).exists()


def test_a_row_is_never_given_to_another_person(change, administrator):
    run_refused(f"UPDATE changes_act SET by_id = {administrator.pk}")  # noqa: S608
    run_refused(f"UPDATE changes_window SET sealed_by_id = {administrator.pk}")  # noqa: S608
    run_refused(f"UPDATE changes_comparison SET began_by_id = {administrator.pk}")  # noqa: S608


def left() -> list[int]:
    models = (Change, *TABLES.values(), Sample, Burst)
    return [model.objects.count() for model in models]


def test_all_of_it_goes_with_its_change(change):
    other = a_change()
    open_baseline(other, by=CI, now=NOON)
    change.delete()
    assert left() == [1, 1, 1, 0, 0, 0]


@pytest.mark.django_db(transaction=True)
def test_a_removed_service_is_let_go_for_good_with_its_changes(change):
    """Constraints are checked at the end of a real transaction."""
    change.service.remove(by=None, now=NOON)
    purge(now=NOON + KEPT_AFTER_REMOVAL - timedelta(minutes=1))
    assert Change.objects.exists()
    purge(now=NOON + KEPT_AFTER_REMOVAL)
    assert not Service.objects.exists()
    assert left() == [0] * 6


def test_every_column_is_protected_also_one_that_was_added_since(change):
    """One that a migration adds has to be named in the triggers: 0002_what_was_measured_stays."""
    kept = import_module("opsboard.changes.migrations.0002_what_was_measured_stays")
    for table, model in TABLES.items():
        columns = {field.column for field in model._meta.concrete_fields}
        assert columns == {*kept.KEPT[table], *kept.TABLES[table][2]}
