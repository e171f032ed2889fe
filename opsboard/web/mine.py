"""What I own: what of my teams' services, sheets and notes wants a look."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from opsboard.web.access import requires, signed_in
from opsboard.web.errand_page import under_way_of
from opsboard.web.mine_page import read_mine


@requires("viewer")
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    person = signed_in(request)
    context = {"now": now, "errands": under_way_of(person, now=now)}
    return render(request, "mine/index.html", read_mine(person, now=now) | context)
