"""The engine's rows: each run in a process group of its own, then the table of them all.

    script/bench [--rows NAME,...] [--quick] [--json]

DATABASE_URL names the PostgreSQL server; its rows do not run without one.
"""

import contextlib
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from script.bench_blackbox import installed, version
from script.bench_goals import ROWS, SQLITE, Row
from script.bench_place import Place, places
from script.bench_target import Target, running

RUNNER = str(Path(__file__).resolve().parent / "bench_run.py")
# Seconds that one run may take before it is ended. It is a bound, not an expectation.
LONGEST_RUN = 180

Found = dict[str, dict[str, object]]


def bench(*, names: Sequence[str], quick: bool, as_json: bool) -> None:
    rows = [row for row in ROWS if not names or row.name in names or row.run in names]
    unknown = set(names) - {row.name for row in ROWS} - {row.run for row in ROWS}
    if unknown:
        known = ", ".join(row.name for row in ROWS)
        sys.exit(f"script/bench: there is no row {', '.join(sorted(unknown))}; there are {known}.")
    if platform.system() != "Linux":
        sys.exit("script/bench: the engine's rows need Linux: its /proc, and all of 127.0.0.0/8.")
    # What was started ends with the bench, also where a shell without a terminal ignores Ctrl-C.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGINT, lambda *_: sys.exit(130))
    report = measure(rows, quick=quick)
    print(json.dumps(report, indent=2) if as_json else table(report))


def measure(rows: Sequence[Row], *, quick: bool) -> dict[str, object]:
    began = datetime.now(UTC)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="opsboard-bench-")))
        # nginx's worker is another user, where root starts it.
        folder.chmod(0o755)
        (folder / "target").mkdir()
        target = stack.enter_context(running(folder / "target"))
        url = os.environ.get("DATABASE_URL", "")
        known = stack.enter_context(places(folder, url if url.startswith("postgres") else ""))
        found = dict(findings(rows, target, known, quick=quick))
        return {
            "date": f"{began:%d %B %Y %H:%M} UTC",
            "quick": quick,
            "minutes": round((datetime.now(UTC) - began).total_seconds() / 60, 1),
            "machine": machine(),
            "versions": versions(target, known),
            "rows": [one(row, found) for row in rows],
        }


def findings(
    rows: Sequence[Row], target: Target, known: dict[str, Place], *, quick: bool
) -> Iterator[tuple[str, dict[str, object]]]:
    """What each run said of its rows: what was measured, or why it was not."""
    for run in dict.fromkeys(row.run for row in rows):
        mine = [row for row in ROWS if row.run == run]
        place = known.get(mine[0].place or SQLITE)
        began, said = time.monotonic(), []
        if place is None:
            reason = "No PostgreSQL server is given in DATABASE_URL."
        else:
            said, reason = run_alone(run, place, target, quick=quick)
        print(f"{run}: {time.monotonic() - began:.0f} s", file=sys.stderr)
        told = {str(line["row"]): line for line in said if "row" in line}
        for row in mine:
            yield row.name, told.get(row.name, {"not_run": reason})


def run_alone(
    run: str, place: Place, target: Target, *, quick: bool
) -> tuple[list[dict[str, object]], str]:
    """Its lines, and why any row is missing. All that it started ends with it."""
    told = json.dumps({"target": target.as_json(), "quick": quick})
    with place.fresh() as database:
        environment = {**os.environ, **database}
        if "DATABASE_URL" not in database:
            environment.pop("DATABASE_URL", None)
        environment |= {"OPSBOARD_BENCH": told, "SSL_CERT_FILE": target.ca}
        process = subprocess.Popen(
            [sys.executable, RUNNER, run],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        reason = "The run ended without it: see what it printed."
        try:
            output, _ = process.communicate(timeout=LONGEST_RUN)
        except subprocess.TimeoutExpired:
            reason = f"It was not done after {LONGEST_RUN} s."
            process.terminate()
            output, _ = process.communicate(timeout=20)
        finally:
            # The group is this run's own; whatever is left of it, the worker too, ends now.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    said = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    refused = [str(line["not_run"]) for line in said if "not_run" in line]
    return said, refused[0] if refused else reason


def one(row: Row, found: Found) -> dict[str, object]:
    """A row of the report: measured and judged, or not run and why. Never green without."""
    said = found[row.name]
    shown: dict[str, object] = {"row": row.name, "what": row.what, "goal": row.says_goal()}
    measured = said.get("measured")
    if not isinstance(measured, int | float):
        return shown | {"measured": None, "met": None, "not_run": said.get("not_run", "")}
    others = {
        name: float(value)
        for name, line in found.items()
        if isinstance(value := line.get("measured"), int | float)
    }
    met = None if row.goal is None else row.is_met(measured, others)
    is_endless = measured == float("inf")
    shown |= {"measured": None if is_endless else round(measured, 3), "unit": row.unit, "met": met}
    if is_endless:
        shown["note"] = "more than the percentile allows never came"
    if row.below:
        other = others.get(row.below[0])
        shown["ratio"] = round(measured / other, 2) if other else None
        shown["note"] = (
            f"{measured / other:.2f} of {row.below[0]}"
            if other
            else f"{row.below[0]} was not measured"
        )
    return shown | {"detail": said.get("detail", {})}


def machine() -> dict[str, object]:
    model = "unknown"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    cores = len(os.sched_getaffinity(0))
    return {"cores": cores, "cpu": model, "load": round(os.getloadavg()[0], 1)}


def versions(target: Target, known: dict[str, Place]) -> dict[str, str]:
    import django
    import pycurl

    program = installed()
    return {
        "Python": platform.python_version(),
        "Django": django.get_version(),
        "libcurl": pycurl.version_info()[1],
        **{name: place.version for name, place in known.items()},
        "target": target.server,
        "blackbox_exporter": version(program) if program else "not installed",
    }


def table(report: dict[str, object]) -> str:
    """For a person, and for the README."""
    of, using = report["machine"], report["versions"]
    assert isinstance(of, dict)
    assert isinstance(using, dict)
    rows = report["rows"]
    assert isinstance(rows, list)
    cells = [("row", "what", "goal", "measured", "met")]
    for row in rows:
        met = {True: "yes", False: "NO", None: "" if row["goal"] == "" else "not run"}[row["met"]]
        cells.append((row["row"], row["what"], row["goal"], shown(row), met))
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    lines = [
        f"{report['date']}, {of['cores']} cores of {of['cpu']}, load at the end {of['load']}"
        + (", quick: shorter spans, noisier figures" if report["quick"] else ""),
        ", ".join(f"{name} {said}" for name, said in using.items()),
        "",
    ]
    for line in cells:
        padded = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        lines.append("  ".join(padded).rstrip())
    lines += ["", *details(rows)]
    return "\n".join(lines)


def shown(row: dict[str, object]) -> str:
    if "not_run" in row:
        return "not run"
    said = "never" if row["measured"] is None else f"{row['measured']:g} {row['unit']}"
    return f"{said} ({row['note']})" if row.get("note") else said


def details(rows: Sequence[dict[str, object]]) -> Iterator[str]:
    for row in rows:
        if "not_run" in row:
            yield f"{row['row']} did not run: {row['not_run']}"
            continue
        detail = row["detail"]
        assert isinstance(detail, dict)
        yield f"{row['row']}: " + ", ".join(
            f"{name.replace('_', ' ')} {value}" for name, value in detail.items()
        )
