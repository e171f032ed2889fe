"""What every page has around its content: the places to go, the banner, the time."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from opsboard.people.models import role_of
from opsboard.web.health import look_around

# A place in the navigation, its name there, and the first word of its addresses' names.
PLACES = (
    ("board", "Board", ("board", "service", "environment", "path", "add", "search")),
    ("releases", "Releases", ("release", "releases", "freeze", "freezes", "hold")),
    ("changes", "Changes", ("change", "changes")),
    ("incidents", "Incidents", ("incident", "incidents")),
    ("notes", "Rollback notes", ("note", "notes")),
    (
        "alerts",
        "Alerts",
        (
            *("alerts", "channel", "routes", "route", "message", "suppressed"),
            *("silences", "silence", "maintenance", "window"),
        ),
    ),
)


@dataclass(frozen=True, kw_only=True)
class Place:
    url: str
    words: str
    # For aria-current: "page" on the place itself, "true" below it, "" elsewhere.
    current: str
    # Things there that need somebody now.
    open: int = 0


def chrome(request: HttpRequest) -> dict[str, Any]:
    """`now` for all; for a full page of a signed-in person also places, role and banner."""
    now = timezone.now()
    role = None if "HX-Request" in request.headers else role_of(getattr(request, "user", None))
    if role is None:
        return {"now": now}
    around = look_around(now)
    return {
        "now": now,
        "role": role,
        "may_edit": role.allows("editor"),
        "may_administer": role.allows("administrator"),
        "places": places(request, open_incidents=around.open_incidents),
        "banner": around.banner,
    }


def places(request: HttpRequest, *, open_incidents: int) -> list[Place]:
    here = request.resolver_match.url_name or "" if request.resolver_match else ""
    return [
        Place(
            url=reverse(name),
            words=words,
            current=_current(here, name, below),
            open=open_incidents if name == "incidents" else 0,
        )
        for name, words, below in PLACES
    ]


def _current(here: str, place: str, below: tuple[str, ...]) -> str:
    if here == place:
        return "page"
    # A rollback note's address begins with its path's name: the note is what it is about.
    first = "note" if "note" in here.split("-") else here.split("-")[0]
    return "true" if first in below else ""
