"""The list of changes, newest first: where each stands, and once it is judged, what it came to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.db.models import (
    FETCH_RAISE,
    Case,
    CharField,
    Count,
    Exists,
    F,
    OuterRef,
    Prefetch,
    Subquery,
    Value,
    When,
)

from opsboard.changes.counting import counts_of
from opsboard.changes.models import Burst, Change, Comparison, Window
from opsboard.changes.stages import Stage, stage_of
from opsboard.services.models import CriticalPath
from opsboard.web.change_words import VERDICTS, Effect, effect_of, variables_words
from opsboard.web.release_list import page_number
from opsboard.web.release_words import Verdict
from opsboard.web.turning import Turning
from opsboard.web.words import counted

SHOWN = 50
SHOWN_OF_PATH = 5
FILTERS = ("stands", "service", "path")
# What a change may be filtered by, in the order of the links: its verdict, or what it waits for.
STANDS = {
    "measuring": "Collecting",
    **{word: look.words for word, look in VERDICTS.items()},
    "declared": "Not begun",
    "given_up": "Given up",
    "withdrawn": "Withdrawn",
}


@dataclass(frozen=True, slots=True)
class Row:
    change: Change
    # None: no attempt was begun.
    comparison: Comparison | None
    # None: it is not judged, and `stands` says where it is.
    verdict: Verdict | None
    stands: str
    # "before" or "after", while it collects.
    side: str
    # A burst is under way that fills it.
    is_asking: bool
    effect: Effect | None
    variable: str

    @property
    def live_at(self) -> datetime | None:
        return self.comparison.applied_at if self.comparison else None


@dataclass(frozen=True, slots=True)
class Tab:
    """A link that shows only those of one verdict or stand."""

    words: str
    count: int
    url: str
    is_chosen: bool


def read_changes(asked: Mapping[str, str], *, now: datetime) -> dict[str, Any]:
    """`asked`: ?stands=improved, ?service=fares-api, ?path=fares-api/health and ?page=2."""
    chosen = {name: asked.get(name, "") for name in FILTERS}
    told = _told(chosen["path"])
    counts = _counts(told, chosen["service"])
    changes = _standing(chosen["service"], chosen["path"])
    wanted = changes.filter(stands=chosen["stands"]) if chosen["stands"] else changes
    count = counts.get(chosen["stands"], 0) if chosen["stands"] else sum(counts.values())
    page, turning = _page(wanted, asked, count)
    return {
        "now": now,
        "rows": rows_of(page, now=now),
        "turning": turning,
        "head": head_words(counts),
        "tabs": _tabs(counts, chosen),
        "chosen": chosen,
        "is_filtered": any(chosen.values()),
        "services": sorted({one[:2] for one in told}, key=lambda pair: pair[1].lower()),
    }


def head_words(counts: Mapping[str, int]) -> str:
    """ "2 changes collect, 1 regressed": what needs somebody, in a sentence."""
    total, open_ones = sum(counts.values()), counts.get("measuring", 0)
    worse = counts.get(Comparison.Verdict.REGRESSED, 0)
    said = [f"{open_ones} change{' is' if open_ones == 1 else 's are'} being measured"]
    said = said if open_ones else []
    if worse:
        said += [f"{worse} regressed" if said else f"{counted(worse, 'change')} regressed"]
    if said:
        return ", ".join(said)
    return (
        f"{total} change{'' if total == 1 else 's'}, none is being measured"
        if total
        else ("No change is compared yet")
    )


def changes_of_path(path: CriticalPath, *, now: datetime) -> list[Row]:
    """The last few of one path, wherever it runs. At most six queries."""
    found = path.changes.filter(withdrawn_at=None).select_related("environment")
    return rows_of(list(found.order_by("-declared_at", "-pk")[:SHOWN_OF_PATH]), now=now)


def rows_of(changes: Sequence[Change], *, now: datetime) -> list[Row]:
    """At most five queries, whatever their number; three where none collects."""
    newest = _newest_attempts(changes)
    counts = counts_of(filter(None, map(_collecting, newest.values())), now=now)
    return [_row(change, newest.get(change.pk), counts) for change in changes]


def _standing(service: str, path: str) -> Any:
    """Those of what is not removed, each with where it stands: a key of STANDS.

    `service` is a slug, `path` as in fares-api/price-a-crossing; "": of any.
    """
    newest = Comparison.objects.filter(change=OuterRef("pk")).order_by("-number")
    changes = Change.objects.filter(
        service__removed_at=None, path__removed_at=None, environment__removed_at=None
    ).annotate(
        verdict=Subquery(newest.values("verdict")[:1]),
        given_up_at=Subquery(newest.values("given_up_at")[:1]),
        stands=Case(
            # As opsboard.changes.stages.stage_of: a verdict stays one.
            When(verdict__gt="", then=F("verdict")),
            When(withdrawn_at__isnull=False, then=Value("withdrawn")),
            When(verdict__isnull=True, then=Value("declared")),
            When(given_up_at__isnull=False, then=Value("given_up")),
            default=Value("measuring"),
            output_field=CharField(),
        ),
    )
    if path:
        of, _, slug = path.partition("/")
        changes = changes.filter(service__slug=of, path__slug=slug)
    return changes.filter(service__slug=service) if service else changes


def _page(changes: Any, asked: Mapping[str, str], count: int) -> tuple[list[Change], Turning]:
    """One page. One after the last is empty, and leads back."""
    number = page_number(asked.get("page", ""))
    start = (number - 1) * SHOWN
    found = changes.for_pages().order_by("-declared_at", "-pk").fetch_mode(FETCH_RAISE)
    page = list(found[start : start + SHOWN])
    is_more = start + len(page) < count
    return page, Turning(
        count,
        start + 1,
        start + len(page),
        _query(asked, page=number - 1) if number > 1 else "",
        _query(asked, page=number + 1) if is_more else "",
    )


def _query(asked: Mapping[str, str], **other: object) -> str:
    kept = {name: asked[name] for name in FILTERS if asked.get(name)}
    return "?" + urlencode({name: value for name, value in (kept | other).items() if value})


def _tabs(counts: Mapping[str, int], chosen: Mapping[str, str]) -> list[Tab]:
    """All, and each verdict or stand that some change has, or that is chosen."""
    others = [
        Tab(words, counts.get(key, 0), _query(chosen, stands=key), chosen["stands"] == key)
        for key, words in STANDS.items()
        if counts.get(key) or chosen["stands"] == key
    ]
    everything = Tab("All", sum(counts.values()), _query(chosen, stands=""), not chosen["stands"])
    return [everything, *others]


def _told(path: str) -> list[tuple[str, str, str, int]]:
    """How many of each service stand where: its slug and name, a key of STANDS, their number."""
    grouped = _standing("", path).order_by().values_list("service__slug", "service__name", "stands")
    return list(grouped.annotate(Count("pk")))


def _counts(told: Sequence[tuple[str, str, str, int]], service: str) -> dict[str, int]:
    counts: dict[str, int] = {}
    for slug, _, stands, count in told:
        if service in ("", slug):
            counts[stands] = counts.get(stands, 0) + count
    return counts


def _newest_attempts(changes: Sequence[Change]) -> dict[int, Comparison]:
    """By change, with its windows. One query, whatever their number."""
    by_id = {one.pk: one for one in changes}
    later = Comparison.objects.filter(change=OuterRef("change"), number__gt=OuterRef("number"))
    # What was sampled is long, and not looked at here.
    running = Burst.objects.filter(window=OuterRef("pk"), finished_at=None)
    light = Window.objects.defer("content", "beside").annotate(is_asking=Exists(running))
    windows = Prefetch("windows", light)
    found = Comparison.objects.filter(~Exists(later), change__in=by_id).prefetch_related(windows)
    newest = {one.change_id: one for one in found}
    for number, one in newest.items():
        one.change = by_id[number]
    return newest


def _collecting(comparison: Comparison) -> Window | None:
    """The window that takes samples now; None: none does."""
    if comparison.judged_at or comparison.given_up_at or comparison.change.withdrawn_at:
        return None
    return next((one for one in comparison.windows.all() if one.sealed_at is None), None)


def _row(
    change: Change,
    comparison: Comparison | None,
    counts: Mapping[int, int],
) -> Row:
    stage = stage_of(change, comparison)
    window = _collecting(comparison) if comparison else None
    count = f"collecting, {counts[window.pk]:,} of {change.samples:,}" if window else ""
    return Row(
        change=change,
        comparison=comparison,
        verdict=VERDICTS[comparison.verdict] if comparison and stage == Stage.JUDGED else None,
        stands=count or ("not begun" if stage == Stage.DECLARED else stage.words),
        side=window.side if window else "",
        is_asking=window is not None and window.is_asking,  # type: ignore[attr-defined]
        effect=effect_of(comparison) if stage == Stage.JUDGED else None,
        variable=variables_words(change.variables),
    )
