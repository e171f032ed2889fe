"""Which version runs: asked of every environment that tells, and written down when it changes.

A look that fails changes nothing: which version ran is still what was seen last.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from queue import Empty

from django.db import transaction

from opsboard.expectations.facts import facts_of
from opsboard.expectations.paths import TooManyStepsError, select
from opsboard.outbound.egress import Policy
from opsboard.outbound.http import Asker
from opsboard.outbound.reply import Ask, Reply
from opsboard.probes.orders import NotOrderable, policy_for, render, secrets_of, values_of
from opsboard.services.models import SECOND, CriticalPath, Deploy, Environment

# As the timetable rings; a version may have begun to run so long before it is seen.
LOOK_EVERY = timedelta(seconds=60)
TIMEOUT = 5 * SECOND
LONGEST_NAME = 200
MOST_OPEN = 50
LOOK_UP = 0.1


def see_versions(*, now: datetime, is_stopping: Callable[[], bool]) -> int:
    """Ask every environment once. Returns how many versions are new."""
    places = Environment.objects.standing().exclude(version_route="").exclude(version_commit="")
    asked = {place.pk: place for place in places.select_related("service__team")}
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
    """Write down the version that `reply` tells, when it is not the one seen last."""
    name = version_in(reply, place, now=now)
    if not name:
        return False
    with transaction.atomic():
        Environment.objects.select_for_update().get(pk=place.pk)
        last = Deploy.objects.filter(environment=place, kind=Deploy.Kind.SEEN)
        if last.order_by("-at", "-pk").values_list("name", flat=True).first() == name:
            return False
        Deploy.objects.create(environment=place, kind=Deploy.Kind.SEEN, name=name, at=now)
    return True


def version_in(reply: Reply, place: Environment, *, now: datetime) -> str:
    """ "" when the reply does not tell it, in one text or number where it is expected."""
    if reply.failure or reply.status is None or not 200 <= reply.status < 300:
        return ""
    body = facts_of(reply, now=now).json
    if body.problem:
        return ""
    try:
        found = select(place.version_commit.removeprefix("json ").strip(), body.document)
    except TooManyStepsError:
        return ""
    if len(found) != 1 or isinstance(found[0], bool) or not isinstance(found[0], (str, int, float)):
        return ""
    name = str(found[0]).strip()
    is_secret = any(secret in name for secret in secrets_of(place, values_of(place)))
    is_fit = name.isprintable() and len(name) <= LONGEST_NAME
    return name if is_fit and not is_secret else ""
