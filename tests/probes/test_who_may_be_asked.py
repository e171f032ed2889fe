"""The policy of this place: Opsboard itself, and ports of other protocols."""

from collections.abc import Iterator

import pytest

from opsboard.probes.orders import policy_for, policy_of_kind, policy_of_this_place
from opsboard.services.askable import why_not_askable
from opsboard.services.models import CriticalPath, Service

OWN_NAME, OWN_ADDRESS = "https://opsboard.example", "http://10.20.0.5:8443"


@pytest.fixture(autouse=True)
def production(settings) -> Iterator[None]:
    settings.EMBEDDED = False
    settings.EGRESS_ALLOW = "10.20.0.0/16"
    settings.URL, settings.SELF_URL = OWN_NAME, OWN_ADDRESS
    _forget()
    yield
    _forget()


def _forget() -> None:
    policy_of_this_place.cache_clear()
    policy_of_kind.cache_clear()


def a_path(*, kind: str = "http", is_built_in: bool = False) -> CriticalPath:
    return CriticalPath(service=Service(is_built_in=is_built_in), kind=kind)


@pytest.mark.parametrize("url", [f"{OWN_NAME}/readyz", f"{OWN_ADDRESS}/readyz"])
def test_opsboard_itself_is_refused_early_with_what_it_is(url: str):
    said = why_not_askable(url, policy_for(a_path(), url))
    assert "is Opsboard itself" in said


def test_its_built_in_service_may_ask_it():
    url = f"{OWN_ADDRESS}/readyz"
    assert why_not_askable(url, policy_for(a_path(is_built_in=True), url)) == ""


def test_beside_it_the_same_machine_may_be_asked():
    assert why_not_askable("http://10.20.0.5:8080/", policy_of_this_place()) == ""


@pytest.mark.parametrize("host", ["10.20.1.1", "cache.example"])
def test_a_port_of_another_protocol_is_refused_early_and_the_other_kinds_may_ask_it(host: str):
    url = f"http://{host}:6379/"
    assert "Port 6379 is not one of the web" in why_not_askable(url, policy_for(a_path(), url))
    assert why_not_askable(url, policy_for(a_path(kind="tcp"), url)) == ""


def test_where_a_name_leads_is_not_told_early():
    assert why_not_askable("http://localhost.example/", policy_of_this_place()) == ""
