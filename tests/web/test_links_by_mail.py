"""Sign-in links by mail: made by an administrator, or asked for on the sign-in page."""

import re
import socket
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from aiosmtpd.controller import Controller
from django.test import Client
from django.utils import timezone

from opsboard.people import joining, mailed_links
from opsboard.people.links import make_link
from opsboard.people.models import AuditEntry, LinkRequest
from opsboard.people.tries import Waiting
from tests.company import BY, NOON
from tests.running.processes import free_port

pytestmark = pytest.mark.django_db

ADDRESS = "vera@skerry.example"
MINUTE = timedelta(minutes=1)


class Letters:
    def __init__(self) -> None:
        self.got: list[tuple[list[str], str]] = []
        self.refuses = False

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        if self.refuses:
            return "451 not now"
        self.got.append((envelope.rcpt_tos, envelope.content.decode()))
        return "250 taken"


def mailer(port: int) -> dict[str, object]:
    backend = "django.core.mail.backends.smtp.EmailBackend"
    options = {"host": "127.0.0.1", "port": port, "timeout": 5}
    return {"default": {"BACKEND": backend, "OPTIONS": options}}


@pytest.fixture
def letters(settings) -> Iterator[Letters]:
    letters, port = Letters(), free_port()
    post = Controller(letters, hostname="127.0.0.1", port=port)
    post.start()
    settings.MAILERS = mailer(port)
    settings.URL = "http://testserver"
    yield letters
    post.stop()


@pytest.fixture
def no_mail(settings) -> None:
    settings.MAILERS = {}


@pytest.fixture
def vera(viewer):
    viewer.email = ADDRESS
    viewer.save()
    return viewer


@pytest.fixture
def client(client_of):
    return client_of("administrator")


def link_in(text: str) -> str:
    return re.search(r"http://testserver(/sign-in/[\w-]+)", text)[1]


# Made by an administrator


def test_a_new_person_is_mailed_the_link_and_the_page_does_not_show_it(client, letters):
    form = {"name": "Tomasz Wilk", "email": "tomasz@skerry.example", "role": "editor"}
    page = client.post("/people/new", form)
    ((to, text),) = letters.got
    assert to == ["tomasz@skerry.example"]
    assert "Layla Haddad made you a sign-in link" in text
    assert "was mailed" in page.text
    assert link_in(text) not in page.text
    theirs = Client()
    theirs.post(link_in(text))
    assert theirs.get("/account").context["user"].username == "Tomasz Wilk"


def test_an_administrator_who_wants_to_copy_the_link_gets_it(client, letters, vera):
    page = client.post(f"/people/{vera.pk}/link", {"copy": "yes"})
    assert link_in(page.text)
    assert letters.got == []


def test_a_mail_that_is_not_taken_says_so_and_shows_the_link(client, letters, vera):
    letters.refuses = True
    page = client.post(f"/people/{vera.pk}/link")
    assert f"It may not have been mailed to {ADDRESS}." in page.text
    assert "451" in page.text
    assert Client().get(link_in(page.text)).status_code == 200


def test_a_mail_server_that_says_nothing_does_not_keep_the_page_waiting(
    client, vera, settings, monkeypatch
):
    monkeypatch.setattr(mailed_links, "SECONDS_FOR_A_PAGE", 0.2)
    settings.URL = "http://testserver"
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.MAILERS = mailer(silent.getsockname()[1])
        page = client.post(f"/people/{vera.pk}/link")
    for thread in threading.enumerate():
        if thread.daemon and "send_within" in thread.name:
            thread.join(timeout=6)
    assert "has not answered within 0.2 s" in page.text
    assert link_in(page.text)


def test_without_a_mail_server_or_an_address_the_link_is_shown(client, no_mail, vera, editor):
    assert "Send this link to Vera Lind" in client.post(f"/people/{vera.pk}/link").text
    assert "Send this link to Edith Moe" in client.post(f"/people/{editor.pk}/link").text


def test_the_log_tells_of_the_link_and_never_holds_its_token(client, no_mail, vera):
    token = re.search(r"/sign-in/([\w-]+)", client.post(f"/people/{vera.pk}/link").text)[1]
    entry = AuditEntry.objects.get(act="made a link")
    assert (entry.who, entry.kind, entry.subject) == ("Layla Haddad", "person", "Vera Lind")
    assert token not in str(AuditEntry.objects.values())


# Asked for on the sign-in page


def test_the_sign_in_page_leads_to_it(db):
    assert 'href="/sign-in/forgotten"' in Client().get("/sign-in").text


def test_without_mail_it_says_whom_to_ask(db, no_mail):
    page = Client().get("/sign-in/forgotten")
    assert "Ask an administrator for a sign-in link" in page.text
    Client().post("/sign-in/forgotten", {"name": "Vera Lind"})
    assert not LinkRequest.objects.exists()


@pytest.mark.parametrize("asked", ["vera lind", "VERA@skerry.example"])
def test_a_known_person_is_mailed_a_link_that_works(vera, letters, asked):
    Client().post("/sign-in/forgotten", {"name": asked})
    assert letters.got == []
    mailed_links.mail_asked_for(now=timezone.now())
    ((to, text),) = letters.got
    assert to == [ADDRESS]
    theirs = Client()
    theirs.post(link_in(text))
    assert theirs.get("/account").context["user"] == vera


def test_it_is_mailed_once(vera, letters):
    Client().post("/sign-in/forgotten", {"name": "Vera Lind"})
    for _ in range(3):
        mailed_links.mail_asked_for(now=timezone.now() + 2 * MINUTE)
    assert len(letters.got) == 1


def test_the_answer_is_the_same_for_unknown_names(vera, letters, django_assert_num_queries):
    answers = []
    for name in ("Vera Lind", "Nobody At All", "nobody@skerry.example"):
        with django_assert_num_queries(4):
            page = Client().post("/sign-in/forgotten", {"name": name})
            answers.append(re.sub(r'"X-CSRFToken": "[^"]*"', "", page.text))
    assert len(set(answers)) == 1
    assert "a link is on its way" in answers[0]


def test_what_was_typed_that_nobody_is_called_is_not_stored(letters, db):
    Client().post("/sign-in/forgotten", {"name": "my secret passphrase"})
    assert "secret" not in str(LinkRequest.objects.values().get())


def ask(name="Vera Lind", address="192.0.2.1", now=NOON):
    return mailed_links.ask(name, address=address, now=now)


def test_ten_an_hour_from_one_address_and_the_next_waits(vera, letters):
    assert [ask() for _ in range(10)] == [None] * 10
    assert ask() == Waiting(NOON + 60 * MINUTE)
    assert ask(now=NOON + 60 * MINUTE - MINUTE) is not None
    assert ask(now=NOON + 60 * MINUTE) is None
    assert ask(address="192.0.2.2") is None


def test_the_page_says_how_long_to_wait(letters, db):
    for _ in range(10):
        assert Client().post("/sign-in/forgotten", {"name": "x"}).status_code == 200
    page = Client().post("/sign-in/forgotten", {"name": "x"})
    assert page.status_code == 429
    assert "Too many links were asked for from here. Wait" in page.text


def test_a_person_gets_three_mails_an_hour_at_most(vera, letters):
    for number in range(6):
        ask(address=f"192.0.2.{number}")
    mailed_links.mail_asked_for(now=NOON)
    mailed_links.mail_asked_for(now=NOON)
    assert len(letters.got) == 3


def test_asking_ends_no_invitation(vera, letters):
    invitation = make_link(vera, by=BY, now=timezone.now())
    ask()
    mailed_links.mail_asked_for(now=NOON)
    assert len(letters.got) == 1
    assert Client().get(invitation).status_code == 200


def test_a_mail_that_is_not_taken_is_tried_again_a_minute_later(vera, letters, caplog):
    ask()
    letters.refuses = True
    mailed_links.mail_asked_for(now=NOON)
    assert "could not be mailed" in caplog.text
    letters.refuses = False
    mailed_links.mail_asked_for(now=NOON + MINUTE - timedelta(seconds=1))
    assert letters.got == []
    mailed_links.mail_asked_for(now=NOON + MINUTE)
    assert len(letters.got) == 1


def test_nobody_who_was_disabled_since_is_mailed_to(vera, letters):
    ask()
    joining.change(vera, role="viewer", may_sign_in=False, by=BY, now=NOON)
    mailed_links.mail_asked_for(now=NOON)
    assert letters.got == []
    assert ask() is None
    assert LinkRequest.objects.filter(user=vera).count() == 1


def test_two_people_of_one_address_are_not_guessed_between(vera, letters, editor):
    editor.email = ADDRESS.upper()
    editor.save()
    ask(ADDRESS)
    mailed_links.mail_asked_for(now=NOON)
    assert letters.got == []


def test_what_was_asked_for_long_ago_is_neither_mailed_nor_kept(vera, letters):
    ask()
    mailed_links.mail_asked_for(now=NOON + 15 * MINUTE)
    assert letters.got == []
    mailed_links.prune(now=NOON + timedelta(days=1, seconds=1))
    assert not LinkRequest.objects.exists()


def test_choosing_a_password_ends_every_other_link(vera):
    now = timezone.now()
    first, second = (make_link(vera, by=BY, now=now, ends_older=False) for _ in range(2))
    theirs = Client()
    theirs.post(first)
    theirs.post("/account", {"password": "eight crossings", "again": "eight crossings"})
    assert Client().get(second).status_code == 410
