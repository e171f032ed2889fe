"""The rows of script/faults: what each does, at which scale, and with what servers."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from tests.faults.alert_rows import (
    bad_receivers,
    kills_around_a_commit,
    kills_of_the_sender,
    storms,
)
from tests.faults.blind_rows import beat_dies, duty_stops, outcome
from tests.faults.clock_rows import (
    beat_behind_the_workers,
    clock_jumps_embedded,
    clock_jumps_in_production,
    off_for_two_hours,
)
from tests.faults.embedded_rows import crashes, one_in_five, two_boards
from tests.faults.evidence_rows import evidence_while_the_database_restarts
from tests.faults.full_disk import SCALE as DISK_SCALE
from tests.faults.full_disk import full_disk
from tests.faults.lost_key import key_is_lost
from tests.faults.postgres import own_cluster, shared_server
from tests.faults.report import Outcome
from tests.faults.rig import Scale
from tests.faults.server_rows import database_restarted, redis_forgets, redis_stopped
from tests.faults.trouble_rows import descriptors_run_out, targets_hang
from tests.faults.worker_rows import (
    deploy,
    five_beats,
    kill_of_a_child,
    kill_of_a_worker,
    pause,
    poison,
    two_beats,
)


@dataclass(frozen=True)
class Row:
    does: str
    run: Callable[[], Outcome]


def one_in_five_lasting(seconds: float) -> Scale:
    expected = "status == 200\nerrors < 5 % over 60 s"
    return Scale(
        probes=1, interval=1, timeout=1, margin=2, workers=1, seconds=seconds,
        expected_result=expected,
    )  # fmt: skip


def _database_restarted() -> Outcome:
    scale = Scale(probes=100, interval=5, seconds=25, times=3)
    with own_cluster() as cluster:
        return database_restarted(cluster, scale)


def _evidence() -> Outcome:
    with own_cluster() as cluster:
        return evidence_while_the_database_restarts(cluster, Scale(probes=0, times=2))


# The text's 300 probes at half its interval and timeout, so that two rounds take seconds.
HANGING = Scale(probes=300, interval=5, timeout=2.5, seconds=15)
STARVED = Scale(probes=150, interval=2, timeout=1, seconds=15)
# Leases of two seconds, so that six are lost in few.
POISONED = Scale(probes=30, interval=3, timeout=1, margin=0.5, workers=1)
WATCHED = Scale(probes=20, interval=2, timeout=1, workers=1)


@cache
def _receivers() -> dict[str, Outcome]:
    """One run for the rows of receivers in trouble, which are each of their own channel."""
    scale = Scale(probes=10, paths_a_service=1, times=6, delivery_lease=2, backoff=0.25)
    return bad_receivers(shared_server(), scale)


@cache
def _storms() -> dict[str, Outcome]:
    return storms(shared_server(), Scale(probes=300, paths_a_service=1, seconds=12))


ROWS = {
    "F1": Row(
        "kill -9 of a worker's child, every 2 s",
        lambda: kill_of_a_child(
            shared_server(), Scale(probes=200, interval=8, seconds=44, times=12)
        ),
    ),
    "F2": Row(
        "kill -9 of a worker in mid-drain, with its children",
        lambda: kill_of_a_worker(shared_server(), Scale(seconds=40, times=3)),
    ),
    "F3": Row(
        "kill -9 of the sender, between sending and marking too",
        lambda: kills_of_the_sender(
            shared_server(),
            Scale(probes=60, paths_a_service=1, seconds=20, times=20, delivery_lease=1.5),
        ),
    ),
    "F3E": Row(
        "the same on SQLite",
        lambda: kills_of_the_sender(
            None, Scale(probes=60, paths_a_service=1, seconds=12, times=10, delivery_lease=1.5)
        ),
    ),
    "F4": Row(
        "kill -9 of who records, around its commit",
        lambda: kills_around_a_commit(
            shared_server(),
            Scale(probes=12, paths_a_service=1, interval=3600, timeout=60, margin=60, patience=1),
        ),
    ),
    "F5": Row(
        "SIGTERM of each worker in turn, with requests in flight",
        lambda: deploy(shared_server(), Scale(probes=100, interval=5, seconds=38)),
    ),
    "F6": Row(
        "SIGSTOP of a worker for three leases, then SIGCONT",
        lambda: pause(
            shared_server(), Scale(probes=200, interval=4, timeout=1, margin=1, seconds=32, times=2)
        ),
    ),
    "F7": Row(
        "Redis stopped for 20 s",
        lambda: redis_stopped(shared_server(), Scale(probes=100, interval=5, seconds=36, times=20)),
    ),
    "F10": Row(
        "FLUSHALL, again and again",
        lambda: redis_forgets(shared_server(), Scale(probes=100, interval=5, seconds=22, times=15)),
    ),
    "F12": Row(
        "200 of 300 targets hang",
        lambda: outcome("F12", HANGING, targets_hang(HANGING), "two of three targets hang"),
    ),
    "F13": Row("300 services fail at once", lambda: _storms()["F13"]),
    "F14": Row("300 services recover at once", lambda: _storms()["F14"]),
    "F15": Row("services that flap", lambda: _storms()["F15"]),
    "F16": Row("no mail server for a while", lambda: _receivers()["F16"]),
    "F17": Row("a mail server that gives a byte a second", lambda: _receivers()["F17"]),
    "F18": Row("a receiver that says later, and one that refuses", lambda: _receivers()["F18"]),
    "F19": Row("incidents that are over before mail is back", lambda: _receivers()["F19"]),
    "F20": Row(
        "every bell rung five times",
        lambda: five_beats(shared_server(), Scale(probes=150, interval=5, seconds=21)),
    ),
    "F21": Row(
        "two beats",
        lambda: two_beats(shared_server(), Scale(probes=150, interval=5, seconds=21)),
    ),
    "F22": Row(
        "kill -9 of beat: the banner comes, the word of being alive does not",
        lambda: outcome("F22", WATCHED, beat_dies(shared_server(), WATCHED), "kill -9 of beat"),
    ),
    "F22A": Row(
        "the worker for alerts ends: the word of being alive does not come",
        lambda: outcome(
            "F22A",
            WATCHED,
            duty_stops(shared_server(), WATCHED, "alerts"),
            "kill -9 of the worker for alerts",
        ),
    ),
    "F22P": Row(
        "the workers for probes end: the word of being alive does not come",
        lambda: outcome(
            "F22P",
            WATCHED,
            duty_stops(shared_server(), WATCHED, "probes"),
            "kill -9 of the workers for probes",
        ),
    ),
    "F23": Row("PostgreSQL restarted (-m fast)", _database_restarted),
    "F28": Row(
        "the disk of the embedded board's database is full",
        lambda: outcome(
            "F28", DISK_SCALE, full_disk(), "a small disk of its own was filled with dd, and freed"
        ),
    ),
    "F30": Row(
        "the clocks of beat and workers jump",
        lambda: clock_jumps_in_production(
            shared_server(), Scale(probes=60, interval=5, seconds=40)
        ),
    ),
    "F30B": Row(
        "beat on a machine whose clock is two minutes behind",
        lambda: beat_behind_the_workers(shared_server(), Scale(probes=60, interval=4, seconds=20)),
    ),
    "F30E": Row(
        "the clock of the embedded board jumps",
        lambda: clock_jumps_embedded(Scale(probes=30, interval=5, seconds=40)),
    ),
    "F33": Row(
        "no file descriptor left",
        lambda: outcome(
            "F33", STARVED, descriptors_run_out(STARVED), "prlimit --nofile of the whole board"
        ),
    ),
    "F34": Row(
        "off for two hours, then started",
        lambda: off_for_two_hours(shared_server(), Scale(seconds=20)),
    ),
    "F39": Row(
        "a probe that ends whoever asks it",
        lambda: outcome("F39", POISONED, poison(shared_server(), POISONED), "kill -9 by one path"),
    ),
    "F41": Row(
        "two embedded boards on one data directory",
        lambda: two_boards(Scale(probes=30, interval=2, timeout=1, seconds=12)),
    ),
    "F42": Row(
        "kill -9 of the embedded board, 100 times",
        lambda: crashes(Scale(probes=20, interval=1, timeout=1, seconds=0.5, times=100)),
    ),
    "F44": Row("PostgreSQL restarted while programs give evidence", _evidence),
    "F46": Row("a field key that is away", lambda: _receivers()["F46"]),
    "F46B": Row(
        "the key of a channel's address is lost, and comes back",
        lambda: outcome(
            "F46B", WATCHED, key_is_lost(WATCHED), "started with another key, then with its own"
        ),
    ),
    "ONE-IN-FIVE": Row(
        "a far side that fails every fifth request, for five minutes",
        lambda: one_in_five(one_in_five_lasting(300)),
    ),
}
# Takes minutes and hardly any of the machine: begun with the first row, told after the last.
BESIDE_THE_OTHERS = "ONE-IN-FIVE"
