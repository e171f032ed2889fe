"""Signing in is slowed after wrong passwords, in the same way for names that nobody has."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from opsboard.people.links import make_link
from opsboard.people.models import AuditEntry, PasswordTry
from tests.company import BY
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db

NAMES = ["Vera Lind", "Nobody At All"]


def sign_in(password, name="Vera Lind", address="192.0.2.1", client=None):
    form = {"name": name, "password": password}
    return (client or Client()).post("/sign-in", form, REMOTE_ADDR=address)


def five_wrong(name="Vera Lind"):
    return [sign_in("wrong", name) for _ in range(5)]


@pytest.mark.parametrize("name", NAMES)
def test_the_sixth_wrong_password_is_told_how_long_to_wait(viewer, name):
    assert {answer.status_code for answer in five_wrong(name)} == {422}
    sixth = sign_in("wrong", name, "198.51.100.1")
    assert sixth.status_code == 429
    assert "Too many wrong passwords. Wait" in sixth.text
    assert 290 <= int(sixth.headers["Retry-After"]) <= 300
    assert f'value="{name}"' in sixth.text


def test_the_right_password_is_not_taken_during_the_wait_and_is_after_it(viewer):
    five_wrong()
    client = Client()
    assert sign_in(PASSWORD, client=client).status_code == 429
    assert client.get("/account").status_code == 302
    PasswordTry.objects.update(at=timezone.now() - timedelta(minutes=5))
    assert sign_in(PASSWORD, client=client).status_code == 302
    assert client.get("/account").status_code == 200


def test_a_sign_in_link_works_during_the_wait(viewer):
    five_wrong()
    client = Client()
    client.post(make_link(viewer, by=BY, now=timezone.now()))
    assert client.get("/account").status_code == 200


def test_ten_wrong_passwords_a_minute_from_one_address_slow_everybody_there(viewer):
    for number in range(10):
        assert sign_in("wrong", f"Person {number}").status_code == 422
    assert sign_in(PASSWORD).status_code == 429
    assert sign_in(PASSWORD, address="198.51.100.1").status_code == 302


def test_the_address_is_the_one_that_a_proxy_of_ours_names(viewer, settings):
    settings.TRUSTED_PROXIES = ["192.0.2.0/24"]
    for number in range(10):
        form = {"name": f"Person {number}", "password": "wrong"}
        Client().post("/sign-in", form, REMOTE_ADDR="192.0.2.1", HTTP_X_FORWARDED_FOR="203.0.113.9")
    assert set(PasswordTry.objects.values_list("network", flat=True)) == {"203.0.113.9"}
    assert sign_in(PASSWORD, address="198.51.100.1").status_code == 302


def test_known_and_unknown_names_cost_the_same_queries(viewer, django_assert_num_queries):
    sign_in("wrong", "warm up", "198.51.100.9")
    with django_assert_num_queries(8):
        sign_in("wrong", "Vera Lind")
    with django_assert_num_queries(8):
        sign_in("wrong", "Nobody At All")


def test_a_refused_sign_in_is_in_the_log_with_the_name_only_when_it_is_known(viewer):
    sign_in("wrong", "vera lind")
    sign_in("wrong", "my secret passphrase")
    entries = list(AuditEntry.objects.order_by("pk").values_list("who", "act", "kind", "subject"))
    assert entries == [
        ("somebody", "refused", "sign-in", "Vera Lind"),
        ("somebody", "refused", "sign-in", "an unknown name"),
    ]
    assert set(AuditEntry.objects.values_list("address", flat=True)) == {"192.0.2.1"}


def test_what_is_refused_during_a_wait_does_not_fill_the_log(viewer):
    five_wrong()
    for _ in range(5):
        sign_in("wrong")
    assert AuditEntry.objects.count() == 5


def test_signing_in_is_in_the_log(viewer):
    sign_in(PASSWORD)
    entry = AuditEntry.objects.get()
    assert (entry.person, entry.who, entry.act, entry.address) == (
        viewer, "Vera Lind", "signed in", "192.0.2.1",
    )  # fmt: skip
    assert entry.changes == [{"field": "with", "old": "", "new": "a password"}]


def test_guessing_the_password_of_a_session_left_open_is_slowed_too(client_of):
    client = client_of("viewer")
    form = {"current": "wrong", "password": "eight crossings", "again": "eight crossings"}
    for _ in range(5):
        assert "This is not your password." in client.post("/account", form).text
    slowed = client.post("/account", form | {"current": PASSWORD})
    assert slowed.status_code == 422
    assert "Too many wrong passwords. Wait" in slowed.text
