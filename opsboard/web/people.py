"""Who may do what: for administrators."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from opsboard.people import joining, mailed_links
from opsboard.people.links import make_link
from opsboard.people.models import people
from opsboard.web.access import actor_of, requires
from opsboard.web.account_forms import NewPersonForm, PersonForm
from opsboard.web.turning import turn


@requires("administrator")
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    rows, turning = turn(people(), request.GET)
    context = {"people": rows, "turning": turning, "now": timezone.now()}
    return render(request, "people/index.html", context)


@requires("administrator")
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    form = NewPersonForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        status = 422 if form.errors else 200
        context = {"form": form, "can_mail": mailed_links.is_possible()}
        return render(request, "people/new.html", context, status=status)
    by, now = actor_of(request), timezone.now()
    someone, path = joining.invite(**form.cleaned_data, by=by, now=now)
    return _hand_over(request, someone, path)


@requires("administrator")
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, person: int) -> HttpResponse:
    someone = get_object_or_404(people(), pk=person)
    form = PersonForm(
        request.POST if request.method == "POST" else None,
        initial={
            "role": someone.role.name,
            "email": someone.email,
            "may_sign_in": someone.is_active,
        },
    )
    if form.is_valid() and _change(request, form, someone):
        messages.info(request, f"{someone.username} is changed.")
        return redirect("people")
    context = {"form": form, "person": someone}
    return render(request, "people/edit.html", context, status=422 if form.errors else 200)


@requires("administrator")
@require_POST
def link(request: HttpRequest, person: int) -> HttpResponse:
    """A new link: mailed where it can be, unless the administrator wants to copy it."""
    someone = get_object_or_404(people().filter(is_active=True), pk=person)
    path = make_link(someone, by=actor_of(request), now=timezone.now())
    return _hand_over(request, someone, path)


def _change(request: HttpRequest, form: PersonForm, someone: User) -> bool:
    try:
        joining.change(someone, **form.cleaned_data, by=actor_of(request), now=timezone.now())
    except joining.LastAdministratorError:
        form.add_error(
            None,
            f"{someone.username} is the last administrator who can sign in. "
            "Make somebody else an administrator first.",
        )
        return False
    return True


def _hand_over(request: HttpRequest, someone: User, path: str) -> HttpResponse:
    """Answered to the POST itself: only this page ever holds the link, never a session or a log.

    A link that was mailed is not shown; one that could not be mailed is, and says why.
    """
    mails = mailed_links.is_possible() and someone.email and "copy" not in request.POST
    error = mailed_links.mail_invitation(someone, path, by=actor_of(request)) if mails else ""
    is_mailed = mails and not error
    context = {
        "person": someone,
        "url": "" if is_mailed else settings.URL + path,
        "error": error,
        "is_mailed": is_mailed,
    }
    response = render(request, "people/link.html", context)
    add_never_cache_headers(response)
    return response
