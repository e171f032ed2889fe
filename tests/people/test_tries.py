"""Wrong passwords slow signing in, for accounts that exist and for those that do not."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection

from opsboard.people import tries
from opsboard.people.models import PasswordTry
from opsboard.people.tries import Waiting, begin, network_of
from tests.company import NOON

pytestmark = pytest.mark.django_db

MOMENT = timedelta(microseconds=1)
MINUTE = timedelta(minutes=1)


def wrong(count, *, account="vera lind", address="192.0.2.1", now=NOON):
    return [begin(account, address, now=now) for _ in range(count)]


def may_try(now, *, account="vera lind", address="198.51.100.7"):
    """Whether a password would be checked now. Counts as one that was right."""
    answer = begin(account, address, now=now)
    if isinstance(answer, Waiting):
        return False
    tries.take_back(answer)
    return True


def test_five_are_checked_and_the_sixth_waits_until_the_first_is_five_minutes_old():
    wrong(4)
    assert may_try(NOON)
    wrong(1, now=NOON + MINUTE)
    assert begin("vera lind", "198.51.100.7", now=NOON + MINUTE) == Waiting(NOON + 5 * MINUTE)
    assert not may_try(NOON + 5 * MINUTE - MOMENT)
    assert may_try(NOON + 5 * MINUTE)


def test_a_wait_ends_however_often_it_is_tried():
    wrong(5)
    wrong(40, now=NOON + 4 * MINUTE)
    assert may_try(NOON + 5 * MINUTE)


def test_the_other_accounts_do_not_wait():
    wrong(5)
    assert may_try(NOON, account="edith moe")


def test_an_account_is_one_however_it_is_written():
    wrong(5, account="Vera Lind")
    assert not may_try(NOON, account="VERA LIND")


def test_ten_a_minute_from_one_address_wait_and_other_addresses_do_not():
    for number in range(10):
        wrong(1, account=f"person {number}", address="192.0.2.1")
    new = {"account": "somebody else"}
    assert not may_try(NOON, address="192.0.2.1", **new)
    assert not may_try(NOON + MINUTE - MOMENT, address="192.0.2.1", **new)
    assert may_try(NOON, address="192.0.2.2", **new)
    assert may_try(NOON + MINUTE, address="192.0.2.1", **new)


def test_who_waits_for_two_reasons_waits_for_the_longer():
    wrong(5)
    for number in range(5):
        wrong(1, account=f"person {number}")
    assert begin("vera lind", "192.0.2.1", now=NOON) == Waiting(NOON + 5 * MINUTE)


def test_a_right_password_is_not_counted():
    for _ in range(20):
        assert may_try(NOON)
    assert not PasswordTry.objects.exists()


def test_a_name_that_was_typed_is_not_stored_in_the_clear():
    wrong(1, account="my secret passphrase")
    assert "secret" not in str(PasswordTry.objects.values().get())


def test_a_digest_cannot_be_made_without_the_key(settings):
    wrong(1)
    settings.SECRET_KEY = "another" * 10
    wrong(1)
    assert PasswordTry.objects.values("account").distinct().count() == 2


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2::9", "2001:db8:1:2::"),
        ("", ""),
        ("nonsense", ""),
    ],
)
def test_an_ipv6_line_is_one_place(address, network):
    assert network_of(address) == network


def test_tries_from_before_the_clock_was_set_back_do_not_shut_the_door_for_an_hour():
    wrong(5, now=NOON + 60 * MINUTE)
    assert may_try(NOON)


def test_what_slows_nobody_any_more_is_removed():
    wrong(1)
    wrong(1, now=NOON + MINUTE)
    tries.prune(now=NOON + 5 * MINUTE)
    assert PasswordTry.objects.get().at == NOON + MINUTE


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_no_more_than_five_are_checked(monkeypatch):
    """All of them have looked, and seen nobody, before the first is counted."""
    looked, save = Barrier(8, timeout=20), PasswordTry.save

    def save_when_all_have_looked(mine: PasswordTry) -> None:
        looked.wait()
        save(mine)

    def one(number: int) -> bool:
        try:
            return isinstance(begin("vera lind", f"192.0.2.{number}", now=NOON), PasswordTry)
        finally:
            connection.close()

    monkeypatch.setattr(PasswordTry, "save", save_when_all_have_looked)
    with ThreadPoolExecutor(max_workers=8) as pool:
        checked = list(pool.map(one, range(8)))
    assert sum(checked) <= 5
    assert PasswordTry.objects.count() == sum(checked)
