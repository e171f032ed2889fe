"""How people come in, change and leave."""

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from opsboard.people import roles
from opsboard.people.audit import Actor, record
from opsboard.people.links import end_links, make_link, use_link
from opsboard.people.models import BUILT_IN_VIEWER, Role, SignInLink, administrators
from opsboard.people.roles import RoleName


class LastAdministratorError(Exception):
    """Nobody else could give roles any more: make another administrator first."""


def tidy(name: str) -> str:
    """A name as it is kept: one space between words, one way to write each letter."""
    return User.normalize_username(" ".join(name.split()))


def find(name: str) -> User | None:
    """The person of that name, however the letters are cased. Never the built-in viewer."""
    named = User.objects.filter(username__iexact=tidy(name)).exclude(username=BUILT_IN_VIEWER)
    return named.filter(role__isnull=False).first()


def is_taken(name: str) -> bool:
    tidied = tidy(name).casefold()
    return tidied == BUILT_IN_VIEWER or User.objects.filter(username__iexact=tidied).exists()


def add(name: str, role: RoleName, *, email: str = "", password: str | None = None) -> User:
    """Add a person. Without a password they come in by a sign-in link and choose one."""
    with transaction.atomic():
        user = User.objects.create_user(tidy(name), email=email, password=password)
        Role.objects.create(user=user, name=role)
    return user


def invite(name: str, role: RoleName, *, email: str, by: Actor, now: datetime) -> tuple[User, str]:
    """Add a person, and make the link with which they come in: the person and its path."""
    with transaction.atomic():
        user = add(name, role, email=email)
        record(by, "added", "person", user.username, now=now, after=facts(user))
        return user, make_link(user, by=by, now=now)


def become_first_administrator(
    link: SignInLink, *, name: str, password: str, by: Actor, now: datetime
) -> User | None:
    """Use the link up and add its administrator, both or neither. None: somebody was faster."""
    with transaction.atomic():
        if administrators().exists() or not use_link(link, now=now):
            return None
        user = add(name, roles.ADMINISTRATOR, password=password)
        record(by, "added", "person", user.username, now=now, after=facts(user))
        return user


def change(
    user: User,
    *,
    role: RoleName,
    may_sign_in: bool,
    email: str | None = None,
    by: Actor,
    now: datetime,
) -> None:
    """Give another role or address, or take the right to sign in away, or give it back.

    Taking it away also takes the password: that ends every session at once, and for good. `email`
    None: leave it. Raises LastAdministratorError when no administrator who can sign in would be
    left.
    """
    with transaction.atomic():
        # Held, so that two administrators cannot take the role from each other.
        list(Role.objects.select_for_update().filter(name=roles.ADMINISTRATOR))
        user.refresh_from_db()
        before = facts(user)
        stays = role == roles.ADMINISTRATOR and may_sign_in
        was = administrators().filter(pk=user.pk).exists()
        if was and not stays and not administrators().exclude(pk=user.pk).exists():
            raise LastAdministratorError
        Role.objects.filter(user=user).update(name=role)
        _let_sign_in(user, may_sign_in=may_sign_in)
        User.objects.filter(pk=user.pk).update(email=user.email if email is None else email)
        user.refresh_from_db()
        _note_change(user, before, by=by, now=now)


def choose_password(user: User, password: str, *, by: Actor, now: datetime) -> bool:
    """Set a new password: every session and every unused link ends. False: disabled meanwhile."""
    with transaction.atomic():
        if not User.objects.select_for_update().filter(pk=user.pk, is_active=True).first():
            return False
        user.set_password(password)
        user.save(update_fields=["password"])
        end_links(user)
        record(
            by, "changed", "person", user.username, now=now, after={"password": "a new password"}
        )
    return True


def facts(user: User) -> dict[str, str]:
    """What the audit log keeps of a person."""
    return {
        "role": Role.objects.get(user=user).name,
        "may sign in": "yes" if user.is_active else "no",
        "e-mail": user.email,
    }


def _note_change(user: User, before: dict[str, str], *, by: Actor, now: datetime) -> None:
    after = facts(user)
    if after == before:
        return
    act = "changed"
    if before["may sign in"] != after["may sign in"]:
        act = "enabled" if user.is_active else "disabled"
    record(by, act, "person", user.username, now=now, before=before, after=after)


def _let_sign_in(user: User, *, may_sign_in: bool) -> None:
    if user.is_active == may_sign_in:
        return
    user.is_active = may_sign_in
    if not may_sign_in:
        user.set_unusable_password()
        end_links(user)
    user.save(update_fields=["is_active", "password"])
