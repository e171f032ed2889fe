"""Writing down that a rollback note was rehearsed."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from opsboard.releases.models import Release
from opsboard.rollbacks.models import NoteVersion
from opsboard.rollbacks.rehearsing import Refused, rehearse
from opsboard.rollbacks.saying import took
from opsboard.web.access import actor_of, requires
from opsboard.web.forms.rehearsals import OutcomeForms, RehearsalForm, first_fields
from opsboard.web.forms.wording import things_to_fix
from opsboard.web.note_place import Place, place_of

MOST_ENVIRONMENTS = 100
RELEASES_OFFERED = 20


@requires("editor")
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest, service: str, path: str | None = None) -> HttpResponse:
    place, now = place_of(service, path), timezone.now()
    version = place.newest()
    if version is None:
        raise Http404
    slugs = environments_of(place)
    if request.method != "POST":
        initial = first_fields(slugs, version.number, now)
        initial["release"] = request.GET.get("release", "")
        form = RehearsalForm(initial=initial, environments=slugs)
        return _page(request, place, version, form, OutcomeForms(version.steps))
    form = RehearsalForm(request.POST, environments=slugs)
    # The steps that were shown are the ones that were gone, also when a newer version is written.
    shown = place.version(request.POST.get("version", "")) or version
    rows = OutcomeForms(shown.steps, request.POST)
    return _save(request, place, shown, form, rows, now=now)


def environments_of(place: Place) -> list[str]:
    standing = place.service.environments.filter(removed_at=None).order_by("slug")
    return list(standing.values_list("slug", flat=True)[:MOST_ENVIRONMENTS])


def _save(
    request: HttpRequest,
    place: Place,
    version: NoteVersion,
    form: RehearsalForm,
    rows: OutcomeForms,
    *,
    now: datetime,
) -> HttpResponse:
    # Both are judged, so that all that is wrong is said at once.
    if not all([form.is_valid(), rows.is_valid()]):
        return _page(request, place, version, form, rows)
    data = form.cleaned_data
    release = _release(place, data["release"])
    if data["release"] and release is None:
        form.add_error("release", f"No release {data['release']} is named: leave this empty.")
        return _page(request, place, version, form, rows)
    try:
        one = rehearse(
            version,
            environment_slug=data["environment"],
            release=data["release"],
            migrations=release.migrations if release else [],
            at=data["at"],
            seconds=data["took"],
            outcomes=rows.outcomes(),
            remark=data["remark"],
            by=actor_of(request),
            now=now,
        )
    except Refused as refused:
        form.add_error(None, str(refused))
        return _page(request, place, version, form, rows)
    worked = "It worked" if one.worked else "It did not work"
    messages.success(request, f"The rehearsal is written down. {worked}, in {took(one.seconds)}.")
    return redirect(place.url("note"))


def _release(place: Place, version: str) -> Release | None:
    return Release.objects.filter(service=place.service, version=version).first()


def _page(
    request: HttpRequest,
    place: Place,
    version: NoteVersion,
    form: RehearsalForm,
    rows: OutcomeForms,
) -> HttpResponse:
    wrong = len(form.errors) + rows.wrong if form.is_bound else 0
    offered = Release.objects.filter(service=place.service).order_by("-named_at")
    context: dict[str, Any] = {
        "place": place,
        "service": place.service,
        "version": version,
        "form": form,
        "rows": rows.rows,
        "releases": offered.values_list("version", flat=True)[:RELEASES_OFFERED],
        "back": place.url("note"),
        "to_fix": things_to_fix(wrong),
    }
    return render(request, "notes/rehearse.html", context, status=422 if wrong else 200)
