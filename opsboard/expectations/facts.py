"""What a reply says, read from it once and only when a clause asks."""

import re
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from opsboard.expectations.cache_label import CacheLabel, label_of
from opsboard.expectations.field_values import Member, members
from opsboard.expectations.json_body import JsonBody, read_json
from opsboard.outbound.reply import Failure, Reply

MOST_JSON = 256_000
# Below both, our own lateness is lost in the noise of what is measured.
DELAY_ALLOWED = 5_000
DELAY_SHARE = 20

_CHARSET = re.compile(r"charset\s*=\s*\"?([A-Za-z0-9_-]{1,40})", re.IGNORECASE)
# Named one by one: Python knows text encodings that cost more than their length.
_CHARSETS = {
    "iso-8859-1": "cp1252",
    "latin1": "cp1252",
    "windows-1252": "cp1252",
    "iso-8859-15": "iso8859_15",
    "utf-16": "utf_16",
    "utf-16le": "utf_16_le",
    "utf-16be": "utf_16_be",
    "shift_jis": "shift_jis",
}
_CALLS = re.compile(r"[0-9]{1,9}(?![0-9])")
_MILLISECONDS = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,20})?")


@dataclass(frozen=True)
class Facts:
    """Facts of one reply. None means that the far side did not tell."""

    reply: Reply
    now: datetime
    max_json: int

    @cached_property
    def tells_all(self) -> bool:
        """It came whole and in time: whatever a clause is about is told, if the far side does."""
        reply = self.reply
        is_whole = reply.failure is None and not (reply.is_ours or reply.is_cut)
        return is_whole and reply.is_timed and not was_delayed(reply)

    @cached_property
    def headers(self) -> dict[str, str]:
        """By name in lower case; several lines of one name are joined in their order."""
        headers: dict[str, str] = {}
        for name, value in self.reply.headers:
            lower = name.lower()
            headers[lower] = f"{headers[lower]}, {value}" if lower in headers else value
        return headers

    @cached_property
    def json(self) -> JsonBody:
        if self.reply.failure is Failure.TOO_LARGE:
            return JsonBody(problem="it was cut at its cap")
        return read_json(self.reply.body, self.max_json)

    @cached_property
    def text(self) -> bytes:
        """The body in UTF-8, whatever the far side says it wrote."""
        said = _CHARSET.search(self.headers.get("content-type", ""))
        charset = _CHARSETS.get(said[1].lower()) if said else None
        body = self.reply.body
        return body.decode(charset, "replace").encode(errors="replace") if charset else body

    @property
    def cache(self) -> str:
        """One of hit, miss, stale, bypass and unknown."""
        return self._cache_label.word

    @property
    def cache_raw(self) -> str:
        """The header line that `cache` was read from, or "" when it is unknown."""
        return self._cache_label.raw

    @cached_property
    def db_calls(self) -> int | None:
        for member in (self._timing.get("db"), self._timing.get("dbq")):
            found = _CALLS.match(member.parameters.get("desc", "")) if member else None
            if found:
                return int(found[0])
        return None

    @cached_property
    def db_time(self) -> int | None:
        """Microseconds."""
        member = self._timing.get("db")
        found = _MILLISECONDS.fullmatch(member.parameters.get("dur", "")) if member else None
        return round(float(found[0]) * 1_000) if found else None

    @cached_property
    def certificate_days(self) -> int | None:
        """Whole days until the certificate ends; below zero when it has."""
        certificate = self.reply.certificate
        return (certificate.not_after - self.now).days if certificate else None

    @cached_property
    def _cache_label(self) -> CacheLabel:
        return label_of(self.headers)

    @cached_property
    def _timing(self) -> dict[str, Member]:
        """The first entry of each name in Server-Timing."""
        timing: dict[str, Member] = {}
        for member in members(self.headers.get("server-timing", "")):
            timing.setdefault(member.name, member)
        return timing


def facts_of(reply: Reply, *, now: datetime, max_json: int = MOST_JSON) -> Facts:
    """Reads nothing yet. `max_json` is in bytes; a larger body is not JSON."""
    return Facts(reply, now, max_json)


def was_delayed(reply: Reply) -> bool:
    """Whether our own loop was so late that the times of `reply` say nothing about the far side."""
    return reply.loop_delay > max(DELAY_ALLOWED, reply.phases.total // DELAY_SHARE)
