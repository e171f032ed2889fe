"""A pasted request as a sheet writes it: secrets become variables, the query becomes lines."""

import pytest

from opsboard.web.curl import Pasted, read_pasted
from opsboard.web.sheet_request import sheet_request

TOKEN = "9f8e7d6c5b4a39281706f5e4d3c2b1a0"


def test_an_address_is_split_into_site_route_and_query() -> None:
    request = sheet_request(Pasted(url="http://a.test:8080/price?from=SK1&to=a+b%26"), {})
    assert (request.site, request.route) == ("http://a.test:8080", "/price")
    assert request.query == [("from", "SK1"), ("to", "a b&")]
    assert request.secrets == {}


def test_without_a_path_the_root_is_asked() -> None:
    assert sheet_request(Pasted(url="http://a.test?x=1"), {}).route == "/"


@pytest.mark.parametrize("query", ["flag", "a=1&flag", "a=%FF", "a=%0A", "a=%20b"])
def test_a_query_that_lines_cannot_say_stays_in_the_route(query: str) -> None:
    request = sheet_request(Pasted(url=f"http://a.test/x?{query}"), {})
    assert (request.route, request.query) == (f"/x?{query}", [])


@pytest.mark.parametrize(
    ("header", "kept", "secrets"),
    [
        ("Authorization: Bearer t0p", "Bearer {{ AUTHORIZATION }}", {"AUTHORIZATION": "t0p"}),
        ("Authorization: opaque", "{{ AUTHORIZATION }}", {"AUTHORIZATION": "opaque"}),
        ("Cookie: a=1; b=2", "{{ COOKIE }}", {"COOKIE": "a=1; b=2"}),
        ("X-Api-Key: k1", "{{ X_API_KEY }}", {"X_API_KEY": "k1"}),
        ("X-Auth-Token: k1", "{{ X_AUTH_TOKEN }}", {"X_AUTH_TOKEN": "k1"}),
        ("Accept: text/html", "text/html", {}),
    ],
)
def test_credentials_in_headers_become_variables(
    header: str, kept: str, secrets: dict[str, str]
) -> None:
    request = sheet_request(read_pasted(f"curl -H '{header}' http://a.test/"), {})
    assert request.headers[0][1] == kept
    assert request.secrets == secrets


def test_user_and_password_become_one_variable() -> None:
    request = sheet_request(read_pasted("curl -u ana:pw http://a.test/"), {})
    assert request.headers == [("Authorization", "Basic {{ AUTHORIZATION }}")]
    assert request.secrets == {"AUTHORIZATION": "YW5hOnB3"}


@pytest.mark.parametrize(
    ("pair", "is_secret"),
    [
        ("token=x", True),
        ("api_key=x", True),
        ("sig=x", True),
        (f"q={TOKEN}", True),
        ("from=SK1", False),
        ("id=123e4567-e89b-12d3-a456-426614174000", False),
        ("words=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", False),
        ("token=", False),
    ],
)
def test_values_that_look_like_a_token_become_variables(pair: str, is_secret: bool) -> None:
    request = sheet_request(Pasted(url=f"http://a.test/?{pair}"), {})
    name, _, value = pair.partition("=")
    assert request.query == [(name, f"{{{{ {name.upper()} }}}}" if is_secret else value)]
    assert request.secrets == ({name.upper(): value} if is_secret else {})


def test_a_secret_in_a_query_that_stays_in_the_route_is_hidden_too() -> None:
    request = sheet_request(Pasted(url=f"http://a.test/x?flag&token={TOKEN}"), {})
    assert request.route == "/x?flag&token={{ TOKEN }}"


def test_a_variable_of_the_same_value_is_used_again() -> None:
    request = sheet_request(Pasted(url="http://a.test/?token=x"), {"TOKEN": "x"})
    assert request.query == [("token", "{{ TOKEN }}")]


def test_a_variable_of_another_value_is_never_replaced() -> None:
    request = sheet_request(Pasted(url="http://a.test/?token=x"), {"TOKEN": "y"})
    assert request.query == [("token", "{{ TOKEN_2 }}")]
    assert request.secrets == {"TOKEN_2": "x"}


@pytest.mark.parametrize(
    ("url", "is_health"),
    [
        ("http://a.test/", True),
        ("http://a.test", True),
        ("http://a.test/healthz", True),
        ("http://a.test/api/Health/", True),
        ("http://a.test/readyz?full=1", True),
        ("http://a.test/price", False),
        ("http://a.test/health/history", False),
    ],
)
def test_an_address_of_health_is_told(url: str, is_health: bool) -> None:
    assert sheet_request(Pasted(url=url), {}).is_health is is_health


def test_only_reading_is_health() -> None:
    assert not sheet_request(Pasted(method="POST", url="http://a.test/up"), {}).is_health
