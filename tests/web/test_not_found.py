"""An address at which nothing is: what it may have meant, and a search for its words."""

from datetime import UTC, datetime

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from opsboard.web.nearest import nearest, words_of
from tests.web.releases import a_release
from tests.web.standing import a_path, a_service


@pytest.fixture
def fares(db):
    service = a_service("fares-api")
    a_path(service)
    a_service("booking-web", team="Terminal")
    return service


@pytest.mark.parametrize(
    ("address", "urls"),
    [
        ("/services/fares-apo", ["/services/fares-api"]),
        ("/services/FARES-API", ["/services/fares-api"]),
        ("/services/fares", ["/services/fares-api"]),
        ("/services/fares-api/price-the-crossing", ["/services/fares-api/price-a-crossing"]),
        ("/services/fares-apo/price-a-crossing/edit", ["/services/fares-api"]),
        ("/teams/pricin", ["/teams/pricing"]),
        ("/releases/fares-api/2026.11.40", ["/releases/fares-api/2026.11.4"]),
        ("/services/zzzz", []),
        ("/dashboards/fares-api", []),
        ("/", []),
        ("/services/" + "x" * 5000, []),
    ],
)
def test_names_like_those_of_the_address_are_offered(fares, address, urls):
    a_release(fares)
    assert [one.url for one in nearest(address)] == urls


def test_what_was_removed_is_not_offered(fares):
    fares.removed_at = datetime.now(UTC)
    fares.save()
    assert nearest("/services/fares-apo") == []
    assert nearest("/services/fares-api/price-the-crossing") == []


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("/services/old-fares/price-a-crossing", "price-a-crossing"),
        ("/services/x/price/4711", "price"),
        ("/nowhere", ""),
        ("/incidents/4711", ""),
        ("/", ""),
    ],
)
def test_the_last_name_of_the_address_is_searched_for(address, words):
    assert words_of(address) == words


def test_the_page_links_to_the_nearest_and_to_the_search(client_of, fares):
    page = client_of("viewer").get("/services/fares-apo")
    assert page.status_code == 404
    assert '<a href="/services/fares-api">fares-api</a>' in page.text
    assert '<a href="/search?q=fares-apo">Search for “fares-apo”</a>' in page.text


def test_hostile_addresses_are_shown_as_they_are(client_of, fares):
    page = client_of("viewer").get("/services/%3Cscript%3Ealert(1)%3C/x")
    assert page.status_code == 404
    assert "<script>alert" not in page.text
    assert "&lt;script&gt;alert(1)&lt;" in page.text


def test_nobody_learns_names_without_signing_in(fares):
    page = Client().get("/sign-in/fares-api/teams/pricing")
    assert page.status_code == 404
    assert "Search for" not in page.text
    assert "Did you mean" not in page.text


def test_the_nearest_cost_two_queries_at_most(
    fares, django_assert_max_num_queries: DjangoAssertNumQueries
):
    with django_assert_max_num_queries(2):
        nearest("/services/fares-apo/price-a-crossing")
