"""The Atom feed of incidents: what happened, the newest first, each person by their own address."""

from datetime import timedelta
from xml.etree import ElementTree as ET

import pytest
from django.conf import settings
from django.http import QueryDict
from django.test import Client

from opsboard.incidents.models import Incident
from opsboard.rollbacks.models import RollbackNote
from opsboard.web import feed
from tests.company import NOON
from tests.web.standing import a_path, a_service

ATOM = "{http://www.w3.org/2005/Atom}"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def fares(db):
    return a_service("fares-api")


def an_incident(service, title="Price a crossing is failing", *, minutes: int = 0, **fields):
    return Incident.objects.create(
        service=service,
        environment=service.environments.get(),
        title=title,
        opened_at=NOON + minutes * MINUTE,
        **fields,
    )


def address_of(person, asked: str = "") -> str:
    return feed.address_of(person, QueryDict(asked)).removeprefix(settings.URL)


def read(person, asked: str = "", **headers):
    return Client().get(address_of(person, asked), headers=headers)


def root_of(response) -> ET.Element:
    assert response.status_code == 200
    return ET.fromstring(response.content)  # noqa: S314 # written by us


def titles(response) -> list[str]:
    return [entry.find(f"{ATOM}title").text for entry in root_of(response).iter(f"{ATOM}entry")]


def a_note(service, path=None, title="Back to the last fare table"):
    note = RollbackNote.objects.create(service=service, path=path)
    words = {"use_when": "", "does_not_undo": "", "minutes": 4, "steps": [], "reason": ""}
    note.write(title=title, by=None, now=NOON, **words)


def test_it_tells_what_was_opened_and_resolved_the_newest_first(fares, viewer):
    first = an_incident(fares, resolved_at=NOON + 10 * MINUTE)
    second = an_incident(a_service("hold-web"), "Hold a fare is failing", minutes=5)
    assert titles(read(viewer)) == [
        f"{first} resolved: Price a crossing is failing (fares-api in production)",
        f"{second} opened: Hold a fare is failing (hold-web in production)",
        f"{first} opened: Price a crossing is failing (fares-api in production)",
    ]


def test_one_that_began_again_is_told_of_again(fares, viewer):
    again = an_incident(fares, reopened_at=NOON + 3 * MINUTE, openings=2)
    heads = [title.split(":")[0] for title in titles(read(viewer))]
    assert heads == [f"{again} began again", f"{again} opened"]


def test_it_is_atom_as_rfc_4287_wants_it(fares, viewer):
    incident = an_incident(fares)
    response = read(viewer)
    assert response.headers["Content-Type"] == "application/atom+xml; charset=utf-8"
    root = root_of(response)
    assert root.tag == f"{ATOM}feed"
    assert root.find(f"{ATOM}updated").text == "2026-11-23T12:00:00+00:00"
    assert root.find(f"{ATOM}author/{ATOM}name").text == "Opsboard"
    links = {one.attrib["rel"]: one.attrib["href"] for one in root.findall(f"{ATOM}link")}
    assert links == {"alternate": f"{settings.URL}/incidents", "self": feed.address_of(viewer)}
    [entry] = root.findall(f"{ATOM}entry")
    page = f"{settings.URL}/incidents/{incident.pk}"
    assert entry.find(f"{ATOM}id").text == f"{page}#opened-1"
    assert entry.find(f"{ATOM}link").attrib["href"] == page
    for name in ("published", "updated"):
        assert entry.find(f"{ATOM}{name}").text == "2026-11-23T12:00:00+00:00"


def test_each_entry_has_an_id_of_its_own(fares, viewer):
    an_incident(fares, reopened_at=NOON + MINUTE, resolved_at=NOON + 2 * MINUTE, openings=2)
    ids = [entry.find(f"{ATOM}id").text for entry in root_of(read(viewer)).iter(f"{ATOM}entry")]
    assert len(ids) == len(set(ids)) == 3


def test_it_links_the_way_back_of_the_path_else_of_the_service(fares, viewer):
    path = a_path(fares)
    incident = an_incident(fares)
    incident.paths.create(path=path, joined_at=NOON)
    a_note(fares)
    url = f"{settings.URL}/services/fares-api"
    words = '<p>The way back: <a href="{}">{}</a></p>'
    [summary] = root_of(read(viewer)).iter(f"{ATOM}summary")
    assert summary.attrib["type"] == "html"
    assert summary.text == words.format(f"{url}/rollback-note", "Back to the last fare table")
    a_note(fares, path, "Put the <b>old</b> price back")
    [summary] = root_of(read(viewer)).iter(f"{ATOM}summary")
    own = "Put the &lt;b&gt;old&lt;/b&gt; price back"
    assert summary.text == words.format(f"{url}/price-a-crossing/rollback-note", own)


def test_without_a_note_it_says_so(fares, viewer):
    an_incident(fares)
    [summary] = root_of(read(viewer)).iter(f"{ATOM}summary")
    assert summary.text == "<p>Nobody has written the way back.</p>"


def test_reasons_of_failures_and_addresses_are_not_told(fares, viewer):
    path = a_path(fares, route="/canary", user_notices="canary")
    incident = an_incident(fares)
    incident.paths.create(path=path, joined_at=NOON, reason="canary")
    incident.timeline.create(at=NOON, act="opened", path=path, text="canary")
    text = read(viewer).text
    assert "canary" not in text
    assert "example" not in text


def test_it_is_narrowed_as_the_list_is(fares, viewer):
    an_incident(fares)
    an_incident(a_service("hold-web", team="Booking"), "Hold a fare is failing")
    for asked in ("team=booking", "service=hold-web", "team=booking&service=hold-web&mine=yes"):
        assert ["Hold a fare" in title for title in titles(read(viewer, asked))] == [True]
    assert titles(read(viewer, "team=nobody")) == []
    title = root_of(read(viewer, "team=booking")).find(f"{ATOM}title").text
    assert title == "Incidents of booking"


def test_it_ends_with_the_account_the_role_and_the_password(fares, viewer):
    before = address_of(viewer)
    assert Client().get(before).status_code == 200
    viewer.set_password("another horse battery")
    viewer.save()
    assert Client().get(before).status_code == 404
    after = address_of(viewer)
    viewer.is_active = False
    viewer.save()
    assert Client().get(after).status_code == 404
    viewer.is_active = True
    viewer.save()
    assert Client().get(after).status_code == 200
    viewer.role.delete()
    assert Client().get(after).status_code == 404


def test_an_address_that_was_not_made_here_asks_no_database(viewer, django_assert_num_queries):
    right = address_of(viewer)
    forged = ["/feeds/1.atom", "/feeds/1-0.x.atom", right.replace("/feeds/", "/feeds/1")]
    with django_assert_num_queries(0):
        for address in forged:
            assert Client().get(address).status_code == 404


def test_nothing_new_is_not_sent_again(fares, viewer):
    first = read(viewer)
    assert first.headers["Cache-Control"] == "private, max-age=60"
    assert read(viewer, if_none_match=first.headers["ETag"]).status_code == 304
    an_incident(fares)
    assert read(viewer, if_none_match=first.headers["ETag"]).status_code == 200


def test_it_holds_the_newest_50_in_four_queries(fares, viewer, django_assert_num_queries):
    path = a_path(fares)
    a_note(fares)
    for number in range(60):
        ended = NOON + (number + 100) * MINUTE
        incident = an_incident(fares, f"Number {number}", minutes=number, resolved_at=ended)
        incident.paths.create(path=path, joined_at=NOON)
    address = address_of(viewer)
    with django_assert_num_queries(4):
        response = Client().get(address)
    told = titles(response)
    assert len(told) == 50
    assert "Number 59 " in told[0]
    assert "Number 10 " in told[-1]


def test_what_xml_cannot_hold_does_not_break_it(fares, viewer):
    an_incident(fares, "a\x1b[31m<b>&\ufffe\U0001f6a2")
    [title] = titles(read(viewer))
    assert "a[31m<b>&\U0001f6a2" in title
    assert titles(read(viewer, "team=%1b%3Cb%3E")) == []


def test_everybody_finds_their_own_on_the_list(viewer, client_of):
    page = client_of("viewer").get("/incidents?team=pricing&mine=yes").text
    assert feed.address_of(viewer, QueryDict("team=pricing")) in page
