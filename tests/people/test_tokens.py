"""Tokens of programs: known again by their digest, shown once, never more than their maker."""

import logging
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from opsboard.people import joining, masking, tokens
from opsboard.people.audit import Actor, Via, record
from opsboard.people.models import ApiToken, AuditEntry
from opsboard.people.roles import ROLES, allows
from tests.company import BY, NOON

pytestmark = pytest.mark.django_db


def actor(person: User) -> Actor:
    return Actor(person, Via.PAGES, address="192.0.2.1")


def added(person: User, **more: Any) -> tuple[ApiToken, str]:
    usual: dict[str, Any] = {
        "name": "CI of fares",
        "scopes": ["read"],
        "services": [],
        "gates": [],
        "expires_at": NOON + timedelta(days=30),
    }
    return tokens.add(**usual | more, by=actor(person), now=NOON)


def test_a_token_has_its_form_and_is_kept_as_a_digest(editor: User) -> None:
    token, whole = added(editor)
    assert re.fullmatch(masking.PATTERN, whole)
    assert tokens.is_whole(whole)
    row = ApiToken.objects.values().get()
    assert whole not in str(row)
    assert whole.split("_")[2] not in str(row)
    assert row["prefix"] == whole[7:15]
    found = tokens.find(whole, now=NOON)
    assert found == token


@pytest.mark.parametrize("at", range(7, 44))
def test_a_slip_of_the_pen_is_noticed_without_the_database(
    editor: User, at: int, django_assert_num_queries: Any
) -> None:
    _, whole = added(editor)
    slip = whole[:at] + ("0" if whole[at] != "0" else "1") + whole[at + 1 :]
    with django_assert_num_queries(0):
        assert tokens.find(slip, now=NOON) is None


@pytest.mark.parametrize("written", ["", " ", "obs_ci_", "obs_ci__", "x" * 9999, "obs_ci_é", "\n"])
def test_what_is_no_token_is_not_looked_for(written: str, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert tokens.find(written, now=NOON) is None


@pytest.mark.parametrize("after", ["\n", " ", "0", "\x00"])
def test_nothing_stands_after_a_token(editor: User, after: str) -> None:
    assert tokens.find(added(editor)[1] + after, now=NOON) is None


def test_a_token_lasts_a_year_at_most(editor: User) -> None:
    token, _ = added(editor, expires_at=NOON + timedelta(days=9999))
    assert token.expires_at == NOON + timedelta(days=365)


def test_it_ends_on_the_dot(editor: User) -> None:
    token, whole = added(editor)
    assert tokens.find(whole, now=token.expires_at - timedelta(microseconds=1)) == token
    assert tokens.find(whole, now=token.expires_at) is None


def test_a_revoked_token_opens_nothing_and_the_log_says_by_whom(
    editor: User, administrator: User
) -> None:
    token, whole = added(editor)
    assert tokens.revoke(token, by=actor(administrator), now=NOON)
    assert not tokens.revoke(token, by=actor(editor), now=NOON + timedelta(hours=1))
    token.refresh_from_db()
    assert (token.revoked_by, token.revoked_at) == (administrator, NOON)
    assert tokens.find(whole, now=NOON) is None
    entries = AuditEntry.objects.filter(kind="token").order_by("pk")
    subject = f"CI of fares ({token.prefix}…)"
    assert [(one.who, one.act, one.subject) for one in entries] == [
        ("Edith Moe", "added", subject),
        ("Layla Haddad", "revoked", subject),
    ]
    assert whole not in str(list(entries.values()))
    assert whole.split("_")[2] not in str(list(entries.values()))


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("scope", tokens.SCOPES)
def test_nobody_gives_more_than_they_may_do(role: str, scope: str) -> None:
    person = joining.add("Somebody", role)  # type: ignore[arg-type]
    may = allows(role, tokens.ROLE_FOR[scope])
    assert (scope in tokens.scopes_for(person.role)) == may
    if may:
        token, _ = added(person, scopes=[scope])
        assert tokens.allows(token, scope)
        assert [one for one in tokens.SCOPES if tokens.allows(token, one)] == [scope]
    else:
        with pytest.raises(PermissionError):
            added(person, scopes=[scope])


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("scope", tokens.SCOPES)
def test_a_token_shrinks_with_its_makers_role(administrator: User, role: Any, scope: str) -> None:
    joining.add("Another", "administrator", password="correct horse battery")
    _, whole = added(administrator, scopes=[*tokens.SCOPES])
    joining.change(administrator, role=role, may_sign_in=True, by=BY, now=NOON)
    token = tokens.find(whole, now=NOON)
    assert token is not None
    assert tokens.allows(token, scope) == allows(role, tokens.ROLE_FOR[scope])


def test_a_token_dies_with_its_maker(editor: User) -> None:
    _, whole = added(editor)
    joining.change(editor, role="editor", may_sign_in=False, by=BY, now=NOON)
    assert tokens.find(whole, now=NOON) is None
    joining.change(editor, role="editor", may_sign_in=True, by=BY, now=NOON)
    assert tokens.find(whole, now=NOON) is not None


def test_a_maker_without_a_role_allows_nothing(editor: User) -> None:
    _, whole = added(editor)
    editor.role.delete()
    token = tokens.find(whole, now=NOON)
    assert token is not None
    assert not tokens.allows(token, "read")


def test_no_log_holds_a_token(editor: User, caplog: pytest.LogCaptureFixture) -> None:
    _, whole = added(editor)
    formatter = masking.Masking("%(message)s")
    try:
        raise RuntimeError(f"inside {whole}")
    except RuntimeError:
        logging.getLogger("a").exception("GET /api/v1/services?token=%s", whole)
    [record] = caplog.records
    written = formatter.format(record)
    assert whole[:20] not in written
    assert written.count(f"{whole[:15]}…") >= 2


def test_the_log_of_the_settings_masks(settings: Any) -> None:
    assert settings.LOGGING["formatters"]["line"]["()"] == "opsboard.people.masking.Masking"


def test_what_a_token_does_is_told_with_its_name_on_the_audit_page(
    editor: User, client_of: Callable[[str], Client], administrator: User
) -> None:
    token, _ = added(editor)
    by_token = Actor(editor, Via.API, who=str(token), address="192.0.2.1")
    record(by_token, "named", "release", "fares-api 1.4.2", now=NOON)
    page = client_of("administrator").get("/audit?person=Edith+Moe").text
    assert f"by the token CI of fares ({token.prefix}…), from 192.0.2.1" in page
    lines = client_of("administrator").get("/audit.csv").getvalue().decode()
    assert f"Edith Moe,by the token CI of fares ({token.prefix}…),192.0.2.1,named" in lines
