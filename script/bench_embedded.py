"""The embedded board, web, worker and beat in one process, while somebody reads its pages."""

import contextlib
import http.client
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from script.bench_comparison import FEW, sealed_one, send
from script.bench_measure import (
    TAIL,
    Span,
    Worker,
    all_asked,
    percentile,
)
from script.bench_processes import NotMeasuredError, end
from script.bench_seed import Board, seed
from script.bench_target import free_port, wait_for

if TYPE_CHECKING:
    from script.bench_rows import Figure, Told

MANAGE = str(Path(__file__).resolve().parent.parent / "manage.py")
PROBES = 250


def embedded(told: "Told") -> "Iterator[Figure]":
    """Fifty probes a second of a 20 ms target, one page a second, and a comparison is judged."""
    seed(Board(probes=PROBES, interval=5, port=told.target.slow))
    cookie = signed_in()
    with board() as (one, port):
        all_asked(60)
        attempt = sealed_one()
        pages: list[float] = []
        first = one.mark()
        send(attempt, "after", 0.8)
        until = time.monotonic() + told.seconds(25, 10)
        while time.monotonic() < until:
            pages.append(read_page(port, cookie))
            time.sleep(max(0.0, 1 - pages[-1]))
        found = Span(first, one.mark())
        attempt.refresh_from_db()
        if not attempt.verdict:
            raise NotMeasuredError("No comparison was judged meanwhile.")
        time.sleep(TAIL)
        # Not what the board asks of its own pages.
        asked = {"probe__path__service__is_built_in": False}
        every = found.column("total", **asked)
        trusted = found.column("total", delayed=False, **asked)
        yield (
            "times-embedded",
            1000 * percentile(every, 0.99),
            found.detail()
            | {
                "p50_ms": round(1000 * percentile(every, 0.5), 1),
                "p99_ms_of_those_not_marked": round(1000 * percentile(trusted, 0.99), 1),
                "marked_delayed_percent": round(100 * (1 - len(trusted) / len(every)), 1),
                "pages": len(pages),
                "page_median_ms": round(1000 * sorted(pages)[len(pages) // 2]),
                "judged_meanwhile": f"2 x {FEW} samples: {attempt.verdict}",
            },
        )


def signed_in() -> str:
    from django.contrib.auth.models import User
    from django.test import Client

    from opsboard.people.models import Role

    viewer = User.objects.create_user("bench")
    Role.objects.create(user=viewer, name="viewer")
    client = Client()
    client.force_login(viewer)
    return "; ".join(f"{name}={one.value}" for name, one in client.cookies.items())


@contextlib.contextmanager
def board() -> "Iterator[tuple[Worker, int]]":
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, MANAGE, "up"],
        env=os.environ | {"OPSBOARD_HOST": "127.0.0.1", "OPSBOARD_PORT": str(port)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    try:
        wait_for(port, seconds=30)
        yield Worker(process), port
    finally:
        end(process)


def read_page(port: int, cookie: str) -> float:
    began = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", "/", headers={"Cookie": cookie})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    if answer.status != 200:
        raise NotMeasuredError(f"The board answered {answer.status} instead of its page.")
    return time.monotonic() - began
