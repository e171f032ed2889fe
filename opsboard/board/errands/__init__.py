"""Errands: applies and exports that people ask for on the pages, and that workers do.

An apply is planned while its reader waits, and kept with its plan. Once it is asked for it is done
at once when it is small, else by the next worker that a bell wakes: all of it or nothing, and once.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction

from opsboard.board.changing import Prepared, prepare
from opsboard.board.errands.claims import ErrandClaim, take
from opsboard.board.errands.contents import files_of, pack_files
from opsboard.board.errands.doing import do, do_claimed, do_due, give_up
from opsboard.board.errands.plans import mark_of, plan_shown
from opsboard.board.errands.progress import NotOursError, stop_here
from opsboard.board.models import Errand
from opsboard.board.reading import read_board
from opsboard.board.sources import Source
from opsboard.people import audit
from opsboard.people.audit import Actor
from opsboard.probes.schedule import database_now

__all__ = ["ask", "do_claimed", "do_due", "export_anew", "plan", "plan_again", "prune", "stop"]

# A plan with so few changes is applied while its reader waits.
FEW = 50
# Contents are let go after a day, what became of them after a month.
CONTENT_LASTS = timedelta(days=1)
KEPT = timedelta(days=30)
# Plans that one person may leave lying about.
MOST_PLANS = 5


class Refused(Exception):
    """It cannot be done; the message says why, in one sentence."""


def plan(
    sources: Sequence[Source], *, prune: bool, by: Actor, now: datetime
) -> tuple[Prepared, Errand | None]:
    """What an apply of these files would do, kept to be asked for. None: the files are wrong.

    The server resolves no ${NAME}: what is stored of them stays.
    """
    declared = read_board(sources)
    prepared = prepare(declared, environ={}, prune=prune, actor=by, now=now)
    if prepared.errors:
        return prepared, None
    errand = Errand.objects.create(
        kind=Errand.Kind.APPLY,
        made_at=now,
        by=by.person,
        by_name=by.name[:150],
        files=[one.name for one in sources],
        prune=prune,
        content=pack_files(sources),
        plan=plan_shown(prepared),
        plan_mark=mark_of(prepared),
    )
    _let_go_of_old_plans(by)
    return prepared, errand


def plan_again(errand: Errand, *, by: Actor, now: datetime) -> tuple[Prepared, Errand | None]:
    """The same files against the board as it is now. Raises Refused."""
    sources = files_of(errand)
    if not sources:
        raise Refused("Its files were let go after a day: choose them again.")
    return plan(sources, prune=errand.prune, by=by, now=now)


def ask(errand: Errand, *, by: Actor, now: datetime) -> None:
    """Have a planned apply done: at once when it is small. Raises Refused."""
    with transaction.atomic():
        waiting = Errand.objects.filter(pk=errand.pk, asked_at=None, given_up_at=None)
        if not waiting.update(asked_at=now, by=by.person, by_name=by.name[:150]):
            raise Refused("It was asked for already, or put away: see below.")
        names = {"files": errand.files}
        subject = f"{errand.kind} {errand.pk}"
        audit.record(by, "asked for", "board files", subject, now=now, after=names)
        claimed = take(errand.pk, database_now()) if errand.plan["count"] <= FEW else None
    if claimed is not None:
        _do_here(claimed)


def export_anew(*, by: Actor, now: datetime) -> Errand:
    """Have the board exported by a worker."""
    with transaction.atomic():
        errand = Errand.objects.create(
            kind=Errand.Kind.EXPORT,
            made_at=now,
            asked_at=now,
            by=by.person,
            by_name=by.name[:150],
        )
        audit.record(by, "asked for", "board files", f"{errand.kind} {errand.pk}", now=now)
    return errand


def stop(errand: Errand, *, by: Actor, now: datetime) -> bool:
    """Give it up before it is done. False: this process does it, and stops at its next word.

    Raises Refused when it is done.
    """
    if stop_here(errand.pk, by):
        return False
    with transaction.atomic():
        if not give_up(errand.pk, by=by, now=now):
            raise Refused("It had come to its end before it could be stopped.")
    return True


def prune(*, now: datetime) -> None:
    """Let go of files and exports after a day, and of errands after a month."""
    old = Errand.objects.exclude(pk__in=Errand.objects.under_way().values("pk"))
    old.filter(made_at__lte=now - CONTENT_LASTS, asked_at=None).delete()
    old.filter(made_at__lte=now - CONTENT_LASTS, content__isnull=False).update(content=None)
    old.filter(made_at__lte=now - KEPT).delete()


def _do_here(claimed: ErrandClaim) -> None:
    """Without a word of progress: who asked for it waits for the end."""
    try:
        do(claimed, lambda *_: None)
    except NotOursError:
        return


def _let_go_of_old_plans(by: Actor) -> None:
    mine = Errand.objects.filter(by=by.person, asked_at=None).order_by("-made_at", "-pk")
    lying_about = list(mine.values_list("pk", flat=True)[MOST_PLANS:])
    Errand.objects.filter(pk__in=lying_about).delete()
