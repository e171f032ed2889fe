"""Reading what was sent: never more than a body may have, and nothing that is packed.

The servers differ in what they pass on of a body without a length: gunicorn and cheroot unpack the
chunks and end the stream (`wsgi.input_terminated`); Django alone would take it for empty.
"""

from typing import Any

from django.http import HttpRequest

from opsboard.api import strict_json
from opsboard.api.problems import Problem, problem

JSON = "application/json"


def read(request: HttpRequest) -> Any:
    """The value of the body; None: there is none. Raises Problem 400, 413, 415."""
    if request.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        raise problem(415, "encoded", "Send the body as it is, without Content-Encoding.")
    body = _bytes(request)
    if not body:
        return None
    if request.content_type != JSON or not _is_utf8(request):
        raise problem(415, "not_json", f"Send the body with Content-Type: {JSON}.")
    return strict_json.read(body)


def _is_utf8(request: HttpRequest) -> bool:
    charset = (request.content_params or {}).get("charset", "utf-8")
    return charset.lower().replace("-", "") == "utf8"


def _bytes(request: HttpRequest) -> bytes:
    _check_length(request.META.get("CONTENT_LENGTH") or "")
    try:
        if "chunked" in request.headers.get("Transfer-Encoding", "").lower():
            # Kept where Django keeps a body that was read: the digest of the request needs it.
            request._body = _chunks(request)
        return request.body
    except Problem:
        raise
    except Exception:  # noqa: BLE001 - each server has its own words for a body that is broken
        raise problem(400, "cut_off", "The body ended before it was whole.") from None


def _check_length(length: str) -> None:
    if not length:
        return
    if not length.isascii() or not length.isdigit():
        raise problem(400, "wrong_length", "Content-Length is not a number.")
    if int(length[:12]) > strict_json.LARGEST:
        raise _too_large()


def _chunks(request: HttpRequest) -> bytes:
    if not request.META.get("wsgi.input_terminated"):
        raise problem(411, "no_length", "Send the body with its Content-Length.")
    # One more than may be: that tells a body that is too large from one that just fits.
    body: bytes = request.META["wsgi.input"].read(strict_json.LARGEST + 1)
    if len(body) > strict_json.LARGEST:
        raise _too_large()
    return body


def _too_large() -> Problem:
    # The rest is not read: after it, nothing else can come on this connection.
    trouble = problem(413, "too_large", f"A body has at most {strict_json.LARGEST // 1024} KiB.")
    trouble.headers["Connection"] = "close"
    return trouble
