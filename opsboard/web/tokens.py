"""Tokens for programs: who gave which, what they allow, and taking them back."""

from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from opsboard.people import tokens
from opsboard.people.models import ApiToken, ApiTokenQuerySet, role_of
from opsboard.web.access import actor_of, requires, signed_in
from opsboard.web.forms.tokens import TokenForm
from opsboard.web.forms.wording import things_to_fix
from opsboard.web.turning import turn
from opsboard.web.words import counted

PAGES = ("page", "over")


@dataclass(frozen=True, slots=True)
class Row:
    token: ApiToken
    may: list[str]
    ends_soon: bool
    # Why it opens less than it says, or nothing; "": it works as it says.
    trouble: str


@requires("editor")
@require_safe
@never_cache
def index(request: HttpRequest) -> HttpResponse:
    now, mine = timezone.now(), _of(request)
    works = Q(revoked_at=None, expires_at__gt=now)
    found = mine.filter(works).order_by("expires_at", "pk").select_related("made_by__role")
    standing, turning = turn(found, request.GET, kept=PAGES)
    ended = mine.exclude(works).order_by("-made_at", "-pk").select_related("made_by", "revoked_by")
    over, over_turning = turn(ended, request.GET, "over", kept=PAGES)
    rows = [_row(one, now) for one in standing]
    soon = found.filter(expires_at__lte=now + tokens.SOON).count()
    context = {
        "now": now,
        "head": _head(turning.count, soon, is_all=_sees_all(request)),
        "is_all": _sees_all(request),
        "rows": rows,
        "turning": turning,
        "over": over,
        "over_turning": over_turning,
    }
    return render(request, "tokens/index.html", context)


@requires("editor")
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def new(request: HttpRequest) -> HttpResponse:
    """Answered to the POST itself: only this page ever holds the token."""
    now, person = timezone.now(), signed_in(request)
    posted = request.POST if request.method == "POST" else None
    form = TokenForm(posted, role=role_of(person), now=now)
    if not form.is_valid():
        context = {"form": form, "to_fix": things_to_fix(len(form.errors))}
        return render(request, "tokens/new.html", context, status=422 if form.errors else 200)
    token, whole = _added(request, form, now)
    response = render(request, "tokens/made.html", {"token": token, "whole": whole, "now": now})
    add_never_cache_headers(response)
    return response


@requires("editor")
@require_http_methods(["GET", "HEAD", "POST"])
def revoke(request: HttpRequest, api_token: int) -> HttpResponse:
    token = get_object_or_404(_of(request).select_related("made_by"), pk=api_token)
    if request.method != "POST":
        return render(request, "tokens/revoke.html", {"row": _row(token, timezone.now())})
    if tokens.revoke(token, by=actor_of(request), now=timezone.now()):
        messages.success(request, f"{token} is revoked: it opens nothing any more.")
    else:
        messages.info(request, f"{token} was revoked before.")
    return redirect("tokens")


def _added(request: HttpRequest, form: TokenForm, now: datetime) -> tuple[ApiToken, str]:
    data = form.cleaned_data
    names = ("name", "scopes", "services", "gates", "expires_at")
    return tokens.add(**{name: data[name] for name in names}, by=actor_of(request), now=now)


def _sees_all(request: HttpRequest) -> bool:
    role = role_of(request.user)
    return role is not None and role.allows("administrator")


def _of(request: HttpRequest) -> ApiTokenQuerySet:
    """One's own; an administrator's are everybody's."""
    every: ApiTokenQuerySet = ApiToken.objects.all()
    return every if _sees_all(request) else every.filter(made_by=signed_in(request))


def _row(token: ApiToken, now: datetime) -> Row:
    return Row(
        token,
        may=[tokens.SCOPES.get(scope, scope) for scope in token.scopes],
        ends_soon=now < token.expires_at <= now + tokens.SOON,
        trouble=_trouble(token),
    )


def _trouble(token: ApiToken) -> str:
    who = token.made_by.get_username()
    if not token.made_by.is_active:
        return f"It opens nothing: {who} may not sign in any more."
    if all(tokens.allows(token, scope) for scope in token.scopes):
        return ""
    return f"It allows less than it says: {who} has another role now."


def _head(count: int, soon: int, *, is_all: bool) -> str:
    if not count:
        return "No program has a token" if is_all else "None of your tokens is in use"
    ends = f", {soon} of them end{'s' if soon == 1 else ''} within 14 days" if soon else ""
    return f"{counted(count, 'token')} let{'s' if count == 1 else ''} programs in{ends}"
