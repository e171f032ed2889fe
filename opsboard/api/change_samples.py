"""Filling the windows of a change: a burst, or samples that a program sends."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from io import StringIO
from itertools import chain, islice, repeat
from typing import Annotated, Any

from django.http import HttpRequest
from django.utils import timezone
from ninja import Field, Status
from pydantic import StringConstraints

from opsboard.api.answers import Router
from opsboard.api.bodies import Body
from opsboard.api.change_acts import PLACE, attempt_to_write, whole_of
from opsboard.api.change_answers import ChangeWhole, SamplesTaken
from opsboard.api.change_json import find_change
from opsboard.api.door import actor_of
from opsboard.api.fields import Moment
from opsboard.api.problems import Problem, problem
from opsboard.changes import bursts, files, intake, log_lines
from opsboard.changes.files import UnreadableFileError, rows_of
from opsboard.changes.models import MOST_SAMPLES, Comparison, Window
from opsboard.changes.sent import Sent
from opsboard.people.tokens import RELEASE
from opsboard.probes.stored import CACHE

router = Router(tags=["changes"])
MOST_STATUSES = 50
# The header is row 1.
FIRST_ROW = 2


class NewBurst(Body):
    count: int | None = Field(None, ge=1, le=MOST_SAMPLES, description="What lacks, unless said.")


class NewSample(Body):
    at: Moment
    latency_us: int = Field(ge=1, le=intake.MOST_LATENCY, description="In microseconds.")
    cache: Annotated[str, StringConstraints(pattern=f"^({'|'.join(CACHE)})$")] = "unknown"
    ok: bool = Field(True, description="false: the answer was wrong.")
    db_calls: int | None = Field(None, ge=0, le=files.MOST_CALLS)
    is_control: bool = Field(False, description="Of the control path.")


class NewSamples(Body):
    """One of `samples`, `csv` and `log`."""

    side: Window.Side | None = Field(
        None, strict=False, description="It is refused when another one collects."
    )
    samples: list[NewSample] | None = Field(None, min_length=1, max_length=intake.MOST_A_CALL)
    csv: str | None = Field(
        None,
        min_length=1,
        description="Lines with the columns side, i, latency_us, cache, ok, db_calls and at. Rows"
        " of the other side are left out.",
    )
    log: str | None = Field(
        None, min_length=1, description="Lines as opsboard.instrument writes them."
    )
    route: str | None = Field(None, min_length=1, max_length=500, description="Of the log.")
    method: str | None = Field(None, pattern=r"^[A-Za-z]{1,20}$", description="Of the log.")
    statuses: list[Annotated[int, Field(ge=100, le=599)]] = Field(
        [], max_length=MOST_STATUSES, description="Of the log, which are good: below 500, else."
    )
    first_row: int = Field(
        FIRST_ROW,
        ge=FIRST_ROW,
        le=1_000_000,
        description="Of the CSV: at which row of the whole file this part begins.",
    )


@router.post(f"{PLACE}/burst", response={201: ChangeWhole}, summary="Start a burst")
def burst(request: HttpRequest, change: str, wanted: NewBurst) -> Status[dict[str, Any]]:
    """A worker asks at the rate of the change until the window has what it lacks."""
    one, newest = attempt_to_write(request, change)
    bursts.start(newest, by=actor_of(request), now=timezone.now(), count=wanted.count)
    return whole_of(one)


@router.post(f"{PLACE}/burst/stop", response={201: ChangeWhole}, summary="Stop the burst")
def stop_burst(request: HttpRequest, change: str) -> Status[dict[str, Any]]:
    """After the request in flight. What was asked stays."""
    one = find_change(request, change, RELEASE)
    bursts.stop_of(one, by=actor_of(request), now=timezone.now())
    return whole_of(one)


@router.post(f"{PLACE}/samples", response={201: SamplesTaken}, summary="Send samples")
def send(request: HttpRequest, change: str, given: NewSamples) -> Status[dict[str, Any]]:
    """Of a change whose samples are sent: all of them are taken, or none."""
    _, newest = attempt_to_write(request, change)
    sent = _sent(given, newest)
    if not sent:
        said = "None of these rows is of the side that collects."
        raise problem(422, "no_samples", said, pointer="/csv")
    by, now = actor_of(request), timezone.now()
    taken = intake.take(newest, sent, by=by, now=now, side=given.side)
    return Status(201, {"taken": len(sent), "count": taken.count, "of": taken.of})


def _sent(given: NewSamples, newest: Comparison) -> Sequence[Sent]:
    """Raises Problem 422."""
    ways = [name for name in ("samples", "csv", "log") if getattr(given, name) is not None]
    if len(ways) != 1:
        raise problem(422, "one_way", "Send one of samples, csv and log.", pointer="")
    if given.samples is not None:
        return [Sent(**one.model_dump()) for one in given.samples]
    if given.csv is not None:
        return list(_of_csv(given.csv, given.first_row, given.side or _collecting(newest)))
    return _of_log(given)


def _collecting(newest: Comparison) -> str:
    """The side whose rows are meant: the room refuses what none collects."""
    sides = newest.windows.filter(sealed_at=None).values_list("side", flat=True)
    return sides.first() or Window.Side.BEFORE


def _of_csv(text: str, first_row: int, side: str) -> Iterator[Sent]:
    written = StringIO(text)
    # Empty lines are passed over, and counted: a mistake is named by its row in the whole file.
    lines = chain(islice(written, 1), repeat("\n", first_row - FIRST_ROW), written)
    try:
        for count, row in enumerate(rows_of(lines)):
            if row.side != side:
                continue
            yield Sent(
                at=_time(row.at, first_row + count),
                latency_us=max(round(row.latency_us), 1),
                cache=row.cache,
                ok=row.is_ok,
                db_calls=row.db_calls,
            )
    except UnreadableFileError as wrong:
        raise problem(422, "wrong_row", str(wrong), pointer="/csv") from None


def _time(written: str, row: int) -> datetime:
    """Raises Problem 422."""
    try:
        at = datetime.fromisoformat(written)
        # Near the year 1 or 9999 an offset leads out of the calendar.
        read = at.astimezone(UTC) if at.tzinfo else None
    except (ValueError, OverflowError):
        read = None
    if read is None:
        raise _no_time(row)
    return read


def _no_time(row: int) -> Problem:
    said = (
        f"Row {row}: at is not a time with its zone, as 2026-11-28T12:00:00Z. Samples without"
        " times are judged by `manage.py compare`."
    )
    return problem(422, "wrong_row", said, pointer="/csv")


def _of_log(given: NewSamples) -> Sequence[Sent]:
    if given.route is None:
        said = "Say which requests of the log are meant, as /v1/quotes/{id}."
        raise problem(422, "missing", said, pointer="/route")
    try:
        read = log_lines.read(
            StringIO(given.log), route=given.route, method=given.method, expected=given.statuses
        )
    except log_lines.NothingReadError as wrong:
        raise problem(422, "no_samples", str(wrong), pointer="/log") from None
    return read.samples
