"""The list of changes: where each stands, what it came to, and no number before its time."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from opsboard.changes.models import Sample
from opsboard.people.audit import Actor, Via, record
from opsboard.probes.models import microseconds
from opsboard.services.models import CriticalPath
from opsboard.web.change_words import effect_of
from opsboard.web.words import MINUS
from tests.web.changes import HOUR, a_change, a_window, an_attempt, judged, now
from tests.web.measured import a_burst
from tests.web.standing import SECOND, a_path, stands, text_of

SignIn = Callable[[Any], Client]
HERE = "/changes"
QUERIES = 14


@pytest.fixture
def client(client_of: SignIn) -> Client:
    return client_of("viewer")


def test_without_any_it_says_what_a_comparison_is_for_and_offers_one(client_of, db):
    page = client_of("editor").get(HERE).text
    assert "No change is compared yet" in page
    assert "a luckier mix of cache hits" in page
    assert 'class="btn btn-main" href="/changes/new"' in page
    of_viewer = client_of("viewer").get(HERE).text
    assert "An editor can compare one." in of_viewer
    assert "/changes/new" not in of_viewer


def test_a_burst_that_is_asking_is_found_in_the_list(client, path):
    window = a_window(an_attempt(a_change(path, sampling="burst", samples=200)))
    burst = a_burst(window)
    assert "before the change, a burst is asking" in text_of(client.get(HERE).text)
    burst.finished_at = now()
    burst.save()
    assert "a burst is asking" not in text_of(client.get(HERE).text)


def test_it_has_its_place_between_releases_and_incidents(client, db):
    page = client.get(HERE).text
    places = [page.index(f'href="{one}"') for one in ("/releases", "/changes", "/incidents")]
    assert places == sorted(places)
    assert '<a href="/changes" aria-current="page">Changes' in page


def test_a_change_that_collects_shows_how_many_and_no_effect(client, path):
    change = a_change(path, sampling="sent", samples=200)
    window = a_window(an_attempt(change))
    at = microseconds(now() - HOUR)
    Sample.objects.bulk_create(
        Sample(window=window, at=at + number, latency=20_000) for number in range(137)
    )
    page = text_of(client.get(HERE).text)
    assert "1 change is being measured" in page
    assert "Collecting, 137 of 200" in page
    assert "before the change" in page
    assert "a burst is asking" not in page
    assert "%" not in page[page.index("Index fare rules") : page.index("Effect: by how much")]


def test_samples_of_the_warm_up_are_not_counted_after_the_change(client, path):
    attempt = an_attempt(a_change(path, sampling="sent", samples=60), applied_at=now() - HOUR)
    a_window(attempt, sealed_at=now() - HOUR, count=60)
    window = a_window(attempt, "after", starts_at=now() - HOUR)
    starts = microseconds(window.starts_at)
    Sample.objects.bulk_create(
        Sample(window=window, at=starts + number * SECOND, latency=20_000)
        for number in range(-5, 20)
    )
    # Five lie before the warm-up ends, and the first ten are left out in any case.
    assert "Collecting, 15 of 60" in text_of(client.get(HERE).text)


@pytest.mark.parametrize(
    ("verdict", "word", "mark"),
    [
        ("improved", "Improved", "better"),
        ("regressed", "Regressed", "worse"),
        ("no_change", "No change", "same"),
        ("inconclusive", "Inconclusive", "unsure"),
        ("confounded", "Confounded", "mixed"),
        ("invalid", "Invalid", "none"),
    ],
)
def test_a_verdict_is_a_mark_and_a_word(client, path, verdict, word, mark):
    judged(a_change(path), verdict)
    page = client.get(HERE).text
    assert f'<use href="#g-{mark}"/></svg>{word}</span>' in page


def test_the_effect_stands_with_its_range_where_a_figure_goes_with_the_verdict(client, path):
    judged(a_change(path), "improved")
    page = text_of(client.get(HERE).text)
    assert "\u221234%" in page
    assert "\u221239 to \u221228%" in page


@pytest.mark.parametrize("verdict", ["no_change", "inconclusive"])
def test_without_an_effect_only_the_range_stands(client, path, verdict):
    judged(a_change(path), verdict)
    page = text_of(client.get(HERE).text)
    assert "\u221234%" not in page
    assert "\u221239 to \u221228%" in page


@pytest.mark.parametrize("verdict", ["confounded", "invalid"])
def test_no_effect_stands_beside_a_verdict_that_says_nothing_of_the_change(client, path, verdict):
    judged(a_change(path), verdict)
    assert "34%" not in client.get(HERE).text


def test_the_newest_attempt_is_the_one_that_is_shown(client, path):
    change = a_change(path)
    judged(change, "improved", 2)
    judged(change, "confounded", 1)
    page = client.get(HERE).text
    assert "Improved</span>" in page
    assert "Confounded</span>" not in page
    assert '<td class="num p2">2</td>' in page


def test_the_filters_are_links_that_keep_each_other(client, path):
    other = a_path(path.service, "Quote")
    judged(a_change(path, title="Better"), "improved")
    judged(a_change(other, title="Worse"), "regressed")
    a_change(path, title="Waits")
    page = client.get(f"{HERE}?stands=regressed&service=fares-api").text
    assert "Worse" in page
    assert "Better" not in page
    assert "Waits" not in page
    assert 'href="?stands=improved&amp;service=fares-api"' in page
    assert "Show everything" in page
    assert "None like this" in client.get(f"{HERE}?service=unknown").text
    assert client.get(f"{HERE}?stands=nonsense&page=x").status_code == 200


def test_given_up_and_withdrawn_ones_stay_and_are_said_to_be(client, path):
    an_attempt(a_change(path, title="First"), given_up_at=now(), given_up_because="a load test")
    a_change(path, title="Second", withdrawn_at=now())
    page = text_of(client.get(HERE).text)
    assert "Given up" in page
    assert "Withdrawn" in page
    assert "First" in client.get(f"{HERE}?stands=given_up").text


def test_changes_of_what_was_removed_are_not_listed(client, path):
    a_change(path, title="Gone")
    CriticalPath.objects.update(removed_at=now())
    assert "Gone" not in client.get(HERE).text


def some(path: CriticalPath, count: int) -> None:
    """Half of them collect: by probes, by samples; the others are judged, or not begun."""
    other = a_path(path.service, "Quote")
    stands(path)
    for number in range(count):
        sampling = "probes" if number % 2 else "sent"
        change = a_change(other if number % 3 else path, title=f"C{number}", sampling=sampling)
        if number % 4 == 0:
            judged(change, "improved")
        elif number % 4 < 3:
            a_window(an_attempt(change))


@pytest.mark.parametrize("count", [4, 60])
def test_the_whole_request_takes_at_most_14_queries(client, path, count):
    some(path, count)
    with CaptureQueriesContext(connection) as asked:
        page = client.get(HERE)
    assert page.status_code == 200
    assert len(asked) <= QUERIES, "\n".join(one["sql"] for one in asked.captured_queries)


def test_fifty_stand_on_a_page_newest_first(client, path):
    for number in range(60):
        a_change(path, title=f"Change number {number:02}", declared_at=now() - number * HOUR)
    first, second = client.get(HERE).text, client.get(f"{HERE}?page=2").text
    assert first.index("number 00") < first.index("number 49")
    assert "number 50" not in first
    assert "1 to 50 of 60 changes" in first
    assert 'href="?page=2"' in first
    assert "number 59" in second
    assert "There is no such page." in client.get(f"{HERE}?page=3").text


def test_the_page_of_a_path_shows_its_last_changes_and_offers_to_compare(client_of, path):
    stands(path)
    judged(a_change(path), "regressed")
    page = client_of("editor").get("/services/fares-api/price-a-crossing").text
    assert "Changes to this path" in page
    assert "Regressed</span>" in page
    assert "/changes/new?path=fares-api/price-a-crossing&amp;environment=production" in page
    assert (
        "/changes/new" not in client_of("viewer").get("/services/fares-api/price-a-crossing").text
    )


@pytest.mark.parametrize("wanted", ["fare rules", "chg-{:04}", "{}"])
def test_search_finds_a_change_by_its_words_and_its_number(client, path, wanted):
    change = a_change(path)
    page = client.get("/search", {"q": wanted.format(change.pk)}).text
    assert f'href="/changes/{change.pk}"' in page


def test_the_audit_log_leads_to_a_change(client_of, path):
    change = a_change(path)
    by = Actor(None, Via.COMMAND, who="a test")
    record(by, "sealed a baseline", "change", str(change), now=now())
    assert f'href="/changes/{change.pk}"' in client_of("administrator").get("/audit").text


def test_it_is_narrowed_to_one_path(client, path):
    other = a_path(path.service, "Quote")
    judged(a_change(path), "improved")
    a_change(other, title="Round in SQL")
    page = client.get(f"{HERE}?path=fares-api/price-a-crossing").text
    assert "Index fare rules" in page
    assert "Round in SQL" not in page
    assert 'href="?path=fares-api%2Fprice-a-crossing&amp;stands=improved"' in page
    assert "None like this" in client.get(f"{HERE}?path=nonsense").text


def shown_effect(path: CriticalPath, verdict: str, **figures: Any) -> tuple[str, str]:
    attempt = judged(a_change(path), verdict)
    attempt.result = {"reason": "", "changed": ["index"], **figures}
    shown = effect_of(attempt)
    assert shown
    return shown.words.replace(MINUS, "-"), shown.range.replace(MINUS, "-")


def test_an_effect_is_that_of_what_decided(path):
    """A cache that was changed is judged by all requests; wrong answers have points."""
    adjusted, pooled = [0.05, -0.1, 0.2], [-0.7, -0.8, -0.6]
    sides = {"adjusted": adjusted, "pooled": pooled, "mix_shifted": True}
    assert shown_effect(path, "improved", **sides, changed=["cache"])[0] == "-50%"
    wrong = {"adjusted": adjusted, "reason": "error_rate", "error_rate": {"diff": 0.15}}
    assert shown_effect(path, "regressed", **wrong) == ("+15 points", "wrong answers")
    of_misses = {
        "adjusted": adjusted,
        "reason": "stratum=miss",
        "strata": {"miss": [0.4, 0.3, 0.5]},
    }
    assert shown_effect(path, "regressed", **of_misses) == ("+49%", "+35 to +65% on misses")
    calls = {"adjusted": [-1.39] * 3, "metric": "db calls"}
    assert shown_effect(path, "improved", **calls) == ("-75%", "calls")
