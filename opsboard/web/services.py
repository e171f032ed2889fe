"""Services and where they run."""

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from opsboard.alerts.planning import reconcile
from opsboard.services.models import Service
from opsboard.web import csv_files, environments, removing
from opsboard.web.access import actor_of, may_edit, requires
from opsboard.web.finding import find_environment, find_service
from opsboard.web.forms.services import NewServiceForm, ServiceForm
from opsboard.web.forms.teams import team_names
from opsboard.web.forms.wording import things_to_fix
from opsboard.web.history_csv import day_columns, day_rows
from opsboard.web.live import answer, polled
from opsboard.web.overview import environments_of
from opsboard.web.saving import add_service, change_service
from opsboard.web.service_days import days_of
from opsboard.web.service_page import read_service_page


@requires("viewer")
@require_safe
@polled
def show(request: HttpRequest, service: str) -> HttpResponse:
    now = timezone.now()
    one = find_service(service, Service.objects.select_related("team"))
    context = read_service_page(one, request.GET.get("environment"), now=now)
    if context is None:
        raise Http404
    # A poll gets no context of the whole page: what its part needs is said here.
    context |= {"now": now, "may_edit": may_edit(request), "here": request.get_full_path()}
    return answer(request, "services/show.html", context, part="service")


@requires("viewer")
@require_safe
def days_csv(request: HttpRequest, service: str) -> HttpResponse:
    """The 90 days of a service in one environment, a line for each."""
    now, one = timezone.now(), find_service(service, Service.objects.with_sheets())
    slug = request.GET.get("environment") or environments_of([one])[0]
    place = find_environment(one, slug)
    days = days_of([place.pk], now=now)[place.pk]
    name = f"{service}-{slug}-90-days-{now:%Y-%m-%d}.csv"
    return csv_files.answer(name, day_columns(), day_rows(days, today=now.date()))


# Forms


@requires("editor")
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    form = NewServiceForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        now = timezone.now()
        if made := add_service(form.cleaned_data, actor=actor_of(request), now=now):
            reconcile(now=now)
            messages.success(request, f"{made.name} is on the board, with its path health.")
            return redirect("service", made.slug)
        form.add_error("slug", "Somebody else took this name a moment ago: choose another.")
    return _form_page(request, form)


@requires("editor")
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, service: str) -> HttpResponse:
    now = timezone.now()
    with transaction.atomic():
        # One after the other, whichever services they edit: two that are fine alone may together
        # make a circle of services that call each other.
        Service.objects.select_for_update().order_by("pk").first()
        one = find_service(service, Service.objects.select_for_update())
        form = ServiceForm(request.POST if request.method == "POST" else None, service=one)
        is_saved = form.is_valid() and form.is_on_top()
        if is_saved:
            change_service(one, form.cleaned_data, actor=actor_of(request), now=now)
    if not is_saved:
        return _form_page(request, form)
    # What it depends on says which incidents are linked.
    reconcile(now=now)
    messages.success(request, f"{one.name} is saved.")
    return redirect("service", one.slug)


def _form_page(request: HttpRequest, form: ServiceForm) -> HttpResponse:
    context = {
        "form": form,
        "service": form.service,
        "teams": team_names(),
        "to_fix": things_to_fix(len(form.errors)),
    }
    status = 422 if form.errors else 200
    return render(request, "services/service_form.html", context, status=status)


@requires("editor")
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@sensitive_post_parameters()
def new_environment(request: HttpRequest, service: str) -> HttpResponse:
    return environments.answer(request, service, None)


@requires("editor")
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@sensitive_post_parameters()
def edit_environment(request: HttpRequest, service: str, environment: str) -> HttpResponse:
    return environments.answer(request, service, environment)


# Removing


@requires("editor")
@require_http_methods(["GET", "HEAD", "POST"])
def remove(request: HttpRequest, service: str) -> HttpResponse:
    return removing.answer(request, find_service(service, Service.objects.select_related("team")))


@requires("editor")
@require_http_methods(["GET", "HEAD", "POST"])
def remove_environment(request: HttpRequest, service: str, environment: str) -> HttpResponse:
    return removing.answer(request, find_environment(find_service(service), environment))
