"""`manage.py prepare`: what must be done once before web, worker and beat of a version start."""

from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.utils import timezone

from opsboard.people.models import built_in_viewer
from opsboard.probes.history import make_partitions
from opsboard.probes.models import stand_up
from opsboard.services.built_in import watch_itself


class Command(BaseCommand):
    help = "Bring the database up to this version. Safe to run again; the other parts wait for it."

    def handle(self, *_: Any, **__: Any) -> None:
        call_command("migrate", interactive=False, verbosity=0)
        now = timezone.now()
        make_partitions(now=now)
        # Made here, not in the first page it asks: that one would be slower than all later ones.
        built_in_viewer()
        if service := watch_itself():
            stand_up(service, now=now, location=settings.HOME_LOCATION)
