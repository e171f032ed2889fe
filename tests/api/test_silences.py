"""Silences in the API: listed, begun and ended."""

from datetime import timedelta

import pytest
from django.utils import timezone

from opsboard.alerts.models import Silence
from opsboard.services.models import Team
from tests.api.standing import acts, send
from tests.company import a_service

pytestmark = pytest.mark.django_db
HERE = "/api/v1/silences"
WHY = {"reason": "loading new fares", "service": "fares-api", "minutes": 30}


@pytest.fixture
def writer(ask_with, make_token):
    return ask_with(make_token(["read", "silence"])[1])


def test_a_path_is_silenced(writer, path):
    new = WHY | {"path": "price-a-crossing", "environment": "production"}
    answer = send(writer, "silences", new)
    assert answer.status_code == 201
    one = answer.json()
    assert one["about"] == "Price a crossing of Fares API in production"
    assert (one["in_force"], one["by"]) == (True, "Edith Moe")
    silence = Silence.objects.get()
    assert silence.ends_at - silence.starts_at == timedelta(minutes=30)
    assert acts() == [("added", "silence", one["about"], "api")]


def test_a_silence_is_ended_once(writer, path):
    number = send(writer, "silences", WHY).json()["number"]
    first = send(writer, f"silences/{number}/end")
    assert (first.status_code, first.json()["in_force"]) == (200, False)
    again = send(writer, f"silences/{number}/end")
    assert again.json()["ends_at"] == first.json()["ends_at"]
    assert [act[0] for act in acts()] == ["added", "ended"]


def test_a_list_says_which_hold(writer, path):
    kept = send(writer, "silences", WHY).json()["number"]
    ended = send(writer, "silences", WHY).json()["number"]
    send(writer, f"silences/{ended}/end")
    assert _numbers(writer, "") == [ended, kept]
    assert _numbers(writer, "in_force=true") == [kept]
    assert _numbers(writer, "in_force=false") == [ended]
    assert _numbers(writer, "service=mail") == []


def _numbers(ask, query):
    return [one["number"] for one in ask.get(f"{HERE}?{query}").json()["items"]]


@pytest.mark.parametrize(
    ("change", "status", "pointer"),
    [
        pytest.param({"minutes": None}, 422, "/minutes", id="no end"),
        pytest.param({"ends_at": "2027-01-01T00:00:00Z"}, 422, "/minutes", id="two ends"),
        pytest.param({"minutes": 43_201}, 422, "/minutes", id="longer than 30 days"),
        pytest.param(
            {"starts_at": "2020-01-01T00:00:00Z"}, 422, "/starts_at", id="a time that is past"
        ),
        pytest.param({"reason": ""}, 422, "/reason", id="no reason"),
        pytest.param({"service": "", "path": "x"}, 422, "/service", id="a path of no service"),
        pytest.param({"team": "booking"}, 422, "", id="nothing is both"),
        pytest.param({"service": "other"}, 404, None, id="no such service"),
        pytest.param({"environment": "moon"}, 404, None, id="no such environment"),
    ],
)
def test_a_silence_that_cannot_be(writer, path, change, status, pointer):
    Team.objects.create(slug="booking", name="Booking")
    answer = send(writer, "silences", WHY | change)
    assert answer.status_code == status
    assert answer.json()["errors"][0].get("pointer") == pointer
    assert Silence.objects.count() == 0


def test_a_token_silences_its_own_services_only(ask_with, make_token, path):
    a_service("mail")
    ask = ask_with(make_token(["read", "silence"], services=["fares-api"])[1])
    assert send(ask, "silences", WHY).status_code == 201
    assert send(ask, "silences", WHY | {"service": "mail"}).status_code == 403
    assert send(ask, "silences", {"reason": "all", "minutes": 5}).status_code == 403
    now = timezone.now()
    whole = Silence.objects.create(reason="all", starts_at=now, ends_at=now + timedelta(hours=1))
    assert send(ask, f"silences/{whole.pk}/end").status_code == 403
    assert len(_numbers(ask, "")) == 1


def test_reading_does_not_allow_silencing(ask, path):
    assert send(ask, "silences", WHY).status_code == 403
    assert ask.get(HERE).status_code == 200


def test_a_silence_that_is_not_there(writer):
    assert send(writer, "silences/99/end").status_code == 404
