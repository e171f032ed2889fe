"""Subject lines, ours and those a channel's own template makes. Pure.

A template is filled by plain substitution of known names; it is never a program.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

from opsboard.alerts.news import ESCALATED, LINKED, REMINDER, RESOLVED, Item, News, Remark

NAMES = ("event", "incident", "path", "service", "environment", "team", "tier")
LONGEST = 200

_MARK = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)


def subject_of(item: Item) -> str:
    """ "[INC-0412] Failing: Price a crossing (fares-api, production)"."""
    if isinstance(item, Remark):
        return one_line(item.subject)
    where = f"{item.what} ({item.service}, {item.environment})"
    return one_line(f"[{item.incident}] {event_words(item)}: {where}")


def event_words(item: News) -> str:
    match item.event:
        case "resolved" if "failing" in item.events:
            return f"Was failing for {item.lasted}"
        case "resolved":
            return "Resolved"
        case "reminder":
            of = f" of {item.reminders}" if item.reminders else ""
            return f"Still failing, reminder {item.reminder}{of}"
        case "escalated":
            return "Nobody has acknowledged"
        case "linked":
            return f"Caused below by {item.below.incident}" if item.below else "Failing"
    return "Failing again" if item.opening > 1 else "Failing"


def subject_of_many(items: Sequence[Item]) -> str:
    """ "[INC-0412 to INC-0431] 20 alerts: 18 failing, 2 resolved"."""
    return one_line(f"{_span(items)}{len(items)} alerts: {tally(items)}")


def tally(items: Iterable[Item]) -> str:
    """ "18 failing, 2 resolved", what is worst first."""
    words = [_word(item) for item in items]
    order = ("failing", "still failing", "caused below", "resolved", "notice", "test")
    return ", ".join(f"{words.count(word)} {word}" for word in order if word in words)


def _word(item: Item) -> str:
    if item.event in (REMINDER, ESCALATED):
        return "still failing"
    return {LINKED: "caused below", RESOLVED: "resolved"}.get(item.event, item.event)


def _span(items: Iterable[Item]) -> str:
    numbers = sorted({item.incident for item in items if isinstance(item, News)})
    if not numbers:
        return ""
    return f"[{numbers[0]} to {numbers[-1]}] " if len(numbers) > 1 else f"[{numbers[0]}] "


def unknown_names(template: str) -> str:
    """Why a template cannot be used, as one sentence; "" when it can."""
    known = ", ".join(f"{{{{ {name} }}}}" for name in NAMES)
    for name in _MARK.findall(template):
        if name.strip() not in NAMES:
            return f"{{{{ {name.strip()[:40]} }}}} is not known here: write one of {known}."
    rest = _MARK.sub("", template)
    if "{{" in rest or "}}" in rest:
        return f"A name stands between {{{{ and }}}}, both of them: write one of {known}."
    return ""


def filled(template: str, values: Mapping[str, str]) -> str:
    """The template with its names replaced. What is put in is not looked at again."""
    return one_line(_MARK.sub(lambda mark: values.get(mark[1].strip(), ""), template))


def values_for(items: Sequence[Item]) -> dict[str, str]:
    """What the names of a template stand for, in a message of one alert or of several."""
    return {
        "event": _event(items),
        "incident": _several(item.incident for item in items if isinstance(item, News)),
        "path": _several(item.what for item in items if isinstance(item, News)),
        "service": _several(item.service for item in items),
        "environment": _several(item.environment for item in items),
        "team": _several(item.team for item in items),
        "tier": _several(f"Tier {item.tier}" for item in items if item.tier),
    }


def _event(items: Sequence[Item]) -> str:
    if len(items) > 1:
        return f"{len(items)} alerts, {tally(items)}"
    return event_words(items[0]) if isinstance(items[0], News) else items[0].event.capitalize()


def _several(words: Iterable[str]) -> str:
    kept = list(dict.fromkeys(word for word in words if word))
    more = f" and {len(kept) - 3} more" if len(kept) > 3 else ""
    return ", ".join(kept[:3]) + more


def one_line(text: str) -> str:
    """No line break ever gets into a header, and no subject is a page long."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"
