"""Whether Opsboard itself does its work: read from what it recorded, never from process lists."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import itemgetter
from typing import Any

from django.conf import settings
from django.db.models import F, Max, Min
from django.db.models.functions import Coalesce, Greatest

from opsboard.probes.blindness import Cause, sentence
from opsboard.probes.models import MOST_LEASES_LOST, Probe, Shift, microseconds, moment
from opsboard.probes.shift import CLAIMED
from opsboard.probes.sight import BLIND, NOTED_LASTS
from opsboard.services.together import Found, Part, read_together

SECOND = 1_000_000
RECORDED_AT_LEAST_EVERY = 15 * SECOND
# Fewer replies say nothing about overload: a start-up alone delays a handful.
FEWEST_JUDGED = 50
# A shift that has not said so for this long does not work any more.
AT_WORK = 5 * SECOND
DRAINS = f"{CLAIMED}drain:"
DELIVER = "deliver"


@dataclass(frozen=True, kw_only=True)
class Location:
    """A place that asks. All times in microseconds."""

    name: str
    # Of its active probes.
    shortest_interval: int
    watching_since: int
    newest_at: int
    # When a worker last claimed there; None: never.
    claimed_at: int | None

    @property
    def patience(self) -> int:
        return max(3 * self.shortest_interval, RECORDED_AT_LEAST_EVERY)


@dataclass(frozen=True, kw_only=True)
class Signs:
    """What the database tells of our own work. All times in microseconds."""

    # The newest observation of an active probe, or when a probe never observed was stood up.
    # None: nothing is being watched.
    newest_at: int | None
    shortest_interval: int | None
    # When the oldest active probe was stood up.
    watching_since: int | None
    # None: beat never rang.
    rang_at: int | None
    # Since when it rings without a break.
    ringing_since: int | None = None
    # When a worker last claimed anywhere, and last looked for alerts to send. None: never.
    claimed_at: int | None = None
    delivered_at: int | None = None
    # Replies of the last five minutes, and those that our own loop delayed.
    judged: int = 0
    delayed: int = 0
    locations: tuple[Location, ...] = ()
    # By location: why it is blind, and when that was noted last.
    blind: Mapping[str, tuple[Cause, int]] = field(default_factory=dict)


def trouble(signs: Signs, *, now: int) -> str | None:
    """Why Opsboard is not well, in one sentence that says what to do; None when it is."""
    return _silent_beat(signs, now) or _nothing_recorded(signs, now)


def _silent_beat(signs: Signs, now: int) -> str | None:
    last = signs.rang_at if signs.rang_at is not None else signs.watching_since
    if last is None or now - last <= settings.BEAT_SILENT_AFTER_SECONDS * SECOND:
        return None
    return (
        f"Nothing has set probes off for {how_long(now - last)}: "
        "Celery beat is not running. Start it, or read its log."
    )


def _nothing_recorded(signs: Signs, now: int) -> str | None:
    if signs.newest_at is None or signs.shortest_interval is None:
        return None
    patience = max(3 * signs.shortest_interval, RECORDED_AT_LEAST_EVERY)
    if now - signs.newest_at <= patience:
        return None
    return (
        f"No probe was recorded for {how_long(now - signs.newest_at)}, "
        f"though one is due every {how_long(signs.shortest_interval)}: "
        "start a worker, or read its log."
    )


def overloaded(signs: Signs) -> str | None:
    if signs.judged < FEWEST_JUDGED or signs.delayed * 10 <= signs.judged:
        return None
    return (
        f"{signs.delayed} of the last {signs.judged} replies were kept waiting by Opsboard itself, "
        "so their times were not judged: start another worker."
    )


def blind(signs: Signs, *, now: int) -> dict[str, str]:
    """By name, the locations whose own network is gone, each with a sentence."""
    return {
        name: sentence(cause, name)
        for name, (cause, noted_at) in signs.blind.items()
        if now - noted_at < NOTED_LASTS
    }


def not_drained(signs: Signs, *, now: int) -> dict[str, str]:
    """By name, the locations where nobody claims, each with a sentence that says what to do."""
    return {
        place.name: f"Nothing was asked from the location {place.name} for {how_long(silent_for)}: "
        f"start a worker for its queue probes.{place.name}, or read that worker's log."
        for place in signs.locations
        if (silent_for := _undrained_for(place, signs, now)) > place.patience
    }


def _undrained_for(place: Location, signs: Signs, now: int) -> int:
    """Since the last claim there. While no bell rang none was to be expected."""
    heard = place.watching_since if place.claimed_at is None else place.claimed_at
    return now - max(heard, now if signs.ringing_since is None else signs.ringing_since)


def stopped(signs: Signs, *, now: int, max_age: int) -> list[str]:
    """What has not worked for longer than `max_age`, each with since when and what to do."""
    probes, alerts = "a worker for probes", "a worker for the queue alerts"
    duties = [("claim", signs.claimed_at, probes), ("deliver alerts", signs.delivered_at, alerts)]
    if signs.newest_at is not None and signs.shortest_interval is not None:
        patience = max(max_age, 3 * signs.shortest_interval, RECORDED_AT_LEAST_EVERY)
        if now - signs.newest_at > patience:
            duties.insert(1, ("record", signs.newest_at, probes))
    return [
        f"Opsboard does not {does}: {_since(last, now)}; start {who}, or read its log."
        for does, last, who in duties
        if last is None or now - last > max_age
    ]


def _since(last: int | None, now: int) -> str:
    if last is None:
        return "it never did"
    return f"it last did at {moment(last):%H:%M:%S UTC on %-d %B %Y}, {how_long(now - last)} ago"


def how_long(length: int) -> str:
    seconds = length // SECOND
    if seconds < 120:
        return f"{seconds} s"
    return f"{seconds // 60} min" if seconds < 7200 else f"{seconds // 3600} h"


def read_signs() -> Signs:
    """One query, however many probes there are."""
    return signs_of(read_together(**parts_of_signs()))


def parts_of_signs() -> dict[str, Part]:
    """What `signs_of` needs, for those that read more in the same query."""
    # What was resumed or added a moment ago cannot have been recorded yet.
    heard_at = Greatest(Coalesce("observed_at", "state_since"), "state_since")
    by_location = (
        Probe.objects.active()
        # What is set aside is silent on purpose, and told of by itself.
        .filter(leases_lost__lte=MOST_LEASES_LOST)
        .values(name=F("location"))
        .annotate(
            newest_at=Max(heard_at),
            shortest_interval=Min("interval"),
            watching_since=Min("state_since"),
        )
    )
    columns = ("name", "newest_at", "shortest_interval", "watching_since")
    shift = ("duty", "instance", "began_at", "claimed_at", "judged", "delayed")
    return {"locations": (by_location, columns), "shifts": (Shift.objects.all(), shift)}


def signs_of(found: Mapping[str, Sequence[Found]]) -> Signs:
    shifts = [Shift(**row) for row in found["shifts"]]
    claims = _newest(shifts, DRAINS)
    locations = tuple(
        Location(claimed_at=claims.get(DRAINS + row["name"]), **row)
        for row in sorted(found["locations"], key=itemgetter("name"))
    )
    return Signs(
        newest_at=max((place.newest_at for place in locations), default=None),
        shortest_interval=min((place.shortest_interval for place in locations), default=None),
        watching_since=min((place.watching_since for place in locations), default=None),
        claimed_at=max(claims.values(), default=None),
        delivered_at=_newest(shifts, DELIVER).get(DELIVER),
        locations=locations,
        blind={
            one.duty.removeprefix(BLIND): (Cause(one.instance), one.claimed_at)
            for one in shifts
            if one.duty.startswith(BLIND)
        },
        **_of_shifts(shifts),
    )


def _newest(shifts: list[Shift], duty: str) -> dict[str, int]:
    return {one.duty: one.claimed_at for one in shifts if one.duty.startswith(duty)}


def _of_shifts(shifts: list[Shift]) -> dict[str, Any]:
    bell = next((shift for shift in shifts if shift.duty == "bell"), None)
    rang_at = bell.claimed_at if bell else None
    at_work = [
        shift
        for shift in shifts
        if shift.duty.startswith("drain:") and shift.claimed_at > (rang_at or 0) - AT_WORK
    ]
    return {
        "rang_at": rang_at,
        "ringing_since": bell.began_at if bell else None,
        "judged": sum(shift.judged for shift in at_work),
        "delayed": sum(shift.delayed for shift in at_work),
    }


def trouble_now(now: datetime) -> str | None:
    """As `trouble`, of the database as it is. Raises what the database raises when it is away."""
    return trouble(read_signs(), now=microseconds(now))


def banner_of(signs: Signs, now: datetime) -> str | None:
    """What people should know: trouble, or an overload, which a restart would not mend."""
    at = microseconds(now)
    if reason := trouble(signs, now=at):
        return f"{reason} What stands on this page may be old."
    told = [*blind(signs, now=at).values(), *not_drained(signs, now=at).values()]
    sentences = [*told, overloaded(signs)]
    return " ".join(filter(None, sentences)) or None
