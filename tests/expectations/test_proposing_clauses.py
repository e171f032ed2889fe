"""The first draft of an expected result, from the one reply that was seen."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsboard.expectations.proposals import propose
from opsboard.outbound.reply import Failure, Phases, Reply
from tests.expectations.replies import answered, facts, held, unanswered


def proposed(reply: Reply) -> list[str]:
    return propose(reply, facts(reply))


def with_type(content_type: str, body: str = "pong") -> Reply:
    return answered(body, headers=(("Content-Type", content_type),))


def test_a_health_path_is_proposed_with_its_flag() -> None:
    assert proposed(answered('{"ok": true}')) == [
        "status == 200",
        "json $.ok == true",
        "time < 400 ms",
    ]


@pytest.mark.parametrize(
    ("body", "clauses"),
    [
        ('{"status": "ok", "version": "1"}', ['json $.status == "ok"', "json $.version exists"]),
        ('{"id": 7, "status": "pass"}', ['json $.status == "pass"', "json $.id exists"]),
        ('{"a": 1, "b": 2, "c": 3, "d": 4}', [f"json $.{key} exists" for key in "abc"]),
        ('{"ok": false, "state": "unsure"}', ["json $.ok exists", "json $.state exists"]),
        ('{"a b": 1, "c": null}', ["json $.c exists"]),
    ],
)
def test_an_object_is_proposed_by_what_it_tells(body: str, clauses: list[str]) -> None:
    assert proposed(answered(body))[1:-1] == clauses


@pytest.mark.parametrize(
    ("content_type", "part"),
    [
        ("text/html; charset=utf-8", "html"),
        ("text/plain", "plain"),
        ("application/json", "json"),
        ("application/problem+json", "json"),
    ],
)
def test_anything_else_is_proposed_by_its_content_type(content_type: str, part: str) -> None:
    assert f'header Content-Type contains "{part}"' in proposed(with_type(content_type, "[1]"))


@pytest.mark.parametrize(
    ("total", "limit"),
    [
        (1_000, "400 ms"),
        (100_000, "400 ms"),
        (100_001, "500 ms"),
        (187_000, "800 ms"),
        (240_000, "1 s"),
        (310_000, "1.5 s"),
        (2_000_000, "8 s"),
        (15_000_000, "1 m"),
    ],
)
def test_the_time_limit_is_round_and_at_least_four_times_what_was_measured(
    total: int, limit: str
) -> None:
    assert proposed(answered(phases=Phases(total=total)))[-1] == f"time < {limit}"


def test_no_time_limit_is_proposed_for_what_took_minutes() -> None:
    assert proposed(answered(phases=Phases(total=60_000_000))) == ["status == 200"]


def test_nothing_is_proposed_from_a_reply_that_did_not_come() -> None:
    assert proposed(unanswered(Failure.REFUSED)) == []


def test_a_status_nobody_can_write_is_not_proposed() -> None:
    assert proposed(answered(status=None))[0] == "time < 400 ms"


VALUES = st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.integers(), max_size=3)
KEYS = st.sampled_from(["ok", "status", "state", "health", "up"]) | st.text()


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(KEYS, VALUES, max_size=6), st.integers(0, 10**8), st.text(max_size=30))
def test_all_that_is_proposed_holds_on_the_reply(
    document: dict[str, object], total: int, content_type: str
) -> None:
    reply = answered(
        json.dumps(document),
        headers=(("Content-Type", content_type),),
        phases=Phases(total=total),
    )
    clauses = proposed(reply)
    assert len(clauses) <= 5
    assert all(held(text, reply) is True for text in clauses)
