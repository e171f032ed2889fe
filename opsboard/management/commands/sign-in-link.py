# ruff: noqa: N999  (the command is called sign-in-link)
"""Make a link that signs somebody in once: for a person who is locked out."""

import difflib
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from opsboard.people import joining
from opsboard.people.audit import Actor, Via
from opsboard.people.links import make_link
from opsboard.people.models import people


class Command(BaseCommand):
    help = "Print a link that signs a person in once, within 24 hours."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="the person's name, as on the page People")

    def handle(self, *, name: str, **_: Any) -> None:
        person = joining.find(name)
        if person is None:
            raise CommandError(f"Nobody is called {name}. {self._known(name)}", returncode=2)
        if not person.is_active:
            raise CommandError(
                f"{person.username} may not sign in: an administrator took that away. "
                "Give it back on the page People.",
                returncode=2,
            )
        by = Actor(None, Via.COMMAND, who="manage.py sign-in-link")
        self.stdout.write(settings.URL + make_link(person, by=by, now=timezone.now()))

    def _known(self, name: str) -> str:
        names = [person.username for person in people()]
        near = difflib.get_close_matches(name, names, n=3, cutoff=0.5) or names[:10]
        if not near:
            return "There are no people yet: script/up prints the link of the first administrator."
        return f"Did you mean {' or '.join(near)}?"
