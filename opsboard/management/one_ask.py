"""What `manage.py probe` is to ask: a stored path or an address, with what was said on the line."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import DatabaseError

from opsboard.expectations.clauses import Clause
from opsboard.expectations.grammar import ClauseErrors, parse
from opsboard.expectations.units import exact_duration, parse_duration
from opsboard.outbound.reply import Ask
from opsboard.probes.asking import NowhereToAskError, did_you_mean, order_now, place_of
from opsboard.probes.orders import Order, compile_expected, policy_of_this_place
from opsboard.services.addresses import check_url
from opsboard.services.models import SECOND, CriticalPath, Environment, Service
from opsboard.services.rules import Pairs, read_headers

SHORTEST, LONGEST = SECOND // 10, 60 * SECOND
_METHOD = re.compile(r"[A-Z]{1,20}")


class UsageError(Exception):
    """What was typed cannot be asked; the message is one sentence that says what to change."""


class UnreadableBoardError(Exception):
    """The board's own database cannot be read; the message says so in a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """The command line, as typed."""

    target: str
    # None, or empty: not said; the path's own holds.
    environment: str | None = None
    method: str | None = None
    headers: Sequence[str] = ()
    body: str | None = None
    timeout: str | None = None
    follows: bool = True
    expect: Sequence[str] = ()


def order_of(line: Line) -> Order:
    """Raises UsageError and UnreadableBoardError."""
    if "://" in line.target:
        return _order_of_address(line)
    service, slash, path = line.target.partition("/")
    if not slash:
        raise UsageError(
            f"{line.target} is neither SERVICE/PATH, such as fares-api/health, nor an address "
            "that begins with http:// or https://."
        )
    try:
        return _order_of_path(line, _path(service, path))
    except DatabaseError as error:
        said = " ".join(str(error).split())
        raise UnreadableBoardError(
            f"The board's database cannot be read ({said}): start the board once, or run "
            "manage.py migrate."
        ) from error


# An address ---------------------------------------------------------------------------------


def _order_of_address(line: Line) -> Order:
    if line.environment:
        raise UsageError("Leave out --environment: it chooses among those of a SERVICE/PATH.")
    if wrong := check_url(line.target):
        raise UsageError(wrong)
    body = (line.body or "").encode()
    ask = Ask(
        method=_method(line) or ("POST" if body else "GET"),
        url=line.target,
        headers=tuple(_with_type(_headers(line), body)),
        body=body,
        timeout=_timeout(line) or 10 * SECOND,
        follow=line.follows,
    )
    return Order(
        probe_id=0,
        version=0,
        path_id=0,
        service_id=0,
        environment_id=0,
        patience=1,
        patience_to_recover=1,
        ask=ask,
        policy=policy_of_this_place(),
        expected=compile_expected(_expected(line), ask.timeout),
        secrets=(),
        signs_in=False,
    )


def _with_type(headers: Pairs, body: bytes) -> Pairs:
    """With the type a worker would give a body that has none."""
    if not body or any(name.lower() == "content-type" for name, _ in headers):
        return headers
    try:
        json.loads(body)
    except ValueError:
        return [*headers, ("Content-Type", "text/plain")]
    return [*headers, ("Content-Type", "application/json")]


# A stored path ------------------------------------------------------------------------------


def _order_of_path(line: Line, path: CriticalPath) -> Order:
    if path.steps and (unfit := _of_one_request(line)):
        raise UsageError(
            f"Leave out {unfit}: {line.target} has {len(path.steps)} steps, each with its own."
        )
    path.method = _method(line) or path.method
    path.timeout = _timeout(line) or path.timeout
    path.headers = _replaced([(name, value) for name, value in path.headers], _headers(line))
    path.body = path.body if line.body is None else line.body
    path.follows_redirects = path.follows_redirects and line.follows
    path.expected_result = _expected(line) or path.expected_result
    return order_now(path, _environment(path, line.environment))


def _of_one_request(line: Line) -> str:
    """The first option that says what one request is, or ""."""
    said = {"--method": line.method, "--header": line.headers, "--body": line.body}
    return next((option for option, value in said.items() if value), "")


def _path(service: str, slug: str) -> CriticalPath:
    services = list(Service.objects.standing().values_list("slug", flat=True))
    if service not in services:
        raise UsageError(f"There is no service {service}. {did_you_mean(service, services)}")
    paths = CriticalPath.objects.standing().filter(service__slug=service)
    found = paths.select_related("service__team").filter(slug=slug).first()
    if found is None:
        known = [f"{service}/{one}" for one in paths.values_list("slug", flat=True)]
        near = did_you_mean(f"{service}/{slug}", known)
        raise UsageError(f"{service} has no path {slug}. {near}")
    return found


def _environment(path: CriticalPath, wanted: str | None) -> Environment:
    try:
        return place_of(path, wanted)
    except NowhereToAskError as nowhere:
        raise UsageError(str(nowhere)) from nowhere


def _replaced(headers: Pairs, given: Pairs) -> Pairs:
    names = {name.lower() for name, _ in given}
    return [pair for pair in headers if pair[0].lower() not in names] + given


# The options --------------------------------------------------------------------------------


def _method(line: Line) -> str | None:
    if line.method is not None and not _METHOD.fullmatch(line.method.upper()):
        raise UsageError("--method is one word, such as GET or POST.")
    return line.method.upper() if line.method else None


def _headers(line: Line) -> Pairs:
    pairs, errors = read_headers("\n".join(line.headers))
    if errors:
        # Each --header is a line of its own here.
        raise UsageError(f"--header: {errors[0].partition(': ')[2]}")
    return pairs


def _timeout(line: Line) -> int | None:
    if line.timeout is None:
        return None
    range_words = f"It may be from {exact_duration(SHORTEST)} to {exact_duration(LONGEST)}."
    try:
        timeout = parse_duration(line.timeout)
    except ValueError as error:
        raise UsageError(f"--timeout: {error} {range_words}") from error
    if not SHORTEST <= timeout <= LONGEST:
        raise UsageError(f"--timeout: {range_words}")
    return timeout


def _expected(line: Line) -> str:
    """The clauses that were said, one a line; "" when none was."""
    for text in line.expect:
        if any(clause.window for clause in _clauses(text)):
            raise UsageError(
                f"--expect {text}: a clause with `over` is about many observations; one ask "
                "cannot say whether it holds."
            )
    return "\n".join(line.expect)


def _clauses(text: str) -> tuple[Clause, ...]:
    try:
        return parse(text)
    except ClauseErrors as errors:
        first = errors.errors[0]
        raise UsageError(f"--expect {text}, column {first.column}: {first.message}") from errors
