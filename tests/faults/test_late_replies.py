"""A reply to a claim that is gone: the same drain may hold the probe's next claim by then."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count

import pytest
from django.db import connections

from opsboard.probes.drain import Drain
from opsboard.probes.models import Observation, Probe
from opsboard.probes.schedule import database_now
from tests.company import SECOND, a_path, a_service
from tests.company import a_probe as stood_up
from tests.running.processes import until

pytestmark = pytest.mark.django_db(transaction=True)


class Holding(ThreadingHTTPServer):
    """Holds its first two requests until they are let go. The first is answered 503."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.numbers = count()
        self.came = [threading.Event(), threading.Event()]
        self.let_go = [threading.Event(), threading.Event()]


class Answer(BaseHTTPRequestHandler):
    server: Holding

    def do_GET(self) -> None:
        number = min(next(self.server.numbers), 1)
        self.server.came[number].set()
        self.server.let_go[number].wait(20)
        self.send_response([503, 200][number])
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def far_side() -> Iterator[Holding]:
    with Holding() as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.05,))
        serving.start()
        yield server
        server.shutdown()
        serving.join()


@contextmanager
def draining() -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=_drain, args=(stop.is_set,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _drain(is_stopping: Callable[[], bool]) -> None:
    Drain("default", lambda _: None, is_stopping).run()
    connections.close_all()


@pytest.fixture
def probe(far_side: Holding) -> Probe:
    service = a_service()
    service.environments.update(base_url=f"http://127.0.0.1:{far_side.server_port}")
    return stood_up(a_path(service, timeout=20 * SECOND, interval=3600 * SECOND))


def test_the_reply_to_a_claim_that_an_edit_took_away_is_not_taken_for_that_of_the_next(
    probe: Probe, far_side: Holding
) -> None:
    with draining():
        assert far_side.came[0].wait(10)
        slot = database_now()
        Probe.objects.update(slot_at=slot, claim_id=None, leased_until=None)
        assert far_side.came[1].wait(10)
        far_side.let_go[0].set()
        assert not until(Observation.objects.exists, seconds=1)
        far_side.let_go[1].set()
        assert until(Observation.objects.exists, seconds=10)
    observation = Observation.objects.get(probe=probe)
    assert (observation.slot_at, observation.status) == (slot, 200)
