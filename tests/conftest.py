"""The people and the small company that most tests need. NOON is in tests.company."""

import os
import shutil
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client
from hypothesis import HealthCheck, settings
from playwright.sync_api import expect

from opsboard.people import joining
from opsboard.people.roles import RoleName
from opsboard.services.models import CriticalPath, Environment, Service, Team

PASSWORD = "correct horse battery"
# Seconds say nothing of what is tested: on a busy machine inputs are made slowly.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")


@pytest.fixture
def viewer(db: None) -> User:
    return joining.add("Vera Lind", "viewer", password=PASSWORD)


@pytest.fixture
def editor(db: None) -> User:
    return joining.add("Edith Moe", "editor", password=PASSWORD)


@pytest.fixture
def administrator(db: None) -> User:
    return joining.add("Layla Haddad", "administrator", password=PASSWORD)


@pytest.fixture
def client_of(request: pytest.FixtureRequest) -> Callable[[RoleName], Client]:
    """A browser in which somebody of that role has signed in."""

    def sign_in(role: RoleName) -> Client:
        client = Client()
        client.force_login(request.getfixturevalue(role))
        return client

    return sign_in


@pytest.fixture
def team(db: None) -> Team:
    return Team.objects.create(slug="pricing", name="Pricing", contact="#pricing-on-call")


@pytest.fixture
def service(team: Team) -> Service:
    return Service.objects.create(slug="fares-api", name="Fares API", team=team, tier=1)


@pytest.fixture
def environment(service: Service) -> Environment:
    return service.environments.create(slug="production", base_url="http://127.0.0.1:9")


@pytest.fixture
def path(service: Service, environment: Environment) -> CriticalPath:
    """Price a crossing, of the service fares-api in production."""
    return service.paths.create(
        slug="price-a-crossing",
        name="Price a crossing",
        route="/price",
        expected_result="status == 200",
        user_notices="We could not price this crossing, on step 2 of booking",
    )


@pytest.fixture(scope="session")
def chromium() -> str:
    """The real browser that script/test found; run by hand, the one on the PATH."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = os.environ.get("OPSBOARD_CHROMIUM") or next(filter(None, map(shutil.which, names)), "")
    assert found, "no Chromium on the PATH: install it, or leave out the tests marked browser"
    # Its five seconds are not enough for a page of a busy machine, and nothing waits this long.
    expect.set_options(timeout=30_000)
    return found
