"""What somebody may have meant who asked for an address at which nothing is."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from django.urls import reverse

from opsboard.releases.models import Release
from opsboard.services.models import CriticalPath, Service, Team

MOST = 5
# Of an address only so much is compared: a long one costs, and names nothing of ours.
LONGEST = 100


@dataclass(frozen=True, slots=True)
class Near:
    name: str
    url: str


def nearest(address: str) -> list[Near]:
    """Things whose names in addresses are like those of `address`. At most two queries."""
    match [part[:LONGEST] for part in address.split("/") if part]:
        case ["services", service, path, *_] if found := _like(path, _paths(service)):
            return found
        case ["releases", service, version, *_] if found := _like(version, _versions(service)):
            return found
        case ["services" | "releases", service, *_]:
            return _like(service, _services())
        case ["teams", team, *_]:
            return _like(team, _teams())
    return []


def words_of(address: str) -> str:
    """The last name in an address, to search for; "": it has none."""
    named = [part for part in address.split("/") if any(map(str.isalpha, part))]
    return named[-1][:LONGEST] if len(named) > 1 else ""


def _like(wanted: str, known: Sequence[tuple[str, Near]]) -> list[Near]:
    by_slug = dict(known)
    close = get_close_matches(wanted.lower(), by_slug, n=MOST, cutoff=0.7)
    holding = [slug for slug in by_slug if len(wanted) > 2 and wanted.lower() in slug]
    return [by_slug[slug] for slug in dict.fromkeys([*close, *holding])][:MOST]


def _services() -> list[tuple[str, Near]]:
    rows = Service.objects.standing().order_by("slug").values_list("slug", "name")
    return [(slug, Near(name, reverse("service", args=[slug]))) for slug, name in rows]


def _teams() -> list[tuple[str, Near]]:
    rows = Team.objects.standing().order_by("slug").values_list("slug", "name")
    return [(slug, Near(name, reverse("team", args=[slug]))) for slug, name in rows]


def _paths(service: str) -> list[tuple[str, Near]]:
    standing: Any = CriticalPath.objects.standing().filter(service__slug=service)
    rows = standing.order_by("slug").values_list("slug", "name", "service__name")
    return [
        (slug, Near(f"{name} of {of}", reverse("path", args=[service, slug])))
        for slug, name, of in rows
    ]


def _versions(service: str) -> list[tuple[str, Near]]:
    """The newest hundred."""
    standing = Release.objects.filter(service__slug=service, service__removed_at=None)
    rows = standing.order_by("-pk").values_list("version", "service__name")[:100]
    return [
        (version.lower(), Near(f"{of} {version}", reverse("release", args=[service, version])))
        for version, of in rows
    ]
