"""What every request passes before its view: the method, the token, its rate, the parameters, the
body, the key. And what every answer is: JSON, kept by nobody, without a cookie or a traceback.
"""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.db import DataError, InterfaceError, OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from opsboard.api import once, reading
from opsboard.api.document import Described
from opsboard.api.problems import Problem, answer, error, problem
from opsboard.expectations.nearest import did_you_mean
from opsboard.people import refused_tokens, tokens
from opsboard.people.audit import Actor, Via
from opsboard.people.models import ApiToken, TokenMinute

type View = Callable[..., Any]

MINUTE = 60
RETRY_SECONDS = 5
# Of parameters that nobody knows.
MOST_ERRORS = 20
# They record nothing, so nothing can happen twice; and no transaction waits for other machines.
ASKED_ANEW = ("probes", "check")
logger = logging.getLogger(__name__)


def behind_the_door(view: View, described: Callable[[], Described]) -> View:
    """A view of the API as the addresses know it. It lets nobody in but by a token."""

    def inside(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        route = request.resolver_match.route if request.resolver_match else ""
        if options := _method(request, described().methods(route)):
            return options
        request.token = token = _token(request, timezone.now())  # type: ignore[attr-defined]
        _count(token, timezone.now())
        _check_parameters(request, described().parameters(route, request.method or ""))
        _read_body(request, described().takes_body(route, request.method or ""))
        key = once.key_of(request) if request.method == "POST" else ""
        if key and route.rpartition("/")[2] not in ASKED_ANEW:
            return once.once(request, token, key, lambda: view(request, *args, **kwargs))
        response: HttpResponse = view(request, *args, **kwargs)
        return response

    return _answering(inside)


def open_to_all(view: View, methods: tuple[str, ...] | None = ("GET",)) -> View:
    """A view without a token: it holds no data. None: it answers every method alike."""

    def inside(request: HttpRequest, *_: Any, **__: Any) -> HttpResponse:
        if methods is not None and (options := _method(request, list(methods))):
            return options
        response: HttpResponse = view(request)
        return response

    return _answering(inside)


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


# Every answer ----------------------------------------------------------------------------------


def _answering(inside: View) -> View:
    @csrf_exempt
    def door(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        method = request.method
        response = _answer(inside, request, *args, **kwargs)
        response["Cache-Control"] = "no-store"
        if method == "HEAD":
            request.method = method
            response["Content-Length"] = str(len(response.content))
            response.content = b""
        return response

    # As opsboard.web.access reads it: the token is asked for here.
    door.required_role = "nobody"  # type: ignore[attr-defined]
    return door


def _answer(inside: View, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
    try:
        _check_address(request)
        response: HttpResponse = inside(request, *args, **kwargs)
        return response
    except Problem as trouble:
        return answer(trouble)
    except SuspiciousOperation:
        return answer(problem(400, "not_readable", "The request cannot be read."))
    except DataError:
        return answer(problem(422, "does_not_fit", "A value is too large to be kept."))
    except (OperationalError, InterfaceError) as wrong:
        logger.warning("The database did not answer the API: %s", wrong)
        return answer(_unavailable())
    except Exception:
        # Nothing of it is told: it may hold what the asker must not see.
        logger.exception("The API failed at %s", request.path)
        return answer(problem(500, "failed", "Opsboard made a mistake, and wrote it down."))


def _unavailable() -> Problem:
    return Problem(
        503,
        [error("unavailable", f"The database does not answer: try again in {RETRY_SECONDS} s.")],
        {"Retry-After": str(RETRY_SECONDS)},
    )


# The address -----------------------------------------------------------------------------------


def _check_address(request: HttpRequest) -> None:
    """Raises Problem. It is answered here and not redirected: a POST would arrive as a GET."""
    if settings.SECURE_SSL_REDIRECT and not request.is_secure():
        raise problem(
            403,
            "not_encrypted",
            f"Ask by HTTPS: {settings.URL}. A token that was sent unencrypted must be revoked.",
        )
    if "\0" in request.path or any("\0" in one for one in _words_of(request)):
        raise problem(400, "null_character", "The address holds the character U+0000.")


def _words_of(request: HttpRequest) -> list[str]:
    return [word for name, values in request.GET.lists() for word in (name, *values)]


def _method(request: HttpRequest, known: list[str]) -> HttpResponse | None:
    """The answer to OPTIONS. HEAD is served as GET; its body is left out after. Raises 405."""
    allowed = ", ".join(sorted({*known, "OPTIONS", *(["HEAD"] if "GET" in known else [])}))
    if request.method == "OPTIONS":
        return HttpResponse(status=204, headers={"Allow": allowed})
    if request.method == "HEAD" and "GET" in known:
        request.method = "GET"
    if request.method not in known:
        message = f"This address does not know {request.method}. It knows {allowed}."
        raise Problem(405, [error("wrong_method", message)], {"Allow": allowed})
    return None


def _check_parameters(request: HttpRequest, known: set[str]) -> None:
    """Only what the document names: a filter that is misspelt must not choose everything."""
    errors = [_unknown(name, known) for name in request.GET if name not in known]
    twice = [name for name, values in request.GET.lists() if name in known and len(values) > 1]
    errors += [error("parameter_twice", "This stands twice.", field=name) for name in twice]
    if errors:
        raise Problem(400, errors[:MOST_ERRORS])


def _unknown(name: str, known: set[str]) -> dict[str, str]:
    meant = did_you_mean(name, tuple(sorted(known)), {}) if known else "this address has none."
    message = f"There is no parameter of this name: {meant}"
    return error("unknown_parameter", message, field=name[:80])


def _read_body(request: HttpRequest, is_taken: bool) -> None:
    value = None if request.method == "GET" else reading.read(request)
    if value and not is_taken:
        raise problem(422, "no_body", "This operation takes no body: leave it out.", pointer="")
    request.read_body = value  # type: ignore[attr-defined]


# The token -------------------------------------------------------------------------------------


def _token(request: HttpRequest, now: datetime) -> ApiToken:
    kind, _, written = request.headers.get("Authorization", "").partition(" ")
    written = written.strip()
    token = tokens.find(written, now=now) if kind.lower() == "bearer" else None
    if token is None:
        refused_tokens.note(written, address=request.META.get("REMOTE_ADDR") or "", now=now)
        raise Problem(
            401,
            [error("no_token", "Send a valid token: Authorization: Bearer obs_ci_…")],
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
        raise _too_many(MINUTE - second)


def _too_many(seconds: int) -> Problem:
    message = (
        f"A token makes at most {settings.TOKEN_REQUESTS_A_MINUTE} requests a minute:"
        f" ask again in {seconds} s."
    )
    return Problem(429, [error("too_many", message)], {"Retry-After": str(seconds)})
