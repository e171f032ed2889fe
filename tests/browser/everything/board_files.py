"""Applies and exports: planned, done, failed, put away and under way; a file of an export."""

from django.contrib.auth.models import User

from opsboard.board import errands
from opsboard.board.models import Errand
from opsboard.board.sources import Source
from opsboard.people import joining
from opsboard.people.audit import Actor, Via
from tests.browser.everything.services import HOUR, now


def make(editor: User) -> None:
    by = Actor(editor, Via.PAGES)
    # Only an administrator may apply.
    layla = Actor(joining.add("Layla " + "h" * 60, "administrator"), Via.PAGES)
    errands.ask(_planned("quay.yaml", "q" * 60, layla), by=layla, now=now())
    errands.export_anew(by=by, now=now())
    errands.do_due(is_stopping=lambda: False)
    failed = _planned("f" * 60 + ".yaml", "a", by)
    Errand.objects.filter(pk=failed.pk).update(
        asked_at=now(), failed_at=now(), outcome="Nothing was applied: " + "r" * 120
    )
    under_way = _planned("large.yaml", "b", by)
    Errand.objects.filter(pk=under_way.pk).update(asked_at=now() - HOUR)
    errands.stop(_planned("away.yaml", "c", by), by=by, now=now())
    _planned("planned.yaml", "d", by)


def _planned(file: str, slug: str, by: Actor) -> Errand:
    text = (
        f"teams: {{{slug}: {{contact: '{'c' * 80}'}}}}\n"
        f"services: {{{slug}: {{owner: {slug}, summary: {'s' * 120}}}}}\n"
    )
    _, errand = errands.plan([Source(file, text)], prune=False, by=by, now=now())
    assert errand is not None, file
    return errand
