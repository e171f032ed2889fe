"""The rows of the board's table as they are sent. Rows that look the same are rendered once."""

from datetime import UTC, date, datetime, time
from functools import lru_cache

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from opsboard.web.board_groups import Head
from opsboard.web.board_history import KEPT
from opsboard.web.board_rows import Row
from opsboard.web.overview import PRODUCTION


def row_html(row: Row, *, now: datetime) -> SafeString:
    return _row_html(row, now.date())


@lru_cache(maxsize=KEPT)
def _row_html(row: Row, today: date) -> SafeString:
    """Times are told the same all day long: any moment of it is now."""
    noon = datetime.combine(today, time(12), UTC)
    url = reverse("service", args=[row.slug])
    if row.environment != PRODUCTION:
        url += "?" + urlencode({"environment": row.environment})
    return render_to_string("board/_row.html", {"row": row, "url": url, "now": noon})


@lru_cache(maxsize=KEPT)
def head_html(head: Head, environment: str) -> SafeString:
    turned = urlencode({"environment": environment, "open": head.turned})
    url = f"{reverse('board')}?{turned}"
    return render_to_string("board/_head.html", {"head": head, "url": url})
