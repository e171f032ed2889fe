"""One process of sample services: its pages, its cache, its databases, and how a switch breaks it.

Nothing here knows which framework serves it: FastAPI, Django and Flask each give it a way to ask
their database and a cache, and turn an `Answer` into a reply of their own.
"""

import json
import random
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha1
from pathlib import Path
from typing import Any, Protocol

from opsboard.demo import configuration, stores, switches
from opsboard.demo.switches import Switchboard, UnknownSwitch

# Runs one statement with :named values, and returns its rows.
type Ask = Callable[[str, Mapping[str, object]], Sequence[Sequence[Any]]]
type Given = Mapping[str, Any]

KEPT_SECONDS = 300
MOST_KEPT = 500
HANG_SECONDS = 30.0
MOST_HANGING = 4
# Slow queries at one time: a demonstration must not take the whole machine.
MOST_SLOW = 2
VERSION, VERSION_BEFORE = "2026.11.3", "2026.11.2"
# What is to be released next runs on staging already.
NEXT = "2026.11.4"

_USUAL = (
    "SELECT code, name, amount FROM record WHERE service = :service AND kind = :kind ORDER BY id"
)
_IDS = "SELECT id FROM record WHERE service = :service AND kind = :kind ORDER BY id"
_ONE = "SELECT code, name, amount FROM record WHERE id = :id"
_SCAN = (
    "SELECT code, name, amount FROM record a WHERE service = :service AND kind = :kind"
    " AND (SELECT count(*) FROM record b WHERE b.code || '' = a.code || '') > 0 ORDER BY +a.id"
)


class Kept(Protocol):
    """A cache."""

    def get(self, key: str) -> Any: ...
    def set(self, key: str, value: Any) -> None: ...
    def forget(self, key: str) -> None: ...
    def clear(self) -> None: ...


class WrongInput(Exception):
    """What the asker sent cannot be used; the message says why."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`body` is JSON, or a text as it is. `cache`: "hit", "miss", or "" where nothing is kept."""

    status: int
    body: Any
    cache: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """One thing a service answers. `kept`: its answer is kept in the cache.

    `unkept_by`: unless this switch is on.
    """

    service: str
    method: str
    route: str
    make: Callable[["Desk"], Any]
    kept: bool = False
    status: int = 200
    unkept_by: str = ""

    @property
    def path(self) -> str:
        return f"/{self.service}{self.route}"


@dataclass(frozen=True, slots=True)
class Desk:
    """What a page works with: the database of its service, and what the asker sent."""

    house: "House"
    service: str
    given: Given
    _ask: Ask
    # The copy on staging is never broken by a switch; only its version follows one.
    is_staging: bool = False

    def ask(self, statement: str, **values: object) -> Sequence[Sequence[Any]]:
        return self._ask(statement, values)

    def is_on(self, switch: str) -> bool:
        return not self.is_staging and self.house.switches.is_on(switch, self.service)

    def records(self, kind: str) -> list[dict[str, Any]]:
        rows = self._rows({"service": self.service, "kind": kind})
        return [{"code": code, "name": name, "amount": amount} for code, name, amount in rows]

    def _rows(self, values: Mapping[str, object]) -> Sequence[Sequence[Any]]:
        if self.is_on("slow-query"):
            with self.house.slowly():
                return self._ask(_SCAN, values)
        if self.is_on("n-plus-one"):
            return [self._ask(_ONE, {"id": row[0]})[0] for row in self._ask(_IDS, values)]
        return self._ask(_USUAL, values)

    def write(self, kind: str, code: str) -> None:
        """Store that something was done; the oldest are let go."""
        self._ask(
            "INSERT INTO written (service, kind, code) VALUES (:service, :kind, :code)",
            {"service": self.service, "kind": kind, "code": code},
        )
        self._ask(
            "DELETE FROM written WHERE id <= (SELECT max(id) FROM written) - :kept",
            {"kept": stores.WRITTEN_KEPT},
        )


class House:
    def __init__(self, name: str, pages: Sequence[Page], kept: Kept, store: Path) -> None:
        self.name, self.pages, self.kept, self.store = name, tuple(pages), kept, store
        services = tuple(dict.fromkeys(page.service for page in pages))
        own = [one for one in switches.OWN if one.only in services]
        self.switches = Switchboard((*own, *switches.COMMON), services)
        self._slow = threading.BoundedSemaphore(MOST_SLOW)
        self._hanging = threading.BoundedSemaphore(MOST_HANGING)
        self._mended = threading.Event()
        # The keys of what each service keeps, oldest first.
        self._keys: dict[str, dict[str, None]] = {}
        self._keys_lock = threading.Lock()

    def slowly(self) -> threading.BoundedSemaphore:
        return self._slow

    def turn(self, name: str, query: str, body: bytes) -> None:
        """Turn a switch, with what it does at once. Raises UnknownSwitch."""
        turned = switches.read_turn(name, query, body)
        self.switches.turn(turned.name, on=turned.on, service=turned.service)
        if turned.name == switches.FARES_DATABASE.name:
            (stores.drop_fare_index if turned.on else stores.make_fare_index)(self.store)
        if turned.name == "hang" and not self.switches.services_of("hang"):
            # Whoever waits is answered now.
            mended, self._mended = self._mended, threading.Event()
            mended.set()
        self.kept.clear()
        with self._keys_lock:
            self._keys.clear()

    def clear(self, service: str) -> int:
        """Forget what one service keeps. Returns how many answers that were, 500 at most.

        Raises UnknownSwitch when no such service runs here.
        """
        if service not in self.switches.services:
            known = ", ".join(self.switches.services)
            raise UnknownSwitch(f"No service {service} keeps anything here: {known}.")
        with self._keys_lock:
            keys = self._keys.pop(service, {})
        for key in keys:
            self.kept.forget(key)
        return len(keys)

    def answer(self, page: Page, given: Given, ask: Ask, *, is_staging: bool = False) -> Answer:
        desk = Desk(self, page.service, given, ask, is_staging)
        if desk.is_on("hang"):
            return self._hang()
        # Which third of the requests fails is nobody's secret.
        if desk.is_on("errors") and random.random() < 1 / 3:  # noqa: S311
            return Answer(500, {"error": "The service met an error it does not know."})
        try:
            return self._kept(page, desk) if page.kept else Answer(page.status, page.make(desk))
        except WrongInput as wrong:
            return Answer(422, {"error": str(wrong)})

    def _kept(self, page: Page, desk: Desk) -> Answer:
        key = _key(page, desk)
        if not self._keeps(page, desk):
            return Answer(page.status, page.make(desk), "miss")
        body = self.kept.get(key)
        if body is not None:
            return Answer(page.status, body, "hit")
        body = page.make(desk)
        self._keep(page.service, key, body)
        return Answer(page.status, body, "miss")

    def _keep(self, service: str, key: str, body: Any) -> None:
        self.kept.set(key, body)
        with self._keys_lock:
            keys = self._keys.setdefault(service, {})
            keys[key] = None
            if len(keys) > MOST_KEPT:
                del keys[next(iter(keys))]

    def _keeps(self, page: Page, desk: Desk) -> bool:
        """A switch that slows the database would hardly be seen behind a warm cache."""
        breaking = ("cold-cache", "slow-query", "n-plus-one", page.unkept_by)
        return not any(desk.is_on(name) for name in breaking)

    def _hang(self) -> Answer:
        if not self._hanging.acquire(blocking=False):
            return Answer(503, {"error": "Too many requests wait already."})
        try:
            self._mended.wait(HANG_SECONDS)
        finally:
            self._hanging.release()
        return Answer(504, {"error": "It took too long."})


def _key(page: Page, desk: Desk) -> str:
    """Short, and without the signs that some caches refuse in a key."""
    said = json.dumps([page.path, desk.is_staging, dict(desk.given)], sort_keys=True)
    return sha1(said.encode(), usedforsecurity=False).hexdigest()


def health(desk: Desk) -> dict[str, Any]:
    desk.ask("SELECT 1")
    return {"ok": True}


def version(desk: Desk) -> dict[str, str]:
    before, newest = (VERSION, NEXT) if desk.is_staging else (VERSION_BEFORE, VERSION)
    running = before if desk.house.switches.is_on("old-commit", desk.service) else newest
    named = f"{desk.service} {running}".encode()
    return {
        "commit": sha1(named, usedforsecurity=False).hexdigest(),
        "config_root": configuration.root_of(desk.service, is_staging=desk.is_staging),
        "version": running,
    }


def of_service(service: str, *own: Page) -> list[Page]:
    """Its own pages, and those that every service has."""
    return [
        Page(service, "GET", "/healthz", health),
        Page(service, "GET", "/version", version),
        *own,
    ]
