"""From deliveries to what is told: all that happened to one incident is told as one thing."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.contrib.auth.models import User

from opsboard.alerts import acknowledging
from opsboard.alerts.background import Background
from opsboard.alerts.choosing import ORDER
from opsboard.alerts.models import Channel, Delivery, Notice
from opsboard.alerts.news import REMINDER, Below, Item, News, Remark
from opsboard.incidents.models import Incident
from opsboard.services.models import Service, Team


@dataclass(frozen=True, slots=True, eq=False)
class Story:
    """The deliveries of one incident in one message, in order; or one notice, or one test."""

    deliveries: tuple[Delivery, ...]
    incident: Incident | None

    @property
    def last(self) -> Delivery:
        return self.deliveries[-1]

    @property
    def events(self) -> tuple[str, ...]:
        return tuple(one.event for one in self.deliveries)


def stories(deliveries: Iterable[Delivery], incidents: Mapping[int, Incident]) -> list[Story]:
    """In the order in which each began."""
    grouped: dict[tuple[str, int], list[Delivery]] = {}
    for one in deliveries:
        key = ("of", one.incident_id) if one.incident_id is not None else ("alone", one.pk or 0)
        grouped.setdefault(key, []).append(one)
    for group in grouped.values():
        group.sort(key=lambda one: (one.opening, ORDER.get(one.event, 0), one.number))
    return [
        Story(tuple(group), incidents.get(number) if kind == "of" else None)
        for (kind, number), group in grouped.items()
    ]


def brief_item(story: Story, channel: Channel, *, now: datetime) -> Item:
    """What a line needs, without a query."""
    return whole_item(story, channel, Background({}), now=now)


def whole_item(story: Story, channel: Channel, known: Background, *, now: datetime) -> Item:
    if story.incident is None:
        return _remark(story.last, channel)
    incident, service = story.incident, story.incident.service
    is_over = story.last.event == Delivery.Event.RESOLVED
    ended = (incident.resolved_at or now) if is_over else now
    began = incident.reopened_at or incident.opened_at
    return News(
        events=story.events,
        incident=str(incident),
        incident_url=_url(incident),
        acknowledge_url=_acknowledge_url(incident, channel, is_over=is_over),
        title=incident.title,
        service=service.name,
        environment=incident.environment.slug,
        team=service.team.name,
        tier=service.tier,
        opened=f"{began:%H:%M UTC on %-d %B %Y}",
        lasted=span((ended - began).total_seconds()),
        opening=story.last.opening,
        reminder=story.last.number,
        reminders=_reminders(story.last),
        paths=known.paths_of(incident),
        note=known.note_of(incident.below or incident),
        below=_below(incident.below),
        cause=str(incident.cause.get("sentence", "")),
        moved=_moved(incident.cause.get("moved")),
        acknowledged_by=_acknowledged_by(incident),
        on_duty=_name(known.on_duty.get(service.team_id)),
    )


def _remark(delivery: Delivery, channel: Channel) -> Remark:
    notice = delivery.notice
    if notice is None:
        return Remark(
            event=delivery.event,
            subject=f"Test from Opsboard: {channel.name}",
            text=delivery.text,
            url=f"{settings.URL}/alerts",
        )
    if notice.team is not None:
        return _list_of_team(delivery, notice, notice.team)
    service = notice.service
    return Remark(
        event=delivery.event,
        subject=f"Notice: {notice.text}",
        text=notice.text,
        service=service.name if service else "",
        environment=notice.environment.slug if notice.environment else "",
        team=service.team.name if service else "",
        tier=service.tier if service else 0,
        url=_notice_url(service),
    )


def _list_of_team(delivery: Delivery, notice: Notice, team: Team) -> Remark:
    return Remark(
        event=delivery.event,
        subject=f"This week: {notice.text.partition('. ')[0]}",
        text=notice.text,
        team=team.name,
        url=f"{settings.URL}/teams/{team.slug}",
    )


def _notice_url(service: Service | None) -> str:
    return f"{settings.URL}/services/{service.slug}" if service else f"{settings.URL}/alerts"


def _url(incident: Incident) -> str:
    return f"{settings.URL}/incidents/{incident.pk}"


def _acknowledge_url(incident: Incident, channel: Channel, *, is_over: bool) -> str:
    """None for what is over, or that somebody has: and none from a preview that is no channel."""
    if is_over or incident.acknowledged_at is not None or channel.pk is None:
        return ""
    return acknowledging.link(incident.pk, channel.pk)


def _reminders(delivery: Delivery) -> int:
    """How many reminders there will be, when what planned them wrote it down: "2 of 5"."""
    most = delivery.text.rpartition(" of ")[2]
    is_told = delivery.event == REMINDER and most.isascii() and most.isdigit()
    return int(most) if is_told else 0


def _below(incident: Incident | None) -> Below | None:
    if incident is None:
        return None
    return Below(incident=str(incident), url=_url(incident), service=incident.service.name)


def _moved(moved: object) -> tuple[str, ...]:
    if isinstance(moved, str):
        return (moved,) if moved else ()
    return tuple(str(one) for one in moved) if isinstance(moved, list) else ()


def _acknowledged_by(incident: Incident) -> str:
    if incident.acknowledged_at is None:
        return ""
    return incident.acknowledged_as or _name(incident.acknowledged_by) or "somebody unknown"


def _name(person: User | None) -> str:
    return (person.get_full_name() or person.get_username()) if person else ""


def span(seconds: float) -> str:
    """ "12 s", "4 min", "1 h 5 min", "2 days 4 h"."""
    minutes, rest = divmod(round(max(seconds, 0)), 60)
    if not minutes:
        return f"{rest} s"
    hours, minutes = divmod(minutes, 60)
    if not hours:
        return f"{minutes} min"
    days, left = divmod(hours, 24)
    if not days:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{days} {'day' if days == 1 else 'days'}" + (f" {left} h" if left else "")
