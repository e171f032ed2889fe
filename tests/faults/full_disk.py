"""F28: the disk of the embedded board's database is full for a while, then it is not.

    unshare --mount python -m tests.faults.full_disk

It mounts a small disk, which only its own namespace sees, and prints what it saw as JSON.
"""

import json
import os
import re
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.blind_rows import Seen, watched
from tests.faults.boards import embedded, run_to_its_end
from tests.faults.postgres import NotHereError
from tests.faults.programs import Program
from tests.faults.rig import Rig, Scale
from tests.faults.watching import BROKEN_PATHS
from tests.listening import Listener
from tests.running.processes import PROJECT, until

MEGABYTES = 48
SCALE = Scale(probes=20, interval=2, timeout=1)
LONGEST_SECONDS = 120
TOLD_WITHIN = 15.0
RECOVERY_WITHIN = SCALE.interval + 5
PAGES = ("/", "/incidents", "/alerts", "/rollback-notes")
SIGN_IN = """
import django; django.setup()
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from opsboard.people import joining
user = joining.add("Edith Moe", "editor", password="correct horse battery")
session = SessionStore()
session[SESSION_KEY] = str(user.pk)
session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
session[HASH_SESSION_KEY] = user.get_session_auth_hash()
session.create()
print(session.session_key)
"""


@dataclass
class Editor:
    """Somebody who has signed in, and reads and writes pages."""

    board: str
    session: str
    seen: Seen = field(default_factory=lambda: Seen([], []))

    def read(self, page: str, data: bytes | None = None, cookies: str = "") -> tuple[int, str, str]:
        """Status, text, and the token that a form needs."""
        request = urllib.request.Request(  # noqa: S310 - a loopback address
            f"{self.board}{page}",
            data=data,
            headers={"Cookie": f"opsboard={self.session}{cookies}"},
        )
        try:
            with urllib.request.urlopen(request, timeout=25) as reply:  # noqa: S310
                return reply.status, reply.read().decode(), str(reply.headers["Set-Cookie"])
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode(), ""

    def add_team(self, name: str) -> tuple[int, str]:
        """Status and text of what a write answers."""
        _, text, cookie = self.read("/teams/new")
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', text)
        kept = re.search(r"opsboard-csrf=(\w+)", cookie)
        assert token, text
        assert kept, cookie
        body = f"name={name}&contact=%23ops&zone=UTC&csrfmiddlewaretoken={token[1]}".encode()
        return self.read("/teams/new", body, f"; opsboard-csrf={kept[1]}")[:2]


def full_disk() -> Seen:
    """The row, in a namespace of its own. NotHereError where this user may not have one."""
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode:
        raise NotHereError("this user may not have a mount namespace of its own")
    command = ["unshare", "--mount", sys.executable, "-m", "tests.faults.full_disk"]
    done = subprocess.run(
        command, cwd=PROJECT, capture_output=True, text=True, check=False, timeout=LONGEST_SECONDS
    )
    assert done.stdout, done.stderr
    return Seen(**json.loads(done.stdout))


def main() -> Seen:
    with tempfile.TemporaryDirectory() as disk:
        mount = ["mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m", "tmpfs", disk]
        subprocess.run(mount, check=True)
        try:
            with Listener() as listener:
                return _run(Path(disk), listener)
        finally:
            subprocess.run(["umount", "--lazy", disk], check=True)


def _run(disk: Path, listener: Listener) -> Seen:
    with embedded(SCALE, on=disk, **watched(listener)) as (rig, board):
        session = run_to_its_end(rig.environment, *_code(SIGN_IN)).strip()
        board.start()
        rig.warm_up()
        editor = Editor(f"http://127.0.0.1:{rig.environment['OPSBOARD_PORT']}", session)
        assert editor.add_team("Before")[0] == 200, board.said
        _fill(disk, rig)
        _while_full(editor, listener, rig)
        (disk / "filler").unlink()
        _afterwards(editor, listener, rig, board)
        return editor.seen


def _code(text: str) -> tuple[str, str]:
    return ("tests.faults.saying", text)


def _fill(disk: Path, rig: Rig) -> None:
    """To the last block, the room that the write-ahead log had taken included."""
    filler = os.open(disk / "filler", os.O_WRONLY | os.O_CREAT)
    for _ in range(3):
        _write_until_full(filler)
        # Where the database itself would have to grow for that, its disk is full already.
        with suppress(sqlite3.OperationalError), closing(_database(rig)) as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    _write_until_full(filler)
    os.close(filler)


def _write_until_full(file: int) -> None:
    for size in (1 << 20, 4096):
        try:
            while True:
                os.write(file, b"\0" * size)
        except OSError:
            continue


def _database(rig: Rig) -> sqlite3.Connection:
    return sqlite3.connect(rig.store.url.removeprefix("sqlite://"), timeout=20)


def _while_full(editor: Editor, listener: Listener, rig: Rig) -> None:
    began, seen = time.time(), editor.seen
    rig.tell(BROKEN_PATHS, "500")
    told = until(lambda: _told(listener), seconds=TOLD_WITHIN)
    if not told:
        seen.trouble.append(f"no message by the last resort within {TOLD_WITHIN} s")
    seen.notes.append(f"told by the last resort after {time.time() - began:.1f} s")
    for page in PAGES:
        if (status := editor.read(page)[0]) != 200:
            seen.trouble.append(f"while the disk was full {page} answered {status}")
    status, text = editor.add_team("Meanwhile")
    if status != 503 or "is full, so nothing was saved" not in text:
        seen.trouble.append(f"a write answered {status}: {text[:3000]}")


def _told(listener: Listener) -> bool:
    return any("database is full" in body["text"] for body in listener.bodies("/last"))


def _afterwards(editor: Editor, listener: Listener, rig: Rig, board: Program) -> None:
    freed, seen = time.time(), editor.seen
    until(lambda: rig.observed(freed) >= SCALE.probes, seconds=30)
    recovered = time.time() - freed
    seen.notes.append(f"every probe was recorded again {recovered:.1f} s after space was freed")
    if recovered > RECOVERY_WITHIN + 1:
        seen.trouble.append(f"recovery took {recovered:.1f} s")
    if not board.is_alive():
        seen.trouble.append(f"the board ended: {board.said}")
    if (status := editor.add_team("After")[0]) != 200:
        seen.trouble.append(f"a write afterwards answered {status}")
    opened = "SELECT count(*) FROM incidents_incident WHERE resolved_at IS NULL"
    if not until(lambda: rig.store.one(opened), seconds=10):
        seen.trouble.append("the outage that began while the disk was full opened no incident")
    if (said := rig.store.one("PRAGMA integrity_check")) != "ok":
        seen.trouble.append(f"the database is damaged: {said}")


if __name__ == "__main__":
    found = main()
    print(json.dumps({"trouble": found.trouble, "notes": found.notes}))
