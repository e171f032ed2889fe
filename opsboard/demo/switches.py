"""What a person can break in the sample services, and mend again."""

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from urllib.parse import parse_qs

ADDRESS = "/__switch/"
# Where a service's cache is cleared, and nothing else's: POST /__cache/sailings-api.
CACHE_ADDRESS = "/__cache/"
_LOCAL = ("127.0.0.1", "localhost")


@dataclass(frozen=True, slots=True)
class Switch:
    name: str
    title: str
    does: str
    # The one service it is for; "": for any of them.
    only: str = ""


COMMON = (
    Switch(
        "slow-query",
        "Slow query",
        "The page's query reads 50,000 archived rows for each of its own: no index serves it.",
    ),
    Switch(
        "n-plus-one",
        "N+1 queries",
        "The page asks the database once for each of its 140 rows, instead of once for all.",
    ),
    Switch(
        "errors",
        "Errors at a rate",
        "One request in three is answered with status 500. A path that expects few errors over "
        "15 min stays failing after it is mended, until that holds again.",
    ),
    Switch("cold-cache", "Cold cache", "Nothing is kept: every request is a miss."),
    Switch(
        "hang",
        "Hang",
        "A request gets no answer for 30 s, then status 504. Four may wait at a time; the rest "
        "are turned away with status 503.",
    ),
    Switch(
        "old-commit",
        "Old commit",
        "GET /version tells the release before the newest one, on staging too: what its paths show "
        "is then of another commit.",
    ),
)
FARES_DATABASE = Switch(
    "fares-database",
    "Fares database",
    "The index of the fare rules is dropped: each price reads every rule, once for each season, "
    "and no price is kept in the cache. Price a crossing fails, and what calls it becomes slow.",
    only="fares-api",
)
SEATS_ONE_BY_ONE = Switch(
    "seats-one-by-one",
    "Seats one by one",
    "The timetable asks for the free seats of each sailing, 12 database calls instead of 3. Behind "
    "a warm cache nobody sees it: compare misses with misses.",
    only="sailings-api",
)
OWN = (FARES_DATABASE, SEATS_ONE_BY_ONE)


class UnknownSwitch(Exception):
    """The message names what is known."""


@dataclass
class Switchboard:
    """The switches of one process. They stand in its memory: a restart mends everything."""

    switches: tuple[Switch, ...]
    services: tuple[str, ...]
    # By name of the switch, the services it is on for.
    _on: dict[str, frozenset[str]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def is_on(self, name: str, service: str) -> bool:
        return service in self._on.get(name, frozenset())

    def services_of(self, name: str) -> list[str]:
        return sorted(self._on.get(name, frozenset()))

    def possible(self, switch: Switch) -> tuple[str, ...]:
        return (switch.only,) if switch.only else self.services

    def turn(self, name: str, *, on: bool, service: str = "") -> None:
        """Without a service: for all of them. Raises UnknownSwitch."""
        known = {switch.name: switch for switch in self.switches}
        if name not in known:
            raise UnknownSwitch(f"There is no switch {name} here: {', '.join(known)}.")
        possible = self.possible(known[name])
        if service and service not in possible:
            raise UnknownSwitch(f"{name} is not for {service}, but for {', '.join(possible)}.")
        meant = frozenset({service} if service else possible)
        with self._lock:
            before = self._on.get(name, frozenset())
            self._on[name] = before | meant if on else before - meant


@dataclass(frozen=True, slots=True)
class Turned:
    """What a request asks of the switchboard."""

    name: str
    on: bool
    service: str


def read_turn(name: str, query: str, body: bytes) -> Turned:
    """From `POST /__switch/NAME?on=1&service=fares-api`, or the form of the page.

    Raises UnknownSwitch when it does not say on or off.
    """
    said = parse_qs(query) | parse_qs(body.decode("ascii", "replace"))
    on, service = said.get("on", [""])[-1], said.get("service", [""])[-1]
    if on not in ("0", "1"):
        raise UnknownSwitch("Say on=1 or on=0.")
    return Turned(name, on == "1", service)


def is_from_here(headers: Mapping[str, str]) -> bool:
    """Whether no other site's page is behind the request. Names of `headers` in lower case."""
    host = headers.get("host", "").rsplit(":", 1)[0]
    return host in _LOCAL and headers.get("sec-fetch-site", "none") in ("none", "same-origin")


def state_of(board: Switchboard) -> str:
    """As a program reads it: for each switch the services it is on for."""
    on = {switch.name: board.services_of(switch.name) for switch in board.switches}
    return json.dumps({"on": on}, indent=2) + "\n"


def page_of(board: Switchboard, *, here: str, sites: Mapping[str, str]) -> str:
    """`here`: the name of this process; `sites`: the addresses of all of them, by name."""
    rows = "\n".join(_row(board, switch) for switch in board.switches)
    return _PAGE.format(
        here=escape(here),
        services=escape(", ".join(board.services)),
        links=" ".join(_link(name, site, here) for name, site in sites.items()),
        rows=rows,
    )


def _link(name: str, site: str, here: str) -> str:
    if name == here:
        return f"<b>{escape(name)}</b>"
    return f'<a href="{escape(site)}{ADDRESS}">{escape(name)}</a>'


def _row(board: Switchboard, switch: Switch) -> str:
    on = board.services_of(switch.name)
    possible = board.possible(switch)
    return _ROW.format(
        name=switch.name,
        title=escape(switch.title),
        does=escape(switch.does),
        state=_state(on, possible),
        choose=_choose(switch, possible) if len(possible) > 1 else "",
        off="" if on else " disabled",
    )


def _state(on: Sequence[str], possible: Sequence[str]) -> str:
    if not on:
        return "Off"
    return "<b>On</b>" if len(on) == len(possible) else f"<b>On</b> for {escape(', '.join(on))}"


def _choose(switch: Switch, services: Sequence[str]) -> str:
    options = "".join(f"<option>{escape(service)}</option>" for service in services)
    return (
        f'<label>for <select name="service" aria-label="{escape(switch.title)} for">'
        f'<option value="">all of them</option>{options}</select></label>'
    )


_ROW = """<tr><th scope="row">{title}<br><code>{name}</code></th><td>{does}</td><td>{state}</td>
<td><form method="post" action="/__switch/{name}">{choose}
<button name="on" value="1">Turn on<span class="vh"> {title}</span></button>
<button name="on" value="0"{off}>Turn off<span class="vh"> {title}</span></button></form></td>
</tr>"""

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Sample services: {here}</title>
<meta name="viewport" content="width=device-width">
<style>
:root {{ color-scheme: light dark; font: 14px/1.5 system-ui, sans-serif; }}
body {{ margin: 2rem auto; max-width: 64rem; padding: 0 1.5rem; }}
table {{ border-collapse: collapse; width: 100%; }}
th, td {{ text-align: left; vertical-align: top; padding: .6rem .8rem .6rem 0;
  border-top: 1px solid #8884; }}
form {{ display: flex; flex-wrap: wrap; gap: .5rem; }}
button, select {{ font: inherit; min-height: 2rem; }}
.vh {{ position: absolute; clip-path: inset(50%); width: 1px; height: 1px; overflow: hidden; }}
</style></head><body>
<h1>Break something, and watch the board</h1>
<p>These are the sample services that run in {here}: {services}. Nothing here is in use by anybody.
What is on ends when the sample services stop.</p>
<p>Processes: {links}</p>
<table><thead><tr><th scope="col">Switch</th><th scope="col">What it does</th>
<th scope="col">Now</th><th scope="col">Turn</th></tr></thead><tbody>
{rows}
</tbody></table>
<p>From a terminal: <code>curl -X POST 'http://…/__switch/slow-query?on=1&amp;service=NAME'</code>,
and <code>on=0</code> to mend it.</p>
</body></html>
"""
