"""The audit log says by which token somebody acted.

The column may be null: only so does SQLite add it to the table as it stands, with its triggers.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("people", "0005_tokens_of_programs")]

    operations = [
        migrations.AddField(
            model_name="auditentry",
            name="token",
            field=models.CharField(blank=True, max_length=140, null=True),
        ),
    ]
