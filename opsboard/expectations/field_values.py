"""Lists in header values: `db;dur=23.1;desc="12", cache;desc=hit`.

Reads what RFC 8941 and Server-Timing allow and forgives the rest; linear in the value.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

# Longer ones are not read at all: half of a list could say the opposite of the whole.
LONGEST_VALUE = 16_384

_QUOTED = r'"(?:[^"\\]++|\\.)*+"?'
_MEMBER = re.compile(rf'(?:[^,"]++|{_QUOTED})++', re.DOTALL)
_PART = re.compile(rf'(?:[^;"]++|{_QUOTED})++', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


class Member(NamedTuple):
    """One member of the list. Names are in lower case; a parameter without a value has ""."""

    name: str
    parameters: dict[str, str]


def members(value: str) -> Iterator[Member]:
    """In the order of the list."""
    if len(value) > LONGEST_VALUE:
        return
    for found in _MEMBER.finditer(value):
        parts = [part.strip() for part in _PART.findall(found[0])]
        if parts and parts[0]:
            yield Member(_unquoted(parts[0]).lower(), _parameters(parts[1:]))


def _parameters(parts: list[str]) -> dict[str, str]:
    parameters: dict[str, str] = {}
    for part in parts:
        name, _, value = part.partition("=")
        # The first one counts, as browsers read Server-Timing.
        parameters.setdefault(name.strip().lower(), _unquoted(value.strip()))
    return parameters


def _unquoted(value: str) -> str:
    if not value.startswith('"'):
        return value
    return _ESCAPED.sub(r"\1", value[1:].removesuffix('"'))
