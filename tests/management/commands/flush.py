"""Django's flush, with which a test that commits ends: it alone empties what is append only."""

from importlib import import_module
from typing import Any

from django.core.management.commands.flush import Command as DjangosFlush
from django.db import connection

APPEND_ONLY = [
    import_module("opsboard.people.migrations.0004_the_audit_log_is_append_only"),
    import_module("opsboard.incidents.migrations.0003_incidents_timeline_is_append_only"),
]
# Written with a schema editor, of which it uses no more than Plain has.
BY_SCHEMA_EDITOR = [
    import_module("opsboard.releases.migrations.0002_what_was_said_stays"),
    import_module("opsboard.changes.migrations.0002_what_was_measured_stays"),
]


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
            super().handle(**options)
        finally:
            for one in APPEND_ONLY:
                run(one.PROTECT)
            for one in BY_SCHEMA_EDITOR:
                one.protect(None, Plain())


def run(statements: dict[str, list[str]]) -> None:
    for statement in statements[connection.vendor]:
        Plain().execute(statement)
