"""What a job's reports mean, and when its next one is due: plain values in, plain values out.

Times are whole microseconds since 1970 UTC, durations whole microseconds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any

from cronsim import CronSim, CronSimError

from opsboard.outbound.reply import Failure
from opsboard.services.zones import zone_of

SECOND = 1_000_000
MINUTE = 60 * SECOND
USUAL_GRACE = 5 * MINUTE
# Runs that never end are forgotten, the oldest first: a job rarely has more of them at once.
MOST_OPEN = 20
# Below this, hours and minutes alone would call two reports the same time.
_SHORT = 10 * MINUTE


class BeatKind(StrEnum):
    """What a report says: a run began, or ended well, or badly. A log changes nothing."""

    START = "start"
    SUCCESS = "success"
    FAILURE = "failure"
    LOG = "log"


# Schedules ---------------------------------------------------------------------------------


class NoScheduleError(Exception):
    """The sheet's schedule cannot be read. The message says what is wrong with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When a job reports that it has ended: `every` so long after it last did, or by `cron`."""

    every: int = 0
    cron: str = ""
    zone: str = "UTC"
    grace: int = USUAL_GRACE
    # How long a run may take after its start. None: until its end is due.
    longest: int | None = None

    @property
    def words(self) -> str:
        """ "every 1 h, at most 5 min late", "0 2 * * * in Europe/Oslo, at most 30 min late"."""
        when = f"every {span(self.every)}" if self.every else f"{self.cron} in {self.zone}"
        return f"{when}, at most {span(self.grace)} late"


def schedule_of(written: Mapping[str, Any]) -> Schedule:
    """From the `heartbeat` of a sheet. Raises NoScheduleError."""
    schedule = Schedule(
        every=written.get("every") or 0,
        cron=written.get("cron") or "",
        zone=written.get("zone") or "UTC",
        grace=USUAL_GRACE if written.get("grace") is None else written["grace"],
        longest=written.get("longest"),
    )
    if not schedule.every and not schedule.cron:
        raise NoScheduleError("It is not said when the job reports in.")
    if schedule.cron and next_tick(schedule, 0) is None:
        raise NoScheduleError(f"The cron expression {schedule.cron} cannot be read.")
    return schedule


def due_after(schedule: Schedule, at: int) -> int:
    """When the next report of an end is due, if the last one came at `at`."""
    if schedule.every:
        return at + schedule.every
    tick = next_tick(schedule, at)
    if tick is None:
        raise NoScheduleError(f"The cron expression {schedule.cron} cannot be read.")
    return tick


@lru_cache(maxsize=4096)
def next_tick(schedule: Schedule, at: int) -> int | None:
    """The first time of a cron expression after `at`; None: there is none, or it cannot be read.

    As Debian's cron keeps it: a time that the clocks skip comes when they have, and one that they
    show twice comes once.
    """
    try:
        for tick in CronSim(schedule.cron, _local(at, schedule.zone)):
            # In the hour that the clocks show twice, the first of a time may be over already.
            if (found := round(tick.timestamp()) * SECOND) > at:
                return found
    except CronSimError:
        pass
    return None


def _local(at: int, zone: str) -> datetime:
    return datetime.fromtimestamp(at // SECOND, tz=UTC).astimezone(zone_of(zone))


# What was heard ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Run:
    """A run that began, and of which no end was heard. `run_id` is "" where the job has none."""

    run_id: str
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    at: int
    is_failure: bool
    # None: the job said that it failed, and no code.
    exit_code: int | None
    # None: no start of this run was heard.
    duration: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """All that is to be known of a job's reports to say how it stands."""

    end: End | None = None
    open: tuple[Run, ...] = ()
    # When the newest run that ended well began; without a start, when it ended. 0: none did.
    good_from: int = 0

    def dump(self) -> dict[str, Any]:
        end = self.end
        return {
            "end": [end.at, end.is_failure, end.exit_code, end.duration] if end else None,
            "open": [[run.run_id, run.at] for run in self.open],
            "good_from": self.good_from,
        }

    @staticmethod
    def load(stored: Mapping[str, Any]) -> "Heard":
        """The other way; {} is what nothing was heard of."""
        end = stored.get("end")
        return Heard(
            end=End(at=end[0], is_failure=end[1], exit_code=end[2], duration=end[3])
            if end
            else None,
            open=tuple(Run(run_id, at) for run_id, at in stored.get("open", [])),
            good_from=stored.get("good_from", 0),
        )


def hear(
    heard: Heard, kind: BeatKind, *, at: int, run_id: str = "", exit_code: int | None = None
) -> Heard:
    """What is known after one more report. A run's end belongs to the start of the same run id."""
    if kind is BeatKind.LOG:
        return heard
    others = tuple(run for run in heard.open if run.run_id != run_id)
    if kind is BeatKind.START:
        return replace(heard, open=(*others, Run(run_id, at))[-MOST_OPEN:])
    began = next((run.at for run in heard.open if run.run_id == run_id), None)
    end = End(
        at=at,
        is_failure=kind is BeatKind.FAILURE,
        exit_code=exit_code,
        duration=None if began is None else max(0, at - began),
    )
    good_from = heard.good_from
    if kind is BeatKind.SUCCESS:
        good_from = max(good_from, at if began is None else began)
    return Heard(end=end, open=others, good_from=good_from)


# How it stands -----------------------------------------------------------------------------

# From, to.
type Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Lateness:
    """What is missing beside the newest report of an end. Without a failure: nothing is."""

    failure: Failure | None
    # Plain sentences; "" when nothing is wrong.
    reason: str = ""


def lateness(
    heard: Heard, schedule: Schedule, *, since: int, now: int, away: Sequence[Span] = ()
) -> Lateness:
    """Whether something is late, or runs too long, or is still awaited for the first time.

    `since` is when the schedule began to count: when the heartbeat was made, or edited, or asked
    again after a pause. Nothing is due for what lies before it. A report may come on the last
    microsecond of its grace. `away` are the times, in their order, at which nobody watched: what
    was to come then may have come in vain, and proves nothing.
    """
    due = due_after(schedule, max(since, heard.end.at if heard.end else 0))
    # What ended well answers for the runs that began before it.
    running = [run for run in heard.open if run.at > heard.good_from]
    if (longest := schedule.longest) is not None:
        # Its end may have been told to nobody.
        running = [
            run
            for run in running
            if now <= run.at + longest or not _meets(away, run.at, run.at + longest)
        ]
    if reason := _too_long(running, schedule, now=now):
        return Lateness(Failure.NOT_ENDED, reason)
    if reason := _late(heard, running, schedule, due=due, now=now):
        # What has failed stays so: not knowing of a later run is no better.
        has_failed = heard.end is not None and heard.end.is_failure
        unwatched = "" if has_failed else _unwatched(schedule, away, due=due, now=now)
        return Lateness(Failure.AWAITED, unwatched) if unwatched else Lateness(Failure.LATE, reason)
    if heard.end is None:
        return Lateness(Failure.AWAITED, _awaited(running, schedule, due=due))
    return Lateness(None)


def _too_long(running: Sequence[Run], schedule: Schedule, *, now: int) -> str:
    """Why a run takes too long, of several the one that does so for the longest; "": none does."""
    first = min(running, key=lambda run: run.at, default=None)
    if schedule.longest is None or first is None or now <= first.at + schedule.longest:
        return ""
    named = f" (run {first.run_id})" if first.run_id else ""
    return (
        f"It started at {said_at(first.at, schedule)}{named} and has not ended for "
        f"{span(now - first.at)}; the longest it may take is {span(schedule.longest)}."
    )


def _late(heard: Heard, running: Sequence[Run], schedule: Schedule, *, due: int, now: int) -> str:
    """Why a report of an end is late; "": it is not."""
    newest = max(running, key=lambda run: run.at, default=None)
    may_be = f"may be {span(schedule.grace)} late"
    if newest is not None and newest.at <= due + schedule.grace:
        if schedule.longest is not None or now <= max(due, newest.at) + schedule.grace:
            return ""
        return (
            f"It started at {said_at(newest.at, schedule)} and has not ended; its end was due at "
            f"{said_at(max(due, newest.at), schedule)} and {may_be}."
        )
    if now <= due + schedule.grace:
        return ""
    started = ""
    if newest is not None:
        started = f" It started too late, at {said_at(newest.at, schedule)}, and has not ended."
    was_due = f"was due at {said_at(due, schedule)} and {may_be}."
    if heard.end is None:
        return f"No report ever came; the first {was_due}{started}"
    return f"No report since {said_at(heard.end.at, schedule)}; the next {was_due}{started}"


def _unwatched(schedule: Schedule, away: Sequence[Span], *, due: int, now: int) -> str:
    """Why a report that did not come proves nothing, until the next one is late; "": it does."""
    for begin, end in away:
        if not _meets([(begin, end)], due - schedule.grace, due + schedule.grace):
            continue
        due = due_after(schedule, max(due, end))
        if now <= due + schedule.grace:
            return (
                f"Opsboard did not watch from {said_at(begin, schedule)} to "
                f"{said_at(end, schedule)}, when a report was due: nobody knows whether it came. "
                f"The next is due at {said_at(due, schedule)} and may be "
                f"{span(schedule.grace)} late."
            )
    return ""


def _meets(away: Sequence[Span], begin: int, end: int) -> bool:
    return any(first <= end and last >= begin for first, last in away)


def _awaited(running: Sequence[Run], schedule: Schedule, *, due: int) -> str:
    if running:
        return (
            f"It started at {said_at(running[-1].at, schedule)} for the first time, and has not "
            "ended yet."
        )
    return (
        f"No report came yet: the first is due at {said_at(due, schedule)} and may be "
        f"{span(schedule.grace)} late."
    )


# Words -------------------------------------------------------------------------------------


def said_at(at: int, schedule: Schedule) -> str:
    """ "02:00 CET on 27 November", by the clocks of the schedule's zone."""
    local = _local(at, schedule.zone)
    clock = "%H:%M:%S" if 0 < schedule.every < _SHORT else "%H:%M"
    return f"{local:{clock}} {local.tzname()} on {local.day} {local:%B}"


def span(duration: int) -> str:
    """In its two largest units, rounded down: "45 s", "30 min", "2 h 5 min", "3 days"."""
    seconds = duration // SECOND
    for size, large, part, small in _UNITS:
        if seconds >= size:
            more, rest = seconds // size, seconds % size // part
            first = f"{more} {large}{'s' if large == 'day' and more != 1 else ''}"
            return f"{first} {rest} {small}" if rest else first
    return f"{seconds} s"


_UNITS = ((86_400, "day", 3_600, "h"), (3_600, "h", 60, "min"), (60, "min", 1, "s"))
