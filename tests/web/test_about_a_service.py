"""Links, tags, facts and calls: written in the form of a service, read on its page."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from opsboard.probes.rules import State
from opsboard.services.models import Service
from tests.web.standing import a_path, a_service, stands, text_of

HERE = "/services/fares-api"
ABOUT = {
    "links": "Board: https://grafana.example/d/1\nRunbook: https://wiki.example/fares#restart",
    "tags": "booking, python",
    "facts": "Data class: internal\nPorts:\n  http: 8000\nRegions:\n- oslo\n- bergen",
    "depends_on": "fares-db\nSailings API",
}


@pytest.fixture
def client(client_of) -> Client:
    return client_of("editor")


@pytest.fixture
def fares(db: None) -> Service:
    a_service("fares-db")
    sailings = a_service("sailings-api")
    sailings.name = "Sailings API"
    sailings.save()
    return a_service("fares-api")


def typed_of(client: Client, address: str = f"{HERE}/edit") -> dict[str, Any]:
    form = client.get(address).context["form"]
    return {name: form[name].value() for name in form.fields if form[name].value() is not None}


def save(client: Client, address: str = f"{HERE}/edit", **fields: str) -> Any:
    return client.post(address, typed_of(client, address) | fields)


def errors(page: Any, field: str) -> str:
    return " ".join(page.context["form"].errors[field])


def test_what_is_written_is_stored_and_written_back(client, fares):
    assert save(client, **ABOUT).status_code == 302
    fares.refresh_from_db()
    assert [link["name"] for link in fares.links] == ["Board", "Runbook"]
    assert fares.tags == ["booking", "python"]
    assert fares.facts == {
        "Data class": "internal",
        "Ports": {"http": "8000"},
        "Regions": ["oslo", "bergen"],
    }
    assert {one.slug for one in fares.depends_on.all()} == {"fares-db", "sailings-api"}
    shown = typed_of(client)
    assert shown["depends_on"] == "fares-db\nsailings-api"
    page = client.get(f"{HERE}/edit").text
    assert "Regions:\n- oslo\n- bergen</textarea>" in page
    assert "fares-db\nsailings-api</textarea>" in page
    assert 'value="booking, python"' in page


def test_saving_what_the_page_shows_changes_nothing(client, fares):
    save(client, **ABOUT)
    before = Service.objects.filter(pk=fares.pk).values().get()
    page = client.get(f"{HERE}/edit").text
    areas = re.findall(r'<textarea name="(\w+)"[^>]*>\n?([^<]*)</textarea>', page)
    assert save(client, **dict(areas), tags="booking, python").status_code == 302
    assert Service.objects.filter(pk=fares.pk).values().get() == before


def test_the_page_shows_lists_as_lists_and_texts_by_key_as_definitions(client, fares):
    save(client, **ABOUT)
    page = client.get(HERE).text
    about = page[page.index('id="a-h"') :]
    assert (
        '<a href="https://wiki.example/fares#restart" rel="noopener noreferrer">Runbook</a>'
        in about
    )
    assert about.index("Runbook") < about.index("grafana")
    assert '<ul class="bullets"><li>oslo</li><li>bergen</li></ul>' in about
    assert '<dl class="kv"><dt>http</dt><dd>8000</dd></dl>' in about
    assert "Data class internal" in text_of(about)
    assert '<a href="/?q=booking">booking</a>' in about


def test_the_page_says_whom_it_calls_and_who_calls_it_with_their_state(client, fares):
    db = Service.objects.get(slug="fares-db")
    fares.depends_on.add(db)
    stands(a_path(db), State.FAILING)
    assert "Calls fares-db Failing" in text_of(client.get(HERE).text)
    stands(a_path(fares))
    assert "Called by fares-api Passing" in text_of(client.get("/services/fares-db").text)
    Service.objects.get(slug="sailings-api").depends_on.add(fares)
    assert "Called by Sailings API not probed in production" in text_of(client.get(HERE).text)


def test_an_unknown_service_is_told_with_the_nearest(client, fares):
    page = save(client, depends_on="fares-dbb")
    assert page.status_code == 422
    assert "There is no service fares-dbb. Did you mean fares-db?" in errors(page, "depends_on")
    Service.objects.get(slug="fares-db").remove(by=None, now=datetime.now(UTC))
    assert "There is no service fares-db." in errors(
        save(client, depends_on="fares-db"), "depends_on"
    )


def test_a_circle_is_told_from_its_start(client, fares):
    db, sailings = (Service.objects.get(slug=slug) for slug in ("fares-db", "sailings-api"))
    db.depends_on.add(sailings), sailings.depends_on.add(fares)
    said = errors(save(client, depends_on="fares-db"), "depends_on")
    assert "fares-api calls fares-db, which calls sailings-api, which calls fares-api" in said
    assert "fares-api calls fares-api" in errors(save(client, depends_on="fares-api"), "depends_on")
    assert not fares.depends_on.exists()


def test_a_circle_through_what_was_removed_is_one_too(client, fares):
    db = Service.objects.get(slug="fares-db")
    db.depends_on.add(fares)
    Service.objects.get(slug="sailings-api").depends_on.add(db)
    db.remove(by=None, now=datetime.now(UTC))
    assert save(client, depends_on="sailings-api").status_code == 422


def test_calls_of_what_was_removed_come_back_with_it(client, fares):
    db = Service.objects.get(slug="fares-db")
    fares.depends_on.add(db)
    db.remove(by=None, now=datetime.now(UTC))
    assert save(client, depends_on="sailings-api").status_code == 302
    db.restore()
    assert "fares-db" in typed_of(client)["depends_on"]


@pytest.mark.parametrize("field", ["links", "facts", "tags", "depends_on"])
def test_a_mistake_keeps_what_was_typed(client, fares, field):
    page = save(client, **ABOUT | {field: "BAD VALUE"})
    assert page.status_code == 422
    assert page.context["form"].errors.keys() == {field}
    for other in ABOUT:
        wanted = "BAD VALUE" if other == field else ABOUT[other]
        assert page.context["form"][other].value() == wanted


def test_two_editors_see_both_versions_of_what_is_said(client, fares):
    before = typed_of(client)
    save(client, **ABOUT)
    page = client.post(f"{HERE}/edit", before | {"tags": "mine", "depends_on": "", "facts": ""})
    assert page.status_code == 422
    rows = {row.label: (row.theirs, row.yours) for row in page.context["form"].differences}
    assert rows["Tags"] == ("booking, python", "mine")
    assert rows["Calls"] == ("fares-db\nsailings-api", "")
    assert rows["Further facts"] == (ABOUT["facts"], "")


def test_a_new_service_has_it_all(client, fares):
    typed = {
        "name": "Booking", "tier": "1", "team": "Pricing", "base_url": "http://127.0.0.1:9",
        "health_route": "/health",
    }  # fmt: skip
    assert client.post("/services/new", typed | ABOUT).status_code == 302
    booking = Service.objects.get(slug="booking")
    assert booking.depends_on.count() == 2
    assert booking.tags == ["booking", "python"]


def test_the_queries_do_not_grow_with_neighbours(client_of, fares):
    client = client_of("viewer")
    # SQLite is asked once whether it knows JSON.
    client.get(HERE)

    def add(count: int) -> int:
        for _ in range(count):
            below, above = a_service(), a_service()
            fares.depends_on.add(below), above.depends_on.add(fares)
            stands(a_path(below)), stands(a_path(above))
        with CaptureQueriesContext(connection) as captured:
            assert client.get(HERE).status_code == 200
        return len(captured)

    assert add(1) == add(6)
