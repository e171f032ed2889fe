"""Asking through a cache: as users do, when it is warm, and past it."""

import threading
from collections.abc import Iterator

import pytest
from django.utils import timezone

from opsboard.probes.asking import ask_order, order_now, place_of
from opsboard.probes.models import Observation
from opsboard.probes.rules import Judgement, Verdict
from opsboard.probes.stored import CACHE
from tests.far_side import FarSide, Visit, answer, hang
from tests.probes.shop import a_path_through, drained

pytestmark = pytest.mark.django_db


class Cache(FarSide):
    """Keeps every good answer to GET by its whole address, and says hit or miss."""

    def __init__(self) -> None:
        self.is_away = False
        self._kept: set[str] = set()
        self._lock = threading.Lock()
        super().__init__(self._serve_one)

    def _serve_one(self, visit: Visit) -> None:
        if self.is_away:
            hang()(visit)
        assert visit.request
        asks_again = visit.request.header("Cache-Control") == "no-cache"
        with self._lock:
            is_kept = visit.request.path in self._kept and not asks_again
            if visit.request.method == "GET":
                self._kept.add(visit.request.path)
        answer(200, ("Cache-Status", "edge; hit" if is_kept else "edge; fwd=uri-miss"))(visit)


@pytest.fixture
def cache() -> Iterator[Cache]:
    with Cache() as machine:
        yield machine


def asked(cache: Cache, mode: str, **fields: object) -> Judgement:
    values = {"route": "/price", "expected_result": "cache is hit", "steps": []} | fields
    path = a_path_through(cache, cache_mode=mode, **values)
    return ask_order(order_now(path, place_of(path, None)), now=timezone.now())[1]


def test_as_is_it_is_asked_once_as_a_user_would(cache: Cache):
    assert asked(cache, "as is").verdict is Verdict.FAILING
    assert asked(cache, "as is").verdict is Verdict.PASSING
    assert [request.path for request in cache.requests] == ["/price", "/price"]


def test_warm_it_is_asked_twice_and_the_second_is_judged(cache: Cache):
    assert asked(cache, "warm").verdict is Verdict.PASSING
    assert len(cache.requests) == 2


def test_a_worker_stores_one_observation_of_a_warm_path(cache: Cache):
    drained(a_path_through(cache, steps=[], cache_mode="warm", route="/price"))
    observation = Observation.objects.get()
    assert CACHE[observation.cache] == "hit"
    assert observation.steps is None


def test_a_warm_path_whose_first_request_gets_no_reply_fails_within_its_timeout(cache: Cache):
    cache.is_away = True
    judgement = asked(cache, "warm", timeout=200_000)
    assert judgement.verdict is Verdict.FAILING
    assert judgement.reason.startswith("The first of two requests: ")
    assert len(cache.requests) == 1


def test_what_may_change_something_is_never_asked_twice(cache: Cache):
    asked(cache, "warm", method="POST")
    assert len(cache.requests) == 1


def test_cold_by_query_no_cache_has_ever_seen_the_address(cache: Cache):
    for _ in range(3):
        judgement = asked(cache, "cold query", query=[["from", "SK1"]])
        assert judgement.facts.cache == "miss"
    addresses = {request.path for request in cache.requests}
    assert len(addresses) == 3
    assert all(one.startswith("/price?from=SK1&opsboard-cold=") for one in addresses)


def test_cold_by_header_the_cache_is_told_to_ask_again(cache: Cache):
    asked(cache, "as is")
    header = [["cache-control", "max-age=60"]]
    assert asked(cache, "cold header", headers=header).facts.cache == "miss"
    sent = [pair for pair in cache.requests[1].headers if pair[0].lower() == "cache-control"]
    assert sent == [("Cache-Control", "no-cache")]


STEPS = [
    {"name": "Show", "route": "/show"},
    {"name": "Change", "method": "POST", "route": "/change"},
]


@pytest.mark.parametrize(
    ("mode", "requests"),
    [
        ("as is", ["GET /show", "POST /change"]),
        ("warm", ["GET /show", "GET /show", "POST /change"]),
        ("cold query", ["GET /show?opsboard-cold", "POST /change?opsboard-cold"]),
    ],
)
def test_the_mode_of_a_path_of_steps_is_that_of_each(cache: Cache, mode: str, requests: list[str]):
    judgement = asked(cache, mode, steps=STEPS, expected_result="")
    assert judgement.verdict is Verdict.PASSING
    found = [f"{request.method} {request.path.partition('=')[0]}" for request in cache.requests]
    assert found == requests


def test_cold_by_header_each_step_says_so(cache: Cache):
    asked(cache, "cold header", steps=STEPS, expected_result="")
    assert [request.header("Cache-Control") for request in cache.requests] == ["no-cache"] * 2
