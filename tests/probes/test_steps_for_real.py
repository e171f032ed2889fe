"""Paths of several steps through a real shop: a worker walks them, over a real database."""

import json
import threading
import time
from typing import Any

import pytest
from django.utils import timezone

from opsboard.probes.asking import ask_all, ask_order, order_now, place_of
from opsboard.probes.models import Exchange, Observation, Probe
from opsboard.probes.rules import Verdict
from opsboard.probes.step_facts import StepSeen, read_steps
from tests.company import SECOND
from tests.far_side import Behaviour, answer, hang, reset
from tests.probes.shop import STEPS, TOKEN, Shop, Stop, a_path_through, drained, opened

pytestmark = pytest.mark.django_db

WHOLE = ["POST /login", "POST /orders", "GET /orders/1742", "DELETE /orders/1742"]
NO_TOKEN = answer(200, body=b'{"token": null}')
HALF = answer(200, ("Content-Type", "application/json"), body=b'{"token"')


def seen(probe: Probe) -> tuple[Observation, tuple[StepSeen, ...]]:
    observation = Observation.objects.get(probe=probe)
    return observation, read_steps(observation.steps)


def test_a_worker_walks_the_whole_path_and_stores_what_each_step_did():
    with Shop() as shop:
        probe = drained(a_path_through(shop))
    assert shop.asked == WHOLE
    observation, steps = seen(probe)
    assert (observation.verdict, observation.reason) == (Verdict.PASSING, "")
    assert [step.words for step in steps] == ["passing"] * 4
    assert [step.status for step in steps] == [200, 201, 200, 204]
    assert observation.total == sum(step.total for step in steps)
    assert [step["clauses"][0]["held"] for step in probe.facts["steps"]] == [True] * 4


def test_what_was_taken_arrives_as_its_place_asks_for():
    with Shop() as shop:
        drained(a_path_through(shop))
    bought = shop.requests[1]
    assert bought.header("X-Token") == TOKEN
    assert "by=to%2Fken%20%2217%22%20eyJhbGciOiJIUzI1NiJ9" in bought.path
    assert json.loads(bought.body) == {"token": TOKEN, "of": TOKEN, "pieces": 1}
    assert bought.header("Content-Type") == "application/json"


def test_one_turn_is_one_trace_and_each_request_a_span_of_it():
    with Shop() as shop:
        drained(a_path_through(shop))
    traces = [str(request.header("traceparent")).split("-") for request in shop.requests]
    assert len({trace for _, trace, _, _ in traces}) == 1
    assert len({span for _, _, span, _ in traces}) == 4


@pytest.mark.parametrize(
    ("broken", "words", "reason", "asked"),
    [
        (
            {"POST /login": answer(503)},
            ["failing", "not run", "not run", "not run"],
            "step 1, Log in: status is 503, expected 200; steps 2 and 3 were not run; "
            "step 4, Take it back, was not run: order was not taken",
            WHOLE[:1],
        ),
        (
            {"POST /login": NO_TOKEN},
            ["failing", "not run", "not run", "not run"],
            "step 1, Log in: token was not taken: json $.token is null; ",
            WHOLE[:1],
        ),
        (
            {"POST /login": HALF},
            ["failing", "not run", "not run", "not run"],
            "step 1, Log in: token was not taken: the body is not JSON, ",
            WHOLE[:1],
        ),
        (
            {"POST /orders": reset()},
            ["passing", "failing", "not run", "not run"],
            "step 2, Buy: ",
            WHOLE[:2],
        ),
        (
            {"GET /orders/1742": answer(200, body=b"refused")},
            ["passing", "passing", "failing", "passing"],
            'step 3, Receipt: body is "refused", expected to contain "paid"',
            WHOLE,
        ),
        (
            {"DELETE /orders/1742": answer(500)},
            ["passing", "passing", "passing", "failing"],
            "step 4, Take it back: status is 500, expected 200 to 299",
            WHOLE,
        ),
    ],
    ids=["log in", "no token", "half a body", "buy", "receipt", "clean-up"],
)
def test_each_break_shows_its_step(
    broken: dict[str, Behaviour], words: list[str], reason: str, asked: list[str]
):
    with Shop(broken) as shop:
        probe = drained(a_path_through(shop))
    observation, steps = seen(probe)
    assert [step.words for step in steps] == words
    assert observation.verdict == Verdict.FAILING
    assert observation.reason.startswith(reason)
    assert shop.asked == asked


def test_the_reply_that_is_kept_is_that_of_the_broken_step_without_what_was_taken():
    told = answer(402, ("X-Echo", TOKEN), body=f"no credit for {TOKEN}".encode())
    with Shop({"POST /orders": told}) as shop:
        probe = drained(a_path_through(shop))
    kept = Exchange.objects.get(probe=probe)
    assert kept.status == 402
    assert kept.excerpt.startswith("no credit for ***")
    assert ["X-Echo", "[token]"] in kept.headers
    stored = f"{kept.headers} {kept.excerpt} {probe.latest} {probe.reason}"
    assert "eyJhbGci" not in stored


def test_one_time_limit_holds_over_the_whole_and_leaves_some_to_clean_up():
    with Shop({"GET /orders/1742": hang()}) as shop:
        began = time.monotonic()
        probe = drained(a_path_through(shop, timeout=SECOND))
        took = time.monotonic() - began
    observation, steps = seen(probe)
    assert [step.words for step in steps] == ["passing", "passing", "failing", "passing"]
    assert observation.failure == "timeout"
    assert observation.total <= SECOND + SECOND // 2
    assert took < 5
    assert shop.asked == WHOLE


def test_a_stop_in_the_middle_cleans_up_hands_back_and_records_nothing():
    is_asked = threading.Event()
    with Shop({"GET /orders/1742": opened(is_asked)}) as shop:
        began = time.monotonic()
        probe = drained(a_path_through(shop), until=is_asked.is_set)
        assert shop.asked == WHOLE
        assert time.monotonic() - began < 5
    assert not Observation.objects.exists()
    assert (probe.claim_id, probe.leased_until, probe.observed_at) == (None, None, None)


def test_a_stop_while_an_answer_is_near_takes_it_and_then_only_cleans_up():
    stop = Stop()
    bought = answer(201, ("Location", "/orders/1742"))
    with Shop({"POST /orders": stop.before(bought)}) as shop:
        probe = drained(a_path_through(shop), until=stop.is_told)
    assert shop.asked == ["POST /login", "POST /orders", "DELETE /orders/1742"]
    assert not Observation.objects.exists()
    assert probe.claim_id is None


def test_a_stop_in_the_last_step_records_the_whole_path():
    stop = Stop()
    with Shop({"DELETE /orders/1742": stop.before(answer(204, body=b""))}) as shop:
        probe = drained(a_path_through(shop), until=stop.is_told)
    assert seen(probe)[0].verdict == Verdict.PASSING


def test_a_stop_before_anything_was_made_says_nothing():
    is_asked = threading.Event()
    with Shop({"POST /login": opened(is_asked)}) as shop:
        probe = drained(a_path_through(shop), until=is_asked.is_set)
        assert shop.asked == WHOLE[:1]
    assert not Observation.objects.exists()
    assert probe.claim_id is None


def test_a_person_who_asks_walks_the_same_way():
    with Shop({"POST /orders": answer(503)}) as shop:
        path = a_path_through(shop)
        order = order_now(path, place_of(path, None))
        reply, judgement = ask_order(order, now=timezone.now())
        several = ask_all([order, order], now=timezone.now())
    assert reply.status == 503
    assert judgement.reason.startswith("step 2, Buy: status is 503")
    assert [one.reason for _, one in several] == [judgement.reason] * 2
    assert len(shop.asked) == 6


def problem(*steps: dict[str, Any]) -> str:
    with Shop() as shop:
        path = a_path_through(shop, steps=list(steps))
        return order_now(path, place_of(path, None)).problem


def test_steps_that_cannot_be_asked_are_an_error_of_our_own_that_names_the_step():
    log_in, buy = STEPS[0], STEPS[1]
    assert problem(buy).startswith("Step 1, Buy, uses {{ token }}, which no step before it takes")
    assert "{{ NOBODY }} is not set" in problem(log_in | {"route": "/{{ NOBODY }}"})
    assert problem(log_in | {"take": {"token": "cookie a"}}).startswith(
        "Step 1, Log in, cannot take it: token is taken by"
    )
    assert problem(log_in | {"expect": ["status is odd"]}).startswith(
        "Step 1, Log in, expects what cannot be read:"
    )


def test_a_path_that_never_took_steps_stores_none():
    with Shop() as shop:
        path = a_path_through(shop, steps=[], route="/orders/1742", expected_result="")
        probe = drained(path)
    observation, _ = seen(probe)
    assert (observation.verdict, observation.steps) == (Verdict.PASSING, None)
    assert "steps" not in probe.facts
