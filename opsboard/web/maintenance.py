"""Maintenance windows: planned times in which nobody is told and nothing counts."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from opsboard.alerts.planning import reconcile
from opsboard.alerts.silencing import about
from opsboard.expectations.units import exact_duration
from opsboard.people.audit import record
from opsboard.services import windows
from opsboard.services.models import SECOND, MaintenanceWindow
from opsboard.web.access import actor_of, may_edit, requires, signed_in
from opsboard.web.forms.fields import zones
from opsboard.web.forms.maintenance import WEEKDAYS, WindowForm, set_window
from opsboard.web.forms.wording import things_to_fix
from opsboard.web.silences import prefilled
from opsboard.web.turning import turn

KIND = "maintenance window"
ENDED_SHOWN = timedelta(days=30)
SHOWN_NEXT = 3
PAGES = ("coming", "page")


@dataclass(frozen=True, slots=True)
class Time:
    """One time it is open, in UTC and as the clocks of its zone show it."""

    begin: datetime
    end: datetime
    local: str


@dataclass(frozen=True, slots=True)
class Row:
    window: MaintenanceWindow
    about: str
    # When it is open, in words: "every day at 02:30 in Europe/Oslo for 1 h, until 31 Dec 2026".
    times: str
    # None: it is closed now.
    open: Time | None
    next: list[Time]
    has_begun: bool

    @property
    def is_over(self) -> bool:
        return self.open is None and not self.next


@requires("viewer")
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    rows = [row_of(window, now=now) for window in _shown(now)]
    open_now = [row for row in rows if row.open]
    coming = sorted(
        (row for row in rows if row.next and not row.open), key=lambda row: row.next[0].begin
    )
    coming, coming_turning = turn(coming, request.GET, "coming", kept=PAGES)
    ended, turning = turn([row for row in rows if row.is_over], request.GET, kept=PAGES)
    context = {
        "now": now,
        "may_edit": may_edit(request),
        "head": _head(len(open_now)),
        "open": open_now,
        "coming": coming,
        "coming_turning": coming_turning,
        "ended": ended,
        "turning": turning,
    }
    return render(request, "maintenance/index.html", context)


def _shown(now: datetime) -> list[MaintenanceWindow]:
    since = now - ENDED_SHOWN
    kept = MaintenanceWindow.objects.filter(
        Q(removed_at=None) | Q(removed_at__gt=since),
        Q(until=None, starts_on__gte=(since - windows.LONGEST).date()) | Q(until__gte=since.date()),
    )
    return list(kept.select_related("team", "service", "planned_by").order_by("-starts_on", "pk"))


def row_of(window: MaintenanceWindow, *, now: datetime) -> Row:
    span = windows.open_at(window, now)
    coming = windows.next_occurrences(window, now, count=SHOWN_NEXT)
    return Row(
        window=window,
        about=about(window),
        times=times_words(window),
        open=_time(window, span) if span else None,
        next=[_time(window, one) for one in coming],
        has_begun=windows.has_begun(window, now),
    )


def _time(window: MaintenanceWindow, span: windows.Span) -> Time:
    begin, end = (at.astimezone(ZoneInfo(window.zone)) for at in span)
    last = f"{end:%H:%M}" if begin.date() == end.date() else f"{end:%a %-d %b %H:%M}"
    return Time(span[0], span[1], f"{begin:%a %-d %b %H:%M} to {last}")


def times_words(window: MaintenanceWindow) -> str:
    at = f"at {window.starts_at:%H:%M} in {window.zone}"
    lasts = f"for {exact_duration(window.minutes * 60 * SECOND)}"
    if window.repeats == MaintenanceWindow.Repeats.ONCE:
        return f"on {window.starts_on:%-d %b %Y} {at} {lasts}"
    days = "day"
    if window.repeats == MaintenanceWindow.Repeats.WEEKLY:
        days = ", ".join(name for number, name in WEEKDAYS if number in window.weekdays)
    return f"every {days} {at} {lasts}, until {window.until:%-d %b %Y}"


def _head(open_now: int) -> str:
    if not open_now:
        return "Nothing is in maintenance"
    return f"{open_now} maintenance window{' is' if open_now == 1 else 's are'} open"


# Forms


@requires("editor")
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    posted = request.POST if request.method == "POST" else None
    form = WindowForm(posted, window=None, prefilled=prefilled(request), now=now)
    return _saved(request, form, now=now) if form.is_valid() else _page(request, form)


@requires("editor")
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, window: int) -> HttpResponse:
    """One that has begun is history, and is ended instead."""
    now = timezone.now()
    with transaction.atomic():
        one = _find(window)
        if one.removed_at or windows.has_begun(one, now):
            messages.error(request, f"{one.name} has begun: end it, and plan another.")
            return redirect("maintenance")
        posted = request.POST if request.method == "POST" else None
        form = WindowForm(posted, window=one, now=now)
        if form.is_valid() and form.is_on_top():
            return _saved(request, form, now=now)
    return _page(request, form)


@requires("editor")
@require_POST
def end(request: HttpRequest, window: int) -> HttpResponse:
    """It is open until now and never again; what fails still is told."""
    now = timezone.now()
    with transaction.atomic():
        one = _find(window)
        was_open = windows.open_at(one, now) is not None
        if one.removed_at is None:
            one.removed_at = now
            one.save(update_fields=["removed_at"])
            act = "ended" if was_open else "called off"
            record(actor_of(request), act, KIND, one.name, now=now, before=facts(one))
    reconcile(now=now)
    messages.success(request, f"{one.name} is {'ended' if was_open else 'called off'}.")
    return redirect("maintenance")


def facts(window: MaintenanceWindow) -> dict[str, str]:
    """What the audit log keeps of it."""
    return {"name": window.name, "about": about(window), "when": times_words(window)}


def _find(number: int) -> MaintenanceWindow:
    return get_object_or_404(MaintenanceWindow.objects.select_for_update(of=("self",)), pk=number)


def _saved(request: HttpRequest, form: WindowForm, *, now: datetime) -> HttpResponse:
    with transaction.atomic():
        before = facts(form.window) if form.window else None
        window = form.window or MaintenanceWindow()
        set_window(window, form.cleaned_data, now=now)
        window.planned_by = signed_in(request)
        window.save()
        act = "changed" if before else "added"
        after = facts(window)
        record(actor_of(request), act, KIND, window.name, now=now, before=before, after=after)
    reconcile(now=now)
    messages.success(request, f"{window.name} is planned: {times_words(window)}.")
    return redirect("maintenance")


def _page(request: HttpRequest, form: WindowForm) -> HttpResponse:
    context = {
        "form": form,
        "window": form.window,
        "zones": zones(),
        "to_fix": things_to_fix(len(form.errors)),
    }
    return render(request, "maintenance/form.html", context, status=422 if form.errors else 200)
