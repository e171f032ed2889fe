"""Pages one meets when something is wrong, and before one has signed in, looked at like every page:
refusals, forms sent with mistakes, links that work once."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.db import OperationalError
from django.test import Client
from pytest_django.live_server_helper import LiveServer

from opsboard.alerts import acknowledging
from opsboard.alerts.models import Channel
from opsboard.people import links
from tests.browser.everything import make_everything
from tests.browser.everything.incidents import OPEN, OVER
from tests.browser.walking import Walk, walking
from tests.company import BY

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SignIn = Callable[[Any], Client]
PATH = "/services/fares-api/price-a-crossing"
RELEASE = "/releases/fares-api/2026.11.4"
# Where a form is, and what is typed into it beside nothing at all.
FORMS: dict[str, dict[str, str]] = {
    f"{PATH}/edit": {"expected_result": "statsu == 200\ntime <", "interval": "soon"},
    "/services/fares-api/edit": {"slug": "A B"},
    "/services/fares-api/paths/new": {},
    "/services/fares-api/environments/new": {"base_url": "ftp://x"},
    f"{PATH}/rollback-note/edit": {},
    f"{PATH}/rollback-note/rehearsals/new": {"took": "long"},
    "/alerts/channels/new": {},
    "/alerts/routes/new": {},
    "/alerts/silences/new": {},
    "/maintenance/new": {"starts_on": "tomorrow"},
    f"{RELEASE}/override": {},
    "/releases/new": {"commit": "latest"},
    "/releases/freezes/new": {},
    "/changes/new": {},
    "/incidents/new": {},
    "/teams/new": {},
    "/add": {},
}
SPOIL = """(typed) => {
  for (const form of document.querySelectorAll("main form")) form.noValidate = true;
  const fields = document.querySelectorAll("main form :is(input, textarea):not([type])," +
    "main form :is([type=text], [type=url], [type=number], [type=date], [type=time], textarea)");
  for (const field of fields) field.value = typed[field.name] || "";
}"""

FROM_ELSEWHERE = "() => { document.querySelector('[name=csrfmiddlewaretoken]').value = 'x'; }"
# More fields than are read.
TOO_MUCH = """() => {
  for (let number = 0; number < 600; number++) {
    const field = document.createElement("input");
    field.type = "hidden"; field.name = `n${number}`;
    document.querySelector("main form").append(field);
  }
}"""


@pytest.fixture
def company(transactional_db: None, editor: User) -> None:
    make_everything(editor)


def finish(walk: Walk) -> None:
    assert not walk.wrong, "\n".join(walk.wrong)


def send(walk: Walk, address: str, *, status: int = 422, **typed: str) -> None:
    """Send the form at an address with mistakes, and look at what comes back."""
    walk.open(address)
    walk.page.evaluate(SPOIL, typed)
    button = walk.page.locator("main .btn-main[type=submit]").last
    walk.posted(button.click, f"{address}, sent wrong", status=status)


def test_forms_sent_with_mistakes(
    company: None, client_of: SignIn, live_server: LiveServer, chromium: str
) -> None:
    cookie = client_of("editor").cookies["opsboard"].value
    with walking(chromium, live_server.url, cookie) as walk:
        for address, typed in FORMS.items():
            send(walk, address, **typed)
            if not walk.page.locator("main [aria-invalid=true]").count():
                walk.complain("marks no field as wrong")
    finish(walk)


def test_refusals(
    company: None,
    client_of: SignIn,
    live_server: LiveServer,
    chromium: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cookie = client_of("viewer").cookies["opsboard"].value

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError

    def full(*_: object, **__: object) -> None:
        raise OperationalError("database or disk is full")

    with walking(chromium, live_server.url, cookie) as walk:
        walk.look("/nothing/here", status=404)
        walk.look("/services/old-tariffs", status=404)
        walk.look("/teams/new", status=403)
        walk.look("/audit", status=403)
        monkeypatch.setattr("opsboard.web.teams.on_duty", fail)
        walk.look("/teams/pricing", status=500)
        monkeypatch.setattr("opsboard.web.teams.on_duty", full)
        walk.look("/teams/pricing", status=503)
    finish(walk)


def test_before_signing_in(
    company: None, live_server: LiveServer, chromium: str, settings: LazySettings
) -> None:
    settings.MAILERS = {"default": {"BACKEND": "django.core.mail.backends.locmem.EmailBackend"}}
    now = datetime.now(UTC)
    first = links.first_administrator_link(now=now)
    into = links.make_link(User.objects.get(username="Ida Berg"), by=BY, now=now)
    channel = Channel.objects.get(kind="slack")
    told = [acknowledging.link(number, channel.pk) for number in (OPEN, OVER)]
    with walking(chromium, live_server.url) as walk:
        for address in ("/sign-in", "/sign-in/forgotten", f"{first}", into):
            walk.look(address)
        for link, status in zip(told, (200, 410), strict=True):
            walk.look(link.removeprefix(settings.URL), status=status)
        for address in ("/sign-in/used", "/first/used"):
            walk.look(address, status=410)
        send(walk, "/sign-in")
        send(walk, "/sign-in/forgotten")
        for address, spoil, status in (
            ("/sign-in from elsewhere", FROM_ELSEWHERE, 403),
            ("/sign-in with too much", TOO_MUCH, 400),
        ):
            walk.open("/sign-in")
            walk.page.evaluate(SPOIL, {})
            walk.page.evaluate(spoil)
            button = walk.page.get_by_role("button", name="Sign in")
            walk.posted(button.click, address, status=status)
    finish(walk)
