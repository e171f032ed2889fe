"""Coming in, going out, and one's own password."""

from datetime import datetime

from django.contrib import messages
from django.contrib.auth import login, logout, update_session_auth_hash
from django.contrib.auth.models import User
from django.db import transaction
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from opsboard.people import joining, mailed_links
from opsboard.people.audit import record
from opsboard.people.links import find_link, use_link
from opsboard.web import resuming
from opsboard.web.access import actor_of, requires, signed_in
from opsboard.web.account_forms import (
    FirstAdministratorForm,
    ForgottenForm,
    PasswordForm,
    SignInForm,
    seconds_until,
)
from opsboard.web.words import SECOND, span

# In the session of somebody who came in by a link: they need not know their password to change it.
CAME_BY_LINK = "came_by_link"


@requires("nobody")
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@sensitive_post_parameters("password", "draft")
def sign_in(request: HttpRequest) -> HttpResponse:
    then = _safe(request, request.POST.get("next") or request.GET.get("next", ""))
    if request.user.is_authenticated and request.method != "POST":
        return HttpResponseRedirect(then)
    now = timezone.now()
    data = request.POST if request.method == "POST" else None
    form = SignInForm(data, by=actor_of(request), now=now)
    if not form.is_valid() or form.user is None:
        return _sign_in_page(request, form, then)
    _enter(request, form.user, "a password", now=now)
    draft = resuming.opened(request.POST.get(resuming.FIELD, ""))
    return resuming.resume(request, draft) if draft else HttpResponseRedirect(then)


@requires("nobody")
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def forgotten(request: HttpRequest) -> HttpResponse:
    """Ask for a link by mail: the same answer whether or not there is such a person."""
    form = ForgottenForm(request.POST if request.method == "POST" else None)
    context = {"form": form, "can_mail": mailed_links.is_possible()}
    if not context["can_mail"] or not form.is_valid():
        return render(request, "account/forgotten.html", context, status=_status(form))
    now, name = timezone.now(), form.cleaned_data["name"]
    waiting = mailed_links.ask(name, address=actor_of(request).address or "", now=now)
    if waiting is None:
        return render(request, "account/asked.html")
    seconds = seconds_until(waiting.until, now)
    form.add_error(
        None,
        f"Too many links were asked for from here. Wait {span(seconds * SECOND)}, then try again, "
        "or ask an administrator for one.",
    )
    return _wait(render(request, "account/forgotten.html", context, status=429), seconds)


@requires("nobody")
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    return redirect("sign-in")


@requires("nobody")
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def sign_in_link(request: HttpRequest, token: str) -> HttpResponse:
    """A GET only shows whose link it is: a mail scanner that follows it uses nothing up."""
    now = timezone.now()
    link = find_link(token, now=now)
    if link is None or link.user is None:
        return render(request, "account/used.html", {"first": False}, status=410)
    if request.method != "POST":
        return render(request, "account/link.html", {"person": link.user})
    if not use_link(link, now=now):
        return render(request, "account/used.html", {"first": False}, status=410)
    _enter(request, link.user, "a link", now=now)
    request.session[CAME_BY_LINK] = True
    messages.info(request, "You are signed in. Choose a password to sign in without a link.")
    return redirect("account")


@requires("nobody")
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@sensitive_post_parameters("password", "again")
def first_administrator(request: HttpRequest, token: str) -> HttpResponse:
    now = timezone.now()
    link = find_link(token, now=now, first=True)
    if link is None:
        return render(request, "account/used.html", {"first": True}, status=410)
    form = FirstAdministratorForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return render(request, "account/first.html", {"form": form}, status=_status(form))
    person = joining.become_first_administrator(
        link,
        name=form.cleaned_data["name"],
        password=form.cleaned_data["password"],
        by=actor_of(request),
        now=now,
    )
    if person is None:
        return render(request, "account/used.html", {"first": True}, status=410)
    _enter(request, person, "the link of the first administrator", now=now)
    return redirect("add")


@requires("viewer")
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@sensitive_post_parameters("current", "password", "again")
def settings(request: HttpRequest) -> HttpResponse:
    person, now = signed_in(request), timezone.now()
    asks_current = person.has_usable_password() and CAME_BY_LINK not in request.session
    form = PasswordForm(
        request.POST if request.method == "POST" else None,
        user=person,
        asks_current=asks_current,
        by=actor_of(request),
        now=now,
    )
    if form.is_valid():
        _change_password(request, person, form.cleaned_data["password"], now=now)
        return redirect("account")
    return render(request, "account/settings.html", {"form": form}, status=_status(form))


def _change_password(request: HttpRequest, person: User, password: str, *, now: datetime) -> None:
    if not joining.choose_password(person, password, by=actor_of(request), now=now):
        return
    # Ends every session but this one.
    update_session_auth_hash(request, person)
    request.session.pop(CAME_BY_LINK, None)
    messages.info(request, "Your password is changed. Everywhere else you are signed out.")


def _enter(request: HttpRequest, person: User, way: str, *, now: datetime) -> None:
    with transaction.atomic():
        login(request, person)
        record(
            actor_of(request),
            "signed in",
            "person",
            person.get_username(),
            now=now,
            after={"with": way},
        )


def _sign_in_page(request: HttpRequest, form: SignInForm, then: str) -> HttpResponse:
    context = {"form": form, "then": then, "seal": request.POST.get(resuming.FIELD, "")}
    seconds = form.waits_seconds()
    status = _status(form) if seconds is None else 429
    return _wait(render(request, "account/sign_in.html", context, status=status), seconds)


def _wait(response: HttpResponse, seconds: int | None) -> HttpResponse:
    if seconds is not None:
        response["Retry-After"] = str(seconds)
    return response


def _safe(request: HttpRequest, then: str) -> str:
    """Where to go after signing in: only a path of this very board."""
    is_ours = then.startswith("/") and url_has_allowed_host_and_scheme(
        then, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return then if is_ours else reverse("board")


def _status(form: Form) -> int:
    return 422 if form.errors else 200
