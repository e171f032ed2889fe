"""Heartbeats: when the next report is due, and what is said of one that does not come."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from opsboard.outbound.reply import Failure
from opsboard.probes.beat_rules import (
    BeatKind,
    Heard,
    Lateness,
    NoScheduleError,
    Schedule,
    due_after,
    hear,
    lateness,
    schedule_of,
    span,
)

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
START, SUCCESS, FAILURE, LOG = BeatKind
OSLO = ZoneInfo("Europe/Oslo")
NIGHTLY = Schedule(cron="0 2 * * *", zone="Europe/Oslo", grace=30 * MINUTE)
HOURLY = Schedule(every=HOUR, grace=5 * MINUTE)


def oslo(text: str, fold: int = 0) -> int:
    """Microseconds of a time of the clocks in Oslo; `fold` 1: the second time they show it."""
    return round(datetime.fromisoformat(text).replace(tzinfo=OSLO, fold=fold).timestamp()) * SECOND


def utc(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND


def heard_of(*reports: tuple[BeatKind, int] | tuple[BeatKind, int, str]) -> Heard:
    heard = Heard()
    for kind, at, *rest in reports:
        code = {SUCCESS: 0, FAILURE: 3}.get(kind)
        heard = hear(heard, kind, at=at, run_id="".join(rest), exit_code=code)
    return heard


def test_a_period_counts_from_the_last_end():
    assert due_after(HOURLY, 17) == 17 + HOUR


@pytest.mark.parametrize(
    ("cron", "after", "due"),
    [
        # A day like any other: the microsecond before, the moment itself, and after it.
        ("0 2 * * *", oslo("2026-11-27 02:00") - 1, oslo("2026-11-27 02:00")),
        ("0 2 * * *", oslo("2026-11-27 02:00"), oslo("2026-11-28 02:00")),
        ("0 2 * * *", oslo("2026-11-27 02:00") + 1, oslo("2026-11-28 02:00")),
        # On 29 March the clocks go from 02:00 to 03:00: there is no 02:30, and the job runs at 3.
        ("30 2 * * *", oslo("2026-03-28 02:40"), oslo("2026-03-29 03:00")),
        ("30 2 * * *", oslo("2026-03-29 03:00"), oslo("2026-03-30 02:30")),
        ("0 4 * * *", oslo("2026-03-28 04:10"), oslo("2026-03-29 04:00")),
        ("*/15 * * * *", oslo("2026-03-29 01:45"), oslo("2026-03-29 03:00")),
        # On 25 October they show 02:00 to 03:00 twice: once a night is once, by the first.
        ("30 2 * * *", oslo("2026-10-24 02:40"), oslo("2026-10-25 02:30")),
        ("30 2 * * *", oslo("2026-10-25 02:30"), oslo("2026-10-26 02:30")),
        ("30 2 * * *", oslo("2026-10-25 02:45", fold=1), oslo("2026-10-26 02:30")),
        # It ended in the second 02:15, after the only 02:30 that counts: due the next night.
        ("30 2 * * *", oslo("2026-10-25 02:15", fold=1), oslo("2026-10-26 02:30")),
        # What runs every quarter of an hour runs through both.
        ("*/15 * * * *", oslo("2026-10-25 02:45"), oslo("2026-10-25 02:00", fold=1)),
        ("*/15 * * * *", oslo("2026-10-25 02:45", fold=1), oslo("2026-10-25 03:00")),
        # Debian's words for days.
        ("0 6 L * *", oslo("2026-02-03 12:00"), oslo("2026-02-28 06:00")),
        ("0 6 * * MON#1", oslo("2026-11-27 12:00"), oslo("2026-12-07 06:00")),
        ("0 0 29 2 *", oslo("2026-11-27 12:00"), oslo("2028-02-29 00:00")),
    ],
)
def test_a_cron_expression_keeps_the_clocks_of_its_zone(cron: str, after: int, due: int):
    assert due_after(Schedule(cron=cron, zone="Europe/Oslo"), after) == due


def test_the_same_expression_in_two_zones_is_due_at_two_times():
    after = utc("2026-11-27 12:00")
    assert due_after(Schedule(cron="0 2 * * *", zone="UTC"), after) == utc("2026-11-28 02:00")
    assert due_after(NIGHTLY, after) == utc("2026-11-28 01:00")


@pytest.mark.parametrize("late", [0, 1])
def test_a_report_may_come_on_the_last_microsecond_of_its_grace(late: int):
    last = oslo("2026-11-27 02:00") + 17 * SECOND
    now = oslo("2026-11-28 02:30") + late
    said = lateness(heard_of((SUCCESS, last)), NIGHTLY, since=0, now=now)
    assert (said.failure is Failure.LATE) == bool(late)


def test_a_report_that_does_not_come_is_told_with_both_times():
    heard = heard_of((SUCCESS, oslo("2026-11-27 02:00")))
    said = lateness(heard, NIGHTLY, since=0, now=oslo("2026-11-28 09:00"))
    assert said == Lateness(
        Failure.LATE,
        "No report since 02:00 CET on 27 November; the next was due at 02:00 CET on 28 November "
        "and may be 30 min late.",
    )


def test_seconds_are_told_of_a_job_that_runs_every_few():
    schedule = Schedule(every=30 * SECOND, grace=10 * SECOND)
    said = lateness(
        heard_of((SUCCESS, utc("2026-11-28 12:00:05"))),
        schedule,
        since=0,
        now=utc("2026-11-28 12:01:00"),
    )
    assert "since 12:00:05 UTC" in said.reason
    assert "due at 12:00:35 UTC" in said.reason


def test_before_the_first_report_nothing_is_known_and_then_it_is_late():
    made = utc("2026-11-28 12:00")
    due = made + HOUR + HOURLY.grace
    before = lateness(Heard(), HOURLY, since=made, now=due)
    assert before.failure is Failure.AWAITED
    assert before.reason == (
        "No report came yet: the first is due at 13:00 UTC on 28 November and may be 5 min late."
    )
    after = lateness(Heard(), HOURLY, since=made, now=due + 1)
    assert after.failure is Failure.LATE
    assert after.reason.startswith("No report ever came; the first was due at 13:00 UTC")


def test_a_first_run_that_goes_on_is_not_yet_known_either():
    made = utc("2026-11-28 12:00")
    said = lateness(heard_of((START, made + MINUTE)), HOURLY, since=made, now=made + 2 * MINUTE)
    assert said.failure is Failure.AWAITED
    assert "started at 12:01 UTC" in said.reason


def test_an_edited_schedule_is_not_late_for_what_lies_before_it():
    edited = utc("2026-11-28 12:00")
    heard = heard_of((SUCCESS, edited - 20 * HOUR))
    assert lateness(heard, HOURLY, since=0, now=edited + MINUTE).failure is Failure.LATE
    assert lateness(heard, HOURLY, since=edited, now=edited + MINUTE).failure is None


# Runs that began -----------------------------------------------------------------------------


def test_a_run_that_began_in_time_may_go_on_for_its_longest():
    schedule = Schedule(every=HOUR, grace=5 * MINUTE, longest=3 * HOUR)
    ended, began = utc("2026-11-28 01:00"), utc("2026-11-28 02:04")
    heard = heard_of((SUCCESS, ended), (START, began))
    assert lateness(heard, schedule, since=0, now=began + 3 * HOUR).failure is None
    said = lateness(heard, schedule, since=0, now=began + 3 * HOUR + 1)
    assert said == Lateness(
        Failure.NOT_ENDED,
        "It started at 02:04 UTC on 28 November and has not ended for 3 h; the longest it may "
        "take is 3 h.",
    )


def test_without_a_longest_a_run_has_its_grace_from_its_start_or_from_when_it_was_due():
    ended = utc("2026-11-28 01:00")
    early, slow = ended + 50 * MINUTE, ended + HOUR + 4 * MINUTE
    for began, last in ((early, ended + HOUR + 5 * MINUTE), (slow, slow + 5 * MINUTE)):
        heard = heard_of((SUCCESS, ended), (START, began))
        assert lateness(heard, HOURLY, since=0, now=last).failure is None
        said = lateness(heard, HOURLY, since=0, now=last + 1)
        assert said.failure is Failure.LATE
        assert "has not ended; its end was due at" in said.reason


def test_a_run_that_began_too_late_does_not_make_it_pass_before_it_ends():
    ended = utc("2026-11-28 01:00")
    began = ended + HOUR + 5 * MINUTE + 1
    heard = heard_of((SUCCESS, ended), (START, began))
    said = lateness(heard, HOURLY, since=0, now=began + SECOND)
    assert said.failure is Failure.LATE
    assert said.reason.endswith(
        "It started too late, at 02:05 UTC on 28 November, and has not ended."
    )
    assert lateness(
        hear(heard, SUCCESS, at=began + MINUTE), HOURLY, since=0, now=began + MINUTE
    ) == (Lateness(None))


def test_a_job_that_only_ever_starts_stays_failing():
    schedule = Schedule(every=HOUR, grace=5 * MINUTE, longest=30 * MINUTE)
    at = utc("2026-11-28 01:00")
    heard = heard_of((SUCCESS, at), *((START, at + number * HOUR) for number in (1, 2, 3)))
    for minutes in (1, 29, 31, 59):
        said = lateness(heard, schedule, since=0, now=at + 3 * HOUR + minutes * MINUTE)
        assert said.failure is not None


# While nobody watched ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("begin", "end", "failure"),
    [
        # Long before it was due, up to then, in its grace, over all of it, and after it was late.
        ("2026-11-28 00:10", "2026-11-28 01:29", Failure.LATE),
        ("2026-11-28 00:10", "2026-11-28 02:00", Failure.AWAITED),
        ("2026-11-28 02:20", "2026-11-28 02:25", Failure.AWAITED),
        ("2026-11-27 23:00", "2026-11-28 08:00", Failure.AWAITED),
        ("2026-11-28 02:31", "2026-11-28 08:00", Failure.LATE),
    ],
)
def test_a_report_that_was_due_while_nobody_watched_proves_nothing(
    begin: str, end: str, failure: Failure
):
    heard, away = heard_of((SUCCESS, oslo("2026-11-27 02:00"))), [(oslo(begin), oslo(end))]
    now = oslo("2026-11-28 09:00")
    assert lateness(heard, NIGHTLY, since=0, now=now, away=away).failure is failure


def test_it_is_said_so_until_the_next_report_is_late():
    heard = heard_of((SUCCESS, oslo("2026-11-27 02:00")))
    away = [(oslo("2026-11-28 01:55"), oslo("2026-11-28 02:20"))]
    last = oslo("2026-11-29 02:30")
    assert lateness(heard, NIGHTLY, since=0, now=last, away=away) == Lateness(
        Failure.AWAITED,
        "Opsboard did not watch from 01:55 CET on 28 November to 02:20 CET on 28 November, when a "
        "report was due: nobody knows whether it came. The next is due at 02:00 CET on 29 November "
        "and may be 30 min late.",
    )
    assert lateness(heard, NIGHTLY, since=0, now=last + 1, away=away).failure is Failure.LATE
    twice = [*away, (oslo("2026-11-29 02:00"), oslo("2026-11-29 02:10"))]
    assert lateness(heard, NIGHTLY, since=0, now=last + 1, away=twice).failure is Failure.AWAITED


def test_a_job_that_had_failed_is_not_unknown_because_nobody_watched():
    heard = heard_of((FAILURE, oslo("2026-11-27 02:00")))
    away = [(oslo("2026-11-28 01:55"), oslo("2026-11-28 02:20"))]
    said = lateness(heard, NIGHTLY, since=0, now=oslo("2026-11-28 09:00"), away=away)
    assert said.failure is Failure.LATE


def test_a_run_whose_end_nobody_could_hear_is_not_said_to_take_too_long():
    schedule = Schedule(every=DAY, grace=HOUR, longest=HOUR)
    heard = heard_of((SUCCESS, 0), (START, HOUR))
    away, now = [(HOUR + 30 * MINUTE, HOUR + 40 * MINUTE)], 3 * HOUR
    assert lateness(heard, schedule, since=0, now=now).failure is Failure.NOT_ENDED
    assert lateness(heard, schedule, since=0, now=now, away=away).failure is None
    assert lateness(heard, schedule, since=0, now=DAY + HOUR + 1, away=away).failure is Failure.LATE


def test_overlapping_runs_are_each_timed_by_their_own_id():
    heard = heard_of((START, 0, "a"), (START, 10 * MINUTE, "b"), (SUCCESS, 12 * MINUTE, "b"))
    assert heard.end is not None and heard.end.duration == 2 * MINUTE
    heard = hear(heard, SUCCESS, at=HOUR, run_id="a", exit_code=0)
    assert heard.end is not None and heard.end.duration == HOUR
    assert heard.open == ()


def test_an_end_of_a_run_whose_start_was_not_heard_has_no_duration():
    heard = heard_of((START, 0), (SUCCESS, MINUTE, "another"))
    assert heard.end is not None and heard.end.duration is None


def test_a_run_that_hangs_is_told_until_a_later_one_ends_well():
    schedule = Schedule(every=DAY, grace=HOUR, longest=HOUR)
    heard = heard_of((SUCCESS, 0), (START, HOUR, "hangs"), (START, 2 * HOUR, "next"))
    late = lateness(heard, schedule, since=0, now=2 * HOUR + MINUTE)
    assert late.failure is Failure.NOT_ENDED
    assert "(run hangs)" in late.reason
    failed = hear(heard, FAILURE, at=2 * HOUR + 2 * MINUTE, run_id="next", exit_code=1)
    assert lateness(failed, schedule, since=0, now=2 * HOUR + 2 * MINUTE).failure is not None
    good = hear(heard, SUCCESS, at=2 * HOUR + 2 * MINUTE, run_id="next", exit_code=0)
    assert lateness(good, schedule, since=0, now=2 * HOUR + 2 * MINUTE).failure is None


def test_a_start_without_an_id_takes_the_place_of_the_one_before():
    heard = heard_of((START, 0), (START, HOUR), (SUCCESS, HOUR + MINUTE))
    assert heard.end is not None and heard.end.duration == MINUTE
    assert heard.open == ()


def test_a_log_changes_nothing():
    heard = heard_of((START, 0), (SUCCESS, MINUTE))
    assert hear(heard, LOG, at=HOUR) == heard


def test_runs_that_never_end_are_bounded():
    heard = heard_of(*((START, number, f"{number}") for number in range(100)))
    assert [run.at for run in heard.open] == list(range(80, 100))


def test_what_was_heard_is_kept_whole():
    heard = heard_of((START, 5, "a"), (SUCCESS, 7, "a"), (START, 9), (FAILURE, 11, "c"))
    assert Heard.load(heard.dump()) == heard
    assert Heard.load({}) == Heard()


def test_a_schedule_is_read_from_the_sheet_with_its_usual_grace():
    assert schedule_of({"every": HOUR}) == Schedule(every=HOUR, grace=5 * MINUTE)
    assert schedule_of(
        {"cron": "0 2 * * *", "zone": "Europe/Oslo", "grace": 30 * MINUTE, "longest": HOUR}
    ) == Schedule(cron="0 2 * * *", zone="Europe/Oslo", grace=30 * MINUTE, longest=HOUR)


@pytest.mark.parametrize("written", [{}, {"cron": "0 99 * * *"}, {"cron": "0 0 30 2 *"}])
def test_a_schedule_that_cannot_be_read_is_said_to_be_so(written: dict[str, object]):
    with pytest.raises(NoScheduleError):
        schedule_of(written)


@pytest.mark.parametrize(
    ("duration", "words"),
    [
        (45 * SECOND, "45 s"),
        (30 * MINUTE, "30 min"),
        (90 * SECOND, "1 min 30 s"),
        (2 * HOUR + 5 * MINUTE + 59 * SECOND, "2 h 5 min"),
        (3 * DAY, "3 days"),
        (DAY + HOUR, "1 day 1 h"),
    ],
)
def test_durations_are_said_in_two_units(duration: int, words: str):
    assert span(duration) == words
