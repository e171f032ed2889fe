"""Badges: the state of a service or of a critical path, for pages that are not ours.

The address is the permission. It is signed and not stored, and tells a name and a state: no address
of a service, no reason, no figure. It ends when the service, path or environment is removed, and
all of them end with SECRET_KEY.
"""

import re
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from opsboard.probes.path_states import paths_now, shown_probes
from opsboard.probes.rules import State, worst
from opsboard.services.models import CriticalPath, Environment
from opsboard.web.access import requires
from opsboard.web.acknowledging import unseen
from opsboard.web.badge_drawing import COLOURS, LABEL, draw
from opsboard.web.overview import PRODUCTION
from opsboard.web.unchanged import or_not_modified
from opsboard.web.xml_text import writable

SALT = "opsboard.web.badges"
# As long as a state may be old: a probe is asked every 30 s.
LASTS_SECONDS = 30
# Of Markdown: in a name they stand for themselves.
_MARKS = re.compile(r"([\\`*_{}\[\]<>()#!|&~])")


@dataclass(frozen=True, slots=True)
class Badge:
    name: str
    state: State


@dataclass(frozen=True, slots=True)
class Offer:
    """What a page tells of its badge. `image` is without the host: the page has that already."""

    image: str
    json: str
    markdown: str


def offer(environment: Environment, path: CriticalPath | None) -> Offer:
    """Of a path, or with None of the service. No query."""
    token = _signer().sign(f"{environment.pk}-{path.pk if path else 0}")
    image, names = reverse("badge", args=[token]), [environment.service.slug]
    if path:
        names.append(path.slug)
    page = reverse(
        "path" if path else "service", args=names, query={"environment": environment.slug}
    )
    name = _MARKS.sub(r"\\\1", (path or environment.service).name)
    return Offer(
        image=image,
        json=settings.URL + reverse("badge-json", args=[token]),
        markdown=f"[![{name}]({settings.URL}{image})]({settings.URL}{page})",
    )


def _signer() -> signing.Signer:
    # Nothing in it that Markdown or a chat would take for the end of an address.
    return signing.Signer(salt=SALT, sep=".")


@requires("nobody")
@require_safe
@unseen
def svg(request: HttpRequest, token: str) -> HttpResponse:
    badge = _find(token, now=timezone.now())
    image = HttpResponse(draw(badge.name, badge.state), content_type="image/svg+xml")
    return _kept_shortly(request, image)


@requires("nobody")
@require_safe
@unseen
def as_json(request: HttpRequest, token: str) -> HttpResponse:
    """As https://shields.io/badges/endpoint-badge reads it, for badges of another look."""
    badge = _find(token, now=timezone.now())
    answer = {
        "schemaVersion": 1,
        "label": writable(badge.name),
        "message": badge.state.words,
        "color": COLOURS[badge.state],
        "labelColor": LABEL,
        # Not to be painted in another colour by whoever asks.
        "isError": badge.state is not State.PASSING,
    }
    return _kept_shortly(request, JsonResponse(answer))


def _kept_shortly(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = f"public, max-age={LASTS_SECONDS}, must-revalidate"
    return or_not_modified(request, response)


def _find(token: str, *, now: datetime) -> Badge:
    """Two queries; none for an address that is not ours. Raises Http404."""
    try:
        environment_id, path_id = map(int, _signer().unsign(token).split("-"))
    except signing.BadSignature:
        raise Http404 from None
    standing = Environment.objects.standing().select_related("service")
    environment = standing.filter(pk=environment_id).first()
    if environment is None:
        raise Http404
    probes = shown_probes().filter(environment=environment).select_related("path")
    if path_id:
        probes = probes.filter(path=path_id)
    paths = paths_now(probes, now=now)
    if path_id and not paths:
        raise Http404
    name = paths[0].path.name if path_id else environment.service.name
    return Badge(
        name if environment.slug == PRODUCTION else f"{name} in {environment.slug}",
        # Without a probe nothing is known.
        worst(path.state for path in paths),
    )
