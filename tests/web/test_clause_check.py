"""Each clause is judged as it is typed: whether it can be read, and where it cannot."""

import time

import pytest
from django.test import Client

from opsboard.probes.models import Probe
from opsboard.services.models import CriticalPath, Environment
from opsboard.web.clause_check import CheckedLine, check_clauses

NEW = "/services/fares-api/paths/new"
HTMX = {"HX-Request": "true"}


def test_each_clause_is_said_to_be_fine_or_wrong_with_its_column_and_nearest_word():
    checked = check_clauses("status == 200\n\n# a remark\ntme < 800 ms\nwarn cache is hit")
    assert [line.text for line in checked] == ["status == 200", "tme < 800 ms", "warn cache is hit"]
    assert [bool(line.error) for line in checked] == [False, True, False]
    assert checked[1].error.startswith("Column 1:")
    assert "time" in checked[1].error


def test_windows_are_held_against_the_interval():
    text = "errors < 1 % over 15 m"
    assert check_clauses(text, 30_000_000) == [CheckedLine(text, "")]
    assert "needs 20 observations" in check_clauses(text, 300_000_000)[0].error


def test_an_empty_text_has_no_lines():
    assert check_clauses("") == []


@pytest.mark.parametrize(
    "text", ["x" * 60_000, "status == 200\n" * 3_000, "nonsense\n" * 3_000, "(" * 40_000, "\r\n\0"]
)
def test_it_is_bounded(text):
    began = time.process_time()
    assert len(check_clauses(text)) <= 100
    assert time.process_time() - began < 2


@pytest.fixture
def client(client_of, environment: Environment) -> Client:
    return client_of("editor")


@pytest.mark.parametrize("address", [NEW, "/add"])
def test_both_forms_answer_with_the_list_alone_and_keep_nothing(client, address):
    typed = {"act": "check", "expected_result": "status == 200\nstatsu == 1 <b>"}
    page = client.post(address, typed, headers=HTMX)
    assert page.status_code == 200
    assert page.text.count("<li>") == 2
    assert "can be read" in page.text
    assert "Column 1:" in page.text
    assert "&lt;b&gt;" in page.text
    assert "<html" not in page.text
    assert not CriticalPath.objects.exists()


def test_the_interval_that_stands_in_the_form_counts(client):
    typed = {"act": "check", "expected_result": "errors < 1 % over 15 m", "interval": "5 m"}
    assert "needs 20 observations" in client.post(NEW, typed, headers=HTMX).text
    assert "can be read" in client.post(NEW, typed | {"interval": "nonsense"}, headers=HTMX).text


def test_viewers_may_not(client_of, environment):
    assert client_of("viewer").post(NEW, {"act": "check"}).status_code == 403


def test_asking_now_puts_the_reply_beside_the_form(client, monkeypatch):
    """Nothing listens at the address: that is a reply too."""
    typed = {
        "act": "ask", "name": "Typed", "method": "GET", "route": "/x", "interval": "30 s",
        "timeout": "1 s", "patience": "2", "expected_result": "status == 200",
    }  # fmt: skip
    page = client.post(NEW, typed, headers=HTMX)
    assert page.status_code == 200
    assert 'id="reply"' in page.text
    assert "What came back" in page.text
    assert "<form" not in page.text
    wrong = client.post(NEW, typed | {"route": "nonsense"}, headers=HTMX)
    assert wrong.status_code == 422
    assert "It cannot be asked yet" in wrong.text
    assert "<b>Route</b>: Begin with /" in wrong.text
    assert "<form" not in wrong.text
    assert not Probe.objects.exists()
