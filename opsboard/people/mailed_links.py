"""Sign-in links by mail: those that an administrator makes, and those that people ask for."""

import logging
import uuid
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import F, QuerySet

from opsboard.outbound import mail
from opsboard.people import joining
from opsboard.people.audit import Actor, Via
from opsboard.people.links import make_link
from opsboard.people.models import LinkRequest, people
from opsboard.people.tries import Waiting, network_of

log = logging.getLogger(__name__)

PLACE_LIMIT, PERSON_LIMIT, WINDOW = 10, 3, timedelta(hours=1)
# A mail server that does not take a mail is asked again a minute later, three times in all.
MOST_TRIES, TRY_AGAIN = 3, timedelta(minutes=1)
TOO_LATE = timedelta(minutes=15)
AT_ONCE = 5
SECONDS_FOR_A_PAGE = 8.0

SUBJECT = "Your sign-in link for Opsboard"
TEXT = """{why}

{url}

The link signs you in as {name}, once, within 24 hours. After it, choose a password.
{end}
"""


def is_possible() -> bool:
    """Whether a mail server is set."""
    return bool(settings.MAILERS)


def mail_invitation(person: User, path: str, *, by: Actor) -> str:
    """Mail a link for somebody who waits for the page: "", or why it may not arrive."""
    message = _message(person, path, why=f"{by.name} made you a sign-in link for Opsboard.", end="")
    return mail.send_within(SECONDS_FOR_A_PAGE, **message)


def ask(name: str, *, address: str, now: datetime) -> Waiting | None:
    """Somebody asks for a link to be mailed to the person of a name, or of an e-mail address.

    Writes one row whether or not there is one: the answer and its time tell nobody who exists.
    Waiting: too many were asked for from this place.
    """
    network = network_of(address)
    near = _near(now).filter(network=network).order_by("-asked_at")
    tenth = list(near.values_list("asked_at", flat=True)[PLACE_LIMIT - 1 : PLACE_LIMIT])
    if tenth:
        return Waiting(tenth[0] + WINDOW)
    LinkRequest.objects.create(user=_reachable(name), network=network, asked_at=now)
    return None


def mail_asked_for(*, now: datetime) -> None:
    """Mail what was asked for, a few at once. Each is claimed first: two workers do no harm."""
    waiting = LinkRequest.objects.filter(
        user__is_active=True,
        mailed_at=None,
        tries__lt=MOST_TRIES,
        asked_at__gt=now - TOO_LATE,
    ).select_related("user")
    due = [
        one for one in waiting.order_by("asked_at") if one.asked_at + one.tries * TRY_AGAIN <= now
    ]
    for request in due[:AT_ONCE]:
        same = LinkRequest.objects.filter(pk=request.pk, tries=request.tries)
        if same.update(tries=F("tries") + 1):
            _answer(request, now=now)


def prune(*, now: datetime) -> None:
    LinkRequest.objects.filter(asked_at__lt=now - timedelta(days=1)).delete()


def _reachable(name: str) -> User | None:
    """The person who can be mailed to; asks the database as often for one who is unknown."""
    named = joining.find(name)
    of_address = list(people().filter(email__iexact=name.strip(), is_active=True)[:2])
    if named and named.is_active and named.email:
        return named
    return of_address[0] if len(of_address) == 1 else None


def _near(now: datetime) -> QuerySet[LinkRequest]:
    return LinkRequest.objects.filter(asked_at__gt=now - WINDOW, asked_at__lte=now + WINDOW)


def _answer(request: LinkRequest, *, now: datetime) -> None:
    person = request.user
    if (
        person is None
        or _near(now).filter(user=person, mailed_at__isnull=False).count() >= PERSON_LIMIT
    ):
        return
    by = Actor(None, Via.BOARD, who="the sign-in page")
    path = make_link(person, by=by, now=now, ends_older=False)
    error = mail.send(
        **_message(
            person,
            path,
            why="Somebody asked on the sign-in page of Opsboard for a link for you.",
            end="If it was not you, do nothing: without the link nobody comes in.\n",
        )
    )
    if error:
        log.warning("A sign-in link that was asked for could not be mailed: %s", error)
        return
    LinkRequest.objects.filter(pk=request.pk).update(mailed_at=now)


def _message(person: User, path: str, *, why: str, end: str) -> dict[str, Any]:
    host = settings.MAIL_FROM.rpartition("@")[2].rstrip(">")
    url = settings.URL + path
    return {
        "to": [person.email],
        "subject": SUBJECT,
        "body": TEXT.format(why=why, url=url, name=person.get_username(), end=end),
        "sender": settings.MAIL_FROM,
        "message_id": f"<{uuid.uuid4()}@{host}>",
    }
