"""Clauses proposed for a path from the one reply it gave: a first draft for a person to correct."""

import re
from collections.abc import Iterator

from opsboard.expectations.facts import Facts
from opsboard.expectations.grammar import ClauseErrors, parse
from opsboard.expectations.literals import quoted
from opsboard.expectations.units import MILLISECOND, SECOND, format_duration
from opsboard.outbound.reply import Reply

MOST_JSON_CLAUSES = 3
# How much slower than this one reply a good one may be.
ROOM = 4

_LIMITS = tuple(
    [each * MILLISECOND for each in (400, 500, 600, 800)]
    + [each * SECOND // 2 for each in (2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 30, 40, 60, 120)]
)
_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,60}")
_GOOD_FLAGS = ("ok", "success", "healthy", "alive", "ready", "up")
_STATE_KEYS = ("status", "state", "health")
_GOOD_STATES = ("ok", "pass", "up", "healthy", "alive", "ready", "green", "success")


def propose(reply: Reply, facts: Facts) -> list[str]:
    """Texts of clauses that all hold on `reply`; none when no whole reply came."""
    if reply.failure is not None:
        return []
    candidates = [f"status == {reply.status}", *_on_body(facts), *_on_time(reply)]
    return [text for text in candidates if _can_be_written(text)]


def _on_body(facts: Facts) -> Iterator[str]:
    document = facts.json.document
    if isinstance(document, dict) and document:
        yield from _on_object(document)
    elif content_type := facts.headers.get("content-type", ""):
        subtype = content_type.partition(";")[0].rpartition("/")[2].strip().rpartition("+")[2]
        yield f"header Content-Type contains {quoted(subtype)}"


def _on_object(document: dict[str, object]) -> list[str]:
    keys = [key for key in document if _PLAIN_KEY.fullmatch(key)]
    telling = [text for key in keys if (text := _telling(key, document[key]))]
    rest = [f"json $.{key} exists" for key in keys if not _telling(key, document[key])]
    return (telling + rest)[:MOST_JSON_CLAUSES]


def _telling(key: str, value: object) -> str:
    """A clause on a value that says by itself that all is well, or ""."""
    if value is True and key.lower() in _GOOD_FLAGS:
        return f"json $.{key} == true"
    if isinstance(value, str) and key.lower() in _STATE_KEYS and value.lower() in _GOOD_STATES:
        return f"json $.{key} == {quoted(value)}"
    return ""


def _on_time(reply: Reply) -> Iterator[str]:
    needed = reply.phases.total * ROOM
    for limit in _LIMITS:
        if limit >= needed:
            yield f"time < {format_duration(limit)}"
            return


def _can_be_written(text: str) -> bool:
    """A status such as 42, or a strange content type, cannot."""
    try:
        parse(text)
    except ClauseErrors:
        return False
    return True
