"""What every request passes before its view: the method, the token, its rate, the key, the body.

A POST with an Idempotency-Key happens once: its answer is written in the transaction of what it
did, and given again to the same request.
"""

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from opsboard.api.problems import Problem, answer, problem
from opsboard.people import audit, tokens
from opsboard.people.audit import Actor, Via
from opsboard.people.models import AnsweredRequest, ApiToken, TokenMinute

type View = Callable[..., Any]

KEY = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
MINUTE = 60


def behind_the_door(view: View) -> View:
    """A view of the API as the addresses know it. It lets nobody in but by a token."""

    @csrf_exempt
    def door(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            token = _token(request, timezone.now())
            request.token = token  # type: ignore[attr-defined]
            _count(token, timezone.now())
            if request.method == "POST":
                _check_body(request)
                if key := _key(request):
                    return _once(request, token, key, lambda: view(request, *args, **kwargs))
            response: HttpResponse = view(request, *args, **kwargs)
            return response
        except Problem as trouble:
            return answer(trouble)

    # As opsboard.web.access reads it: the token is asked for here.
    door.required_role = "nobody"  # type: ignore[attr-defined]
    return door


def token_of(request: HttpRequest) -> ApiToken:
    """Whose token opened the door for this request."""
    token: ApiToken = request.token  # type: ignore[attr-defined]
    return token


def actor_of(request: HttpRequest) -> Actor:
    """Who asks, for the audit log: the token's maker, by that token."""
    token = token_of(request)
    return Actor(
        token.made_by, Via.API, who=str(token), address=request.META.get("REMOTE_ADDR") or None
    )


def require(request: HttpRequest, scope: str, *, service: str = "", gate: str = "") -> ApiToken:
    """The token, when it allows `scope` for this service and gate. Raises Problem 403."""
    token = token_of(request)
    if not tokens.allows(token, scope):
        raise _forbidden(f"This token does not allow: {scope}.")
    if service and not tokens.covers(token, service):
        raise _forbidden(f"This token is not for {service}.")
    if gate and not tokens.covers_gate(token, gate):
        raise _forbidden(f"This token is not for the gate {gate}.")
    return token


def _forbidden(message: str) -> Problem:
    return problem(403, "forbidden", message)


# The token -------------------------------------------------------------------------------------


def _token(request: HttpRequest, now: datetime) -> ApiToken:
    kind, _, written = request.headers.get("Authorization", "").partition(" ")
    token = tokens.find(written.strip(), now=now) if kind.lower() == "bearer" else None
    if token is None:
        if prefix := tokens.prefix_of(written.strip()):
            refused = Actor(
                None, Via.API, who=f"{prefix}…", address=request.META.get("REMOTE_ADDR") or None
            )
            audit.record(refused, "refused", "token", f"{prefix}…", now=now)
        raise Problem(
            401,
            [{"code": "no_token", "message": "Send a valid token: Authorization: Bearer obs_ci_…"}],
            {"WWW-Authenticate": 'Bearer realm="Opsboard"'},
        )
    return token


def _count(token: ApiToken, now: datetime) -> None:
    """One statement, so that two at once are both counted. Raises Problem 429."""
    minute, second = divmod(int(now.timestamp()), MINUTE)
    table = TokenMinute._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} (token_id, minute, requests) VALUES (%s, %s, 1)"  # noqa: S608
            " ON CONFLICT (token_id, minute) DO UPDATE"
            f" SET requests = {table}.requests + 1 RETURNING requests",
            [token.pk, minute],
        )
        requests = cursor.fetchone()[0]
    if requests == 1:
        # Once a minute: when it was used, and what no longer bounds anything.
        ApiToken.objects.filter(pk=token.pk).update(used_at=now)
        TokenMinute.objects.filter(token=token, minute__lt=minute).delete()
    if requests > settings.TOKEN_REQUESTS_A_MINUTE:
        raise Problem(
            429,
            [
                {
                    "code": "too_many",
                    "message": f"A token makes at most {settings.TOKEN_REQUESTS_A_MINUTE} requests"
                    f" a minute: ask again in {MINUTE - second} s.",
                }
            ],
            {"Retry-After": str(MINUTE - second)},
        )


# The body --------------------------------------------------------------------------------------


def _check_body(request: HttpRequest) -> None:
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise problem(415, "encoded", "Send the body as it is, without Content-Encoding.")
    if request.body and request.content_type != "application/json":
        raise problem(415, "not_json", "Send the body with Content-Type: application/json.")


# Once ------------------------------------------------------------------------------------------


def _key(request: HttpRequest) -> str:
    key = request.headers.get(KEY, "").strip()
    if len(key) > 200 or not key.isprintable():
        raise problem(400, "wrong_key", "A key has at most 200 printable characters.", field=KEY)
    return key


class _NotDone(Exception):
    """The request was not served: what it began is rolled back, and its key is free again."""

    def __init__(self, response: HttpResponse) -> None:
        super().__init__(response.status_code)
        self.response = response


def _once(
    request: HttpRequest, token: ApiToken, key: str, serve: Callable[[], HttpResponse]
) -> HttpResponse:
    said = f"{request.method}\n{request.get_full_path()}\n".encode() + request.body
    digest = hashlib.sha256(said).hexdigest()
    try:
        with transaction.atomic():
            # A second request with this key waits here until the first has ended.
            row = AnsweredRequest.objects.create(
                token=token, key=key, digest=digest, at=timezone.now(), status=0, body=""
            )
            response = serve()
            if response.status_code >= 400:
                raise _NotDone(response)
            row.status, row.body = response.status_code, response.content.decode()
            row.save(update_fields=["status", "body"])
            return response
    except _NotDone as not_done:
        return not_done.response
    except IntegrityError:
        known = AnsweredRequest.objects.filter(token=token, key=key).first()
        if known is None:
            raise
    return _again(known, digest)


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
