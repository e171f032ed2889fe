"""What a probe costs and how true it is, with goals; and what pages, alerts and releases cost.

    script/bench [--rows NAME,...] [--quick] [--json]     the engine
    script/bench --pages [--observations 1000000] [--compare 10000000] [--json]
    script/bench --apply [--services 1000]
    script/bench --alerts | --releases | --command

With DATABASE_URL databases of its own are made on that server and dropped; the rows of alerts start
real workers, on PostgreSQL and Redis where they are here.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import chain
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))


def big_board(services: int) -> str:
    """A board file with five paths a service and a rollback note, as a company writes it."""
    lines = ["teams:"]
    lines += [f"  team-{number}: {{contact: '#team-{number}'}}" for number in range(20)]
    lines += ["services:"]
    for number in range(services):
        lines += [
            f"  service-{number}:",
            f"    owner: team-{number % 20}",
            f"    depends_on: [{f'service-{number - 1}' if number else ''}]",
            "    environments:",
            f"      production: {{base_url: 'https://service-{number}.internal'}}",
            "    rollback_note:",
            "      title: Go back to the previous release",
            "      steps: [{do: Hold new releases, run: deploy hold, see: held}]",
            "    paths:",
        ]
        for path in range(5):
            lines += [
                f"      path-{path}:",
                f"        route: POST /v{path}/quotes",
                "        input: {json: {from: LEI, to: STN}}",
                "        expect: [status == 200, time < 400 ms, json $.total > 1, db.calls <= 8]",
                "        user_notices: 'Booking, step 2 of 4: the price stays empty'",
            ]
    return "\n".join(lines) + "\n"


def apply_board(services: int) -> dict[str, object]:
    """Both applies in processes of their own, so that memory is theirs alone."""
    from django.conf import settings
    from django.db import connection

    folder = tempfile.TemporaryDirectory(prefix="opsboard-bench-")
    file = Path(folder.name) / "board.yaml"
    file.write_text(big_board(services))
    environment = dict(os.environ)
    figures: dict[str, object] = {"paths": 5 * services, "kilobytes": file.stat().st_size // 1000}
    manage = str(settings.BASE_DIR / "manage.py")
    if connection.vendor == "postgresql":
        name = connection.settings_dict["NAME"]
        environment["DATABASE_URL"] = os.environ["DATABASE_URL"].rpartition("/")[0] + f"/{name}"
    else:
        # This one's is in memory: another process needs a file.
        environment["OPSBOARD_DATA"] = folder.name
        subprocess.run([sys.executable, manage, "prepare"], env=environment, check=True)
    for turn in ("first", "second"):
        began = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, manage, "apply", str(file)],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        _, status, used = os.wait4(process.pid, 0)
        assert status == 0
        figures[f"{turn}_seconds"] = round(time.perf_counter() - began, 1)
        figures[f"{turn}_peak_memory_mb"] = round(used.ru_maxrss / 1024)
    folder.cleanup()
    return figures


def bench_alerts() -> None:
    from tests.faults.alert_bench import rows

    for row in rows():
        print(json.dumps(row), flush=True)


def bench_releases() -> None:
    """In a database of its own, without a target: nothing is asked."""
    scratch = tempfile.TemporaryDirectory(prefix="opsboard-bench-")
    os.environ["OPSBOARD_DATA"] = scratch.name
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "opsboard.settings")

    import django

    django.setup()
    from django.test.utils import setup_databases, teardown_databases

    made = setup_databases(verbosity=0, interactive=False)
    try:
        from django.utils import timezone

        from opsboard.probes.history import make_partitions
        from script.bench_releases import rows
        from script.bench_releases_page import page_row

        make_partitions(now=timezone.now())
        for row in chain(page_row(), rows()):
            print(json.dumps(row), flush=True)
    finally:
        teardown_databases(made, verbosity=0)
        scratch.cleanup()


def bench_command(times: int = 20) -> dict[str, object]:
    """Starting the `opsboard` command, as often as CI does: it is to take less than 0.3 s."""
    whole, busy = [], []
    for _ in range(times):
        began = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "opsboard.cli", "--help"], stdout=subprocess.DEVNULL
        )
        _, status, used = os.wait4(process.pid, 0)
        assert status == 0
        whole.append(time.perf_counter() - began)
        busy.append(used.ru_utime + used.ru_stime)
    return {
        "bench": "start of the command",
        "times": times,
        "median_ms": round(statistics.median(whole) * 1000),
        "cpu_median_ms": round(statistics.median(busy) * 1000),
    }


def bench_apply(services: int) -> None:
    """What applying a board file costs, in a database of its own: nothing is asked."""
    scratch = tempfile.TemporaryDirectory(prefix="opsboard-bench-")
    os.environ["OPSBOARD_DATA"] = scratch.name
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "opsboard.settings")

    import django

    django.setup()
    from django.test.utils import setup_databases, teardown_databases

    made = setup_databases(verbosity=0, interactive=False)
    try:
        print(json.dumps({"row": "apply", "services": services, **apply_board(services)}))
    finally:
        teardown_databases(made, verbosity=0)
        scratch.cleanup()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", default="", help="only these of the engine's rows, or their runs")
    parser.add_argument("--quick", action="store_true", help="shorter spans, noisier figures")
    parser.add_argument(
        "--json", action="store_true", help="the rows as JSON, of the engine and of --pages"
    )
    parser.add_argument("--pages", action="store_true", help="what the pages cost")
    parser.add_argument("--apply", action="store_true", help="what applying a board file costs")
    parser.add_argument("--alerts", action="store_true", help="only the rows of alerts")
    parser.add_argument("--releases", action="store_true", help="only the rows of releases")
    parser.add_argument("--command", action="store_true", help="only the start of the command")
    parser.add_argument("--services", type=int, default=1000, help="of the board --apply applies")
    parser.add_argument(
        "--observations", type=int, default=1_000_000, help="of the board of --pages"
    )
    parser.add_argument(
        "--compare", type=int, default=0, help="and the same pages again with so many observations"
    )
    options = parser.parse_args()
    if options.command:
        print(json.dumps(bench_command()))
    elif options.alerts:
        bench_alerts()
    elif options.releases:
        bench_releases()
    elif options.apply:
        bench_apply(options.services)
    elif options.pages:
        from script.bench_pages import bench as bench_pages

        bench_pages(
            observations=options.observations, compare=options.compare, as_json=options.json
        )
    else:
        from script.bench_engine import bench

        names = [name.strip() for name in options.rows.split(",") if name.strip()]
        bench(names=names, quick=options.quick, as_json=options.json)


if __name__ == "__main__":
    main()
