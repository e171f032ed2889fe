"""Declaring a change: sensible defaults, one sentence for what is wrong, and nothing is lost."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client

from opsboard.changes.models import Change
from opsboard.people.models import AuditEntry
from tests.web.changes import an_attempt, now
from tests.web.standing import a_path, text_of

SignIn = Callable[[Any], Client]
HERE = "/changes/new"


@pytest.fixture
def client(client_of: SignIn) -> Client:
    return client_of("editor")


@pytest.fixture
def good(path) -> dict[str, Any]:
    return {
        "title": "Index fare rules by route and date",
        "purpose": "Prices appear sooner when the cache misses",
        "path": "fares-api/price-a-crossing",
        "environment": "production",
        "variables": ["index"],
        "metric": "time",
        "aim": "improve",
        "goal": "30",
        "sampling": "probes",
        "samples": "200",
        "margin": "10",
        "equivalence": "",
        "mode": "as is",
        "rate": "2",
        "warm_up_seconds": "60",
        "warm_up_samples": "10",
        "lasts": "24",
        "assumptions": "The number of replicas stays at 3\n\nNo load test runs",
        "commands": "psql -f 0148.sql",
    }


def shown(page: str, name: str) -> str:
    """The value that stands in a field of one line."""
    found = re.search(rf'<input[^>]* name="{name}"[^>]*>', page)
    assert found, name
    value = re.search(r' value="([^"]*)"', found[0])
    return value[1] if value else ""


def test_a_change_is_declared(client, good, path, editor):
    answer = client.post(HERE, good)
    change = Change.objects.get()
    assert answer["Location"] == f"/changes/{change.pk}"
    assert (change.service, change.path, change.declared_by) == (path.service, path, editor)
    assert change.environment.slug == "production"
    assert (change.variables, change.goal, change.margin) == (["index"], 0.3, 0.1)
    assert change.assumptions == ["The number of replicas stays at 3", "No load test runs"]
    assert change.commands == ["psql -f 0148.sql"]
    assert (change.samples, change.rate, change.equivalence) == (200, 2.0, None)
    assert AuditEntry.objects.get(kind="change").who == "Edith Moe"


def test_the_form_comes_with_the_usual_settings_and_says_what_they_find(client, path):
    page = client.get(HERE).text
    usual = {"samples": "200", "margin": "10", "rate": "2", "lasts": "24", "warm_up_seconds": "60"}
    assert {name: shown(page, name) for name in usual} == usual
    assert "With 200 a side a difference of 21% is found 9 times in 10" in text_of(page)
    assert '<details id="more">' in page
    assert '<option value="fares-api/price-a-crossing">' in page


def test_the_sentence_on_what_is_found_follows_what_is_typed(client, good):
    page = text_of(client.post(HERE, good | {"samples": "800", "title": ""}).text)
    assert "With 800 a side a difference of" in page
    assert "of 21% is found" not in page


def test_an_address_with_a_path_fills_it_in(client, path):
    path.environments.add(path.service.environments.create(slug="staging", base_url="http://a"))
    page = client.get(f"{HERE}?path=fares-api/price-a-crossing").text
    assert shown(page, "path") == "fares-api/price-a-crossing"
    assert '<option value="staging" selected>' in page
    assert client.get(f"{HERE}?path=fares-api/nothing").status_code == 404
    assert client.get(f"{HERE}?path=nonsense").status_code == 404


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"title": ""}, "Fill this in."),
        ({"path": "fares-api/none"}, "No path of this name is on the board"),
        ({"environment": "moon"}, "Select a valid choice"),
        ({"environment": "staging"}, "Fares API has no environment staging: choose one of"),
        ({"variables": []}, "Choose what is varied."),
        ({"goal": "all"}, "Write a number from 1 to 99."),
        ({"samples": "59"}, "Write a whole number from 60 to 100000."),
        ({"margin": "0"}, "Write a number from 1 to 90."),
        ({"equivalence": "5"}, "What counts as no change cannot be less than the margin."),
        ({"rate": "1e9"}, "Write a number from 0.1 to 10."),
        ({"commit": "latest"}, "Write its 7 to 64 hexadecimal digits"),
        ({"version": "a b"}, "Write letters, digits and"),
        ({"control": "fares-api/price-a-crossing"}, "The control path is to be another one"),
        ({"guarded": "none"}, "No path none of Fares API is asked in production."),
        ({"guardrails": ["time"]}, "leave it out of the guardrails"),
        ({"lasts": "1000"}, "Write a whole number from 1 to 168."),
        ({"mode": "misses"}, "Only a burst asks for misses"),
        ({"commands": "\n".join(f"line {number}" for number in range(21))}, "At most 20 lines"),
        ({"assumptions": "x" * 501}, "at most 500 characters"),
    ],
    ids=lambda one: next(iter(one)) if isinstance(one, dict) else "",
)  # fmt: skip
def test_what_is_wrong_is_said_in_a_sentence_and_nothing_is_kept(client, good, path, typed, said):
    a_path(path.service, "Quote").service.team.services.create(slug="other", name="Other")
    path.service.team.services.get(slug="other").environments.create(slug="staging", base_url="/")
    answer = client.post(HERE, good | typed)
    assert answer.status_code == 422
    assert said in text_of(answer.text).replace("&#x27;", "'")
    assert "1 thing to fix first" in text_of(answer.text)
    assert not Change.objects.exists()


def test_a_guarded_path_that_is_none_is_said_where_it_was_typed(client, good):
    page = client.post(HERE, good | {"guarded": "none"}).text
    assert re.search(r'<textarea[^>]* name="guarded"[^>]* aria-invalid="true"', page)


def test_nothing_that_was_typed_is_lost(client, good):
    wrong = good | {"samples": "few", "control": "fares-api/", "lasts": "48", "guarded": "quote"}
    page = client.post(HERE, wrong | {"guardrails": ["p95"], "sampling": "burst"}).text
    for name in ("title", "purpose", "goal", "lasts", "path"):
        assert shown(page, name) == wrong[name]
    assert shown(page, "samples") == "few"
    assert shown(page, "control") == "fares-api/"
    assert "No load test runs</textarea>" in page
    assert re.search(r'value="p95"[^>]* checked', page)
    assert re.search(r'value="burst"[^>]* checked', page)


def test_what_is_folded_away_is_unfolded_while_it_is_wrong(client, good):
    assert '<details id="more" open>' in client.post(HERE, good | {"margin": "0"}).text
    assert '<details id="more">' in client.post(HERE, good | {"title": ""}).text
    assert '<details id="of-a-burst" open>' in client.post(HERE, good | {"rate": "0"}).text
    burst = client.post(HERE, good | {"title": "", "sampling": "burst"}).text
    assert '<details id="of-a-burst" open>' in burst


def test_more_than_one_variable_is_said_to_be_confounded(client, good):
    assert "With more than one nobody can say which did it" in client.get(HERE).text
    answer = client.post(HERE, good | {"variables": ["index", "cache"]})
    (said,) = get_messages(answer.wsgi_request)
    assert "It varies index and cache at once" in str(said)
    assert "the verdict will be confounded" in str(said)


def test_all_settings_are_kept(client, good, path):
    quote, fares = a_path(path.service, "Quote"), a_path(path.service, "Fares")
    client.post(
        HERE,
        good
        | {"control": "fares-api/quote", "guarded": "fares", "guardrails": ["db calls", "p95"]}
        | {"sampling": "burst", "mode": "hit and miss", "rate": "0.5", "equivalence": "20"}
        | {"commit": "9F3C1AB", "version": "2026.11.4", "aim": "keep"},
    )
    change = Change.objects.get()
    assert change.control == quote
    assert change.guardrails == ["db calls", "p95", f"path:{fares.slug}"]
    assert (change.sampling, change.mode, change.rate) == ("burst", "hit and miss", 0.5)
    assert (change.equivalence, change.aim) == (0.2, "keep")
    assert (change.commit, change.version) == ("9f3c1ab", "2026.11.4")


# Editing


def stored(client: Client, change: Change, good: dict[str, Any]) -> dict[str, Any]:
    page = client.get(f"/changes/{change.pk}/edit").text
    return good | {"shown": shown(page, "shown")}


def test_a_change_is_edited_before_it_is_measured(client, good, path):
    client.post(HERE, good)
    change = Change.objects.get()
    here = f"/changes/{change.pk}/edit"
    typed = stored(client, change, good) | {"margin": "20", "title": "Other"}
    assert client.post(here, typed)["Location"] == f"/changes/{change.pk}"
    change.refresh_from_db()
    assert (change.margin, change.title) == (0.2, "Other")


def test_settings_are_locked_after_the_first_attempt_and_the_reason_is_shown(client, good, path):
    client.post(HERE, good)
    change = Change.objects.get()
    an_attempt(change)
    page = client.get(f"/changes/{change.pk}/edit").text
    assert "cannot be edited any more" in page
    for name in ("margin", "samples", "goal", "path", "lasts"):
        assert re.search(rf'<input[^>]* name="{name}"[^>]* disabled', page), name
    assert not re.search(r'<input[^>]* name="title"[^>]* disabled', page)
    typed = stored(client, change, good) | {"margin": "50", "title": "Other"}
    assert client.post(f"/changes/{change.pk}/edit", typed).status_code == 302
    change.refresh_from_db()
    assert (change.margin, change.title) == (0.1, "Other")


def test_once_it_was_applied_nothing_is_edited(client, good, path):
    client.post(HERE, good)
    change = Change.objects.get()
    an_attempt(change, applied_at=now())
    page = client.get(f"/changes/{change.pk}/edit").text
    assert "what was said of it before stays" in page
    assert 'type="submit" name="act"' not in page
    client.post(f"/changes/{change.pk}/edit", stored(client, change, good) | {"title": "Other"})
    change.refresh_from_db()
    assert change.title == "Index fare rules by route and date"


def test_nobody_overwrites_what_somebody_else_saved_meanwhile(client, good, path):
    client.post(HERE, good)
    change = Change.objects.get()
    typed = stored(client, change, good) | {"margin": "20"}
    Change.objects.update(margin=0.3)
    answer = client.post(f"/changes/{change.pk}/edit", typed)
    assert answer.status_code == 422
    assert "What differs" in answer.text
    change.refresh_from_db()
    assert change.margin == 0.3


def test_a_viewer_declares_nothing(client_of, good):
    viewer = client_of("viewer")
    assert viewer.get(HERE).status_code == 403
    assert viewer.post(HERE, good).status_code == 403
    assert not Change.objects.exists()


def test_an_unknown_change_is_not_found(client, db):
    assert client.get("/changes/999999/edit").status_code == 404
