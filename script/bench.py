"""What a probe costs and how true it is, with goals; and what pages, alerts and releases cost.

    script/bench [--rows NAME,...] [--quick] [--json]     the engine
    script/bench --pages [--probes 300] [--seconds 20] [--services 1000]
    script/bench --alerts | --releases | --command

With DATABASE_URL databases of its own are made on that server and dropped; the rows of alerts start
real workers, on PostgreSQL and Redis where they are here.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from itertools import chain
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
SECOND = 1_000_000


def target(ready) -> None:
    async def answer(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        body = b'{"ok": true}'
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
        timing = b'Server-Timing: db;dur=1.5;desc="3"\r\nCache-Status: bench; hit\r\n'
        writer.write(head + timing + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()
        writer.close()

    async def serve():
        server = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=2048)
        ready.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(serve())


def seed(port: int, probes: int) -> None:
    from django.utils import timezone

    from opsboard.probes.models import stand_up
    from opsboard.services.models import CriticalPath, Service, Team

    team = Team.objects.create(slug="bench", name="Bench")
    for number in range(0, probes, 5):
        service = Service.objects.create(slug=f"s{number}", name=f"s{number}", team=team)
        service.environments.create(slug="production", base_url=f"http://127.0.0.1:{port}")
        for path in range(min(5, probes - number)):
            CriticalPath.objects.create(
                service=service,
                slug=f"p{path}",
                name=f"p{path}",
                route=f"/{number}/{path}",
                expected_result="status == 200\njson $.ok == true\ntime < 800 ms\ndb.calls <= 8\n"
                "warn cache is hit",
                interval=SECOND,
                timeout=900_000,
            )
        stand_up(service, now=timezone.now(), location="default")


def drain(seconds: float) -> dict[str, float]:
    from opsboard.probes.drain import drain as drain_probes
    from opsboard.probes.models import Observation
    from opsboard.probes.narrow import IS_DELAYED

    stopping = threading.Event()
    threading.Timer(seconds, stopping.set).start()
    before, began = resource.getrusage(resource.RUSAGE_SELF), time.monotonic()
    drain_probes("default", react=lambda _: None, is_stopping=stopping.is_set)
    after, took = resource.getrusage(resource.RUSAGE_SELF), time.monotonic() - began
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    rows = list(Observation.objects.values_list("total", "lateness", "flags"))
    totals, late = sorted(r[0] for r in rows), sorted(r[1] for r in rows)
    return {
        "observations": len(rows),
        "a_second": round(len(rows) / took, 1),
        "cpu_seconds_per_1000": round(1000 * cpu / len(rows), 3),
        "time_p50_ms": statistics.median(totals) / 1000,
        "time_p95_ms": totals[int(0.95 * len(totals))] / 1000,
        "lateness_p95_ms": late[int(0.95 * len(late))] / 1000,
        "delayed": sum(IS_DELAYED.read(r[2]) for r in rows),
        "peak_memory_mb": round(after.ru_maxrss / 1024),
    }


def bytes_an_observation() -> float:
    from django.db import connection

    from opsboard.probes.models import Observation

    rows = Observation.objects.count()
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT sum(pg_total_relation_size(inhrelid)) FROM pg_inherits"
                " WHERE inhparent = 'probes_observation'::regclass"
            )
        else:
            cursor.execute("VACUUM")
            cursor.execute("SELECT sum(pgsize) FROM dbstat WHERE name LIKE '%probes_observation%'")
        return round(float(cursor.fetchone()[0]) / rows, 1)


def board() -> dict[str, object]:
    from django.contrib.auth.models import User
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from opsboard.people.models import Role

    viewer = User.objects.create_user("bench")
    Role.objects.create(user=viewer, name="viewer")
    client = Client()
    client.force_login(viewer)
    client.get("/")
    took = []
    for _ in range(5):
        began = time.perf_counter()
        with CaptureQueriesContext(
            connection,
        ) as queries:
            page = client.get("/")
        took.append(1000 * (time.perf_counter() - began))
    assert page.status_code == 200
    return {
        "queries": len(queries),
        "median_ms": round(statistics.median(took), 1),
        "bytes": len(page.content),
    }


def search(services: int, paths: int) -> dict[str, object]:
    """Over so many services and paths: on the page of results, and in the board's find box."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext
    from django.utils import timezone

    from opsboard.rollbacks.models import NoteVersion, RollbackNote
    from opsboard.services.models import CriticalPath, Service, Team
    from opsboard.web.search import search, services_with

    team = Team.objects.get(slug="bench")
    made = Service.objects.bulk_create(
        Service(
            slug=f"search-{number}",
            name=f"Service {number}",
            summary="Prices crossings of the northern lines",
            team=team,
            tags=["booking", "python"],
            links=[{"name": "Runbook", "url": f"https://wiki.example/{number}"}],
            facts={"Data class": "internal", "Regions": ["oslo", "bergen"]},
        )
        for number in range(services)
    )
    CriticalPath.objects.bulk_create(
        CriticalPath(
            service=made[number % services],
            slug=f"p{number}",
            name=f"Price crossing {number}",
            route=f"/v2/quotes/{number}",
            user_notices="Booking, step 2 of 4: the price of the crossing stays empty",
        )
        for number in range(paths)
    )
    notes = RollbackNote.objects.bulk_create(RollbackNote(service=service) for service in made)
    steps = [{"do": "Hold releases", "run": "ferryctl hold", "see": "held", "call": ""}] * 5
    NoteVersion.objects.bulk_create(
        NoteVersion(
            note=note, number=number, title="Go back", steps=steps, written_at=timezone.now()
        )
        for note in notes
        for number in (1, 2)
    )
    row: dict[str, object] = {"services": services, "paths": paths, "notes": len(notes)}
    for name, look in (("page", search), ("find", services_with)):
        for wanted in ("crossing", "wiki.example/99", "nowhere"):
            took = []
            for _ in range(7):
                began = time.perf_counter()
                with CaptureQueriesContext(connection) as queries:
                    look(wanted)
                took.append(1000 * (time.perf_counter() - began))
            row[f"{name}_{wanted}_median_ms"] = round(statistics.median(took), 1)
        row[f"{name}_queries"] = len(queries)
    return row


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


def bench_pages(probes: int, seconds: float, services: int) -> None:
    """What one drain at a leisurely pace, the board, the search and an apply cost."""
    scratch = tempfile.TemporaryDirectory(prefix="opsboard-bench-")
    os.environ["OPSBOARD_DATA"] = scratch.name
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "opsboard.settings")
    mine, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=target, args=(theirs,))
    process.start()
    port = mine.recv()

    import django

    django.setup()
    from django.test.utils import setup_databases, teardown_databases

    made = setup_databases(verbosity=0, interactive=False)
    try:
        from django.utils import timezone

        from opsboard.probes.history import make_partitions

        make_partitions(now=timezone.now())
        seed(port, probes)
        print(json.dumps({"row": "drain", "probes": probes, **drain(seconds)}))
        print(json.dumps({"row": "observation", "bytes": bytes_an_observation()}))
        print(json.dumps({"row": "board", "services": probes // 5, **board()}))
        print(json.dumps({"row": "search", **search(1_000, 5_000)}))
        figures = apply_board(services)
        print(json.dumps({"row": "apply", "services": services, **figures}))
    finally:
        process.terminate()
        process.join()
        teardown_databases(made, verbosity=0)
        scratch.cleanup()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", default="", help="only these of the engine's rows, or their runs")
    parser.add_argument("--quick", action="store_true", help="shorter spans, noisier figures")
    parser.add_argument("--json", action="store_true", help="the engine's rows as JSON")
    parser.add_argument("--pages", action="store_true", help="drain, board, search and apply")
    parser.add_argument("--alerts", action="store_true", help="only the rows of alerts")
    parser.add_argument("--releases", action="store_true", help="only the rows of releases")
    parser.add_argument("--command", action="store_true", help="only the start of the command")
    parser.add_argument("--probes", type=int, default=300, help="of --pages")
    parser.add_argument("--seconds", type=float, default=20, help="that --pages drains")
    parser.add_argument("--services", type=int, default=1000, help="of the board --pages applies")
    options = parser.parse_args()
    if options.command:
        print(json.dumps(bench_command()))
    elif options.alerts:
        bench_alerts()
    elif options.releases:
        bench_releases()
    elif options.pages:
        bench_pages(options.probes, options.seconds, options.services)
    else:
        from script.bench_engine import bench

        names = [name.strip() for name in options.rows.split(",") if name.strip()]
        bench(names=names, quick=options.quick, as_json=options.json)


if __name__ == "__main__":
    main()
