"""Lists in header values: `db;dur=23.1;desc="12", cache;desc=hit`.

Reads what RFC 8941 and Server-Timing allow and forgives the rest; linear in the value.
"""

import re
from functools import lru_cache
from typing import NamedTuple

# Longer ones are not read at all: half of a list could say the opposite of the whole.
LONGEST_VALUE = 16_384
_LONGEST_REMEMBERED = 500

_QUOTED = r'"(?:[^"\\]++|\\.)*+"?'
_MEMBER = re.compile(rf'(?:[^,"]++|{_QUOTED})++', re.DOTALL)
_PART = re.compile(rf'(?:[^;"]++|{_QUOTED})++', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


class Member(NamedTuple):
    """One member of the list. Names are in lower case; a parameter without a value has ""."""

    name: str
    parameters: dict[str, str]


def members(value: str) -> tuple[Member, ...]:
    """In the order of the list. Their parameters are shared, and only read."""
    if len(value) > LONGEST_VALUE:
        return ()
    return _remembered(value) if len(value) <= _LONGEST_REMEMBERED else _members(value)


def _members(value: str) -> tuple[Member, ...]:
    split = (_PART.findall(found) for found in _MEMBER.findall(value))
    return tuple(
        Member(_unquoted(name).lower(), _parameters(parts[1:]))
        for parts in split
        if parts and (name := parts[0].strip())
    )


# The same headers come again and again: of one path, and in one reply for each fact in them.
_remembered = lru_cache(maxsize=1024)(_members)


def _parameters(parts: list[str]) -> dict[str, str]:
    parameters: dict[str, str] = {}
    for part in parts:
        name, _, value = part.strip().partition("=")
        # The first one counts, as browsers read Server-Timing.
        parameters.setdefault(name.strip().lower(), _unquoted(value.strip()))
    return parameters


def _unquoted(value: str) -> str:
    if not value.startswith('"'):
        return value
    return _ESCAPED.sub(r"\1", value[1:].removesuffix('"'))
