"""One-time links: kept as a digest, used by one, worthless when replaced or too old."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User

from opsboard.people import joining
from opsboard.people.links import find_link, first_administrator_link, make_link, use_link
from opsboard.people.models import SignInLink
from tests.company import BY, NOON

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def token_of(path: str) -> str:
    return path.rsplit("/", 1)[1]


def test_a_link_leads_to_its_person(viewer):
    path = make_link(viewer, by=BY, now=NOON)
    link = find_link(token_of(path), now=NOON)
    assert path.startswith("/sign-in/")
    assert link.user == viewer


def test_the_token_itself_is_not_stored(viewer):
    token = token_of(make_link(viewer, by=BY, now=NOON))
    assert len(token) >= 43
    assert token not in str(SignInLink.objects.values().get())


def test_of_two_who_hold_the_same_link_one_gets_in(viewer):
    token = token_of(make_link(viewer, by=BY, now=NOON))
    one, other = find_link(token, now=NOON), find_link(token, now=NOON)
    assert [use_link(one, now=NOON), use_link(other, now=NOON)] == [True, False]


def test_a_used_link_is_not_found_again(viewer):
    token = token_of(make_link(viewer, by=BY, now=NOON))
    use_link(find_link(token, now=NOON), now=NOON)
    assert find_link(token, now=NOON) is None


@pytest.mark.parametrize(
    ("age", "works"), [(timedelta(hours=24) - MINUTE, True), (timedelta(hours=24), False)]
)
def test_a_link_ends_after_a_day(viewer, age, works):
    token = token_of(make_link(viewer, by=BY, now=NOON))
    assert (find_link(token, now=NOON + age) is not None) is works


def test_a_link_that_is_too_old_cannot_be_used_by_somebody_who_looked_in_time(viewer):
    link = find_link(token_of(make_link(viewer, by=BY, now=NOON)), now=NOON)
    assert not use_link(link, now=NOON + timedelta(hours=24))


def test_a_new_link_ends_the_older_one(viewer):
    older = token_of(make_link(viewer, by=BY, now=NOON))
    newer = token_of(make_link(viewer, by=BY, now=NOON))
    assert find_link(older, now=NOON) is None
    assert find_link(newer, now=NOON) is not None


def test_the_link_of_somebody_who_was_disabled_since_is_worthless(viewer):
    token = token_of(make_link(viewer, by=BY, now=NOON))
    link = find_link(token, now=NOON)
    joining.change(viewer, role="viewer", may_sign_in=False, by=BY, now=NOON)
    assert find_link(token, now=NOON) is None
    assert not use_link(link, now=NOON)


def test_the_link_of_somebody_disabled_in_any_other_way_is_worthless_too(viewer):
    token = token_of(make_link(viewer, by=BY, now=NOON))
    link = find_link(token, now=NOON)
    User.objects.update(is_active=False)
    assert find_link(token, now=NOON) is None
    assert not use_link(link, now=NOON)


@pytest.mark.parametrize(
    ("age", "works"), [(timedelta(days=7) - MINUTE, True), (timedelta(days=7), False)]
)
def test_the_first_administrators_link_works_for_a_week(age, works):
    token = token_of(first_administrator_link(now=NOON))
    assert (find_link(token, now=NOON + age, first=True) is not None) is works


def test_each_start_replaces_the_unused_link_of_the_first_administrator():
    older = token_of(first_administrator_link(now=NOON))
    newer = token_of(first_administrator_link(now=NOON))
    assert find_link(older, now=NOON, first=True) is None
    assert find_link(newer, now=NOON, first=True) is not None


def test_there_is_no_such_link_once_an_administrator_can_sign_in(administrator):
    assert first_administrator_link(now=NOON) is None


def test_an_editor_does_not_stand_in_the_way_of_the_first_administrator(editor):
    assert first_administrator_link(now=NOON) is not None


def test_a_link_made_before_there_was_an_administrator_is_worthless_after():
    token = token_of(first_administrator_link(now=NOON))
    joining.add("Layla Haddad", "administrator", password="correct horse battery")
    assert find_link(token, now=NOON, first=True) is None


def test_a_persons_link_makes_no_administrator_and_the_other_signs_nobody_in(viewer):
    persons = token_of(make_link(viewer, by=BY, now=NOON))
    first = token_of(first_administrator_link(now=NOON))
    assert find_link(persons, now=NOON, first=True) is None
    assert find_link(first, now=NOON) is None
