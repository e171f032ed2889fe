"""Every address, as everybody: each view is held to the role that it declares."""

import re
from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import URLPattern, get_resolver, reverse

from opsboard.alerts.models import Channel, Message, Route, Silence
from opsboard.board.models import Errand
from opsboard.incidents.models import Incident
from opsboard.people import tokens
from opsboard.people.models import built_in_viewer
from opsboard.people.roles import ROLES, allows
from opsboard.services.models import MaintenanceWindow, Rota
from opsboard.web.access import NOBODY, required_role
from opsboard.web.middleware import RequireRole
from tests.web.measured import a_change, not_the_same, was_judged
from tests.web.releases import a_freeze, a_release, an_override

# The reviewed list: what is open without signing in. Each is the sign-in itself, tells only whether
# Opsboard works, or has an address whose secret is the permission.
OPEN_TO_NOBODY = {
    "healthz",
    "readyz",
    "sign-in",
    "sign-in-link",
    "forgotten",
    "sign-out",
    "first-administrator",
    "acknowledge-link",
    "beat",
    "badge",
    "badge-json",
    "feed",
}
# The reviewed list: what a viewer may send a form to. It changes nothing but their own account.
OPEN_TO_A_VIEWERS_FORM = {"account"}

# For programs: a token is asked for, and no session counts. See tests/api.
BY_TOKEN = re.compile("api/v1|metrics")
PAGES = [one for one in get_resolver().url_patterns if not BY_TOKEN.search(str(one.pattern))]
PATTERNS = {pattern.name: pattern for pattern in PAGES}
CLOSED = sorted(set(PATTERNS) - OPEN_TO_NOBODY)


@pytest.fixture
def url(team, service, environment, path, viewer):
    """The address of a name, with every part standing for something that exists."""
    incident = Incident.objects.create(
        service=service,
        environment=environment,
        title="Price a crossing",
        opened_at=datetime.now(UTC),
    )
    channel = Channel(name="Everybody", kind=Channel.Kind.EMAIL)
    channel.keep(address="everybody@skerry.example")
    channel.save()
    silence = Silence.objects.create(
        reason="loading new fares",
        starts_at=datetime.now(UTC),
        ends_at=datetime.now(UTC) + timedelta(hours=1),
    )
    window = MaintenanceWindow.objects.create(
        name="nightly import",
        starts_on=datetime.now(UTC).date() + timedelta(days=2),
        starts_at="02:30",
        minutes=60,
        planned_at=datetime.now(UTC),
    )
    rota = Rota.objects.create(team=team, starts_on=date(2026, 3, 2), hand_over_at=time(9))
    message = Message.objects.create(
        channel=channel,
        content={"subject": "It fails", "text": "It fails"},
        made_at=datetime.now(UTC),
        next_attempt_at=0,
    )
    api_token, _ = tokens.make(
        name="CI",
        scopes=["read"],
        by=viewer,
        now=datetime.now(UTC),
        expires_at=datetime.now(UTC) + timedelta(days=1),
    )
    release = a_release(service)
    # It goes by a number too.
    was_judged(a_change(path, pk=incident.pk), not_the_same())
    Errand.objects.create(
        pk=incident.pk, kind="apply", made_at=datetime.now(UTC), plan={"count": 0}
    )
    parts = {
        "key": message.key,
        "service": service.slug,
        "environment": environment.slug,
        "path": path.slug,
        "number": incident.pk,
        "attempt": 1,
        "step": 1,
        "channel": channel.pk,
        "team": team.slug,
        "person": viewer.pk,
        "token": "nothing",
        "kind": "team",
        "thing": team.pk,
        "silence": silence.pk,
        "version": release.version,
        "override": an_override(release, "lint", by=viewer).pk,
        "freeze": a_freeze().pk,
        "hold": service.holds.create(reason="fare tables were lost", at=datetime.now(UTC)).pk,
        "window": window.pk,
        "api_token": api_token.pk,
        "route": Route.objects.create(name="Nights").pk,
        "cover": rota.covers.create(
            person=viewer,
            starts_at=datetime.now(UTC),
            ends_at=datetime.now(UTC) + timedelta(days=1),
        ).pk,
    }

    def address(name: str) -> str:
        wanted = PATTERNS[name].pattern.converters
        return reverse(name, kwargs={part: parts[part] for part in wanted})

    return address


def declared(name: str) -> str | None:
    return required_role(PATTERNS[name].callback)


def send(client: Client, method: str, address: str) -> HttpResponse:
    return getattr(client, method)(address)


def allowed_pairs(*, is_allowed: bool) -> list[tuple[str, str]]:
    return [
        (name, role)
        for name in CLOSED
        for role in ROLES
        if allows(role, declared(name)) is is_allowed
    ]


def test_every_address_has_a_name_of_its_own():
    assert all(isinstance(pattern, URLPattern) and pattern.name for pattern in PAGES)
    assert len(PATTERNS) == len(PAGES)


@pytest.mark.parametrize("name", PATTERNS)
def test_every_view_declares_who_may_open_it(name):
    assert declared(name) in (NOBODY, *ROLES)


def test_what_is_open_without_signing_in_is_the_reviewed_list():
    assert {name for name in PATTERNS if declared(name) == NOBODY} == OPEN_TO_NOBODY


def test_a_view_that_declares_nothing_is_never_opened():
    def forgotten(_request):
        raise AssertionError("opened")

    request = RequestFactory().get("/")
    with pytest.raises(ImproperlyConfigured, match=r"forgotten declares no role. Put @requires"):
        RequireRole(lambda _: HttpResponse()).process_view(request, forgotten, (), {})


@pytest.mark.parametrize("name", CLOSED)
def test_nobody_is_sent_to_sign_in_and_comes_back_after(name, url):
    response = Client().get(url(name), {"q": "a b"})
    assert response.status_code == 302
    assert response.headers["Location"] == (
        "/sign-in?next=" + url(name).replace("/", "%2F") + "%3Fq%3Da%2Bb"
    )


@pytest.mark.parametrize("name", CLOSED)
def test_nobodys_form_is_refused(name, url):
    response = Client().post(url(name))
    assert response.status_code == 403
    assert "Nothing was changed. Sign in" in response.text


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize(("name", "role"), allowed_pairs(is_allowed=False))
def test_too_low_a_role_is_refused(name, role, method, url, client_of):
    response = send(client_of(role), method, url(name))
    assert response.status_code == 403
    assert f"This needs the role {declared(name)}" in response.text


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize(("name", "role"), allowed_pairs(is_allowed=True))
def test_a_role_that_is_enough_is_let_in(name, role, method, url, client_of):
    response = send(client_of(role), method, url(name))
    assert response.status_code in (200, 302, 303, 404, 405, 422)
    assert "/sign-in" not in response.headers.get("Location", "")


@pytest.mark.parametrize("name", sorted(set(CLOSED) - OPEN_TO_A_VIEWERS_FORM))
def test_no_form_of_a_viewer_writes(name, url, client_of):
    assert send(client_of("viewer"), "post", url(name)).status_code in (403, 405)


@pytest.mark.parametrize("method", ["put", "patch", "delete", "options", "trace"])
@pytest.mark.parametrize("name", CLOSED)
def test_no_other_method_is_a_way_around(name, method, url):
    assert send(Client(), method, url(name)).status_code == 403


@pytest.mark.parametrize("name", CLOSED)
def test_a_person_without_a_role_may_do_nothing(name, url, django_user_model):
    client = Client()
    client.force_login(django_user_model.objects.create_user("Without"))
    response = client.get(url(name))
    assert response.status_code == 403
    assert "You have no role yet" in response.text


def test_the_refusal_names_the_administrators(client_of, administrator):
    response = client_of("viewer").get("/people")
    assert "An administrator can change your role: Layla Haddad." in response.text


def test_a_poll_of_somebody_signed_out_sends_the_whole_page_to_sign_in(db):
    response = Client().get(
        "/", headers={"HX-Request": "true", "HX-Current-URL": "http://testserver/?team=pricing"}
    )
    assert response.status_code == 401
    assert response.headers["HX-Redirect"] == "/sign-in?next=%2F%3Fteam%3Dpricing"


def test_the_built_in_viewer_cannot_be_edited(client_of):
    client = client_of("administrator")
    assert client.get(reverse("person-edit", args=[built_in_viewer().pk])).status_code == 404
