"""The database itself refuses to change or remove an entry of a timeline.

Two things may happen to one: who or which path it names is forgotten, when that is removed for
good; and it goes with its incident. The database does that itself, so that the incident is gone
already when its entries go: Django would remove them first. A migration that alters one of the two
tables makes it anew on SQLite, and loses its triggers: such a migration has to run `protect` again
at its end. A test says so.
"""

import django.db.models.deletion
from django.db import migrations, models

TABLE = "incidents_timelineentry"
INCIDENTS = "incidents_incident"
SENTENCE = "A timeline is append only: entries are never changed or removed."
KEPT = ["id", "incident_id", "at", "act", "text", "by_name", "facts"]
FORGOTTEN = ["path_id", "by_id"]


def _changes(differs):
    kept = [f"NEW.{name} {differs} OLD.{name}" for name in KEPT]
    # It may only become unknown: never somebody else.
    forgotten = [
        f"(NEW.{name} IS NOT NULL AND NEW.{name} {differs} OLD.{name})" for name in FORGOTTEN
    ]
    return " OR ".join([*kept, *forgotten])


PROTECT = {
    "sqlite": [
        f"""CREATE TRIGGER timeline_keeps_what_it_says BEFORE UPDATE ON {TABLE}
            WHEN {_changes("IS NOT")}
            BEGIN SELECT RAISE(ABORT, '{SENTENCE}'); END""",
        f"""CREATE TRIGGER timeline_keeps_its_entries BEFORE DELETE ON {TABLE}
            WHEN EXISTS (SELECT 1 FROM {INCIDENTS} WHERE id = OLD.incident_id)
            BEGIN SELECT RAISE(ABORT, '{SENTENCE}'); END""",  # noqa: S608
        f"""CREATE TRIGGER incident_takes_its_timeline AFTER DELETE ON {INCIDENTS}
            BEGIN DELETE FROM {TABLE} WHERE incident_id = OLD.id; END""",  # noqa: S608
        # INSERT OR REPLACE takes the old row away without telling the trigger of DELETE.
        f"""CREATE TRIGGER timeline_replaces_nothing BEFORE INSERT ON {TABLE}
            WHEN EXISTS (SELECT 1 FROM {TABLE} WHERE id = NEW.id)
            BEGIN SELECT RAISE(ABORT, '{SENTENCE}'); END""",  # noqa: S608
    ],
    "postgresql": [
        f"""CREATE FUNCTION incidents_timeline_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION '{SENTENCE}' USING ERRCODE = 'integrity_constraint_violation';
            END $$""",
        f"""CREATE FUNCTION incidents_incident_takes_its_timeline() RETURNS trigger
            LANGUAGE plpgsql AS
            $$ BEGIN DELETE FROM {TABLE} WHERE incident_id = OLD.id; RETURN NULL; END $$""",  # noqa: S608
        f"""CREATE TRIGGER incident_takes_its_timeline AFTER DELETE ON {INCIDENTS}
            FOR EACH ROW EXECUTE FUNCTION incidents_incident_takes_its_timeline()""",
        f"""CREATE FUNCTION incidents_timeline_goes_with_its_incident() RETURNS trigger
            LANGUAGE plpgsql AS
            $$ BEGIN
                IF EXISTS (SELECT 1 FROM {INCIDENTS} WHERE id = OLD.incident_id) THEN
                    RAISE EXCEPTION '{SENTENCE}' USING ERRCODE = 'integrity_constraint_violation';
                END IF;
                RETURN OLD;
            END $$""",  # noqa: S608
        f"""CREATE TRIGGER timeline_keeps_what_it_says BEFORE UPDATE ON {TABLE}
            FOR EACH ROW WHEN ({_changes("IS DISTINCT FROM")})
            EXECUTE FUNCTION incidents_timeline_is_append_only()""",
        f"""CREATE TRIGGER timeline_keeps_its_entries BEFORE DELETE ON {TABLE}
            FOR EACH ROW EXECUTE FUNCTION incidents_timeline_goes_with_its_incident()""",
        f"""CREATE TRIGGER timeline_is_not_emptied BEFORE TRUNCATE ON {TABLE}
            FOR EACH STATEMENT EXECUTE FUNCTION incidents_timeline_is_append_only()""",
    ],
}
RELEASE = {
    "sqlite": [
        "DROP TRIGGER timeline_keeps_what_it_says",
        "DROP TRIGGER timeline_keeps_its_entries",
        "DROP TRIGGER incident_takes_its_timeline",
        "DROP TRIGGER timeline_replaces_nothing",
    ],
    "postgresql": [
        f"DROP TRIGGER timeline_keeps_what_it_says ON {TABLE}",
        f"DROP TRIGGER timeline_keeps_its_entries ON {TABLE}",
        f"DROP TRIGGER timeline_is_not_emptied ON {TABLE}",
        f"DROP TRIGGER incident_takes_its_timeline ON {INCIDENTS}",
        "DROP FUNCTION incidents_incident_takes_its_timeline()",
        "DROP FUNCTION incidents_timeline_goes_with_its_incident()",
        "DROP FUNCTION incidents_timeline_is_append_only()",
    ],
}


def protect(_apps, schema_editor):
    for statement in PROTECT[schema_editor.connection.vendor]:
        schema_editor.execute(statement, params=None)


def release(_apps, schema_editor):
    for statement in RELEASE[schema_editor.connection.vendor]:
        schema_editor.execute(statement, params=None)


class Migration(migrations.Migration):
    dependencies = [("incidents", "0002_the_whole_life_of_an_incident")]

    operations = [
        migrations.AlterField(
            model_name="timelineentry",
            name="incident",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="timeline",
                to="incidents.incident",
            ),
        ),
        migrations.RunPython(protect, release),
    ]
