"""A POST with a key happens once, also when two come at once; a token asks at most so often; and
what breaks inside is told as JSON, without a word of how."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier, Event
from typing import Any

import pytest
from django.db import DataError, InterfaceError, OperationalError, close_old_connections, connection
from django.test import Client
from django.utils import timezone

from opsboard.people import refused_tokens, tokens
from opsboard.people.models import AnsweredRequest, ApiToken, AuditEntry, TokenMinute
from opsboard.releases.refusing import Refused
from tests.api import office
from tests.api.conftest import MakeToken
from tests.company import NOON

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.api.office")]

LETTERS = "/api/v1/letters"


@pytest.fixture(autouse=True)
def office_is_quiet() -> Iterator[None]:
    office.happens.clear()
    yield
    office.happens.clear()


def send(ask: Client, title: str = "A letter", *, key: str | None = "run-1") -> Any:
    body = {"title": title, "at": "2026-11-28T12:00:00Z"}
    headers = {"Idempotency-Key": key} if key is not None else {}
    return ask.generic("POST", LETTERS, json.dumps(body), "application/json", headers=headers)


def letters() -> int:
    return AuditEntry.objects.filter(kind="letter").count()


# Once ------------------------------------------------------------------------------------------


def test_the_same_request_again_is_given_the_first_answer(ask: Client) -> None:
    first, again = send(ask), send(ask)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.content == again.content
    assert "Idempotent-Replayed" not in first
    assert again["Idempotent-Replayed"] == "true"
    assert letters() == 1


def test_b59_the_same_key_with_another_body_names_the_first_time(ask: Client) -> None:
    send(ask)
    AnsweredRequest.objects.update(at=NOON)
    answer = send(ask, "Another letter")
    [error] = answer.json()["errors"]
    assert (answer.status_code, error["code"], error["field"]) == (
        409,
        "key_used",
        "Idempotency-Key",
    )
    assert "2026-11-23 12:00:00 UTC" in error["message"]
    assert letters() == 1


def test_the_key_of_another_token_is_another_key(
    ask: Client, make_token: MakeToken, ask_with: Callable[[str], Client]
) -> None:
    assert [send(ask).status_code, send(ask_with(make_token()[1])).status_code] == [201, 201]


def test_without_a_key_each_request_is_done(ask: Client) -> None:
    assert [send(ask, key=None).status_code, send(ask, key=" ").status_code] == [201, 201]
    assert letters() == 2


@pytest.mark.parametrize("key", ["k" * 201, "a\tb", "\x7f"])
def test_a_key_that_is_none_is_refused(ask: Client, key: str) -> None:
    assert send(ask, key=key).json()["errors"][0]["code"] == "wrong_key"


def fail(_: Any) -> None:
    raise RuntimeError("a secret of the inside")


def refuse(_: Any) -> None:
    raise Refused("It is held.")


@pytest.mark.parametrize(("act", "status"), [(fail, 500), (refuse, 409)])
def test_what_failed_leaves_nothing_and_frees_its_key(
    ask: Client, act: Callable[[Any], None], status: int
) -> None:
    office.happens.append(act)
    assert send(ask).status_code == status
    assert (letters(), AnsweredRequest.objects.count()) == (0, 0)
    office.happens.clear()
    assert send(ask).status_code == 201
    assert letters() == 1


@pytest.mark.django_db(transaction=True)
def test_two_at_once_with_one_key_are_done_once(
    make_token: MakeToken, ask_with: Callable[[str], Client]
) -> None:
    _, shown = make_token()
    together = Barrier(6)

    def one() -> tuple[int, bytes]:
        try:
            together.wait(10)
            answer = send(ask_with(shown))
            return answer.status_code, answer.content
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        answers = [each.result() for each in [pool.submit(one) for _ in range(6)]]
    assert sorted(status for status, _ in answers) == [200] * 5 + [201]
    assert len({content for _, content in answers}) == 1
    assert letters() == 1


@pytest.mark.django_db(transaction=True)
def test_who_waited_for_one_that_failed_is_served(
    make_token: MakeToken, ask_with: Callable[[str], Client]
) -> None:
    """The second waits on the first's key; when the first fails, the second does the work."""
    _, shown = make_token()
    inside, turns = Event(), iter([True])

    def fail_first(_: Any) -> None:
        if next(turns, False):
            inside.set()
            raise RuntimeError("first")

    office.happens.append(fail_first)

    def one(after: Event | None) -> int:
        try:
            if after:
                after.wait(10)
            status: int = send(ask_with(shown)).status_code
            return status
        finally:
            close_old_connections()
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.submit(one, None), pool.submit(one, inside)
        assert (first.result(), second.result()) == (500, 201)
    assert letters() == 1


def test_answers_are_forgotten_after_7_days(ask: Client) -> None:
    send(ask, key="old")
    AnsweredRequest.objects.update(at=NOON - timedelta(days=7, seconds=1))
    send(ask, key="new")
    AnsweredRequest.objects.filter(key="new").update(at=NOON - timedelta(days=7))
    tokens.prune(now=NOON)
    assert [row.key for row in AnsweredRequest.objects.all()] == ["new"]


# Rate ------------------------------------------------------------------------------------------


def test_b61_a_token_that_asks_too_often_waits_and_others_do_not(
    ask: Client, make_token: MakeToken, ask_with: Callable[[str], Client], settings: Any
) -> None:
    settings.TOKEN_REQUESTS_A_MINUTE = 3
    TokenMinute.objects.all().delete()
    answers = [ask.get("/api/v1/teams") for _ in range(9)]
    late = answers[-1]
    # A minute may end between the requests: then the count begins again.
    assert [answer.status_code for answer in answers].count(429) >= 3
    if late.status_code == 429:
        assert 1 <= int(late["Retry-After"]) <= 60
        assert late.json()["errors"][0]["code"] == "too_many"
    assert ask_with(make_token()[1]).get("/api/v1/teams").status_code == 200


def test_a_token_knows_when_it_was_used(ask: Client) -> None:
    assert ApiToken.objects.get().used_at is None
    before = timezone.now()
    ask.get("/api/v1/teams")
    used_at = ApiToken.objects.get().used_at
    assert used_at is not None
    assert before <= used_at <= timezone.now()


# Refused tokens --------------------------------------------------------------------------------

WRONG = "obs_ci_" + "a" * 30 + "_000000"


def refused() -> int:
    return AuditEntry.objects.filter(kind="token", act="refused").count()


def test_trying_tokens_does_not_fill_the_audit_log() -> None:
    for second in range(40):
        refused_tokens.note(WRONG, address="192.0.2.7", now=NOON + timedelta(seconds=second))
    assert refused() == 5
    refused_tokens.note(WRONG, address="192.0.2.8", now=NOON + timedelta(seconds=40))
    assert refused() == 6
    refused_tokens.note(WRONG, address="192.0.2.7", now=NOON + timedelta(seconds=65))
    assert refused() == 7


def test_one_line_with_many_addresses_is_one_network() -> None:
    for number in range(40):
        refused_tokens.note(WRONG, address=f"2001:db8::{number:x}", now=NOON)
    assert refused() == 5


def test_many_networks_do_not_fill_the_audit_log_either() -> None:
    for number in range(260):
        refused_tokens.note(WRONG, address=f"192.0.2.{number % 256}", now=NOON)
    assert refused() == 200


@pytest.mark.parametrize("written", ["", "password", "obs_ci_short_000000", WRONG + "0", "obs_ci_"])
def test_what_looks_like_no_token_is_not_noted(written: str) -> None:
    refused_tokens.note(written, address="192.0.2.7", now=NOON)
    assert refused() == 0


# What breaks inside ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("trouble", "status", "code"),
    [
        (OperationalError("database is locked"), 503, "unavailable"),
        (InterfaceError("connection already closed"), 503, "unavailable"),
        (DataError("integer out of range"), 422, "does_not_fit"),
        (RuntimeError("a secret of the inside"), 500, "failed"),
        (KeyError("a secret of the inside"), 500, "failed"),
    ],
)
@pytest.mark.parametrize("key", ["run-1", None])
def test_what_breaks_inside_is_told_as_json(
    ask: Client, trouble: Exception, status: int, code: str, key: str | None
) -> None:
    def act(_: Any) -> None:
        raise trouble

    office.happens.append(act)
    answer = send(ask, key=key)
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/json")
    assert answer.json()["errors"][0]["code"] == code
    assert str(trouble) not in answer.text
    assert "Traceback" not in answer.text
    assert answer.get("Retry-After") == ("5" if status == 503 else None)


def test_a_database_that_is_away_is_told_before_the_token(
    ask: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise OperationalError("the server closed the connection")

    monkeypatch.setattr(tokens, "find", away)
    answer = ask.get("/api/v1/teams")
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
