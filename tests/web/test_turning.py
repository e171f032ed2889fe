"""Long lists come at most 100 rows at a time, and the links between the pages keep the filters."""

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from opsboard.alerts.models import Silence
from opsboard.incidents.models import Incident
from opsboard.people.models import ApiToken, Role
from opsboard.rollbacks.models import RollbackNote
from opsboard.services.models import MaintenanceWindow, Service, Team
from opsboard.web.turning import Turning, turn
from tests.web.standing import text_of

HOUR = timedelta(hours=1)
ClientOf = Callable[[str], Client]


def moment() -> datetime:
    return datetime.now(UTC)


@pytest.mark.parametrize(
    ("count", "asked", "first", "last", "earlier", "later"),
    [
        (0, "", 0, 0, "", ""),
        (1, "", 1, 1, "", ""),
        (100, "", 1, 100, "", ""),
        (101, "", 1, 100, "", "?page=2"),
        (300, "2", 101, 200, "?", "?page=3"),
        (300, "3", 201, 300, "?page=2", ""),
        # Nobody is left on an empty page, whatever the address says.
        (300, "4", 201, 300, "?page=2", ""),
        (300, "-1", 201, 300, "?page=2", ""),
        (300, "two", 1, 100, "", "?page=2"),
        (300, "9" * 5000, 1, 100, "", "?page=2"),
    ],
)
def test_a_page_of_a_list_and_the_links_beside_it(count, asked, first, last, earlier, later):
    rows, turning = turn(range(1, count + 1), {"page": asked})
    assert turning == Turning(count, first, last, earlier, later)
    assert rows == (list(range(first, last + 1)) if count else [])


def test_links_keep_the_filters_and_the_page_of_the_other_list():
    asked = {"team": "pricing", "mine": "", "open": "2", "page": "2", "stray": "x"}
    _, turning = turn(range(300), asked, kept=("team", "mine", "open", "page"))
    assert turning.later == "?team=pricing&open=2&page=3"
    assert turning.earlier == "?team=pricing&open=2"


# Every list of a page with so many rows -----------------------------------------------------


def _incidents(count: int, service: Service, _: User) -> None:
    place = service.environments.get()
    at = moment() - 400 * HOUR
    Incident.objects.bulk_create(
        Incident(
            service=service, environment=place, title=f"Row {number}", opened_at=at,
            resolved_at=at + number * timedelta(minutes=1),
        )
        for number in range(count)
    )  # fmt: skip


def _notes(count: int, service: Service, _: User) -> None:
    for number in range(count):
        other = Service.objects.create(slug=f"s{number}", name=f"s{number}", team=service.team)
        RollbackNote.objects.create(service=other).write(
            title=f"Row {number}", use_when="", does_not_undo="", minutes=None, steps=[],
            reason="", by=None, now=moment(), base=0,
        )  # fmt: skip


def _teams(count: int, service: Service, _: User) -> None:
    Team.objects.bulk_create(
        Team(slug=f"t{number}", name=f"Row {number}") for number in range(count - 1)
    )


def _people(count: int, _: Service, __: User) -> None:
    users = User.objects.bulk_create(User(username=f"Row {number}") for number in range(count - 1))
    Role.objects.bulk_create(Role(user=user, name="viewer") for user in users)


def _tokens(count: int, _: Service, person: User) -> None:
    ApiToken.objects.bulk_create(
        ApiToken(
            name=f"Row {number}", prefix=f"p{number}", digest=f"{number}", scopes=["read"],
            made_by=person, made_at=moment(), expires_at=moment() + 400 * HOUR,
        )
        for number in range(count)
    )  # fmt: skip


def _silences(count: int, service: Service, person: User) -> None:
    Silence.objects.bulk_create(
        Silence(
            service=service, reason=f"Row {number}", starts_at=moment() - 2 * HOUR,
            ends_at=moment() - HOUR, by=person,
        )
        for number in range(count)
    )  # fmt: skip


def _windows(count: int, service: Service, person: User) -> None:
    MaintenanceWindow.objects.bulk_create(
        MaintenanceWindow(
            service=service, name=f"Row {number}", starts_on=moment().date() + 48 * HOUR,
            starts_at=time(3), minutes=60, planned_by=person, planned_at=moment(),
        )
        for number in range(count)
    )  # fmt: skip


def _removed(count: int, service: Service, person: User) -> None:
    Service.objects.bulk_create(
        Service(
            slug=f"r{number}", name=f"Row {number}", team=service.team, removed_at=moment(),
            removed_by=person,
        )
        for number in range(count)
    )  # fmt: skip


def _owned(count: int, service: Service, _: User) -> None:
    Service.objects.bulk_create(
        Service(slug=f"o{number}", name=f"Row {number}", team=service.team)
        for number in range(count - 1)
    )


LISTS = {
    "/incidents": (_incidents, "ended"),
    "/rollback-notes": (_notes, "rows"),
    "/teams": (_teams, "teams"),
    "/people": (_people, "people"),
    "/tokens": (_tokens, "rows"),
    "/alerts/silences": (_silences, "ended"),
    "/maintenance": (_windows, "coming"),
    "/removed": (_removed, "rows"),
    "/teams/pricing": (_owned, "owns"),
}


@pytest.mark.parametrize("address", LISTS)
def test_a_list_of_300_is_shown_100_at_a_time(
    client_of: ClientOf, service, environment, administrator, address
):
    fill, name = LISTS[address]
    fill(300, service, administrator)
    client = client_of("administrator")
    turned = "coming" if name == "coming" else "page"
    page = client.get(address)
    assert len(page.context[name]) == 100
    assert "1 to 100 of 300" in text_of(page.text)
    assert f'href="?{turned}=2"' in page.text
    last = client.get(f"{address}?{turned}=3")
    assert "201 to 300 of 300" in text_of(last.text)
    seen = {
        str(one) for number in (1, 2, 3) for one in _rows(client, address, turned, number, name)
    }
    assert len(seen) == 300


def _rows(client: Client, address: str, turned: str, number: int, name: str) -> list[object]:
    return [
        getattr(one, "pk", one) for one in client.get(f"{address}?{turned}={number}").context[name]
    ]


@pytest.mark.parametrize("address", LISTS)
@pytest.mark.parametrize("count", [1, 3])
def test_a_short_list_has_no_pages(
    client_of: ClientOf, service, environment, administrator, address, count
):
    fill, name = LISTS[address]
    fill(count, service, administrator)
    page = client_of("administrator").get(address)
    assert len(page.context[name]) == count
    assert 'aria-label="Pages of' not in page.text


@pytest.mark.parametrize("address", ["/incidents", "/tokens", "/teams", "/people", "/removed"])
def test_a_long_list_asks_the_database_no_more_than_a_short_one(
    client_of: ClientOf, service, environment, administrator, address
):
    fill, _ = LISTS[address]
    client = client_of("administrator")
    fill(3, service, administrator)
    few = _queries(client, address)
    Team.objects.exclude(slug="pricing").delete()
    User.objects.filter(username__startswith="Row").delete()
    ApiToken.objects.all().delete()
    Service.objects.exclude(pk=service.pk).delete()
    fill(150, service, administrator)
    assert _queries(client, address) <= few


def _queries(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as asked:
        assert client.get(address).status_code == 200
    return len(asked)
