"""Releases: what waits and why, each one's page, its plan, its record, and what was decided."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from opsboard.releases.models import Override, Release
from opsboard.releases.overriding import accept, take_back
from opsboard.releases.refusing import Refused
from opsboard.web import release_forms, release_records
from opsboard.web.access import actor_of, may_edit, requires, signed_in
from opsboard.web.finding import find_service
from opsboard.web.live import answer, polled
from opsboard.web.release_days import read_days
from opsboard.web.release_list import read_releases
from opsboard.web.release_page import read_release_page


def find_release(service: str, version: str) -> Release:
    """Raises Http404; Gone when its service was removed."""
    releases = Release.objects.standing().select_related(
        "service__team", "named_by", "withdrawn_by"
    )
    release = releases.filter(service__slug=service, version=version).first()
    if release is None:
        find_service(service)
        raise Http404
    return release


@requires("viewer")
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    context = read_releases(request.GET, person=signed_in(request), now=timezone.now())
    context["may_edit"] = may_edit(request)
    return render(request, "releases/index.html", context)


@requires("viewer")
@require_safe
@polled
def show(request: HttpRequest, service: str, version: str) -> HttpResponse:
    now = timezone.now()
    release = find_release(service, version)
    context = read_release_page(release, person=signed_in(request), now=now)
    # A poll gets no context of the whole page: what its part needs is said here.
    context |= {"now": now, "may_edit": may_edit(request), "here": request.get_full_path()}
    return answer(request, "releases/show.html", context, part="release")


@requires("viewer")
@require_safe
def days(request: HttpRequest) -> HttpResponse:
    context = read_days(request.GET.get("month", ""), now=timezone.now())
    return render(request, "releases/days.html", context)


# The plan, and what is decided


@requires("editor")
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    return release_forms.new(request)


@requires("editor")
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, service: str, version: str) -> HttpResponse:
    return release_forms.edit(request, find_release(service, version))


@requires("editor")
@require_http_methods(["GET", "HEAD", "POST"])
def override(request: HttpRequest, service: str, version: str) -> HttpResponse:
    return release_forms.override(request, find_release(service, version))


@requires("editor")
@require_http_methods(["GET", "HEAD", "POST"])
def go(request: HttpRequest, service: str, version: str) -> HttpResponse:
    """Records that it went out. It deploys nothing."""
    return release_forms.go(request, find_release(service, version))


@requires("editor")
@require_http_methods(["GET", "HEAD", "POST"])
def roll_back(request: HttpRequest, service: str, version: str) -> HttpResponse:
    """Records that it was rolled back. It runs nothing."""
    return release_forms.roll_back(request, find_release(service, version))


@requires("editor")
@require_http_methods(["GET", "HEAD", "POST"])
def withdraw(request: HttpRequest, service: str, version: str) -> HttpResponse:
    return release_forms.withdraw_it(request, find_release(service, version))


@requires("editor")
@require_POST
def accept_override(
    request: HttpRequest, service: str, version: str, override: int
) -> HttpResponse:
    one = _find_override(find_release(service, version), override)
    try:
        accept(one, by=actor_of(request), now=timezone.now())
    except Refused as refused:
        messages.error(request, str(refused))
    return redirect("release", service, version)


@requires("editor")
@require_POST
def take_override_back(
    request: HttpRequest, service: str, version: str, override: int
) -> HttpResponse:
    one = _find_override(find_release(service, version), override)
    try:
        take_back(one, by=actor_of(request), now=timezone.now())
    except Refused as refused:
        messages.error(request, str(refused))
    return redirect("release", service, version)


def _find_override(release: Release, number: int) -> Override:
    found = release.overrides.filter(pk=number).first()
    if found is None:
        raise Http404
    return found


# The record


@requires("viewer")
@require_safe
def record(request: HttpRequest, service: str, version: str) -> HttpResponse:
    return release_records.page_of_release(request, find_release(service, version))


@requires("viewer")
@require_safe
def record_markdown(request: HttpRequest, service: str, version: str) -> HttpResponse:
    return release_records.release_download(request, find_release(service, version), "md")


@requires("viewer")
@require_safe
def record_json(request: HttpRequest, service: str, version: str) -> HttpResponse:
    return release_records.release_download(request, find_release(service, version), "json")
