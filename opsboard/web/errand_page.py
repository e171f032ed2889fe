"""What the page of an apply or an export says: what it would do, how far it is, what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse

from opsboard.board.errands.progress import seconds_left, standing_here
from opsboard.board.models import Errand
from opsboard.board.sources import Source, Wrong
from opsboard.probes.models import microseconds
from opsboard.services.models import SECOND
from opsboard.web.words import counted, number, span

SHOWN = 10
MOST_ERRORS = 200
LONGEST_LINE = 300
ACTS = {
    "removed": ("Removed", "it can be brought back for 30 days"),
    "changed": ("Changed", "as it is now, and as the file has it"),
    "restored": ("Brought back", "it was removed before"),
    "added": ("Added", "it is not on the board yet"),
}
# Of a plan that came to nothing: its parts stay, and must not read as if they were done.
NOT_DONE = "nothing of it was done"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it is; `width` is of its bar, in percent. None: this part has no count."""

    words: str
    width: float | None


def read_errand(errand: Errand, *, now: datetime) -> dict[str, Any]:
    is_apply = errand.kind == Errand.Kind.APPLY
    return {
        "now": now,
        "errand": errand,
        "is_apply": is_apply,
        "files": ", ".join(errand.files),
        "head": head_of(errand),
        "plan": errand.plan if is_apply else None,
        "acts": _acts(errand) if is_apply else [],
        "progress": progress_of(errand, now=now) if errand.is_under_way else None,
        "removals": _removals(errand),
    }


def head_of(errand: Errand) -> str:
    what = ", ".join(errand.files[:3]) + (" and others" if len(errand.files) > 3 else "")
    if errand.kind == Errand.Kind.EXPORT:
        return _head_of_export(errand)
    if errand.done_at:
        return f"{what} is applied"
    if errand.failed_at:
        return f"{what} was not applied"
    if errand.given_up_at:
        was = "The apply of" if errand.asked_at else "The plan of"
        return f"{was} {what} was {'stopped' if errand.asked_at else 'put away'}"
    if errand.asked_at:
        return f"{what} is being applied" if errand.claim_id else f"{what} waits to be applied"
    if errand.plan.get("is_empty"):
        return f"{what} would change nothing"
    count = errand.plan.get("count", 0)
    if not count:
        return f"{what} would change only which file declares what"
    return f"{what} would change {counted(count, 'thing')}"


def _head_of_export(errand: Errand) -> str:
    if errand.done_at:
        return "The board is exported"
    if errand.failed_at:
        return "The board was not exported"
    if errand.given_up_at:
        return "The export was stopped"
    return "The board is being exported" if errand.claim_id else "The export waits to be made"


def progress_of(errand: Errand, *, now: datetime) -> Progress:
    """Of what is under way: from this process where it does it, else as it was written down."""
    here = standing_here(errand.pk)
    phase, since = (here.phase, here.since) if here else (errand.phase, errand.phase_since or 0)
    done, total = (here.done, here.total) if here else (errand.done, errand.total)
    if errand.claim_id is None:
        return Progress(errand.outcome or "A worker takes it up within seconds.", None)
    if not phase:
        return Progress("It has begun.", None)
    if not total:
        return Progress(f"{phase[:1].upper()}{phase[1:]}.", None)
    left = seconds_left(since, done, total, now=microseconds(now))
    more = f", about {span(left * SECOND)} more for these" if left else ""
    return Progress(f"{number(done)} of {number(total)} {phase}{more}.", 100 * done / total)


def _removals(errand: Errand) -> int:
    acts = errand.plan.get("acts", [])
    return sum(one["count"] for one in acts if one["act"] == "removed")


def _acts(errand: Errand) -> list[dict[str, Any]]:
    """The parts of the plan with their words, and the pages of what is there to be seen."""
    shown = []
    for part in errand.plan.get("acts", []):
        words, planned = ACTS[part["act"]]
        note = planned if not errand.is_over else "" if errand.done_at else NOT_DONE
        has_pages = part["act"] == "changed" or errand.done_at is not None
        rows = [row | {"url": _url(row["of"]) if has_pages else ""} for row in part["rows"]]
        shown.append(part | {"words": words, "note": note, "rows": rows})
    return shown


def _url(of: Sequence[str]) -> str:
    return reverse(of[0], args=list(of[1:])) if of else ""


# What there is -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Row:
    errand: Errand
    head: str
    progress: Progress | None


def newest(*, now: datetime) -> list[Row]:
    """Those that were asked for, the newest first, and the plans that lie about."""
    found = Errand.objects.defer("content").order_by("-made_at", "-pk")
    return [_row(one, now) for one in found[:SHOWN]]


def under_way_of(person: Any, *, now: datetime) -> list[Row]:
    mine = Errand.objects.under_way().filter(by=person).defer("content")
    return [_row(one, now) for one in mine.order_by("asked_at")[:SHOWN]]


def _row(errand: Errand, now: datetime) -> Row:
    progress = progress_of(errand, now=now) if errand.is_under_way else None
    return Row(errand, head_of(errand), progress)


# What is wrong of files --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Mistake:
    """One error with the line that it stands in, divided at its column. "": it has no line."""

    place: str
    sentence: str
    line: int
    before: str
    at: str
    after: str


def mistakes(errors: Sequence[Wrong], sources: Sequence[Source]) -> list[Mistake]:
    texts = {one.path: one.text.split("\n") for one in sources}
    ordered = sorted(errors, key=lambda one: (one.path, one.line, one.column))
    return [_mistake(one, texts.get(one.path, [])) for one in ordered[:MOST_ERRORS]]


def _mistake(wrong: Wrong, lines: Sequence[str]) -> Mistake:
    if not wrong.line:
        return Mistake(wrong.path, wrong.sentence, 0, "", "", "")
    line = lines[wrong.line - 1] if wrong.line <= len(lines) else ""
    start = max(0, wrong.column - 1)
    # A long line is shown around its mistake.
    first = max(0, start - LONGEST_LINE // 2)
    before, rest = line[first:start], line[start : first + LONGEST_LINE]
    word = rest.split(maxsplit=1)[0] if rest.strip() and not rest[0].isspace() else rest[:1]
    place = f"{wrong.path}, line {wrong.line}, column {wrong.column}"
    return Mistake(place, wrong.sentence, wrong.line, before, word, rest[len(word) :])
