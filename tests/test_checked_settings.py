"""Settings that cannot be used are refused at the start, in one sentence, without a traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured

from opsboard import checked_settings
from tests.running.processes import MANAGE, clean_environment

SECRET = "hunter2"


@pytest.mark.parametrize("value", ["soon", "nan", "inf", "-1", "1e12", "0x10", "٣٠s"])
def test_what_is_not_a_number_in_its_range_is_refused(monkeypatch, value):
    monkeypatch.setenv("OPSBOARD_X", value)
    with pytest.raises(ImproperlyConfigured) as refused:
        checked_settings.number("OPSBOARD_X", 30)
    assert str(refused.value) == (
        f"OPSBOARD_X is {value!r}: write a number from 0 to 1,000,000,000, such as 30."
    )


@pytest.mark.parametrize("value", ["0", "1.5", "100000"])
def test_days_and_pieces_are_whole_and_at_least_one(monkeypatch, value):
    monkeypatch.setenv("OPSBOARD_X", value)
    with pytest.raises(ImproperlyConfigured, match=r"^OPSBOARD_X is "):
        checked_settings.whole_number("OPSBOARD_X", 30, most=checked_settings.MOST_DAYS)


def test_a_number_is_taken_and_nothing_is_the_default(monkeypatch):
    monkeypatch.setenv("OPSBOARD_X", " 2.5 ")
    monkeypatch.setenv("OPSBOARD_EMPTY", "")
    assert checked_settings.number("OPSBOARD_X", 30) == 2.5
    assert checked_settings.number("OPSBOARD_EMPTY", 30) == 30
    assert checked_settings.whole_number("OPSBOARD_NOT_SET", 30) == 30


@pytest.mark.parametrize(
    "url",
    [
        f"mysql://ops:{SECRET}@db/opsboard",
        f"postgres://ops:{SECRET}@db:port/opsboard",
        f"//ops:{SECRET}@db/opsboard",
        SECRET,
    ],
)
def test_a_database_that_cannot_be_named_is_refused_without_its_password(monkeypatch, url):
    monkeypatch.setenv("DATABASE_URL", url)
    with pytest.raises(ImproperlyConfigured, match=r"^DATABASE_URL cannot be used") as refused:
        checked_settings.database("")
    assert SECRET not in str(refused.value)


def test_an_empty_database_is_the_usual_one_and_in_production_none(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "")
    assert checked_settings.database("sqlite:////tmp/a.sqlite3")["NAME"] == "/tmp/a.sqlite3"  # noqa: S108
    with pytest.raises(ImproperlyConfigured, match=r"^DATABASE_URL is not set"):
        checked_settings.database("")


def test_a_broker_is_redis():
    assert checked_settings.broker("redis://cache:6379/0") == "redis://cache:6379/0"
    with pytest.raises(ImproperlyConfigured, match=r"^REDIS_URL cannot be used") as refused:
        checked_settings.broker(f"http://:{SECRET}@cache")
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize("url", [f"foo://ops:{SECRET}@mail", f"smtp://ops:{SECRET}@mail:port"])
def test_a_mail_server_that_cannot_be_used_is_refused_without_its_password(monkeypatch, url):
    monkeypatch.setenv("EMAIL_URL", url)
    with pytest.raises(ImproperlyConfigured, match=r"^EMAIL_URL cannot be used") as refused:
        checked_settings.mail_server()
    assert SECRET not in str(refused.value)


def test_networks_are_named_one_by_one(monkeypatch):
    monkeypatch.setenv("OPSBOARD_TRUSTED_PROXIES", "10.0.0.0/8, ::1")
    assert checked_settings.networks("OPSBOARD_TRUSTED_PROXIES") == ["10.0.0.0/8", "::1"]
    monkeypatch.setenv("OPSBOARD_TRUSTED_PROXIES", "10.0.0.0/8,proxy.internal")
    with pytest.raises(ImproperlyConfigured, match=r"'proxy\.internal' is not an address"):
        checked_settings.networks("OPSBOARD_TRUSTED_PROXIES")


def test_a_wrong_key_is_told_by_its_place(monkeypatch):
    good = Fernet.generate_key().decode()
    assert checked_settings.field_keys([good, f" {good}"]) == [good, good]
    with pytest.raises(ImproperlyConfigured, match="key 2 of 2 is not one") as refused:
        checked_settings.field_keys([good, SECRET])
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    "wrong",
    [
        {"OPSBOARD_PORT": "80800"},
        {"OPSBOARD_KEEP_OBSERVATIONS_DAYS": "-1"},
        {"OPSBOARD_GREEN_FOR_SECONDS": "nan"},
        {"OPSBOARD_EGRESS_ALLOW": "fares.internal"},
        {"OPSBOARD_FIELD_KEYS": "short"},
        {"DATABASE_URL": "mysql://x/y"},
        {"REDIS_URL": "cache:6379"},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_the_command_line_says_one_sentence(tmp_path: Path, wrong: dict[str, str]):
    done = subprocess.run(
        [sys.executable, MANAGE, "check"],
        env=os.environ | clean_environment() | {"OPSBOARD_DATA": str(tmp_path)} | wrong,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert done.returncode == 1
    assert done.stderr.startswith(next(iter(wrong)))
    assert done.stderr.count("\n") == 1
