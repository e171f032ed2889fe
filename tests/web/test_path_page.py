"""The page of a critical path: its sheet beside what it gets now, and what a person may do."""

import json
import re
from datetime import UTC, datetime, time, timedelta
from html import unescape

import pytest

from opsboard.alerts.models import Channel, Route
from opsboard.incidents.models import Incident
from opsboard.people import joining
from opsboard.probes.models import Exchange, Gap, Kind, Probe, StateChange, microseconds, stand_up
from opsboard.probes.rules import State, Verdict
from opsboard.probes.stored import CACHE
from opsboard.rollbacks.models import RollbackNote
from opsboard.services.models import CriticalPath, Rota, Team
from tests.web.standing import MINUTE, a_path, a_service, observed, stands, text_of

F, W, N, P, X = (State.FAILING, State.WARNING, State.NO_DATA, State.PASSING, State.PAUSED)
HERE = "/services/fares-api/price-a-crossing"


@pytest.fixture
def price(db: None) -> CriticalPath:
    return a_path(
        a_service("fares-api", environments=2),
        method="POST",
        expected_result="status == 200\ntime < 400 ms\nwarn db.calls <= 8",
        headers=[["Authorization", "Bearer {{ TOKEN }}"]],
        query=[["day", "2026-12-04"]],
        body='{"from": "LEI"}',
    )


@pytest.fixture
def read(client_of):
    return lambda query="", role="viewer": client_of(role).get(HERE + query).text


def a_note(path: CriticalPath, *, of_path: bool = True) -> RollbackNote:
    note = RollbackNote.objects.create(service=path.service, path=path if of_path else None)
    note.write(
        title="Go back one release", use_when="", does_not_undo="", minutes=4,
        steps=[{"do": "Go back"}, {"do": "Look"}], reason="First", by=None, now=datetime.now(UTC),
    )  # fmt: skip
    return note


def test_while_it_fails_the_way_back_comes_first(price, read):
    stands(price, F, reason="status is 503, expected 200")
    a_note(price)
    page = read()
    band = text_of(page.partition('<div class="band st-fail"')[2].partition("</div>\n<p")[0])
    assert re.search(r"Failing since (\w+ )?\d\d:\d\d, 23 min\.", band)
    assert "Rollback note: Go back one release. 2 steps, about 4 min." in band
    assert "Status is 503, expected 200." in band
    assert page.index("Open rollback note") < page.index("Live measurements")


def test_without_a_note_the_band_says_so(price, read):
    stands(price, F)
    assert "No rollback note yet. Write one" in text_of(read(role="editor"))
    assert "Write one" not in read()


def test_a_passing_path_has_no_band(price, read):
    stands(price)
    assert 'class="band st-' not in read()


def test_the_sheet_is_in_its_fixed_order(price, read):
    stands(price)
    terms = re.findall(r"<dt>([^<]+?)\s*(?:<span>|</dt>)", read().partition('class="sheet"')[2])
    wanted = [
        "Owner", "Route", "Expected input", "Expected result", "Where the user notices",
        "Slow query or failing command", "Rollback note", "Who hears if this fails",
    ]  # fmt: skip
    assert [term for term in terms if term in wanted] == wanted


def test_the_sheet_shows_what_is_asked(price, read):
    stands(price)
    page = text_of(read())
    assert "POST https://fares-api.production.example/price" in page
    assert "Gives up after 10 s. Follows redirects, five at most." in page
    assert "Authorization Bearer {{ TOKEN }}" in page
    assert "day 2026-12-04" in page
    assert "{&quot;from&quot;: &quot;LEI&quot;}" in page


def test_every_clause_says_what_it_gets_now(price, read):
    stands(price, F, clauses=[
        ("status == 200", True, "200"),
        ("time < 400 ms", False, "2.84 s"),
        ("warn db.calls <= 8", False, "148"),
        ("errors < 10 % over 30 m", None, "not enough data yet"),
    ])  # fmt: skip
    page = text_of(read())
    assert "Status is 200: met200" in page
    assert "Answers in under 400 ms: not met2.84 s" in page
    assert "At most 8 database calls else a warning: not met148" in page
    assert "unless the sheet says otherwise: not known yetnot enough data yet" in page


def test_what_a_silent_path_got_last_is_not_shown_as_of_now(price, read):
    stands(price, clauses=[("status == 200", True, "200")])
    heard = microseconds(datetime.now(UTC)) - 42 * MINUTE
    Probe.objects.update(observed_at=heard, state_since=heard)
    page = text_of(read())
    assert re.search(r"Expected result Last, (\w+ )?\d\d:\d\d", page)
    assert "Status is 200: not known yet200" in page


def test_an_edited_clause_is_not_judged_by_what_the_old_one_got(price, read):
    stands(price, clauses=[("status == 200", True, "200"), ("time < 900 ms", True, "500 ms")])
    page = text_of(read())
    assert "Answers in under 400 ms: not known yetnot asked yet" in page
    assert "500 ms" not in page


def test_what_is_missing_is_named_with_a_link(price, read):
    stands(price)
    CriticalPath.objects.update(user_notices="")
    page = text_of(read(role="editor"))
    assert "Not written down yet. Add it" in page
    assert "No slow query or failing command recorded. Add it" in page
    assert "No rollback note yet. Write one" in page
    assert "Add it" not in read()


def test_the_note_of_the_service_stands_in_and_is_said_to(price, read):
    stands(price)
    a_note(price, of_path=False)
    page = text_of(read(role="editor"))
    assert "Version 1 of fares-api" in page
    assert "Write one for this path" in page


def test_who_hears_is_said(price, read):
    stands(price)
    assert "Nobody would be told" in read()
    channel = Channel(name="Everybody", kind=Channel.Kind.EMAIL, failing_since=datetime.now(UTC))
    channel.keep(address="everybody@skerry.example")
    channel.save()
    page = text_of(read(role="editor"))
    assert "Everybody not delivering since" in page
    assert "Nobody would be told: Everybody has not delivered since" in page
    assert "See what the channels lack" in page


def a_webhook(name: str, **fields: object) -> Channel:
    channel = Channel(name=name, kind=Channel.Kind.WEBHOOK, **fields)
    channel.keep(address="https://hooks.skerry.example/1")
    channel.save()
    return channel


def test_without_a_channel_an_editor_has_one_act(price, read):
    stands(price)
    page = read(role="editor")
    assert "Nobody would be told: no alert channel hears about it, and no mail" in text_of(page)
    assert 'href="/alerts/channels/new">Add an alert channel</a>' in page
    assert "An editor can add an alert channel." in read()


def test_pages_and_notices_go_their_ways_and_what_comes_after_is_said(price, read):
    stands(price)
    a_webhook("All")
    route = Route.objects.create(
        name="Pages", kind="page", environment_slug="production", remind_every=15,
        remind_most=1, escalate_after=20,
    )  # fmt: skip
    route.channels.add(a_webhook("Desk"))
    route.escalate_to.add(a_webhook("Chief"))
    page = text_of(read())
    assert "Pages, by the route Pages Desk Notices, by the default route All Desk Chief" in page
    assert "If nobody acknowledges within 20 min: Chief as well." in page
    assert "Again every 15 min until somebody acknowledges, at most 1 time." in page
    assert "Pages and notices, by the default route" in text_of(read("?environment=staging"))


def test_the_owner_of_the_path_hears_of_it(price, read):
    stands(price)
    ports = Team.objects.create(slug="ports", name="Ports")
    a_webhook("Quay", team=ports)
    assert "Nobody would be told" in read()
    price.owner = ports
    price.save()
    assert "by the default route Quay" in text_of(read())


def test_who_is_on_duty_is_said_in_the_teams_zone_and_in_utc(price, read, editor, settings):
    settings.MAILERS = {"default": {"BACKEND": "django.core.mail.backends.locmem.EmailBackend"}}
    stands(price)
    team = price.service.team
    Team.objects.update(zone="Asia/Tokyo")
    Channel.objects.create(name="Duty", kind=Channel.Kind.DUTY, team=team)
    assert "nobody of Pricing is on duty" in text_of(read())
    today = datetime.now(UTC).date() - timedelta(days=1)
    rota = Rota.objects.create(team=team, starts_on=today, hand_over_at=time(12), days=28)
    editor.email = "edith@skerry.example"
    editor.save()
    rota.turns.create(position=1, person=editor)
    assert "Duty: Edith Moe is on duty" in text_of(read())
    rota.turns.create(position=2, person=joining.add("Ida Berg", "viewer", password="a long one"))
    page = text_of(read())
    assert re.search(r"Edith Moe is on duty until \w+ \d+ \w+ 12:00 in Asia/Tokyo, 03:00 UTC", page)
    assert "then Ida Berg" in page
    assert "Nobody would be told" not in page


def test_figures_are_of_the_last_15_minutes(price, read):
    probe = stands(price, F)
    observed(probe, [2_841] * 30, db_calls=148, cache=CACHE.index("hit"))
    observed(probe, [10] * 30, minutes_ago=20)
    page = text_of(read())
    assert "Last 15 minutes, 30 probes, against the sheet." in page
    assert "Response time, p95 2.84s expected under 400 ms: not met" in page
    assert "Database calls 148 expected at most 8: not met" in page
    assert "Cache hits 100% no limit in the sheet" in page


def test_what_is_not_reported_comes_with_how_to_report_it(price, read):
    observed(stands(price), [100] * 30)
    page = unescape(text_of(read()))
    line = 'Server-Timing: db;dur=23.1;desc="12", cache;desc=hit'
    assert f"Cache and database calls are not reported. Answer with {line}" in page
    # In the rows of the chart too, and beside the clause of the sheet that waits for it.
    assert "Cache not reported: answer with Server-Timing: cache;desc=hit" in page
    assert "Cache hits: not reported. Answer with Server-Timing: cache;desc=hit" in page


def test_a_clause_that_waits_for_what_is_not_reported_says_how_to_report_it(price, read):
    price.expected_result = "cache is hit\nwarn db.calls <= 8"
    price.save()
    clauses = [("cache is hit", False, "unknown"), ("warn db.calls <= 8", False, "not reported")]
    stands(price, clauses=clauses)
    sheet = unescape(text_of(read().partition('class="asserts"')[2].partition("</ul>")[0]))
    assert "unknownTo report it, answer with Server-Timing: cache;desc=hit" in sheet
    line = 'Server-Timing: db;dur=23.1;desc="12"'
    assert f"not reportedTo report it, answer with {line}" in sheet


def test_what_is_reported_is_not_asked_for(price, read):
    observed(stands(price), [100] * 30, db_calls=7, cache=CACHE.index("hit"))
    page = text_of(read())
    assert "Answer with" not in page
    assert "not reported" not in page.partition("Last probes")[0]


@pytest.mark.parametrize("kind", ["tcp", "tls", "dns", "heartbeat"])
def test_kinds_that_cannot_report_have_no_rows_for_it(price, read, kind):
    CriticalPath.objects.update(kind=kind, expected_result="")
    observed(stands(price), [100] * 30)
    page = read()
    assert 'data-row="time"' in page
    assert 'data-row="cache"' not in page
    assert 'data-row="calls"' not in page
    drawing = page.partition('class="chart-static')[2].partition("</svg>")[0]
    assert "Cache" not in drawing
    assert 'viewBox="0 0 860 316"' in drawing
    table = page.partition("Measurements table")[2].partition("</table>")[0]
    assert "DB calls" not in table


def test_the_uptime_is_said_with_what_was_left_out(price, read):
    probe = stands(price, F, minutes=18)
    Probe.objects.update(began_at=microseconds(datetime.now(UTC)) - 180 * MINUTE)
    at = microseconds(datetime.now(UTC)) - 100 * MINUTE
    StateChange.objects.create(probe=probe, at=at, before=P, after=N)
    StateChange.objects.create(probe=probe, at=at + 10 * MINUTE, before=N, after=P)
    page = text_of(read("?range=24h").replace("\u00a0", " "))
    # 152 of 170 minutes; the seconds of the test may tip either.
    assert re.search(r"Uptime 89\.\d\d% of the 2 h (49|50) min that are known", page)
    assert "; left out: 10 min without data." in page


def chart_of(page: str) -> dict:
    return json.loads(
        page.partition('id="chart-data" type="application/json">')[2].partition("</script>")[0]
    )


def test_the_chart_keeps_its_gaps_and_says_the_limits(price, read):
    probe = stands(price, F)
    observed(probe, [100] * 3, minutes_ago=1, step_seconds=60)
    observed(probe, [200] * 3, minutes_ago=30, step_seconds=60)
    chart = chart_of(read("?range=1h"))
    assert (chart["step"], len(chart["t"])) == (60, 60)
    assert sum(value is not None for value in chart["p95"]) == 6
    assert chart["p95"][10] is None
    assert chart["limits"]["time"] == {"value": 400.0, "words": "expected under 400 ms"}
    # Failing since 23 minutes ago.
    [[begin, end]] = chart["failing"]
    assert 22 * 60 < end - begin < 24 * 60


@pytest.mark.parametrize(
    ("chosen", "step", "count"),
    [
        ("1h", 60, 60), ("3h", 120, 90), ("24h", 600, 144), ("7d", 3600, 168),
        ("30d", 7200, 360), ("90d", 21600, 360), ("1y", 86400, 365),
    ],
)  # fmt: skip
def test_every_range_is_kept_even_when_nothing_was_measured(price, read, chosen, step, count):
    stands(price)
    page = read(f"?range={chosen}")
    chart = chart_of(page)
    assert (chart["step"], len(chart["t"])) == (step, count)
    assert "Nothing was measured in the last" in page


def test_an_unknown_range_or_environment_is_not_found(price, client_of):
    stands(price)
    assert client_of("viewer").get(f"{HERE}?range=2y").status_code == 404
    assert client_of("viewer").get(f"{HERE}?environment=moon").status_code == 404
    assert client_of("viewer").get("/services/fares-api/nothing").status_code == 404


def test_the_chart_is_also_a_drawing_and_a_table(price, read):
    probe = stands(price, F)
    observed(probe, [100] * 30, cache=CACHE.index("hit"), db_calls=7, db_time=40_000)
    page = read()
    drawing = page.partition('<div class="chart-static')[2].partition("</svg>")[0]
    assert "expected under 400 ms" in drawing
    assert '<polygon class="d-1"' in drawing
    table = text_of(page.partition("Measurements table")[2].partition("</table>")[0])
    assert re.search(r"\d\d:\d\d \d+ 100 100 100 40 60 0 0 ", table)


def test_the_last_probes_say_what_came_and_why_they_were_asked(price, read):
    probe = stands(price, F)
    observed(
        probe, [10_000], minutes_ago=1, verdict=Verdict.FAILING, failure="timeout", status=None
    )
    observed(probe, [64], minutes_ago=2, kind=Kind.ASKED_NOW, cache=CACHE.index("hit"), db_calls=5)
    observed(probe, [70], minutes_ago=3, kind=Kind.ASKED_AGAIN, is_delayed=True)
    observed(probe, [0], minutes_ago=4, verdict=Verdict.ERROR, failure="config", status=None)
    page = text_of(read().partition("Last probes table")[2])
    assert "Failing 10 s not reported not reported timed out" in page
    assert "Passing 64 ms hit 5 200 asked by a person" in page
    assert "asked again, our prober was late" in page
    assert "Not asked not asked not reported not reported cannot be asked" in page


def test_a_failure_among_good_answers_is_shown_as_not_confirmed(price, read):
    probe = stands(price, P)
    observed(probe, [64], minutes_ago=1)
    observed(probe, [90], minutes_ago=2, verdict=Verdict.FAILING, status=503)
    page = text_of(read().partition("Last probes table")[2])
    assert "Failing 90 ms not reported not reported 503 not confirmed" in page
    assert page.count("not confirmed") == 1


def test_history_joins_changes_gaps_incidents_and_notes(price, read):
    now = datetime.now(UTC)
    probe = stands(price, F, reason="status is 503, expected 200")
    a_note(price)
    StateChange.objects.create(
        probe=probe, at=microseconds(now) - 90 * MINUTE, before=P, after=F, reason="slow"
    )
    StateChange.objects.create(probe=probe, at=microseconds(now) - 81 * MINUTE, before=F, after=P)
    Gap.objects.create(
        probe=probe, first_slot_at=microseconds(now) - 50 * MINUTE,
        last_slot_at=microseconds(now) - 44 * MINUTE, slots=12,
    )  # fmt: skip
    incident = Incident.objects.create(
        service=price.service, environment=probe.environment, title="Price", opened_at=now
    )
    incident.paths.create(path=price, joined_at=now)
    page = text_of(read().partition('id="hist-h"')[2])
    assert "Failing. Status is 503, expected 200." in page
    assert "Passing again after 9 min failing." in page
    assert "12 slots missed until" in page
    assert f"It opened this incident: {incident}" in page
    assert "Rollback note version 1 by somebody unknown. First." in page


def test_failing_replies_are_for_editors_and_never_markup(price, read):
    probe = stands(price, F)
    Exchange.objects.create(
        probe=probe, slot_at=1, status=503, headers=[["Server", "<b>x</b>"]],
        excerpt="<script>alert(1)</script>",
    )  # fmt: skip
    page = read(role="editor")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "&lt;b&gt;x&lt;/b&gt;" in page
    assert "alert(1)" not in read()


def test_what_people_write_is_markdown_without_markup_of_theirs(price, read):
    stands(price)
    CriticalPath.objects.update(
        user_notices="**blank** fare <script>x()</script> [go](javascript:x()) ![i](http://x/i.png)"
    )
    page = read()
    assert "<strong>blank</strong>" in page
    assert "<script>x()" not in page
    assert 'href="javascript' not in page
    assert "<img" not in page


def test_viewers_get_no_buttons(price, read):
    stands(price)
    for words in ("Run probe now", "Pause", "Edit sheet", "Still true", "Remove this path"):
        assert words in read(role="editor")
        assert words not in read()


def test_run_probe_now_asks_here_and_says_that_it_was_asked(price, client_of):
    here = stands(price)
    there = stands(price, environment="staging")
    client = client_of("editor")
    answer = client.post(f"{HERE}/probe", {"environment": "production"})
    assert answer["Location"] == f"{HERE}?environment=production"
    here.refresh_from_db(), there.refresh_from_db()
    assert (here.ask_now_kind, there.ask_now_kind) == (Kind.ASKED_NOW, None)
    assert "Asked. The answer appears here within seconds." in client.get(HERE).text
    Probe.objects.update(ask_now_at=microseconds(datetime.now(UTC)) - 5 * MINUTE)
    assert "no worker has taken it yet" in client.get(HERE).text
    Probe.objects.update(ask_now_at=None)
    assert "Asked" not in client.get(HERE).text.partition("<main")[2]


def test_pausing_stops_asking_everywhere_and_takes_it_out_of_its_incident(price, client_of):
    probe = stands(price, F)
    incident = Incident.objects.create(
        service=price.service, environment=probe.environment, title="Price",
        opened_at=datetime.now(UTC),
    )  # fmt: skip
    incident.paths.create(path=price, joined_at=incident.opened_at)
    client = client_of("editor")
    client.post(f"{HERE}/pause", {"paused": "yes", "environment": "production"})
    incident.refresh_from_db()
    assert incident.resolved_at is not None
    assert not Probe.objects.active().exists()
    page = text_of(client.get(HERE).text)
    assert "Edith Moe paused it in every environment" in page
    assert "Resume" in page
    assert "Run probe now" not in page


def test_pausing_twice_keeps_who_paused_first(price, client_of, viewer):
    price.pause(by=viewer, now=datetime.now(UTC) - timedelta(hours=1))
    stand_up(price.service, now=datetime.now(UTC), location="default")
    client_of("editor").post(f"{HERE}/pause", {"paused": "yes"})
    price.refresh_from_db()
    assert price.paused_by == viewer


def test_resuming_asks_again(price, client_of):
    stands(price)
    client = client_of("editor")
    client.post(f"{HERE}/pause", {"paused": "yes"})
    client.post(f"{HERE}/pause", {"paused": "no"})
    assert Probe.objects.active().count() == 2
    price.refresh_from_db()
    assert price.paused_at is None


def test_still_true_says_who_checked_and_when(price, client_of):
    stands(price)
    client = client_of("editor")
    assert "Not reviewed yet" in client.get(HERE).text
    client.post(f"{HERE}/review")
    assert "Checked by Edith Moe" in client.get(HERE).text


def test_removing_asks_first_and_keeps_what_was_recorded(price, client_of):
    probe = stands(price, F)
    client = client_of("editor")
    asked = client.get(f"{HERE}/removal").text
    assert "Remove Price a crossing?" in asked
    assert "It is not asked any more in production and staging" in asked
    price.refresh_from_db()
    assert price.removed_at is None
    assert client.post(f"{HERE}/removal")["Location"] == "/services/fares-api"
    price.refresh_from_db(), probe.refresh_from_db()
    assert price.removed_at is not None
    assert probe.ended_at is not None
    assert client.get(HERE).status_code == 404
    assert StateChange.objects.filter(probe=probe).exists()


def test_a_path_that_is_probed_nowhere_says_what_to_do(db, client_of):
    service = a_service("fares-api")
    service.environments.all().delete()
    a_path(service)
    assert "is not probed yet" in client_of("viewer").get(HERE).text


def test_a_poll_gets_the_part_without_the_drawing(price, client_of):
    observed(stands(price), [100] * 3)
    client = client_of("viewer")
    part = client.get(HERE, headers={"HX-Request": "true"})
    assert part.text.strip().startswith('<div id="path"')
    assert 'id="chart-data"' in part.text
    assert "chart-static" not in part.text
    rolled = client.get(f"{HERE}?range=90d", headers={"HX-Request": "true"})
    assert 'id="chart-data"' not in rolled.text
