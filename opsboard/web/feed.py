"""Incidents as an Atom feed (RFC 4287), at an address of each person's own.

Feed readers cannot sign in: the address is the permission. It is signed and not stored, names a
person, and ends with the person's account, role or password. It tells what the list of incidents
tells, without the reasons of failures: titles, names, times and links.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime

from django.conf import settings
from django.contrib.auth.models import User
from django.core import signing
from django.db.models import FETCH_RAISE, Prefetch
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.urls import reverse
from django.utils.crypto import constant_time_compare
from django.utils.feedgenerator import Atom1Feed
from django.utils.html import format_html
from django.views.decorators.http import require_safe

from opsboard.incidents.models import Incident, IncidentPath
from opsboard.people.models import people
from opsboard.rollbacks.models import NoteVersion
from opsboard.rollbacks.newest import InUse
from opsboard.web.access import requires
from opsboard.web.acknowledging import unseen
from opsboard.web.unchanged import or_not_modified
from opsboard.web.xml_text import writable

SALT = "opsboard.web.feed"
MOST_ENTRIES = 50
# What a feed may be narrowed to, as the list of incidents is.
NARROWED_BY = {"team": "service__team__slug", "service": "service__slug"}
# Of a feed in which nothing has happened yet: the same each time it is read.
NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that happened to an incident. It never changes once it is told."""

    incident: Incident
    act: str
    at: datetime
    # Of the same act of this incident before it, each has another number.
    number: int


class Feed(Atom1Feed):
    def latest_post_date(self) -> datetime:
        """As of the newest entry: the clock would make every answer another."""
        return max((item["updateddate"] for item in self.items), default=NEVER)


def address_of(person: User, narrowed: QueryDict | None = None) -> str:
    """The whole address of a person's feed, narrowed as the list of incidents is."""
    kept = {name: narrowed[name] for name in NARROWED_BY if narrowed and narrowed.get(name)}
    token = _signer().sign(f"{person.pk}-{_key(person)}")
    return f"{settings.URL}{reverse('feed', args=[token], query=kept or None)}"


def _signer() -> signing.Signer:
    return signing.Signer(salt=SALT, sep=".")


def _key(person: User) -> str:
    """Another with each password. The stored hash has its own chance: nothing is told by this."""
    return hashlib.sha256(f"{SALT}:{person.password}".encode()).hexdigest()[:16]


@requires("nobody")
@require_safe
@unseen
def incidents(request: HttpRequest, token: str) -> HttpResponse:
    if _whose(token) is None:
        raise Http404
    asked = {name: writable(request.GET[name]) for name in NARROWED_BY if request.GET.get(name)}
    feed = _write(_entries(asked), asked, url=settings.URL + request.get_full_path())
    response = HttpResponse(feed.writeString("utf-8"), content_type=Feed.content_type)
    response["Cache-Control"] = "private, max-age=60"
    return or_not_modified(request, response)


def _whose(token: str) -> User | None:
    """None: not made by this board, or of somebody who may not read it any more."""
    try:
        number, key = _signer().unsign(token).split("-")
    except signing.BadSignature:
        return None
    person = people().filter(pk=int(number), is_active=True).first()
    return person if person and constant_time_compare(key, _key(person)) else None


def _entries(asked: dict[str, str]) -> list[Entry]:
    """The newest first. Two queries."""
    places = Prefetch("paths", IncidentPath.objects.select_related("path").order_by("joined_at"))
    wanted = {NARROWED_BY[name]: value for name, value in asked.items()}
    newest = (
        Incident.objects.standing()
        .filter(**wanted)
        .select_related("service", "environment")
        .prefetch_related(places)
        # Each has happened after what stands behind it here.
        .order_by(Coalesce("resolved_at", "reopened_at", "opened_at").desc(), "-pk")
        .fetch_mode(FETCH_RAISE)[:MOST_ENTRIES]
    )
    entries = [entry for incident in newest for entry in _happened(incident)]
    return sorted(entries, key=lambda entry: entry.at, reverse=True)[:MOST_ENTRIES]


def _happened(incident: Incident) -> list[Entry]:
    number = incident.openings
    entries = [Entry(incident, "opened", incident.opened_at, 1)]
    if incident.reopened_at:
        entries.append(Entry(incident, "began again", incident.reopened_at, number))
    if incident.resolved_at:
        entries.append(Entry(incident, "resolved", incident.resolved_at, number))
    return entries


def _write(entries: list[Entry], asked: dict[str, str], *, url: str) -> Feed:
    of = f" of {', '.join(asked.values())}" if asked else ""
    feed = Feed(
        title=f"Incidents{of}",
        link=settings.URL + reverse("incidents", query=asked or None),
        description="",
        feed_url=url,
        feed_guid=settings.URL + reverse("incidents", query=asked or None),
        author_name="Opsboard",
    )
    notes = InUse(entry.incident.service_id for entry in entries)
    for entry in entries:
        _add(feed, entry, _way_back(entry.incident, notes))
    return feed


def _way_back(incident: Incident, notes: InUse) -> tuple[NoteVersion, str] | None:
    """The note of the first path that failed, else of the service, and where it is read."""
    service, paths = incident.service, [place.path for place in incident.paths.all()]
    for path in paths[:1]:
        version = notes.of_path(path.pk, service.pk)
        if version and version.note.path_id:
            return version, reverse("path-note", args=[service.slug, path.slug])
    version = notes.of_service(service.pk)
    return (version, reverse("note", args=[service.slug])) if version else None


def _add(feed: Feed, entry: Entry, way_back: tuple[NoteVersion, str] | None) -> None:
    incident = entry.incident
    link = settings.URL + reverse("incident", args=[incident.pk])
    place = f"{incident.service.name} in {incident.environment.slug}"
    feed.add_item(
        title=writable(f"{incident} {entry.act}: {incident.title} ({place})"),
        link=link,
        # Readers take it for HTML: format_html escapes what people wrote.
        description=writable(_summary(way_back)),
        unique_id=f"{link}#{entry.act.replace(' ', '-')}-{entry.number}",
        pubdate=entry.at,
        updateddate=entry.at,
    )


def _summary(way_back: tuple[NoteVersion, str] | None) -> str:
    if way_back is None:
        return "<p>Nobody has written the way back.</p>"
    version, url = way_back
    return format_html(
        '<p>The way back: <a href="{}">{}</a></p>', settings.URL + url, version.title
    )
