"""How people come in, change and leave."""

import pytest
from django.db import IntegrityError, transaction

from opsboard.people import joining
from opsboard.people.joining import LastAdministratorError
from opsboard.people.links import find_link, first_administrator_link
from opsboard.people.models import administrators, built_in_viewer, people
from tests.company import BY, NOON

pytestmark = pytest.mark.django_db


def first_link():
    token = first_administrator_link(now=NOON).rsplit("/", 1)[1]
    return find_link(token, now=NOON, first=True)


def become(link, name="Layla Haddad"):
    return joining.become_first_administrator(
        link, name=name, password="correct horse battery", by=BY, now=NOON
    )


def test_a_name_is_kept_tidy():
    assert joining.add("  Tomasz   Wilk ", "viewer").username == "Tomasz Wilk"


@pytest.mark.parametrize("name", ["Vera Lind", "vera lind", " VERA  LIND "])
def test_a_name_is_taken_however_it_is_written(viewer, name):
    assert joining.is_taken(name)
    assert joining.find(name) == viewer


@pytest.mark.parametrize("name", ["opsboard-probe", "Opsboard-Probe"])
def test_nobody_can_take_the_name_of_the_built_in_viewer(name):
    assert joining.is_taken(name)


def test_the_first_administrator_uses_the_link_up():
    link = first_link()
    person = become(link)
    assert person.role.name == "administrator"
    assert person.check_password("correct horse battery")
    assert become(link, "Somebody Else") is None
    assert list(people()) == [person]


def test_a_link_stays_good_when_its_person_could_not_be_added(viewer):
    link = first_link()
    with pytest.raises(IntegrityError), transaction.atomic():
        become(link, viewer.username)
    assert become(link) is not None


def test_the_link_makes_nobody_when_an_administrator_came_another_way_meanwhile():
    link = first_link()
    joining.add("Ingrid Solheim", "administrator", password="correct horse battery")
    assert become(link) is None


def test_another_role_is_given(viewer):
    joining.change(viewer, role="editor", may_sign_in=True, by=BY, now=NOON)
    viewer.role.refresh_from_db()
    assert viewer.role.name == "editor"


def test_taking_sign_in_away_takes_the_password_too(editor):
    joining.change(editor, role="editor", may_sign_in=False, by=BY, now=NOON)
    joining.change(editor, role="editor", may_sign_in=True, by=BY, now=NOON)
    assert editor.is_active
    assert not editor.has_usable_password()


@pytest.mark.parametrize(
    ("role", "may_sign_in"), [("editor", True), ("viewer", False), ("administrator", False)]
)
def test_the_last_administrator_stays(administrator, role, may_sign_in):
    with pytest.raises(LastAdministratorError):
        joining.change(administrator, role=role, may_sign_in=may_sign_in, by=BY, now=NOON)
    administrator.refresh_from_db()
    assert list(administrators()) == [administrator]


def test_an_administrator_may_go_when_another_can_sign_in(administrator):
    other = joining.add("Ingrid Solheim", "administrator", password="correct horse battery")
    joining.change(administrator, role="viewer", may_sign_in=True, by=BY, now=NOON)
    assert list(administrators()) == [other]


def test_an_administrator_who_never_signed_in_does_not_count_as_another(administrator):
    joining.add("Ingrid Solheim", "administrator")
    with pytest.raises(LastAdministratorError):
        joining.change(administrator, role="viewer", may_sign_in=True, by=BY, now=NOON)


def test_the_built_in_viewer_is_one_viewer_and_not_among_the_people(viewer):
    probe = built_in_viewer()
    assert built_in_viewer() == probe
    assert probe.role.name == "viewer"
    assert not probe.has_usable_password()
    assert list(people()) == [viewer]
    assert joining.find(probe.username) is None
