"""Paging by cursor: nothing twice, nothing left out, and only with this board's own cursors."""

import pytest
from django.test import Client

from opsboard.services.models import Team

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.api.office")]


def all_pages(ask: Client, limit: int) -> list[list[str]]:
    pages, cursor = [], ""
    while cursor is not None:
        answer = ask.get(
            "/api/v1/teams", {"limit": limit, "cursor": cursor} if cursor else {"limit": limit}
        ).json()
        pages.append([team["slug"] for team in answer["items"]])
        cursor = answer["next"]
    return pages


def test_pages_hold_everything_once_in_order(ask: Client) -> None:
    for slug, name in [("a", "Same"), ("b", "Same"), ("c", "Alone"), ("d", "Zebra"), ("e", "Same")]:
        Team.objects.create(slug=slug, name=name)
    assert all_pages(ask, 2) == [["c", "e"], ["b", "a"], ["d"]]


def test_what_is_added_meanwhile_repeats_nothing(ask: Client) -> None:
    for slug in "bcd":
        Team.objects.create(slug=slug, name=slug)
    first = ask.get("/api/v1/teams?limit=2").json()
    Team.objects.create(slug="a", name="a")
    second = ask.get("/api/v1/teams", {"limit": 2, "cursor": first["next"]}).json()
    assert second == {"items": [{"slug": "d"}], "next": None}


@pytest.mark.parametrize("cursor", ["x", "W10", "eyJhIjoxfQ:abc", "ü", "a" * 999])
def test_a_cursor_that_is_none_is_refused(ask: Client, cursor: str) -> None:
    answer = ask.get("/api/v1/teams", {"cursor": cursor})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == "wrong_cursor"


@pytest.mark.parametrize("limit", ["0", "201", "x", "-1", "1e9"])
def test_a_limit_out_of_bounds_is_refused(ask: Client, limit: str) -> None:
    answer = ask.get("/api/v1/teams", {"limit": limit})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "limit"
