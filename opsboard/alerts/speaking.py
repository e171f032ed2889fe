"""Sending one message by the kind of its channel. Trouble comes back as an answer, never raises."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from opsboard.alerts.duty import on_duty_of
from opsboard.alerts.letters import of_content
from opsboard.alerts.models import Channel, Message
from opsboard.alerts.renderings import html, pagerduty, program, slack, teams
from opsboard.alerts.telling import message_url
from opsboard.outbound import apprise, chat, mail, webhook
from opsboard.outbound.answers import Answer
from opsboard.people.models import administrators
from opsboard.probes.orders import policy_of_this_place
from opsboard.services.models import Team
from opsboard.services.secrets import CannotDecrypt

MAIL_WITHIN = 20.0
LOST = Answer(
    "The channel's address cannot be decrypted. Enter it again, or bring its key back into "
    "OPSBOARD_FIELD_KEYS."
)
Kind = Channel.Kind


def send(message: Message, channel: Channel, now: datetime) -> Answer:
    """Send a message once. The key of the message goes with it in the way of the kind."""
    try:
        address, secrets = channel.reveal_address(), channel.reveal_secrets(now=now)
    except CannotDecrypt:
        return LOST
    match channel.kind:
        case Kind.EMAIL:
            return _mail(message, split(address))
        case Kind.DUTY:
            return _mail_duty(message, channel, now=now)
        case Kind.ADMINISTRATORS:
            return _mail_administrators(message)
        case Kind.WEBHOOK:
            return _webhook(message, address, secrets, now=now)
        case Kind.APPRISE:
            return apprise.send(
                address.split(),
                subject=message.content["subject"],
                body=message.content["text"],
                policy=policy_of_this_place(),
            )
    return _chat(message, channel.kind, address, at=now.timestamp())


def split(address: str) -> list[str]:
    """The e-mail addresses of a channel."""
    return [one.strip() for one in address.replace("\n", ",").split(",") if one.strip()]


def _webhook(message: Message, url: str, secrets: Sequence[str], *, now: datetime) -> Answer:
    return webhook.post(
        url,
        body_for_programs(message),
        key=str(message.key),
        at=round(now.timestamp()),
        secrets=secrets,
        policy=policy_of_this_place(),
    )


def body_for_programs(message: Message) -> dict[str, Any]:
    return program.render(
        message.content,
        key=str(message.key),
        timestamp=message.content.get("made_at") or message.made_at.isoformat(),
        url=message_url(message.key),
    )


def _chat(message: Message, kind: str, address: str, *, at: float) -> Answer:
    letter, policy, key = of_content(message.content), policy_of_this_place(), str(message.key)
    if kind == Kind.SLACK:
        return chat.post_slack(address, slack.render(letter), key=key, at=at, policy=policy)
    if kind == Kind.TEAMS:
        return chat.post_teams(address, teams.render(letter), key=key, at=at, policy=policy)
    events = pagerduty.render(
        message.content,
        letter,
        routing_key=address,
        source=urlsplit(settings.URL).netloc,
        url=message_url(message.key),
    )
    return chat.post_pagerduty(events, at=at, policy=policy, url=settings.PAGERDUTY_EVENTS_URL)


def _mail(message: Message, to: list[str]) -> Answer:
    content = message.content
    error = mail.send_within(
        MAIL_WITHIN,
        to=to,
        subject=content["subject"],
        body=content["text"],
        html=html.render(of_content(content)),
        sender=settings.MAIL_FROM,
        message_id=_message_id(message.key),
        replies_to=[_message_id(key) for key in content.get("replies_to", ())],
    )
    return Answer(error, is_permanent=isinstance(error, mail.ForGood))


def _message_id(key: object) -> str:
    host = settings.MAIL_FROM.rpartition("@")[2].rstrip(">")
    return f"<{key}@{host}>"


def _mail_duty(message: Message, channel: Channel, *, now: datetime) -> Answer:
    team = channel.team or _team_of(message)
    if team is None:
        return Answer("Nobody is on duty: the channel has no team whose rota says who is.")
    person = on_duty_of([team], at=now).get(team.pk)
    if person is None:
        return Answer(f"Nobody is on duty in the rota of {team.name}: add people to it.")
    if not person.email:
        name = person.get_full_name() or person.get_username()
        return Answer(f"{name} is on duty, and has no e-mail address.")
    return _mail(message, [person.email])


def _team_of(message: Message) -> Team | None:
    """Of the first service it tells of, for a channel that hears about every team."""
    first = message.deliveries.filter(incident__isnull=False).order_by("pk").first()
    return first.incident.service.team if first and first.incident else None


def _mail_administrators(message: Message) -> Answer:
    to = list(administrators().exclude(email="").values_list("email", flat=True))
    if not to:
        return Answer("No administrator has an e-mail address: write one on the page of people.")
    return _mail(message, to)
