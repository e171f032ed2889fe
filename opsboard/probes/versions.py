"""Which version runs: asked of every environment that tells, and written down when it changes.

A look that fails changes nothing: which version ran is still what was seen last, until that is
too old to be believed.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from queue import Empty

from django.conf import settings
from django.db import transaction

from opsboard.expectations.facts import facts_of
from opsboard.expectations.paths import TooManyStepsError, select
from opsboard.outbound.egress import Policy
from opsboard.outbound.http import Asker
from opsboard.outbound.reply import Ask, Reply
from opsboard.probes.orders import policy_for
from opsboard.probes.rendering import NotOrderable, render, secrets_of, values_of
from opsboard.services.models import SECOND, CriticalPath, Deploy, Environment, Running

# As the timetable rings; a version may have begun to run so long before it is seen.
LOOK_EVERY = timedelta(seconds=settings.SEE_VERSIONS_SECONDS)
TIMEOUT = 5 * SECOND
LONGEST_NAME = 200
MOST_OPEN = 50
LOOK_UP = 0.1


@dataclass(frozen=True, slots=True)
class Told:
    """What an environment said of itself. "" as its root: it did not tell."""

    commit: str
    config_root: str = ""


def see_versions(*, now: datetime, is_stopping: Callable[[], bool]) -> int:
    """Ask every environment once. Returns how many versions are new."""
    places = Environment.objects.standing().exclude(version_route="").exclude(version_commit="")
    named = places.select_related("service__team").prefetch_related("variables")
    asked = {place.pk: place for place in named}
    asker = Asker(max_open=MOST_OPEN)
    asker.start()
    new = 0
    try:
        for place in asked.values():
            with suppress(NotOrderable):
                ask, policy = _ask_of(place)
                asker.ask(ask, policy=policy, at=time.monotonic(), key=place.pk)
        while (asker.in_flight or not asker.replies.empty()) and not is_stopping():
            with suppress(Empty):
                key, _, reply = asker.replies.get(timeout=LOOK_UP)
                new += keep(asked[int(str(key))], reply, now=now)
    finally:
        asker.stop()
    return new


def _ask_of(place: Environment) -> tuple[Ask, Policy]:
    """As a path of the service would be asked. Raises NotOrderable."""
    method, _, route = place.version_route.partition(" ")
    sheet = CriticalPath(service=place.service, method=method, route=route, timeout=TIMEOUT)
    ask = render(sheet, place, values_of(place))
    return ask, policy_for(sheet, ask.url)


def keep(place: Environment, reply: Reply, *, now: datetime) -> bool:
    """Write down what `reply` tells to run. Returns whether it is another version than before.

    A reply that tells no version leaves everything as it was: what runs is then soon unknown.
    """
    told = told_in(reply, place, now=now)
    if told is None or _is_as_before(place, told, now=now):
        return False
    with transaction.atomic():
        Environment.objects.select_for_update().get(pk=place.pk)
        known = Running.objects.filter(environment=place).first()
        if known and not known.is_announced and known.told_at > now:
            # Another look, begun later, was written first.
            return False
        _write(place, told, known, now=now)
        last = Deploy.objects.filter(environment=place, kind=Deploy.Kind.SEEN)
        if last.order_by("-at", "-pk").values_list("name", flat=True).first() == told.commit:
            return False
        Deploy.objects.create(environment=place, kind=Deploy.Kind.SEEN, name=told.commit, at=now)
    return True


def _believed_since(now: datetime) -> datetime:
    """What was told at or before this is not believed any more."""
    return now - timedelta(seconds=settings.RUNNING_KNOWN_FOR_SECONDS)


def _is_as_before(place: Environment, told: Told, *, now: datetime) -> bool:
    """Most looks tell what is known: one statement, and no lock of the environment."""
    same = Running.objects.filter(
        environment=place,
        commit=told.commit,
        config_root=told.config_root,
        is_announced=False,
        told_at__gt=_believed_since(now),
        told_at__lte=now,
    )
    return bool(same.update(told_at=now))


def _write(place: Environment, told: Told, known: Running | None, *, now: datetime) -> None:
    """After a time of which nothing is known, since when it runs is counted anew."""
    is_known = known is not None and (known.is_announced or known.told_at > _believed_since(now))
    commit_since = root_since = now
    if known and is_known and known.commit == told.commit:
        commit_since = known.commit_since
    if known and is_known and known.config_root == told.config_root:
        root_since = known.root_since or now
    row = {
        "commit": told.commit,
        "commit_since": commit_since,
        "config_root": told.config_root,
        "root_since": root_since if told.config_root else None,
        "told_at": now,
        "is_announced": False,
    }
    Running.objects.update_or_create(environment=place, defaults=row)


def told_in(reply: Reply, place: Environment, *, now: datetime) -> Told | None:
    """None when the reply does not tell its commit, in one text or number where it is expected."""
    if reply.failure or reply.status is None or not 200 <= reply.status < 300:
        return None
    body = facts_of(reply, now=now).json
    if body.problem:
        return None
    secrets = secrets_of(place, values_of(place))
    commit = _name_at(place.version_commit, body.document, secrets)
    if not commit:
        return None
    root = place.version_config_root
    return Told(commit, _name_at(root, body.document, secrets) if root else "")


def _name_at(path: str, document: object, secrets: Sequence[str]) -> str:
    """ "" when there is not one printable text or number, or when it holds a secret."""
    try:
        found = select(path.removeprefix("json ").strip(), document)
    except TooManyStepsError:
        return ""
    if len(found) != 1 or isinstance(found[0], bool) or not isinstance(found[0], (str, int, float)):
        return ""
    name = str(found[0]).strip()
    is_secret = any(secret in name for secret in secrets)
    return name if name.isprintable() and len(name) <= LONGEST_NAME and not is_secret else ""
