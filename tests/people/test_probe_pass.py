"""A pass opens one address to one method for a minute, and nothing else."""

from datetime import timedelta

import pytest

from opsboard.people.probe_pass import check, issue
from tests.company import NOON


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_pass_holds_for_what_it_was_issued_for(method):
    assert check(issue(method, "/", NOON), method, "/", NOON)


@pytest.mark.parametrize(
    ("method", "path"), [("HEAD", "/"), ("GET", "/people"), ("POST", "/"), ("get", "/")]
)
def test_a_pass_does_not_hold_for_anything_else(method, path):
    assert not check(issue("GET", "/", NOON), method, path, NOON)


@pytest.mark.parametrize("method", ["POST", "DELETE", "PUT", "OPTIONS"])
def test_no_pass_holds_for_a_method_that_writes(method):
    assert not check(issue(method, "/", NOON), method, "/", NOON)


@pytest.mark.parametrize(
    ("seconds", "holds"), [(0, True), (60, True), (61, False), (-1, True), (-2, False)]
)
def test_a_pass_holds_for_a_minute(seconds, holds):
    value = issue("GET", "/", NOON)
    assert check(value, "GET", "/", NOON + timedelta(seconds=seconds)) is holds


@pytest.mark.parametrize("value", ["", "x", "a:b", "a:b:c", "é", "W10:" + "A" * 43])
def test_what_was_not_issued_does_not_hold(value):
    assert not check(value, "GET", "/", NOON)


def test_a_pass_with_one_letter_changed_does_not_hold():
    value = issue("GET", "/", NOON)
    last = "A" if value[-1] != "A" else "B"
    assert not check(value[:-1] + last, "GET", "/", NOON)


def test_a_pass_of_another_key_does_not_hold(settings):
    value = issue("GET", "/", NOON)
    settings.SECRET_KEY = "another key, as long as it takes to be believed"
    assert not check(value, "GET", "/", NOON)
