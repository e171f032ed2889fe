"""Who has signed in is read with what they may do, and only while they may sign in."""

import pytest
from django.contrib.auth.models import User

from opsboard.people.models import role_of
from opsboard.people.signing_in import WithRole


def test_the_role_takes_no_query_of_its_own(editor, django_assert_num_queries):
    with django_assert_num_queries(1):
        role = role_of(WithRole().get_user(editor.pk))
    assert role is not None
    assert role.name == "editor"


def test_somebody_disabled_is_nobody(editor):
    User.objects.filter(pk=editor.pk).update(is_active=False)
    assert WithRole().get_user(editor.pk) is None


@pytest.mark.django_db
def test_a_user_without_a_role_is_somebody_who_may_do_nothing():
    user = User.objects.create_user("nora")
    found = WithRole().get_user(user.pk)
    assert found == user
    assert role_of(found) is None


@pytest.mark.django_db
def test_somebody_who_has_gone_is_nobody():
    assert WithRole().get_user(4711) is None
