"""Every page as each role sees it, in both themes, wide and narrow: tests.browser.walking looks."""

from collections.abc import Callable
from itertools import chain
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django.live_server_helper import LiveServer

from opsboard.changes.models import Change
from opsboard.incidents.models import Incident
from opsboard.releases.models import Release
from opsboard.services.models import CriticalPath
from script.pages import Found, crawl, not_reached
from tests.browser.everything import make_everything
from tests.browser.walking import walking

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SignIn = Callable[[Any], Client]
# Pages of one name that show different things, such as a path that fails and one that reports in:
# so many are looked at. An editor is shown the most, and sees every stage of what has stages.
KINDS = {"editor": 4, "administrator": 2, "viewer": 2}
MOST_OF_A_NAME = 5


@pytest.fixture
def company(transactional_db: None, editor: User) -> None:
    make_everything(editor)


def found_by(client: Client, *starts: str) -> Found:
    def fetch(address: str) -> tuple[int, str, str]:
        answer = client.get(address)
        while answer.status_code == 302:
            answer = client.get(answer["Location"])
        text = "" if answer.streaming else answer.text
        return answer.status_code, answer["Content-Type"], text

    return crawl(fetch, starts, most_of_a_name=MOST_OF_A_NAME)


def every_stage() -> list[str]:
    """What comes in many kinds and stages: they differ in what can be done from there."""
    paths = CriticalPath.objects.standing().select_related("service")
    return [
        *(f"/services/{path.service.slug}/{path.slug}" for path in paths),
        *(f"/changes/{change.pk}" for change in Change.objects.all()),
        *(f"/incidents/{incident.pk}" for incident in Incident.objects.all()),
        *(
            f"/releases/{one.service.slug}/{one.version}"
            for one in Release.objects.select_related("service")
        ),
    ]


@pytest.mark.parametrize("role", ["editor", "administrator", "viewer"])
def test_every_page_is_as_it_should_be(
    role: str, company: None, client_of: SignIn, live_server: LiveServer, chromium: str
) -> None:
    client = client_of(role)
    stages = every_stage()
    found = found_by(client, "/", *stages)
    assert found.dead == []
    kinds = found.of_each(KINDS[role]).values()
    also = stages if role == "editor" else []
    cookie = client.cookies["opsboard"].value
    with walking(chromium, live_server.url, cookie) as walk:
        for address in dict.fromkeys(chain(*kinds, also)):
            walk.look(address)
    assert not walk.wrong, "\n".join(walk.wrong)


def test_no_page_is_forgotten(company: None, client_of: SignIn) -> None:
    signed_in = found_by(client_of("administrator"), "/", *every_stage())
    names = signed_in.names() | found_by(Client(), "/sign-in").names()
    assert not_reached(names) == {}
