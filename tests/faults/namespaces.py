"""Two networks of our own, joined by a cable that can be pulled: root only, nothing left behind.

The prober's end is PROBER, with a default route to the far end, FAR. Neither leads anywhere else.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from tests.faults.postgres import NotHereError

PROBER, FAR = "10.77.0.2", "10.77.0.1"
_numbers = count(1)


@dataclass(frozen=True)
class Networks:
    """Two network namespaces by name, and the device that is their end of the cable."""

    prober: str
    far: str
    device: str

    def inside(self, namespace: str, *command: str) -> list[str]:
        return ["ip", "netns", "exec", namespace, *command]

    def pull(self) -> None:
        """The prober's own link goes down, and all its routes with it."""
        _ip("-n", self.prober, "link", "set", self.device, "down")

    def plug_in(self) -> None:
        _ip("-n", self.prober, "link", "set", self.device, "up")
        self.route()

    def route(self) -> None:
        _ip("-n", self.prober, "route", "replace", "default", "via", FAR)

    def lose_the_way(self) -> None:
        _ip("-n", self.prober, "route", "replace", "blackhole", "default")

    def swallow(self) -> None:
        """The far side hears nothing more; on the prober's machine all looks well."""
        _ip("-n", self.prober, "addr", "del", f"{PROBER}/24", "dev", self.device)
        _ip("-n", self.prober, "addr", "add", "10.77.0.3/24", "dev", self.device)
        _ip("-n", self.far, "route", "add", "blackhole", "10.77.0.3/32")
        self.route()

    def hear_again(self) -> None:
        _ip("-n", self.far, "route", "del", "blackhole", "10.77.0.3/32")


@contextmanager
def two_networks(resolver: str = FAR) -> Iterator[Networks]:
    """`resolver`: the name server that programs in the prober's network ask."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        raise NotHereError("network namespaces need root and the program ip")
    name = f"opsboard-{os.getpid()}-{next(_numbers)}"
    networks = Networks(f"{name}-p", f"{name}-f", "eth0")
    with ExitStack() as stack:
        for namespace in (networks.prober, networks.far):
            _add(namespace, stack)
        _ip(
            "link", "add", "eth0", "netns", networks.prober, "type", "veth",
            "peer", "name", "eth0", "netns", networks.far,
        )  # fmt: skip
        for namespace, address in ((networks.prober, PROBER), (networks.far, FAR)):
            _ip("-n", namespace, "addr", "add", f"{address}/24", "dev", "eth0")
            _ip("-n", namespace, "link", "set", "eth0", "up")
        networks.route()
        _resolve_with(resolver, networks.prober, stack)
        yield networks


def _add(namespace: str, stack: ExitStack) -> None:
    try:
        _ip("netns", "add", namespace)
    except subprocess.CalledProcessError as error:
        raise NotHereError(f"no network namespace can be made here: {error.stderr}") from None
    stack.callback(_ip, "netns", "del", namespace)
    _ip("-n", namespace, "link", "set", "lo", "up")


def _resolve_with(server: str, namespace: str, stack: ExitStack) -> None:
    """`ip netns exec` lays what is in this directory over /etc, for that program alone."""
    directory = Path("/etc/netns") / namespace
    directory.mkdir(parents=True)
    stack.callback(shutil.rmtree, directory)
    conf = f"nameserver {server}\noptions timeout:1 attempts:1\n"
    (directory / "resolv.conf").write_text(conf)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True, timeout=10)
