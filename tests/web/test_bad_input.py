"""Rows B35 to B46 of the hardening list, at every form that takes such input.

B47 is of signing in; B48 is in test_removing.py.
"""

import time
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from opsboard.alerts.models import Channel
from opsboard.rollbacks.models import NoteVersion
from opsboard.services.models import CriticalPath, Environment, Service, Team
from opsboard.web.prose import render
from tests.web import test_note_form as note
from tests.web.standing import text_of
from tests.web.test_channel_form import HOOK
from tests.web.test_environment_form import filled
from tests.web.test_path_form import GOOD as SHEET
from tests.web.test_service_form import GOOD as SERVICE
from tests.web.test_team_form import GOOD as TEAM

HERE = "/services/fares-api"


@pytest.fixture
def client(client_of: Callable[[Any], Client], environment: Environment) -> Client:
    return client_of("editor")


def told(page: Any) -> str:
    return " ".join(error for errors in page.context["form"].errors.values() for error in errors)


# Addresses ---------------------------------------------------------------------------------

ADDRESS_FORMS = {
    "service": ("/services/new", SERVICE | {"slug": "other"}, "base_url"),
    "environment": (f"{HERE}/environments/new", filled(slug="staging"), "base_url"),
    "path": (f"{HERE}/paths/new", SHEET, "route"),
    "webhook": ("/alerts/channels/new", HOOK, "address"),
    "first run": ("/add", {"act": "ask"}, "pasted"),
}
ONLY_HTTP = "Only http:// or https:// with a host"
AS_NUMBERS = "Write the address as a.b.c.d"
ADDRESSES = [
    ("B35", "ftp://a.test/x", ONLY_HTTP),
    ("B35", "file:///etc/passwd", ONLY_HTTP),
    ("B35", "gopher://a.test/", ONLY_HTTP),
    ("B35", "http:///x", ONLY_HTTP),
    ("B36", "http://user:pw@a.test/", "Take user and password out"),
    ("B37", "http://a.test\\@127.0.0.1/", "backslash"),
    ("B37", "http://127.0.0.1\\.a.test/", "backslash"),
    ("B37", "http://a.test/a\tb", "a space or a character that cannot be seen"),
    ("B37", "http://a.test:099999/", "port as a number"),
    ("B37", "http://a%2etest/", "without %"),
    ("B38", "http://2130706433/", AS_NUMBERS),
    ("B38", "http://0x7f.1/", AS_NUMBERS),
    ("B38", "http://0177.0.0.1/", AS_NUMBERS),
    ("B38", "http://127.1/", AS_NUMBERS),
    ("B38", "http://0/", AS_NUMBERS),
    ("B38", "http://①②⑦.0.0.1/", "in ASCII"),
    ("B38", "http://127。0。0。1/", "in ASCII"),
    ("B39", "http://fаres.example/", "in ASCII"),
    ("B39", f"http://{'a' * 64}.test/", "not a name that can be looked up"),
    ("B39", f"http://{'.'.join(['a' * 60] * 5)}/", "not a name that can be looked up"),
    ("B40", "http://169.254.169.254/latest", "metadata service"),
    ("B40", "http://[::ffff:169.254.169.254]/", "metadata service"),
    ("B40", "http://203.0.113.5/", "OPSBOARD_EGRESS_ALLOW"),
]


@pytest.mark.parametrize("form", ADDRESS_FORMS)
@pytest.mark.parametrize(("row", "address", "says"), ADDRESSES)
def test_an_address_that_must_not_be_asked_is_told_and_kept_in_the_form(
    row: str, address: str, says: str, form: str, client: Client
) -> None:
    url, typed, field = ADDRESS_FORMS[form]
    page = client.post(url, typed | {field: address})
    assert page.status_code == 422, row
    said = " ".join(page.context["form"].errors[field])
    # What is pasted is read as a command first, whose sentences are its own.
    assert says in said or form == "first run", said
    assert page.context["form"][field].value() == address
    assert not CriticalPath.objects.exists() and not Channel.objects.exists()
    assert (Service.objects.count(), Environment.objects.count()) == (1, 1)


@pytest.mark.parametrize("form", [name for name in ADDRESS_FORMS if name != "path"])
@pytest.mark.parametrize("address", ["javascript:alert(1)", "http:a.test", "", "a.test"])
def test_b35_what_is_no_address_is_told(form: str, address: str, client: Client) -> None:
    url, typed, field = ADDRESS_FORMS[form]
    page = client.post(url, typed | {field: address})
    if form == "first run" and address == "a.test":
        assert page.status_code == 422 or page.context["start"].request.site == "http://a.test"
        return
    assert page.status_code == 422
    assert page.context["form"].errors[field]


@pytest.mark.parametrize(
    ("row", "link", "says"),
    [
        ("B35", "Runbook: ftp://a.test", ONLY_HTTP),
        ("B35", "Runbook: javascript:alert(1)", ONLY_HTTP),
        ("B35", "Runbook: data:text/html,x", ONLY_HTTP),
        ("B36", "Runbook: https://user:pw@a.test", "Take user and password out"),
        ("B37", "Runbook: https://a.test\\@b.test", "backslash"),
        ("B39", "Runbook: https://fаres.example", "in ASCII"),
    ],
)
def test_a_link_of_a_service_is_an_address_too(
    row: str, link: str, says: str, client: Client
) -> None:
    page = client.post("/services/new", SERVICE | {"slug": "other", "links": link})
    assert page.status_code == 422, row
    assert says in " ".join(page.context["form"].errors["links"])
    assert "Line 1:" in " ".join(page.context["form"].errors["links"])


# Names -------------------------------------------------------------------------------------

NAME_FORMS = {
    "service": ("/services/new", SERVICE | {"slug": "other"}, "name"),
    "summary": ("/services/new", SERVICE | {"slug": "other"}, "summary"),
    "path": (f"{HERE}/paths/new", SHEET | {"slug": "other"}, "name"),
    "team": ("/teams/new", TEAM | {"slug": "other"}, "name"),
    "contact": ("/teams/new", TEAM, "contact"),
    "channel": ("/alerts/channels/new", HOOK, "name"),
    "note": (f"{HERE}/rollback-note/edit", note.typed(note.HOLD), "title"),
}


@pytest.mark.parametrize("form", NAME_FORMS)
@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("x" * 10_000, "At most"),
        ("turned \u202e around", "reverses the direction"),
        ("turned \u2067 around", "reverses the direction"),
        ("two\nlines", "control characters"),
        ("a\x07bell", "control character"),
        ("a\x00b", "Null characters"),
        ("two\u2028lines", "control characters"),
    ],
)
def test_b41_a_name_that_pages_cannot_show_is_refused(
    form: str, text: str, says: str, client: Client
) -> None:
    url, typed, field = NAME_FORMS[form]
    page = client.post(url, typed | {field: text})
    assert page.status_code == 422
    assert says in told(page)


LITERAL = ["🚢 fares", "zero\u200bwidth", "<img onerror=x()>", "=cmd()", "{{ 7 }}{% x %}", "'\";--"]


@pytest.mark.parametrize("name", LITERAL)
def test_b41_other_names_are_stored_and_shown_as_they_are(name: str, client: Client) -> None:
    typed = SERVICE | {
        "slug": "other", "name": name, "summary": name, "facts": f"Fact: {name}\nList:\n- {name}",
        "links": f"{name.replace('{', '').replace(':', '')}: https://a.test",
    }  # fmt: skip
    assert client.post("/services/new", typed).status_code == 302
    stored = Service.objects.get(slug="other")
    assert (stored.name, stored.facts["List"]) == (name, [name])
    for address in ("/services/other", "/", "/search?q=other", "/services/other/edit", "/removed"):
        page = client.get(address)
        assert page.status_code == 200
        assert "<img onerror" not in page.text
    assert name in text_of(client.get("/services/other").text).replace("&lt;", "<").replace(
        "&gt;", ">"
    ).replace("&#x27;", "'").replace("&quot;", '"')


# Rollback notes ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "[go](javascript:alert(1))",
        "[go](data:text/html,<script>alert(1)</script>)",
        "- " * 10_000 + "x",
        "> " * 10_000 + "x",
        "[" * 20_000,
        "*" * 30_000,
    ],
)
def test_b42_a_hostile_note_is_read_as_text_in_no_time(text: str, client: Client) -> None:
    assert client.post(f"{HERE}/rollback-note/edit", note.typed(note.HOLD, use_when=text[:32_000]))
    assert NoteVersion.objects.get()
    began = time.process_time()
    html = render(text)
    assert time.process_time() - began < 0.1
    page = client.get(f"{HERE}/rollback-note").text
    for part in ("<script>alert", 'href="javascript', 'href="data'):
        assert part not in html and part not in page


def test_b42_a_note_of_1_mb_is_refused(client: Client) -> None:
    page = client.post(
        f"{HERE}/rollback-note/edit", note.typed(note.HOLD, use_when="x" * 1_000_000)
    )
    assert page.status_code == 422
    assert not NoteVersion.objects.exists()


# Sheets ------------------------------------------------------------------------------------

IN_SHEETS = [
    *(("B43", "interval", text, "from 1 s to 1 d") for text in ("0", "-1", "1e9", "NaN", "１０")),
    ("B43", "timeout", "30 s", "shorter than the interval"),
    ("B43", "timeout", "1e9", "from 100 ms to 1 m"),
    ("B44", "expected_result", "body matches /(/", "Line 1"),
    ("B44", "expected_result", r"body matches /(a)\1/", "Back-references are not supported"),
    ("B44", "expected_result", "body matches /(?=a)/", "ook"),
    ("B44", "expected_result", "body matches /((a{1000}){1000}){1000}/", "Line 1"),
    ("B44", "expected_result", f"body matches /{'a' * 100_000}/", "at most"),
    ("B45", "headers", "A: b\rc", "Write Name: value"),
    ("B45", "headers", "A b: c", "letters, digits and hyphens"),
    ("B45", "headers", "A: b\x00", "Null characters"),
    ("B45", "headers", "Host: a.test", "Leave out Host"),
    ("B45", "headers", "Transfer-Encoding: chunked", "Leave out Transfer-Encoding"),
    ("B45", "headers", "Content-Length: 1", "Leave out Content-Length"),
    ("B45", "headers", "\n".join(f"A{n}: b" for n in range(100)), "at most 50"),
]


@pytest.mark.parametrize(("row", "field", "text", "says"), IN_SHEETS)
def test_what_a_sheet_cannot_hold_is_told_beside_its_field(
    row: str, field: str, text: str, says: str, client: Client
) -> None:
    page = client.post(f"{HERE}/paths/new", SHEET | {field: text})
    assert page.status_code == 422, row
    said = " ".join(page.context["form"].errors[field])
    assert says.lower() in said.lower(), said
    assert not CriticalPath.objects.exists()


# Two editors -------------------------------------------------------------------------------

EDITED = {
    "service": (f"{HERE}/edit", "summary", {}),
    "team": ("/teams/pricing/edit", "contact", {}),
    "environment": (
        f"{HERE}/environments/production/edit",
        "version_commit",
        filled() | {"version_route": "GET /version"},
    ),
    "path": (f"{HERE}/price-a-crossing/edit", "user_notices", {}),
}


@pytest.mark.parametrize("kind", EDITED)
def test_b46_the_second_of_two_editors_sees_who_saved_and_both_versions(
    kind: str, client: Client, client_of: Callable[[Any], Client], path: CriticalPath
) -> None:
    address, field, more = EDITED[kind]
    theirs, mine = ("json $.a", "json $.b") if kind == "environment" else ("theirs", "mine")
    form = client.get(address).context["form"]
    typed = {name: form[name].value() for name in form.fields if form[name].value() is not None}
    typed |= {key: value for key, value in more.items() if key not in ("slug", "base_url")}
    other = client_of("administrator")
    assert other.post(address, typed | {field: theirs}).status_code == 302
    page = client.post(address, typed | {field: mine})
    assert page.status_code == 422
    assert "Layla Haddad has saved this at" in page.text
    rows = {row.theirs: row.yours for row in page.context["form"].differences}
    assert rows[theirs] == mine
    kept = {"service": Service, "team": Team, "environment": Environment, "path": CriticalPath}
    assert getattr(kept[kind].objects.get(), field) == theirs
    again = page.context["form"]["shown"].value()
    assert client.post(address, typed | {field: mine, "shown": again}).status_code == 302
    assert getattr(kept[kind].objects.get(), field) == mine
