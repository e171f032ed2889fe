"""Coming in with a password or a link, and going out."""

import pytest
from django.test import Client
from django.utils import timezone

from opsboard.people import joining
from opsboard.people.links import make_link
from opsboard.people.models import built_in_viewer
from tests.company import BY, NOON
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db


@pytest.fixture
def link(viewer):
    return make_link(viewer, by=BY, now=timezone.now())


def sign_in(client, name="Vera Lind", password=PASSWORD, **more):
    return client.post("/sign-in", {"name": name, "password": password, **more})


def who(client) -> str | None:
    response = client.get("/account")
    return response.context["user"].username if response.status_code == 200 else None


def test_name_and_password_let_a_person_in(viewer, client):
    response = sign_in(client)
    assert (response.status_code, response.headers["Location"]) == (302, "/")
    assert who(client) == "Vera Lind"


def test_the_name_may_be_written_in_small_letters(viewer, client):
    sign_in(client, name=" vera  lind")
    assert who(client) == "Vera Lind"


@pytest.mark.parametrize(
    ("name", "password"), [("Vera Lind", "wrong"), ("Nobody", PASSWORD), ("opsboard-probe", "!")]
)
def test_a_wrong_pair_is_refused_in_the_same_words(viewer, client, name, password):
    built_in_viewer()
    response = sign_in(client, name, password)
    assert response.status_code == 422
    assert "Name and password do not belong together." in response.text
    assert f'value="{name}"' in response.text
    assert who(client) is None


def test_an_empty_form_says_what_is_missing(client):
    response = sign_in(client, "", "")
    assert response.status_code == 422
    assert "2\u00a0things to fix first" in response.text


def test_signing_in_makes_a_new_session(viewer, client):
    session = client.session
    session["planted"] = True
    session.save()
    before = client.session.session_key
    sign_in(client)
    assert client.session.session_key != before


@pytest.mark.parametrize("then", ["/incidents", "/services/fares-api?range=24h"])
def test_a_person_goes_on_where_they_wanted_to(viewer, client, then):
    assert sign_in(client, next=then).headers["Location"] == then


@pytest.mark.parametrize(
    "then",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "people",
        "nowhere",
        "http://testserver/alerts",
        "",
        "\t//x",
    ],
)
def test_nobody_is_sent_to_what_is_not_a_path_of_this_board(viewer, client, then):
    assert sign_in(client, next=then).headers["Location"] == "/"


def test_somebody_signed_in_does_not_see_the_form_again(client_of):
    response = client_of("viewer").get("/sign-in?next=/alerts")
    assert response.headers["Location"] == "/alerts"


def test_signing_out_ends_the_session(client_of):
    client = client_of("viewer")
    assert client.post("/sign-out").headers["Location"] == "/sign-in"
    assert who(client) is None


def test_an_address_alone_signs_nobody_out(client_of):
    client = client_of("viewer")
    assert client.get("/sign-out").status_code == 405
    assert who(client) == "Vera Lind"


def test_looking_at_a_link_does_not_use_it_up(link, client):
    looks = [client.get(link).status_code, client.head(link).status_code]
    assert looks == [200, 200]
    assert who(client) is None
    assert client.post(link).headers["Location"] == "/account"
    assert who(client) == "Vera Lind"


def test_a_link_works_once(link):
    assert Client().post(link).status_code == 302
    again = Client().post(link)
    assert again.status_code == 410
    assert "manage.py sign-in-link" in again.text


def test_a_link_that_never_was_is_answered_like_a_used_one(client):
    assert client.get("/sign-in/never").status_code == 410


def test_who_came_by_a_link_chooses_a_password_without_knowing_the_old_one(link, client):
    client.post(link)
    client.post("/account", {"password": "eight crossings", "again": "eight crossings"})
    other = Client()
    sign_in(other, password="eight crossings")
    assert who(client) == who(other) == "Vera Lind"


def test_who_came_by_password_must_know_it_to_change_it(client_of, viewer):
    client = client_of("viewer")
    change = {"password": "eight crossings", "again": "eight crossings"}
    refused = client.post("/account", change | {"current": "wrong"})
    assert refused.status_code == 422
    assert "This is not your password." in refused.text
    assert client.post("/account", change).status_code == 422
    assert client.post("/account", change | {"current": PASSWORD}).status_code == 302
    viewer.refresh_from_db()
    assert viewer.check_password("eight crossings")


def test_a_changed_password_ends_the_other_sessions_and_keeps_this_one(client_of):
    here, elsewhere = client_of("viewer"), client_of("viewer")
    here.post(
        "/account", {"current": PASSWORD, "password": "eight crossings", "again": "eight crossings"}
    )
    assert who(here) == "Vera Lind"
    assert who(elsewhere) is None


@pytest.mark.parametrize(
    ("password", "again", "says"),
    [
        ("short", "short", "too short"),
        ("password", "password", "too common"),
        ("Vera Lind", "Vera Lind", "too similar"),
        ("eight crossings", "nine crossings", "Type the same twice"),
    ],
)
def test_a_poor_password_is_refused_with_the_reason(client_of, password, again, says):
    form = {"current": PASSWORD, "password": password, "again": again}
    response = client_of("viewer").post("/account", form)
    assert response.status_code == 422
    assert says in response.text


def test_a_disabled_person_is_out_at_the_next_request_and_stays_out(client_of, viewer):
    client = client_of("viewer")
    joining.change(viewer, role="viewer", may_sign_in=False, by=BY, now=NOON)
    assert who(client) is None
    assert sign_in(Client()).status_code == 422
    joining.change(viewer, role="viewer", may_sign_in=True, by=BY, now=NOON)
    assert who(client) is None


def test_a_new_role_holds_at_the_next_request(client_of, viewer):
    client = client_of("viewer")
    joining.change(viewer, role="administrator", may_sign_in=True, by=BY, now=NOON)
    assert client.get("/people").status_code == 200


def test_a_form_without_its_token_is_refused_in_words(viewer):
    client = Client(enforce_csrf_checks=True)
    response = sign_in(client)
    assert response.status_code == 403
    assert "This form is too old to be sent" in response.text


@pytest.mark.parametrize("field", ["name", "password"])
@pytest.mark.parametrize("value", ["\0", "x" * 20_000, "\ud83d".encode("utf-16", "surrogatepass")])
def test_whatever_is_typed_to_come_in_is_answered_in_words(viewer, client, field, value):
    response = client.post("/sign-in", {"name": "Vera Lind", "password": "x"} | {field: value})
    assert response.status_code == 422
    assert 'class="err"' in response.text


@pytest.mark.parametrize("password", ["a\0bcdefgh", "x" * 1001, " " * 3, "\N{PILE OF POO}"])
def test_a_new_password_that_cannot_be_is_refused_in_words(client_of, viewer, password):
    form = {"current": PASSWORD, "password": password, "again": password}
    response = client_of("viewer").post("/account", form)
    assert response.status_code == 422
    assert 'class="err"' in response.text
    viewer.refresh_from_db()
    assert viewer.check_password(PASSWORD)


def test_a_password_keeps_its_spaces_and_its_signs(client_of):
    password = "  åtte kryss \N{PILE OF POO}  "
    form = {"current": PASSWORD, "password": password, "again": password}
    assert client_of("viewer").post("/account", form).status_code == 302
    other = Client()
    sign_in(other, password=password)
    assert who(other) == "Vera Lind"
