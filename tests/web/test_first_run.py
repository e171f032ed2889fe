"""Pasting an address or a curl command puts a path on the board."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client

from opsboard.probes.models import Probe
from opsboard.services.models import CriticalPath, Environment, Service, Team
from tests.far_side import FarSide, answer, routes

SignIn = Callable[[Any], Client]
JSON = ("Content-Type", "application/json")


@pytest.fixture
def machine() -> Iterator[FarSide]:
    ok = answer(200, JSON, body=b'{"ok": true}')
    with FarSide(routes({"/health": ok, "/price": ok, "/": answer(404)})) as machine:
        yield machine


@pytest.fixture
def client(client_of: SignIn) -> Client:
    return client_of("editor")


def saved(client: Client, pasted: str, **fields: str) -> Any:
    values = {"service": "Fares API", "owner": "Pricing", "name": "Price a crossing"}
    values |= {"expected_result": "status == 200"}
    data = {"act": "save", "pasted": pasted, **values, **fields}
    return client.post("/add", data)


def test_it_begins_with_one_field(client: Client) -> None:
    page = client.get("/add").text
    assert "Put your first critical path on the board" in page
    assert page.count("<textarea") == 1
    assert 'name="service"' not in page


def test_asking_shows_the_reply_and_proposes_clauses_from_it(
    client: Client, machine: FarSide
) -> None:
    page = client.post("/add", {"act": "ask", "pasted": machine.url("/price")})
    assert page.status_code == 200
    assert "Answered 200 in" in page.text
    assert "{&quot;ok&quot;: true}" in page.text
    assert "Content-Type: application/json" in page.text
    proposed = page.context["form"]["expected_result"].value()
    assert proposed.startswith("status == 200\njson $.ok == true")
    assert len(machine.requests) == 1
    assert not CriticalPath.objects.exists()


def test_names_are_guessed_from_the_address(client: Client, machine: FarSide) -> None:
    Team.objects.create(slug="pricing", name="Pricing")
    page = client.post("/add", {"act": "ask", "pasted": machine.url("/v1/price-crossings/7")})
    form = page.context["form"]
    assert form["name"].value() == "Price crossings"
    assert form["owner"].value() == "Pricing"


def test_what_was_typed_is_kept_when_asking_again(client: Client, machine: FarSide) -> None:
    typed = {"service": "Mine", "owner": "Us", "name": "N", "expected_result": "status == 201"}
    page = client.post("/add", {"act": "ask", "pasted": machine.url("/price"), **typed})
    form = page.context["form"]
    assert {name: form[name].value() for name in typed} == typed
    assert page.context["asked"].clauses[0].got == "200"
    assert page.context["asked"].clauses[0].state == "failing"


def test_an_unchanged_proposal_follows_the_new_reply(client: Client, machine: FarSide) -> None:
    typed = {"expected_result": "status == 500", "proposed": "status == 500"}
    page = client.post("/add", {"act": "ask", "pasted": machine.url("/price"), **typed})
    assert page.context["form"]["expected_result"].value().startswith("status == 200")


def test_saving_makes_team_service_environment_path_and_probes(
    client: Client, machine: FarSide
) -> None:
    answered = saved(client, machine.url("/price?from=SK1"))
    assert answered["Location"] == "/services/fares-api/price-a-crossing"
    path = CriticalPath.objects.get(slug="price-a-crossing")
    assert (path.method, path.route, path.query) == ("GET", "/price", [["from", "SK1"]])
    assert path.service.name == "Fares API"
    assert path.service.team.slug == "pricing"
    assert path.owner is None
    environment = path.service.environments.get()
    assert (environment.slug, environment.base_url) == ("production", machine.url(""))
    assert Probe.objects.filter(path=path, environment=environment).count() == 1


def test_a_health_path_is_made_beside_it_asked_once_and_told(
    client: Client, machine: FarSide
) -> None:
    answered = saved(client, machine.url("/price"))
    health = CriticalPath.objects.get(slug="health")
    assert (health.method, health.route) == ("GET", "/")
    # The root answered 404: the service is up all the same.
    assert health.expected_result == "status in 200..399, 404"
    assert [request.path for request in machine.requests] == ["/"]
    messages = [str(message) for message in answered.wsgi_request._messages]
    assert any("/services/fares-api/health/edit" in message for message in messages)


@pytest.mark.parametrize("address", ["/health", "/"])
def test_an_address_of_health_becomes_the_path_health(
    client: Client, machine: FarSide, address: str
) -> None:
    saved(client, machine.url(address), name="It is up")
    path = CriticalPath.objects.get()
    assert (path.slug, path.name, path.route) == ("health", "It is up", address)
    assert machine.requests == []


def test_a_curl_command_is_asked_and_stored_whole(client: Client, machine: FarSide) -> None:
    command = f"curl -X POST -H 'X-Trace: 1' --json '{{\"to\": 2}}' {machine.url('/price')}"
    client.post("/add", {"act": "ask", "pasted": command})
    assert machine.requests[0].method == "POST"
    assert machine.requests[0].body == b'{"to": 2}'
    assert machine.requests[0].header("X-Trace") == "1"
    saved(client, command)
    path = CriticalPath.objects.get(slug="price-a-crossing")
    assert (path.method, path.body, path.follows_redirects) == ("POST", '{"to": 2}', False)
    assert ["X-Trace", "1"] in path.headers


def test_secrets_are_sent_kept_encrypted_and_never_shown_in_the_reply(
    client: Client, machine: FarSide
) -> None:
    machine.behaviour = answer(200, body=b"you said sesame-42")
    command = f"curl -H 'Authorization: Bearer sesame-42' {machine.url('/price')}"
    page = client.post("/add", {"act": "ask", "pasted": command})
    assert machine.requests[0].header("Authorization") == "Bearer sesame-42"
    assert "you said [secret]" in page.text
    assert "{{ AUTHORIZATION }}" in page.text.replace("&#123;", "{").replace("&#125;", "}")
    saved(client, command)
    variable = Environment.objects.get().variables.get()
    assert (variable.name, variable.is_secret) == ("AUTHORIZATION", True)
    assert "sesame" not in variable.value
    assert variable.reveal() == "sesame-42"
    path = CriticalPath.objects.get(slug="price-a-crossing")
    assert path.headers == [["Authorization", "Bearer {{ AUTHORIZATION }}"]]


def test_an_existing_service_and_team_are_used(
    client: Client, machine: FarSide, service: Service
) -> None:
    service.environments.create(slug="production", base_url=machine.url(""))
    service.paths.create(slug="health", name="Health", route="/health")
    page = client.post("/add", {"act": "ask", "pasted": machine.url("/price")})
    assert page.context["form"]["service"].value() == "Fares API"
    assert page.context["form"]["owner"].value() == "Pricing"
    saved(client, machine.url("/price"), service="fares api", owner="")
    assert Service.objects.get() == service
    assert service.paths.get(slug="price-a-crossing").route == "/price"
    assert service.paths.count() == 2


def test_another_owner_of_an_existing_service_owns_the_path_only(
    client: Client, machine: FarSide, service: Service
) -> None:
    saved(client, machine.url("/price"), owner="Crossings")
    path = service.paths.get(slug="price-a-crossing")
    assert path.owner is not None
    assert path.owner.name == "Crossings"
    assert service.team.name == "Pricing"


def test_an_address_elsewhere_is_kept_whole(
    client: Client, machine: FarSide, service: Service, environment: Environment
) -> None:
    saved(client, machine.url("/price"))
    assert service.paths.get(slug="price-a-crossing").route == machine.url("/price")


def test_with_several_environments_the_path_runs_in_the_one_it_was_pasted_from(
    client: Client, machine: FarSide, service: Service, environment: Environment
) -> None:
    staging = service.environments.create(slug="staging", base_url=machine.url(""))
    saved(client, machine.url("/price"))
    path = service.paths.get(slug="price-a-crossing")
    assert list(path.environments.all()) == [staging]
    assert path.route == "/price"


def test_what_does_not_answer_can_still_be_saved(client: Client) -> None:
    with FarSide(answer()) as gone:
        url = gone.url("/price")
    page = client.post("/add", {"act": "ask", "pasted": url})
    assert page.status_code == 200
    assert "refused" in page.text
    assert page.context["form"]["expected_result"].value() == "status == 200"
    assert saved(client, url).status_code == 302


@pytest.mark.parametrize(
    ("pasted", "says"),
    [
        ("", "Fill this in."),
        ("ftp://a.test/", "Only http:// or https://"),
        ("curl -k http://a.test/", "certificate does not verify"),
        ("http://169.254.169.254/latest", "metadata service"),
        ("http://203.0.113.5/", "set OPSBOARD_EGRESS_ALLOW=203.0.113.5/32"),
    ],
)
@pytest.mark.parametrize("act", ["ask", "save"])
def test_what_cannot_be_asked_is_refused_beside_the_field(
    client: Client, pasted: str, says: str, act: str
) -> None:
    page = client.post("/add", {"act": act, "pasted": pasted})
    assert page.status_code == 422
    assert says in " ".join(page.context["form"].errors["pasted"])
    assert 'aria-invalid="true"' in page.text
    assert "to fix first" in page.text
    assert not Service.objects.exists()


def test_every_mistake_is_told_and_the_input_is_kept(client: Client, machine: FarSide) -> None:
    page = saved(
        client,
        machine.url("/price"),
        service="",
        owner="",
        name="x" * 121,
        expected_result="respnse contains 1\nstatus = 200",
    )
    assert page.status_code == 422
    assert "Line 1, column 1" in page.text
    assert "Line 2, column 8" in page.text
    assert "At most 120 characters" in page.text
    assert "respnse contains 1" in page.text
    assert "3 things to fix first".replace(" ", "\N{NO-BREAK SPACE}", 1) in page.text


def test_a_new_service_needs_an_owner(client: Client, machine: FarSide) -> None:
    page = saved(client, machine.url("/price"), owner="")
    assert page.context["form"].errors["owner"] == ["Say which team owns the new service."]


def test_a_window_too_short_for_the_interval_is_refused(client: Client, machine: FarSide) -> None:
    page = saved(client, machine.url("/price"), expected_result="errors < 1 % over 1 m")
    assert "needs 20 observations" in page.context["form"].errors["expected_result"][0]


@pytest.mark.parametrize("name", ["Price", "health", "edit", "日本"])
def test_a_name_that_cannot_stand_in_an_address_is_refused(
    client: Client, machine: FarSide, service: Service, name: str
) -> None:
    service.paths.create(slug="price", name="Price", route="/")
    page = saved(client, machine.url("/price"), name=name)
    assert page.status_code == 422
    assert "name" in page.context["form"].errors


def test_viewers_may_not_add(client_of: SignIn) -> None:
    assert client_of("viewer").get("/add").status_code == 403
