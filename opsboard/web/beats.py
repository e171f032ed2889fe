"""The door that jobs report in by: /beat/SECRET, without signing in. It answers in plain text.

    /beat/SECRET            it ended well; /beat/SECRET/success is the same
    /beat/SECRET/start      it began
    /beat/SECRET/fail       it failed
    /beat/SECRET/3          it ended with this exit code; 0 is well
    /beat/SECRET/log        something to keep that changes nothing

`?rid=` and a UUID tell runs apart that overlap. What a POST brings is kept as the job's log.
"""

import re
from dataclasses import replace
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from opsboard.probes import beats
from opsboard.probes.beat_rules import BeatKind
from opsboard.probes.beats import Report
from opsboard.probes.heartbeats import SECRET_LETTERS
from opsboard.probes.models import microseconds
from opsboard.web.access import requires

METHODS = ("GET", "HEAD", "POST")
# What is sent beyond it is not read: it could only fill the memory.
MOST_READ = 1 << 20
UNKNOWN = "No job reports in here."
WRONG_REPORT = (
    "This is no report: end the address with /start, /success, /fail, /log, or an exit code such "
    "as /0 or /3."
)
WRONG_RUN = "The run id is not a UUID: write it as ?rid=, as uuidgen prints it."

# "/" alone is none of them: where a script's exit code should stand, and does not.
_WORDS = {
    "": Report(kind=BeatKind.SUCCESS, exit_code=0),
    "/success": Report(kind=BeatKind.SUCCESS, exit_code=0),
    "/start": Report(kind=BeatKind.START),
    "/fail": Report(kind=BeatKind.FAILURE),
    "/log": Report(kind=BeatKind.LOG),
}
# Windows has codes of 32 bits, and writes those above half of them as below zero.
_CODE = re.compile(r"/-?[0-9]{1,10}")
_LOWEST, _HIGHEST = -(2**31), 2**32 - 1


class WrongReportError(Exception):
    """The message is one sentence that says what to send instead."""


@requires("nobody")
@csrf_exempt
@never_cache
def report(request: HttpRequest, said: str) -> HttpResponse:
    if request.method not in METHODS:
        return _plain("Report with GET, HEAD or POST.", 405, Allow=", ".join(METHODS))
    secret, act = said[:SECRET_LETTERS], said[SECRET_LETTERS:]
    heartbeat = beats.find(secret)
    if heartbeat is None:
        return _plain(UNKNOWN, 404)
    try:
        one = _read(request, act)
    except WrongReportError as wrong:
        return _plain(str(wrong), 400)
    wait = beats.receive(heartbeat, one, at=microseconds(timezone.now()))
    if wait is not None:
        return _plain(
            f"Too many reports: this address takes {beats.MOST_A_MINUTE} a minute. This one was "
            f"not kept; the next is taken in {wait} s.",
            429,
            **{"Retry-After": f"{wait}"},
        )
    return _plain("OK", 200)


def _plain(line: str, status: int, **headers: str) -> HttpResponse:
    return HttpResponse(
        f"{line}\n", content_type="text/plain; charset=utf-8", status=status, headers=headers
    )


def _read(request: HttpRequest, act: str) -> Report:
    one = _WORDS.get(act) or _with_code(act)
    run_id = _run_id(request.GET.get("rid", ""))
    body, is_cut = _body(request) if request.method == "POST" else (b"", False)
    return replace(
        one,
        run_id=run_id,
        body=body,
        is_cut=is_cut,
        address=request.META.get("REMOTE_ADDR") or None,
    )


def _with_code(act: str) -> Report:
    if not _CODE.fullmatch(act) or not _LOWEST <= (code := int(act[1:])) <= _HIGHEST:
        raise WrongReportError(WRONG_REPORT)
    return Report(kind=BeatKind.FAILURE if code else BeatKind.SUCCESS, exit_code=code)


def _run_id(written: str) -> UUID | None:
    if not written:
        return None
    try:
        return UUID(written)
    except ValueError:
        raise WrongReportError(WRONG_RUN) from None


def _body(request: HttpRequest) -> tuple[bytes, bool]:
    """The beginning of what was sent, and whether that is not all of it.

    A body that breaks off is no reason to lose the report: that came whole, in the first line.
    """
    length = request.META.get("CONTENT_LENGTH") or ""
    # A body in chunks has no length; the servers end its stream, and Django alone would not.
    is_chunked = request.META.get("wsgi.input_terminated") and not length
    stream = request.META["wsgi.input"] if is_chunked else request
    try:
        body: bytes = stream.read(MOST_READ + 1)
    except Exception:  # noqa: BLE001 - each server has its own words for a body that is broken
        return b"", True
    is_told = length.isascii() and length.isdigit()
    is_short = is_told and len(body) < min(int(length[:12]), MOST_READ)
    return body[:MOST_READ], is_short or len(body) > MOST_READ
