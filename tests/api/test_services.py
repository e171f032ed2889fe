"""Services in the API: who owns them, where they run, and how they stand there."""

from datetime import timedelta

import pytest
from django.utils import timezone

from opsboard.services.models import Running, Service, Team
from tests.api.standing import observed, running
from tests.company import BAD, GOOD, a_path, a_probe, a_service

pytestmark = pytest.mark.django_db
HERE = "/api/v1/services"


@pytest.fixture
def company():
    """fares-api fails in production, orders-api passes; three more are never observed."""
    fares = a_service("fares-api")
    observed(a_probe(a_path(fares, patience=1)), BAD)
    orders = a_service("orders-api")
    observed(a_probe(a_path(orders, patience=1)), GOOD)
    for slug in ("ledger", "mail", "sailings-api"):
        a_path(a_service(slug))


def test_a_list_says_how_each_service_stands_in_each_environment(ask, company):
    items = ask.get(HERE).json()["items"]
    assert [(one["slug"], one["environments"][0]["standing"]) for one in items] == [
        ("fares-api", "failing"), ("ledger", "no_data"), ("mail", "no_data"),
        ("orders-api", "passing"), ("sailings-api", "no_data"),
    ]  # fmt: skip
    assert items[0]["owner"] == {
        "slug": "pricing", "name": "Pricing", "contact": "#pricing-on-call",
    }  # fmt: skip
    assert items[0]["environments"][0]["not_passing"] == 1


def test_pages_follow_each_other_without_a_gap(ask, company):
    first = ask.get(f"{HERE}?limit=2").json()
    second = ask.get(HERE, {"limit": 2, "cursor": first["next"]}).json()
    third = ask.get(HERE, {"limit": 2, "cursor": second["next"]}).json()
    pages = [*first["items"], *second["items"], *third["items"]]
    assert [one["slug"] for one in pages] == [
        "fares-api", "ledger", "mail", "orders-api", "sailings-api",
    ]  # fmt: skip
    assert third["next"] is None


def test_a_list_is_narrowed_by_owner_and_tier(ask, company):
    other = Team.objects.create(slug="booking", name="Booking")
    Service.objects.filter(slug="mail").update(team=other, tier=1)
    assert _slugs(ask, "owner=booking") == ["mail"]
    assert _slugs(ask, "tier=1") == ["mail"]
    assert _slugs(ask, "owner=nobody") == []


def _slugs(ask, query):
    return [one["slug"] for one in ask.get(f"{HERE}?{query}").json()["items"]]


def test_a_look_into_other_tables_is_refused(ask, company):
    answer = ask.get(f"{HERE}?owner__members__password__startswith=a")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "owner__members__password__startswith"


def test_no_query_a_row(ask, company, django_assert_max_num_queries):
    ask.get(HERE)
    for number in range(20):
        a_probe(a_path(a_service(f"more-{number}")))
    # Three are of the door: the token, its rate, and its use.
    with django_assert_max_num_queries(8):
        assert len(ask.get(HERE).json()["items"]) == 25


def test_one_service_says_what_runs_and_what_it_calls(ask, company):
    fares, now = Service.objects.get(slug="fares-api"), timezone.now()
    fares.depends_on.add(Service.objects.get(slug="ledger"))
    running(fares.environments.get(), "a" * 40, at=now)
    one = ask.get(f"{HERE}/fares-api").json()
    assert one["environments"][0]["running"] == {
        "commit": "a" * 40, "since": now.isoformat(), "config_root": None,
        "told_at": now.isoformat(),
    }  # fmt: skip
    assert one["depends_on"] == ["ledger"]
    assert one["note"] is None


def test_what_was_told_too_long_ago_is_not_what_runs_now(ask, company):
    place = Service.objects.get(slug="fares-api").environments.get()
    running(place, "a" * 40, at=timezone.now() - timedelta(minutes=6))
    (seen,) = ask.get(f"{HERE}/fares-api").json()["environments"]
    assert seen["running"] is None
    Running.objects.update(is_announced=True)
    (seen,) = ask.get(f"{HERE}/fares-api").json()["environments"]
    assert seen["running"]["commit"] == "a" * 40


def test_a_service_that_is_not_there(ask):
    answer = ask.get(f"{HERE}/nothing")
    assert answer.status_code == 404
    assert answer.json()["errors"][0]["message"] == "There is no service nothing."


def test_a_token_sees_its_own_services_only(ask_with, make_token, company):
    ask = ask_with(make_token(services=["mail", "ledger"])[1])
    assert _slugs(ask, "") == ["ledger", "mail"]
    assert ask.get(f"{HERE}/mail").status_code == 200
    for other in ("fares-api", "nothing"):
        assert ask.get(f"{HERE}/{other}").status_code == 403


def test_a_token_that_may_not_read_is_refused(ask_with, make_token):
    ask = ask_with(make_token(["release"])[1])
    assert ask.get(HERE).status_code == 403
