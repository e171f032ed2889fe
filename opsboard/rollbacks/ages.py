"""How long the check of a rollback note lasts, as the settings say."""

from datetime import timedelta

from django.conf import settings

from opsboard.rollbacks.rules import Ages


def note_ages() -> Ages:
    return Ages(
        tier_1=timedelta(days=settings.NOTE_LASTS_DAYS_TIER_1),
        others=timedelta(days=settings.NOTE_LASTS_DAYS),
    )
