"""A token of an editor, and a client that asks the API with it."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from opsboard.people import tokens
from opsboard.people.models import ApiToken

type MakeToken = Callable[..., tuple[ApiToken, str]]


@pytest.fixture
def make_token(editor: User) -> MakeToken:
    def make(
        scopes: Sequence[str] = ("read", "release"),
        *,
        by: User | None = None,
        now: datetime | None = None,
        **more: Any,
    ) -> tuple[ApiToken, str]:
        made_at = now or timezone.now()
        more.setdefault("expires_at", made_at + timedelta(days=30))
        return tokens.make(name="CI", scopes=scopes, by=by or editor, now=made_at, **more)

    return make


@pytest.fixture
def ask_with() -> Callable[[str], Client]:
    def client(token: str) -> Client:
        return Client(headers={"Authorization": f"Bearer {token}"})

    return client


@pytest.fixture
def ask(make_token: MakeToken, ask_with: Callable[[str], Client]) -> Client:
    """A program with a token of Edith Moe, an editor, that may read and release."""
    return ask_with(make_token()[1])
