"""The list of releases says how many are ready, what each lacks, and what became of the others."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from opsboard.releases.models import Decision, Release
from opsboard.releases.reading import read_readiness
from opsboard.services.models import Service, Team
from tests.web.releases import (
    COMMIT,
    HOUR,
    a_freeze,
    a_release,
    an_override,
    evidence,
    now,
    went_out,
)
from tests.web.standing import text_of

SignIn = Callable[[Any], Client]
HERE = "/releases"


@pytest.fixture
def client(client_of: SignIn) -> Client:
    return client_of("editor")


@pytest.fixture
def here(client: Client) -> Callable[..., str]:
    return lambda **asked: text_of(client.get(HERE, asked).text)


def test_without_a_release_it_says_how_to_name_one(client, service):
    page = client.get(HERE).text
    assert "No release is waiting" in page
    assert 'href="/releases/new"' in page
    assert "opsboard release create --service" in page
    assert "POST /api/v1/services/fares-api/releases" in page


def test_what_waits_is_shown_with_what_it_lacks(here, environment, service):
    release = a_release(service, summary="Load fare rules in one query")
    evidence(release, "lint")
    evidence(release, "unit", "failed")
    page = here()
    assert "The one release that waits is not ready" in page
    assert "Fares API 2026.11.4" in page
    assert "Load fare rules in one query" in page
    assert "Not met: Unit tests" in page
    assert "No evidence:" in page


def test_the_pips_are_as_many_as_the_count_says(client, environment, service):
    release = a_release(service)
    evidence(release, "lint")
    readiness = read_readiness([release], now=now())[release.pk]
    page = client.get(HERE).text
    assert f"{readiness.met} of {len(readiness.required)} met" in page
    row = page.split('class="pips"')[1].split("</span>")[0]
    assert row.count("<svg") == len(readiness.required)
    assert row.count('class="gate-met"') == readiness.met


def test_an_overridden_gate_is_a_diamond_and_never_a_tick(client, environment, service, editor):
    release = a_release(service)
    for gate in [one.gate for one in read_readiness([release], now=now())[release.pk].reasons]:
        an_override(release, gate, by=editor, is_alone=True)
    page = client.get(HERE).text
    assert "Overridden" in page
    row = page.split('class="pips"')[1].split("</span>")[0]
    assert "gate-over" in row
    assert "gate-met" not in row
    assert "Ready</span>" not in page


def test_a_freeze_is_said_first(here, environment, service):
    a_release(service)
    a_freeze(service=service)
    assert "Freeze: first week of the winter timetable." in here()


def test_the_soonest_stand_first_and_those_without_a_plan_last(client, environment, service):
    a_release(service, "3", commit="3" * 40)
    a_release(service, "2", commit="2" * 40, planned_at=now() + 2 * HOUR)
    a_release(service, "1", commit="1" * 40, planned_at=now() + HOUR)
    page = client.get(HERE).text
    assert page.index(f"{HERE}/fares-api/1") < page.index(f"{HERE}/fares-api/2")
    assert page.index(f"{HERE}/fares-api/2") < page.index(f"{HERE}/fares-api/3")


def test_what_went_out_keeps_the_verdict_of_then(here, environment, service):
    release = a_release(service)
    went_out(release, kind=Decision.Kind.RELEASED_ANYWAY, reason="The ferry sails at noon")
    page = here()
    assert "No release is waiting" in page
    assert "Not ready" in page
    assert "released anyway" in page
    assert "CI run 18204" in page


def test_a_withdrawn_release_waits_no_more(here, environment, service):
    a_release(service, withdrawn_at=now())
    assert "Fares API 2026.11.4" not in here()


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ({"service": "fares-api"}, "Fares API"),
        ({"service": "nothing"}, ""),
        ({"team": "pricing"}, "Fares API"),
        ({"team": "crew"}, "Rota"),
        ({"environment": "staging"}, "Rota"),
        ({"environment": "production"}, "Fares API"),
    ],
    ids=lambda value: str(value),
)
def test_it_is_filtered(here, environment, service, asked, shown):
    crew = Team.objects.create(slug="crew", name="Crew")
    rota = Service.objects.create(slug="rota", name="Rota", team=crew)
    rota.environments.create(slug="staging", base_url="http://127.0.0.1:9")
    a_release(service, "1.0")
    a_release(rota, "2.0", environment_slug="staging")
    page = here(**asked)
    assert ("Fares API 1.0" in page) is (shown == "Fares API")
    assert ("Rota 2.0" in page) is (shown == "Rota")


def many(service: Service, *, waiting: int, released: int) -> None:
    begun = now() - timedelta(days=30)
    Release.objects.bulk_create(
        Release(
            service=service,
            version=f"1.{number}",
            commit=f"{number:040x}",
            named_at=begun,
            planned_at=now() + number * HOUR,
            released_at=begun + number * HOUR if number >= waiting else None,
        )
        for number in range(waiting + released)
    )
    Decision.objects.bulk_create(
        Decision(
            release=one, kind=Decision.Kind.RELEASED, at=one.released_at,
            environment_slug="production", by_name="ci",
        )
        for one in Release.objects.filter(service=service, released_at__isnull=False)
    )  # fmt: skip


def test_long_lists_are_turned_page_by_page(client, environment, service):
    many(service, waiting=30, released=30)
    first = client.get(HERE).text
    assert "0 of 20 releases shown are ready" in first
    assert "1 to 20 of 30 waiting releases" in text_of(first)
    assert f'{HERE}/fares-api/1.19"' in first
    assert f'{HERE}/fares-api/1.20"' not in first
    second = client.get(HERE, {"waiting": "2", "service": "fares-api"}).text
    assert f'{HERE}/fares-api/1.20"' in second
    assert "?service=fares-api&amp;waiting=1" in second


@pytest.mark.parametrize("page", ["0", "-1", "x", "99999999999", "٣", "1e9"])
def test_a_page_that_is_none_is_an_answer_all_the_same(client, environment, service, page):
    a_release(service)
    assert client.get(HERE, {"waiting": page, "released": page}).status_code == 200


def test_500_releases_cost_no_more_queries_than_a_few(client, environment, service):
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            client.get(HERE)
        return len(asked)

    many(service, waiting=2, released=2)
    few = queries()
    Release.objects.all().delete()
    many(service, waiting=250, released=250)
    assert queries() == few


def test_a_viewer_is_offered_nothing_to_change(client_of, environment, service):
    a_release(service, commit=COMMIT)
    page = client_of("viewer").get(HERE).text
    assert "Plan a release" not in page
