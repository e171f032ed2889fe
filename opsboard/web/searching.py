"""Search over all that is kept: services, critical paths, teams and rollback notes."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from opsboard.web.access import requires
from opsboard.web.live import answer
from opsboard.web.search import LONGEST, search


@requires("viewer")
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    wanted = " ".join(request.GET.get("q", "").split())[:LONGEST]
    context = {"q": wanted, "kinds": search(wanted) if wanted else []}
    return answer(request, "search/index.html", context, part="found")
