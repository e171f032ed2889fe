"""The same texts off the pages: mail, chats, programs, files, feed, badge, terminal."""

import csv
import io
import json
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from django.conf import settings
from django.core import mail
from django.db import models
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from markdown_it import MarkdownIt

from opsboard.alerts.letters import of_content
from opsboard.alerts.models import Message
from opsboard.alerts.renderings import html, slack, teams
from opsboard.changes.models import Change
from opsboard.cli import printing
from opsboard.incidents.models import Incident
from opsboard.outbound.mail import send
from opsboard.people.audit import Actor, Via, record
from opsboard.services.models import CriticalPath, Environment
from opsboard.web import badges, feed
from opsboard.web.csv_files import FORMULA
from tests.hostile.reading import MARK, Read, leaves, misread, plain
from tests.hostile.texts import ELEMENT, WRITTEN
from tests.hostile.writing import CUT, Hand

ATOM = "{http://www.w3.org/2005/Atom}"
SVG = "{http://www.w3.org/2000/svg}"
only = pytest.mark.parametrize


def marked(text: str, hand: Hand) -> None:
    """It tells of what was written, and as it was written."""
    assert MARK.search(text)
    whole = {number: said for number, said in hand.written.items() if hand.where[number] not in CUT}
    assert misread(plain(text), whole) == []


def first(of: type[models.Model]) -> int:
    return of._default_manager.earliest("pk").pk


def records() -> list[str]:
    of_release = "/releases/fares-api/1.4.2"
    return [of_release, f"/changes/{first(Change)}", f"/incidents/{first(Incident)}"]


def body_of(response: HttpResponse) -> str:
    assert response.status_code == 200
    return b"".join(response).decode()


def mailed(settings: Any, subject: str, **more: str) -> EmailMessage:
    """What a mail server is handed, read as a mail program reads it."""
    settings.MAILERS = {"default": {"BACKEND": "django.core.mail.backends.locmem.EmailBackend"}}
    told: dict[str, Any] = {"body": "x", "sender": "o@b.example", "message_id": "<1@b.example>"}
    assert send(to=["a@b.example"], subject=subject, **(told | more)) == ""
    return message_from_bytes(mail.outbox[0].message().as_bytes(), policy=SMTP)


@only("hand", ["markup", "formula"], indirect=True)
def test_mail_has_one_line_of_subject_and_nothing_that_runs(hand: Hand, settings, mailoutbox):
    message = Message.objects.filter(channel__kind="email").first()
    letter = of_content(message.content)
    read = mailed(settings, letter.subject, body=message.content["text"], html=html.render(letter))
    # One header for each, and no more than a mail has.
    assert set(read.keys()) <= {
        *("Content-Type", "MIME-Version", "Subject", "From", "To", "Date", "Message-ID"),
    }
    marked(read["Subject"], hand)
    text, page = (part.get_content() for part in read.iter_parts())
    marked(text, hand)
    shown = Read(page.partition("</style>")[2])
    assert shown.wrong == []
    marked(shown.text, hand)


@only("text", ["a\r\nBcc: all@b.example", "a\nb", "a\x0bb\x85c\u2028d", "\x00", "a\x1b[31m"])
def test_a_subject_never_ends_a_header(text: str, settings, mailoutbox):
    read = mailed(settings, text)
    assert "Bcc" not in read
    assert len(str(read["Subject"]).splitlines()) <= 1


@only("hand", ["chat", "markdown"], indirect=True)
def test_chats_are_told_without_marks_or_mentions(hand: Hand):
    kinds = {one.channel.kind: one.content for one in Message.objects.select_related("channel")}
    body = slack.render(of_content(kinds["slack"]))
    marks = [one["text"]["text"] for one in body["blocks"] if one["type"] == "section"]
    for text in (*marks, body["text"]):
        assert "<!" not in text
        assert "<@" not in text
        assert "<https://x.example" not in text
        assert "*b*" not in text.replace("\u2060*b\u2060*", "")
    [attachment] = teams.render(of_content(kinds["teams"]))["attachments"]
    text = json.dumps(attachment["content"]["body"], ensure_ascii=False)
    for mark in ("](javascript", "](data:", " *b*", " <!channel>", " ![b]"):
        assert mark not in text
    urls = [one["url"] for one in attachment["content"]["actions"]]
    assert all(url.startswith(settings.URL) for url in urls)


@only("hand", ["signs"], indirect=True)
def test_programs_get_the_texts_as_they_are(hand: Hand, browse: Client, ask: Client):
    content = Message.objects.filter(channel__kind="webhook").last().content
    marked("\n".join(leaves(content["alerts"])), hand)
    for address in (
        "services",
        "services/fares-api",
        "incidents",
        f"incidents/{first(Incident)}",
        f"changes/{first(Change)}",
        "silences",
    ):
        answer = ask.get(f"/api/v1/{address}")
        assert answer.headers["Content-Type"].startswith("application/json")
        marked("\n".join(leaves(answer.json())), hand)
        # Opened in a browser, it is no page either.
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    for one in records():
        found = leaves(browse.get(f"{one}/record.json", follow=True).json())
        marked("\n".join(found), hand)


@only("hand", ["formula"], indirect=True)
def test_a_spreadsheet_runs_nothing(hand: Hand, browse: Client):
    rows = list(csv.reader(io.StringIO(body_of(browse.get("/audit.csv")))))
    assert len({len(row) for row in rows}) == 1
    cells = [cell for row in rows for cell in row]
    assert [cell for cell in cells if cell.lstrip(" ").startswith(FORMULA)] == []
    marked("\n".join(cells), hand)
    samples = list(
        csv.reader(
            io.StringIO(body_of(browse.get(f"/changes/{first(Change)}/attempts/1/samples.csv")))
        )
    )
    assert [cell for row in samples for cell in row if cell.startswith(FORMULA)] == []


FORMULAS = [f"{sign}cmd()|' /C calc'!A0" for sign in ("=", "+", "-", "@", "\t=", "\r=", " =", "＝")]


@only("text", FORMULAS)
def test_a_formula_in_the_audit_log_is_text_in_its_csv(text: str, browse: Client):
    by = Actor(None, Via.COMMAND, who=text)
    record(by, text, "service", text, now=timezone.now(), after={text: text})
    *_, row = csv.reader(io.StringIO(body_of(browse.get("/audit.csv")), newline=""))
    assert row.count(f"'{text}") == 5
    assert text not in row


@only("hand", ["markdown", "image"], indirect=True)
def test_a_record_in_markdown_makes_no_mark_of_them(hand: Hand, browse: Client):
    for one in records():
        text = browse.get(f"{one}/record.md", follow=True).text
        assert MARK.search(text)
        # As a reader shows it that takes every mark, and HTML too.
        read = Read(MarkdownIt("commonmark").render(text))
        assert read.wrong == []
        assert [one for one in read.links if not one.startswith(settings.URL)] == []


@only("hand", ["markup"], indirect=True)
def test_the_feed_holds_them_as_text(hand: Hand, administrator):
    address = feed.address_of(administrator).removeprefix(settings.URL)
    root = ET.fromstring(Client().get(address).content)  # noqa: S314 # written by us
    entries = list(root.iter(f"{ATOM}entry"))
    assert entries
    for entry in entries:
        assert len(entry) == 6
        title, summary = (entry.find(f"{ATOM}{name}").text for name in ("title", "summary"))
        assert misread(plain(title), hand.written) == []
        read = Read(summary)
        assert read.wrong == []
        assert misread(read.text, hand.written) == []


@only("hand", ["markup"], indirect=True)
def test_a_badge_holds_them_as_text(hand: Hand):
    path = CriticalPath.objects.get(slug="price-a-crossing")
    place = Environment.objects.get(service=path.service, slug="production")
    for one in (None, path):
        offer = badges.offer(place, one)
        root = ET.fromstring(Client().get(offer.image).content)  # noqa: S314 # drawn by us
        name = (one or path.service).name
        assert root.find(f"{SVG}title").text.startswith(f"{name}: ")
        assert {each.tag.removeprefix(SVG) for each in root.iter()} <= {
            *("svg", "title", "rect", "path", "circle", "g", "text"),
        }
        said = Client().get(offer.json.removeprefix(settings.URL)).json()
        assert said["label"] == name


HOSTILE = "a\x1b[31m\x9b2J\x07\rb\u202ec\u2028d\x00"


def test_the_terminal_obeys_none_of_them(capsys):
    printing.tell(HOSTILE)
    printing.table([[HOSTILE, HOSTILE]])
    printing.document({HOSTILE: HOSTILE})
    said = "".join(capsys.readouterr())
    assert [one for one in said if not one.isprintable() and one != "\n"] == []


def test_a_document_on_the_terminal_still_says_all_of_it(capsys):
    printing.document({"name": HOSTILE, "of": "Tromsø \U0001f6a2"})
    out = capsys.readouterr().out
    assert json.loads(out) == {"name": HOSTILE, "of": "Tromsø \U0001f6a2"}
    assert "Tromsø \U0001f6a2" in out


@only("text", [*WRITTEN.values(), "a\x1b[31mb", "a\u202eb", "a" * 4000])
def test_the_search_finds_signs_and_not_patterns(text: str, browse: Client, service, path):
    answer = browse.get("/search", {"q": text})
    assert answer.status_code == 200
    assert Read(answer.text).wrong == []


@only(
    "address",
    [
        *("/search?q=a%00b", "/?q=%00", "/?environment=%00", "/?%00=1", "/incidents?service=%00"),
        *("/services/fares-api?environment=%00", "/changes?path=%00", "/audit?person=%00"),
        *("/releases/fares-api/%00", "/mine/%00", "/silences?service=%00", "/releases?team=%00"),
    ],
)
def test_a_nul_in_an_address_is_refused_before_a_database_is_asked(
    address: str, browse: Client, service, path
):
    assert browse.get(address).status_code in (400, 404)


def test_a_nul_in_a_button_asks_for_nothing(browse: Client, service, path):
    sent = browse.post(f"/services/fares-api/{path.slug}/probe", {"environment": "a\x00"})
    assert sent.status_code == 302
    assert browse.get(sent.headers["Location"]).status_code in (400, 404)


def test_half_of_a_pair_in_an_address_is_answered(browse: Client, service):
    assert browse.get("/search?q=a%ED%A0%80b%FF").status_code == 200


@only("text", ["%", "_", "%_%", "\\", "a%e"])
def test_a_sign_of_sql_is_a_sign_in_the_search(text: str, browse: Client, service, path):
    assert "Fares API" not in browse.get("/search", {"q": text}).text
    service.name = f"Fares {text} API"
    service.save()
    assert ELEMENT not in text
    found = browse.get("/search", {"q": text}).text
    assert Read(found).text.count(service.name) >= 1
