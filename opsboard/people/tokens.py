"""Tokens of programs: made once, shown once, and known again by their digest.

The form is `obs_` and the kind, 30 letters and digits of chance, and a checksum of six: a token
that was copied wrongly, or that lies in a repository, can be recognised without asking anybody.
Secret scanners find one by masking.PATTERN.
"""

import re
import secrets
import string
import zlib
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction

from opsboard.people.audit import Actor, record
from opsboard.people.masking import PATTERN
from opsboard.people.models import (
    AnsweredRequest,
    ApiToken,
    Role,
    digest,
    role_of,
)
from opsboard.people.roles import ADMINISTRATOR, EDITOR, VIEWER, RoleName

LASTS_AT_MOST = timedelta(days=365)
SOON = timedelta(days=14)
PREFIX = 8
KIND = "token"
# How long a request that is sent again, with its key, is known to be the same.
KEYS_LAST = timedelta(days=7)

_LETTERS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_WHOLE = re.compile(rf"{PATTERN}\Z")

READ, RELEASE, NOTE, SILENCE, APPLY = "read", "release", "note", "silence", "apply"
# What each lets a program do, in the words of the pages.
SCOPES: dict[str, str] = {
    READ: "Read services, paths, observations, incidents, releases, changes and notes",
    RELEASE: (
        "Name releases, give evidence, report deploys, holds and configuration, declare and measure"
        " changes, ask paths now"
    ),
    NOTE: "Write rollback notes and rehearsals",
    SILENCE: "Silence alerts, end silences, acknowledge incidents and tell of them",
    APPLY: "Plan and apply board files",
}
# A token never allows more than its maker may do.
ROLE_FOR: dict[str, RoleName] = {
    READ: VIEWER,
    RELEASE: EDITOR,
    NOTE: EDITOR,
    SILENCE: EDITOR,
    APPLY: ADMINISTRATOR,
}


def make(
    *,
    name: str,
    scopes: Sequence[str],
    by: User,
    now: datetime,
    expires_at: datetime,
    services: Sequence[str] = (),
    gates: Sequence[str] = (),
) -> tuple[ApiToken, str]:
    """The stored row, and the token itself, which nobody can read again."""
    chance = "".join(secrets.choice(_LETTERS) for _ in range(30))
    whole = f"obs_ci_{chance}_{_checksum(chance)}"
    token = ApiToken.objects.create(
        name=name,
        prefix=chance[:PREFIX],
        digest=digest(whole),
        scopes=list(scopes),
        services=list(services),
        gates=list(gates),
        made_by=by,
        made_at=now,
        expires_at=min(expires_at, now + LASTS_AT_MOST),
    )
    return token, whole


def add(
    *,
    name: str,
    scopes: Sequence[str],
    services: Sequence[str],
    gates: Sequence[str],
    expires_at: datetime,
    by: Actor,
    now: datetime,
) -> tuple[ApiToken, str]:
    """`make`, by a person who is signed in, with its audit entry: that has the prefix only."""
    if by.person is None or not set(scopes) <= set(scopes_for(role_of(by.person))):
        raise PermissionError("Nobody gives a token more than they may do themselves.")
    with transaction.atomic():
        token, whole = make(
            name=name,
            scopes=scopes,
            services=services,
            gates=gates,
            by=by.person,
            now=now,
            expires_at=expires_at,
        )
        record(by, "added", KIND, str(token), now=now, after=facts(token))
    return token, whole


def revoke(token: ApiToken, *, by: Actor, now: datetime) -> bool:
    """From now on it opens nothing. False: it was revoked before."""
    with transaction.atomic():
        standing = ApiToken.objects.filter(pk=token.pk, revoked_at=None)
        if not standing.update(revoked_at=now, revoked_by=by.person):
            return False
        record(by, "revoked", KIND, str(token), now=now)
    return True


def facts(token: ApiToken) -> dict[str, object]:
    """What the audit log keeps of it."""
    return {
        "allows": token.scopes,
        "services": token.services or "every service",
        "gates": token.gates or "every gate",
        "ends": f"{token.expires_at:%Y-%m-%d %H:%M} UTC",
    }


def scopes_for(role: Role | None) -> list[str]:
    """What somebody of that role may let a program do."""
    return [scope for scope in SCOPES if role is not None and role.allows(ROLE_FOR[scope])]


def find(written: str, *, now: datetime) -> ApiToken | None:
    """None: it is none of ours, or revoked, or its time is over. The answer is the same for all."""
    if not is_whole(written):
        return None
    found = ApiToken.objects.usable(now).filter(digest=digest(written))
    return found.select_related("made_by__role").first()


def is_whole(written: str) -> bool:
    """Whether the checksum holds: a token that is not whole needs no look into the database."""
    if not _WHOLE.fullmatch(written):
        return False
    _, _, chance, check = written.split("_")
    return check == _checksum(chance)


def prefix_of(written: str) -> str:
    """What may be logged of a token that was refused; "" when it does not look like one."""
    return written.split("_")[2][:PREFIX] if _WHOLE.fullmatch(written) else ""


def allows(token: ApiToken, scope: str) -> bool:
    role = role_of(token.made_by)
    return scope in token.scopes and role is not None and role.allows(ROLE_FOR[scope])


def covers(token: ApiToken, service: str) -> bool:
    return not token.services or service in token.services


def covers_gate(token: ApiToken, gate: str) -> bool:
    return not token.gates or gate in token.gates


def prune(*, now: datetime) -> None:
    """Forget the answers to requests whose keys are no longer kept."""
    AnsweredRequest.objects.filter(at__lt=now - KEYS_LAST).delete()


def _checksum(text: str) -> str:
    """CRC-32 in base 62, six characters."""
    number, written = zlib.crc32(text.encode()), ""
    for _ in range(6):
        number, rest = divmod(number, len(_LETTERS))
        written = _LETTERS[rest] + written
    return written
