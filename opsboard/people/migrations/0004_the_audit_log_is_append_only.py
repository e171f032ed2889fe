"""The database itself refuses to change or remove an entry of the audit log.

A migration that alters the table makes it anew on SQLite, and loses its triggers: such a
migration has to run `protect` again at its end. A test says so.
"""

from django.db import migrations

TABLE = "people_auditentry"
SENTENCE = "The audit log is append only: entries are never changed or removed."

PROTECT = {
    "sqlite": [
        f"""CREATE TRIGGER audit_keeps_what_it_says BEFORE UPDATE ON {TABLE}
            BEGIN SELECT RAISE(ABORT, '{SENTENCE}'); END""",
        f"""CREATE TRIGGER audit_keeps_its_entries BEFORE DELETE ON {TABLE}
            BEGIN SELECT RAISE(ABORT, '{SENTENCE}'); END""",
        # INSERT OR REPLACE takes the old row away without telling the trigger of DELETE.
        f"""CREATE TRIGGER audit_replaces_nothing BEFORE INSERT ON {TABLE}
            WHEN EXISTS (SELECT 1 FROM {TABLE} WHERE id = NEW.id)
            BEGIN SELECT RAISE(ABORT, '{SENTENCE}'); END""",  # noqa: S608
    ],
    "postgresql": [
        f"""CREATE FUNCTION people_audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION '{SENTENCE}' USING ERRCODE = 'integrity_constraint_violation';
            END $$""",
        f"""CREATE TRIGGER audit_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {TABLE}
            FOR EACH STATEMENT EXECUTE FUNCTION people_audit_is_append_only()""",
    ],
}
RELEASE = {
    "sqlite": [
        "DROP TRIGGER audit_keeps_what_it_says",
        "DROP TRIGGER audit_keeps_its_entries",
        "DROP TRIGGER audit_replaces_nothing",
    ],
    "postgresql": [
        f"DROP TRIGGER audit_is_append_only ON {TABLE}",
        "DROP FUNCTION people_audit_is_append_only()",
    ],
}


def protect(_apps, schema_editor):
    for statement in PROTECT[schema_editor.connection.vendor]:
        schema_editor.execute(statement, params=None)


def release(_apps, schema_editor):
    for statement in RELEASE[schema_editor.connection.vendor]:
        schema_editor.execute(statement, params=None)


class Migration(migrations.Migration):
    dependencies = [("people", "0003_slower_sign_in_and_links_by_mail")]

    operations = [migrations.RunPython(protect, release)]
