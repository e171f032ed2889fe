"""One-time links: a person's way in without a password, and the way of the first administrator."""

import secrets
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction

from opsboard.people.audit import Actor, record
from opsboard.people.models import SignInLink, administrators, digest

PERSON = timedelta(hours=24)
FIRST_ADMINISTRATOR = timedelta(days=7)


def make_link(user: User, *, by: Actor, now: datetime, ends_older: bool = True) -> str:
    """The path of a link that signs `user` in once, within 24 h. Older unused ones end.

    `ends_older` False: for a link that anybody can ask for, who must not end an invitation.
    """
    with transaction.atomic():
        if ends_older:
            end_links(user)
        record(by, "made a link", "person", user.get_username(), now=now)
        return f"/sign-in/{_make(user, expires_at=now + PERSON)}"


def first_administrator_link(*, now: datetime) -> str | None:
    """The path of a link that makes the first administrator, once, within 7 days.

    None when an administrator who can sign in exists. Older unused ones end.
    """
    if administrators().exists():
        return None
    SignInLink.objects.filter(user=None, used_at=None).delete()
    return f"/first/{_make(None, expires_at=now + FIRST_ADMINISTRATOR)}"


def find_link(token: str, *, now: datetime, first: bool = False) -> SignInLink | None:
    """The link of a token while it can still be used; looking at it does not use it up."""
    links = SignInLink.objects.usable(now).of(token).select_related("user")
    link = links.filter(user__isnull=first).first()
    return None if link and first and administrators().exists() else link


def use_link(link: SignInLink, *, now: datetime) -> bool:
    """Use a link up. True for exactly one caller, however many try at once."""
    return bool(SignInLink.objects.usable(now).filter(pk=link.pk).update(used_at=now))


def end_links(user: User) -> None:
    """Make every unused link of a person worthless."""
    user.sign_in_links.filter(used_at=None).delete()


def _make(user: User | None, *, expires_at: datetime) -> str:
    token = secrets.token_urlsafe(32)
    SignInLink.objects.create(user=user, digest=digest(token), expires_at=expires_at)
    return token
