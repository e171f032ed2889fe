"""What is said of a service beside its sheets: links, tags, facts, what it depends on. Pure.

Every no is a sentence; "" means that nothing is wrong.
"""

import re
from collections.abc import Collection, Mapping, Sequence

from opsboard.services.addresses import check_url
from opsboard.services.rules import check_name

# A fact is a text, a list of texts, or texts by key.
type Fact = str | list[str] | dict[str, str]
type Link = dict[str, str]

MOST = 20
LONGEST_WORD = 60
LONGEST_FACT = 300
# Forms write a name, a colon, and what it has.
COLON = "A name here has no colon in it, no hyphen before it and no blank around it."

_TAG = re.compile(r"[a-z0-9]+(?:[-.][a-z0-9]+)*")


def check_link(name: str, url: str) -> str:
    if not name:
        return "Say what the link leads to, as in Runbook."
    if ":" in name or name != name.strip():
        return COLON
    # A person's browser keeps the part behind #, unlike a probe.
    return check_name(name, LONGEST_WORD) or check_url(url.partition("#")[0])


def check_tag(tag: str) -> str:
    if not _TAG.fullmatch(tag) or len(tag) > LONGEST_WORD:
        return "A tag has small letters, digits, hyphens and points, as in booking-flow."
    return ""


def check_fact(name: str, value: Fact) -> str:
    if not name:
        return "Give the fact a name, as in Data class."
    if any(":" in word or word.startswith("-") for word in (name, *_keys(value))):
        return COLON
    if wrong := check_name(name, LONGEST_WORD):
        return wrong
    texts = [value] if isinstance(value, str) else [*value]
    if isinstance(value, dict):
        texts += value.values()
    if not texts or not all(texts):
        return f"{name} has no value: write one, or take it out."
    if any(text != text.strip() for text in (name, *texts)):
        return f"{name} begins or ends with a blank: take it out."
    if len(texts) > 2 * MOST:
        return f"A fact has at most {MOST} values."
    return next(filter(None, (check_name(text, LONGEST_FACT) for text in texts)), "")


def _keys(value: Fact) -> list[str]:
    return list(value) if isinstance(value, dict) else []


def circle_in(depends_on: Mapping[str, Collection[str]], start: str) -> list[str]:
    """The way from `start` back to itself, both ends named, or [] when there is none.

    `depends_on`: for each service the services that it calls.
    """
    seen: set[str] = set()
    waiting = [[start]]
    while waiting:
        way = waiting.pop()
        for below in sorted(depends_on.get(way[-1], ())):
            if below == start:
                return [*way, start]
            if below not in seen:
                seen.add(below)
                waiting.append([*way, below])
    return []


def circle_words(circle: Sequence[str]) -> str:
    """ "fares-api calls fares-db, which calls fares-api"."""
    first, *rest = circle
    return f"{first} calls " + ", which calls ".join(rest)
