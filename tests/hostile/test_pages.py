"""Every page of a board that is full of hostile text: it shows the text, and nothing came of it."""

import re
from urllib.parse import urlsplit

from django.contrib.auth.models import User
from django.test import Client
from django.urls import get_resolver, resolve

from tests.hostile.board import HOSTILE
from tests.hostile.reading import MARK, Read, misread
from tests.hostile.texts import WRITTEN
from tests.hostile.walking import walk
from tests.hostile.writing import CUT, FREE, MARKDOWN, Hand

# Their pages show what programs get, as it is: with what escapes signs there.
SOURCES = {"message", "channel", "release-record", "change-record", "incident-record"}
# Without a sign that Markdown takes for a mark.
NOT_MARKDOWN = {"markup", "formula", "signs"}
# What no link leads to: forms that are only sent, doors for programs, and links by mail.
NOT_LINKED = re.compile(
    r"acknowledge-link|api|badge|beat|board-export|errand|feed|first-administrator|forgotten|healthz|readyz|metrics|restore"
    r"|sign-|.*-(burst|stop|open|seal|repeat|remove|test|end|accept|back|now|pause|true|again|step"
    r"|rollback|link|acknowledge|applied|cleared|update|resolve|afterword|withdraw|plan|edit|apply|file)$"
)
# Nobody sees these on a page that a link leads to.
UNSEEN = {
    "services.Deploy.tag",
    "releases.Hold.ended_because",
    "releases.ConfigReport.by_name",
    "changes.Burst.started_as",
    "changes.Burst.trouble",
}


def test_every_page_shows_what_was_written_and_nothing_came_of_it(hand: Hand, browse: Client):
    seen, names, wrong = set(), set(), []
    kind = next(name for name, tail in WRITTEN.items() if tail == hand.tail)
    literal = {
        number: text
        for number, text in hand.written.items()
        if hand.where[number] not in CUT
        and (kind in NOT_MARKDOWN or hand.where[number] not in MARKDOWN)
    }
    # Whose own name is hostile, and who has a draft.
    browse.force_login(User.objects.get(email=HOSTILE))
    browse.raise_request_exception = False
    for address, response in walk(browse):
        names.add(name := resolve(urlsplit(address).path).url_name)
        if response.status_code >= 500 and name != "readyz":
            wrong.append(f"{address}: {response.status_code}")
        if not response.headers.get("Content-Type", "").startswith("text/html"):
            continue
        read = Read(response.text)
        seen |= {found[1] for found in MARK.finditer(read.text)}
        misreadings = misread(read.text, literal, as_source=name in SOURCES)
        wrong += [f"{address}: {one}" for one in (*read.wrong, *misreadings)]
    assert wrong[:10] == []
    assert {name for name in _all_names() - names if not NOT_LINKED.match(name)} == set()
    fields = {f"{model}.{name}" for model, known in FREE.items() for name in known}
    assert fields - {hand.where[number] for number in seen} <= UNSEEN


def _all_names() -> set[str]:
    return {name for one in get_resolver().url_patterns if (name := getattr(one, "name", None))}
