"""The board: what is broken and the way back first, then every service, worst first."""

import re
from datetime import UTC, datetime, time, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from opsboard.alerts.hearing import Audience
from opsboard.alerts.models import Channel
from opsboard.incidents.models import Incident
from opsboard.probes.models import Probe, ServiceDay, microseconds
from opsboard.probes.rules import State
from opsboard.probes.stored import CACHE
from opsboard.releases.models import Release
from opsboard.rollbacks.models import RollbackNote
from opsboard.services.models import CriticalPath, Rota, Service, Team
from opsboard.web.overview import Overview, read_overview
from tests.web.standing import MINUTE, a_path, a_service, observed, stands, text_of

F, W, N, P = State.FAILING, State.WARNING, State.NO_DATA, State.PASSING
NOW = datetime(2026, 11, 17, 14, 32, tzinfo=UTC)


@pytest.fixture
def viewer_page(client_of):
    return lambda address="/", **headers: client_of("viewer").get(address, headers=headers).text


def rows_of(html: str) -> list[str]:
    return re.findall(r'<a class="row" href="/services/([^"?]+)', html)


def write_note(service: Service, title: str = "Go back one release") -> None:
    note = RollbackNote.objects.create(service=service)
    note.write(
        title=title, use_when="", does_not_undo="", minutes=4, steps=[{"do": "Go back"}],
        reason="", by=None, now=NOW,
    )  # fmt: skip


def everybody_hears() -> None:
    channel = Channel(name="Everybody", kind=Channel.Kind.WEBHOOK)
    channel.keep(address="https://hooks.skerry.example/1")
    channel.save()


def test_the_head_says_how_things_stand(viewer_page, db):
    service = a_service("fares-api")
    stands(a_path(service), F, reason="status is 503, expected 200")
    stands(a_path(service, "Hold a fare"), W)
    stands(a_path(service, "Fare calendar"))
    page = viewer_page()
    assert "1 path is failing, 1 has a warning</h1>" in page
    assert "1 of 3 critical paths pass in production." in page
    assert "All services" in page


def test_a_broken_path_says_why_who_notices_who_has_it_and_the_way_back(viewer_page, db):
    service = a_service("fares-api")
    path = a_path(service)
    stands(path, F, reason="time is 2.84 s, expected under 400 ms")
    write_note(service)
    everybody_hears()
    incident = Incident.objects.create(
        service=service,
        environment=service.environments.get(),
        title="Price a crossing is failing",
        opened_at=datetime.now(UTC),
    )
    incident.paths.create(path=path, joined_at=incident.opened_at)
    page = viewer_page()
    broken = text_of(page[page.index('<ol class="now"') : page.index("</ol>", page.index("<ol"))])
    assert re.search(r"Failing since (\w+ )?\d\d:\d\d, 23 min", broken)
    assert "Time is 2.84 s, expected under 400 ms." in broken
    assert "Step 2 of booking stays empty" in broken
    assert f"fares-api, Pricing. {incident}." in broken
    assert "Open rollback note" in broken
    assert 'href="/services/fares-api/rollback-note"' in page
    assert f'href="/incidents/{incident.pk}"' in page


def test_without_a_note_an_editor_is_offered_to_write_one(client_of, db):
    stands(a_path(a_service("fares-api")), F)
    assert "No rollback note yet. Write one" in text_of(client_of("editor").get("/").text)
    for_viewers = client_of("viewer").get("/").text
    assert "No rollback note yet." in for_viewers
    assert "Write one" not in for_viewers


def test_worst_comes_first(viewer_page, db):
    for name, state in [("a", P), ("b", W), ("c", F), ("d", N)]:
        stands(a_path(a_service(name), f"Path of {name}"), state)
    page = viewer_page()
    assert re.findall(r'<li id="now-\d+"[^>]*data-say="([^"]+)"', page) == [
        "Path of c is failing",
        "Path of b has a warning",
        "Path of d has no data",
    ]
    assert rows_of(page) == ["c", "b", "d", "a"]


def test_a_silent_path_has_no_data_whatever_it_last_said(viewer_page, db):
    probe = stands(a_path(a_service("fares-api")))
    heard = microseconds(datetime.now(UTC)) - 42 * MINUTE
    Probe.objects.update(observed_at=heard, state_since=heard - MINUTE)
    page = text_of(viewer_page())
    assert "1 path has no data" in page
    # Silence begins two intervals and the timeout after what was heard last: 70 s.
    assert re.search(r"No data since (\w+ )?\d\d:\d\d, 40 min", page)
    assert "Nothing was recorded since" in page
    assert "The path may be fine: nobody knows." in page
    assert probe.reason not in page or not probe.reason


def test_the_silent_paths_of_one_service_are_one_item(viewer_page, db):
    service = a_service("fares-api")
    for name in ("Price a crossing", "Hold a fare", "Fare calendar"):
        stands(a_path(service, name), N)
    page = viewer_page()
    assert page.count('<li id="now-') == 1
    assert "and 2 more</h3>" in page


def test_only_an_editor_can_run_a_probe(client_of, db):
    stands(a_path(a_service("fares-api")), N)
    assert "Run probe now" in client_of("editor").get("/").text
    assert "Run probe now" not in client_of("viewer").get("/").text


def test_a_path_that_was_removed_is_gone_and_a_paused_one_is_paused(viewer_page, db, viewer):
    service = a_service("fares-api")
    gone, kept = a_path(service), a_path(service, "Hold a fare")
    stands(gone, F), stands(kept, F)
    kept.pause(by=viewer, now=datetime.now(UTC))
    gone.pause(by=viewer, now=datetime.now(UTC))
    gone.removed_at = datetime.now(UTC)
    gone.save()
    Probe.objects.update(ended_at=datetime.now(UTC))
    page = text_of(viewer_page())
    assert "1 critical path is paused" in page
    assert "Price a crossing" not in page


def test_numbers_are_of_the_last_15_minutes_of_the_worst_path(viewer_page, db):
    service = a_service("fares-api")
    calm = stands(a_path(service, "Health", expected_result="status == 200"))
    probe = stands(a_path(service), F)
    observed(calm, [5] * 30)
    observed(probe, [2_841] * 30, db_calls=148, cache=CACHE.index("miss"))
    observed(probe, [100] * 30, minutes_ago=20)
    row = text_of(viewer_page().partition("<tbody")[2])
    assert "1 of 2 2,841 400 0% 0% 148" in row


def test_fewer_than_20_probes_are_counted_and_what_nobody_reports_is_named(viewer_page, db):
    probe = stands(a_path(a_service()))
    observed(probe, [100] * 8)
    observed(probe, [100] * 2, minutes_ago=5, is_wrong=True)
    row = text_of(viewer_page().partition("<tbody")[2])
    assert "100 400 2 of 10 not reported not reported" in row


def test_availability_and_strip_are_of_the_same_days_and_rounded_down(viewer_page, db):
    service = a_service("fares-api")
    stands(a_path(service))
    today, place = datetime.now(UTC).date(), service.environments.get()
    for back in range(90):
        failing = 1 if back == 3 else 0
        ServiceDay.objects.create(
            environment=place, day=today - timedelta(days=back), passing=86400 - failing,
            failing=failing, worst=F if failing else P,
        )  # fmt: skip
    page = viewer_page()
    assert ">99.99%</td>" in page
    assert "89 days passing, 1 failing." in page


def test_a_service_that_was_never_measured_has_no_data_and_not_all(viewer_page, db):
    stands(a_path(a_service()), N)
    page = viewer_page()
    assert ">no data</td>" in page.partition("<tbody")[2]
    assert "100%" not in page


def test_filters_are_links_with_counts(viewer_page, db):
    for name, state in [("a", P), ("b", P), ("c", F)]:
        stands(a_path(a_service(name)), state)
    page = viewer_page("/?state=failing")
    assert rows_of(page) == ["c"]
    filters = text_of(
        page[page.index("Filter by state") : page.index("</nav>", page.index("Filter"))]
    )
    assert "All 3Failing 1Passing 2" in filters
    assert 'href="/?environment=production&amp;state=passing"' in page


@pytest.mark.parametrize("wanted", ["-xb", "FREIGHT", "declare", "/manifest", "what -xb does"])
def test_find_looks_in_names_owners_and_paths(viewer_page, db, wanted):
    stands(a_path(a_service("xyz"), "Hold it"))
    stands(a_path(a_service("-xb", team="Freight"), "Declare freight", route="/manifest"))
    assert rows_of(viewer_page(f"/?q={wanted}")) == ["-xb"]


def test_what_nothing_is_called_says_so(viewer_page, db):
    stands(a_path(a_service()))
    assert "Nothing here is called “nonsense”." in viewer_page("/?q=nonsense")


def test_environments_are_tabs_and_an_unknown_one_is_not_found(client_of, db):
    service = a_service("fares-api", environments=2)
    path = a_path(service)
    stands(path, F)
    stands(path, P, environment="staging")
    page = client_of("viewer").get("/?environment=staging").text
    assert "The one critical path passes" in page
    assert '<a href="/?environment=staging" aria-current="true">Staging</a>' in page
    assert client_of("viewer").get("/?environment=moon").status_code == 404


def test_where_there_is_no_production_the_incidents_of_what_is_shown_are_named(viewer_page, db):
    service = a_service("fares-api")
    path = a_path(service)
    service.environments.update(slug="staging")
    probe = stands(path, F, environment="staging")
    incident = Incident.objects.create(
        service=service, environment=probe.environment, title="Hurts", opened_at=NOW
    )
    incident.paths.create(path=path, joined_at=NOW)
    assert str(incident) in viewer_page()


def test_a_service_without_an_environment_is_seen_everywhere(viewer_page, db):
    service = a_service("fares-api")
    service.environments.all().delete()
    page = viewer_page()
    assert rows_of(page) == ["fares-api"]
    assert "no paths" in page


def test_an_empty_board_says_what_belongs_here(client_of, db):
    assert "Add the first service" in client_of("editor").get("/").text
    assert "An editor can add the first one." in client_of("viewer").get("/").text


def test_nobody_would_be_told_is_said_until_a_channel_hears(viewer_page, db):
    stands(a_path(a_service("fares-api")))
    assert "Nobody would be told" in viewer_page()
    everybody_hears()
    assert "obody would be told" not in viewer_page()
    Channel.objects.update(team=a_service(team="Freight").team)
    page = viewer_page()
    assert "Nobody would be told when a path of fares-api fails." in text_of(page)
    row = page.partition('id="service-fares-api"')[2].partition("</tr>")[0]
    assert "nobody would be told" in row


def heads_of(html: str) -> list[str]:
    return re.findall(r'<tr id="((?:team|not)-[^"]+)"', html)


def test_100_rows_are_a_page(viewer_page, db):
    for number in range(101):
        stands(a_path(a_service(f"service-{number:03}")))
    first, second = viewer_page("/?state=passing"), viewer_page("/?state=passing&page=2")
    assert (len(rows_of(first)), len(rows_of(second))) == (100, 1)
    assert 'page=2">Next</a>' in first
    assert "Rows 101 to 101 of 101" in second


@pytest.fixture
def three_teams(db):
    """More services than are read at a glance: 20 of each team, one of which fails."""
    for team in ("Booking", "Freight", "Pricing"):
        for number in range(20):
            broken = team == "Pricing" and number == 7
            stands(a_path(a_service(f"{team.lower()}-{number:02}", team=team)), F if broken else P)


def test_many_services_are_folded_by_team_and_what_does_not_pass_stands_above(
    viewer_page, three_teams
):
    page = viewer_page()
    assert heads_of(page) == ["not-passing", "team-booking", "team-freight", "team-pricing"]
    assert rows_of(page) == ["pricing-07"]
    head = page.partition('id="team-pricing"')[2].partition("</tr>")[0]
    assert "20 services 1 failing" in text_of(head)
    assert 'aria-expanded="false"' in head


def test_a_team_that_is_opened_shows_the_rest_of_its_services(viewer_page, three_teams):
    page = viewer_page("/?open=pricing,freight")
    assert len(rows_of(page)) == 40
    assert rows_of(page).count("pricing-07") == 1
    head = page.partition('id="team-pricing"')[2].partition("</tr>")[0]
    assert 'aria-expanded="true"' in head
    # Turned again, the other stays open.
    assert 'href="/?environment=production&amp;open=freight#team-pricing"' in head


def test_what_is_folded_away_is_counted_as_if_each_path_had_been_read(three_teams, viewer):
    """All that is not plainly passing is read, wherever it hides."""
    slugs = iter(Service.objects.filter(slug__startswith="booking").order_by("slug"))
    stands(a_path(next(slugs), "Slow"), W)
    silent, paused, early, owned = (a_path(next(slugs), "Other") for _ in range(4))
    Probe.objects.filter(pk=stands(silent).pk).update(observed_at=1)
    Probe.objects.filter(pk=stands(paused).pk).update(ended_at=NOW)
    CriticalPath.objects.filter(pk=paused.pk).update(paused_at=NOW)
    Probe.objects.filter(pk=stands(early).pk).update(observed_at=None)
    stands(owned)
    CriticalPath.objects.filter(pk=owned.pk).update(owner=Team.objects.get(slug="freight"))
    twice = stands(a_path(next(slugs), "From two places"))
    Probe.objects.create(
        path=twice.path, environment=twice.environment, location="oslo-1", slot_at=twice.slot_at,
        interval=twice.interval, timeout=twice.timeout, state=F, state_since=twice.state_since,
        observed_at=twice.observed_at, began_at=twice.began_at,
    )  # fmt: skip
    next(slugs).environments.all().delete()
    now = datetime.now(UTC)

    def read(shown: set[str] | None) -> Overview:
        audience = Audience(now)
        found = read_overview("production", audience, lambda _: shown, person=viewer, now=now)
        assert found is not None
        return found

    whole, folded = read(None), read(set())
    unread = [one for one in folded.services if one.seen is None]
    assert len(unread) == 60 - 1 - 7
    with pytest.raises(LookupError, match="were not read"):
        _ = unread[0].paths
    assert +folded.states == +whole.states
    assert folded.broken == whole.broken
    told = [(one.slug, one.state, one.why_unheard, one.is_mine) for one in whole.services]
    assert [(one.slug, one.state, one.why_unheard, one.is_mine) for one in folded.services] == told


def test_who_is_on_duty_and_what_went_out_before_it_broke_stand_with_what_is_broken(
    viewer_page, editor
):
    service = a_service("fares-api")
    path = a_path(service)
    stands(path, F)
    rota = Rota.objects.create(team=service.team, starts_on=NOW.date(), hand_over_at=time(9))
    rota.turns.create(position=1, person=editor)
    incident = Incident.objects.create(
        service=service,
        environment=service.environments.get(),
        title="Price a crossing is failing",
        opened_at=datetime.now(UTC),
        cause={"sentence": "Release 2 of fares-api, 3 min before the first failure.", "deploy": {}},
    )
    incident.paths.create(path=path, joined_at=incident.opened_at)
    page = viewer_page()
    name = editor.get_username()
    assert f"fares-api, Pricing. On duty: {name}. {incident}" in text_of(page)
    assert f"Pricing on duty: {name}" in text_of(page)
    Incident.objects.update(cause=incident.cause | {"deploy": {"name": "2"}})
    assert f"On duty: {name}. Release 2 of fares-api, 3 min before" in text_of(viewer_page())
    for address in ("/services/fares-api", "/services/fares-api/price-a-crossing"):
        assert f"On duty: {name}" in text_of(viewer_page(address))


def test_ones_own_teams_are_open_until_one_says_otherwise(client_of, viewer, three_teams):
    Team.objects.get(slug="freight").members.add(viewer)
    client = client_of("viewer")
    assert len(rows_of(client.get("/").text)) == 21
    assert rows_of(client.get("/?open=").text) == ["pricing-07"]


def test_what_is_looked_for_is_never_folded(viewer_page, three_teams):
    assert len(rows_of(viewer_page("/?q=freight"))) == 20
    assert heads_of(viewer_page("/?state=failing")) == []


def test_a_team_that_goes_on_over_the_page_has_its_head_again(viewer_page, db):
    for number in range(120):
        stands(a_path(a_service(f"service-{number:03}")))
    second = viewer_page("/?open=all&page=2")
    assert heads_of(second) == ["team-pricing"]
    assert "continued, 120 services" in text_of(second)
    assert len(rows_of(second)) == 21


def test_what_goes_out_next_stands_beside_what_is_broken(viewer_page, db):
    service = a_service("fares-api")
    stands(a_path(service), F)
    Release.objects.create(service=service, version="2026.11.4", commit="9" * 40, named_at=NOW)
    aside = text_of(viewer_page().partition('id="next-h"')[2].partition("</section>")[0])
    assert "fares-api 2026.11.4 Not ready" in aside
    assert "No evidence: " in aside
    assert "not planned" in aside


def test_a_poll_names_the_rows_that_are_as_they_were_and_sends_the_others(client_of, db):
    for name in ("hold-web", "fares-api"):
        stands(a_path(a_service(name)))
    client = client_of("viewer")
    page = client.get("/").text
    tag = re.search(r'data-tag="([^"]+)"', page)[1]
    Service.objects.filter(slug="fares-api").update(summary="Prices every crossing")
    poll = client.get("/", headers={"HX-Request": "true", "HX-PTag": tag}).text
    assert '<tr id="service-hold-web" data-same></tr>' in poll
    assert "Prices every crossing" in poll
    # Whoever has none of it gets all of it.
    assert "data-same" not in client.get("/", headers={"HX-Request": "true"}).text


def test_a_poll_costs_two_queries_while_nothing_happened(client_of, db, monkeypatch):
    probe = stands(a_path(a_service("fares-api")), F)
    client = client_of("viewer")
    at = datetime.now(UTC)
    monkeypatch.setattr("django.utils.timezone.now", lambda: at)
    tag = client.get("/", headers={"HX-Request": "true"})["HX-PTag"]

    def poll() -> tuple[int, int]:
        with CaptureQueriesContext(connection) as captured:
            answer = client.get("/", headers={"HX-Request": "true", "HX-PTag": tag})
        # Without session and person.
        return answer.status_code, len(captured) - 2

    assert poll() == (304, 2)
    Probe.objects.filter(pk=probe.pk).update(counted_failing=1)
    # Something was observed, and the board reads the same.
    status, many = poll()
    assert status == 304
    assert many > 2


def queries(client: Client, address: str = "/") -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


def test_the_number_of_queries_does_not_grow_with_the_services(client_of, db):
    client = client_of("viewer")
    everybody_hears()

    def add(count: int) -> None:
        for _ in range(count):
            service = a_service(environments=2)
            write_note(service)
            observed(stands(a_path(service), F), [100] * 3)
            stands(a_path(service, "Hold a fare"), N)
            Release.objects.create(service=service, version="1", commit="9" * 40, named_at=NOW)

    add(3)
    few = queries(client)
    add(37)
    assert queries(client) == few
    # Of which two are for signing in.
    assert few <= 12 + 2


def test_rotas_are_read_once_for_who_is_on_duty_and_for_who_hears(client_of, editor):
    service = a_service("fares-api")
    stands(a_path(service))
    rota = Rota.objects.create(team=service.team, starts_on=NOW.date(), hand_over_at=time(9))
    rota.turns.create(position=1, person=editor)
    client = client_of("viewer")
    client.get("/")
    before = queries(client)
    Channel.objects.create(name="Duty", kind=Channel.Kind.DUTY, team=service.team)
    assert queries(client) == before


def test_a_poll_gets_the_part_alone_and_nothing_while_nothing_changes(client_of, db, monkeypatch):
    stands(a_path(a_service("fares-api")), N)
    client = client_of("editor")
    # The standing's age, which the page tells in minutes, has just become a whole one.
    shown_at = datetime.now(UTC)
    monkeypatch.setattr("django.utils.timezone.now", lambda: shown_at)
    first = client.get("/", headers={"HX-Request": "true"})
    assert first.text.strip().startswith('<div id="board" hx-get="/"')
    assert "<html" not in first.text
    assert "Run probe now" in first.text
    monkeypatch.setattr("django.utils.timezone.now", lambda: shown_at + timedelta(seconds=15))
    again = client.get("/", headers={"HX-Request": "true", "HX-PTag": first["HX-PTag"]})
    assert (again.status_code, again.content) == (304, b"")
    monkeypatch.setattr("django.utils.timezone.now", lambda: shown_at + timedelta(minutes=1))
    changed = client.get("/", headers={"HX-Request": "true", "HX-PTag": first["HX-PTag"]})
    assert changed.status_code == 200


def test_what_far_sides_and_people_write_is_never_markup(viewer_page, db):
    service = a_service("fares-api")
    Service.objects.update(summary="<script>alert(1)</script>")
    stands(
        a_path(service, "<img src=x>", slug="hostile", user_notices="<b onclick=x()>now</b>"),
        F,
        reason='body is "<script>alert(2)</script>"',
    )
    page = viewer_page()
    assert "<script>alert" not in page
    assert "<img" not in page
    assert "<b onclick" not in page
    assert "&lt;script&gt;alert(2)" in page
