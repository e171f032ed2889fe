"""An errand from its claim to its end. What it changes and that it is done are one transaction."""

from collections.abc import Callable
from datetime import datetime

from django.db import InterfaceError, OperationalError, models

from opsboard.board.changing import (
    AnotherApplyError,
    ChangedMeanwhileError,
    Prepared,
    carry_out,
)
from opsboard.board.errands.claims import ErrandClaim, claim
from opsboard.board.errands.contents import files_of, pack_text
from opsboard.board.errands.plans import mark_of
from opsboard.board.errands.progress import (
    HandedBackError,
    NotOursError,
    StoppedHereError,
    telling,
)
from opsboard.board.exporting import export, read_at_one_moment, told_in_the_open
from opsboard.board.models import Errand
from opsboard.board.planning import Act, Plan
from opsboard.board.reading import read_board
from opsboard.people import audit
from opsboard.people.audit import Actor, Via
from opsboard.people.models import role_of
from opsboard.people.roles import ADMINISTRATOR, EDITOR
from opsboard.probes.models import moment
from opsboard.probes.schedule import database_now
from opsboard.probes.writing import wait_for_database

NEEDS = {Errand.Kind.APPLY: ADMINISTRATOR, Errand.Kind.EXPORT: EDITOR}
WAITS = "Another apply is running: this one waits until it has ended."
CHANGED = (
    "The board was changed after this plan was shown. Nothing of it was applied. Plan it again, "
    "and look at the new plan."
)
MOST_NAMED = 10

type Tell = Callable[[str, int, int], None]


def do_due(*, is_stopping: Callable[[], bool]) -> None:
    """Do the errand that waits longest, if one does."""
    try:
        claimed = claim()
        if claimed is not None:
            do_claimed(claimed, is_stopping=is_stopping)
    except (OperationalError, InterfaceError) as error:
        # The lease runs out, and another begins it anew.
        wait_for_database(error)


def do_claimed(claimed: ErrandClaim, *, is_stopping: Callable[[], bool]) -> None:
    """Do it, or write why not. Told to stop, it hands the errand back: nothing of it is done."""
    try:
        with telling(claimed, is_stopping=is_stopping) as teller:
            do(claimed, teller.tell)
    except NotOursError:
        return
    except HandedBackError:
        _hand_back(claimed)
    except StoppedHereError as stopped:
        give_up(claimed.errand_id, by=stopped.by, now=moment(database_now()))


def do(claimed: ErrandClaim, tell: Tell) -> None:
    """Raises what `tell` raises, and NotOursError."""
    errand = Errand.objects.select_related("by__role").get(pk=claimed.errand_id)
    if why := _why_not(errand):
        _fail(claimed, why)
    elif errand.kind == Errand.Kind.EXPORT:
        _export(claimed, tell)
    else:
        _apply(errand, claimed, tell)


def _why_not(errand: Errand) -> str:
    """Rights may have been taken away since it was asked for."""
    role, needed = role_of(errand.by), NEEDS[Errand.Kind(errand.kind)]
    if role is None or not role.allows(needed):
        return f"{errand.by_name} may not do this any more. Nothing was changed."
    return ""


# An apply ----------------------------------------------------------------------------------


def _apply(errand: Errand, claimed: ErrandClaim, tell: Tell) -> None:
    sources = files_of(errand)
    tell("files read", 0, len(sources))
    now = moment(database_now())

    def write_end(prepared: Prepared) -> None:
        tell("the last of it", 0, 0)
        _end(claimed, outcome=applied_words(prepared.plan))

    try:
        carry_out(
            read_board(sources),
            is_as_shown=lambda found: mark_of(found) == errand.plan_mark,
            environ={},
            prune=errand.prune,
            actor=Actor(errand.by, Via.APPLY, who=errand.by_name),
            now=now,
            progress=tell,
            at_last=write_end,
        )
    except AnotherApplyError:
        _wait(claimed)
    except ChangedMeanwhileError:
        _fail(claimed, CHANGED)


def applied_words(plan: Plan) -> str:
    """ "20 added, 3 changed."."""
    acts = (
        (Act.ADDED, "added"),
        (Act.CHANGED, "changed"),
        (Act.RESTORED, "brought back"),
        (Act.REMOVED, "removed"),
    )
    parts = [f"{len(found):,} {words}" for act, words in acts if (found := plan.having(act))]
    if not parts:
        return "The board stays as it was; which file declares what is written down."
    return f"{', '.join(parts)}."


# An export ---------------------------------------------------------------------------------


def _export(claimed: ErrandClaim, tell: Tell) -> None:
    tell("the board read", 0, 0)
    stored = read_at_one_moment()
    tell("things written", 0, len(stored.things))
    content, size, sha256 = pack_text(export(stored))
    tell("the last of it", 0, 0)
    open_ones = list(told_in_the_open(stored))
    named = ", ".join(open_ones[:MOST_NAMED])
    more = f" and {len(open_ones) - MOST_NAMED:,} more" if len(open_ones) > MOST_NAMED else ""
    outcome = f"It holds what looks like a secret as it is: {named}{more}." if open_ones else ""
    _end(claimed, outcome=outcome, content=content, size=size, sha256=sha256)


# How it ends -------------------------------------------------------------------------------


def _end(claimed: ErrandClaim, *, outcome: str, **facts: object) -> None:
    """Raises NotOursError, and with it undoes what was done: it was stopped, or taken over."""
    ended = _held(claimed).update(
        done_at=moment(database_now()),
        outcome=outcome,
        claim_id=None,
        leased_until=None,
        phase="",
        **facts,
    )
    if not ended:
        raise NotOursError


def _fail(claimed: ErrandClaim, why: str) -> None:
    _held(claimed).update(
        failed_at=moment(database_now()),
        outcome=why,
        claim_id=None,
        leased_until=None,
        phase="",
    )


def _hand_back(claimed: ErrandClaim) -> None:
    _held(claimed).update(claim_id=None, leased_until=None, phase="", tries=0)


def _wait(claimed: ErrandClaim) -> None:
    _held(claimed).update(claim_id=None, leased_until=None, phase="", tries=0, outcome=WAITS)


def _held(claimed: ErrandClaim) -> "models.QuerySet[Errand]":
    held = Errand.objects.under_way()
    return held.filter(pk=claimed.errand_id, claim_id=claimed.claim_id)


def give_up(errand_id: int, *, by: Actor, now: datetime) -> bool:
    """Write that somebody has stopped it, before it was done. False: it was at an end already."""
    standing = Errand.objects.filter(pk=errand_id, done_at=None, failed_at=None, given_up_at=None)
    ended = standing.update(
        given_up_at=now,
        given_up_by=by.name[:150],
        outcome="Nothing of it was changed.",
        claim_id=None,
        leased_until=None,
        phase="",
    )
    if ended:
        errand = Errand.objects.light().get(pk=errand_id)
        audit.record(by, "stopped", "board files", f"{errand.kind} {errand_id}", now=now)
    return bool(ended)
