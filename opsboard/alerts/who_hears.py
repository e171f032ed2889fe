"""Which routes an alert takes, and when they hold. Plain values in, plain values out."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, time

from opsboard.services.zones import zone_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A route as plain values. None, "" and () stand for all."""

    number: int
    team: int | None = None
    tier: int | None = None
    environment: str = ""
    kind: str = ""
    # When it holds, local to `zone`: Monday is 0; both times None for the whole day.
    days: tuple[int, ...] = ()
    from_time: time | None = None
    to_time: time | None = None
    zone: str = "UTC"
    channels: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class About:
    """What an alert is about, for one team that owns it."""

    team: int | None
    tier: int
    environment: str
    kind: str


def holds(rule: Rule, at: datetime) -> bool:
    """Whether a route holds at a moment. Over midnight it is of the day on which it began."""
    local = at.astimezone(zone_of(rule.zone))
    today, yesterday = local.weekday(), (local.weekday() - 1) % 7
    if rule.from_time is None or rule.to_time is None:
        return _is_of(rule, today)
    clock = local.time()
    if rule.from_time < rule.to_time:
        return _is_of(rule, today) and rule.from_time <= clock < rule.to_time
    has_begun, goes_on = clock >= rule.from_time, clock < rule.to_time
    return (has_begun and _is_of(rule, today)) or (goes_on and _is_of(rule, yesterday))


def _is_of(rule: Rule, day: int) -> bool:
    return not rule.days or day in rule.days


def matches(rule: Rule, about: About, at: datetime) -> bool:
    return (
        rule.team in (None, about.team)
        and rule.tier in (None, about.tier)
        and rule.environment in ("", about.environment)
        and rule.kind in ("", about.kind)
        and holds(rule, at)
    )


def taken(rules: Iterable[Rule], about: About, at: datetime) -> list[Rule]:
    """The routes that an alert takes. One that leads to no channel that stands is none."""
    return [rule for rule in rules if rule.channels and matches(rule, about, at)]


def destinations(
    rules: Iterable[Rule], about: About, at: datetime, *, default: Collection[int]
) -> tuple[list[int], list[int]]:
    """Numbers of channels, and of the routes that lead there; no route: the default's channels."""
    routes = taken(rules, about, at)
    if not routes:
        return list(dict.fromkeys(default)), []
    channels = dict.fromkeys(channel for rule in routes for channel in rule.channels)
    return list(channels), [rule.number for rule in routes]
