"""The page of a path of each kind: its sheet in its own words, its steps, its traces."""

import json
from typing import Any

import pytest

from opsboard.probes.models import Observation
from opsboard.probes.narrow import join_told
from opsboard.probes.orders import traceparent
from opsboard.probes.rules import State
from opsboard.services.models import SECOND, CriticalPath
from tests.web.standing import a_path, a_service, observed, stands, text_of

pytestmark = pytest.mark.django_db
HERE = "/services/fares-api/price-a-crossing"
STEPS: list[dict[str, Any]] = [
    {
        "name": "Ask for a quote",
        "method": "POST",
        "route": "/quotes",
        "expect": ["status == 201"],
        "take": {"quote": "json $.id"},
    },
    {"name": "Book it", "method": "POST", "route": "/bookings", "expect": ["time < 400 ms"]},
    {"name": "See it", "route": "/bookings/{{ quote }}"},
    {"name": "Cancel", "method": "DELETE", "route": "/bookings/{{ quote }}", "always": True},
]


@pytest.fixture
def read(client_of: Any) -> Any:
    return lambda role="viewer": client_of(role).get(HERE)


def a_sheet(**fields: Any) -> CriticalPath:
    return a_path(a_service("fares-api"), **fields)


def did(name: str, verdict: str | None, *clauses: tuple[str, bool, str], reason: str = "") -> dict:
    return {
        "name": name,
        "verdict": verdict,
        "status": 201 if verdict else None,
        "total": 12_000 if verdict else 0,
        "db_calls": 4 if verdict else None,
        "cache": "unknown",
        "reason": reason,
        "clauses": [{"clause": c, "held": held, "got": got} for c, held, got in clauses],
    }


def walked(path: CriticalPath) -> None:
    probe = stands(path, State.FAILING, reason="step 2, Book it: time is 912 ms")
    probe.latest = json.dumps(
        {
            "clauses": [],
            "steps": [
                did("Ask for a quote", "passing", ("status == 201", True, "201")),
                did(
                    "Book it",
                    "failing",
                    ("time < 400 ms", False, "912 ms"),
                    reason="time is 912 ms, expected < 400 ms",
                ),
                did("See it", None),
                did("Cancel", "passing"),
            ],
        }
    )
    probe.save()


def test_each_step_shows_what_it_got_and_which_broke(read: Any) -> None:
    walked(a_sheet(route="", steps=STEPS, expected_result="time < 2 s"))
    page = read()
    rows = page.context["step_rows"]
    assert [(row.words, row.state) for row in rows] == [
        ("Passing", State.PASSING),
        ("Failing", State.FAILING),
        ("Not run", ""),
        ("Passing", State.PASSING),
    ]
    told = text_of(page.text.partition('id="walk-h"')[2].partition("</section>")[0])
    assert "1. Ask for a quote Passing 12 ms 4 POST /quotes" in told
    assert "Time is 912 ms, expected &lt; 400 ms." in told or "912 ms" in told
    assert "Takes quote from json $.id" in told
    assert "DELETE /bookings/{{ quote }} always, to clean up" in told


def test_a_step_that_was_not_run_is_never_green(read: Any) -> None:
    walked(a_sheet(route="", steps=STEPS, expected_result="time < 2 s"))
    part = read().text.partition("See it")[2].partition("Cancel")[0]
    assert "#g-notrun" in part
    assert "Not run" in part
    assert "g-pass" not in part
    assert "g-met" not in part


def test_what_old_steps_did_is_not_told_of_new_ones(read: Any) -> None:
    path = a_sheet(route="", steps=STEPS, expected_result="time < 2 s")
    walked(path)
    path.steps = [*STEPS[:1], {"name": "Pay", "route": "/pay"}]
    path.save()
    assert [row.words for row in read().context["step_rows"]] == ["Passing", "Not asked yet"]


def test_a_probe_says_at_which_step_it_broke(read: Any) -> None:
    path = a_sheet(route="", steps=STEPS, expected_result="time < 2 s")
    probe = stands(path)
    observed(probe, [12_000])
    steps = [["Ask for a quote", "p", 201, 1, None, ""], ["Book it", "f", 503, 1, None, "x"]]
    Observation.objects.update(told=join_told("x", json.dumps(steps)))
    assert "broke at step 2, Book it" in text_of(read().text)


def test_editors_see_the_trace_of_each_probe(read: Any) -> None:
    probe = stands(a_sheet())
    observed(probe, [12_000])
    slot_at = Observation.objects.get().slot_at
    trace_id = traceparent(probe.pk, slot_at).split("-")[1]
    assert trace_id in read("editor").text
    assert trace_id not in read().text


def test_a_path_says_how_it_is_asked(read: Any) -> None:
    stands(
        a_sheet(
            cache_mode="cold query",
            connection={
                "http": "2",
                "redirects": 2,
                "basic": {"user": "prober", "password": "{{ PASSWORD }}"},
                "authority": "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----",
                "form": [["seats", "2"]],
            },
            patience_to_recover=4,
            locations=["default"],
        )
    )
    told = text_of(read().text)
    assert "Cold: a query key nobody asked before" in told
    assert "HTTP version 2" in told
    assert "Signs in prober, password {{ PASSWORD }}" in told
    assert "Own CA 1 certificate in PEM" in told
    assert "BEGIN CERTIFICATE" not in told
    assert "Sent as a form seats 2" in told
    assert "Follows redirects, 2 at most." in told
    assert "a recovery after 4" in told
    assert "Asked from default" in told


@pytest.mark.parametrize(
    ("fields", "says", "never"),
    [
        (
            {"kind": "tcp", "route": ":5432", "body": "PING", "expected_result": ""},
            ["TCP :5432", "Address TCP connection fares-api.example:5432", "What is sent PING"],
            ["Follows", "GET", "Cache is not reported"],
        ),
        (
            {"kind": "tls", "route": "a.test:443", "expected_result": "certificate.days > 14"},
            ["TLS a.test:443", "Address TLS certificate a.test:443"],
            ["Follows", "Expected input"],
        ),
        (
            {"kind": "dns", "route": "a.test MX", "expected_result": "time < 1 s"},
            ["DNS a.test MX", "Question DNS answer a.test MX"],
            ["Follows", "Expected input"],
        ),
        (
            {
                "kind": "heartbeat",
                "route": "",
                "expected_result": "",
                "heartbeat": {
                    "cron": "0 2 * * *",
                    "zone": "Europe/Oslo",
                    "grace": 600 * SECOND,
                },
            },
            ["reports in at 0 2 * * *", "Cron 0 2 * * * in Europe/Oslo", "Late after 10 m"],
            ["Gives up after", "probed every", "Expected input"],
        ),
    ],
)
def test_each_kind_is_told_in_its_own_words(
    read: Any, fields: dict[str, Any], says: list[str], never: list[str]
) -> None:
    path = a_sheet(**fields)
    path.service.environments.update(base_url="https://fares-api.example")
    stands(path)
    told = text_of(read().text)
    for words in says:
        assert words in told
    for words in never:
        assert words not in told


def test_the_service_page_says_what_each_path_asks(client_of: Any) -> None:
    stands(a_sheet(route="", steps=STEPS, expected_result="time < 2 s"))
    assert "4 steps" in text_of(client_of("viewer").get("/services/fares-api").text)
