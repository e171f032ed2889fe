"""Search: services, critical paths, teams and rollback notes, with the place where words stand."""

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from opsboard.rollbacks.models import RollbackNote
from opsboard.services.models import CriticalPath, Service
from opsboard.web.hits import SHOWN
from opsboard.web.search import search, services_with
from tests.web.releases import a_release
from tests.web.standing import a_path, a_service, text_of

pytestmark = pytest.mark.django_db


def write_note(service: Service, title: str, path: CriticalPath | None = None) -> None:
    note = RollbackNote.objects.create(service=service, path=path)
    note.write(
        title=title, use_when="", does_not_undo="", minutes=4, reason="", by=None,
        steps=[{"do": "Hold new releases", "run": "kubectl rollout undo", "see": ""}],
        now=datetime.now(UTC),
    )  # fmt: skip


@pytest.fixture
def fares(db: None) -> Service:
    fares = a_service("fares-api")
    fares.tags = ["booking-flow"]
    fares.links = [{"name": "Runbook", "url": "https://wiki.example/fares"}]
    fares.facts = {"Regions": ["oslo", "Ålesund"], "Ports": {"metrics": "9100"}}
    fares.team.contact = "#pricing-on-call"
    fares.team.save(), fares.save()
    return fares


@pytest.fixture
def price(fares: Service) -> CriticalPath:
    return a_path(fares, route="/v2/quotes", user_notices="The price stays empty. Prisen er BLÅ.")


def found(wanted: str) -> list[tuple[str, str, str]]:
    return [(kind.words, hit.name, hit.place) for kind in search(wanted) for hit in kind.hits]


@pytest.mark.parametrize(
    ("wanted", "place"),
    [
        ("FARES-A", "name"),
        ("what fares", "what it does"),
        ("pricing", "owner"),
        ("booking-flow", "tag"),
        ("wiki.example/f", "link"),
        ("runbook", "link"),
        ("OSLO", "fact"),
        ("ålesund", "fact"),
        ("metrics 9100", "fact"),
        ("Ports: metrics", "fact"),
    ],
)
def test_a_service_is_found_by_all_that_is_said_of_it(fares, wanted, place):
    assert ("Services", "fares-api", place) in found(wanted)
    assert services_with(wanted) == {fares.pk}


@pytest.mark.parametrize(
    ("wanted", "place"),
    [
        ("a CROSSING", "name"),
        ("/v2/q", "route"),
        ("stays empty", "where the user notices"),
        ("blå", "where the user notices"),
        ("price-a", "name in addresses"),
    ],
)
def test_a_path_is_found_by_name_route_and_what_users_notice(fares, price, wanted, place):
    assert found(wanted) == [("Critical paths", "Price a crossing", place)]
    assert services_with(wanted) == {fares.pk}


def test_a_path_is_found_by_the_owner_it_has_of_its_own(fares, price):
    price.owner = a_service(team="Crossings").team
    price.save()
    assert ("Critical paths", "Price a crossing", "owner") in found("crossings")


def test_teams_and_notes_are_found_too(fares, price):
    write_note(fares, "Go back one release")
    write_note(fares, "Turn the new price off", price)
    assert found("on-call") == [("Teams", "Pricing", "how to reach them")]
    assert found("one release") == [("Rollback notes", "Go back one release", "title")]
    hits = search("kubectl")[0].hits
    assert [(hit.name, hit.of, hit.place, hit.url) for hit in hits] == [
        ("Go back one release", "fares-api", "step", "/services/fares-api/rollback-note"),
        (
            "Turn the new price off",
            "Price a crossing",
            "step",
            "/services/fares-api/price-a-crossing/rollback-note",
        ),
    ]


@pytest.mark.parametrize(
    "wanted",
    ["%", "_", ".*", "[", "\\", "a.i", "fares%api", '"name"', "prisen.*bl.å?", "(å", "b.å"],
)
def test_what_is_typed_is_looked_for_as_it_is(fares, price, wanted):
    assert found(wanted) == []


def test_signs_are_found_as_they_stand(fares):
    Service.objects.update(summary='100 % of "fares_api" \\ (all)')
    for wanted in ("100 %", '"fares_', "\\ (all)"):
        assert found(wanted) == [("Services", "fares-api", "what it does")]


def test_no_more_than_some_are_shown_and_all_are_counted(fares):
    for number in range(SHOWN + 3):
        a_path(fares, f"Sail {number:02}")
    kind = search("sail")[0]
    assert (len(kind.hits), kind.count, kind.more) == (SHOWN, SHOWN + 3, 3)


def test_a_release_is_found_by_version_commit_tag_and_what_it_brings(fares):
    a_release(fares, tag="v2026.11.4", summary="Load fare rules in one query")
    for wanted in ("2026.11.4", "9f3c1ab", "V2026", "fare rules", "fares-api 2026"):
        assert ("Releases", "fares-api 2026.11.4") in [one[:2] for one in found(wanted)]


def test_the_queries_are_six_however_much_is_kept(fares, price):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            search("fares")
        return len(captured)

    write_note(fares, "Go back")
    assert queries() == 6
    for _ in range(5):
        service = a_service()
        write_note(service, "fares")
        a_path(service)
    assert queries() == 6


def test_the_page_shows_where_the_words_stand(client_of, fares, price):
    page = client_of("viewer").get("/search?q=v2%2Fquotes").text
    assert "Route: /<mark>v2/quotes</mark>" in text_of(page).replace(
        "Route: /v2", ""
    ) + page.replace('<span class="dim">Route:</span> ', "Route: ")
    assert 'href="/services/fares-api/price-a-crossing"' in page


def test_without_words_the_page_says_what_it_looks_in(client_of, fares):
    client = client_of("viewer")
    assert "It looks in services" in client.get("/search").text
    assert "“nonsense” stands nowhere" in client.get("/search?q=nonsense").text


def test_as_one_types_only_the_results_are_sent(client_of, fares):
    client = client_of("viewer")
    part = client.get("/search?q=fares", headers={"HX-Request": "true"}).text
    assert part.strip().startswith('<div id="found">')
    assert "<html" not in part
    whole = client.get("/search?q=fares").text
    assert 'hx-trigger="submit, input changed delay:300ms from:#find"' in whole


def test_what_people_write_is_never_markup(client_of, fares):
    Service.objects.update(summary="<script>alert(1)</script> <b>x</b>")
    page = client_of("viewer").get("/search", {"q": "<script>alert"}).text
    assert "<mark>&lt;script&gt;alert</mark>" in page
    assert "<script>alert" not in page


def test_a_very_long_wish_is_cut(client_of, fares):
    assert client_of("viewer").get("/search", {"q": "x" * 10_000}).status_code == 200
