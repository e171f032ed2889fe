"""An incident as those on duty live it: told once, with the way back first; taken; mended; over."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_string, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.test_demo import NOTE, price_is, turn
from tests.journeys.test_first_day import (
    Post,
    add_channel,
    become_administrator,
    browser_page,
    post_office,
    wait_for,
    webhook_receiver,
)
from tests.running.processes import PROJECT, clean_environment, free_port, running

pytestmark = pytest.mark.browser


def letters_of(post: Post, event: str, service: str) -> list[EmailMessage]:
    """The letters whose subject tells `event` of `service`."""
    letters = [message_from_string(one, policy=policy.default) for one in post.letters]
    return [
        letter
        for letter in letters
        if event in str(letter["Subject"]) and f"({service}, production)" in str(letter["Subject"])
    ]


def text_of(letter: EmailMessage) -> str:
    plain = letter.get_body(("plain",))
    assert plain is not None
    return str(plain.get_content())


def acknowledge_link(letter: EmailMessage) -> str:
    found = re.search(r"http://\S+/acknowledge/\S+", text_of(letter))
    assert found, text_of(letter)
    return found[0]


@contextmanager
def a_stranger(page: Page) -> Iterator[Page]:
    """A browser in which nobody is signed in: a telephone in the night."""
    assert page.context.browser is not None
    context = page.context.browser.new_context()
    yield context.new_page()
    context.close()


def incident_of_fares(page: Page, url: str) -> str:
    page.goto(f"{url}incidents")
    row = page.get_by_role("row").filter(has_text="Price a crossing")
    expect(row).to_have_count(1)
    return str(row.get_by_role("link", name=re.compile(r"INC-\d+")).get_attribute("href"))


def test_those_on_duty_are_told_once_take_it_by_the_link_and_hear_that_it_is_over(
    tmp_path: Path, chromium: str
) -> None:
    up = [str(PROJECT / "script/up"), "--demo", "--port", str(free_port())]
    with (
        post_office() as (post, mail_port),
        webhook_receiver() as (hooks, hook),
        running(
            [*up, "--data", str(tmp_path / "data")],
            clean_environment() | {"EMAIL_URL": f"smtp://127.0.0.1:{mail_port}"},
            tmp_path,
        ) as board,
        browser_page(chromium) as page,
    ):
        url = board.line().removeprefix("Opsboard: ")
        become_administrator(page, board.line().removeprefix("First administrator: "))
        switches = board.line().removeprefix("Sample services: ")
        add_channel(page, url, "email", "duty@example.com")
        add_channel(page, url, "webhook", hook)
        wait_for(lambda: price_is(page, url, "Passing"), "the price to pass")

        turn(page, switches, "on")
        wait_for(lambda: bool(letters_of(post, "Failing", "fares-api")), "the e-mail")
        wait_for(lambda: any("fares-api" in str(one) for one in hooks), "the webhook")
        (letter,) = letters_of(post, "Failing", "fares-api")
        said = text_of(letter)
        # The way back comes before the facts.
        assert said.index(NOTE) < said.index("We could not price this crossing")

        incident = url.rstrip("/") + incident_of_fares(page, url)
        page.goto(incident)
        expect(page.locator("h1")).to_contain_text("Price a crossing")
        expect(page.locator("main section").first).to_contain_text(NOTE)
        expect(page.locator("main")).to_contain_text("We could not price this crossing")
        expect(page.locator("main")).to_contain_text("Nobody has it")

        with a_stranger(page) as telephone:
            telephone.goto(acknowledge_link(letter))
            expect(telephone.locator("main")).to_contain_text("Price a crossing")
            telephone.get_by_role("button", name=re.compile("Acknowledge")).click()
            expect(telephone.locator("main")).to_contain_text("has it")
        page.goto(incident)
        expect(page.locator(".head")).to_contain_text("has it")
        expect(page.locator(".head")).not_to_contain_text("Nobody has it")

        turn(page, switches, "off")
        wait_for(lambda: bool(letters_of(post, "Resolved", "fares-api")), "the end by e-mail")
        page.goto(incident)
        happened = page.locator("section", has=page.get_by_role("heading", name="What happened"))
        for told in ("is failing", "Alert sent to", "acknowledged", "Resolved"):
            expect(happened).to_contain_text(told)
        assert len(letters_of(post, "Failing", "fares-api")) == 1
        assert len(letters_of(post, "Resolved", "fares-api")) == 1
    assert board.errors == ""
