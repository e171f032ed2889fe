"""The rota of a team: who is on duty, who is next, who covers for a while."""

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from opsboard.people.audit import record
from opsboard.services.models import Rota, RotaCover, RotaTurn, Team
from opsboard.web.access import actor_of, requires
from opsboard.web.finding import find_team
from opsboard.web.forms.rota import CoverForm, RotaForm
from opsboard.web.forms.wording import things_to_fix
from opsboard.web.rota_page import read_rota_page
from opsboard.web.words import in_zone, person_name

KIND = "rota"
COVER = "cover of a rota"


@requires("viewer")
@require_safe
def show(request: HttpRequest, team: str) -> HttpResponse:
    now = timezone.now()
    context = read_rota_page(find_team(team), now=now)
    return render(request, "teams/rota.html", context | {"now": now})


@requires("editor")
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, team: str) -> HttpResponse:
    """Makes the rota when there is none yet."""
    with transaction.atomic():
        # Held, so that two people never make two rotas of one team.
        one = find_team(team, Team.objects.select_for_update())
        rota = Rota.objects.filter(team=one).first()
        form = RotaForm(request.POST if request.method == "POST" else None, team=one, rota=rota)
        if form.is_valid() and form.is_on_top():
            before = facts(rota) if rota else {}
            stored = _store(form)
            act = "changed" if before else "added"
            record(
                actor_of(request), act, KIND, one.slug,
                now=timezone.now(), before=before, after=facts(stored),
            )  # fmt: skip
            messages.success(request, f"The rota of {one.name} is saved.")
            return redirect("rota", one.slug)
    context = {"form": form, "team": one, "rota": rota, "to_fix": things_to_fix(len(form.errors))}
    return render(request, "teams/rota_form.html", context, status=422 if form.errors else 200)


def _store(form: RotaForm) -> Rota:
    rota = form.rota or Rota(team=form.team)
    for name in ("starts_on", "hand_over_at", "days"):
        setattr(rota, name, form.cleaned_data[name])
    rota.save()
    rota.turns.all().delete()
    RotaTurn.objects.bulk_create(
        RotaTurn(rota=rota, position=position, person_id=person)
        for position, person in enumerate(form.people, start=1)
    )
    return rota


def facts(rota: Rota) -> dict[str, str]:
    """What the audit log keeps of a rota."""
    turns = rota.turns.select_related("person").order_by("position")
    return {
        "people": ", ".join(person_name(turn.person) for turn in turns),
        "first day": rota.starts_on.isoformat(),
        "hand-over": f"{rota.hand_over_at:%H:%M} {rota.team.zone}, every {rota.days} days",
    }


@requires("editor")
@require_POST
def remove(request: HttpRequest, team: str) -> HttpResponse:
    one, now = find_team(team), timezone.now()
    with transaction.atomic():
        rota = get_object_or_404(Rota.objects.select_for_update(), team=one)
        record(actor_of(request), "removed", KIND, one.slug, now=now, before=facts(rota))
        rota.delete()
    messages.success(request, f"The rota of {one.name} is removed: nobody is on duty.")
    return redirect("rota", one.slug)


@requires("editor")
@require_http_methods(["GET", "HEAD", "POST"])
def new_cover(request: HttpRequest, team: str) -> HttpResponse:
    one, now = find_team(team), timezone.now()
    rota = get_object_or_404(Rota, team=one)
    form = CoverForm(request.POST if request.method == "POST" else None, team=one, now=now)
    if form.is_valid():
        with transaction.atomic():
            cover = RotaCover.objects.create(
                rota=rota,
                person_id=form.cleaned_data["person"],
                starts_at=form.starts_at,
                ends_at=form.ends_at,
            )
            record(
                actor_of(request), "added", COVER, one.slug, now=now, after=cover_facts(cover, one)
            )
        messages.success(request, f"{person_name(cover.person)} covers.")
        return redirect("rota", one.slug)
    context = {"form": form, "team": one, "to_fix": things_to_fix(len(form.errors))}
    return render(request, "teams/cover_form.html", context, status=422 if form.errors else 200)


@requires("editor")
@require_POST
def remove_cover(request: HttpRequest, team: str, cover: int) -> HttpResponse:
    one, now = find_team(team), timezone.now()
    with transaction.atomic():
        covers = RotaCover.objects.select_for_update(of=("self",)).select_related("person")
        found = get_object_or_404(covers, pk=cover, rota__team=one)
        before = cover_facts(found, one)
        record(actor_of(request), "removed", COVER, one.slug, now=now, before=before)
        found.delete()
    messages.success(request, "The cover is removed: the rota goes by its order again.")
    return redirect("rota", one.slug)


def cover_facts(cover: RotaCover, team: Team) -> dict[str, str]:
    starts, ends = (in_zone(at, team.zone) for at in (cover.starts_at, cover.ends_at))
    return {"person": person_name(cover.person), "from": starts, "to": ends}
