from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("alerts", "0003_one_message_a_delivery")]

    operations = [
        migrations.RemoveField(model_name="delivery", name="content"),
        migrations.RemoveField(
            model_name="delivery",
            name="attempts",
        ),
        migrations.RemoveField(
            model_name="delivery",
            name="claim_id",
        ),
        migrations.RemoveField(
            model_name="delivery",
            name="dead_at",
        ),
        migrations.RemoveField(
            model_name="delivery",
            name="delivered_at",
        ),
        migrations.RemoveField(
            model_name="delivery",
            name="key",
        ),
        migrations.RemoveField(
            model_name="delivery",
            name="last_error",
        ),
        migrations.RemoveField(
            model_name="delivery",
            name="leased_until",
        ),
        migrations.RemoveField(
            model_name="delivery",
            name="next_attempt_at",
        ),
    ]
