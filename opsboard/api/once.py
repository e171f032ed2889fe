"""A POST with an Idempotency-Key happens once.

Its answer is written in the transaction of what it did, and given again to the same request. What
did not succeed leaves nothing: the key is free again.
"""

import hashlib
from collections.abc import Callable

from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from opsboard.api.problems import problem
from opsboard.people.models import AnsweredRequest, ApiToken

KEY = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
LONGEST_KEY = 200


def key_of(request: HttpRequest) -> str:
    """The request's key; "": it has none. Raises Problem 400."""
    key = request.headers.get(KEY, "").strip()
    if len(key) > LONGEST_KEY or not key.isprintable():
        raise problem(
            400, "wrong_key", f"A key has at most {LONGEST_KEY} printable characters.", field=KEY
        )
    return key


class _NotDone(Exception):
    """The request was not served: what it began is rolled back, and its key is free again."""

    def __init__(self, response: HttpResponse) -> None:
        super().__init__(response.status_code)
        self.response = response


def once(
    request: HttpRequest, token: ApiToken, key: str, serve: Callable[[], HttpResponse]
) -> HttpResponse:
    """Serve the request, or give the answer that the same one got before. Raises Problem 409."""
    said = f"{request.method}\n{request.get_full_path()}\n".encode() + request.body
    digest = hashlib.sha256(said).hexdigest()
    try:
        with transaction.atomic():
            # A second request with this key waits here until the first has ended.
            row = AnsweredRequest.objects.create(
                token=token, key=key, digest=digest, at=timezone.now(), status=0, body=""
            )
            return _served(row, serve())
    except _NotDone as not_done:
        return not_done.response
    except IntegrityError:
        known = AnsweredRequest.objects.filter(token=token, key=key).first()
        if known is None:
            raise
    return _again(known, digest)


def _served(row: AnsweredRequest, response: HttpResponse) -> HttpResponse:
    if response.status_code >= 400:
        raise _NotDone(response)
    row.status, row.body = response.status_code, response.content.decode()
    row.save(update_fields=["status", "body"])
    return response


def _again(known: AnsweredRequest, digest: str) -> HttpResponse:
    if known.digest != digest:
        raise problem(
            409,
            "key_used",
            f"This key was used for another request at {known.at:%F %T} UTC: take a new one.",
            field=KEY,
        )
    # What was made then is not made again.
    status = 200 if known.status == 201 else known.status
    response = HttpResponse(known.body, status=status, content_type="application/json")
    response[REPLAYED] = "true"
    return response
