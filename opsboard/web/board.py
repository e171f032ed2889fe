"""The board: what is broken and the way back, what goes out next, then every service."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Page, Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from opsboard.alerts.hearing import Audience
from opsboard.alerts.holding import Overlays
from opsboard.probes.path_states import WORST_FIRST
from opsboard.services.rota import Duties, parts_of_rotas, rotas_of
from opsboard.services.together import NOW, Part, kept, whole
from opsboard.web import broken
from opsboard.web.access import may_edit, requires, signed_in
from opsboard.web.board_groups import GROUPED_FROM, Entry, Head, entries_of, opened, page_of
from opsboard.web.board_releases import next_of, soonest
from opsboard.web.board_rows import Row, rows_of, telling_path
from opsboard.web.board_table import head_html, row_html
from opsboard.web.live import answer, polled
from opsboard.web.overview import Overview, ServiceLine, ServiceNow, read_overview
from opsboard.web.search import LONGEST, services_with
from opsboard.web.sentences import board_head, board_sub
from opsboard.web.service_days import first_day

ROWS_A_PAGE = 100
# Where a state stands in the address.
MINE = "mine"


@dataclass(frozen=True, slots=True)
class Asked:
    """What of the board is asked for, by the address."""

    # "": the usual one.
    environment: str
    # A state, MINE, or "" for all.
    state: str
    wanted: str
    # None: the usual teams are open.
    open: str | None

    @classmethod
    def of(cls, request: HttpRequest) -> "Asked":
        asked = request.GET
        return cls(
            asked.get("environment", ""),
            asked.get("state", ""),
            " ".join(asked.get("q", "").split())[:LONGEST],
            asked.get("open"),
        )

    def url(self, **other: str) -> str:
        query = {"environment": self.environment, "state": self.state, "q": self.wanted}
        kept = {key: value for key, value in (query | other).items() if value or key == "open"}
        return f"{reverse('board')}?{urlencode(kept)}"


@dataclass(frozen=True, slots=True)
class Filter:
    """A link that narrows the table to the services in one state; state "": all of them, and
    MINE: those of the person's teams.
    """

    state: str
    words: str
    count: int
    url: str
    is_chosen: bool


@requires("viewer")
@require_safe
@polled
def index(request: HttpRequest) -> HttpResponse:
    context = read_board(request, Asked.of(request), now=timezone.now())
    return answer(request, "board/index.html", context, part="board")


def read_board(request: HttpRequest, asked: Asked, *, now: datetime) -> dict[str, Any]:
    """Eleven queries, however many services; two more where somebody searches."""
    together = kept(_parts, now.date()).read(now=now)
    rotas = rotas_of(together)
    audience, duties = Audience(now, together, rotas), Duties(rotas, now=now)
    overview = read_overview(
        asked.environment,
        audience,
        partial(_shown_teams, asked),
        person=signed_in(request),
        now=now,
    )
    if overview is None:
        raise Http404
    found = _found(overview, asked.wanted)
    entries, page = _page(asked, found, request.GET.get("page"))
    groups = broken.groups_of(overview)
    shown = groups[: broken.MOST_ITEMS]
    services = [one for one in entries if isinstance(one, ServiceNow)]
    sheets = broken.sheets_of(_first_ids(shown) | _telling_ids(services))
    overlays = Overlays.of(together, now=now)
    rows = rows_of(services, sheets, overlays, duties, all_unheard=overview.is_unheard, now=now)
    incidents = broken.by_path(together["incidents"], environment=overview.environment)
    return {
        "now": now,
        "may_edit": may_edit(request),
        "overview": overview,
        "head": board_head(overview.states),
        "sub": board_sub(overview.states, environment=overview.environment),
        "tabs": _tabs(overview),
        "items": broken.items_of(shown, overview, sheets, incidents, duties, now=now),
        "more": len(groups) - len(shown),
        "next": next_of(together["releases"], now=now),
        "filters": _filters(found, overview, asked),
        "page": page,
        "rows": _sent(entries, rows, overview.environment, now=now),
        "asked": asked,
        "examples": next((row.strip.examples for row in rows if row.strip.examples), ""),
        "found": len(found),
        "first_day": first_day(now),
        "here": request.get_full_path(),
    }


def _parts(today: date) -> dict[str, Part]:
    rows = {
        **Audience.parts(),
        **Overlays.parts(NOW, today),
        "releases": soonest(),
        "incidents": broken.open_places(),
    }
    return whole(rows) | parts_of_rotas(since=NOW)


def _sent(
    entries: Sequence[Entry], rows: Sequence[Row], environment: str, *, now: datetime
) -> list[SafeString]:
    """The table's rows as they are sent; `rows`: those of the services among `entries`."""
    following = iter(rows)
    return [
        head_html(one, environment) if isinstance(one, Head) else row_html(next(following), now=now)
        for one in entries
    ]


def _first_ids(groups: Sequence[Sequence[Any]]) -> set[int]:
    return {group[0].pk for group in groups}


def _telling_ids(services: Sequence[ServiceNow]) -> set[int]:
    return {path.pk for one in services if (path := telling_path(one.paths))}


def _found(overview: Overview, wanted: str) -> list[ServiceNow]:
    if not wanted:
        return overview.services
    matching = services_with(wanted)
    return [row for row in overview.services if row.pk in matching]


def _page(
    asked: Asked, found: Sequence[ServiceNow], number: str | None
) -> tuple[list[Entry], Page[Entry]]:
    """The entries of one page. What was looked for is not folded away."""
    entries: list[Entry] = [row for row in found if _shows(asked.state, row)]
    if _is_grouped(asked, found):
        entries = entries_of(found, opened(asked.open, found))
    page = Paginator(entries, ROWS_A_PAGE).get_page(number)
    return page_of(entries, ROWS_A_PAGE * (page.number - 1), ROWS_A_PAGE), page


def _shown_teams(asked: Asked, services: Sequence[ServiceLine]) -> set[str] | None:
    """The teams whose rows are shown though they pass; None: any may be."""
    return opened(asked.open, services) if _is_grouped(asked, services) else None


def _is_grouped(asked: Asked, services: Sequence[object]) -> bool:
    return not asked.state and not asked.wanted and len(services) > GROUPED_FROM


def _shows(state: str, row: ServiceNow) -> bool:
    return row.is_mine if state == MINE else state in ("", row.state)


def _tabs(overview: Overview) -> list[tuple[str, str, bool]]:
    return [
        (slug, Asked(slug, "", "", None).url(), slug == overview.environment)
        for slug in overview.environments
    ]


def _filters(rows: Sequence[ServiceNow], overview: Overview, asked: Asked) -> list[Filter]:
    counts = Counter(row.state for row in rows)
    offered = [(state.value, state.words.capitalize(), counts[state]) for state in WORST_FIRST]
    mine = [(MINE, "Mine", sum(row.is_mine for row in rows))] if overview.has_teams else []
    return [
        Filter(
            state,
            words,
            count,
            asked.url(environment=overview.environment, state=state),
            state == asked.state,
        )
        for state, words, count in [*mine, ("", "All", len(rows)), *offered]
        # The chosen one stays, also when its last service leaves it.
        if count or state in (asked.state, MINE, "")
    ]
