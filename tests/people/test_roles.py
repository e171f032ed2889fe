"""What a role allows, and what somebody without one may do: nothing."""

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from opsboard.people.models import Role, role_of
from opsboard.people.roles import allows


@pytest.mark.parametrize(
    ("held", "needed", "allowed"),
    [
        ("viewer", "viewer", True),
        ("viewer", "editor", False),
        ("viewer", "administrator", False),
        ("editor", "viewer", True),
        ("editor", "editor", True),
        ("editor", "administrator", False),
        ("administrator", "viewer", True),
        ("administrator", "administrator", True),
        (None, "viewer", False),
        ("owner", "viewer", False),
        ("administrator", "owner", False),
    ],
)
def test_a_role_allows_what_those_below_it_may_and_nothing_more(held, needed, allowed):
    assert allows(held, needed) is allowed


@pytest.mark.django_db
def test_a_user_who_was_given_no_role_has_none():
    user = User.objects.create_user("somebody")
    assert role_of(user) is None


def test_somebody_who_may_not_sign_in_has_no_role(editor):
    editor.is_active = False
    assert role_of(editor) is None


def test_the_database_refuses_a_role_that_does_not_exist(viewer):
    with pytest.raises(IntegrityError), transaction.atomic():
        Role.objects.filter(user=viewer).update(name="owner")
