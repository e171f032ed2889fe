"""What the pages cost on PostgreSQL: 1,000 services, 5,000 probes, 90 days of history.

    DATABASE_URL=postgres://… script/bench --pages [--observations 1000000] [--compare 10000000]

Each page is read by an editor, signed in, with nothing but the server between. The two queries of
signing in, session and account, are left out of the counts. "CPU ms" is what this process and its
connection's process on the server used: on a busy machine it says more than the time that passed.
"""

import gzip
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from script.bench_place import OnPostgreSQL

if TYPE_CHECKING:
    from django.http import HttpResponse
    from django.test import Client

TIMES = 15
SIGN_IN = 2
TIMES_OF_BIG = 1.2


@dataclass(frozen=True, slots=True)
class Page:
    """What is measured. `queries` and `ms`: its goals, None where it has none."""

    name: str
    address: str
    queries: int | None = None
    ms: float | None = None
    # Of a poll: "nothing" changed since the one before, or "something"; "": it is the whole page.
    poll: str = ""


@dataclass(frozen=True, slots=True)
class Cost:
    name: str
    queries: int
    p50_ms: float
    p95_ms: float
    best_ms: float
    cpu_ms: float
    kilobytes: float
    gzipped: float
    status: int


def bench(*, observations: int, compare: int, as_json: bool) -> None:
    """Of `compare` observations as well, on the same board, unless it is 0."""
    url = os.environ.get("DATABASE_URL", "")
    if not url.startswith("postgres"):
        sys.exit("script/bench --pages: give a PostgreSQL server in DATABASE_URL.")
    with tempfile.TemporaryDirectory(prefix="opsboard-bench-") as folder:
        place = OnPostgreSQL(url, Path(folder) / "postgresql")
        try:
            with place.fresh() as settings:
                os.environ.update(settings)
                _bench(observations, compare, as_json=as_json)
        finally:
            place.drop()


def _bench(observations: int, compare: int, *, as_json: bool) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "opsboard.settings")
    import django

    django.setup()
    from django.db import connection

    try:
        seed(observations)
        small = measure()
        print(_as_json(small) if as_json else table(small), flush=True)
        if compare:
            grow(compare)
            big = measure()
            print(_as_json(big) if as_json else table(big, than=small), flush=True)
    finally:
        connection.close()


def seed(observations: int) -> None:
    from django.utils import timezone

    from script.bench_pages_board import seed_board
    from script.bench_pages_happened import seed_happenings
    from script.bench_pages_history import seed_history

    began = time.monotonic()
    seed_board(now=timezone.now())
    seed_happenings(now=timezone.now())
    seed_history(now=timezone.now(), observations=observations)
    print(f"Seeded in {time.monotonic() - began:.0f} s.", file=sys.stderr)


def grow(observations: int) -> None:
    from django.db.models import Max

    from opsboard.probes.models import Observation
    from script.bench_pages_history import analyze, observe

    began = time.monotonic()
    newest = Observation.objects.aggregate(at=Max("slot_at"))["at"]
    observe(at=newest, observations=observations)
    analyze()
    print(f"Grown in {time.monotonic() - began:.0f} s.", file=sys.stderr)


def pages() -> list[Page]:
    """The pages of the first service, which has most to show; the goals are those of the issue."""
    from opsboard.changes.models import Change
    from opsboard.incidents.models import Incident
    from opsboard.services.models import Service

    service = Service.objects.earliest("pk").slug
    incident, change = Incident.objects.earliest("pk").pk, Change.objects.earliest("pk").pk
    chart = f"/services/{service}/quote?range=24h"
    release = f"/releases/{service}/2026.11.5"
    return [
        Page("board", "/", 12, 80),
        Page("board, poll, nothing changed", "/", 2, 5, poll="nothing"),
        Page("board, poll, something changed", "/", 12, 60, poll="something"),
        Page("service", f"/services/{service}", 14, 60),
        Page("service, poll, nothing changed", f"/services/{service}", 12, 60, poll="nothing"),
        Page("service, poll, something changed", f"/services/{service}", 12, 60, poll="something"),
        Page("critical path, 24 h", chart, 14, 60),
        Page("critical path, poll, nothing changed", chart, 12, 60, poll="nothing"),
        Page("critical path, poll, something changed", chart, 12, 60, poll="something"),
        Page("incident", f"/incidents/{incident}", 14, 60),
        Page("incident, poll, nothing changed", f"/incidents/{incident}", 12, 60, poll="nothing"),
        Page("release", release, 14, 60),
        Page("change", f"/changes/{change}", 14, 60),
        Page("releases", "/releases", 14, 100),
        Page("changes", "/changes", 14, 100),
        Page("incidents", "/incidents", 14, 100),
        Page("rollback notes", "/rollback-notes", 14, 100),
        Page("mine", "/mine", 14, 100),
        Page("alerts", "/alerts", 14, 100),
        Page("search", "/search?q=crossing", 14, 100),
        Page("search, nothing found", "/search?q=zeppelin", 14, 100),
    ]


def measure() -> list[tuple[Page, Cost]]:
    from django.contrib.auth.models import User
    from django.test import Client

    client = Client()
    client.force_login(User.objects.earliest("pk"))
    return [(page, _cost(client, page)) for page in pages()]


def _cost(client: "Client", page: Page) -> Cost:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    _all_answered()
    ask = _asks(client, page)
    # Once for what is compiled and kept, once for the tag that a poll sends.
    ask(), ask()
    took, used = [], []
    server = _server_clock()
    for _ in range(TIMES):
        if page.poll == "something":
            _something_changes()
        began, before = time.perf_counter(), time.process_time() + server()
        answer = ask()
        took.append(1000 * (time.perf_counter() - began))
        used.append(1000 * (time.process_time() + server() - before))
    if page.poll == "something":
        _something_changes()
    with CaptureQueriesContext(connection) as asked:
        answer = ask()
    return Cost(
        name=page.name,
        queries=len(asked) - SIGN_IN,
        p50_ms=round(statistics.median(took), 1),
        p95_ms=round(sorted(took)[int(0.95 * TIMES)], 1),
        best_ms=round(min(took), 1),
        cpu_ms=round(statistics.median(used), 1),
        kilobytes=round(len(answer.content) / 1000, 1),
        gzipped=round(len(gzip.compress(answer.content)) / 1000, 1),
        status=answer.status_code,
    )


def _server_clock() -> Callable[[], float]:
    """The CPU seconds of our connection's process; nothing where it is on another machine."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        seen = Path(f"/proc/{cursor.fetchone()[0]}/schedstat")
    is_here = seen.exists() and b"postgres" in seen.with_name("cmdline").read_bytes()
    return lambda: int(seen.read_text().split()[0]) / 1e9 if is_here else 0.0


def _asks(client: "Client", page: Page) -> "Callable[[], HttpResponse]":
    """A poll sends the tag of the answer before it, as the page in a browser does."""
    from opsboard.web.live import TAG

    tag = ""

    def ask() -> "HttpResponse":
        nonlocal tag
        headers = {"HX-Request": "true", TAG: tag} if page.poll else {}
        answer = client.get(page.address, headers=headers)
        tag = answer.headers.get(TAG, "")
        return answer

    return ask


def _all_answered() -> None:
    """As if the worker had asked all of them just now: what is silent has no data."""
    from django.db import connection
    from django.utils import timezone

    from opsboard.probes.models import Probe, microseconds

    Probe.objects.update(observed_at=microseconds(timezone.now()))
    with connection.cursor() as cursor:
        # As autovacuum keeps it: written all at once, the table would be twice as long each time.
        cursor.execute("VACUUM probes_probe")


def _something_changes() -> None:
    """The newest answer of the last path of the first service takes another time and state."""
    from django.utils import timezone

    from opsboard.probes.models import Probe, microseconds
    from opsboard.services.models import Service

    at = microseconds(timezone.now())
    there = Probe.objects.filter(path__service=Service.objects.earliest("pk"))
    for probe in there.filter(environment__slug="production").order_by("pk"):
        state = "passing" if probe.state == "warning" else "warning"
        is_last = probe.path.slug == "refund"
        facts = probe.facts | {"total": probe.facts["total"] + 1_000}
        Probe.objects.filter(pk=probe.pk).update(
            latest=json.dumps(facts),
            observed_at=at,
            counted_passing=probe.counted_passing + 1,
            **({"state": state} if is_last else {}),
        )


# Saying it ---------------------------------------------------------------------------------


def table(found: Sequence[tuple[Page, Cost]], *, than: Iterable[tuple[Page, Cost]] = ()) -> str:
    """As Markdown. `than`: the same pages with fewer observations, to hold them against."""
    before = {cost.name: cost for _, cost in than}
    heads = ["page", "queries", "p50 ms", "p95 ms", "best ms", "CPU ms"]
    heads += ["kB", "gzip kB", "goal", "met"]
    heads += ["times"] if before else []
    rows = [heads, ["---"] * len(heads)]
    rows += [_row(page, cost, before.get(cost.name)) for page, cost in found]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _row(page: Page, cost: Cost, before: Cost | None) -> list[str]:
    figures = [cost.queries, cost.p50_ms, cost.p95_ms, cost.best_ms, cost.cpu_ms]
    figures += [cost.kilobytes, cost.gzipped]
    name = page.name if cost.status == 200 else f"{page.name} ({cost.status})"
    times = cost.p50_ms / before.p50_ms if before else 0
    met = "yes" if is_met(page, cost, times) else "**no**"
    goal = f"{page.queries} / {page.ms:g} ms"
    return [name, *map(str, figures), goal, met, *([f"{times:.2f}"] if before else [])]


def is_met(page: Page, cost: Cost, times: float = 0) -> bool:
    """`times`: against fewer observations; a millisecond more or less is noise."""
    assert page.queries is not None
    assert page.ms is not None
    grew = times > TIMES_OF_BIG and cost.p50_ms * (1 - 1 / times) > 1
    return cost.queries <= page.queries and cost.p50_ms <= page.ms and not grew


def _as_json(found: Sequence[tuple[Page, Cost]]) -> str:
    return json.dumps(
        [asdict(cost) | {"is_met": is_met(page, cost)} for page, cost in found], indent=2
    )
