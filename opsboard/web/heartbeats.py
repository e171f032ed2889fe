"""A heartbeat on the page of its path: where its job reports in, and what it reported last."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods

from opsboard.probes.beat_rules import (
    BeatKind,
    Heard,
    NoScheduleError,
    Schedule,
    due_after,
    said_at,
    schedule_of,
    span,
)
from opsboard.probes.beats import KEPT_BYTES, MOST_A_MINUTE
from opsboard.probes.heartbeats import Beat, Heartbeat
from opsboard.probes.rules import State
from opsboard.services.models import CriticalPath
from opsboard.services.secrets import CannotDecrypt
from opsboard.web.access import actor_of, requires
from opsboard.web.finding import find_path, find_service
from opsboard.web.path_place import Place, find_place
from opsboard.web.saving import note_down
from opsboard.web.words import counted, duration

BEATS_SHOWN = 10
_CURL = "curl -fsS -m 10 --retry 5 -o /dev/null"
_SAYS = {
    BeatKind.START: "Started",
    BeatKind.SUCCESS: "Ended well",
    BeatKind.FAILURE: "Failed",
    BeatKind.LOG: "Log",
}
_STATES = {BeatKind.SUCCESS: State.PASSING, BeatKind.FAILURE: State.FAILING}


@dataclass(frozen=True, slots=True)
class Line:
    """A line to copy into the job's script."""

    words: str
    command: str


@dataclass(frozen=True, slots=True)
class BeatRow:
    pk: int
    at: int
    words: str
    # "" for what is no state.
    state: str
    exit_code: str
    took: str
    # Which run, in short; "" where the job tells none apart.
    run: str
    address: str
    # "" for whoever may not read it.
    log: str
    is_cut: bool


def read_heartbeat(place: Place, *, may_edit: bool) -> dict[str, Any]:
    """What _heartbeat.html shows; nothing for a path of another kind. Two queries."""
    if place.path.kind != CriticalPath.Kind.HEARTBEAT:
        return {}
    heartbeat = _find(place)
    beats = heartbeat.beats.order_by("-pk")[:BEATS_SHOWN] if heartbeat else []
    shown: dict[str, Any] = {
        "schedule": _schedule_words(place.path, heartbeat),
        "beats": [_row(beat, may_edit=may_edit) for beat in beats],
        "refused": _refused_words(heartbeat),
        "refused_at": heartbeat.refused_at if heartbeat else None,
    }
    if may_edit and heartbeat:
        shown |= _address(heartbeat)
    return {"heartbeat": shown}


def _find(place: Place) -> Heartbeat | None:
    return Heartbeat.objects.filter(path=place.path, environment=place.environment).first()


def _address(heartbeat: Heartbeat) -> dict[str, Any]:
    try:
        address = heartbeat.address
    except CannotDecrypt:
        return {"is_lost": True}
    return {"address": address, "lines": lines_of(address)}


def lines_of(address: str) -> list[Line]:
    return [
        Line("When it has ended well", f"{_CURL} {address}"),
        Line("With its exit code, after the job", f"job; {_CURL} {address}/$?"),
        Line("When it starts, so that its time is measured", f"{_CURL} {address}/start"),
        Line("When it has failed", f"{_CURL} {address}/fail"),
        Line(
            "With the end of what it wrote",
            f"job > job.log 2>&1; code=$?; tail -c {KEPT_BYTES} job.log | "
            f"{_CURL} --data-binary @- {address}/$code",
        ),
        Line(
            "When runs overlap",
            f'run=$(uuidgen); {_CURL} "{address}/start?rid=$run"; job; '
            f'{_CURL} "{address}/$??rid=$run"',
        ),
    ]


def _schedule_words(path: CriticalPath, heartbeat: Heartbeat | None) -> str:
    """ "Reports every 1 h, at most 5 min late. The next is due at 14:00 UTC on 28 November."."""
    try:
        schedule = schedule_of(path.heartbeat)
    except NoScheduleError as error:
        return str(error)
    words = [f"Reports {schedule.words}."]
    if schedule.longest is not None:
        words.append(f"A run may take {span(schedule.longest)}.")
    if heartbeat is not None:
        words.append(_next_words(heartbeat, schedule))
    return " ".join(words)


def _next_words(heartbeat: Heartbeat, schedule: Schedule) -> str:
    heard = Heard.load(heartbeat.heard)
    ended_at = heard.end.at if heard.end else 0
    due = due_after(schedule, max(heartbeat.counts_from, ended_at))
    words = f"The next is due at {said_at(due, schedule)}."
    running = max((run.at for run in heard.open if run.at > heard.good_from), default=None)
    return words if running is None else f"It runs since {said_at(running, schedule)}. {words}"


def _refused_words(heartbeat: Heartbeat | None) -> str:
    if heartbeat is None or not heartbeat.refused:
        return ""
    count = counted(heartbeat.refused, "report was", "reports were")
    return f"{count} refused, for more than {MOST_A_MINUTE} came in a minute; the last of them"


def _row(beat: Beat, *, may_edit: bool) -> BeatRow:
    kind = BeatKind(beat.kind)
    return BeatRow(
        pk=beat.pk,
        at=beat.at,
        words=_SAYS[kind],
        state=_STATES.get(kind, ""),
        exit_code="" if beat.exit_code is None else f"{beat.exit_code}",
        took="" if beat.duration is None else duration(beat.duration),
        run=f"{beat.run_id}"[:8] if beat.run_id else "",
        address=beat.address or "",
        log=beat.body if may_edit else "",
        is_cut=beat.is_cut,
    )


@requires("editor")
@require_http_methods(["GET", "HEAD", "POST"])
def renew(request: HttpRequest, service: str, path: str) -> HttpResponse:
    """Ask, and then give the job a new address: the old one is dead at once."""
    place = find_place(service, path, request.GET.get("environment"))
    if place is None:
        # Where it was removed, that is said.
        find_path(find_service(service), path)
    heartbeat = _find(place) if place else None
    if place is None or heartbeat is None or place.path.kind != CriticalPath.Kind.HEARTBEAT:
        raise Http404
    environment = place.environment.slug
    home = f"{reverse('path', args=[service, path])}?{urlencode({'environment': environment})}"
    if request.method != "POST":
        context = {
            "path": place.path,
            "service": place.path.service,
            "environment": environment,
            "home": home,
        }
        return render(request, "paths/heartbeat_renew.html", context)
    _renew(request, place, heartbeat, now=timezone.now())
    messages.success(
        request,
        f"{place.path.name} has a new address in {environment}. The old one is dead: put the new "
        "one into the job.",
    )
    return redirect(home)


@transaction.atomic
def _renew(request: HttpRequest, place: Place, heartbeat: Heartbeat, *, now: datetime) -> None:
    heartbeat.renew()
    heartbeat.save(update_fields=["secret", "digest"])
    act = f"gave a new address in {place.environment.slug}"
    note_down(actor_of(request), act, place.path, now=now)
