"""What was typed into a form survives a lost sign-in, and a form that was opened too long ago.

Nothing is stored for somebody who is not signed in: the answer to the POST carries what was typed,
sealed, in a hidden field of the sign-in form. After it a page shows what was typed, with one button
that sends it to the form it was written on: that form judges and saves it as ever.

A page of somebody else must not put words into a person's mouth: only what the browser says was
sent from a page of this board is carried, and only with this board's seal is it shown.
"""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import Resolver404, resolve
from django.utils import timezone
from django.utils.cache import add_never_cache_headers

from opsboard.people.models import role_of
from opsboard.people.roles import ROLES
from opsboard.web.access import actor_of, required_role
from opsboard.web.account_forms import SignInForm

FIELD = "draft"
SALT = "opsboard.web.resuming"
LASTS_SECONDS = 24 * 3600
# Characters. With it the sign-in form stays under the limit of an upload.
MOST_SEALED = 900_000
# Parts of a form that nobody typed: which button, which version it was written on, how many rows.
UNTYPED = re.compile(r"act|base|kept|shown|next|proposed|.*-(TOTAL|INITIAL|MIN_NUM|MAX_NUM)_FORMS")
SECRET = re.compile(r"password|again|current|secret|token|pasted|(^|-)(value|address|headers)$")


@dataclass(frozen=True, slots=True)
class Draft:
    """A form as it was sent: the path it was sent to, and its fields in their order."""

    path: str
    fields: list[tuple[str, str]]

    @property
    def is_typed(self) -> bool:
        """Whether it holds anything but a button's word: only that can be lost."""
        return any(value.strip() and not UNTYPED.fullmatch(name) for name, value in self.fields)

    @property
    def needs(self) -> str | None:
        """The role that its form needs; None: no form of this board that needs signing in."""
        if not self.path.startswith("/") or self.path.startswith(("//", "/\\")):
            return None
        try:
            needed = required_role(resolve(urlsplit(self.path).path).func)
        except Resolver404:
            return None
        return needed if needed in ROLES else None


@dataclass(frozen=True, slots=True)
class Shown:
    """One field as the page lists it."""

    label: str
    value: str
    is_secret: bool


def sent_in(request: HttpRequest) -> Draft | None:
    """What a POST carries; None when it must not be carried on, or when nothing would be lost."""
    if request.method != "POST" or "HX-Request" in request.headers or not is_our_page(request):
        return None
    if carried := opened(request.POST.get(FIELD, "")):
        return carried
    pairs = [(name, value) for name, values in request.POST.lists() for value in values]
    fields = [(name, str(value)) for name, value in pairs if name != "csrfmiddlewaretoken"]
    draft = Draft(request.get_full_path(), fields)
    return draft if draft.is_typed and draft.needs else None


def is_our_page(request: HttpRequest) -> bool:
    """Whether the browser says that a page of this board sent this. A browser that says nothing
    is not believed."""
    ours = {f"{request.scheme}://{request.get_host()}", settings.URL}
    if request.headers.get("Origin") not in ours:
        return False
    return request.headers.get("Sec-Fetch-Site", "same-origin") == "same-origin"


def sealed(draft: Draft) -> str:
    return signing.dumps([draft.path, draft.fields], salt=SALT, compress=True)


def opened(seal: str) -> Draft | None:
    """The draft under a seal; None: not sealed by this board, or too long ago."""
    try:
        path, fields = signing.loads(seal, salt=SALT, max_age=LASTS_SECONDS)
    except signing.BadSignature:
        return None
    return Draft(path, [(name, value) for name, value in fields])


def sign_in_page(request: HttpRequest, draft: Draft) -> HttpResponse:
    """The sign-in page that carries what was typed; when that is too long, a page that says so."""
    seal = sealed(draft)
    if len(seal) > MOST_SEALED:
        return _page(request, "403.html", {"needed": "signed in", "is_too_long": True})
    form = SignInForm(by=actor_of(request), now=timezone.now())
    context = {"form": form, "then": draft.path, "seal": seal}
    return _page(request, "account/sign_in.html", context)


def resume(request: HttpRequest, draft: Draft, *, status: int = 200) -> HttpResponse:
    """What was typed, and the button that sends it: for somebody who may send it there."""
    role, needed = role_of(request.user), draft.needs
    context = {
        "draft": draft,
        "typed": [_shown(name, value) for name, value in draft.fields if _is_typed(name, value)],
        "along": [_shown(name, value) for name, value in draft.fields if _is_along(name)],
        "needed": needed,
        "held": role,
        "may_send": bool(role and needed and role.allows(needed)),
        "is_stale": status != 200,
    }
    return _page(request, "account/resume.html", context, status=status)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001
    """A form without a valid token: what a page of ours sent is kept, whatever else is refused."""
    draft = sent_in(request)
    if draft is None:
        return render(request, "403_csrf.html", status=403)
    if request.user.is_authenticated:
        return resume(request, draft, status=403)
    return sign_in_page(request, draft)


def _page(
    request: HttpRequest, template: str, context: dict[str, Any], *, status: int = 403
) -> HttpResponse:
    response = render(request, template, context, status=status)
    add_never_cache_headers(response)
    return response


def _is_typed(name: str, value: str) -> bool:
    return bool(value.strip()) and not UNTYPED.fullmatch(name)


def _is_along(name: str) -> bool:
    """What goes with it and says something: not how many rows there are."""
    return bool(UNTYPED.fullmatch(name)) and not name.endswith("_FORMS")


def _shown(name: str, value: str) -> Shown:
    """ "step-0-do" is "Step 1 do"."""
    label = re.sub(r"-(\d+)-", lambda row: f" {int(row[1]) + 1} ", name).replace("_", " ")
    is_secret = bool(SECRET.search(name))
    return Shown(label[:1].upper() + label[1:], "" if is_secret else value, is_secret)
