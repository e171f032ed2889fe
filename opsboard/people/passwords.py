"""Whether a name and a password belong together: the same answer and time for unknown names."""

from datetime import datetime

from django.contrib.auth import authenticate
from django.contrib.auth.models import User

from opsboard.people import joining, tries
from opsboard.people.audit import Actor, record
from opsboard.people.tries import Waiting

UNKNOWN = "an unknown name"


def check(name: str, password: str, *, by: Actor, now: datetime) -> User | Waiting | None:
    """The person; None when the two do not belong together; Waiting when nothing was checked.

    Call it outside a transaction.
    """
    attempt = tries.begin(joining.tidy(name), by.address or "", now=now)
    if isinstance(attempt, Waiting):
        return attempt
    known = joining.find(name)
    # Asked for an unknown name too, which takes as long: the time tells nobody who exists.
    user = authenticate(username=known.username if known else "", password=password)
    if isinstance(user, User):
        tries.take_back(attempt)
        return user
    # What is refused during a wait leaves no entry: nobody can flood the log from one place.
    record(by, "refused", "sign-in", known.username if known else UNKNOWN, now=now)
    return None
