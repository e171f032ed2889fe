"""Boards for the engine's rows: services on hosts of their own, with a few paths each."""

from dataclasses import dataclass

from django.db import connection, transaction
from django.utils import timezone

from opsboard.expectations.clauses import Clause
from opsboard.expectations.grammar import parse
from opsboard.expectations.tally import Tally, keep_for
from opsboard.expectations.windows import implied_clause
from opsboard.probes.history import make_partitions
from opsboard.probes.models import Probe, microseconds
from opsboard.probes.rules import MINUTE, State, grid_after
from opsboard.services.models import CriticalPath, Environment, Service, Team
from script.bench_target import host, tls_host

SECOND = 1_000_000
CLAUSES = "status == 200\njson $.ok == true\ntime < 800 ms\ndb.calls <= 8\nwarn cache is hit"
FULL_WINDOW = 30


@dataclass(frozen=True, kw_only=True)
class Board:
    """What to seed. Seconds; of every `broken`th path the answer is 503, of none when 0."""

    probes: int
    interval: float
    port: int
    secure: bool = False
    timeout: float = 5
    patience: int = 2
    paths_a_service: int = 5
    hanging: int = 0
    hanging_port: int = 0
    broken: int = 0


def seed(board: Board) -> None:
    """A board in the middle of its life: every path passing, with half an hour of counters behind
    it, and each probe due at its own grid point after now."""
    make_partitions(now=timezone.now())
    team = Team.objects.create(slug="bench", name="Bench")
    services = Service.objects.bulk_create(
        Service(slug=f"s{number}", name=f"Service {number}", team=team)
        for number in range(-(-board.probes // board.paths_a_service))
    )
    places = Environment.objects.bulk_create(
        Environment(service=service, slug="production", base_url=address(board, number))
        for number, service in enumerate(services)
    )
    paths = CriticalPath.objects.bulk_create(
        [
            CriticalPath(
                service=services[number // board.paths_a_service],
                slug=f"p{number % board.paths_a_service}",
                name=f"Path {number}",
                route=f"/broken/{number}" if is_broken(board, number) else f"/quotes/{number}",
                expected_result=CLAUSES,
                interval=round(board.interval * SECOND),
                timeout=round(board.timeout * SECOND),
                patience=board.patience,
            )
            for number in range(board.probes)
        ],
        batch_size=2000,
    )
    now, counted = microseconds(timezone.now()), ""
    if board.probes:
        counted = half_an_hour(now, paths[0].interval)
    Probe.objects.bulk_create(
        [
            Probe(
                path=path,
                environment=places[number // board.paths_a_service],
                interval=path.interval,
                timeout=path.timeout,
                slot_at=now,
                began_at=now,
                state=State.PASSING,
                state_since=now,
                streak_state=State.PASSING,
                recent="p" * path.patience,
                observed_at=now,
                windows=counted,
            )
            for number, path in enumerate(paths)
        ],
        batch_size=1000,
    )
    pace(board.interval)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")


def is_broken(board: Board, number: int) -> bool:
    return bool(board.broken) and number % board.broken == 0


def address(board: Board, number: int) -> str:
    """Of the service of that number. The first of them hang."""
    if number < board.hanging // board.paths_a_service:
        return f"http://{host(number)}:{board.hanging_port}"
    if board.secure:
        return f"https://{tls_host(number)}:{board.port}"
    return f"http://{host(number)}:{board.port}"


def half_an_hour(now: int, interval: int) -> str:
    """The counters of a path that has passed for as long as its window is wide: a young board's
    are shorter, and cost less to carry."""
    clauses: list[Clause] = list(parse(CLAUSES))
    implied = implied_clause(clauses, interval)
    keep = keep_for([implied] if implied else [])
    tally = Tally.empty()
    for minute in range(now // MINUTE - FULL_WINDOW, now // MINUTE):
        tally = tally.with_observation(
            minute, wrong=False, total_us=900, cache="hit", db_calls=3, told=False, keep=keep
        )
    return tally.dump()


def pace(interval: float) -> None:
    """Ask every probe at another interval (seconds) from now on. No sheet is edited by that."""
    whole = round(interval * SECOND)
    now = microseconds(timezone.now())
    probes = Probe.objects.only("path_id", "environment_id", "location").order_by("pk")
    rows = [(probe.pk, grid_after(now, whole, probe.spread_key)) for probe in probes]
    for first in range(0, len(rows), 500):
        some = rows[first : first + 500]
        values = ", ".join(["(CAST(%s AS bigint), CAST(%s AS bigint))"] * len(some))
        with transaction.atomic(), connection.cursor() as cursor:
            # In the order in which a worker that is recording takes them: else each may wait for
            # the other.
            held = Probe.objects.filter(pk__in=[pk for pk, _ in some]).order_by("pk")
            list(held.select_for_update().values_list("pk"))
            cursor.execute(
                f"UPDATE probes_probe SET interval = {whole}, slot_at = v.column2"  # noqa: S608
                f" FROM (VALUES {values}) AS v WHERE probes_probe.id = v.column1",
                [number for row in some for number in row],
            )
