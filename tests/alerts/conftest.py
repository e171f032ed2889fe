"""Far sides that end with their test."""

from collections.abc import Iterator

import pytest
from aiosmtpd.controller import Controller
from django.conf import LazySettings

from tests.alerts.far_sides import Letters, Receiver, free_port


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def letters(settings: LazySettings) -> Iterator[Letters]:
    letters = Letters()
    port = free_port()
    post = Controller(letters, hostname="127.0.0.1", port=port)
    post.start()
    settings.MAILERS = {
        "default": {
            "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
            "OPTIONS": {"host": "127.0.0.1", "port": port, "timeout": 5},
        }
    }
    yield letters
    post.stop()
