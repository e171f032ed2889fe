"""The page of settings: true to README.md and opsboard.settings, and silent about secrets."""

import ast
import re
from itertools import chain
from pathlib import Path

import pytest
from django.conf import settings
from django.urls import reverse

from opsboard.probes.models import Shift, microseconds
from opsboard.web.settings_known import GROUPS
from opsboard.web.settings_page import read_settings
from tests.company import NOON

PROJECT = Path(__file__).parents[2]
KNOWN = {setting.name: setting for _, known in GROUPS for setting in known}
# Refused when it is on, and what script/up is told by its own options.
NOT_SHOWN = {"DEBUG", "OPSBOARD_DATA", "OPSBOARD_HOST", "OPSBOARD_PORT"}

pytestmark = pytest.mark.django_db


def defaults_in_settings():
    """The name of each variable that opsboard.settings reads, and its default where it is plain."""
    found = {}
    files = (PROJECT / "opsboard" / name for name in ("settings.py", "checked_settings.py"))
    trees = [ast.parse(file.read_text()) for file in files]
    for call in chain.from_iterable(map(ast.walk, trees)):
        if not isinstance(call, ast.Call) or not call.args:
            continue
        if getattr(call.func, "attr", "") == "get":
            # Of what a variable was taken apart into.
            continue
        name = getattr(call.args[0], "value", None)
        if not isinstance(name, str) or not re.fullmatch(r"[A-Z][A-Z0-9_]+", name):
            continue
        named = (one.value for one in call.keywords if one.arg == "default")
        default = next(named, call.args[1] if len(call.args) > 1 else None)
        try:
            value = None if default is None else eval(ast.unparse(default), {})  # noqa: S307
        except NameError:
            value = None
        found[name] = value if value not in ("", []) else found.get(name)
    return found


def rows(environ=None):
    found = read_settings(environ or {}, now=NOON)
    return {row.name: row for group in found["groups"] for row in group.rows}


def test_every_setting_of_the_readme_is_there_and_no_other():
    table = re.findall(r"^\| `([A-Z][A-Z0-9_]+)` \|", (PROJECT / "README.md").read_text(), re.M)
    assert {*table} == {*KNOWN}


def test_every_variable_that_settings_reads_is_there():
    assert {*defaults_in_settings()} - NOT_SHOWN == {*KNOWN}


@pytest.mark.parametrize("name", [name for name, one in KNOWN.items() if one.default])
def test_the_defaults_are_those_of_the_settings(name):
    assert defaults_in_settings()[name] == KNOWN[name].default


def test_only_an_administrator_sees_them(client_of):
    url = reverse("settings")
    assert client_of("editor").get(url).status_code == 403
    client = client_of("administrator")
    text = client.get(url).text
    assert "OPSBOARD_KEEP_OBSERVATIONS_DAYS" in text
    assert settings.VERSION in text
    assert f'<a href="{url}">Settings</a>' in client.get(reverse("audit")).text
    assert f'<a href="{url}">Settings</a>' not in client_of("editor").get(reverse("board")).text


def test_one_that_differs_is_told_in_the_head_and_beside_its_default(client_of, settings):
    at_first = read_settings({}, now=NOON)["differing"]
    settings.KEEP_OBSERVATIONS_DAYS = 7
    settings.GATHER_SECONDS = 2.5
    text = client_of("administrator").get(reverse("settings")).text
    assert {*read_settings({}, now=NOON)["differing"]} - {*at_first} == {
        "OPSBOARD_KEEP_OBSERVATIONS_DAYS",
        "OPSBOARD_GATHER_SECONDS",
    }
    assert "<b>7\N{NO-BREAK SPACE}days</b>" in text
    assert "30\N{NO-BREAK SPACE}days" in text
    assert "<b>2.5\N{NO-BREAK SPACE}s</b>" in text
    assert '<a href="#OPSBOARD_KEEP_OBSERVATIONS_DAYS">' in text


def test_no_secret_is_ever_shown(client_of, settings, monkeypatch):
    secret = "tr0ub4dor"
    settings.SECRET_KEY, settings.FIELD_KEYS = secret, [secret]
    settings.ALIVE_URL = settings.LAST_RESORT_URL = f"https://hooks.example/{secret}"
    settings.CANARIES = [f"https://x:{secret}@a.example"]
    settings.CELERY_BROKER_URL = f"redis://:{secret}@redis:6379/0"
    settings.URL = settings.SELF_URL = f"https://x:{secret}@a.example"
    for name in KNOWN:
        monkeypatch.setenv(name, secret)
    text = client_of("administrator").get(reverse("settings")).text
    assert secret not in text
    assert "redis" in text


def test_what_is_not_set_says_what_that_means():
    found = rows()
    assert found["EMAIL_URL"].value == "not set"
    assert not found["EMAIL_URL"].differs
    assert rows({"EMAIL_URL_FILE": "/run/secrets/mail"})["EMAIL_URL"].value == "set"
    assert rows({"EMAIL_URL": "smtp://a"})["EMAIL_URL"].differs


def test_in_production_what_is_required_has_no_default_to_differ_from(settings):
    settings.EMBEDDED = False
    row = rows({"DATABASE_URL": "postgres://a"})["DATABASE_URL"]
    assert (row.value, row.default, row.differs) == ("set", "none: it is required", False)
    settings.EMBEDDED = True
    assert rows({"DATABASE_URL": "postgres://a"})["DATABASE_URL"].differs


def test_workers_that_take_work_are_counted_by_place(settings):
    settings.LOCATIONS = ["oslo", "bergen"]
    at = microseconds(NOON)
    shifts = (
        ("drain:oslo", "a:1:7"),
        ("drain:oslo", "a:1:8"),
        ("drain:oslo", "b:1:7"),
        ("bell", "beat"),
    )
    for duty, instance in shifts:
        Shift.objects.create(duty=duty, instance=instance, began_at=at, claimed_at=at - 1)
    facts = dict(read_settings({}, now=NOON)["facts"])
    assert facts["Workers that probe"] == "oslo: 2; bergen: none in the last minute"
    assert facts["The bell"].startswith("rang ")
