"""Every address of the API: nothing is told or done without a token that allows it."""

import pytest

from opsboard.api.app import api
from tests.company import NOON

pytestmark = pytest.mark.django_db
OPERATIONS = sorted(
    (method, address)
    for address, operations in api.get_openapi_schema()["paths"].items()
    for method in operations
)
# Where a query has to say something.
ASKED = {"observations": "?environment=production"}


@pytest.fixture
def at(service, environment, path):
    """The address with every part standing for something that exists, or for a number."""
    service.releases.create(version="1.4.0", commit="a" * 40, named_at=NOON)
    parts = {
        "{service}": "fares-api", "{path}": "price-a-crossing", "{version}": "1.4.0",
        "{environment}": "production", "{number}": "1", "{gate}": "unit",
    }  # fmt: skip

    def address(route: str) -> str:
        for part, value in parts.items():
            route = route.replace(part, value)
        # Others have their parts of their own: a number finds nothing.
        return "/".join("1" if part.startswith("{") else part for part in route.split("/"))

    return address


def send(ask, method: str, address: str):
    return ask.generic(method.upper(), address, b"", "application/json")


def test_without_a_token_nothing_is_told(client, at):
    answers = {one: send(client, one[0], at(one[1])) for one in OPERATIONS}
    assert {one: answer.status_code for one, answer in answers.items()} == dict.fromkeys(
        OPERATIONS, 401
    )


def test_a_token_that_allows_nothing_is_told_nothing(ask_with, make_token, at, settings):
    settings.TOKEN_REQUESTS_A_MINUTE = 1_000
    ask = ask_with(make_token([])[1])
    statuses = {}
    for method, route in OPERATIONS:
        query = ASKED.get(route.rpartition("/")[2], "")
        statuses[method, route] = send(ask, method, at(route) + query).status_code
    # A body is looked at first.
    opened = {
        one: status
        for one, status in statuses.items()
        if status != 403 and not (one[0] == "post" and status == 422)
    }
    assert opened == {}
    assert len(statuses) >= 30
