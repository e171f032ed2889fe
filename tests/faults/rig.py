"""The running parts of one fault run, and how to look at them from outside."""

import sys
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from opsboard.probes import narrow
from tests.faults.programs import Program
from tests.faults.runs import MICRO, Run
from tests.faults.store import Store
from tests.running.processes import until

# How far ahead of their slots a claim takes probes: a lease is longer by this.
HORIZON_SECONDS = 0.5
WARM_UP_SECONDS = 60
PATHS_A_SERVICE = 10


@dataclass(frozen=True, kw_only=True)
class Scale:
    """The size of a run, in seconds and counts. It is printed with every figure."""

    probes: int = 300
    paths_a_service: int = PATHS_A_SERVICE
    # Where each path is asked from; none: at home.
    locations: tuple[str, ...] = ()
    teams: int = 1
    interval: float = 10
    timeout: float = 2
    margin: float = 2
    patience: int = 2
    ask_again_after: float = 1
    budget: float = 10
    # That drain, with one more for alerts and duties. 0: one worker for everything.
    workers: int = 3
    seconds: float = 45
    # How often the fault is made; of an outage of a server, how many seconds it lasts.
    times: int = 1
    # Of a quiet channel, which is 1 as shipped; the longer waits are ten and thirty times that.
    gather: float = 0.1
    # Of a message in one sender's hands, which is 30 as shipped.
    delivery_lease: float = 3
    # Of the first retry, which is 5 as shipped; the later ones grow with it.
    backoff: float = 1
    # The window never breaks. It counts every observation that the standing was told of.
    expected_result: str = "status == 200\nerrors <= 100 % over 30 m"

    @property
    def lease(self) -> float:
        return self.timeout + self.margin + HORIZON_SECONDS

    def settings(self) -> dict[str, str]:
        return {
            "OPSBOARD_LEASE_MARGIN_SECONDS": str(self.margin),
            "OPSBOARD_DRAIN_BUDGET_SECONDS": str(self.budget),
            "OPSBOARD_REASK_AFTER_SECONDS": str(self.ask_again_after),
            "OPSBOARD_DELIVERY_BACKOFF_SECONDS": str(self.backoff),
            "OPSBOARD_DELIVERY_LEASE_SECONDS": str(self.delivery_lease),
            "OPSBOARD_GATHER_SECONDS": str(self.gather),
            # All targets are one host here: as many at a time as there are.
            "OPSBOARD_PROBES_AT_ONCE_A_HOST": str(max(self.probes, 4)),
        }


@dataclass
class Rig:
    scale: Scale
    store: Store
    directory: Path
    environment: dict[str, str]
    targets_port: int
    sink_port: int
    # The number of the target of each probe, by the probe's id.
    probes: dict[int, int] = field(default_factory=dict)
    # Those that drain; then the worker for alerts and duties, and beat.
    workers: list[Program] = field(default_factory=list)
    others: list[Program] = field(default_factory=list)
    redis: Program | None = None
    redis_port: int = 0
    mail_port: int = 0

    @property
    def journal(self) -> Path:
        return self.directory / "targets.journal"

    @property
    def sink(self) -> Path:
        return self.directory / "sink.journal"

    def run(self, *, began: float, fault_ended: float | None, outages: frozenset[int]) -> Run:
        """What the ledger is to count: from `began` to now."""
        return Run(
            store=self.store,
            probes=self.probes,
            journal=self.journal,
            sink=self.sink,
            lease=self.scale.lease,
            interval=self.scale.interval,
            began=began,
            ended=time.time(),
            fault_ended=fault_ended,
            outages=outages,
        )

    def tell(self, paths: str, does: str) -> None:
        """Tell targets what to do from now on: tell("0-29", "hang")."""
        get(f"http://127.0.0.1:{self.targets_port}/control?paths={paths}&do={does}")

    def tell_sink(self, does: str, at: str = "/") -> None:
        """Tell the receiver of alerts what to do from now on: see sink.py."""
        get(f"http://127.0.0.1:{self.sink_port}/control?do={does}&at={at}")

    def program(self, name: str, *command: str, **extra: str) -> Program:
        log = self.directory / f"{name}.log"
        return Program([sys.executable, "-m", *command], self.environment | extra, log)

    def worker(
        self,
        name: str,
        queues: str = "probes.default",
        *,
        processes: int = 2,
        app: str = "opsboard",
        **extra: str,
    ) -> Program:
        return self.program(
            name, "celery", "-A", app, "worker", "-n", f"{name}@%h", "-Q", queues,
            "-c", str(processes),
            "--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "WARNING",
            **extra,
        )  # fmt: skip

    def beat(self, name: str, **extra: str) -> Program:
        schedule = str(self.directory / f"{name}.schedule")
        return self.program(
            name, "celery", "-A", "opsboard", "beat", "--schedule", schedule, "--pidfile", "",
            "--loglevel", "WARNING", **extra,
        )  # fmt: skip

    def sender(self, **extra: str) -> Program:
        return self.program("sender", "tests.faults.sender", **extra)

    def post(self, *how: str) -> Program:
        """The mail server; post("drips") gives one byte a second for ever."""
        port, journal = str(self.mail_port), str(self.sink)
        return self.program("post", "tests.faults.post", port, journal, *how)

    def draining(self) -> int:
        """The id of the process that drains at this moment: the one to hurt."""
        found = until(self._draining, seconds=WARM_UP_SECONDS)
        assert found, f"no worker drains\n{self.logs()}"
        return found

    def _draining(self) -> int | None:
        # What a killed one last said is passed over, as is one that is silent.
        alive = {child for one in self.workers if one.is_alive() for child in one.children()}
        since = round((time.time() - 2) * MICRO)
        rows = self.store.rows(
            "SELECT instance FROM probes_shift WHERE duty = 'drain:default' AND claimed_at > %s"
            " ORDER BY began_at DESC",
            since,
        )
        said = (int(instance.split(":")[-2]) for (instance,) in rows)
        return next((process for process in said if process in alive), None)

    def drainer(self) -> Program:
        """The worker whose child drains at this moment."""
        child = self.draining()
        return next(one for one in self.workers if one.is_alive() and child in one.children())

    def claimed(self) -> int:
        """How many probes are claimed at this moment."""
        return int(self.store.one("SELECT count(*) FROM probes_probe WHERE claim_id IS NOT NULL"))

    def observed(self, since: float = 0) -> int:
        """How many probes have been observed since then, errors of our own not counted."""
        question = (
            "SELECT count(DISTINCT probe_id) FROM probes_observation"  # noqa: S608
            f" WHERE slot_at >= %s AND NOT ({narrow.VERDICT.sql('flags', 3)})"
        )
        return int(self.store.one(question, round(since * MICRO)))

    def warm_up(self) -> None:
        """Wait until every probe has been observed."""
        question = "SELECT p.id, c.route FROM probes_probe p JOIN services_criticalpath c"
        rows = self.store.rows(f"{question} ON c.id = p.path_id WHERE c.route LIKE '/t/%'")
        self.probes = {probe: int(route.rpartition("/")[2]) for probe, route in rows}
        warm = until(lambda: self.observed() >= len(self.probes), seconds=WARM_UP_SECONDS)
        assert warm, f"not every probe was observed\n{self.logs()}"

    def logs(self) -> str:
        return "\n".join(
            f"== {log.name}\n{log.read_text()}" for log in self.directory.glob("*.log")
        )


def get(url: str) -> None:
    with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - a loopback address
        return
