"""Asking the board: where it is, with which token, how often again, and what counts as an answer.

Every request that writes carries an Idempotency-Key, so that asking again does nothing twice.
"""

import json
import os
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

from opsboard.cli.answers import Object, read_object, reasons_of
from opsboard.cli.leaving import Away, NoAnswer, NotThere, Refused, Usage
from opsboard.cli.transport import Raw, Trouble, exchange

# Of an answer that says no to what was to be written.
_NO = (400, 409, 413, 415, 422)
_MOST_REASONS = 20


@dataclass(frozen=True, slots=True)
class Patience:
    """For one question, all tries together."""

    seconds: float = 30.0
    tries: int = 3
    # For one try.
    each: float = 60.0


class _Again(Exception):
    """No answer yet. `after`: the seconds that the board asked for, None when it did not."""

    def __init__(self, sentence: str, after: float | None = None) -> None:
        super().__init__(sentence)
        self.sentence, self.after = sentence, after


class Board:
    def __init__(self, url: str, token: str, patience: Patience | None = None) -> None:
        self._url, self._token = url, token
        self._patience = patience or Patience()

    def get(self, *parts: str, patience: Patience | None = None, **query: object) -> Object:
        """Raises NoAnswer."""
        try:
            return self._ask("GET", parts, query, None, "", patience)
        except Refused as no:
            # Nothing was to be written: it is an answer to nothing.
            raise NoAnswer(no.sentence) from None

    def post(
        self,
        *parts: str,
        body: Mapping[str, Any],
        query: Mapping[str, object] | None = None,
        key: str = "",
        patience: Patience | None = None,
    ) -> Object:
        """Raises Refused when the board says no, else NoAnswer."""
        return self._ask("POST", parts, query or {}, body, key or os.urandom(16).hex(), patience)

    def _ask(
        self,
        method: str,
        parts: tuple[str, ...],
        query: Mapping[str, object],
        body: Mapping[str, Any] | None,
        key: str,
        patience: Patience | None,
    ) -> Object:
        patience = patience or self._patience
        sent = None if body is None else _encoded(body)
        url, headers = self._url + _address(parts, query), self._headers(key)
        give_up = time.monotonic() + patience.seconds
        for number in range(1, patience.tries + 1):
            left = max(min(patience.each, give_up - time.monotonic()), 0.001)
            try:
                return _once(method, url, headers, sent, left)
            except _Again as again:
                pause = _pause(number, again.after)
                if number == patience.tries or time.monotonic() + pause >= give_up:
                    raise Away(_gave_up(again, number)) from None
                time.sleep(pause)
        raise NoAnswer("The board was not asked.")

    def _headers(self, key: str) -> list[str]:
        sent = [f"Authorization: Bearer {self._token}", "Accept: application/json"]
        if key:
            sent += [f"Idempotency-Key: {key}", "Content-Type: application/json"]
        return sent


def _encoded(body: Mapping[str, Any]) -> bytes:
    try:
        return json.dumps(body, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        # What the terminal gave as bytes arrives as halves of surrogate pairs.
        raise Usage("An argument is not UTF-8.") from None


def _address(parts: tuple[str, ...], query: Mapping[str, object]) -> str:
    for part in parts:
        if part in ("", ".", "..") or not part.isprintable():
            raise Usage("A name is empty, or has characters in it that cannot be in an address.")
    asked = {name: str(value) for name, value in query.items() if value not in (None, "")}
    path = "".join("/" + quote(part, safe="") for part in parts)
    return path + (f"?{urlencode(asked)}" if asked else "")


# One try ---------------------------------------------------------------------------------------


def _once(method: str, url: str, headers: list[str], body: bytes | None, seconds: float) -> Object:
    try:
        raw = exchange(method, url, headers, body, seconds)
    except Trouble as trouble:
        sentence = f"No answer from the board: {trouble.sentence}."
        if trouble.may_pass:
            raise _Again(sentence) from None
        raise NoAnswer(sentence) from None
    if raw.status in (408, 425, 429) or raw.status >= 500:
        raise _Again(_told(raw, f"The board answered {raw.status}."), _retry_after(raw))
    return _judged(raw)


def _judged(raw: Raw) -> Object:
    if 300 <= raw.status < 400:
        raise NoAnswer(
            f"The board answered {raw.status}, a redirect, which is not followed: set OPSBOARD_URL"
            " to where it leads."
        )
    if not 200 <= raw.status < 300:
        raise _no(raw)
    if not _is_json(raw):
        raise NoAnswer("What answers at OPSBOARD_URL does not answer in JSON: is it the board?")
    return read_object(raw.body)


def _no(raw: Raw) -> Exception:
    sentences, codes = reasons_of(raw.body) if _is_json(raw) else ([], ())
    said = " ".join(sentences[:_MOST_REASONS])
    if not said:
        return NoAnswer(f"The board answered {raw.status} without a reason: is it the board?")
    if raw.status in _NO:
        return Refused(said, codes)
    if raw.status == 401:
        return NoAnswer(f"The board does not take the token. {said}")
    return NotThere(said) if raw.status == 404 else NoAnswer(said)


def _told(raw: Raw, otherwise: str) -> str:
    sentences, _ = reasons_of(raw.body) if _is_json(raw) else ([], ())
    return " ".join(sentences[:_MOST_REASONS]) or otherwise


def _is_json(raw: Raw) -> bool:
    kind = raw.headers.get("content-type", "").partition(";")[0].strip().lower()
    coding = raw.headers.get("content-encoding", "identity").lower()
    return kind == "application/json" and coding == "identity"


# Again -----------------------------------------------------------------------------------------


def _pause(number: int, after: float | None) -> float:
    """Half a second, doubled each time up to 8, and never before the board asked for."""
    doubled: float = min(0.5 * 2 ** (number - 1), 8.0)
    backoff = doubled * random.uniform(0.75, 1.25)  # noqa: S311
    return max(backoff, after or 0.0)


def _retry_after(raw: Raw) -> float | None:
    said = raw.headers.get("retry-after", "")
    if not said:
        return None
    if said.isascii() and said.isdigit():
        return float(said[:9])
    # Rarely needed, and slow to import.
    from email.utils import parsedate_to_datetime

    try:
        moment = parsedate_to_datetime(said)
    except ValueError:
        return None
    zoned = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max((zoned - datetime.now(UTC)).total_seconds(), 0.0)


def _gave_up(again: _Again, number: int) -> str:
    tries = "once" if number == 1 else f"{number} times"
    asked = f" It asks to wait {again.after:.0f} s." if again.after else ""
    return f"{again.sentence}{asked} Asked {tries}."
