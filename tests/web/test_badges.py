"""The badge of a service or a path: an image for pages of others, its address a secret."""

import re
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

import pytest
from django.core import signing
from django.test import Client
from django.urls import reverse

from opsboard.probes.rules import State
from opsboard.web import badges
from opsboard.web.badge_drawing import COLOURS, LABEL, draw, text_width
from tests.web.standing import a_path, a_service, stands

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def fares(db):
    return a_service("fares-api", environments=2)


def production(service):
    return service.environments.get(slug="production")


def badge_of(service, path=None, *, environment=None, what="image") -> str:
    offer = badges.offer(environment or production(service), path)
    return getattr(offer, what).removeprefix("http://127.0.0.1:8000")


def read(address: str, **headers):
    return Client().get(address, headers=headers)


def parsed(svg: str | bytes) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314 # drawn by us


def words(response) -> list[str]:
    return [text.text for text in parsed(response.content).iter(f"{SVG}text")]


@pytest.mark.parametrize("state", State)
def test_a_badge_says_name_and_state_without_signing_in(fares, state):
    stands(a_path(fares), state)
    response = read(badge_of(fares))
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "image/svg+xml"
    root = parsed(response.content)
    assert root.find(f"{SVG}title").text == f"fares-api: {state.words}"
    assert words(response) == ["fares-api", state.words]
    assert f"#{COLOURS[state]}" in response.text


def test_a_service_has_the_state_of_its_worst_path_and_a_path_its_own(fares):
    good, bad = a_path(fares, "Good"), a_path(fares, "Bad")
    stands(good), stands(bad, State.FAILING)
    assert words(read(badge_of(fares))) == ["fares-api", "failing"]
    assert words(read(badge_of(fares, good))) == ["Good", "passing"]


def test_what_nobody_has_measured_is_no_data(fares):
    assert words(read(badge_of(fares))) == ["fares-api", "no data"]


def test_a_probe_that_fell_silent_is_no_data_and_not_what_it_was(fares):
    probe = stands(a_path(fares))
    probe.observed_at -= 3600 * 1_000_000
    probe.save()
    assert words(read(badge_of(fares)))[1] == "no data"


def test_another_environment_is_named(fares):
    path = a_path(fares)
    stands(path)
    stands(path, State.FAILING, environment="staging")
    staging = fares.environments.get(slug="staging")
    response = read(badge_of(fares, path, environment=staging))
    assert words(response) == ["Price a crossing in staging", "failing"]


def test_nothing_of_the_inside_is_told(fares):
    path = a_path(fares, route="/canary-route", user_notices="canary-notices")
    stands(
        path, State.FAILING, reason="canary-reason", clauses=[("status == 200", False, "canary")]
    )
    for what in ("image", "json"):
        for one in (None, path):
            text = read(badge_of(fares, one, what=what)).text
            assert "canary" not in text
            assert "example" not in text


def test_the_json_is_what_shields_reads(fares):
    stands(a_path(fares), State.NO_DATA)
    assert read(badge_of(fares, what="json")).json() == {
        "schemaVersion": 1,
        "label": "fares-api",
        "message": "no data",
        "color": COLOURS[State.NO_DATA],
        "labelColor": LABEL,
        "isError": True,
    }


def test_an_address_that_was_not_made_here_finds_nothing_and_asks_no_database(
    fares, django_assert_num_queries
):
    other = signing.Signer(salt="another", sep=".").sign(f"{production(fares).pk}-0")
    right = badge_of(fares)
    forged = [reverse("badge", args=[token]) for token in ("1-0", "1-0.x", "é", other, "a" * 5000)]
    changed = right.replace("/badges/", "/badges/1")
    with django_assert_num_queries(0):
        for address in (*forged, changed):
            assert read(address).status_code == 404


@pytest.mark.parametrize("gone", ["service", "path", "environment"])
def test_it_ends_when_what_it_is_of_is_removed_and_comes_back_with_it(fares, gone, editor):
    path = a_path(fares)
    stands(path)
    address = badge_of(fares, path)
    thing = {"service": fares, "path": path, "environment": production(fares)}[gone]
    thing.remove(by=editor, now=datetime.now(UTC))
    assert read(address).status_code == 404
    thing.restore()
    assert read(address).status_code == 200


def test_it_is_kept_shortly_and_sent_once(fares):
    stands(a_path(fares))
    first = read(badge_of(fares))
    assert first.headers["Cache-Control"] == "public, max-age=30, must-revalidate"
    assert "Cookie" not in first.headers.get("Vary", "")
    again = read(badge_of(fares), if_none_match=first.headers["ETag"])
    assert (again.status_code, again.content) == (304, b"")
    stands(a_path(fares, "Another"), State.FAILING)
    changed = read(badge_of(fares), if_none_match=first.headers["ETag"])
    assert changed.status_code == 200


def test_it_takes_two_queries_however_many_paths_there_are(fares, django_assert_num_queries):
    for number in range(5):
        stands(a_path(fares, f"Path {number}"))
    address = badge_of(fares)
    with django_assert_num_queries(2):
        read(address)


def test_the_drawing_is_the_boards_own(settings):
    sprite = (settings.BASE_DIR / "templates" / "_icons.html").read_text()
    of_pages = dict(re.findall(r'<symbol id="g-(\w+)" viewBox="0 0 14 14">(.*?)</symbol>', sprite))
    names = {"passing": "pass", "warning": "warn", "failing": "fail", "no_data": "nodata"}
    for state, name in (names | {"paused": "paused"}).items():
        drawn = draw("x", State(state)).replace("#fff", "currentColor")
        drawn = drawn.replace(f"#{COLOURS[State(state)]}", "var(--knock)")
        assert of_pages[name] in drawn


def test_it_holds_nothing_that_runs_or_is_fetched():
    drawn = draw('"><script>alert(1)</script>', State.FAILING)
    root = parsed(drawn)
    assert {one.tag.removeprefix(SVG) for one in root.iter()} <= {
        *("svg", "title", "rect", "path", "circle", "g", "text"),
    }
    assert "href" not in drawn
    assert "url(" not in drawn
    assert root.find(f"{SVG}title").text == '"><script>alert(1)</script>: failing'


def test_what_xml_cannot_hold_is_left_out():
    drawn = draw("a\x00b\x1b[31m\ud800\ufffe\U0001f6a2", State.PASSING)
    assert parsed(drawn).find(f"{SVG}title").text == "ab[31m\U0001f6a2: passing"


@pytest.mark.parametrize(
    ("text", "width"),
    [("", 1), ("iiii", 12), ("WWWW", 45), ("漢字", 22), ("e\u0301", 7), ("\u200b", 1)],
)
def test_the_width_is_measured_from_the_text(text, width):
    assert text_width(text) == width


def test_a_long_name_is_cut_in_the_picture_and_whole_in_the_title():
    root = parsed(draw("n" * 120, State.PASSING))
    label = next(root.iter(f"{SVG}text"))
    assert label.text == "n" * 59 + "…"
    assert int(root.attrib["width"]) > int(label.attrib["textLength"])
    assert root.find(f"{SVG}title").text == "n" * 120 + ": passing"


def contrast_with_white(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    light = sum(part * share for part, share in zip(linear, (0.2126, 0.7152, 0.0722), strict=True))
    return 1.05 / (light + 0.05)


@pytest.mark.parametrize("colour", [LABEL, *COLOURS.values()])
def test_its_words_can_be_read_on_every_ground(colour):
    assert contrast_with_white(colour) >= 4.5


@pytest.mark.parametrize("page", ["/services/fares-api", "/services/fares-api/price-a-crossing"])
def test_editors_find_the_markdown_on_the_page_and_viewers_do_not(fares, page, client_of):
    path = a_path(fares)
    stands(path)
    shown = client_of("editor").get(page).text
    offer = badges.offer(production(fares), path if page.endswith("crossing") else None)
    assert f'src="{offer.image}"' in shown
    assert offer.markdown.replace("&", "&amp;") in shown
    assert "/badges/" not in client_of("viewer").get(page).text


def test_a_name_with_marks_stays_a_name_in_the_markdown(fares):
    fares.name = "a](javascript:alert(1))![x"
    fares.save()
    place = production(fares)
    assert badges.offer(place, None).markdown.startswith(
        r"[![a\]\(javascript:alert\(1\)\)\!\[x](http"
    )
