"""The page behind the link in a message: opening it changes nothing, its one button acknowledges.

Mail scanners, chat previews and browsers that read ahead follow links. Only a form that was sent
with this page's own token acknowledges.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from opsboard.alerts import acknowledging
from opsboard.alerts.models import Channel
from opsboard.incidents.models import Incident
from opsboard.people.audit import Actor, Via, record
from opsboard.web.access import actor_of, requires
from opsboard.web.forms.acknowledging import AcknowledgeForm
from opsboard.web.incident_page import read_short
from opsboard.web.words import person_name

TOO_OLD = (
    "This link does not work. It is older than 7 days, or it was cut off or changed on the way. "
    "Sign in to acknowledge the incident on its page."
)
GONE = "What this link was about is not on the board any more. There is nothing to acknowledge."
NOT_A_CHANNEL = (
    "The channel that this link was sent to was removed, and the link with it. "
    "Sign in to acknowledge the incident on its page."
)


@dataclass(frozen=True, slots=True)
class Told:
    """What a link that holds is about, as it stands now."""

    incident: Incident
    channel: Channel


def unseen(view: Any) -> Any:
    """No search engine lists the page, and its address is sent to no other place.

    Not "no-referrer": with it browsers send a form with "Origin: null", and the check that the form
    is of this board fails.
    """

    @wraps(view)
    def answer(request: HttpRequest, token: str) -> HttpResponse:
        response: HttpResponse = view(request, token)
        response["X-Robots-Tag"] = "noindex, nofollow"
        response["Referrer-Policy"] = "strict-origin"
        return response

    return answer


@requires("nobody")
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@unseen
def acknowledge(request: HttpRequest, token: str) -> HttpResponse:
    link, now = acknowledging.read(token), timezone.now()
    if link is None:
        return _refused(request, TOO_OLD, status=404)
    told = _find(link)
    if isinstance(told, str):
        return _refused(request, told, status=410)
    if not told.incident.is_open:
        return _page(request, told, now=now, status=410)
    if request.method == "POST" and told.incident.acknowledged_at is None:
        return _acknowledge(request, told, now=now)
    return _page(request, told, now=now)


def _find(link: acknowledging.Link) -> Told | str:
    """Or why there is nothing to acknowledge, in one sentence."""
    incident = Incident.objects.standing().for_pages().filter(pk=link.incident_id).first()
    channel = Channel.objects.standing().filter(pk=link.channel_id).first()
    if incident is None:
        return GONE
    return Told(incident, channel) if channel else NOT_A_CHANNEL


def _acknowledge(request: HttpRequest, told: Told, *, now: datetime) -> HttpResponse:
    """In the name of who is signed in, else of who was told. The first person wins."""
    form = _form(request, told, now=now)
    if form is not None and not form.is_valid():
        return _page(request, told, form=form, now=now, status=422)
    with transaction.atomic():
        person, name = _who(request, form)
        if told.incident.acknowledge(by=person, now=now, by_name=name):
            record(
                _actor(request, person, name, is_signed_in=form is None),
                "acknowledged",
                "incident",
                str(told.incident),
                now=now,
                after={"by the link in a message to": told.channel.name},
            )
    return HttpResponseRedirect(request.path)


def _who(request: HttpRequest, form: AcknowledgeForm | None) -> tuple[User | None, str]:
    if form is None:
        return _signed_in(request), ""
    if key := form.person_id():
        return form.known[key], ""
    return None, form.name_typed()


def _actor(request: HttpRequest, person: User | None, name: str, *, is_signed_in: bool) -> Actor:
    """Nobody proved who they are by having the link: the log names no account for it."""
    if is_signed_in:
        return actor_of(request)
    who = f"{person_name(person) if person else name}, by a link"
    return Actor(None, Via.PAGES, who=who, address=request.META.get("REMOTE_ADDR") or None)


def _signed_in(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None


def _form(request: HttpRequest, told: Told, *, now: datetime) -> AcknowledgeForm | None:
    """None for somebody who is signed in: it is plain who they are."""
    if _signed_in(request):
        return None
    return AcknowledgeForm(
        request.POST if request.method == "POST" else None,
        recipients=acknowledging.recipients(told.channel, told.incident, now=now),
        channel=told.channel.name,
    )


def _page(
    request: HttpRequest,
    told: Told,
    *,
    now: datetime,
    form: AcknowledgeForm | None = None,
    status: int = 200,
) -> HttpResponse:
    incident = told.incident
    context: dict[str, Any] = {"incident": incident, "channel": told.channel, "now": now}
    if incident.is_open:
        context |= read_short(incident) | {"form": form or _form(request, told, now=now)}
    return render(request, "incidents/acknowledge.html", context, status=status)


def _refused(request: HttpRequest, why: str, *, status: int) -> HttpResponse:
    return render(request, "incidents/acknowledge_not.html", {"why": why}, status=status)
