import django.db.models.deletion
from django.db import migrations, models

import opsboard.probes.narrow

TABLE = "probes_observation"
# What the new table takes from the old one: its columns, and how each is said by the old ones.
NARROWED = {
    "flags": "kind | (verdict << 2) | (cache << 4) | CASE WHEN is_wrong THEN 128 ELSE 0 END"
    " | CASE WHEN is_delayed THEN 256 ELSE 0 END",
    "told": "reason || CASE WHEN steps IS NULL THEN '' ELSE {unit} || steps END",
    "db_time": "COALESCE(db_time, -1)",
    "db_calls": "COALESCE(db_calls, -1)",
    "status": "COALESCE(status, -1)",
}
WIDENED = {
    "kind": "flags & 3",
    "verdict": "(flags >> 2) & 3",
    "cache": "(flags >> 4) & 7",
    "is_wrong": "(flags & 128) <> 0",
    "is_delayed": "(flags & 256) <> 0",
    "reason": "CASE WHEN {place} = 0 THEN told ELSE substr(told, 1, {place} - 1) END",
    "steps": "CASE WHEN {place} = 0 THEN NULL ELSE substr(told, {place} + 1) END",
    "db_time": "NULLIF(db_time, -1)",
    "db_calls": "NULLIF(db_calls, -1)",
    "status": "NULLIF(status, -1)",
}


class RewriteObservations(migrations.SeparateDatabaseAndState):
    """Another table in the place of the old one, with the same facts. On PostgreSQL day by day.

    Both are there at once until it is committed, and for so long nothing is recorded.
    """

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        rewrite(schema_editor, to_state.apps.get_model(app_label, "Observation"), NARROWED)

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        rewrite(schema_editor, to_state.apps.get_model(app_label, "Observation"), WIDENED)


def rewrite(schema_editor, model, said):
    is_postgresql = schema_editor.connection.vendor == "postgresql"
    unit, find = ("chr(31)", "strpos") if is_postgresql else ("char(31)", "instr")
    how = {name: sql.format(unit=unit, place=f"{find}(told, {unit})") for name, sql in said.items()}
    columns = [field.column for field in model._meta.local_concrete_fields]
    into = ", ".join(columns)
    taken = ", ".join(how.get(column, column) for column in columns)

    def fill(table):
        statement = f"INSERT INTO {table} ({into}) SELECT {taken} FROM {table}_old"  # noqa: S608
        schema_editor.execute(statement)
        schema_editor.execute(f"DROP TABLE {table}_old")

    if not is_postgresql:
        schema_editor.execute(f"ALTER TABLE {TABLE} RENAME TO {TABLE}_old")
        schema_editor.create_model(model)
        fill(TABLE)
        return
    schema_editor.execute("SET LOCAL statement_timeout = 0")
    schema_editor.execute("SET LOCAL lock_timeout = 0")
    parts = partitions(schema_editor)
    for name, _ in parts:
        schema_editor.execute(f"ALTER TABLE {TABLE} DETACH PARTITION {name}")
        schema_editor.execute(f"ALTER TABLE {name} RENAME TO {name}_old")
    schema_editor.execute(f"DROP TABLE {TABLE}")
    sql, parameters = schema_editor.table_sql(model)
    schema_editor.execute(f"{sql} PARTITION BY RANGE (slot_at)", parameters or None)
    for name, bounds in parts:
        schema_editor.execute(f"CREATE TABLE {name} (LIKE {TABLE})")
        fill(name)
        # When it is full: its key is then built at once, in order.
        schema_editor.execute(f"ALTER TABLE {TABLE} ATTACH PARTITION {name} {bounds}")


def partitions(schema_editor):
    """The name of each, and what it holds as PostgreSQL says it: "FOR VALUES FROM ...", "DEFAULT"."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, pg_get_expr(c.relpartbound, c.oid) FROM pg_class c"
            " JOIN pg_inherits i ON i.inhrelid = c.oid"
            " WHERE i.inhparent = %s::regclass ORDER BY c.relname",
            [TABLE],
        )
        return cursor.fetchall()


class Migration(migrations.Migration):
    dependencies = [
        ("probes", "0008_heartbeats"),
    ]

    operations = [
        RewriteObservations(
            state_operations=[
                migrations.DeleteModel("Observation"),
                migrations.CreateModel(
                    name="Observation",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "probe_id",
                                "slot_at",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("slot_at", models.BigIntegerField()),
                        (
                            "probe",
                            opsboard.probes.narrow.KeyOfProbe(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="probes.probe",
                            ),
                        ),
                        ("total", models.IntegerField()),
                        ("dns", models.IntegerField()),
                        ("connect", models.IntegerField()),
                        ("tls", models.IntegerField()),
                        ("first_byte", models.IntegerField()),
                        ("transfer", models.IntegerField()),
                        ("lateness", models.IntegerField()),
                        ("size", models.IntegerField()),
                        ("db_time", opsboard.probes.narrow.IntegerOrNone(null=True)),
                        ("db_calls", opsboard.probes.narrow.SmallIntegerOrNone(null=True)),
                        ("status", opsboard.probes.narrow.SmallIntegerOrNone(null=True)),
                        ("flags", models.SmallIntegerField(default=0)),
                        ("failure", models.CharField(blank=True, max_length=20)),
                        ("told", models.TextField(blank=True)),
                    ],
                ),
            ]
        ),
    ]
