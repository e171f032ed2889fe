"""Mine: the board's first filter, and what my teams own that wants a look."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from opsboard.alerts.models import Channel
from opsboard.probes.rules import State
from opsboard.releases.models import Release
from opsboard.rollbacks.models import NoteVersion, RollbackNote
from opsboard.services.models import CriticalPath, Service, Team
from tests.web.releases import HOUR, a_note, a_release, now
from tests.web.standing import a_path, a_service, stands, text_of

NOW = datetime.now(UTC)


@pytest.fixture
def mine(db, viewer, editor) -> Service:
    """The service of the team that both belong to."""
    service = a_service("fares-api", team="Pricing")
    service.team.members.add(viewer, editor)
    return service


def everybody_hears() -> None:
    channel = Channel(name="Everybody", kind=Channel.Kind.EMAIL)
    channel.keep(address="everybody@skerry.example")
    channel.save()


def note_of(
    service: Service, *, checked_days_ago: float | None, path=None, title="Go back"
) -> None:
    note = RollbackNote.objects.create(service=service, path=path)
    note.write(
        title=title, use_when="", does_not_undo="", minutes=None, steps=[], reason="", by=None,
        now=NOW,
    )  # fmt: skip
    if checked_days_ago is not None:
        at = NOW - timedelta(days=checked_days_ago)
        NoteVersion.objects.filter(note=note).update(checked_at=at)


def names_in(html: str) -> list[str]:
    return re.findall(r'<a class="row" href="[^"]+">([^<]+)', html)


def filters_of(html: str) -> str:
    at = html.index('aria-label="Filter by state"')
    return text_of("<nav " + html[at : html.index("</nav>", at)])


def section(html: str, slug: str) -> str:
    at = html.index(f'id="{slug}-h"')
    return html[at : html.index("</section>", at)]


# The filter --------------------------------------------------------------------------------


def test_mine_is_the_first_filter_of_a_member(mine, client_of):
    a_service("ferry-web", team="Web")
    page = client_of("viewer").get("/").text
    assert filters_of(page).strip().startswith("Mine 1All 2")
    assert names_in(client_of("viewer").get("/?state=mine").text) == ["fares-api"]


def test_who_is_in_no_team_is_not_offered_mine(mine, client_of):
    page = client_of("administrator").get("/").text
    assert "Mine" not in filters_of(page)
    assert names_in(client_of("administrator").get("/?state=mine").text) == []


def test_a_service_is_mine_too_when_my_team_owns_one_of_its_paths(mine, client_of):
    other = a_service("ferry-web", team="Web")
    a_path(other, owner=mine.team)
    gone = a_service("timetable", team="Web")
    a_path(gone, owner=mine.team, removed_at=NOW)
    page = client_of("viewer").get("/?state=mine").text
    assert sorted(names_in(page)) == ["fares-api", "ferry-web"]


def test_a_removed_team_has_no_members(mine, client_of):
    Team.objects.update(removed_at=NOW)
    assert "Mine" not in filters_of(client_of("viewer").get("/").text)


def test_mine_is_kept_by_polls_find_and_paging(mine, client_of, monkeypatch):
    monkeypatch.setattr("opsboard.web.board.ROWS_A_PAGE", 1)
    a_service("fares-db", team="Pricing")
    page = client_of("viewer").get("/?state=mine").text
    assert 'hx-get="/?state=mine"' in page
    assert '<input type="hidden" name="state" value="mine">' in page
    assert "state=mine&amp;page=2" in page
    poll = client_of("viewer").get("/?state=mine", headers={"HX-Request": "true"}).text
    assert names_in(poll) == ["fares-api"]


def test_mine_and_find_work_together(mine, client_of):
    a_service("fares-db", team="Web")
    page = client_of("viewer").get("/?state=mine&q=fares").text
    assert names_in(page) == ["fares-api"]
    assert filters_of(page).strip().startswith("Mine 1All 2")


# The page ----------------------------------------------------------------------------------


def test_who_is_in_no_team_is_told_how_to_be(mine, client_of):
    page = text_of(client_of("administrator").get("/mine").text)
    assert "You are in no team" in page and "add yourself to its members" in page


def test_when_nothing_wants_a_look_it_is_said(mine, client_of):
    everybody_hears()
    note_of(mine, checked_days_ago=1)
    mine.environments.update(version_route="GET /version")
    a_path(mine, checked_at=NOW, slow_query_or_command="SELECT 1")
    page = text_of(client_of("viewer").get("/mine").text)
    assert "Nothing you own wants a look" in page
    assert "Pricing: 1 service, 1 critical path." in page


def test_sheets_never_reviewed_come_before_those_reviewed_long_ago(mine, client_of):
    a_path(mine, "Old", checked_at=NOW - timedelta(days=91))
    a_path(mine, "Older", checked_at=NOW - timedelta(days=200))
    a_path(mine, "Young", checked_at=NOW - timedelta(days=89))
    a_path(mine, "New")
    page = section(client_of("editor").get("/mine").text, "review")
    assert names_in(page) == ["New", "Older", "Old"]
    assert "Not reviewed yet." in page and "Review it" in page
    assert page.count('formaction="/services/fares-api/') == 2


def test_still_true_in_the_list_comes_back_to_the_list(mine, editor, client_of):
    path = a_path(mine, checked_at=NOW - timedelta(days=91))
    response = client_of("editor").post(
        "/services/fares-api/price-a-crossing/review", {"back": "mine"}, follow=True
    )
    assert response.redirect_chain == [("/mine", 302)]
    assert "Price a crossing is checked: its sheet is still true." in response.text
    path.refresh_from_db()
    assert path.checked_by == editor and path.checked_at > NOW - timedelta(minutes=5)


def test_notes_are_listed_by_when_they_run_out(mine, client_of):
    paths = [a_path(mine, name) for name in ("A", "B", "C", "D")]
    for path, days in zip(paths, (91, 80, 10, None), strict=True):
        note_of(mine, checked_days_ago=days, path=path, title=f"Back with {path.name}")
    note_of(mine, checked_days_ago=100, title="Back with all")
    page = section(client_of("viewer").get("/mine").text, "notes")
    assert names_in(page) == ["Back with D", "Back with all", "Back with A", "Back with B"]
    words = text_of(page)
    assert re.search(r"Out of date since [\w ]+: last checked", words)
    assert re.search(r"Fresh until [\w ]+, in 9 days\.", words)


def test_the_note_of_anothers_service_is_not_mine_because_one_path_is(mine, client_of):
    other = a_service("ferry-web", team="Web")
    a_path(other, owner=mine.team)
    note_of(other, checked_days_ago=None, title="The way back of Web")
    assert "The way back of Web" not in client_of("viewer").get("/mine").text


def test_a_service_without_a_note_a_sheet_with_a_hole_and_an_unknown_version(mine, client_of):
    a_path(mine, user_notices=" ")
    page = client_of("editor").get("/mine").text
    assert "/services/fares-api/rollback-note/edit" in section(page, "no-note")
    assert (
        "Not written down: where the user notices and a known slow query or failing command."
        in section(page, "missing")
    )
    assert "fares-api in production" in section(page, "version")


def test_a_team_that_no_channel_hears_about_is_one_row(mine, client_of):
    a_path(mine, "Price")
    a_path(mine, "Hold")
    page = client_of("editor").get("/mine").text
    assert "When Hold or one of 1 more fails, no channel hears of it." in section(page, "unheard")
    everybody_hears()
    assert 'id="unheard-h"' not in client_of("editor").get("/mine").text


def test_a_viewer_sees_what_is_wrong_without_acts(mine, client_of):
    a_path(mine)
    page = client_of("viewer").get("/mine").text
    assert "Not reviewed yet." in page
    assert "btn-small" not in page and "Write one" not in page


def test_of_very_many_the_first_fifty_are_shown_and_the_rest_counted(mine, client_of):
    for number in range(53):
        a_path(mine, f"Path {number}")
    page = section(client_of("viewer").get("/mine").text, "review")
    assert len(names_in(page)) == 50
    assert "3 more follow when these are done." in text_of(page)


def test_the_pages_queries_do_not_grow(mine, client_of):
    client = client_of("editor")

    def queries(address: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(address).status_code == 200
        return len(captured)

    stands(a_path(mine), State.PASSING)
    note_of(mine, checked_days_ago=None)
    client.get("/mine")
    few = queries("/mine"), queries("/?state=mine")
    for number in range(8):
        more = a_service(f"more-{number}", team="Pricing", environments=2)
        path = a_path(more, owner=mine.team, checked_at=NOW - timedelta(days=100))
        stands(path, State.PASSING)
        note_of(more, checked_days_ago=100)
        note_of(more, checked_days_ago=None, path=path)
    assert CriticalPath.objects.count() == 9
    assert (queries("/mine"), queries("/?state=mine")) == few


def test_a_release_that_waits_says_what_it_lacks(mine, client_of):
    a_release(mine, planned_at=now() + HOUR)
    page = text_of(client_of("editor").get("/mine").text)
    assert "Releases that wait" in page
    assert "fares-api 2026.11.4" in page
    assert "No evidence:" in page
    Release.objects.update(withdrawn_at=now())
    assert "Releases that wait" not in client_of("editor").get("/mine").text


def test_evidence_that_runs_out_within_a_week_is_listed(mine, client_of, editor):
    a_release(mine)
    a_note(mine, editor)
    NoteVersion.objects.update(checked_at=now() - timedelta(days=86))
    page = section(client_of("editor").get("/mine").text, "evidence")
    assert "Rollback note fresh" in page
    assert "Runs out" in page
    NoteVersion.objects.update(checked_at=now())
    assert "Evidence that runs out" not in client_of("editor").get("/mine").text
