import uuid

import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("alerts", "0001_initial"),
        ("incidents", "0002_the_whole_life_of_an_incident"),
        ("services", "0004_deploys_rotas_and_windows"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Message",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("key", models.UUIDField(default=uuid.uuid4, unique=True)),
                ("content", models.JSONField()),
                ("made_at", models.DateTimeField()),
                ("next_attempt_at", models.BigIntegerField()),
                ("leased_until", models.BigIntegerField(null=True)),
                ("claim_id", models.BigIntegerField(null=True)),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("last_error", models.TextField(blank=True)),
                ("delivered_at", models.DateTimeField(blank=True, null=True)),
                ("dead_at", models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Notice",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("warning", "A path warns"),
                            ("no_data", "A path has no data"),
                            ("cert", "A certificate runs out"),
                            ("own_error", "Opsboard cannot ask"),
                            ("overload", "Opsboard is overloaded"),
                            ("location", "A location is not drained"),
                            ("channel", "A channel does not deliver"),
                        ],
                        max_length=10,
                    ),
                ),
                ("key", models.CharField(max_length=200)),
                ("text", models.TextField()),
                ("began_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Route",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=120)),
                (
                    "tier",
                    models.PositiveSmallIntegerField(
                        blank=True, choices=[(1, "Tier 1"), (2, "Tier 2"), (3, "Tier 3")], null=True
                    ),
                ),
                ("environment_slug", models.SlugField(blank=True, max_length=40)),
                (
                    "kind",
                    models.CharField(
                        blank=True, choices=[("page", "Pages"), ("notice", "Notices")], max_length=6
                    ),
                ),
                ("days", models.JSONField(blank=True, default=list)),
                ("from_time", models.TimeField(blank=True, null=True)),
                ("to_time", models.TimeField(blank=True, null=True)),
                ("zone", models.CharField(default="UTC", max_length=60)),
                (
                    "remind_every",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(5),
                            django.core.validators.MaxValueValidator(1440),
                        ],
                    ),
                ),
                (
                    "remind_most",
                    models.PositiveSmallIntegerField(
                        default=5,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(20),
                        ],
                    ),
                ),
                (
                    "escalate_after",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(1440),
                        ],
                    ),
                ),
                ("removed_at", models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Silence",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("environment_slug", models.SlugField(blank=True, max_length=40)),
                ("reason", models.CharField(max_length=300)),
                ("starts_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
            ],
        ),
        migrations.RemoveConstraint(
            model_name="delivery",
            name="one_delivery_of_an_event",
        ),
        migrations.RemoveIndex(
            model_name="delivery",
            name="delivery_due",
        ),
        migrations.AddField(
            model_name="channel",
            name="previous_secret",
            field=models.TextField(blank=True),
        ),
        migrations.AddField(
            model_name="channel",
            name="previous_until",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="channel",
            name="subject_template",
            field=models.CharField(blank=True, max_length=200),
        ),
        migrations.AddField(
            model_name="delivery",
            name="held_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="delivery",
            name="held_by",
            field=models.CharField(
                blank=True,
                choices=[
                    ("silence", "Silenced"),
                    ("window", "In maintenance"),
                    ("below", "Told by the incident below"),
                    ("flapping", "Flapping, told once"),
                    ("past", "Of the past"),
                    ("ended", "Over before it was told"),
                ],
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="delivery",
            name="number",
            field=models.PositiveSmallIntegerField(default=1),
        ),
        migrations.AddField(
            model_name="delivery",
            name="opening",
            field=models.PositiveSmallIntegerField(default=1),
        ),
        migrations.AddField(
            model_name="delivery",
            name="reason",
            field=models.TextField(blank=True),
        ),
        migrations.AddField(
            model_name="delivery",
            name="text",
            field=models.TextField(blank=True),
        ),
        migrations.AddField(
            model_name="delivery",
            name="wanted_at",
            field=models.BigIntegerField(default=0),
            preserve_default=False,
        ),
        migrations.AlterField(
            model_name="channel",
            name="address",
            field=models.TextField(blank=True),
        ),
        migrations.AlterField(
            model_name="channel",
            name="kind",
            field=models.CharField(
                choices=[
                    ("email", "E-mail"),
                    ("duty", "E-mail to who is on duty"),
                    ("webhook", "Webhook"),
                    ("slack", "Slack"),
                    ("teams", "Microsoft Teams"),
                    ("pagerduty", "PagerDuty"),
                    ("apprise", "Another kind, through Apprise (best effort)"),
                    ("admins", "E-mail to the administrators"),
                ],
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="delivery",
            name="event",
            field=models.CharField(
                choices=[
                    ("failing", "Failing"),
                    ("resolved", "Resolved"),
                    ("reminder", "Reminder"),
                    ("escalated", "Escalated"),
                    ("linked", "Linked"),
                    ("notice", "Notice"),
                    ("test", "Test"),
                ],
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="message",
            name="channel",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="messages",
                to="alerts.channel",
            ),
        ),
        migrations.RenameField(model_name="delivery", old_name="message", new_name="content"),
        migrations.AddField(
            model_name="delivery",
            name="message",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="deliveries",
                to="alerts.message",
            ),
        ),
        migrations.AddField(
            model_name="notice",
            name="environment",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="notices",
                to="services.environment",
            ),
        ),
        migrations.AddField(
            model_name="notice",
            name="path",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="notices",
                to="services.criticalpath",
            ),
        ),
        migrations.AddField(
            model_name="notice",
            name="service",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="notices",
                to="services.service",
            ),
        ),
        migrations.AddField(
            model_name="delivery",
            name="notice",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="deliveries",
                to="alerts.notice",
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("held_at", None), ("message", None)),
                fields=["channel", "wanted_at"],
                name="delivery_waiting",
            ),
        ),
        migrations.AddConstraint(
            model_name="delivery",
            constraint=models.UniqueConstraint(
                condition=models.Q(("incident__isnull", False)),
                fields=("channel", "incident", "event", "opening", "number"),
                name="one_delivery_of_an_event",
            ),
        ),
        migrations.AddConstraint(
            model_name="delivery",
            constraint=models.UniqueConstraint(
                condition=models.Q(("notice__isnull", False)),
                fields=("channel", "notice"),
                name="one_delivery_of_a_notice",
            ),
        ),
        migrations.AddField(
            model_name="route",
            name="channels",
            field=models.ManyToManyField(related_name="routes", to="alerts.channel"),
        ),
        migrations.AddField(
            model_name="route",
            name="escalate_to",
            field=models.ManyToManyField(
                blank=True, related_name="second_for", to="alerts.channel"
            ),
        ),
        migrations.AddField(
            model_name="route",
            name="team",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="routes",
                to="services.team",
            ),
        ),
        migrations.AddField(
            model_name="silence",
            name="by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="silence",
            name="path",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="silences",
                to="services.criticalpath",
            ),
        ),
        migrations.AddField(
            model_name="silence",
            name="service",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="silences",
                to="services.service",
            ),
        ),
        migrations.AddField(
            model_name="silence",
            name="team",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="silences",
                to="services.team",
            ),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                condition=models.Q(("dead_at", None), ("delivered_at", None)),
                fields=["channel", "id"],
                name="message_under_way",
            ),
        ),
        migrations.AddConstraint(
            model_name="notice",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at", None)),
                fields=("kind", "key"),
                name="one_open_notice",
            ),
        ),
        migrations.AddConstraint(
            model_name="silence",
            constraint=models.CheckConstraint(
                condition=models.Q(("ends_at__gte", models.F("starts_at"))), name="a_silence_ends"
            ),
        ),
    ]
