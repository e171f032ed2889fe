"""The link in a message, in a real browser, with and without scripts: one button, and it works."""

from datetime import UTC, datetime

import pytest
from django.conf import settings
from playwright.sync_api import Request, sync_playwright
from pytest_django.live_server_helper import LiveServer

from opsboard.alerts import acknowledging
from opsboard.alerts.models import Channel
from opsboard.incidents.models import Incident
from opsboard.services.models import CriticalPath, Environment
from tests.browser.test_reading import in_database

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("django_db_setup"),
]


@pytest.fixture
def incident(path: CriticalPath, environment: Environment) -> Incident:
    return Incident.objects.create(
        service=path.service,
        environment=environment,
        title="Price a crossing is failing",
        opened_at=datetime.now(UTC),
    )


@pytest.fixture
def link(incident: Incident) -> str:
    channel = Channel(name="Pricing on call", kind=Channel.Kind.EMAIL)
    channel.keep(address="on-call@skerry.example")
    channel.save()
    return acknowledging.link(incident.pk, channel.pk).removeprefix(settings.URL)


def nobody_has_it() -> None:
    assert Incident.objects.get().acknowledged_at is None


@pytest.mark.parametrize(("scripts", "width"), [(True, 1440), (False, 390)])
def test_the_one_button_acknowledges_and_the_link_stays_secret(
    live_server: LiveServer,
    chromium: str,
    incident: Incident,
    link: str,
    scripts: bool,
    width: int,
) -> None:
    asked: list[Request] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(
            base_url=live_server.url,
            java_script_enabled=scripts,
            viewport={"width": width, "height": 900},
        )
        page.on("request", lambda one: asked.append(one))
        page.goto(link)
        in_database(nobody_has_it)
        page.get_by_label("Your name").fill("Ingrid")
        page.get_by_role("button", name=f"Acknowledge {incident}").click()
        page.get_by_text("Ingrid, since").wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        # No server, not even this one, is told the address by a Referer.
        assert not [one for one in asked if link in one.all_headers().get("referer", "")]
        browser.close()
    incident.refresh_from_db()
    assert incident.acknowledged_as == "Ingrid"
