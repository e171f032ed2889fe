"""The engine's rows: what each is called, what it is to be, and which run measures it."""

from dataclasses import dataclass

AT_MOST, AT_LEAST = "at most", "at least"
POSTGRESQL, SQLITE, NO_DATABASE = "PostgreSQL", "SQLite", ""


@dataclass(frozen=True)
class Row:
    """`goal` None: measured to compare with. `below` is a row, and the share of it to stay in."""

    name: str
    what: str
    run: str
    place: str
    unit: str
    goal: float | None = None
    direction: str = AT_MOST
    below: tuple[str, float] | None = None

    def says_goal(self) -> str:
        if self.goal is None:
            return ""
        said = f"{self.direction} {self.goal:g} {self.unit}".strip()
        if self.below and self.below[1] < 1:
            return f"{said}, and {self.below[1]:g} of {self.below[0]}"
        return f"{said}, and below {self.below[0]}" if self.below else said

    def is_met(self, measured: float, others: dict[str, float]) -> bool:
        """A row to stay below that was not measured is not held against it: the table says so."""
        assert self.goal is not None
        if self.direction == AT_LEAST:
            return measured >= self.goal
        limits = [self.goal]
        if self.below and self.below[0] in others:
            limits.append(self.below[1] * others[self.below[0]])
        return measured <= min(limits)


CPU = "CPU-s"
# In the order of their running: what is compared with each other is measured close together.
ROWS = (
    Row(
        "cpu-http-full",
        "worker, 1,000 HTTP probes, full load",
        "full-http",
        POSTGRESQL,
        CPU,
        0.35,
        below=("blackbox-http", 0.5),
    ),
    Row(
        "sustained-postgresql",
        "probes a second, one worker",
        "full-http",
        POSTGRESQL,
        "/s",
        2500,
        AT_LEAST,
    ),
    Row("blackbox-http", "blackbox_exporter, the same", "blackbox", NO_DATABASE, CPU),
    Row("blackbox-https", "blackbox_exporter, HTTPS", "blackbox", NO_DATABASE, CPU),
    Row(
        "cpu-https-full",
        "worker, 1,000 HTTPS probes, full load",
        "full-https",
        POSTGRESQL,
        CPU,
        1.1,
        below=("blackbox-https", 1),
    ),
    Row("cpu-http-300", "1,000 HTTP probes, 300 a second", "three-hundred", POSTGRESQL, CPU, 0.7),
    Row("times-300", "target < 1 ms, 300 a second: p95", "three-hundred", POSTGRESQL, "ms", 2),
    Row(
        "cpu-https-300",
        "1,000 HTTPS probes, 300 a second",
        "three-hundred-https",
        POSTGRESQL,
        CPU,
        1.1,
        below=("blackbox-https", 1),
    ),
    Row("times-1000", "target < 1 ms, 1,000 a second: p95", "ten-thousand", POSTGRESQL, "ms", 8),
    Row("lateness", "start minus slot, 10,000 at 10 s: p99", "ten-thousand", POSTGRESQL, "s", 1),
    Row("memory", "worker with 10,000 probes", "ten-thousand", POSTGRESQL, "MB", 200),
    Row(
        "lateness-hanging",
        "500 of 10,000 hang, the others: p99",
        "hanging",
        POSTGRESQL,
        "s",
        1.5,
    ),
    Row("cost-of-size", "a probe of 10,000 against one of 100", "size", POSTGRESQL, "times", 1.2),
    Row("restart", "1,000 overdue, until the last", "restart", POSTGRESQL, "intervals", 1),
    Row("restart-rate", "highest rate meanwhile", "restart", POSTGRESQL, "times normal", 2),
    Row("confirmed", "300 fail at once, until confirmed: p99", "confirmed", POSTGRESQL, "s", 16),
    Row("bytes", "a stored observation, keys included", "stored", POSTGRESQL, "bytes", 110),
    Row(
        "sustained-sqlite",
        "probes a second, one worker, SQLite",
        "full-sqlite",
        SQLITE,
        "/s",
        1200,
        AT_LEAST,
    ),
    Row("comparison-1000", "verdict on 2 x 1,000 samples", "comparison", NO_DATABASE, CPU, 2),
    Row("comparison-100000", "verdict on 2 x 100,000 samples", "comparison", NO_DATABASE, CPU, 60),
    Row("times-embedded", "20 ms target, one process, pages: p99", "embedded", SQLITE, "ms", 30),
)
