"""Every address that a sheet will dial, told while it is written: egress may refuse one early."""

from collections.abc import Callable, Iterator

from opsboard.probes.other_kinds import split_server
from opsboard.probes.rendering import address
from opsboard.services.addresses import host_of
from opsboard.services.problems import At
from opsboard.services.sheets import Sheet

type Fill = Callable[[str], str]


def addresses_of(sheet: Sheet, base_url: str, fill: Fill) -> Iterator[tuple[At, str]]:
    """Where each stands in the sheet, and the address. `fill` puts values for marks."""
    yield from _routes(sheet, base_url, fill)
    if proxy := sheet.connection.get("proxy"):
        yield ("connection", "proxy"), fill(proxy)


def _routes(sheet: Sheet, base_url: str, fill: Fill) -> Iterator[tuple[At, str]]:
    if sheet.steps:
        for number, step in enumerate(sheet.steps):
            yield ("steps", number, "route"), address(base_url, fill(step.route), "")
    elif sheet.route:
        route = fill(sheet.route)
        if sheet.kind == "http":
            yield ("route",), address(base_url, route, "")
        elif sheet.kind in ("tcp", "tls"):
            host, _, port = route.rpartition(":")
            yield ("route",), f"http://{host or host_of(base_url)}:{port}"
        elif sheet.kind == "dns":
            yield from ((("route",), one) for one in _servers(route))


def _servers(route: str) -> Iterator[str]:
    for word in route.split():
        address, port = split_server(word)
        if address:
            yield f"http://[{address}]:{port}" if ":" in address else f"http://{address}:{port}"
