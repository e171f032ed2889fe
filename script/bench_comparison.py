"""What a verdict costs: the process that judges one, from its start to its end.

And one that a board judges while something else is measured.
"""

import json
import random
import resource
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opsboard.changes.files import COLUMNS

if TYPE_CHECKING:
    from opsboard.changes.models import Comparison
    from script.bench_rows import Figure, Told

TOP = Path(__file__).resolve().parent.parent
SEED = 7
FEW = 1_000


def comparison(told: "Told") -> "Iterator[Figure]":
    """Two sides of hits and misses, a fifth faster after; and what two hundred a side take."""
    few = cpu_of(200)
    for row, samples in (("comparison-1000", FEW), ("comparison-100000", 100_000)):
        samples = samples // 10 if told.quick else samples
        seconds, judged = cpu_of(samples)
        yield (
            row,
            seconds,
            {
                "samples_a_side": samples,
                "verdict": judged["verdict"],
                "notes": judged.get("notes", []),
                "cpu_seconds_of_200": round(few[0], 2),
            },
        )


def cpu_of(samples: int) -> tuple[float, dict[str, Any]]:
    """CPU seconds of the child, its Python and numpy with it."""
    document = {
        "before": side("before", samples, 1.0),
        "after": side("after", samples, 0.8),
        "settings": {"changed": ["query"]},
    }
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-m", "opsboard.changes.rules"],
        input=json.dumps(document),
        capture_output=True,
        text=True,
        check=True,
        cwd=TOP,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    judged: dict[str, Any] = json.loads(done.stdout)
    return spent, judged


def side(name: str, samples: int, ratio: float) -> str:
    """As CSV: half of them hits of 20 ms, half misses of 180 ms with 12 database calls."""
    made = random.Random(f"{SEED} {name}")  # noqa: S311
    lines = [",".join(COLUMNS)]
    for number in range(samples):
        hit = made.random() < 0.5
        usual, spread = (20_000, 0.35) if hit else (180_000, 0.5)
        latency = round(made.lognormvariate(0, spread) * usual * ratio)
        lines.append(f"{name},{number},{latency},{'hit,1,0' if hit else 'miss,1,12'}")
    return "\n".join(lines) + "\n"


def sealed_one() -> "Comparison":
    """An attempt with a sealed baseline of 1,000 samples, marked as applied: it waits for the rest.

    Django is set up, and a board seeded.
    """
    from django.utils import timezone

    from opsboard.changes.applying import Told as How
    from opsboard.changes.applying import mark_applied
    from opsboard.changes.baselines import open_baseline, seal
    from opsboard.changes.declaring import declare
    from opsboard.changes.models import Change
    from opsboard.changes.wanting import Wanted
    from opsboard.people.audit import Actor, Via
    from opsboard.probes.models import Probe

    by = Actor(None, Via.COMMAND, who="script/bench")
    probe = Probe.objects.select_related("path__service", "environment").earliest("pk")
    wanted = Wanted(
        title="Measured meanwhile",
        service=probe.path.service,
        path=probe.path,
        environment=probe.environment,
        variables=["query"],
        sampling=Change.Sampling.SENT,
        samples=FEW,
        warm_up_seconds=0,
        warm_up_samples=0,
    )
    change = declare(wanted, by=by, now=timezone.now())
    attempt = open_baseline(change, by=by, now=timezone.now())
    send(attempt, "before", 1.0)
    seal(attempt, by=by, now=timezone.now())
    mark_applied(attempt, How(), by=by, now=timezone.now())
    return attempt


def send(attempt: "Comparison", name: str, ratio: float) -> None:
    from django.utils import timezone

    from opsboard.changes.intake import take
    from opsboard.changes.sent import Sent
    from opsboard.people.audit import Actor, Via

    now = timezone.now()
    # None is of the time after the sealing: that counts none.
    first = now - timedelta(milliseconds=FEW) if name == "before" else now
    lines = [line.split(",") for line in side(name, FEW, ratio).splitlines()[1:]]
    samples = [
        Sent(
            at=first + timedelta(milliseconds=int(number)),
            latency_us=int(latency),
            cache=cache,
            db_calls=int(calls),
        )
        for _, number, latency, cache, _, calls in lines
    ]
    take(attempt, samples, by=Actor(None, Via.COMMAND, who="script/bench"), now=now)
