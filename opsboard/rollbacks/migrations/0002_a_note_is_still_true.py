import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def writers_have_checked(apps, _):
    versions = apps.get_model("rollbacks", "NoteVersion").objects
    versions.filter(written_by__isnull=False).update(
        checked_by=models.F("written_by"), checked_at=models.F("written_at")
    )


class Migration(migrations.Migration):
    dependencies = [
        ("rollbacks", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="noteversion",
            name="checked_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="noteversion",
            name="checked_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.RunPython(writers_have_checked, migrations.RunPython.noop),
    ]
