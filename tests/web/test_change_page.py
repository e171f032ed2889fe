"""The page of one change: its verdict in two sentences, where the average went, and the proof."""

import hashlib
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from opsboard.changes.models import Change, Comparison, Sample
from opsboard.changes.rules.judged import Judged
from opsboard.probes.models import microseconds, stand_up
from opsboard.services.models import CriticalPath
from tests.web.measured import (
    HOUR,
    a_burst,
    a_change,
    a_window,
    an_attempt,
    compared,
    csv_of,
    is_applied,
    not_the_same,
    now,
    was_cleared,
    was_judged,
)
from tests.web.releases import a_note
from tests.web.standing import text_of

SignIn = Callable[[Any], Client]
QUERIES = 14


@pytest.fixture
def client(client_of: SignIn) -> Client:
    return client_of("editor")


@pytest.fixture
def change(path: CriticalPath) -> Change:
    return a_change(path)


@pytest.fixture
def html(client: Client, change: Change) -> Callable[[], str]:
    return lambda: client.get(f"/changes/{change.pk}").text


@pytest.fixture
def page(html: Callable[[], str]) -> Callable[[], str]:
    return lambda: text_of(html())


def section(html: str, heading: str) -> str:
    """From a heading to the end of its section."""
    return html.split(f">{heading}</h2>")[1].split("</section>")[0]


def row(html: str, head: str) -> str:
    """The row of a table whose head begins so."""
    rows = [one.split("</tr>")[0] for one in html.split("<tr>")]
    return next(one for one in rows if f">{head}" in one.split("</th>")[0])


def collects(change: Change, count: int = 137, **fields: object) -> Comparison:
    """An attempt whose after window has so many samples, sent by a program."""
    Change.objects.filter(pk=change.pk).update(sampling=fields.pop("sampling", "sent"))
    attempt = an_attempt(change)
    a_window(attempt, "before")
    is_applied(attempt)
    window = a_window(
        attempt, "after", is_sealed=False, starts_at=now() - HOUR, closes_at=now() + HOUR, **fields
    )
    Sample.objects.bulk_create(
        Sample(window=window, at=microseconds(now()) - number, latency=1234, cache=1)
        for number in range(count)
    )
    return attempt


# The verdict


@pytest.mark.parametrize(
    ("made", "words", "mark"),
    [
        (lambda: compared("F3_real_fix"), "Improved", "g-better"),
        (lambda: compared("F3_real_fix", swapped=True), "Regressed", "g-worse"),
        (lambda: compared("F7_fast_fail"), "Regressed", "g-worse"),
        (lambda: compared("F11_null_large"), "No change", "g-same"),
        (lambda: compared("F1_null"), "Inconclusive", "g-unsure"),
        (lambda: compared("F1_null", labels=False), "Inconclusive", "g-unsure"),
        (lambda: compared("F9_too_small"), "Inconclusive", "g-unsure"),
        (lambda: compared("F2_lucky_hit"), "Confounded", "g-mixed"),
        (lambda: compared("F5_all_hits_after"), "Confounded", "g-mixed"),
        (lambda: compared("F8_two_variables", changed=("query", "cache")), "Confounded", "g-mixed"),
        (not_the_same, "Invalid", "g-none"),
    ],
    ids=[
        *("improved", "slower", "fast fail", "no change", "null", "unlabelled", "too few"),
        *("lucky hit", "no overlap", "two variables", "invalid"),
    ],
)
def test_every_verdict_has_its_word_its_mark_and_two_sentences(
    change: Change, html: Callable[[], str], made: Callable[[], Judged], words: str, mark: str
) -> None:
    judged = made()
    was_judged(change, judged)
    verdict = section(html(), "Verdict")
    big = verdict.split("verdict-big")[1].split("</span>")[0]
    assert big.endswith(words)
    assert mark in big
    assert verdict.count('<p class="say') == 2
    assert f"from {sum(judged['n']):,} requests" in verdict
    assert f"{change}: {words.lower()}" in html()


def test_a_lucky_hit_is_told_by_where_the_average_went(change, html):
    was_judged(change, compared("F2_lucky_hit"))
    verdict = section(html(), "Verdict")
    bridge = [text_of(row(verdict, head)).replace("\u00a0", " ") for head in (
        "Average before", "From more cache hits", "From this change", "Average after",
    )]  # fmt: skip
    for one, value in zip(bridge, ("135.5 ms", "−75.1 ms", "+12.3 ms", "72.7 ms"), strict=True):
        assert one.rstrip().endswith(value)
    assert 'class="delta"' in row(verdict, "From more cache hits")


@pytest.mark.parametrize("fixture", ["F2_lucky_hit", "F5_all_hits_after", "F7_fast_fail"])
def test_all_requests_together_never_look_better_than_the_verdict(change, html, fixture):
    judged = compared(fixture)
    assert judged["times"]["all"]["call"] == "improved" or fixture == "F7_fast_fail"
    was_judged(change, judged)
    assert "Improved" not in section(html(), "Before and after, by cache result")


def test_of_two_changed_variables_no_row_says_that_it_improved(change, html, client, path):
    was_judged(change, compared("F8_two_variables", changed=("query", "cache")))
    strata = section(html(), "Before and after, by cache result")
    assert strata.count("Confounded") == 3
    assert "Improved" not in strata
    other = client.get(f"/changes/{a_change(path).pk}").text
    assert "Confounded cannot be told" in text_of(section(other, "Other changes to this path"))


def test_requests_of_unknown_cache_result_never_look_better_than_the_verdict(change, html):
    judged = compared("F3_real_fix", labels=False, calls=False)
    assert judged["verdict"] == "inconclusive"
    was_judged(change, judged)
    strata = section(html(), "Before and after, by cache result")
    assert "Inconclusive" in row(strata, "Cache unknown")
    assert "Improved" not in strata


def test_wrong_answers_that_nobody_gave_are_not_spoken_of(change, page):
    was_judged(change, compared("F3_real_fix"))
    assert "Wrong answers:" not in page()


def test_wrong_answers_are_counted_on_both_sides(change, page):
    judged = compared("F3_real_fix")
    rates = judged["error_rate"] | {"before": 0.01, "after": 0.1}
    was_judged(change, judged | {"error_rate": rates})
    assert "Wrong answers: 3 of 300 before, 30 of 300 (10%) after." in page()


def test_wrong_answers_that_decided_are_said_in_the_sentences_alone(change, page):
    was_judged(change, compared("F7_fast_fail"))
    assert "0 of 300 answers were wrong before, and 45 of 300 (15%) after" in page()
    assert "Wrong answers:" not in page()


def test_where_no_cache_result_is_known_nothing_is_said_to_come_from_the_change(change, page):
    was_judged(change, compared("F3_real_fix", labels=False, calls=False))
    assert "Inconclusive" in page()
    assert "From this change" not in page()


def test_a_verdict_on_database_calls_leads_with_them(change, html):
    was_judged(change, compared("F3_real_fix") | {"metric": "db calls"})
    strata = text_of(section(html(), "Before and after, by cache result"))
    assert "Calls before Calls after Difference in time, 95% range" in strata
    assert re.search(r"Cache miss[\d, then]+ Improved 12 3 ", strata)
    assert "p95" not in strata


def test_the_database_calls_of_a_miss_are_said_exactly(change, page):
    was_judged(change, compared("F3_real_fix"))
    assert "Database calls: 12, then 3 per miss." in page()


def test_the_control_path_and_the_guardrails_are_said(change, page, service):
    control = service.paths.create(slug="ports", name="List the ports", route="/ports")
    Change.objects.filter(pk=change.pk).update(control=control, guardrails=["p95", "path:ports"])
    was_judged(change, compared("F3_real_fix", control=True, guardrails=("p95",)))
    text = page()
    assert "List the ports, which this should not touch, changed by 0% in the same time" in text
    assert "p95 of the response time Did not get worse" in text


# Hits, misses and all


def test_hits_misses_and_all_are_always_there(change, html):
    was_judged(change, compared("F5_all_hits_after"))
    strata = section(html(), "Before and after, by cache result")
    assert "217, then 0" in text_of(strata)
    for head in ("Cache hit", "Cache miss", "All requests"):
        assert head in strata
    assert "Cache unknown" not in strata


def test_unknown_cache_results_are_a_row_of_their_own(change, html):
    judged = compared("F3_real_fix")
    times = {**judged["times"], "unknown": {**judged["times"]["hit"], "n": [12, 7], "call": None}}
    was_judged(change, judged | {"times": times})
    strata = section(html(), "Before and after, by cache result")
    assert "12, then 7" in row(strata, "Cache unknown")
    assert "Not compared" in row(strata, "Cache unknown")
    assert "Cache bypassed" not in strata


def test_both_sides_are_drawn_on_one_axis_with_their_medians(change, html):
    was_judged(change, compared("F2_lucky_hit"))
    strata = section(html(), "Before and after, by cache result")
    assert strata.count('<td class="plot">') == 3
    for drawn in ("b-before", "b-after", "m-before", "m-after", "m-grid"):
        assert strata.count(f'class="{drawn}"') >= 3
    for tick in ("50", "100", "200"):
        assert f'text-anchor="middle">{tick}</text>' in strata


def test_too_few_samples_show_no_table_of_figures(change, page):
    was_judged(change, compared("F9_too_small"))
    text = page()
    assert "Before and after, by cache result" not in text
    assert "Where the average went" not in text


# Collecting


def test_while_it_collects_it_says_how_many_and_nothing_of_what_they_say(change, page):
    collects(change)
    text = page()
    assert "After: collecting, 127 of 200" in text
    assert "Left out: 10 in the warm-up" in text
    for tempting in ("1.2 ms", "Median", "Where the average went", "p95 before", "%"):
        assert tempting not in text.split("What was declared")[0]


def test_the_bar_is_as_full_as_the_window(change, html):
    collects(change, 110)
    assert 'class="done" width="50.0%"' in html()


def test_a_paused_path_is_said_to_send_nothing(change, page, path):
    stand_up(path.service, now=now() - HOUR, location="default")
    CriticalPath.objects.filter(pk=path.pk).update(paused_at=now())
    collects(change, 0, sampling="probes")
    assert "Price a crossing is paused: no samples come" in page()


def test_a_burst_shows_how_far_it_is_and_can_be_stopped(change, page, html):
    attempt = collects(change, 0, sampling="burst")
    a_burst(attempt.windows.get(side="after"), asked=77)
    assert "A burst is asking: it has 77 of 200 samples." in page()
    assert f'formaction="/changes/{change.pk}/burst/stop"' in html()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"stopped_at": True}, "was stopped"),
        ({"trouble": "Half of the answers were errors."}, "Half of the answers were errors."),
        ({}, "The last burst ended"),
    ],
    ids=["stopped", "in trouble", "done"],
)
def test_a_burst_that_ended_says_how(change, page, fields, words):
    attempt = collects(change, 0, sampling="burst")
    ended = {name: now() if value is True else value for name, value in fields.items()}
    a_burst(attempt.windows.get(side="after"), asked=77, finished_at=now(), **ended)
    assert words in page()
    assert "77 of 200 samples" in page()


def test_a_poll_gets_the_part_alone_and_304_while_nothing_changed(client, change):
    was_judged(change, compared("F3_real_fix"))
    first = client.get(f"/changes/{change.pk}", headers={"HX-Request": "true"})
    assert first.text.lstrip().startswith('<div id="change"')
    again = {"HX-Request": "true", "HX-PTag": first["HX-PTag"]}
    assert client.get(f"/changes/{change.pk}", headers=again).status_code == 304


# What it rests on


def test_a_window_shows_its_time_its_count_its_source_and_its_whole_hash(change, html):
    attempt = was_judged(change, compared("F3_real_fix"))
    windows = section(html(), "Windows")
    for window in attempt.windows.all():
        assert f'<summary>Whole<span class="vh"> SHA-256, {window.side}</span>' in windows
        assert f">{window.sha256}</code>" in windows
    assert "10 in the warm-up" in windows
    assert "Probes" in windows


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"sampling": "burst", "mode": "hit and miss"}, "hits and misses in turn"),
        ({"sampling": "burst", "mode": "misses"}, "A burst of 200 requests, misses only"),
        ({"sampling": "sent"}, "Samples sent by a program"),
    ],
    ids=["hits and misses", "misses", "sent"],
)
def test_the_source_of_the_samples_is_said_in_words(change, page, fields, words):
    was_judged(change, compared("F3_real_fix"))
    Change.objects.filter(pk=change.pk).update(**fields)
    assert words in page()


def test_the_samples_of_a_side_are_the_text_that_its_hash_is_of(client, change):
    attempt = was_judged(change, compared("F3_real_fix"))
    here = f"/changes/{change.pk}/attempts/1/samples.csv"
    for window in attempt.windows.all():
        answer = client.get(f"{here}?side={window.side}")
        assert hashlib.sha256(answer.content).hexdigest() == window.sha256
        assert f"chg-{change.pk:04d}-attempt-1-{window.side}.csv" in answer["Content-Disposition"]


def test_both_sides_are_one_file_with_one_head_line_before_first(client, change):
    was_judged(change, compared("F3_real_fix"))
    answer = client.get(f"/changes/{change.pk}/attempts/1/samples.csv")
    assert answer.content == csv_of("before") + csv_of("after").split(b"\n", 1)[1]


def test_samples_that_are_not_sealed_cannot_be_downloaded(client, change):
    a_window(an_attempt(change), "before", is_sealed=False)
    for side in ("", "?side=before", "?side=after", "?side=nonsense"):
        url = f"/changes/{change.pk}/attempts/1/samples.csv{side}"
        assert client.get(url).status_code == 404


def test_what_was_done_is_shown_as_it_was_told(change, page):
    attempt = was_judged(change, compared("F3_real_fix"))
    was_cleared(attempt, exit_code=3)
    text = page()
    assert "Cleared all keys of a prefix: fare:*" in text
    assert "xargs redis-cli unlink" in text
    assert "Nothing has answered since." in text
    assert "Applied to production" in text
    assert "by Ingrid Solheim." in text


def test_a_clear_that_was_followed_by_a_hit_is_said_not_to_have_worked(change, page):
    attempt = collects(change)
    act = was_cleared(attempt)
    attempt.surroundings = {"after_clears": {str(act.pk): "hit"}}
    attempt.save()
    assert "The clear did not work The first answer after it was a hit" in page()


def test_what_was_declared_is_shown_as_it_was_written(client, path):
    change = a_change(
        path,
        commit="9f3c1ab",
        version="2026.11.4",
        assumptions=["staging has the fares of March"],
        commands=["ferryctl migrate fares 0042"],
        goal=0.3,
        guardrails=["db calls"],
    )
    declared = text_of(section(client.get(f"/changes/{change.pk}").text, "What was declared"))
    for words in (
        "Changed Index",
        "Response time, which is to fall by 30%",
        "A difference below 10% says nothing",
        "200, within 24 hours",
        "Wrong answers Database calls",
        "staging has the fares of March",
        "ferryctl migrate fares 0042",
        "9f3c1ab",
        "Release 2026.11.4",
    ):
        assert words in declared


# Attempts, and what lies around them


def test_all_attempts_stay_and_each_has_its_page(client, change):
    was_judged(change, compared("F1_null"))
    an_attempt(change, given_up_at=now(), given_up_because="The store was moved")
    was_judged(change, compared("F3_real_fix"))
    listed = text_of(section(client.get(f"/changes/{change.pk}").text, "Attempts"))
    assert "Attempt 3 shown here Improved" in listed
    assert "Attempt 2 Given up" in listed
    assert "The store was moved" in listed
    assert "Attempt 1 Inconclusive" in listed
    first = client.get(f"/changes/{change.pk}/attempts/1").text
    assert "Inconclusive" in section(first, "Verdict")
    assert "This is attempt 1 of 3." in text_of(first)
    assert "New attempt" not in first


def test_an_attempt_or_a_change_that_is_not_there_is_not_found(client, change):
    for url in ("/changes/999999", f"/changes/{change.pk}/attempts/1"):
        assert client.get(url).status_code == 404


def test_the_change_of_a_path_that_was_removed_is_said_to_be_gone(client, change, path):
    CriticalPath.objects.filter(pk=path.pk).update(removed_at=now())
    answer = client.get(f"/changes/{change.pk}")
    assert answer.status_code == 404
    assert "was removed" in answer.text


def test_other_changes_of_the_path_say_what_they_did_to_misses(client, change, path):
    was_judged(a_change(path, title="Load it with the quote"), compared("F3_real_fix"))
    was_judged(a_change(path, title="Round in SQL"), compared("F2_lucky_hit"))
    was_judged(a_change(path, title="Ask another route"), not_the_same())
    a_change(path, title="Never measured")
    was_judged(change, compared("F1_null"))
    others = section(client.get(f"/changes/{change.pk}").text, "Other changes to this path")
    text = text_of(others)
    assert "Load it with the quote Improved −55 ms" in text
    assert "Round in SQL Confounded −28 to +83 ms" in text
    assert "Ask another route Invalid cannot be told" in text
    assert "Never measured" not in text
    assert change.title not in text


def test_a_regression_suggests_the_way_back_with_its_note(change, page, service):
    a_note(service)
    was_judged(change, compared("F3_real_fix", swapped=True))
    text = page()
    assert "Going back is suggested with the rollback note Go back to the one before." in text
    assert "Open rollback note" in text


def test_a_regression_without_a_note_says_that_there_is_none(change, page):
    was_judged(change, compared("F7_fast_fail"))
    assert "Nobody has written the way back of Fares API." in page()


@pytest.mark.parametrize("fixture", ["F3_real_fix", "F2_lucky_hit", "F1_null"])
def test_nothing_but_a_regression_suggests_to_go_back(change, page, service, fixture):
    a_note(service)
    was_judged(change, compared(fixture))
    assert "Going back" not in page()


def test_what_would_settle_it_offers_a_new_attempt(change, html):
    was_judged(change, compared("F3_real_fix", labels=False, calls=False))
    settle = section(html(), "What would settle it")
    assert "Let the answers tell their cache result" in settle
    assert f'formaction="/changes/{change.pk}/attempts/new"' in settle


def test_what_the_same_settings_would_not_settle_is_declared_anew(change, html, client_of):
    was_judged(change, compared("F2_lucky_hit"))
    settle = section(html(), "What would settle it")
    assert "Ask for misses only" in settle
    assert f'href="/changes/new?like={change.pk}"' in settle
    assert "attempts/new" not in settle
    form = client_of("editor").get(f"/changes/new?like=CHG-{change.pk:04}").text
    assert re.search(r'<option value="misses"[^>]* selected', form)
    assert f'value="{change.title}"' not in form


def test_nobody_is_offered_an_attempt_of_what_was_withdrawn(change, html, editor: User):
    was_judged(change, compared("F1_null"))
    change.withdrawn_at, change.withdrawn_by = now(), editor
    change.save()
    assert "Inconclusive" in section(html(), "Verdict")
    assert "New attempt" not in html()


def test_a_viewer_reads_what_would_settle_it_and_begins_nothing(change, client_of):
    was_judged(change, compared("F1_null"))
    html = client_of("viewer").get(f"/changes/{change.pk}").text
    assert "What would settle it" in html
    assert "New attempt" not in html


def test_a_settled_one_asks_for_nothing(change, page):
    was_judged(change, compared("F3_real_fix"))
    assert "What would settle it" not in page()


# Who may do what, and when


def declared(change: Change) -> None:
    """Nothing was begun."""


def collects_before(change: Change) -> None:
    window = a_window(an_attempt(change), "before", is_sealed=False)
    Change.objects.filter(pk=change.pk).update(sampling="burst")
    Sample.objects.bulk_create(
        Sample(window=window, at=microseconds(now()) - number, latency=1, cache=1)
        for number in range(60)
    )


def sealed(change: Change) -> None:
    a_window(an_attempt(change), "before")


def judged(change: Change) -> None:
    was_judged(change, compared("F3_real_fix"))


def given_up(change: Change) -> None:
    an_attempt(change, given_up_at=now(), given_up_because="The store was moved")


ACTS = [
    (declared, ["Open baseline", "Edit"]),
    (collects_before, ["Start a burst", "Seal now", "Give up", "Edit"]),
    (sealed, ["Cache cleared", "It is applied", "Give up", "Edit"]),
    (collects, ["Cache cleared", "Give up", "Edit"]),
    (judged, ["New attempt", "Edit"]),
    (given_up, ["New attempt", "Edit"]),
]


def offered(html: str) -> list[str]:
    head = html.split('<div class="head-act">')[1].split("</div>")[0]
    known = {act for _, acts in ACTS for act in acts}
    return [act for act in known if act in text_of(head)]


@pytest.mark.parametrize(("stand", "acts"), ACTS, ids=[stand.__name__ for stand, _ in ACTS])
def test_an_editor_is_offered_what_comes_next(change, html, stand, acts):
    stand(change)
    assert sorted(offered(html())) == sorted(acts)


@pytest.mark.parametrize("stand", [stand for stand, _ in ACTS], ids=lambda stand: stand.__name__)
def test_a_viewer_is_offered_nothing(change, client_of, stand):
    stand(change)
    html = client_of("viewer").get(f"/changes/{change.pk}").text
    assert offered(html) == []
    assert 'form="act"' not in html
    assert "Withdraw CHG" not in html


def test_a_baseline_of_too_few_cannot_be_sealed_and_says_from_when_on(change, html):
    a_window(an_attempt(change), "before", is_sealed=False)
    Change.objects.filter(pk=change.pk).update(sampling="sent")
    assert 'aria-disabled="true" aria-describedby="not-yet">Seal now' in html()
    assert "It can be sealed from 60" in section(html(), "Verdict")


def test_a_withdrawn_change_is_said_to_be_and_offers_nothing(change, html, editor: User):
    change.withdrawn_at, change.withdrawn_by = now(), editor
    change.save()
    assert "by Edith Moe." in text_of(html())
    assert "Withdrawn without a verdict." in html()
    assert offered(html()) == []


def test_an_attempt_that_was_given_up_says_why(change, page):
    given_up(change)
    assert "was given up" in page()
    assert "The store was moved." in page()


def test_what_people_wrote_is_shown_and_does_nothing(client, path):
    hostile = "<script>alert(1)</script>"
    change = a_change(
        path,
        title=hostile,
        purpose=hostile,
        commands=[hostile],
        assumptions=[hostile],
        declared_as=hostile,
    )
    attempt = was_judged(change, compared("F3_real_fix"))
    was_cleared(attempt, command=hostile, pattern=hostile, remark=hostile, by_name=hostile)
    html = client.get(f"/changes/{change.pk}").text
    assert hostile not in html
    assert html.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 8


# What it costs


def asked(client: Client, change: Change) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert client.get(f"/changes/{change.pk}").status_code == 200
    assert len(queries) <= QUERIES, "\n".join(one["sql"] for one in queries.captured_queries)
    return len(queries)


def test_the_page_of_a_verdict_takes_at_most_14_queries(client, change, path, service):
    a_note(service)
    Change.objects.filter(pk=change.pk).update(guardrails=["path:ports"])
    was_judged(a_change(path), compared("F1_null"))
    was_cleared(was_judged(change, compared("F3_real_fix", swapped=True)))
    asked(client, change)


def test_the_queries_do_not_grow_with_attempts_samples_and_others(client, change, path):
    few = a_change(path)
    collects(few, 3)
    was_judged(few_others := a_change(path), compared("F1_null"))
    first = asked(client, few)
    for _ in range(5):
        was_judged(few_others, compared("F1_null"))
        was_judged(change, compared("F1_null"))
        was_judged(a_change(path), compared("F1_null"))
    collects(change, 300)
    assert asked(client, change) == first


def test_the_packed_samples_are_not_read_for_the_page(client, change):
    was_judged(change, compared("F3_real_fix"))
    with CaptureQueriesContext(connection) as queries:
        client.get(f"/changes/{change.pk}")
    assert not [one for one in queries.captured_queries if '"content"' in one["sql"]]


def test_of_a_few_requests_no_percentile_is_said(change, html):
    judged = compared("F3_real_fix")
    few = judged["times"]["hit"] | {"n": [54, 1]}
    was_judged(change, judged | {"times": judged["times"] | {"hit": few}})
    hits = text_of(row(section(html(), "Before and after, by cache result"), "Cache hit"))
    assert "21 ms too few" in hits.replace("\u00a0", " ")
    assert hits.count("too few") == 3
