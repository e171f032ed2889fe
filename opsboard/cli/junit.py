"""Counts from a JUnit report: what was collected, and how it ended.

Cases are counted one by one; a suite that claims more failures than its cases show is believed. A
report that cannot be read, is too large, declares entities, or is older than the run is no report.
"""

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.parsers import expat

LARGEST = 32 << 20
_DEEPEST = 40
# Clocks of file systems are coarse, and those of another machine differ a little.
_TOLERANCE = 2.0
_CHUNK = 1 << 16


class NoReport(Exception):
    """Why there are no counts, as a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    collected: int = 0
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def plus(self, other: "Counts") -> "Counts":
        return Counts(
            collected=self.collected + other.collected,
            passed=self.passed + other.passed,
            failed=self.failed + other.failed,
            skipped=self.skipped + other.skipped,
        )

    def json(self) -> dict[str, int]:
        return {
            "collected": self.collected,
            "passed": self.passed,
            "failed": self.failed,
            "skipped": self.skipped,
        }


type Seen = tuple[int, int, int] | None


def look(name: str) -> Seen:
    """What tells one state of a file from another, to be looked at before the run."""
    try:
        found = Path(name).stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def counts_of(before: dict[str, Seen], started: float) -> Counts:
    """Of all reports together. `started` in seconds since 1970. Raises NoReport."""
    counts = Counts()
    for name, seen in before.items():
        counts = counts.plus(_read(name, seen, started))
    return counts


def _read(name: str, before: Seen, started: float) -> Counts:
    shown = Path(name).name
    try:
        # Without O_NONBLOCK a named pipe would hold us for ever.
        with os.fdopen(os.open(name, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise NoReport(f"The report {shown} is not a file.")
            if look(name) == before or found.st_mtime < started - _TOLERANCE:
                raise NoReport(f"The report {shown} is older than the run: it is not of this run.")
            return read(file.read(LARGEST + 1), shown)
    except OSError as wrong:
        said = os.strerror(wrong.errno or 0)
        raise NoReport(f"The report {shown} cannot be read: {said}.") from None


def read(report: bytes, shown: str = "report") -> Counts:
    """Raises NoReport."""
    if len(report) > LARGEST:
        raise NoReport(f"The report {shown} is larger than {LARGEST >> 20} MiB.")
    reading = _Reading()
    try:
        for at in range(0, len(report), _CHUNK):
            reading.parser.Parse(report[at : at + _CHUNK], False)
        reading.parser.Parse(b"", True)
    except _Refused as refused:
        raise NoReport(f"The report {shown} {refused}.") from None
    except (expat.ExpatError, ValueError, LookupError) as wrong:
        raise NoReport(f"The report {shown} is not whole XML: {wrong}.") from None
    return reading.counts()


class _Refused(Exception):
    pass


class _Reading:
    """Follows a report element by element; nothing of it is kept but the counts."""

    def __init__(self) -> None:
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.EntityDeclHandler = self._entity
        self.parser.ExternalEntityRefHandler = self._entity
        self._open: list[str] = []
        # How the case that is open ends; "": passed so far.
        self._case = ""
        self._ends = {"passed": 0, "failed": 0, "skipped": 0}
        self._loose = 0
        # Failures that each open suite claims, and those its inner suites claim.
        self._claims: list[list[int]] = []
        self._claimed = 0

    def counts(self) -> Counts:
        passed, skipped = self._ends["passed"], self._ends["skipped"]
        failed = max(self._ends["failed"] + self._loose, self._claimed)
        cases = sum(self._ends.values())
        # Cases that a suite says failed did not pass.
        passed = max(min(passed, cases - skipped - failed), 0)
        return Counts(
            collected=passed + failed + skipped,
            passed=passed,
            failed=failed,
            skipped=skipped,
        )

    def _entity(self, *_: object) -> int:
        raise _Refused("declares entities, which no report needs")

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(":")[2]
        if not self._open and name not in ("testsuites", "testsuite"):
            raise _Refused("is not a JUnit report")
        self._open.append(name)
        if len(self._open) > _DEEPEST:
            raise _Refused("has its elements too deep")
        if name == "testcase":
            self._case = "skipped" if attributes.get("status") in ("notrun", "disabled") else ""
        elif name in ("failure", "error"):
            self._fail()
        elif name == "skipped" and "testcase" in self._open:
            self._case = self._case or "skipped"
        elif name == "testsuite":
            self._claims.append([_whole(attributes, "failures") + _whole(attributes, "errors"), 0])

    def _fail(self) -> None:
        if "testcase" in self._open:
            self._case = "failed"
        else:
            self._loose += 1

    def _end(self, _: str) -> None:
        name = self._open.pop()
        if name == "testcase":
            self._ends[self._case or "passed"] += 1
            self._case = ""
        elif name == "testsuite":
            own, inner = self._claims.pop()
            claim = max(own, inner)
            if self._claims:
                self._claims[-1][1] += claim
            else:
                self._claimed += claim


def _whole(attributes: dict[str, str], name: str) -> int:
    said = attributes.get(name, "").strip()
    return int(said) if said.isascii() and said.isdigit() and len(said) < 9 else 0


def outcome_of(exit_code: int, is_broken: bool, counts: Counts | None) -> tuple[str, str]:
    """The outcome and, where exit code and report do not agree, why it is inconclusive."""
    if is_broken:
        return "error", ""
    if exit_code != 0:
        return "failed", ""
    if counts is None:
        return "passed", ""
    if counts.failed:
        return (
            "inconclusive",
            f"The exit code is 0, and the report says {counts.failed} failed.",
        )
    if not counts.passed:
        return "skipped", "Nothing ran: the report tells of no test that passed or failed."
    return "passed", ""


def counts_or_reason(before: dict[str, Seen], started: float) -> tuple[Counts | None, str]:
    """Counts, None without a report that was asked for; and why there are none."""
    if not before:
        return None, ""
    try:
        return counts_of(before, started), ""
    except NoReport as none:
        return None, str(none)


def looked_at(names: Sequence[str]) -> dict[str, Seen]:
    return {name: look(name) for name in names}
