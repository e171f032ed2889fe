"""Two changes of the scene, measured while the rest is set: one by luck, one for good.

Each figure is what the board found by asking the sample services; nothing is sent to it.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from script.screenshots_asking import Api, NotStaged, post, wait_for

SAMPLES = 60
FAULT = "seats-one-by-one"
# A busy machine may end a burst early: what Opsboard's own loop delays is no sample.
MOST_BURSTS = 30


def measure_changes(api: Api, switches: str) -> None:
    """First the fix that was none, because the cache was warm; then the same fix on misses."""
    post(f"{switches}{FAULT}?on=1")
    lucky = _declare(api, "Ask for all seats at once", "as is")
    with _cache_emptied_again_and_again(switches):
        _measure(api, lucky)
    api.ask(f"/changes/{lucky}/applied", {"command": "ferryctl deploy sailings-api --to seats"})
    _measure(api, lucky)

    real = _declare(api, "Ask for all seats at once, measured on misses", "misses")
    _measure(api, real)
    post(f"{switches}{FAULT}?on=0")
    api.ask(f"/changes/{real}/applied", {"command": f"curl -X POST '{switches}{FAULT}?on=0'"})
    told = {"what": "prefix", "pattern": "sailings-api", "count": _clear(switches)}
    api.ask(f"/changes/{real}/cleared", told)
    _measure(api, real)


def declare_one_that_waits(api: Api) -> None:
    """Its baseline is filled by the path's own probes: that takes longer than the pictures."""
    _declare(api, "Keep each fare rule for 5 min", "as is", sampling="probes")


def _declare(api: Api, title: str, mode: str, *, sampling: str = "burst") -> int:
    is_burst = sampling == "burst"
    about = ("sailings-api", "timetable") if is_burst else ("fares-api", "price-a-crossing")
    declared = api.ask(
        "/changes",
        {
            "title": title,
            "service": about[0],
            "path": about[1],
            "environment": "production",
            "variables": ["query" if is_burst else "cache"],
            "purpose": "The timetable opens sooner." if is_burst else "Prices come sooner.",
            "guardrails": ["db calls"],
            "sampling": sampling,
            "mode": mode,
            "rate": 10,
            "samples": SAMPLES,
            "warm_up_seconds": 0,
            "warm_up_samples": 0,
        },
    )
    number = int(declared["number"])
    api.ask(f"/changes/{number}/baseline", {})
    return number


def _measure(api: Api, change: int) -> None:
    """Until this window is full: the baseline is sealed, or the verdict is there."""
    before = api.ask(f"/changes/{change}")["stage"]
    for _ in range(MOST_BURSTS):
        api.ask(f"/changes/{change}/burst", {})
        wait_for(lambda: not _is_asked(api, change), f"the burst of CHG-{change:04}")
        if _is_full(api, change):
            break
    else:
        raise NotStaged(f"CHG-{change:04} is not full after {MOST_BURSTS} bursts.")
    wait_for(lambda: _stage(api, change) not in (before, "judging"), f"CHG-{change:04} to be full")


def _is_full(api: Api, change: int) -> bool:
    """Full windows are sealed by the worker, soon after."""
    progress = api.ask(f"/changes/{change}")["progress"]
    return progress is None or progress["count"] >= progress["of"]


def _stage(api: Api, change: int) -> str:
    return str(api.ask(f"/changes/{change}")["stage"])


def _is_asked(api: Api, change: int) -> bool:
    """Whether a burst of its is running."""
    progress = api.ask(f"/changes/{change}")["progress"]
    burst = progress and progress["burst"]
    return bool(burst) and not burst["finished_at"] and not burst["stopped_at"]


@contextmanager
def _cache_emptied_again_and_again(switches: str) -> Iterator[None]:
    """So that about four requests of ten are misses."""
    over = threading.Event()

    def go_on() -> None:
        while not over.wait(0.25):
            _clear(switches)

    emptying = threading.Thread(target=go_on, daemon=True)
    emptying.start()
    try:
        yield
    finally:
        over.set()
        emptying.join()


def _clear(switches: str) -> int:
    cache = switches.replace("__switch/", "__cache/")
    cleared: int = json.loads(post(f"{cache}sailings-api"))["cleared"]
    return cleared
