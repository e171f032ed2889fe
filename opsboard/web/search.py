"""Where words stand in what is kept. Literal: what is typed is looked for as it is.

Case does not matter, in any script.
"""

import json
import re
from collections.abc import Iterator
from typing import NamedTuple

from django.db.models import Count, QuerySet, TextField, Value, Window
from django.db.models.functions import Cast, Concat
from django.urls import reverse

from opsboard.rollbacks.newest import newest_versions
from opsboard.services.about import Fact
from opsboard.services.models import CriticalPath, Service, Team
from opsboard.web.hits import SHOWN, Hit, Kind, Text, find_in, hit, kind
from opsboard.web.search_changes import changes_kind
from opsboard.web.search_releases import releases_kind

# What one looks for is at most this long.
LONGEST = 200


def search(wanted: str) -> list[Kind]:
    """The kinds in which `wanted` stands somewhere. Six queries, however much is kept."""
    found = [
        _services_kind(wanted),
        _paths_kind(wanted),
        kind("Teams", _team_hits(wanted)),
        _notes_kind(wanted),
        releases_kind(wanted),
        changes_kind(wanted),
    ]
    return [one for one in found if one.count]


def services_with(wanted: str) -> set[int]:
    """The services in which `wanted` stands, in itself or in a path. Two queries."""
    low = wanted.lower()
    own = {row.pk for row in _services() if row.holds(low)}
    return own | set(_paths_with(wanted).values_list("service_id", flat=True).distinct())


# Services


class _Service(NamedTuple):
    pk: int
    slug: str
    name: str
    summary: str
    owner: str
    # As JSON: to read it all for every service would take longer than all the rest.
    tags: str
    links: str
    facts: str

    def holds(self, low: str) -> bool:
        plain = "\n".join(self[1:]).lower()
        return _may_hold(plain, low) and find_in(self.texts(), low) is not None

    def texts(self) -> Iterator[Text]:
        yield ("name", self.name)
        yield ("name in addresses", self.slug)
        yield ("what it does", self.summary)
        yield ("owner", self.owner)
        yield from (("tag", tag) for tag in json.loads(self.tags))
        for link in json.loads(self.links):
            yield ("link", f"{link['name']}: {link['url']}")
        for name, fact in json.loads(self.facts).items():
            yield from (("fact", f"{name}: {text}") for text in _words(fact))


def _may_hold(plain: str, low: str) -> bool:
    """Whether texts may hold `low`, from these texts as they are stored, JSON among them.

    A backslash may stand for any sign; between words stand colons, and marks of the JSON.
    """
    return all(word in plain for word in low.replace(":", " ").split()) or "\\" in plain


def _words(fact: Fact) -> list[str]:
    if isinstance(fact, str):
        return [fact]
    return fact if isinstance(fact, list) else [f"{key} {text}" for key, text in fact.items()]


def _services() -> list[_Service]:
    """Each standing service, by name."""
    told = ("tags", "links", "facts")
    rows = (
        Service.objects.standing()
        .order_by("name", "slug")
        .annotate(**{f"{name}_text": Cast(name, TextField()) for name in told})
        .values_list("pk", "slug", "name", "summary", "team__name", *(f"{n}_text" for n in told))
    )
    return [_Service(*row) for row in rows]


def _services_kind(wanted: str) -> Kind:
    low = wanted.lower()
    rows = [row for row in _services() if row.holds(low)]
    hits = [
        hit(row.name, "", reverse("service", args=[row.slug]), row.texts(), wanted)
        for row in rows[:SHOWN]
    ]
    return kind("Services", hits, len(rows))


# Critical paths

PATH_PLACES = {
    "name": "name",
    "route": "route",
    "user_notices": "where the user notices",
    "owner__name": "owner",
    "slug": "name in addresses",
}


def _paths_with(wanted: str) -> QuerySet[CriticalPath]:
    """The database looks here: there may be thousands, and few are shown.

    Beyond ASCII by a pattern, which costs more: without it SQLite tells cases apart there.
    """
    parts = [part for name in PATH_PLACES for part in (name, Value("\n"))]
    paths = CriticalPath.objects.standing().annotate(text=Concat(*parts, output_field=TextField()))
    if wanted.isascii():
        return paths.filter(text__icontains=wanted)
    return paths.filter(text__iregex=re.escape(wanted))


def _paths_kind(wanted: str) -> Kind:
    rows = (
        _paths_with(wanted)
        .annotate(count=Window(Count("pk")))
        .order_by("name", "pk")
        .values_list("count", "service__slug", "service__name", *PATH_PLACES)[:SHOWN]
    )
    hits, count = [], 0
    for count, service, of, name, *others, slug in rows:  # noqa: B007
        texts = zip(PATH_PLACES.values(), (name, *others, slug), strict=True)
        url = reverse("path", args=[service, slug])
        hits.append(hit(name, of, url, [(place, text or "") for place, text in texts], wanted))
    return kind("Critical paths", hits, count)


# Teams and notes


def _team_hits(wanted: str) -> list[Hit]:
    teams = Team.objects.standing().order_by("name")
    hits = []
    for slug, name, contact in teams.values_list("slug", "name", "contact"):
        texts = [("name", name), ("how to reach them", contact), ("name in addresses", slug)]
        if find_in(texts, wanted):
            hits.append(hit(name, "", reverse("team", args=[slug]), texts, wanted))
    return hits


class _Note(NamedTuple):
    title: str
    use_when: str
    does_not_undo: str
    # As JSON, like what is said of a service.
    steps: str
    service: str
    service_name: str
    # None: the note of the whole service.
    path: str | None
    path_name: str | None

    def holds(self, low: str) -> bool:
        plain = "\n".join(self[:4]).lower()
        return _may_hold(plain, low) and find_in(self.texts(), low) is not None

    def texts(self) -> Iterator[Text]:
        yield ("title", self.title)
        yield ("use when", self.use_when)
        yield ("does not undo", self.does_not_undo)
        yield from (("step", " ".join(step.values())) for step in json.loads(self.steps))

    def url(self) -> str:
        if self.path is None:
            return reverse("note", args=[self.service])
        return reverse("path-note", args=[self.service, self.path])


def _notes_kind(wanted: str) -> Kind:
    standing = {"note__service__removed_at": None, "note__path__removed_at": None}
    place = ("note__service__slug", "note__service__name", "note__path__slug", "note__path__name")
    rows = (
        newest_versions()
        .filter(**standing)
        .annotate(text=Cast("steps", TextField()))
        .order_by("title", "pk")
        .values_list("title", "use_when", "does_not_undo", "text", *place)
    )
    notes = [note for row in rows if (note := _Note(*row)).holds(wanted.lower())]
    hits = [
        hit(one.title, one.path_name or one.service_name, one.url(), one.texts(), wanted)
        for one in notes[:SHOWN]
    ]
    return kind("Rollback notes", hits, len(notes))
