"""What people do with a change, step by step: each is one form, and a refusal is a sentence."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client

from opsboard.changes.models import Act, Change, Comparison
from opsboard.people.models import AuditEntry
from tests.web.changes import HOUR, a_change, a_window, an_attempt, judged, now
from tests.web.standing import observed, stands, text_of

SignIn = Callable[[Any], Client]


@pytest.fixture
def client(client_of: SignIn) -> Client:
    return client_of("editor")


@pytest.fixture
def change(path) -> Change:
    """Of a path that a program sends samples of: nothing has to be asked."""
    return a_change(path, sampling="sent", commands=["psql -f 0148.sql"])


@pytest.fixture
def here(change) -> str:
    return f"/changes/{change.pk}"


@pytest.fixture
def sealed(change) -> Comparison:
    """An attempt whose baseline is sealed, an hour ago."""
    attempt = an_attempt(change)
    ago = now() - HOUR
    a_window(attempt, sealed_at=ago, ended_at=ago, count=60, sha256="0" * 64)
    return attempt


def said(answer: Any) -> str:
    """What the page that one is led to says of what was done."""
    assert answer.status_code == 302
    return " ".join(str(one) for one in get_messages(answer.wsgi_request))


def test_a_baseline_is_opened_and_opened_again_only_when_it_is_over(client, change, here, editor):
    answer = client.post(f"{here}/baseline")
    assert answer["Location"] == here
    assert "Change nothing yet." in said(answer)
    assert Comparison.objects.get().began_by == editor
    answer = client.post(f"{here}/baseline")
    assert "Attempt 1 of CHG-" in said(answer)
    assert "is still open" in said(answer)
    assert Comparison.objects.count() == 1


def test_another_attempt_has_the_same_settings(client, change, here):
    judged(change, "confounded")
    client.post(f"{here}/attempts/new")
    assert list(change.comparisons.values_list("number", flat=True)) == [1, 2]


def test_a_baseline_with_too_few_samples_is_not_sealed(client, change, here):
    client.post(f"{here}/baseline")
    answer = client.post(f"{here}/seal")
    assert "The baseline has 0 samples, and says nothing below 60" in said(answer)
    assert change.comparisons.get().windows.get().sealed_at is None


def test_a_baseline_of_the_probes_is_sealed(client, path):
    probe = stands(path)
    change = a_change(path)
    client.post(f"/changes/{change.pk}/baseline")
    window = change.comparisons.get().windows.get()
    change.comparisons.get().windows.update(starts_at=now() - HOUR)
    observed(probe, [20] * 70)
    answer = client.post(f"/changes/{change.pk}/seal")
    assert "The baseline is sealed. Now make the change" in said(answer)
    window.refresh_from_db()
    assert window.count == 70


@pytest.mark.parametrize("act", ["seal", "burst"])
def test_without_an_attempt_it_is_said_what_comes_first(client, here, act):
    assert "No baseline was opened yet" in said(client.post(f"{here}/{act}"))


def test_a_burst_that_is_not_going_on_is_not_stopped(client, here):
    assert "No burst is going on" in said(client.post(f"{here}/burst/stop"))


# Applied


def test_that_it_was_applied_is_recorded(client, here, sealed, editor):
    page = client.get(f"{here}/applied").text
    assert "psql -f 0148.sql</textarea>" in page
    assert "Opsboard runs nothing" in page
    typed = {"at": "", "command": "psql -f 0148.sql", "exit_code": "0", "remark": "by hand"}
    answer = client.post(f"{here}/applied", typed)
    assert "is recorded as applied" in said(answer)
    act = Act.objects.get()
    assert (act.kind, act.by, act.exit_code, act.remark) == ("applied", editor, 0, "by hand")
    assert now() - act.at < timedelta(minutes=5)


def test_before_the_baseline_is_sealed_it_cannot_be_applied_and_nothing_is_lost(client, here):
    client.post(f"{here}/baseline")
    typed = {"at": "", "command": "psql -f other.sql", "exit_code": "3", "remark": "by hand"}
    answer = client.post(f"{here}/applied", typed)
    assert answer.status_code == 422
    assert "The baseline is not sealed" in answer.text
    for text in ("psql -f other.sql</textarea>", 'value="3"', 'value="by hand"'):
        assert text in answer.text
    assert not Act.objects.exists()


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"at": "2999-01-01 00:00"}, "This is still to come"),
        ({"at": "2020-01-01 00:00"}, "The baseline was sealed at"),
        ({"at": "yesterday"}, "Write a day and a time"),
        ({"exit_code": "no"}, "Write a whole number from 0 to 255."),
        ({"remark": "x" * 301}, "300"),
    ],
    ids=["to come", "before the baseline", "no time", "no number", "too long"],
)
def test_what_cannot_be_so_is_not_recorded(client, here, sealed, typed, sentence):
    answer = client.post(f"{here}/applied", typed)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert not Act.objects.exists()


# Cleared


def test_what_was_cleared_is_recorded(client, here, sealed):
    typed = {"what": "prefix", "pattern": "fare-rules:", "count": "212", "exit_code": "0"}
    answer = client.post(f"{here}/cleared", typed)
    assert "must be a miss" in said(answer)
    act = Act.objects.get()
    assert (act.kind, act.what, act.pattern, act.count) == ("cleared", "prefix", "fare-rules:", 212)


def test_everything_is_asked_twice_and_named(client, here, sealed):
    typed = {"what": "everything", "command": "redis-cli flushall", "count": "9000"}
    answer = client.post(f"{here}/cleared", typed)
    assert answer.status_code == 422
    assert not Act.objects.exists()
    page = text_of(answer.text)
    assert "Was everything cleared?" in page
    assert "the whole cache of Fares API in production" in page
    assert "redis-cli flushall" in page
    assert "Record that everything was cleared" in page
    assert client.post(f"{here}/cleared", typed | {"sure": "on"}).status_code == 302
    assert Act.objects.get().what == "everything"


@pytest.mark.parametrize("what", ["key", "prefix"])
def test_a_key_or_prefix_is_named(client, here, sealed, what):
    answer = client.post(f"{here}/cleared", {"what": what, "pattern": " "})
    assert "Write the key or the prefix that was cleared." in answer.text
    assert not Act.objects.exists()


def test_a_tick_for_everything_is_not_asked_of_a_key(client, here, sealed):
    assert 'name="sure"' not in client.get(f"{here}/cleared").text
    assert client.post(f"{here}/cleared", {"what": "key", "pattern": "a"}).status_code == 302


# The end


def test_an_attempt_is_given_up_with_a_reason(client, change, here, sealed):
    assert "Give up attempt 1 of CHG-" in text_of(client.get(f"{here}/give-up").text)
    assert "Fill this in." in client.post(f"{here}/give-up", {"because": ""}).text
    assert client.post(f"{here}/give-up", {"because": "a load test ran"})["Location"] == here
    attempt = change.comparisons.get()
    assert attempt.given_up_because == "a load test ran"
    assert "was given up at" in client.post(f"{here}/give-up", {"because": "again"}).text


def test_a_change_is_withdrawn_by_a_button_that_names_it(client, change, here, editor):
    page = client.get(f"{here}/withdrawal").text
    assert f">Withdraw {change}</button>" in page
    assert "cannot be undone" in page
    assert client.post(f"{here}/withdrawal")["Location"] == here
    change.refresh_from_db()
    assert change.withdrawn_by == editor
    answer = client.post(f"{here}/baseline")
    assert "was withdrawn at" in said(answer)


# Who may

ACTS = ("baseline", "seal", "applied", "cleared", "burst", "burst/stop", "attempts/new", "give-up")


@pytest.mark.parametrize("act", [*ACTS, "withdrawal", "edit"])
def test_a_viewer_may_do_nothing_and_an_administrator_may(client_of, here, act, change):
    assert client_of("viewer").post(f"{here}/{act}").status_code == 403
    assert not AuditEntry.objects.filter(kind="change").exists()
    assert client_of("administrator").post(f"{here}/{act}").status_code in (302, 422)


@pytest.mark.parametrize("act", [*ACTS, "withdrawal", "edit"])
def test_without_the_secret_of_the_form_nothing_is_done(editor, here, act, change):
    client = Client(enforce_csrf_checks=True)
    client.force_login(editor)
    assert client.post(f"{here}/{act}").status_code == 403
    change.refresh_from_db()
    assert change.withdrawn_at is None


@pytest.mark.parametrize("act", ["baseline", "seal", "burst", "burst/stop", "attempts/new"])
def test_what_is_done_is_never_done_by_a_link(client, here, act):
    assert client.get(f"{here}/{act}").status_code == 405
