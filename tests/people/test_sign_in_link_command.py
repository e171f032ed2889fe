"""manage.py sign-in-link: the way in for somebody who is locked out."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from opsboard.people import joining
from opsboard.people.models import built_in_viewer
from tests.company import BY, NOON

pytestmark = pytest.mark.django_db


def run(name: str) -> str:
    out = StringIO()
    call_command("sign-in-link", name, stdout=out)
    return out.getvalue().strip()


def test_it_prints_an_address_that_signs_the_person_in(viewer, client, settings):
    settings.URL = "http://testserver"
    url = run("vera lind")
    assert url.startswith("http://testserver/sign-in/")
    client.post(url)
    assert client.get("/account").context["user"] == viewer


def test_an_unknown_name_is_answered_with_those_that_are_near(viewer, editor):
    with pytest.raises(
        CommandError, match=r"^Nobody is called Vera Lindt. Did you mean Vera Lind\?$"
    ) as refusal:
        run("Vera Lindt")
    assert refusal.value.returncode == 2


def test_on_an_empty_board_it_says_where_the_first_link_is():
    with pytest.raises(CommandError, match="prints the link of the first administrator"):
        run("Layla")


def test_it_makes_no_link_for_somebody_who_may_not_sign_in(editor):
    joining.change(editor, role="editor", may_sign_in=False, by=BY, now=NOON)
    with pytest.raises(CommandError, match="Edith Moe may not sign in"):
        run("Edith Moe")


def test_it_makes_no_link_for_the_built_in_viewer():
    with pytest.raises(CommandError, match="Nobody is called opsboard-probe"):
        run(built_in_viewer().username)
