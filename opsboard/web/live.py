"""The live parts of pages: the same template gives the whole page and the part alone.

A part carries a tag that says what it shows: when anything last happened, a hash of the whole, and
one of each piece. A poll sends it back. While nothing happened anywhere the answer is 304 after two
queries; while the part reads the same, 304 too; else it is the part, in which pieces (elements with
`data-piece`) that the page has already are only named.
"""

import base64
import hashlib
import re
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any, Concatenate

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from opsboard.web.health import banner

TAG = "HX-PTag"
# Why Opsboard itself is not well: a page left open shows the banner too.
BANNER = "Opsboard-Banner"
# Where the tag stands in the part that it is of: see the template tag `live`.
EMPTY_TAG = b'data-tag=""'
# Masked anew in every answer: the same token never reads the same.
CSRF_VALUE = re.compile(rb'(name="csrfmiddlewaretoken" value=)"[^"]*"')
# A row of a table or an item of a list, to the mark at its end: it may hold others of its kind.
PIECE = re.compile(rb'<(tr|li) id="([^"]+)"[^>]* data-piece>.*?<!--piece--></\1>', re.DOTALL)
PIECE_TAG = 6
# How many observations were ever recorded, and the newest of what is only added and never changed.
_HAPPENED = """
    SELECT (SELECT SUM(counted_passing + counted_warning + counted_failing + counted_errors)
            FROM probes_probe),
        (SELECT MAX(id) FROM probes_statechange), (SELECT MAX(id) FROM people_auditentry),
        (SELECT MAX(id) FROM incidents_timelineentry), (SELECT MAX(id) FROM releases_evidence),
        (SELECT MAX(id) FROM releases_decision), (SELECT MAX(id) FROM changes_act)"""


def is_poll(request: HttpRequest) -> bool:
    """Whether only the live part of the page is asked for."""
    return "HX-Request" in request.headers


def polled[**P](
    view: Callable[Concatenate[HttpRequest, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """304 to a poll since whose last answer nothing happened anywhere, after two queries.

    What time alone changes is looked at again every minute.
    """

    @wraps(view)
    def answer_or_not(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not is_poll(request):
            return view(request, *args, **kwargs)
        stamp = request.live_stamp = _stamp(timezone.now())  # type: ignore[attr-defined]
        known = request.headers.get(TAG, "")
        if known.startswith(f"{stamp}."):
            return _not_modified(known)
        return view(request, *args, **kwargs)

    return answer_or_not


def answer(
    request: HttpRequest, template: str, context: dict[str, Any], *, part: str
) -> HttpResponse:
    """The page; to a poll, its `{% partialdef part %}` alone, or 304 while that has not changed."""
    if not is_poll(request):
        return _tagged(render(request, template, context))
    response = render(request, f"{template}#{part}", context)
    stamp = getattr(request, "live_stamp", "")
    whole, pieces = _hashes(response.content)
    tag = f"{stamp}.{whole}.{''.join(pieces)}"
    known = request.headers.get(TAG, "").split(".")
    if len(known) == 3 and known[1] == whole:
        return _not_modified(tag)
    response.content = _with_tag(_without(response.content, _split(known[-1])), tag)
    return _with_banner(response, tag)


def _tagged(response: HttpResponse) -> HttpResponse:
    """A whole page, whose part then knows what it shows: its first poll need not repeat it."""
    if EMPTY_TAG in response.content:
        _, pieces = _hashes(response.content)
        response.content = _with_tag(response.content, f"..{''.join(pieces)}")
    return response


def _not_modified(tag: str) -> HttpResponse:
    return _with_banner(HttpResponse(status=304), tag)


def _with_banner(response: HttpResponse, tag: str) -> HttpResponse:
    response[TAG] = tag
    if reason := banner():
        response[BANNER] = reason
    return response


def _stamp(now: datetime) -> str:
    """When anything last happened that a page shows, and the minute."""
    with connection.cursor() as cursor:
        cursor.execute(_HAPPENED)
        return _short(f"{now:%F %H:%M} {cursor.fetchone()}".encode())


def _hashes(content: bytes) -> tuple[str, list[str]]:
    """Of the whole, and of each piece in its order."""
    plain = CSRF_VALUE.sub(rb"\1", content)
    pieces = [_short(found[0])[:PIECE_TAG] for found in PIECE.finditer(plain)]
    return _short(plain), pieces


def _without(content: bytes, known: set[str]) -> bytes:
    """The part with only the names of the pieces that the page has as they are."""

    def shorten(found: re.Match[bytes]) -> bytes:
        if _short(CSRF_VALUE.sub(rb"\1", found[0]))[:PIECE_TAG] not in known:
            return found[0]
        return b'<%b id="%b" data-same></%b>' % (found[1], found[2], found[1])

    return PIECE.sub(shorten, content) if known else content


def _with_tag(content: bytes, tag: str) -> bytes:
    return content.replace(EMPTY_TAG, f'data-tag="{tag}"'.encode(), 1)


def _split(pieces: str) -> set[str]:
    starts = range(0, len(pieces), PIECE_TAG)
    return {pieces[begin : begin + PIECE_TAG] for begin in starts}


def _short(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode()[:12]
