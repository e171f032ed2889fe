"""A board into which hostile people and far sides have written all they can."""

from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from opsboard.people import tokens
from opsboard.people.tokens import SCOPES
from tests.hostile.board import build
from tests.hostile.texts import WRITTEN
from tests.hostile.writing import Hand, writing


def program(by: User, scopes: Sequence[str] = tuple(SCOPES)) -> Client:
    """A program with a token of its own."""
    now = timezone.now()
    ends = now + timedelta(days=1)
    _, token = tokens.make(name="CI", scopes=list(scopes), by=by, now=now, expires_at=ends)
    return Client(headers={"Authorization": f"Bearer {token}"})


@pytest.fixture(params=WRITTEN)
def hand(request: pytest.FixtureRequest, administrator: User) -> Hand:
    """Has written one of the texts into everything."""
    with writing(WRITTEN[request.param]) as hand:
        build(program(administrator))
    return hand


@pytest.fixture
def browse(db: None, client_of: Callable[[str], Client]) -> Client:
    return client_of("administrator")


@pytest.fixture
def ask(administrator: User) -> Client:
    """A program that may read everything."""
    return program(administrator, ["read"])
