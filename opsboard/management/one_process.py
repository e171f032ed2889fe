"""Web, worker and beat in one process: how script/up runs the board.

Beat must be a thread beside the worker: as a process of its own it would ring its bells into
an in-memory broker that the worker does not read.
"""

import errno
import logging
import os
import sys
import threading
import time
from types import TracebackType
from typing import Self

from celery.beat import EmbeddedService
from celery.worker import state as worker_state
from cheroot.wsgi import Server

from opsboard.celery import QUEUES, app, stop_drains
from opsboard.wsgi import application

log = logging.getLogger(__name__)

WEB_THREADS = 8
# One each for the drain and a burst, which never have two, and one for each housekeeping duty, were
# all of them slow at once: what is left is for alerts, so that none waits behind them.
WORKER_THREADS = 12
# With the interpreter's own 5 ms, a busy page would show up as slowness of what is probed.
SWITCH_INTERVAL_SECONDS = 0.0005
GRACE_SECONDS = 4.5
# How a socket says that the other side, or we ourselves, have closed it.
GONE = (errno.EBADF, errno.EPIPE, errno.ECONNRESET)


class OneProcess:
    """The running board, as a context: entering starts all three parts, leaving stops them.

    Leaving takes no more than `GRACE_SECONDS`, whatever is in flight: what has not stopped by
    then ends with the process, as it would by kill -9. Nothing recorded is lost by that.
    """

    def __init__(self, *, host: str, port: int) -> None:
        self._web = _web_server(host, port)
        self._worker = app.Worker(
            pool="threads",
            concurrency=WORKER_THREADS,
            queues=QUEUES,
            without_heartbeat=True,
            without_mingle=True,
            without_gossip=True,
            loglevel="WARNING",
            quiet=True,
        )
        # Beat embedded does not ask the settings for its scheduler, and its own keeps a file.
        self._beat = EmbeddedService(app, thread=True, scheduler_cls=app.conf.beat_scheduler)
        self._threads = {
            "web server": threading.Thread(target=self._web.serve, daemon=True),
            "worker": threading.Thread(target=self._worker.start, daemon=True),
            "timetable": self._beat,
        }

    def __enter__(self) -> Self:
        sys.setswitchinterval(SWITCH_INTERVAL_SECONDS)
        sys.unraisablehook = tell_unraisable
        self._web.prepare()
        for thread in self._threads.values():
            thread.start()
        return self

    def dead_part(self) -> str | None:
        """Name a part that ended by itself, or None: half a board must not look like one."""
        ended = (name for name, thread in self._threads.items() if not thread.is_alive())
        return next(ended, None)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        until = time.monotonic() + GRACE_SECONDS
        _end_process_after(GRACE_SECONDS, code=1 if kind else 0)
        closing = threading.Thread(target=self._web.stop, daemon=True)
        closing.start()
        stop_drains()
        worker_state.should_stop = 0
        # Beat goes last: its bells wake the worker, which looks at its orders between messages.
        _join(self._threads["worker"], until)
        self._beat.service.stop()
        _join(self._beat, until)
        _join(closing, until)


def tell_unraisable(found: "sys.UnraisableHookArgs") -> None:
    """Tell what nobody can catch, but for a browser that left in the middle of an answer.

    The server's writer still has bytes for it then, finds the socket closed when it is forgotten,
    and would print a traceback of which nobody can make anything.
    """
    is_of_a_file = getattr(found.object, "__qualname__", "") == "IOBase.__del__"
    if is_of_a_file and isinstance(found.exc_value, OSError) and found.exc_value.errno in GONE:
        return
    sys.__unraisablehook__(found)


def _join(thread: threading.Thread, until: float) -> None:
    thread.join(max(0.0, until - time.monotonic()))


def _end_process_after(seconds: float, *, code: int) -> None:
    last_resort = threading.Timer(seconds, os._exit, [code])
    last_resort.daemon = True
    last_resort.start()


class _Web(Server):
    """The pages' server; what goes wrong in it goes to the log like all else."""

    max_request_header_size = 64 << 10
    max_request_body_size = 4 << 20

    def error_log(self, msg: str = "", level: int = logging.INFO, traceback: bool = False) -> None:
        log.log(level, "web server: %s", msg, exc_info=traceback)


def _web_server(host: str, port: int) -> _Web:
    return _Web(
        (host, port),
        application,
        numthreads=WEB_THREADS,
        server_name="Opsboard",
        request_queue_size=128,
        shutdown_timeout=1,
    )
