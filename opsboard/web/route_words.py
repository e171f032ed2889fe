"""A route in words: for which alerts, when, to whom."""

from dataclasses import dataclass
from datetime import datetime

from opsboard.alerts.hearing import rule_of
from opsboard.alerts.models import Channel, Route
from opsboard.alerts.who_hears import holds
from opsboard.web.forms.routes import DAYS
from opsboard.web.who_hears import afterwards_of


@dataclass(frozen=True, slots=True)
class Row:
    route: Route
    about: str
    when: str
    holds: bool
    channels: list[Channel]
    afterwards: list[str]


def row_of(route: Route, *, now: datetime) -> Row:
    """Its standing channels are at hand."""
    return Row(
        route=route,
        about=about_words(route),
        when=when_words(route),
        holds=holds(rule_of(route, ()), now),
        channels=list(route.channels.all()),
        afterwards=afterwards_of(route, [one.name for one in route.escalate_to.all()]),
    )


def about_words(route: Route) -> str:
    """ "Pages of Pricing, tier 1, in production"."""
    kind = route.get_kind_display() if route.kind else "Pages and notices"
    parts = [f"{kind} of {route.team.name if route.team else 'every team'}"]
    if route.tier:
        parts.append(route.get_tier_display().lower())
    if route.environment_slug:
        parts.append(f"in {route.environment_slug}")
    return ", ".join(parts)


def when_words(route: Route) -> str:
    """ "Always", "Monday to Friday, 09:00 to 17:00, Europe/Oslo"."""
    parts = [days_words(route.days)] if route.days else []
    if route.from_time is not None and route.to_time is not None:
        parts.append(f"{route.from_time:%H:%M} to {route.to_time:%H:%M}")
    return ", ".join([*parts, route.zone]) if parts else "Always"


def days_words(days: list[int]) -> str:
    """ "Monday to Friday", "Saturday and Sunday", "Monday, Wednesday and Friday"."""
    chosen = sorted(days)
    names = [DAYS[day] for day in chosen]
    if len(chosen) > 2 and chosen == list(range(chosen[0], chosen[-1] + 1)):
        return f"{names[0]} to {names[-1]}"
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def facts(route: Route) -> dict[str, str]:
    """What the audit log keeps of a route."""
    second = [channel.name for channel in route.escalate_to.standing().order_by("name")]
    channels = [channel.name for channel in route.channels.standing().order_by("name")]
    return {
        "name": route.name,
        "alerts": about_words(route),
        "when": when_words(route),
        "channels": ", ".join(channels),
        "afterwards": " ".join(afterwards_of(route, second)),
    }
