"""Long lists, a page at a time. The links between the pages keep what was asked for besides."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.db.models import QuerySet

SHOWN = 100


@dataclass(frozen=True, slots=True)
class Turning:
    """The pages of one list; "" where there is no such page."""

    count: int
    first: int
    last: int
    earlier: str
    later: str


def turn[Row](
    found: "QuerySet[Any, Row] | Sequence[Row]",
    asked: Mapping[str, str],
    name: str = "page",
    *,
    kept: Sequence[str] = (),
    shown: int = SHOWN,
) -> tuple[list[Row], Turning]:
    """The page of `found` that ?name= asks for; the last, where it asks for one after it.

    `kept` names what the links keep of `asked`: the filters, and the page of another list.
    A queryset costs two queries, one of them the count.
    """
    page = Paginator(found, shown).get_page(asked.get(name, ""))

    def link(number: int) -> str:
        others = {key: asked[key] for key in kept if key != name and asked.get(key)}
        return "?" + urlencode(others | ({name: number} if number > 1 else {}))

    return list(page.object_list), Turning(
        page.paginator.count,
        page.start_index(),
        page.end_index(),
        link(page.number - 1) if page.has_previous() else "",
        link(page.number + 1) if page.has_next() else "",
    )
