"""Board files: what they declare, and where the board has drifted from them since."""

from collections import defaultdict
from dataclasses import dataclass, field

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from opsboard.board.declarations import Difference, drift
from opsboard.board.exporting import export, read_at_one_moment
from opsboard.board.models import Declaration
from opsboard.board.planning import counted
from opsboard.board.showing import field_text
from opsboard.board.stored import Stored, read_stored
from opsboard.board.things import PATH, TEAM, Thing
from opsboard.services.models import CriticalPath
from opsboard.web.access import may_edit, requires
from opsboard.web.errand_page import newest
from opsboard.web.errands import ATTACHED, YAML
from opsboard.web.words import counted as counted_words

MOST_DRIFTED = 200
# So many are read and written in less than a quarter of a second.
MOST_PATHS_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Row:
    """One field that is on the board otherwise than its file says."""

    field: str
    declared: str
    now: str


@dataclass(frozen=True, slots=True)
class Drifted:
    name: str
    file: str
    url: str
    # It is not on the board any more.
    is_gone: bool
    rows: list[Row]


@dataclass(slots=True)
class File:
    name: str
    things: list[Thing] = field(default_factory=list)
    applied: Declaration | None = None

    @property
    def declares(self) -> str:
        return counted(self.things)

    @property
    def by(self) -> User | None:
        return self.applied.applied_by if self.applied else None


@requires("viewer")
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    declarations = list(Declaration.objects.select_related("applied_by").order_by("kind", "slug"))
    drifted = _drifted(declarations, read_stored()) if declarations else []
    context = {
        "files": _files(declarations),
        "drifted": drifted[:MOST_DRIFTED],
        "head": _head(declarations, drifted),
        "left_out": max(0, len(drifted) - MOST_DRIFTED),
        "errands": newest(now=now) if may_edit(request) else [],
        "is_large": is_large(),
    }
    return render(request, "board_files/index.html", context)


@requires("editor")
@require_safe
@never_cache
def download(request: HttpRequest) -> HttpResponse:
    """A small board at once, as `manage.py export` writes it; a large one is made by a worker."""
    if is_large():
        messages.info(request, "This board is large: its file is made beside the pages.")
        return redirect("files")
    text = export(read_at_one_moment())
    return HttpResponse(text, content_type=YAML, headers=ATTACHED)


def is_large() -> bool:
    paths = CriticalPath.objects.standing().filter(service__removed_at=None)
    return paths.count() > MOST_PATHS_AT_ONCE


def _files(declarations: list[Declaration]) -> list[File]:
    files: dict[str, File] = defaultdict(lambda: File(""))
    for one in declarations:
        file = files[one.file]
        file.name = one.file
        file.things.append((one.kind, one.slug))
        if file.applied is None or one.applied_at > file.applied.applied_at:
            file.applied = one
    return [files[name] for name in sorted(files)]


def _head(declarations: list[Declaration], drifted: list[Drifted]) -> str:
    if not declarations:
        return "No board file has been applied"
    if not drifted:
        return "The board is as its files say"
    return (
        f"{counted_words(len(drifted), 'thing')} differ{'s' * (len(drifted) == 1)} from the files"
    )


def _drifted(declarations: list[Declaration], stored: Stored) -> list[Drifted]:
    return [
        _shown(one, declaration.file)
        for declaration in declarations
        for one in drift(declaration, stored.things)
    ]


def _shown(one: Difference, file: str) -> Drifted:
    now = one.now or {}
    rows = [
        Row(name.replace("_", " "), field_text(name, value), field_text(name, now.get(name)))
        for name, value in one.declared.items()
        if one.now is not None
    ]
    return Drifted(one.name, file, _url(one), one.now is None, rows)


def _url(one: Difference) -> str:
    """Where it is shown; what is gone has no page."""
    if one.now is None or one.thing[0] == TEAM:
        return reverse("teams") if one.thing[0] == TEAM else ""
    if one.thing[0] == PATH:
        return reverse("path", args=list(one.thing[1:]))
    return reverse("service", args=[one.thing[1]])
