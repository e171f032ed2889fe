"""Rows in which time itself misbehaves: clocks that jump, and two hours of nothing."""

import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

from tests.faults.boards import embedded, production
from tests.faults.ledger import lost_rounds, open_books, read_journal, seven_numbers
from tests.faults.postgres import NotHereError, Server
from tests.faults.report import Outcome, PassLine
from tests.faults.rig import Rig, Scale
from tests.faults.runs import MICRO
from tests.faults.watching import Fault, settle, watch
from tests.running.processes import until

# How much each process's own clock is off, one after the other. An hour back comes first, while
# the alert of the outage is still to go out: what waits for a time of day then waits an hour.
JUMPS = ["-3600s", "+3600s", "+86400s"]
BEHIND = "-120s"
# Times the usual number of requests in the busiest second.
STORM = 3.0
# The first retry comes after a second, and a bell every second.
ALERT_WITHIN = 8.0
OFF_SECONDS = 7200
START_UP = 2.0


@dataclass(frozen=True)
class FakeClock:
    """The clock of every process that was started with `environment`. Only theirs: not ours."""

    file: Path

    def is_off_by(self, offset: str) -> None:
        # Swapped in whole: half a line would be some other time.
        new = self.file.with_suffix(".new")
        new.write_text(offset)
        new.replace(self.file)

    @property
    def environment(self) -> dict[str, str]:
        return {
            "LD_PRELOAD": str(_library()),
            "FAKETIME_TIMESTAMP_FILE": str(self.file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }


@contextmanager
def fake_clock() -> Iterator[FakeClock]:
    with tempfile.TemporaryDirectory(prefix="opsboard-faults-clock-") as directory:
        clock = FakeClock(Path(directory) / "clock")
        clock.is_off_by("+0s")
        yield clock


def _library() -> Path:
    spec = find_spec("libfaketime")
    if spec is None or spec.origin is None:
        raise NotHereError("libfaketime is not installed (it is for Linux only)")
    return next(Path(spec.origin).parent.rglob("libfaketime.so.1"))


def clock_jumps_in_production(server: Server, scale: Scale) -> Outcome:
    """F30 on PostgreSQL: the clocks of beat and workers jump; the database keeps its own."""
    with fake_clock() as clock, production(server, scale, **clock.environment) as rig:
        return _jumping("F30", rig, clock, has_a_grid=True)


def beat_behind_the_workers(server: Server, scale: Scale) -> Outcome:
    """F30B: beat runs on a machine whose clock is behind. Its bells must not be dead on arrival."""
    line = PassLine(max_gap_s=2 * scale.interval)
    with fake_clock() as clock:
        clock.is_off_by(BEHIND)
        with production(server, scale, beat=clock.environment) as rig:
            fault = Fault(injected=f"beat's clock is off by {BEHIND}", ended=time.time())
            return watch("F30B", rig, lambda: fault, line)


def clock_jumps_embedded(scale: Scale) -> Outcome:
    """F30 on the embedded board, whose database has no other clock than the process's own."""
    with fake_clock() as clock, embedded(scale, **clock.environment) as (rig, board):
        board.start()
        rig.warm_up()
        outcome = _jumping("F30E", rig, clock, has_a_grid=False)
    outcome.notes.append("rounds: not told, since the grid of slots jumps with the clock")
    return outcome


def _jumping(row: str, rig: Rig, clock: FakeClock, *, has_a_grid: bool) -> Outcome:
    trouble: list[str] = []
    line = PassLine(max_gap_s=2 * rig.scale.interval)
    outcome = watch(row, rig, lambda: _jump(rig, clock, trouble), line, has_a_grid=has_a_grid)
    outcome.also_broken += [*trouble, *_storm(rig), *_negative(rig)]
    return outcome


def _jump(rig: Rig, clock: FakeClock, trouble: list[str]) -> Fault:
    """The first jump comes when the outage's alert was tried once, and is to be tried again."""
    began = time.time()
    rig.tell_sink("500")
    tried = "SELECT max(attempts) FROM alerts_message"
    assert until(lambda: rig.store.one(tried)), "no alert was tried"
    for number, offset in enumerate(JUMPS):
        clock.is_off_by(offset)
        rig.tell_sink("ok")
        if not number and not until(lambda: rig.sink.stat().st_size, seconds=ALERT_WITHIN):
            trouble.append(f"with the clock set back no alert went out for {ALERT_WITHIN:g} s")
        time.sleep(max(0.0, began + (number + 1) * rig.scale.seconds / 4 - time.time()))
    return Fault(injected=f"own clocks off by {', '.join(JUMPS)}", ended=time.time())


def _negative(rig: Rig) -> list[str]:
    rows = rig.store.rows(
        "SELECT min(total), min(dns), min(connect), min(tls), min(first_byte), min(transfer),"
        " min(lateness) FROM probes_observation"
    )
    names = ["total", "dns", "connect", "tls", "first_byte", "transfer", "lateness"]
    return [f"{name} of {low} us" for name, low in zip(names, rows[0], strict=True) if low < 0]


def busiest_second(journal: Path, *, since: float) -> int:
    seconds = Counter(int(at) for at, _, _ in read_journal(journal) if at >= since)
    return max(seconds.values(), default=0)


def _storm(rig: Rig) -> list[str]:
    usual = rig.scale.probes / rig.scale.interval
    # The first asks of a new company are all at once, by design: they are not of the fault.
    first = min(at for at, _, _ in read_journal(rig.journal))
    busiest = busiest_second(rig.journal, since=first + 2 * rig.scale.interval)
    if busiest <= STORM * usual:
        return []
    return [f"{busiest} requests in a second, where {usual:g} are usual"]


def off_for_two_hours(server: Server, scale: Scale) -> Outcome:
    """F34: everything is stopped, its history moved two hours back, and started again."""
    with production(server, scale) as rig:
        for program in [*rig.workers, *rig.others]:
            program.kill()
        _move_back(rig)
        back = time.time()
        for program in [*rig.workers, *rig.others]:
            program.start()
        time.sleep(scale.seconds)
        return _after_the_silence(rig, back)


def _move_back(rig: Rig) -> None:
    """As if the last thing that happened had happened two hours ago. What was seen is let go."""
    by = OFF_SECONDS * MICRO
    for table in ("observation", "gap", "shift"):
        rig.store.write(f"DELETE FROM probes_{table}")  # noqa: S608
    rig.store.write("UPDATE probes_statechange SET at = at - %s", by)
    rig.store.write(
        "UPDATE probes_probe SET slot_at = slot_at - %s, observed_at = observed_at - %s,"
        " state_since = state_since - %s, began_at = began_at - %s,"
        " windows = '', claim_id = NULL, leased_until = NULL",
        *[by] * 4,
    )


def _after_the_silence(rig: Rig, back: float) -> Outcome:
    scale = rig.scale
    run = rig.run(began=back, fault_ended=back, outages=frozenset())
    settle(run)
    figures = seven_numbers(run)
    silence = replace(run, began=back - OFF_SECONDS + scale.interval)
    return Outcome(
        row="F34",
        scale=scale,
        figures=replace(figures, rounds_lost=len(lost_rounds(open_books(silence)))),
        injected=f"off for {OFF_SECONDS} s: history moved back while everything was stopped",
        pass_line=PassLine(max_gap_s=2 * scale.interval + 10, recovery_s=scale.interval + 10),
        notes=[f"gaps written: {_gaps(rig)} for {len(rig.probes)} probes"],
        also_broken=[*_rush(rig, back), *_unwritten(rig)],
    )


def _gaps(rig: Rig) -> int:
    slots = round(OFF_SECONDS / rig.scale.interval) - 2
    return int(rig.store.one("SELECT count(*) FROM probes_gap WHERE slots >= %s", slots))


def _unwritten(rig: Rig) -> list[str]:
    silent = "SELECT count(DISTINCT probe_id) FROM probes_statechange WHERE after = 'no_data'"
    broken = []
    if _gaps(rig) != len(rig.probes):
        broken.append(f"{_gaps(rig)} gaps were written for {len(rig.probes)} probes")
    if rig.store.one(silent) != len(rig.probes):
        broken.append("the silence of some probes is not in their history")
    return broken


def _rush(rig: Rig, back: float) -> list[str]:
    usual = rig.scale.probes / rig.scale.interval
    busiest = busiest_second(rig.journal, since=back)
    if busiest <= START_UP * usual:
        return []
    return [f"{busiest} requests in a second after the start, where {usual:g} are usual"]
