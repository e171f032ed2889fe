"""What can be known of our own network without asking any probed service.

Canaries are addresses that must answer while our network is alive; the operator names them. Without
any, the routes of this machine and its name servers are looked at: Linux tells, elsewhere both are
believed. Everything here ends within a second or two.
"""

import contextlib
import secrets
import select
import socket
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from opsboard.outbound.egress import Policy
from opsboard.outbound.http import ask_once
from opsboard.outbound.looked import Looked
from opsboard.outbound.reply import Ask

WITHIN = 1.5
# Whoever may write a canary into the environment may reach it: a gateway is inside.
_POLICY = Policy(allow_loopback=True, allow_private=True)
_ROUTES = Path("/proc/net/route")
_ROUTES_V6 = Path("/proc/net/ipv6_route")
_RESOLVERS = Path("/etc/resolv.conf")
_MOST_RESOLVERS = 3
_REJECT = 0x200
_DNS_PORT = 53


def look_around(canaries: Sequence[str], *, within: float = WITHIN) -> Looked:
    """Look at everything at once, at most for so many seconds. Never raises for what it finds."""
    looks: list[Callable[[], bool]] = [partial(_answers, canary, within) for canary in canaries]
    resolver = _Watch([partial(_resolver_answers, within)])
    canary = _Watch(looks)
    deadline = time.monotonic() + within
    way_out, default = _routes()
    return Looked(
        names_canaries=bool(canaries),
        canary_answers=canary.any_is_true(deadline),
        has_way_out=way_out,
        has_default_route=default,
        resolver_answers=resolver.any_is_true(deadline),
    )


class _Watch:
    """Questions asked side by side, each in a thread of its own: a silent one holds up nobody."""

    def __init__(self, questions: Sequence[Callable[[], bool]]) -> None:
        self._left = len(questions)
        self._is_true = False
        self._changed = threading.Condition()
        for question in questions:
            threading.Thread(target=self._run, args=(question,), name="look", daemon=True).start()

    def _run(self, question: Callable[[], bool]) -> None:
        found = question()
        with self._changed:
            self._left -= 1
            self._is_true |= found
            self._changed.notify()

    def any_is_true(self, deadline: float) -> bool:
        with self._changed:
            while self._left and not self._is_true:
                if not self._changed.wait(max(deadline - time.monotonic(), 0)):
                    break
            return self._is_true


def _answers(canary: str, within: float) -> bool:
    """Whether somebody takes a connection there. What it then says is its own affair."""
    if canary.startswith("tcp://"):
        parts = urlsplit(canary)
        try:
            socket.create_connection((parts.hostname or "", parts.port or 0), within).close()
        except OSError:
            return False
        return True
    ask = Ask(method="HEAD", url=canary, timeout=round(within * 1_000_000), follow=False)
    reply = ask_once(ask, policy=_POLICY)
    return reply.status is not None or bool(reply.peer)


def _routes() -> tuple[bool, bool]:
    """Whether there is any route that leaves this machine, and whether there is a default one."""
    leading = _leading_v4() + _leading_v6()
    if leading or _ROUTES.exists():
        return bool(leading), "default" in leading
    return True, True


def _leading_v4() -> list[str]:
    found = []
    for line in _lines(_ROUTES)[1:]:
        interface, destination, _, flags = line.split()[:4]
        mask = line.split()[7]
        if interface not in ("lo", "*") and not int(flags, 16) & _REJECT:
            is_default = int(destination, 16) == int(mask, 16) == 0
            found.append("default" if is_default else destination)
    return found


def _leading_v6() -> list[str]:
    found = []
    for line in _lines(_ROUTES_V6):
        fields = line.split()
        destination, length, flags, interface = fields[0], fields[1], fields[8], fields[9]
        # What every interface has by itself leads nowhere.
        is_own = destination.startswith(("fe8", "ff"))
        if interface != "lo" and not is_own and not int(flags, 16) & _REJECT:
            found.append("default" if int(length, 16) == 0 else destination)
    return found


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except OSError:
        return []


def _resolver_answers(within: float) -> bool:
    """Whether a name server of this machine says anything at all, be it that it knows nothing."""
    servers = _resolvers()
    if not servers:
        return True
    with contextlib.ExitStack() as stack:
        asked = [asked for server in servers if (asked := _ask(server, stack))]
        deadline = time.monotonic() + within
        while asked and (left := deadline - time.monotonic()) > 0:
            for heard in select.select(asked, [], [], left)[0]:
                try:
                    heard.recv(512)
                except OSError:
                    asked.remove(heard)
                else:
                    return True
    return False


def _resolvers() -> list[str]:
    named = [line.split()[1:2] for line in _lines(_RESOLVERS) if line.startswith("nameserver")]
    return [server for servers in named for server in servers][:_MOST_RESOLVERS]


def _ask(server: str, stack: contextlib.ExitStack) -> socket.socket | None:
    """Who serves the root? Any name server has an answer to that."""
    family = socket.AF_INET6 if ":" in server else socket.AF_INET
    # Head: a number of its own, "recursion desired", one question. Question: ".", NS, IN.
    question = secrets.token_bytes(2) + bytes.fromhex("0100 0001 0000 0000 0000 00 0002 0001")
    try:
        asking = stack.enter_context(socket.socket(family, socket.SOCK_DGRAM))
        asking.setblocking(False)
        asking.connect((server, _DNS_PORT))
        asking.send(question)
    except OSError:
        return None
    return asking
