"""The record of a release, an incident or a change: its page, and its downloads."""

import base64
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from opsboard.changes.models import Change
from opsboard.incidents.models import Incident
from opsboard.releases.change_record import change_record
from opsboard.releases.incident_record import incident_record
from opsboard.releases.models import Release
from opsboard.releases.record import Facts, sha256, write_json, write_markdown
from opsboard.releases.release_record import release_record
from opsboard.web.access import requires
from opsboard.web.finding import find_change, find_incident

WRITERS: dict[str, tuple[Callable[[Facts], bytes], str]] = {
    "md": (write_markdown, "text/markdown; charset=utf-8"),
    "json": (write_json, "application/json"),
}
AS_OF = "%Y-%m-%dT%H:%M:%SZ"
SHA256 = "Opsboard-SHA256"


def asked_moment(request: HttpRequest) -> datetime:
    """?as_of=2026-11-17T14:32:00Z, which the record's page writes; anything else: now.

    A moment to come is now: nothing is known of it.
    """
    now = timezone.now().replace(microsecond=0)
    try:
        asked = datetime.strptime(request.GET.get("as_of", ""), AS_OF).replace(tzinfo=UTC)
    except ValueError:
        return now
    return min(asked, now)


def page_of_release(request: HttpRequest, release: Release) -> HttpResponse:
    as_of = asked_moment(request)
    names = [release.service.slug, release.version]
    context = {
        "of": str(release),
        "back": reverse("release", args=names),
        "list": (reverse("releases"), "Releases"),
        "markdown_url": reverse("release-record-md", args=names),
        "json_url": reverse("release-record-json", args=names),
    }
    return _page(request, release_record(release, as_of=as_of), as_of, context)


def release_download(request: HttpRequest, release: Release, kind: str) -> HttpResponse:
    facts = release_record(release, as_of=asked_moment(request))
    return _download(facts, kind, f"{release.service.slug}-{release.version}")


@requires("viewer")
@require_safe
def incident(request: HttpRequest, number: int) -> HttpResponse:
    as_of, one = asked_moment(request), find_incident(number)
    return _page(request, incident_record(one, as_of=as_of), as_of, _around(one, "incident"))


@requires("viewer")
@require_safe
def incident_markdown(request: HttpRequest, number: int) -> HttpResponse:
    return _incident_download(request, find_incident(number), "md")


@requires("viewer")
@require_safe
def incident_json(request: HttpRequest, number: int) -> HttpResponse:
    return _incident_download(request, find_incident(number), "json")


def _incident_download(request: HttpRequest, one: Incident, kind: str) -> HttpResponse:
    facts = incident_record(one, as_of=asked_moment(request))
    return _download(facts, kind, str(one).lower())


@requires("viewer")
@require_safe
def change(request: HttpRequest, number: int) -> HttpResponse:
    as_of, one = asked_moment(request), find_change(number)
    return _page(request, change_record(one, as_of=as_of), as_of, _around(one, "change"))


@requires("viewer")
@require_safe
def change_markdown(request: HttpRequest, number: int) -> HttpResponse:
    return _change_download(request, find_change(number), "md")


@requires("viewer")
@require_safe
def change_json(request: HttpRequest, number: int) -> HttpResponse:
    return _change_download(request, find_change(number), "json")


def _change_download(request: HttpRequest, one: Change, kind: str) -> HttpResponse:
    facts = change_record(one, as_of=asked_moment(request))
    return _download(facts, kind, str(one).lower())


def _around(one: Incident | Change, kind: str) -> dict[str, Any]:
    """What stands around the record of a thing that has a number. `kind`: as addresses name it."""
    return {
        "of": str(one),
        "back": reverse(kind, args=[one.pk]),
        "list": (reverse(f"{kind}s"), f"{kind.capitalize()}s"),
        "markdown_url": reverse(f"{kind}-record-md", args=[one.pk]),
        "json_url": reverse(f"{kind}-record-json", args=[one.pk]),
    }


def _page(
    request: HttpRequest, facts: Facts, as_of: datetime, context: dict[str, Any]
) -> HttpResponse:
    markdown = write_markdown(facts)
    context |= {
        "as_of": as_of,
        "as_of_query": f"{as_of:{AS_OF}}",
        "markdown": markdown.decode(),
        "markdown_sha": sha256(markdown),
        "json_sha": sha256(write_json(facts)),
    }
    return render(request, "releases/record.html", context)


def _download(facts: Facts, kind: str, name: str) -> HttpResponse:
    """The digest stands in a header of its own, and as RFC 9530 writes it."""
    write, content_type = WRITERS[kind]
    content = write(facts)
    response = HttpResponse(content, content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{name}.{kind}"'
    response[SHA256] = digest = sha256(content)
    response["Repr-Digest"] = f"sha-256=:{base64.b64encode(bytes.fromhex(digest)).decode()}:"
    return response
