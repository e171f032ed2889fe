"""The page of a service: how it stands, its paths worst first, who has it, who hears."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from opsboard.alerts.models import Channel
from opsboard.incidents.models import Incident
from opsboard.probes.models import ServiceDay
from opsboard.probes.rules import State
from opsboard.rollbacks.models import RollbackNote
from opsboard.services.models import Service
from tests.web.standing import a_path, a_service, observed, stands, text_of

F, W, P = State.FAILING, State.WARNING, State.PASSING


@pytest.fixture
def fares(db: None) -> Service:
    return a_service("fares-api")


@pytest.fixture
def read(client_of):
    return lambda address="/services/fares-api", role="viewer": client_of(role).get(address).text


def a_note(service: Service) -> RollbackNote:
    note = RollbackNote.objects.create(service=service)
    note.write(
        title="Go back one release", use_when="", does_not_undo="", minutes=4,
        steps=[{"do": "Go back"}], reason="", by=None, now=datetime.now(UTC),
    )  # fmt: skip
    return note


def test_the_head_says_how_the_service_stands(fares, read):
    stands(a_path(fares), F)
    stands(a_path(fares, "Hold a fare"))
    page = text_of(read())
    assert re.search(r"Failing since (\w+ )?\d\d:\d\d, 23 min: 1 of 2 critical paths\.", page)


def test_paths_are_listed_worst_first_with_what_they_measure(fares, read):
    calm, slow = stands(a_path(fares, "Hold a fare")), stands(a_path(fares), F)
    observed(slow, [2_841] * 30)
    observed(calm, [82] * 30)
    page = read()
    assert re.findall(r'<tr class="st-\w+" id="path-([^"]+)"', page) == [
        "price-a-crossing",
        "hold-a-fare",
    ]
    assert "GET /price 2,841 400 0%" in text_of(page)


def test_the_way_back_is_in_the_head_while_something_hurts(fares, read):
    stands(a_path(fares), F)
    assert "Open rollback note" not in read()
    a_note(fares)
    assert re.search(r'btn-main" id="note" href="/services/fares-api/rollback-note"', read())


def test_owner_tier_and_environments_with_their_addresses(fares, read):
    fares.team.contact = "#pricing-on-call"
    fares.team.save()
    page = text_of(read())
    assert "Owner Pricing #pricing-on-call" in page
    assert "Tier Tier 2" in page
    assert "Production https://fares-api.production.example" in page


def test_who_hears_is_named(fares, read):
    assert "Nobody would be told" in read()
    channel = Channel(name="Pricing on call", kind=Channel.Kind.WEBHOOK, team=fares.team)
    channel.keep(address="https://hooks.skerry.example/1")
    channel.save()
    page = read()
    assert (
        "Who hears if this fails Pages and notices, by the default route Pricing on call"
        in text_of(page)
    )
    assert "Nobody would be told" not in page
    assert "hooks.skerry.example" not in page


def test_editors_get_the_links_to_change_things(fares, read):
    links = [
        "/services/fares-api/edit",
        "/services/fares-api/paths/new",
        "/services/fares-api/environments/new",
        "/services/fares-api/environments/production/edit",
        "/services/fares-api/rollback-note/edit",
    ]
    for_editors, for_viewers = read(role="editor"), read()
    assert [link for link in links if f'href="{link}"' not in for_editors] == []
    assert [link for link in links if f'href="{link}"' in for_viewers] == []


def test_the_90_days_are_one_strip_with_its_availability(fares, read):
    stands(a_path(fares))
    for back, failing in enumerate([0, 864, 0]):
        ServiceDay.objects.create(
            environment=fares.environments.get(),
            day=datetime.now(UTC).date() - timedelta(days=back),
            passing=86400 - failing, failing=failing, worst=F if failing else P,
        )  # fmt: skip
    page = read()
    assert "99.66% of the known time not failing" in page
    assert page.count("data-strip-nav=") == 1
    assert "2 days passing, 1 failing. Watched for 3 of them." in page


def test_incidents_say_how_long_they_lasted(fares, read):
    path, now = a_path(fares), datetime.now(UTC)
    stands(path)
    for days, minutes in [(3, 48), (2, None)]:
        opened = now - timedelta(days=days)
        ended = opened + timedelta(minutes=minutes) if minutes else None
        incident = Incident.objects.create(
            service=fares, environment=fares.environments.get(), title="Price",
            opened_at=opened, resolved_at=ended,
        )  # fmt: skip
        incident.paths.create(path=path, joined_at=opened)
    page = text_of(read())
    assert "Price a crossing 48 min every path passed again" in page
    assert page.index("open, 2 days") < page.index("48 min")


def test_the_other_environment_is_a_column_and_a_tab(client_of, db):
    service = a_service("fares-api", environments=2)
    path = a_path(service)
    stands(path, F)
    stands(path, W, environment="staging")
    page = client_of("viewer").get("/services/fares-api").text
    assert '<th scope="col" class="p1">Staging</th>' in page
    assert "Warning</span></td>" in page
    staging = client_of("viewer").get("/services/fares-api?environment=staging").text
    assert "Failing</span></td>" in staging
    assert client_of("viewer").get("/services/fares-api?environment=moon").status_code == 404


def test_a_service_without_paths_or_environment_says_what_belongs_there(fares, read):
    assert "None is probed in production yet" in read()
    fares.environments.all().delete()
    assert "has no environment yet" in read(role="editor")
    # Nor any days to take away.
    assert "days.csv" not in read(role="editor")


def test_the_number_of_queries_does_not_grow_with_the_paths(client_of, fares):
    client = client_of("viewer")

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get("/services/fares-api").status_code == 200
        return len(captured)

    stands(a_path(fares, "One"), F)
    few = queries()
    for number in range(12):
        observed(stands(a_path(fares, f"Path {number}"), F), [100] * 3)
    assert queries() == few


def test_a_poll_gets_the_part_alone(client_of, fares):
    stands(a_path(fares))
    answer = client_of("viewer").get("/services/fares-api", headers={"HX-Request": "true"})
    assert answer.text.strip().startswith('<div id="service"')
    again = client_of("viewer").get(
        "/services/fares-api", headers={"HX-Request": "true", "HX-PTag": answer["HX-PTag"]}
    )
    assert again.status_code == 304


def test_an_unknown_service_is_not_found(client_of, db):
    assert client_of("viewer").get("/services/nothing").status_code == 404
