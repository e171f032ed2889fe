"""What the pages write with: states, numbers, times, strips. The words are in opsboard.web.words.

Times may be datetimes or whole microseconds since 1970. Filters of time take the page's `now`.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, time
from typing import Any
from urllib.parse import urlencode

from django import template
from django.contrib.auth.models import User
from django.forms import BaseForm
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from opsboard.alerts.models import Delivery
from opsboard.incidents.models import Incident
from opsboard.probes.models import moment
from opsboard.probes.rules import State
from opsboard.rollbacks import saying
from opsboard.rollbacks.models import NoteVersion
from opsboard.rollbacks.rules import RehearsalSeen
from opsboard.services.models import Service
from opsboard.web import prose, sentences, strips, words
from opsboard.web.trust import trust_of

register = template.Library()

type Time = datetime | int


def _at(value: Time) -> datetime:
    return moment(value) if isinstance(value, int) else value


def _time(value: Time, text: str) -> SafeString:
    return format_html('<time datetime="{}">{}</time>', f"{_at(value):%Y-%m-%dT%H:%M:%SZ}", text)


@register.simple_tag
def state(value: str, words: str = "", *, quiet: bool = False) -> SafeString:
    """Mark and word of a state. `words` replaces the word; `quiet` hides the word passing."""
    standing = State(value)
    text = words or standing.words.capitalize()
    if quiet and standing == State.PASSING:
        text = format_html('<span class="vh">{}</span>', text)
    return format_html('<span class="st st-{}">{}{}</span>', css(value), mark(value), text)


@register.simple_tag
def mark(value: str) -> SafeString:
    """The mark of a state alone: for places where the word stands elsewhere in the row."""
    return format_html(
        '<svg class="gl st-{0}" aria-hidden="true"><use href="#g-{0}"/></svg>', css(value)
    )


@register.simple_tag
def icon(name: str) -> SafeString:
    return format_html('<svg class="icon" aria-hidden="true"><use href="#i-{}"/></svg>', name)


@register.filter
def css(value: str) -> str:
    """The last part of the class of a state: "pass", "warn", "fail", "nodata", "paused"."""
    return strips.CLASSES[State(value)]


@register.filter
def duration(microseconds: int) -> str:
    return words.duration(microseconds)


@register.filter
def milliseconds(microseconds: int | None) -> str:
    return "no data" if microseconds is None else words.milliseconds(microseconds)


@register.filter
def ago(value: Time, now: datetime) -> str:
    return words.ago(_at(value), now)


@register.filter
def clock(value: Time, now: datetime) -> SafeString:
    return _time(value, words.clock(_at(value), now))


@register.filter
def when(value: Time, now: datetime) -> SafeString:
    return _time(value, words.when(_at(value), now))


@register.simple_tag
def from_to(start: Time, end: Time, now: datetime) -> SafeString:
    """ "today 14:09 to 15:20"; within a minute "today 14:09:02 to 14:09:51"."""
    began, ended = words.from_to(_at(start), _at(end), now)
    return format_html("{} to {}", _time(start, began), _time(end, ended))


@register.filter
def day(value: Time, now: datetime) -> SafeString:
    """A day alone, in `datetime` too: a part whose seconds tick would never be the same twice."""
    then = _at(value)
    return format_html('<time datetime="{}">{}</time>', f"{then:%Y-%m-%d}", words.day(then, now))


@register.filter
def since(value: Time, now: datetime) -> SafeString:
    """ "since 14:09, 23 min"."""
    return format_html("since {}, {}", clock(value, now), ago(value, now))


@register.filter
def local(value: datetime, zone: str) -> SafeString:
    """ "Mon 26 Oct 09:00", as the clocks of a zone show it."""
    return _time(value.astimezone(UTC), words.local(value, zone))


@register.filter
def in_zone(value: datetime, zone: str) -> SafeString:
    """ "Mon 26 Oct 09:00 in Europe/Oslo, 08:00 UTC": the team's clocks, and the board's."""
    return _time(value.astimezone(UTC), words.in_zone(value, zone))


@register.filter
def percent_down(percent: float) -> str:
    return words.percent_down(percent)


@register.filter
def number(value: int) -> str:
    return words.number(value)


@register.filter
def size(octets: int) -> str:
    return words.size(octets)


@register.filter
def nbsp(text: object) -> str:
    """Keep a number and its unit on one line."""
    return str(text).replace(" ", words.NBSP)


@register.filter
def markdown(text: str) -> SafeString:
    """What people wrote, as HTML that cannot do anything: no tags of theirs, no images."""
    return prose.render(text)


@register.filter
def markdown_line(text: str) -> SafeString:
    """As `markdown`, of one line within a page's own."""
    return prose.render_line(text)


@register.filter
def outcome(delivery: Delivery) -> str:
    """ "delivered in 4 s", "trying again after 3 tries"."""
    return sentences.delivery_words(delivery)


@register.filter
def full_stop(text: str) -> str:
    """With a capital and a full stop, however it was written."""
    return words.sentence(text)


@register.filter
def person(user: User | None) -> str:
    return words.person_name(user)


@register.filter
def holder(incident: Incident) -> str:
    """Who has an acknowledged incident."""
    return words.holder(incident)


@register.simple_tag
def trust(version: NoteVersion, tier: int, now: datetime) -> SafeString:
    """ "Fresh until 8 Dec" with its mark, or why a rollback note may not be trusted."""
    kept = trust_of(version, tier=tier, now=now)
    return format_html(
        '<span class="tight"><svg class="gl st-{}" aria-hidden="true"><use href="#g-{}"/></svg>'
        "{}</span>",
        kept.css,
        kept.mark,
        kept.words,
    )


@register.filter
def took(seconds: int) -> str:
    """ "3 min 50 s"."""
    return nbsp(saying.took(seconds))


@register.filter
def steps_gone(seen: RehearsalSeen) -> str:
    """What became of the steps in a rehearsal, in a sentence."""
    return saying.steps_words(seen)


@register.inclusion_tag("_strip.html")
def strip(bars: Sequence[strips.Bar], name: str) -> dict[str, Any]:
    """The strip as one image with its words; `name` is whose days these are."""
    last = bars[-1].day
    return {
        "bars": bars,
        "codes": ",".join(bar.code for bar in bars),
        "paths": strips.strip_paths(bars),
        "width": strips.STEP * len(bars),
        "last": last,
        "label": f"{name}: {len(bars)} days to {last.day} {last:%b}. {strips.strip_words(bars)}",
    }


@register.inclusion_tag("_strip_big.html")
def strip_big(
    bars: Sequence[strips.Bar], service: Service, environment: str, now: datetime
) -> dict[str, Any]:
    """The strip of a service, wide, as one tab stop with a line that says the day.

    A day opens its incidents; without scripts those that were not passing are links in a list.
    """
    place = urlencode({"service": service.slug, "environment": environment})
    return strip(bars, service.name) | {
        "days_url": f"{reverse('incidents')}?{place}&day=",
        "noted": [bar for bar in reversed(bars) if bar.state not in (None, State.PASSING)],
        "paths": strips.strip_paths(bars, step=10, height=48),
        "width": 10 * len(bars),
        "words": strips.strip_words(bars),
        "months": strips.months(bars),
        "first": words.day(datetime.combine(bars[0].day, time(), UTC), now),
    }


@register.inclusion_tag("_spark.html")
def spark(values: Sequence[float | None], limit: float | None, value: str) -> dict[str, Any]:
    """24 h of a value with its limit; `value` is the state that the part above the limit takes."""
    return {"spark": strips.spark(values, limit=limit), "css": css(value)}


@register.inclusion_tag("_field.html")
def field(bound: Any) -> dict[str, Any]:
    return {"field": bound, "is_check": bound.widget_type == "checkbox"}


@register.simple_tag
def to_fix(form: BaseForm) -> str:
    """ "2 things to fix first", next to the buttons; "" when nothing is wrong."""
    wrong = len(form.errors)
    return f"{words.counted(wrong, 'thing')} to fix first" if wrong else ""


@register.simple_tag
def live(url: str) -> SafeString:
    """The attributes that keep an element up to date: it asks `url` for itself every 15 s.

    The element needs an id. `url` answers with the element alone (opsboard.web.live.answer).
    """
    return format_html(
        'hx-get="{}" hx-trigger="every 15s, opsboard:seen" hx-swap="outerMorph" '
        'hx-status:4xx="swap:none" hx-status:5xx="swap:none" data-live data-tag=""',
        url,
    )
