"""The board: what is broken and the way back, then every service."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Page, Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from opsboard.probes.path_states import WORST_FIRST
from opsboard.probes.rules import State
from opsboard.web import strips
from opsboard.web.access import may_edit, requires, signed_in
from opsboard.web.board_rows import rows_of
from opsboard.web.broken import broken
from opsboard.web.live import answer
from opsboard.web.mine_page import ids_of_mine
from opsboard.web.overview import Overview, ServiceNow, read_overview
from opsboard.web.search import LONGEST, services_with
from opsboard.web.sentences import board_head, board_sub

ROWS_A_PAGE = 100
# Where a state stands in the address.
MINE = "mine"


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
def index(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    overview = read_overview(request.GET.get("environment"), now=now)
    if overview is None:
        raise Http404
    state = request.GET.get("state", "")
    wanted = " ".join(request.GET.get("q", "").split())[:LONGEST]
    found = _found(overview, wanted)
    mine = ids_of_mine(signed_in(request))
    page = _page([row for row in found if _shows(state, row, mine)], request.GET.get("page"))
    items, more = broken(overview, now=now)
    rows = rows_of(list(page), now=now)
    context: dict[str, Any] = {
        "now": now,
        "may_edit": may_edit(request),
        "overview": overview,
        "head": board_head(overview.states),
        "sub": board_sub(overview.states, environment=overview.environment),
        "tabs": _tabs(overview),
        "items": items,
        "more": more,
        "filters": _filters(found, overview.environment, state, wanted, mine),
        "page": page,
        "rows": rows,
        "examples": strips.examples_words(bar for row in rows for bar in row.bars),
        "state": state,
        "q": wanted,
        "older": _url(overview.environment, state, wanted),
        "first_day": now - timedelta(days=strips.DAYS - 1),
        "here": request.get_full_path(),
    }
    return answer(request, "board/index.html", context, part="board")


def _found(overview: Overview, wanted: str) -> list[ServiceNow]:
    if not wanted:
        return overview.services
    matching = services_with(wanted)
    return [row for row in overview.services if row.service.pk in matching]


def _page(rows: Sequence[ServiceNow], number: str | None) -> Page[ServiceNow]:
    return Paginator(rows, ROWS_A_PAGE).get_page(number)


def _shows(state: str, row: ServiceNow, mine: set[int] | None) -> bool:
    if state == MINE:
        return mine is not None and row.service.pk in mine
    return state in ("", row.state)


def _tabs(overview: Overview) -> list[tuple[str, str, bool]]:
    return [
        (slug, _url(slug, "", ""), slug == overview.environment) for slug in overview.environments
    ]


def _filters(
    rows: Sequence[ServiceNow],
    environment: str,
    chosen: str,
    wanted: str,
    mine: set[int] | None,
) -> list[Filter]:
    counts = Counter(row.state for row in rows)
    first = []
    if mine is not None:
        count = sum(row.service.pk in mine for row in rows)
        first = [Filter(MINE, "Mine", count, _url(environment, MINE, wanted), chosen == MINE)]
    everything = Filter("", "All", len(rows), _url(environment, "", wanted), not chosen)
    return [*first, everything] + [
        Filter(
            state,
            state.words.capitalize(),
            counts[state],
            _url(environment, state, wanted),
            state == chosen,
        )
        for state in _offered(counts, chosen)
    ]


def _offered(counts: Counter[State], chosen: str) -> list[State]:
    """States in which a service is; the chosen one stays, also when its last service leaves it."""
    return [state for state in WORST_FIRST if counts[state] or state == chosen]


def _url(environment: str, state: str, wanted: str) -> str:
    query = {"environment": environment, "state": state, "q": wanted}
    return f"{reverse('board')}?{urlencode({key: value for key, value in query.items() if value})}"
