"""What was held back, by what and why, and what became of it."""

from dataclasses import dataclass

from django.core.paginator import Paginator
from django.db.models import FETCH_RAISE, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from opsboard.alerts.models import Delivery
from opsboard.incidents.models import Incident
from opsboard.web.access import requires
from opsboard.web.sentences import delivery_words

ROWS_A_PAGE = 100
HeldBy = Delivery.HeldBy


@dataclass(frozen=True, slots=True)
class Row:
    delivery: Delivery
    became: str
    is_held: bool


@requires("viewer")
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    standing = Q(incident=None) | Q(incident__in=Incident.objects.standing())
    held = (
        Delivery.objects.exclude(held_by="")
        .filter(standing)
        .select_related("channel", "incident__service", "notice", "message")
        .order_by("-created_at", "-pk")
        .fetch_mode(FETCH_RAISE)
    )
    page = Paginator(held, ROWS_A_PAGE).get_page(request.GET.get("page"))
    rows = [Row(one, became(one), bool(one.held_at)) for one in page]
    context = {"now": timezone.now(), "rows": rows, "page": page}
    return render(request, "alerts/suppressed.html", context)


def became(delivery: Delivery) -> str:
    """ "Held back still", "Never sent", "Sent after all: delivered in 4 s"."""
    if delivery.held_at is None:
        return f"Sent after all: {delivery_words(delivery)}"
    if delivery.held_by in (HeldBy.ENDED, HeldBy.FLAPPING):
        return "Never sent"
    if delivery.held_by == HeldBy.PAST:
        return "Not sent, unless it is seen failing again"
    return "Held back still"
