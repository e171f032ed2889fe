"""Looking up host names in threads of their own.

Not libcurl's lookups: it has 20 threads for all names, so twenty names of a zone whose servers are
silent stop every other probe by name; it waits for those threads when it is closed (8 s seen), and
it dials IPv6 first whether or not this machine has a way there. The system's order knows that.
"""

import socket
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from opsboard.outbound.failures import Trouble
from opsboard.outbound.reply import Failure
from opsboard.outbound.wording import lasting

# Threads hang only on silent name servers, one for each name that does.
_MOST = 256
# Not every system knows both.
_NO_SUCH_HOST = (
    socket.EAI_NONAME,
    getattr(socket, "EAI_NODATA", socket.EAI_NONAME),
    getattr(socket, "EAI_ADDRFAMILY", socket.EAI_NONAME),
)


class Sought(NamedTuple):
    """A name, and 4 or 6 where only addresses of that family will do; 0: the system's first."""

    host: str
    ip: int = 0


class Found(NamedTuple):
    """What a lookup came to: an address, or "" and the trouble. `finished` is monotonic seconds."""

    sought: Sought
    address: str
    trouble: Trouble | None
    finished: float


class Names:
    """`look_up` returns at once; `found` is called later, in another thread."""

    def __init__(self, found: Callable[[Found], None]) -> None:
        self._found = found
        self._running: set[Sought] = set()

    def look_up(self, sought: Sought) -> bool:
        """False when too many lookups hang. One that already runs for the name serves all."""
        if sought in self._running:
            return True
        if len(self._running) >= _MOST:
            return False
        self._running.add(sought)
        try:
            threading.Thread(target=self._run, args=(sought,), name="lookup", daemon=True).start()
        except RuntimeError:  # the system gives no more threads
            self._running.discard(sought)
            return False
        return True

    def _run(self, sought: Sought) -> None:
        found = look_up(sought)
        self._running.discard(sought)
        self._found(found)


_FAMILIES = {0: socket.AF_UNSPEC, 4: socket.AF_INET, 6: socket.AF_INET6}


def look_up(sought: Sought) -> Found:
    """The first address in the system's order, and only that: a dead family must not hide."""
    try:
        answers = socket.getaddrinfo(
            sought.host.encode("ascii"),
            None,
            family=_FAMILIES[sought.ip],
            type=socket.SOCK_STREAM,
        )
    except OSError as error:  # a gaierror, or what the system said while it looked
        return Found(sought, "", _why(sought, error), time.monotonic())
    return Found(sought, str(answers[0][4][0]), None, time.monotonic())


def too_many(host: str) -> Trouble:
    detail = f"{host} was not looked up: too many other names hang; look at the name servers."
    return Trouble(Failure.INTERNAL, detail, is_ours=True)


def silent(host: str, microseconds: int) -> Trouble:
    within = lasting(microseconds)
    return Trouble(Failure.DNS, f"The name servers did not answer about {host} within {within}.")


def no_such_family(sought: Sought) -> Trouble:
    return Trouble(Failure.DNS, f"{sought.host} has no IPv{sought.ip} address.")


def _why(sought: Sought, error: OSError) -> Trouble:
    host = sought.host
    if not _can_open():
        detail = f"{host} was not looked up: this process has no file descriptor left."
        return Trouble(Failure.INTERNAL, detail, is_ours=True)
    if error.errno in _NO_SUCH_HOST:
        missing = Trouble(Failure.DNS, f"No such host: {host}.")
        return no_such_family(sought) if sought.ip else missing
    if error.errno == socket.EAI_AGAIN:
        return Trouble(Failure.DNS, f"The name servers did not answer about {host}.")
    detail = f"{host} could not be looked up: {str(error.strerror).lower()}."
    return Trouble(Failure.DNS, detail)


def _can_open() -> bool:
    """Without a descriptor the system says that there is no such host."""
    try:
        socket.socket().close()
    except OSError:
        return False
    return True
