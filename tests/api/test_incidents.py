"""Incidents in the API: listed, read, acknowledged and told of."""

from datetime import timedelta

import pytest

from opsboard.incidents.models import Incident, TimelineEntry
from tests.api.standing import acts, send
from tests.company import NOON, a_path, a_service, production

pytestmark = pytest.mark.django_db
HERE = "/api/v1/incidents"


def an_incident(slug: str, *, opened_at=NOON, resolved_at=None) -> Incident:
    service = a_service(slug)
    path = a_path(service, slug="price")
    one = Incident.objects.create(
        service=service,
        environment=production(service),
        title="Price a crossing is failing",
        opened_at=opened_at,
        resolved_at=resolved_at,
    )
    one.paths.create(path=path, joined_at=opened_at, left_at=resolved_at, reason="status is 503")
    one.timeline.create(at=opened_at, act=TimelineEntry.Act.OPENED, path=path, text="status is 503")
    return one


@pytest.fixture
def three():
    hour = timedelta(hours=1)
    return [
        an_incident("fares-api", opened_at=NOON),
        an_incident("mail", opened_at=NOON - hour, resolved_at=NOON),
        an_incident("ledger", opened_at=NOON - 2 * hour),
    ]


@pytest.fixture
def writer(ask_with, make_token):
    return ask_with(make_token(["silence"])[1])


@pytest.mark.parametrize(
    ("query", "found"),
    [
        pytest.param("", ["fares-api", "mail", "ledger"], id="the newest first"),
        pytest.param("open=true", ["fares-api", "ledger"], id="open"),
        pytest.param("open=false", ["mail"], id="resolved"),
        pytest.param("service=mail", ["mail"], id="of a service"),
        pytest.param("environment=staging", [], id="of another environment"),
        pytest.param("from=2026-11-23T11:00:00Z", ["fares-api", "mail"], id="opened since"),
        pytest.param("to=2026-11-23T11:00:00Z", ["ledger"], id="opened before"),
    ],
)
def test_the_list_is_narrowed(ask, three, query, found):
    items = ask.get(f"{HERE}?{query}").json()["items"]
    assert [one["service"] for one in items] == found


def test_a_list_follows_its_cursor(ask, three):
    first = ask.get(f"{HERE}?limit=2").json()
    second = ask.get(f"{HERE}?limit=2&cursor={first['next']}").json()
    assert [one["service"] for one in second["items"]] == ["ledger"]


def test_no_query_a_row(ask, three, django_assert_max_num_queries):
    ask.get(HERE)
    for number in range(15):
        an_incident(f"more-{number}")
    with django_assert_max_num_queries(6):
        assert len(ask.get(HERE).json()["items"]) == 18


def test_one_incident_tells_its_paths_and_what_happened(ask, three):
    one = ask.get(f"{HERE}/{three[0].pk}").json()
    assert (one["is_open"], one["opened_at"]) == (True, NOON.isoformat())
    assert one["paths"] == [
        {"path": "price", "joined_at": NOON.isoformat(), "left_at": None, "reason": "status is 503"}
    ]
    assert [(entry["act"], entry["path"], entry["by"]) for entry in one["timeline"]] == [
        ("opened", "price", None)
    ]


def test_the_first_to_acknowledge_wins(writer, three):
    address = f"incidents/{three[0].pk}/acknowledgement"
    first, second = send(writer, address), send(writer, address)
    assert (first.status_code, first.json()["is_first"]) == (200, True)
    assert (second.json()["is_first"], second.json()["acknowledged_by"]) == (False, "Edith Moe")
    assert [act[:3] for act in acts()] == [
        ("acknowledged", "incident", str(three[0])),
        ("asked to acknowledge", "incident", str(three[0])),
    ]


def test_a_resolved_one_is_not_acknowledged(writer, three):
    answer = send(writer, f"incidents/{three[1].pk}/acknowledgement")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "resolved")
    assert acts() == []


def test_an_update_stands_in_what_happened(writer, three):
    address = f"incidents/{three[0].pk}/updates"
    told = {"text": "The cache is cold."}
    answer = send(writer, address, told, **{"Idempotency-Key": "1"})
    assert (answer.status_code, answer.json()["by"]) == (201, "Edith Moe")
    again = send(writer, address, told, **{"Idempotency-Key": "1"})
    assert (again.status_code, again.json()) == (200, answer.json())
    assert three[0].timeline.filter(act=TimelineEntry.Act.NOTED).count() == 1
    assert [act[0] for act in acts()] == ["updated"]


def test_an_empty_update_is_refused(writer, three):
    answer = send(writer, f"incidents/{three[0].pk}/updates", {"text": ""})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/text")


@pytest.mark.parametrize("number", [999, 2**63, 10**30])
def test_an_incident_that_is_not_there(ask, number):
    assert ask.get(f"{HERE}/{number}").status_code == 404


def test_a_token_sees_the_incidents_of_its_services(ask_with, make_token, three):
    ask = ask_with(make_token(["read", "silence"], services=["mail"])[1])
    assert [one["service"] for one in ask.get(HERE).json()["items"]] == ["mail"]
    assert ask.get(f"{HERE}?service=fares-api").status_code == 403
    assert ask.get(f"{HERE}/{three[0].pk}").status_code == 403
    assert send(ask, f"incidents/{three[0].pk}/acknowledgement").status_code == 403


def test_reading_does_not_allow_writing(ask, three):
    assert send(ask, f"incidents/{three[0].pk}/acknowledgement").status_code == 403


def test_the_likely_cause_is_told_in_its_sentence(ask, three):
    one = three[0]
    assert ask.get(f"{HERE}/{one.pk}").json()["cause"] is None
    one.cause = {"sentence": "2026.11.4 went out 3 min before.", "deploy": None, "moved": []}
    one.save()
    assert ask.get(f"{HERE}/{one.pk}").json()["cause"] == "2026.11.4 went out 3 min before."
