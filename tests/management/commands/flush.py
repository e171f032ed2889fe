"""Instead of Django's flush, with which a test that commits ends: it empties what is append only.

It removes the rows there are, where Django's makes each of our tables anew and then says to all
apps that they were migrated: that took more time than most of these tests.
"""

from importlib import import_module
from typing import Any

from django.core.management.commands.flush import Command as DjangosFlush
from django.db import connection, transaction

APPEND_ONLY = [
    import_module("opsboard.people.migrations.0004_the_audit_log_is_append_only"),
    import_module("opsboard.incidents.migrations.0003_incidents_timeline_is_append_only"),
]
# Written with a schema editor, of which it uses no more than Plain has.
BY_SCHEMA_EDITOR = [
    import_module("opsboard.releases.migrations.0002_what_was_said_stays"),
    import_module("opsboard.changes.migrations.0002_what_was_measured_stays"),
]
# Written once the tables are made, and the same for every test.
KEPT = {"django_content_type", "auth_permission"}


class Plain:
    connection = connection

    def execute(self, statement: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement)


class Command(DjangosFlush):
    def handle(self, **options: Any) -> None:
        for one in APPEND_ONLY:
            run(one.RELEASE)
        for one in BY_SCHEMA_EDITOR:
            one.release(None, Plain())
        try:
            empty_what_has_rows()
        finally:
            for one in APPEND_ONLY:
                run(one.PROTECT)
            for one in BY_SCHEMA_EDITOR:
                one.protect(None, Plain())


def empty_what_has_rows() -> None:
    """In one transaction, at whose end the keys of one table to another are looked at."""
    found = connection.introspection.django_table_names(only_existing=True, include_views=False)
    tables = sorted(set(found) - KEPT)
    looks = [f"SELECT '{one}' WHERE EXISTS (SELECT 1 FROM {one})" for one in tables]  # noqa: S608
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(looks))
        for (table,) in cursor.fetchall():
            cursor.execute(f"DELETE FROM {table}")  # noqa: S608


def run(statements: dict[str, list[str]]) -> None:
    for statement in statements[connection.vendor]:
        Plain().execute(statement)
