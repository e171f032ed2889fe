"""No machine is asked by more than a few at a time, and nobody waits long for a place."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from opsboard.outbound.http import Asker
from opsboard.outbound.reply import Ask
from tests.far_side import FarSide, Visit, answer
from tests.outbound.asking import HERE, TIMEOUT
from tests.running.processes import until

Machine = Callable[..., FarSide]


class Counting:
    """Answers after a moment, and knows how many it served at a time at most."""

    def __init__(self, after: float) -> None:
        self.after = after
        self.served = self.most = self._now = 0
        self._lock = threading.Lock()

    def __call__(self, visit: Visit) -> None:
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
        visit.wait(self.after)
        with self._lock:
            # Before the answer: who has it may send the next request at once.
            self._now -= 1
            self.served += 1
        answer()(visit)


@pytest.fixture
def polite() -> Iterator[Asker]:
    asker = Asker(most_a_host=4)
    asker.start()
    yield asker
    asker.stop()


def ask_all(asker: Asker, machine: FarSide, count: int, *, by: float, first: int = 0) -> None:
    ask, now = Ask(method="GET", url=machine.url("/"), timeout=TIMEOUT), time.monotonic()
    for number in range(first, first + count):
        asker.ask(ask, policy=HERE, at=now, key=number, by=now + by)


def test_a_machine_serves_four_at_a_time_and_in_the_end_all(far_side: Machine, polite: Asker):
    counting = Counting(after=0.01)
    ask_all(polite, far_side(counting), 50, by=30)
    keys = [polite.replies.get(timeout=10)[0] for _ in range(50)]
    assert sorted(map(int, map(str, keys))) == list(range(50))
    assert (counting.served, counting.most) == (50, 4)
    assert not polite.unstarted


def test_a_busy_machine_holds_up_no_other(far_side: Machine, polite: Asker):
    busy, quick = Counting(after=0.3), Counting(after=0)
    ask_all(polite, far_side(busy), 20, by=30)
    ask_all(polite, far_side(quick), 20, by=30, first=100)
    first = [int(str(polite.replies.get(timeout=10)[0])) for _ in range(20)]
    assert sum(number >= 100 for number in first) >= 16
    assert busy.most == 4


def test_what_finds_no_place_in_time_is_not_asked_and_told(far_side: Machine, polite: Asker):
    counting = Counting(after=0.3)
    ask_all(polite, far_side(counting), 10, by=0.1)
    assert until(lambda: len(polite.unstarted) == 6, seconds=5)
    assert list(polite.unstarted) == [4, 5, 6, 7, 8, 9]
    assert sorted(str(polite.replies.get(timeout=10)[0]) for _ in range(4)) == list("0123")
    assert until(lambda: polite.in_flight == 0, seconds=5)
    assert counting.served == 4


def test_without_any_place_an_ask_is_given_up_too(far_side: Machine):
    asker = Asker(max_open=1)
    asker.start()
    ask_all(asker, far_side(answer(after=0.3)), 3, by=0.1)
    assert until(lambda: list(asker.unstarted) == [1, 2], seconds=5)
    assert asker.replies.get(timeout=5)[0] == 0
    asker.stop()
