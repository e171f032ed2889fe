"""The database itself refuses to change or remove evidence, overrides and decisions.

Two things may happen to one: who gave it is forgotten, when that person is removed for good; and it
goes with its release. The database does that itself, so that the release is gone already when its
rows go. A migration that alters one of these tables makes it anew on SQLite, and loses its triggers:
such a migration has to run `protect` again at its end. A test says so.
"""

from django.db import migrations

SENTENCE = "Evidence, overrides and decisions are append only: they are never changed or removed."
# Table: the column of what it goes with, that table, the columns that may become unknown.
TABLES = {
    "releases_evidence": ("release_id", "releases_release", ["by_id"]),
    "releases_decision": ("release_id", "releases_release", ["by_id"]),
    "releases_override": ("release_id", "releases_release", ["asked_by_id"]),
    "releases_overrideact": ("override_id", "releases_override", ["by_id"]),
}
KEPT = {
    "releases_evidence": [
        "id",
        "release_id",
        "gate",
        "outcome",
        "commit",
        "environment_slug",
        "started_at",
        "finished_at",
        "received_at",
        "command",
        "exit_code",
        "counts",
        "tool",
        "url",
        "log_tail",
        "assumptions",
        "metrics",
        "facts",
        "by_name",
    ],
    "releases_decision": [
        "id",
        "release_id",
        "kind",
        "environment_slug",
        "at",
        "by_name",
        "reason",
        "snapshot",
    ],
    "releases_override": [
        "id",
        "release_id",
        "gates",
        "reason",
        "asked_at",
        "ends_at",
        "needs_second",
        "is_alone",
    ],
    "releases_overrideact": ["id", "override_id", "act", "at"],
}


def _changes(table, vendor):
    # PostgreSQL compares no json: its columns are jsonb, and compare.
    differs = "IS NOT" if vendor == "sqlite" else "IS DISTINCT FROM"
    quoted = [f'"{name}"' for name in KEPT[table]]
    kept = [f"NEW.{name} {differs} OLD.{name}" for name in quoted]
    forgotten = [
        f'(NEW."{name}" IS NOT NULL AND NEW."{name}" {differs} OLD."{name}")'
        for name in TABLES[table][2]
    ]
    return " OR ".join([*kept, *forgotten])


def _sqlite(table):
    column, above, _ = TABLES[table]
    return [
        f"""CREATE TRIGGER {table}_says_what_it_said BEFORE UPDATE ON {table}
            WHEN {_changes(table, "sqlite")}
            BEGIN SELECT RAISE(ABORT, '{SENTENCE}'); END""",
        f"""CREATE TRIGGER {table}_stays BEFORE DELETE ON {table}
            WHEN EXISTS (SELECT 1 FROM {above} WHERE id = OLD.{column})
            BEGIN SELECT RAISE(ABORT, '{SENTENCE}'); END""",  # noqa: S608
        f"""CREATE TRIGGER {above}_takes_{table} AFTER DELETE ON {above}
            BEGIN DELETE FROM {table} WHERE {column} = OLD.id; END""",  # noqa: S608
        # INSERT OR REPLACE takes the old row away without telling the trigger of DELETE.
        f"""CREATE TRIGGER {table}_replaces_nothing BEFORE INSERT ON {table}
            WHEN EXISTS (SELECT 1 FROM {table} WHERE id = NEW.id)
            BEGIN SELECT RAISE(ABORT, '{SENTENCE}'); END""",  # noqa: S608
    ]


def _postgresql(table):
    column, above, _ = TABLES[table]
    return [
        f"""CREATE FUNCTION {above}_takes_{table}() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN DELETE FROM {table} WHERE {column} = OLD.id; RETURN NULL; END $$""",  # noqa: S608
        f"""CREATE TRIGGER {above}_takes_{table} AFTER DELETE ON {above}
            FOR EACH ROW EXECUTE FUNCTION {above}_takes_{table}()""",
        f"""CREATE FUNCTION {table}_goes_with_its_own() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN
                IF EXISTS (SELECT 1 FROM {above} WHERE id = OLD.{column}) THEN
                    RAISE EXCEPTION '{SENTENCE}' USING ERRCODE = 'integrity_constraint_violation';
                END IF;
                RETURN OLD;
            END $$""",  # noqa: S608
        f"""CREATE TRIGGER {table}_says_what_it_said BEFORE UPDATE ON {table}
            FOR EACH ROW WHEN ({_changes(table, "postgresql")})
            EXECUTE FUNCTION releases_are_append_only()""",
        f"""CREATE TRIGGER {table}_stays BEFORE DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION {table}_goes_with_its_own()""",
        f"""CREATE TRIGGER {table}_is_not_emptied BEFORE TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION releases_are_append_only()""",
    ]


def protect(_apps, schema_editor):
    if schema_editor.connection.vendor == "sqlite":
        statements = [one for table in TABLES for one in _sqlite(table)]
    else:
        statements = [
            f"""CREATE FUNCTION releases_are_append_only() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN RAISE EXCEPTION '{SENTENCE}'
                USING ERRCODE = 'integrity_constraint_violation'; END $$""",
            *(one for table in TABLES for one in _postgresql(table)),
        ]
    for statement in statements:
        schema_editor.execute(statement)


def release(_apps, schema_editor):
    is_sqlite = schema_editor.connection.vendor == "sqlite"
    for table, (_, above, _) in TABLES.items():
        names = [f"{table}_says_what_it_said", f"{table}_stays"]
        names.append(f"{table}_replaces_nothing" if is_sqlite else f"{table}_is_not_emptied")
        for name in names:
            schema_editor.execute(f"DROP TRIGGER {name}" + ("" if is_sqlite else f" ON {table}"))
        taking = f"{above}_takes_{table}"
        schema_editor.execute(f"DROP TRIGGER {taking}" + ("" if is_sqlite else f" ON {above}"))
        if not is_sqlite:
            schema_editor.execute(f"DROP FUNCTION {taking}()")
            schema_editor.execute(f"DROP FUNCTION {table}_goes_with_its_own()")
    if not is_sqlite:
        schema_editor.execute("DROP FUNCTION releases_are_append_only()")


class Migration(migrations.Migration):
    dependencies = [("releases", "0001_initial")]
    operations = [migrations.RunPython(protect, release)]
