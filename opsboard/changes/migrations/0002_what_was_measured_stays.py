"""The database itself refuses to change or remove acts, sealed windows and judged attempts.

Two things may happen to one: who did it is forgotten, when that person is removed for good; and it
goes with its change. The database does that itself, so that the change is gone already when its
rows go. A migration that alters one of these tables makes it anew on SQLite, and loses its triggers:
such a migration has to run `protect` again at its end. A test says so.
"""

from django.db import migrations

SENTENCE = "Acts, sealed windows and judged attempts are never changed or removed."
# Table: the column of what it goes with, that table, the columns that may become unknown, and from
# when on it stays as it is: "" is from the beginning.
TABLES = {
    "changes_comparison": (
        "change_id",
        "changes_change",
        ["began_by_id"],
        "OLD.judged_at IS NOT NULL OR OLD.given_up_at IS NOT NULL",
    ),
    "changes_window": (
        "comparison_id",
        "changes_comparison",
        ["sealed_by_id"],
        "OLD.sealed_at IS NOT NULL",
    ),
    "changes_act": ("comparison_id", "changes_comparison", ["by_id"], ""),
}
# They go with their window, and are not kept.
COLLECTED = ("changes_sample", "changes_burst")
KEPT = {
    "changes_comparison": [
        "id",
        "change_id",
        "number",
        "began_at",
        "began_as",
        "fingerprint",
        "control_fingerprint",
        "surroundings",
        "applied_at",
        "leased_until",
        "tries",
        "given_up_at",
        "given_up_because",
        "judged_at",
        "verdict",
        "reason",
        "result",
    ],
    "changes_window": [
        "id",
        "comparison_id",
        "side",
        "opened_at",
        "starts_at",
        "closes_at",
        "sealed_at",
        "count",
        "ended_at",
        "left_out",
        "sha256",
        "content",
        "beside",
    ],
    "changes_act": [
        "id",
        "comparison_id",
        "kind",
        "at",
        "by_name",
        "command",
        "exit_code",
        "what",
        "pattern",
        "count",
        "remark",
    ],
}


def _changes(table, vendor):
    # PostgreSQL compares no json: its columns are jsonb, and compare.
    differs = "IS NOT" if vendor == "sqlite" else "IS DISTINCT FROM"
    _, _, forgettable, since = TABLES[table]
    kept = [f'NEW."{name}" {differs} OLD."{name}"' for name in KEPT[table]]
    forgotten = [
        f'(NEW."{name}" IS NOT NULL AND NEW."{name}" {differs} OLD."{name}")'
        for name in forgettable
    ]
    changed = " OR ".join([*kept, *forgotten])
    return f"({since}) AND ({changed})" if since else changed


def _taking(table, column, above, vendor):
    if vendor == "sqlite":
        return [
            f"""CREATE TRIGGER {above}_takes_{table} AFTER DELETE ON {above}
                BEGIN DELETE FROM {table} WHERE {column} = OLD.id; END"""  # noqa: S608
        ]
    return [
        f"""CREATE FUNCTION {above}_takes_{table}() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN DELETE FROM {table} WHERE {column} = OLD.id; RETURN NULL; END $$""",  # noqa: S608
        f"""CREATE TRIGGER {above}_takes_{table} AFTER DELETE ON {above}
            FOR EACH ROW EXECUTE FUNCTION {above}_takes_{table}()""",
    ]


def _sqlite(table):
    column, above, _, _ = TABLES[table]
    return [
        f"""CREATE TRIGGER {table}_says_what_it_said BEFORE UPDATE ON {table}
            WHEN {_changes(table, "sqlite")}
            BEGIN SELECT RAISE(ABORT, '{SENTENCE}'); END""",
        f"""CREATE TRIGGER {table}_stays BEFORE DELETE ON {table}
            WHEN EXISTS (SELECT 1 FROM {above} WHERE id = OLD.{column})
            BEGIN SELECT RAISE(ABORT, '{SENTENCE}'); END""",  # noqa: S608
        *_taking(table, column, above, "sqlite"),
        # INSERT OR REPLACE takes the old row away without telling the trigger of DELETE.
        f"""CREATE TRIGGER {table}_replaces_nothing BEFORE INSERT ON {table}
            WHEN EXISTS (SELECT 1 FROM {table} WHERE id = NEW.id)
            BEGIN SELECT RAISE(ABORT, '{SENTENCE}'); END""",  # noqa: S608
    ]


def _postgresql(table):
    column, above, _, _ = TABLES[table]
    return [
        *_taking(table, column, above, "postgresql"),
        f"""CREATE FUNCTION {table}_goes_with_its_own() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN
                IF EXISTS (SELECT 1 FROM {above} WHERE id = OLD.{column}) THEN
                    RAISE EXCEPTION '{SENTENCE}' USING ERRCODE = 'integrity_constraint_violation';
                END IF;
                RETURN OLD;
            END $$""",  # noqa: S608
        f"""CREATE TRIGGER {table}_says_what_it_said BEFORE UPDATE ON {table}
            FOR EACH ROW WHEN ({_changes(table, "postgresql")})
            EXECUTE FUNCTION changes_stay_as_they_are()""",
        f"""CREATE TRIGGER {table}_stays BEFORE DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION {table}_goes_with_its_own()""",
        f"""CREATE TRIGGER {table}_is_not_emptied BEFORE TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION changes_stay_as_they_are()""",
    ]


def protect(_apps, schema_editor):
    vendor = schema_editor.connection.vendor
    if vendor == "sqlite":
        statements = [one for table in TABLES for one in _sqlite(table)]
    else:
        statements = [
            f"""CREATE FUNCTION changes_stay_as_they_are() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN RAISE EXCEPTION '{SENTENCE}'
                USING ERRCODE = 'integrity_constraint_violation'; END $$""",
            *(one for table in TABLES for one in _postgresql(table)),
        ]
    for table in COLLECTED:
        statements += _taking(table, "window_id", "changes_window", vendor)
    for statement in statements:
        schema_editor.execute(statement)


def release(_apps, schema_editor):
    is_sqlite = schema_editor.connection.vendor == "sqlite"
    taking = [(above, table) for table, (_, above, _, _) in TABLES.items()]
    taking += [("changes_window", table) for table in COLLECTED]
    for table in TABLES:
        names = [f"{table}_says_what_it_said", f"{table}_stays"]
        names.append(f"{table}_replaces_nothing" if is_sqlite else f"{table}_is_not_emptied")
        for name in names:
            schema_editor.execute(f"DROP TRIGGER {name}" + ("" if is_sqlite else f" ON {table}"))
        if not is_sqlite:
            schema_editor.execute(f"DROP FUNCTION {table}_goes_with_its_own()")
    for above, table in taking:
        name = f"{above}_takes_{table}"
        schema_editor.execute(f"DROP TRIGGER {name}" + ("" if is_sqlite else f" ON {above}"))
        if not is_sqlite:
            schema_editor.execute(f"DROP FUNCTION {name}()")
    if not is_sqlite:
        schema_editor.execute("DROP FUNCTION changes_stay_as_they_are()")


class Migration(migrations.Migration):
    dependencies = [("changes", "0001_initial")]
    operations = [migrations.RunPython(protect, release)]
