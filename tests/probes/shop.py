"""A shop on the loopback address: log in, buy, read the receipt, take the order back."""

import json
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from opsboard.probes.drain import Drain
from opsboard.probes.models import Probe
from opsboard.services.models import CriticalPath, Environment
from tests.company import a_path, a_probe, a_service
from tests.far_side import Behaviour, FarSide, Visit, answer, hang

TOKEN = 'to/ken "17" eyJhbGciOiJIUzI1NiJ9'
JSON = ("Content-Type", "application/json")

STEPS: list[dict[str, Any]] = [
    {
        "name": "Log in",
        "method": "POST",
        "route": "/login",
        "body": '{"user": "{{ USER }}"}',
        "expect": ["status == 200"],
        "take": {"token": "json $.token"},
    },
    {
        "name": "Buy",
        "method": "POST",
        "route": "/orders",
        "headers": [["X-Token", "{{ token }}"]],
        "query": [["by", "{{ token }}"]],
        "body": '{"token": "{{ token }}", "of": {{ token }}, "pieces": 1}',
        "expect": ["status == 201"],
        "take": {"order": "header Location"},
    },
    {"name": "Receipt", "route": "{{ order }}", "expect": ['body contains "paid"']},
    {"name": "Take it back", "method": "DELETE", "route": "{{ order }}", "always": True},
]


class Shop(FarSide):
    """`broken` behaviours take the place of those that work, by "METHOD /path"."""

    def __init__(self, broken: Mapping[str, Behaviour] | None = None) -> None:
        works = {
            "POST /login": answer(200, JSON, body=json.dumps({"token": TOKEN}).encode()),
            "POST /orders": answer(201, ("Location", "/orders/1742")),
            "GET /orders/1742": answer(200, body=b"paid"),
            "DELETE /orders/1742": answer(204, body=b""),
        }
        self._behaviours = works | dict(broken or {})
        super().__init__(self._serve_one)

    def _serve_one(self, visit: Visit) -> None:
        assert visit.request
        asked = f"{visit.request.method} {visit.request.path.partition('?')[0]}"
        self._behaviours.get(asked, answer(404))(visit)

    @property
    def asked(self) -> list[str]:
        return [f"{one.method} {one.path.partition('?')[0]}" for one in self.requests]


def a_path_through(shop: FarSide, **fields: Any) -> CriticalPath:
    service = a_service()
    Environment.objects.filter(service=service).update(base_url=shop.url(""))
    service.environments.get().variables.create(name="USER", value="probe")
    return a_path(service, **({"steps": STEPS, "expected_result": "", "route": ""} | fields))


def drained(path: CriticalPath, *, until: Callable[[], bool] | None = None) -> Probe:
    """Its probe after a worker has drained until then; else until it was observed."""
    probe = a_probe(path)
    give_up = time.monotonic() + 20

    def is_observed() -> bool:
        return Probe.objects.filter(pk=probe.pk).exclude(observed_at=None).exists()

    def is_stopping() -> bool:
        assert time.monotonic() < give_up, "the worker came to no end"
        return (until or is_observed)()

    Drain("default", lambda _: None, is_stopping).run()
    probe.refresh_from_db()
    return probe


def opened(event: threading.Event) -> Behaviour:
    """Tells the event that it was asked, and then nothing."""

    def behave(visit: Visit) -> None:
        event.set()
        hang()(visit)

    return behave


class Stop:
    """Stops a worker while a request is in flight, which is answered once the worker knows."""

    def __init__(self) -> None:
        self._is_asked = threading.Event()
        self._is_known = threading.Event()

    def is_told(self) -> bool:
        if self._is_asked.is_set():
            self._is_known.set()
        return self._is_known.is_set()

    def before(self, behaviour: Behaviour) -> Behaviour:
        def behave(visit: Visit) -> None:
            self._is_asked.set()
            assert self._is_known.wait(10), "the worker was not told to stop"
            behaviour(visit)

        return behave
