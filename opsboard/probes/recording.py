"""Recording: a wave of observations in one transaction, each confirmed change in one of its own.

Everything is written under the claim it was asked under. A claim that is gone (its lease ran out
and another worker took it, or a person edited the sheet) changes nothing.
"""

from collections import Counter
from collections.abc import Callable, Sequence

from django.db import connection, transaction

from opsboard.probes.models import Exchange, Kind, Probe, StateChange
from opsboard.probes.results import Result
from opsboard.probes.rules import State, Verdict
from opsboard.probes.schedule import write_missed
from opsboard.probes.stored import (
    MOVED,
    OBSERVED,
    exchange_of,
    is_worth_keeping,
    missed_of,
    moved_row,
    observed_row,
    text_of,
)
from opsboard.services.models import Service

# Called for each confirmed change, inside its transaction, with the service's row held.
React = Callable[[Result], None]


def record(results: Sequence[Result], *, now: int, react: React) -> int:
    """Write a wave. Returns how many results were dropped because their claim was gone."""
    quiet = without_news(results)
    dropped = _record_quiet(quiet, now=now) if quiet else 0
    told = {result.claim.probe_id for result in quiet}
    for result in results:
        if result.claim.probe_id not in told:
            dropped += _record_change(result, now=now, react=react)
    return dropped


def without_news(results: Sequence[Result]) -> list[Result]:
    """Those without a change, and those that were only silent: well before, and well again.

    After a pause of ours that is every probe there is. To react to each of them by itself took so
    long that the next fell silent meanwhile. Where a path is asked from elsewhere too, a silence
    may have changed what is said of the path, and is reacted to.
    """
    silent = [result for result in results if result.turn.changes and _is_as_before(result)]
    elsewhere = _asked_elsewhere(silent) if silent else set()
    return [
        result
        for result in results
        if not result.turn.changes
        or (_is_as_before(result) and result.claim.probe_id not in elsewhere)
    ]


def _is_as_before(result: Result) -> bool:
    before, after = result.claim.standing, result.turn.standing
    calm = (State.PASSING, State.WARNING)
    return before.state in calm and after.state is before.state


def _asked_elsewhere(results: Sequence[Result]) -> set[int]:
    """Which of their probes are not the only one of their path in its environment."""
    paths = {result.order.path_id for result in results}
    probes = Probe.objects.filter(path_id__in=paths, ended_at=None)
    places = Counter(probes.values_list("path_id", "environment_id"))
    return {
        result.claim.probe_id
        for result in results
        if places[result.order.path_id, result.order.environment_id] > 1
    }


def _record_quiet(results: Sequence[Result], *, now: int) -> int:
    with transaction.atomic():
        written = _write(results, now=now)
        _note_changes(written)
    return len(results) - len(written)


def _record_change(result: Result, *, now: int, react: React) -> int:
    with transaction.atomic():
        # The service first: two probes of it recovering together must see each other.
        Service.objects.select_for_update().get(pk=result.order.service_id)
        if not _write([result], now=now):
            return 1
        _note_changes([result])
        react(result)
    return 0


def _note_changes(results: Sequence[Result]) -> None:
    changes = [
        StateChange(
            probe_id=result.claim.probe_id,
            at=change.at,
            before=change.before,
            after=change.after,
            reason=text_of(change.reason, result.order),
        )
        for result in results
        for change in result.turn.changes
    ]
    if changes:
        StateChange.objects.bulk_create(changes)


def _write(results: Sequence[Result], *, now: int) -> list[Result]:
    """Move the schedule and the standing on, and store the observation, where the claim holds."""
    held = _move_on(sorted(results, key=lambda result: result.claim.probe_id), now=now)
    written = [result for result in results if result.claim.probe_id in held]
    if written:
        _observe(written)
    write_missed(missed for result in written if (missed := missed_of(result, now)))
    if kept := [exchange_of(result) for result in written if is_worth_keeping(result)]:
        Exchange.objects.bulk_create(kept, ignore_conflicts=True)
    return written


COUNTED = {
    "counted_passing": Verdict.PASSING,
    "counted_warning": Verdict.WARNING,
    "counted_failing": Verdict.FAILING,
    "counted_errors": Verdict.ERROR,
}


def _move_on(results: Sequence[Result], *, now: int) -> set[int]:
    counts = ", ".join(
        f"{column} = {column} + CASE WHEN v.verdict = {verdict.value} THEN 1 ELSE 0 END"
        for column, verdict in COUNTED.items()
    )
    # Nothing of a result is in the text of the statement.
    statement = f"""
        UPDATE probes_probe SET
            claim_id = NULL, leased_until = NULL, leases_lost = 0,
            slot_at = v.slot,
            ask_now_at = COALESCE(v.again,
                CASE WHEN ask_now_at > v.asked THEN ask_now_at END),
            ask_now_kind = CASE WHEN v.again IS NULL THEN ask_now_kind
                ELSE {Kind.ASKED_AGAIN.value} END,
            state = v.state, state_since = v.since, streak_state = v.streak,
            recent = v.recent, reason = v.reason, windows = v.windows,
            observed_at = v.observed, latest = v.latest,
            {counts}, lateness_sum = lateness_sum + v.lateness
        FROM {MOVED.rows()}
        WHERE probes_probe.id = v.probe AND probes_probe.claim_id = v.claim
        RETURNING probes_probe.id"""  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(statement, [MOVED.text(moved_row(result, now) for result in results)])
        return {row[0] for row in cursor.fetchall()}


def _observe(results: Sequence[Result]) -> None:
    """Store the observations. One that is there already (a clock was set back) stays as it is."""
    statement = f"""
        INSERT INTO probes_observation ({OBSERVED.names})
        SELECT {OBSERVED.names} FROM {OBSERVED.rows()} WHERE true
        ON CONFLICT DO NOTHING"""  # noqa: S608 - names of this module only
    with connection.cursor() as cursor:
        cursor.execute(statement, [OBSERVED.text(map(observed_row, results))])
