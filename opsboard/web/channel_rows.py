"""One line about each channel: whether it delivers, what it hears, when it last delivered."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import FETCH_RAISE, Max, Min

from opsboard.alerts.models import Channel, Delivery, Message
from opsboard.web import words
from opsboard.web.forms.channel_addresses import where_to
from opsboard.web.forms.channels import Kind

ICONS = {
    Kind.EMAIL: "mail",
    Kind.DUTY: "mail",
    Kind.ADMINISTRATORS: "mail",
    Kind.SLACK: "message-square",
    Kind.TEAMS: "message-square",
}


@dataclass(frozen=True, slots=True)
class ChannelRow:
    channel: Channel
    # Where it goes, as far as the one who asks may know.
    where: str
    # Why it does not deliver, for editors: a mail server's answer may name an address.
    error: str
    # How long the newest message it took was on its way, "4 s"; "" when there is none.
    took: str = ""
    # How often the message under way was tried.
    tries: int = 0

    @property
    def icon(self) -> str:
        return ICONS.get(Kind(self.channel.kind), "webhook")

    @property
    def state(self) -> str:
        """In the words of states: what delivers passes; what never sent anything is unknown."""
        if self.channel.failing_since:
            return "failing"
        return "passing" if self.channel.delivered_at else "no_data"

    @property
    def hears(self) -> str:
        if self.channel.kind == Kind.ADMINISTRATORS:
            return "Troubles of Opsboard itself, and what nobody else hears"
        return f"{self.channel.team.name} services" if self.channel.team else "All services"


def channel_rows(channels: Iterable[Channel], *, may_edit: bool) -> list[ChannelRow]:
    """Those that fail first. Four queries, however many."""
    kept = list(channels)
    took = _took(kept)
    under_way = Message.objects.under_way().filter(channel__in=kept)
    tries = dict(under_way.values_list("channel_id").annotate(Max("attempts")))
    rows = [
        ChannelRow(
            one,
            where=_where(one, may_edit=may_edit),
            error=one.last_error if may_edit else "",
            took=took.get(one.pk, ""),
            tries=tries.get(one.pk, 0),
        )
        for one in kept
    ]
    return sorted(rows, key=lambda row: row.state != "failing")


def _where(channel: Channel, *, may_edit: bool) -> str:
    if not may_edit:
        return channel.get_kind_display()
    return where_to(channel) or "An address that cannot be decrypted: enter it again"


def _took(channels: list[Channel]) -> dict[int, str]:
    """From the first that the newest message told to when the channel had it."""
    delivered = Message.objects.filter(channel__in=channels, delivered_at__isnull=False)
    newest = delivered.values("channel").annotate(newest=Max("pk")).values("newest")
    told = Delivery.objects.filter(message__in=newest).values_list("message")
    began: dict[int | None, datetime] = dict(told.annotate(Min("created_at")))
    return {
        one.channel_id: words.ago(began.get(one.pk, one.made_at), one.delivered_at)
        for one in Message.objects.filter(pk__in=newest).fetch_mode(FETCH_RAISE)
        if one.delivered_at is not None
    }
