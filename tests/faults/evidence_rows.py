"""F44: programs give evidence and try again while PostgreSQL restarts; each is kept once."""

import http.client
import json
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.faults.boards import production_environment, run_to_its_end
from tests.faults.postgres import Cluster
from tests.faults.programs import Program, running
from tests.faults.report import Outcome, PassLine
from tests.faults.rig import Rig, Scale
from tests.faults.runs import Figures
from tests.faults.store import Store
from tests.running.processes import free_port, status, until

CLIENTS = 50
# Of one client, so that the run ends on a slow machine too.
MOST_POSTS = 10
# Before, between and after the restarts, in seconds.
REST = 1.5
WAYS = ("fast", "immediate")
# The first wait of a client that was not served; each further one is twice as long, to this end.
RETRY_AFTER, LONGEST_WAIT = 0.25, 2.0
TRIES_END_AFTER = 20.0
COMMIT = "9fceb02d0ae598e95dc970b74767f19372d61af8"
ADDRESS = "/api/v1/services/fares-api/releases/1/evidence"
# A database with one release, and a token of an administrator; the token is what is said.
A_RELEASE = f"""
import django; django.setup()
from datetime import timedelta
from django.core.management import call_command
from django.utils import timezone
from opsboard.people import joining, tokens
from opsboard.people.audit import Actor, Via
from opsboard.releases.naming import Named, name_release
from opsboard.services.models import Team
call_command("migrate", interactive=False, verbosity=0)
team = Team.objects.create(slug="pricing", name="Pricing")
service = team.services.create(slug="fares-api", name="Fares API")
now, by = timezone.now(), joining.add("Layla Haddad", "administrator", password="a long password")
token, whole = tokens.make(
    name="CI", scopes=["release"], by=by, now=now, expires_at=now + timedelta(days=1)
)
named = Named(version="1", commit="{COMMIT}")
name_release(service, named, by=Actor(by, Via.COMMAND), now=now)
print(whole)
"""


@dataclass
class Posted:
    """What the clients saw, together."""

    token: str
    port: int
    stop: threading.Event = field(default_factory=threading.Event)
    # The keys that were answered as kept, and when the last one was that had to be sent again.
    kept: list[str] = field(default_factory=list)
    recovered_at: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)
    trouble: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def saw(self, code: int) -> None:
        with self._lock:
            self.statuses[code] += 1

    def keep(self, key: str, *, tries: int) -> None:
        with self._lock:
            self.kept.append(key)
            if tries > 1:
                self.recovered_at = time.time()

    def complain(self, what: str) -> None:
        with self._lock:
            self.trouble.append(what)


def evidence_while_the_database_restarts(cluster: Cluster, scale: Scale) -> Outcome:
    with _board(cluster, scale) as (store, posted):
        clients = [threading.Thread(target=_client, args=(posted, n)) for n in range(CLIENTS)]
        for client in clients:
            client.start()
        processes, ended = _restarts(cluster)
        posted.stop.set()
        for client in clients:
            client.join(2 * TRIES_END_AFTER)
        rows = store.rows("SELECT tool FROM releases_evidence")
    stored = Counter(tool for (tool,) in rows)
    return _outcome(scale, posted, stored, processes, ended)


def _restarts(cluster: Cluster) -> tuple[list[int], float]:
    """The ids of its first processes, which differ, and when it was back for the last time."""
    processes = [cluster.process()]
    for way in WAYS:
        time.sleep(REST)
        cluster.control("-m", way, "restart")
        processes.append(cluster.process())
    back = time.time()
    assert len(set(processes)) == len(processes), "PostgreSQL did not restart"
    time.sleep(REST)
    return processes, back


def _outcome(
    scale: Scale, posted: Posted, stored: Counter[str], processes: list[int], ended: float
) -> Outcome:
    kept = Counter(posted.kept)
    figures = Figures(
        rounds_lost=len(kept.keys() - stored.keys()),
        results_duplicated=sum(count - 1 for count in stored.values()),
        max_gap_s=None,
        incidents_duplicated=None,
        alerts_lost=None,
        alerts_duplicated=None,
        recovery_s=round(max(posted.recovered_at - ended, 0), 2),
    )
    failed = sum(n for code, n in posted.statuses.items() if code not in (200, 201))
    trouble = list(posted.trouble)
    if not failed:
        trouble.append("no request failed, so nothing is proved")
    if extra := stored.keys() - kept.keys():
        trouble.append(f"{len(extra)} rows of which no client was told")
    tries = ", ".join(f"{code or 'no answer'}: {n}" for code, n in sorted(posted.statuses.items()))
    return Outcome(
        row="F44",
        scale=scale,
        figures=figures,
        injected=f"pg_ctl restart -m {', '.join(WAYS)}, processes {processes}",
        pass_line=PassLine(max_gap_s=0, recovery_s=10),
        notes=[f"{CLIENTS} clients, {len(kept)} keys, {len(stored)} rows; answers {tries}"],
        also_broken=trouble,
    )


# The board -------------------------------------------------------------------------------------


@contextmanager
def _board(cluster: Cluster, scale: Scale) -> Iterator[tuple[Store, Posted]]:
    """Pages and API as docker-compose.yml serves them; nothing else has to run."""
    with ExitStack() as stack:
        url = stack.enter_context(cluster.database())
        made = tempfile.TemporaryDirectory(prefix="opsboard-faults-")
        directory = Path(stack.enter_context(made))
        environment = production_environment(url, free_port())
        environment["OPSBOARD_TOKEN_REQUESTS_A_MINUTE"] = "100000"
        rig = Rig(scale, Store(url), directory, environment, 0, 0)
        token = run_to_its_end(environment, "tests.faults.saying", A_RELEASE).strip()
        port = free_port()
        web = _web(rig, port)
        stack.enter_context(running(web))
        assert until(lambda: status(f"http://127.0.0.1:{port}/healthz") == 200), web.said
        yield rig.store, Posted(token, port)


def _web(rig: Rig, port: int) -> Program:
    return rig.program(
        "web", "gunicorn", "opsboard.wsgi", "--bind", f"127.0.0.1:{port}", "--workers", "2",
        "--threads", "8", "--no-control-socket",
    )  # fmt: skip


# A client --------------------------------------------------------------------------------------


def _client(posted: Posted, number: int) -> None:
    """Gives one answer after the other until told to stop, and every third one once more."""
    for nth in range(MOST_POSTS):
        if posted.stop.is_set():
            return
        key = f"run-{number}-{nth}-unit"
        body = _body(key)
        first = _send(posted, key, body)
        if first is not None and nth % 3 == 0:
            again = _send(posted, key, body)
            if again not in (None, first):
                posted.complain(f"{key} was answered in two ways")


def _send(posted: Posted, key: str, body: str) -> Any:
    """Until it is taken; what the board said. None: it never was."""
    give_up, tries = time.monotonic() + TRIES_END_AFTER, 0
    while time.monotonic() < give_up:
        tries += 1
        code, said = _post(posted, key, body)
        posted.saw(code)
        if code in (200, 201):
            posted.keep(key, tries=tries)
            return json.loads(said)
        if 400 <= code < 500 and code != 429:
            posted.complain(f"{key}: {code} {said[:200]}")
            return None
        time.sleep(min(RETRY_AFTER * 2 ** (tries - 1), LONGEST_WAIT))
    posted.complain(f"{key} was not taken in {TRIES_END_AFTER:g} s")
    return None


def _body(key: str) -> str:
    now = datetime.now(UTC).isoformat()
    counts = {"collected": 1, "passed": 1, "failed": 0, "skipped": 0}
    said = {"gate": "unit", "outcome": "passed", "commit": COMMIT, "tool": key, "exit_code": 0}
    return json.dumps(said | {"started_at": now, "finished_at": now, "counts": counts})


def _post(posted: Posted, key: str, body: str) -> tuple[int, str]:
    """0: no answer came, so that nobody knows whether it was kept."""
    headers = {
        "Authorization": f"Bearer {posted.token}",
        "Content-Type": "application/json",
        "Idempotency-Key": key,
    }
    connection = http.client.HTTPConnection("127.0.0.1", posted.port, timeout=15)
    try:
        connection.request("POST", ADDRESS, body, headers)
        reply = connection.getresponse()
        return reply.status, reply.read().decode()
    except (OSError, http.client.HTTPException):
        return 0, ""
    finally:
        connection.close()
