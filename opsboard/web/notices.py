"""Notices: what to know within the day. Nobody has to acknowledge them."""

from dataclasses import dataclass

from django.db.models import FETCH_RAISE
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from opsboard.alerts.models import Delivery, Notice
from opsboard.web.access import requires
from opsboard.web.sentences import notices_head

SHOWN = 50


@dataclass(frozen=True, slots=True)
class NoticeRow:
    notice: Notice
    # To whom it went, or why it did not.
    deliveries: tuple[Delivery, ...]

    @property
    def state(self) -> str:
        unknown = (Notice.Kind.NO_DATA, Notice.Kind.OWN_ERROR, Notice.Kind.LOCATION)
        return "no_data" if self.notice.kind in unknown else "warning"


@requires("viewer")
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    notices = (
        Notice.objects.select_related("service", "path__service", "environment", "team")
        .prefetch_related("deliveries__channel", "deliveries__message")
        .fetch_mode(FETCH_RAISE)
    )
    open_ones = [_row(one) for one in notices.open().order_by("-began_at", "-pk")[:SHOWN]]
    ended = notices.filter(ended_at__isnull=False).order_by("-ended_at", "-pk")[:SHOWN]
    context = {
        "now": now,
        "open": open_ones,
        "ended": [_row(one) for one in ended],
        "head": notices_head(Notice.objects.open().count()),
        "shown": SHOWN,
    }
    return render(request, "alerts/notices.html", context)


def _row(notice: Notice) -> NoticeRow:
    return NoticeRow(notice, tuple(notice.deliveries.all()))
