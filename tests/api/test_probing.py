"""Asking now through the API, against real machines: nothing is recorded."""

import threading
import time
from http.client import HTTPConnection
from queue import SimpleQueue

import pytest
from django.utils import timezone

from opsboard.api import probing
from opsboard.people.models import AnsweredRequest
from opsboard.probes.asking import ask_all, order_now
from opsboard.probes.models import Observation
from tests.api.standing import acts, send
from tests.company import a_path
from tests.far_side import FarSide, answer, hang, routes

pytestmark = pytest.mark.django_db
SECOND = 1_000_000


@pytest.fixture
def machine(environment):
    behaviours = {
        "/price": answer(200, body=b'{"total": 120}'),
        "/broken": answer(503),
        "/silent": hang(),
    }
    with FarSide(routes(behaviours)) as one:
        environment.base_url = one.url("").rstrip("/")
        environment.save()
        yield one


def test_one_path_is_asked_and_nothing_recorded(ask, path, machine):
    answered = send(ask, "services/fares-api/paths/price-a-crossing/probes")
    assert answered.status_code == 200
    said = answered.json()
    assert (said["verdict"], said["environment"], said["facts"]["status"]) == (
        "passing", "production", 200,
    )  # fmt: skip
    assert said["clauses"] == [{"clause": "status == 200", "held": True, "got": "200"}]
    assert said["phases_ms"]["total"] > 0
    assert len(machine.requests) == 1
    assert Observation.objects.count() == 0
    assert acts() == [("asked now", "path", "fares-api/price-a-crossing", "api")]


def test_a_path_of_several_steps_is_answered_step_by_step(ask, path, machine):
    path.steps = [
        {"name": "Price", "route": "/price", "take": {"total": "json $.total"}},
        {"name": "Pay", "route": "/broken"},
        {"name": "Receipt", "route": "/price"},
    ]
    path.expected_result = "time < 5 s"
    path.save()
    said = send(ask, "services/fares-api/paths/price-a-crossing/probes").json()
    assert (said["verdict"], said["facts"]["status"]) == ("failing", 503)
    assert [step["verdict"] for step in said["steps"]] == ["passing", "failing", None]
    assert said["clauses"] == [{"clause": "time < 5 s", "held": None, "got": "not judged"}]


def test_a_clause_about_many_observations_is_told_as_not_judged(ask, path, machine):
    path.expected_result = "errors < 5 % over 30 m"
    path.save()
    said = send(ask, "services/fares-api/paths/price-a-crossing/probes").json()
    assert said["clauses"][1]["held"] is None


def test_a_key_holds_no_transaction_while_another_machine_is_waited_for(ask, path, machine):
    address = "services/fares-api/paths/price-a-crossing/probes"
    for _ in range(2):
        send(ask, address, **{"Idempotency-Key": "1"})
    assert len(machine.requests) == 2
    assert AnsweredRequest.objects.count() == 0


def test_an_environment_where_it_is_not_asked(ask, path, machine):
    answered = send(ask, "services/fares-api/paths/price-a-crossing/probes?environment=stagin")
    assert answered.status_code == 404
    assert answered.json()["errors"][0]["field"] == "environment"


def test_a_secret_that_comes_back_is_masked(ask, path, environment, machine):
    variable = environment.variables.create(name="TOKEN", is_secret=True)
    variable.keep("very-secret-token")
    variable.save()
    path.route, path.expected_result = "/{{ TOKEN }}", "body contains 'x'"
    path.save()
    said = send(ask, "services/fares-api/paths/price-a-crossing/probes").content.decode()
    assert "very-secret-token" not in said


def test_a_check_asks_every_path_at_once(ask, path, machine):
    a_path(path.service, slug="broken", route="/broken")
    a_path(path.service, slug="warned", route="/price", expected_result="warn status == 201")
    a_path(path.service, slug="asleep", route="/price", paused_at=timezone.now())
    said = send(ask, "services/fares-api/check?environment=production").json()
    assert said["verdict"] == "failing"
    assert {one["path"]: one["verdict"] for one in said["paths"]} == {
        "asleep": "paused", "broken": "failing", "price-a-crossing": "passing",
        "warned": "warning",
    }  # fmt: skip
    assert len(machine.requests) == 3
    assert Observation.objects.count() == 0
    assert acts() == [("asked now", "service", "fares-api", "api")]


@pytest.mark.parametrize(
    ("verdicts", "whole"),
    [
        pytest.param(["passing", "passing"], "passing", id="all pass"),
        pytest.param(["passing", "paused"], "warning", id="one was not asked"),
        pytest.param(["paused"], "warning", id="none was asked"),
        pytest.param(["error", "warning"], "error", id="an error of ours"),
        pytest.param(["error", "failing"], "failing", id="a failing one is the word for all"),
    ],
)
def test_the_whole_never_looks_greener_than_its_paths(verdicts, whole):
    assert probing.whole_of(verdicts) == whole


def test_a_service_without_a_path_there_is_not_checked(ask, environment):
    assert send(ask, "services/fares-api/check").status_code == 409


def test_a_check_is_bounded_in_time(path, environment, machine):
    paths = [path, a_path(path.service, slug="silent", route="/silent")]
    orders = [order_now(one, environment) for one in paths]
    began = time.monotonic()
    heard = ask_all(orders, now=timezone.now(), within=SECOND)
    assert time.monotonic() - began < 3
    assert [one.verdict.name for _, one in heard] == ["PASSING", "FAILING"]


def test_a_check_takes_few_queries(ask, path, machine, django_assert_max_num_queries):
    for number in range(10):
        a_path(path.service, slug=f"more-{number}", route="/price")
    with django_assert_max_num_queries(12):
        assert send(ask, "services/fares-api/check").json()["verdict"] == "passing"


def test_no_more_than_two_wait_in_one_process(ask, path, machine, monkeypatch):
    """The places are taken as two requests that wait would hold them."""
    places = threading.BoundedSemaphore(probing.AT_ONCE)
    monkeypatch.setattr(probing, "_places", places)
    for _ in range(probing.AT_ONCE):
        places.acquire()
    for address in ("paths/price-a-crossing/probes", "check"):
        busy = send(ask, f"services/fares-api/{address}")
        assert (busy.status_code, busy["Retry-After"]) == (429, "5")
    assert machine.requests == []
    places.release()
    assert send(ask, "services/fares-api/check").status_code == 200
    # The place is free again.
    assert places.acquire(blocking=False)


@pytest.mark.parametrize("services", [[], ["mail"]], ids=["may only read", "another service"])
def test_a_token_that_may_not_ask(ask_with, make_token, path, machine, services):
    scopes = ["read", "release"] if services else ["read"]
    ask = ask_with(make_token(scopes, services=services)[1])
    for address in ("paths/price-a-crossing/probes", "check"):
        assert send(ask, f"services/fares-api/{address}").status_code == 403
    assert machine.requests == []


@pytest.mark.django_db(transaction=True)
def test_a_real_server_lets_a_third_asker_go_while_two_wait(live_server, make_token, path, machine):
    path.route, path.timeout = "/silent", 2 * SECOND
    path.save()
    token, answers = make_token()[1], SimpleQueue()

    def ask() -> None:
        connection = HTTPConnection(live_server.thread.host, live_server.thread.port, timeout=10)
        address = "/api/v1/services/fares-api/paths/price-a-crossing/probes"
        connection.request("POST", address, headers={"Authorization": f"Bearer {token}"})
        answers.put(connection.getresponse().status)
        connection.close()

    askers = [threading.Thread(target=ask) for _ in range(4)]
    for one in askers:
        one.start()
    for one in askers:
        one.join(10)
    statuses = sorted(answers.get_nowait() for _ in askers)
    assert statuses == [200, 200, 429, 429]
