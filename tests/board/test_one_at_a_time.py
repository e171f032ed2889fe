"""On PostgreSQL a second apply says that the first is running."""

import threading

import pytest
from django.db import connection, connections

from opsboard.board import changing
from opsboard.services.models import Team
from tests.board.files import apply_text

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_second_apply_says_that_another_is_running(tmp_path):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite waits by itself: tests/running/test_applying.py sees it")
    held, done = threading.Event(), threading.Event()

    def hold():
        with connections["default"].cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [changing._LOCK])
            held.set()
            done.wait(30)
        connections["default"].close()

    other = threading.Thread(target=hold)
    other.start()
    try:
        assert held.wait(30)
        ran = apply_text(tmp_path, "teams: {pricing: {}}")
    finally:
        done.set()
        other.join()
    assert ran.code == 1
    assert "Another apply is running. Wait until it has ended, then apply again." in ran.err
    assert not Team.objects.exists()
    assert apply_text(tmp_path, "teams: {pricing: {}}").code == 0
