"""Who may open a view: every view says so, and the middleware holds it to its word."""

from collections.abc import Callable
from typing import Literal, cast

from django.contrib.auth.models import User
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from opsboard.people.audit import Actor, Via
from opsboard.people.models import role_of
from opsboard.people.roles import RoleName

ATTRIBUTE = "required_role"
NOBODY: Literal["nobody"] = "nobody"


def requires[View: Callable[..., HttpResponseBase]](
    role: RoleName | Literal["nobody"],
) -> Callable[[View], View]:
    """Declare the least role a view needs; "nobody": it is open without signing in."""

    def declare(view: View) -> View:
        setattr(view, ATTRIBUTE, role)
        return view

    return declare


def required_role(view: object) -> str | None:
    """The declared role of a view; None when nobody declared one."""
    return getattr(view, ATTRIBUTE, None)


def signed_in(request: HttpRequest) -> User:
    """The person who asks. Only for views that require a role: there it is never anonymous."""
    return cast("User", request.user)


def actor_of(request: HttpRequest) -> Actor:
    """Who asks, for the audit log. The address is the client's: ForwardedAddress has seen to it."""
    person = request.user if isinstance(request.user, User) else None
    who = "" if person else "somebody"
    return Actor(person, Via.PAGES, who=who, address=request.META.get("REMOTE_ADDR") or None)


def may_edit(request: HttpRequest) -> bool:
    """Whether the person who asks may change what is watched."""
    role = role_of(request.user)
    return role is not None and role.allows("editor")
