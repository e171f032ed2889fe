"""Teams: who owns what, and how to reach them."""

from django.contrib import messages
from django.db import transaction
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from opsboard.releases.running_out import running_out
from opsboard.services.models import Team
from opsboard.services.rota import on_duty
from opsboard.web import removing
from opsboard.web.access import actor_of, requires
from opsboard.web.finding import find_team
from opsboard.web.forms.fields import zones
from opsboard.web.forms.teams import TeamForm
from opsboard.web.forms.wording import things_to_fix
from opsboard.web.saving import add_team, change_team
from opsboard.web.turning import turn
from opsboard.web.words import counted

MOST_SHOWN = 100


@requires("viewer")
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    teams = Team.objects.standing().annotate(
        owned=Count("services", filter=Q(services__removed_at=None), distinct=True),
        heard=Count("channels", filter=Q(channels__removed_at=None), distinct=True),
    )
    rows, turning = turn(teams.order_by("name"), request.GET)
    return render(request, "teams/index.html", {"teams": rows, "turning": turning})


def _head(team: Team, services: int, paths: int) -> str:
    """ "Pricing owns 3 services and 1 critical path": paths are those of other teams' services."""
    told = [counted(services, "service")] if services else []
    told += [counted(paths, "critical path")] if paths else []
    return f"{team.name} owns {' and '.join(told) or 'nothing yet'}"


@requires("viewer")
@require_safe
def show(request: HttpRequest, team: str) -> HttpResponse:
    one, now = find_team(team), timezone.now()
    services = list(one.services.filter(removed_at=None).order_by("tier", "name"))
    paths = list(one.paths.standing().select_related("service").order_by("name"))
    owns, turning = turn([*services, *paths], request.GET)
    context = {
        "head": _head(one, len(services), len(paths)),
        "team": one,
        "now": now,
        "running_out": running_out([one.pk], now=now).get(one.pk, [])[:MOST_SHOWN],
        "on_duty": on_duty(one, now),
        "members": one.members.order_by("username"),
        "owns": owns,
        "turning": turning,
        "channels": one.channels.filter(removed_at=None).order_by("name"),
    }
    return render(request, "teams/show.html", context)


@requires("editor")
@require_http_methods(["GET", "HEAD", "POST"])
def remove(request: HttpRequest, team: str) -> HttpResponse:
    return removing.answer(request, find_team(team))


@requires("editor")
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    form = TeamForm(request.POST if request.method == "POST" else None, team=None)
    if form.is_valid():
        if made := add_team(form.cleaned_data, actor=actor_of(request), now=timezone.now()):
            messages.success(request, f"{made.name} is added.")
            return redirect("team", made.slug)
        form.add_error("slug", "Somebody else took this name a moment ago: choose another.")
    return _page(request, form)


@requires("editor")
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, team: str) -> HttpResponse:
    with transaction.atomic():
        one = find_team(team, Team.objects.select_for_update())
        form = TeamForm(request.POST if request.method == "POST" else None, team=one)
        if form.is_valid() and form.is_on_top():
            change_team(one, form.cleaned_data, actor=actor_of(request), now=timezone.now())
            messages.success(request, f"{one.name} is saved.")
            return redirect("team", one.slug)
    return _page(request, form)


def _page(request: HttpRequest, form: TeamForm) -> HttpResponse:
    context = {
        "form": form,
        "team": form.team,
        "zones": zones(),
        "to_fix": things_to_fix(len(form.errors)),
    }
    return render(request, "teams/team_form.html", context, status=422 if form.errors else 200)
