"""Fingerprints of two keys cannot be compared: a report says which it was made with."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("releases", "0002_what_was_said_stays")]

    operations = [
        migrations.AddField(
            model_name="configreport",
            name="made_with",
            field=models.CharField(default="", max_length=16),
            preserve_default=False,
        ),
    ]
