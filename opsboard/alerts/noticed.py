"""What there is to notice now: paths that warn, paths nobody knows of, certificates that run out,
and what only the administrators can mend. Read in a bounded number of queries, however many probes.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from typing import NamedTuple

from opsboard.alerts.models import Notice
from opsboard.probes.models import MOST_LEASES_LOST, Probe, microseconds, moment
from opsboard.probes.rules import State, path_state
from opsboard.probes.wellness import (
    SECOND,
    Signs,
    blind,
    not_drained,
    overloaded,
    read_signs,
    trouble,
)

Kind = Notice.Kind
# Days before its end at which a certificate is told of.
CERTIFICATE_DAYS = (1, 7, 14, 21)
# More paths than this never fall silent by themselves: then we do not hear, and they are told once.
MOST_SILENT = 10
DAY = 24 * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One thing to notice. `kind` and `key` say which: it is told once for as long as it lasts."""

    kind: Notice.Kind
    key: str
    text: str
    probe: Probe | None = field(default=None, compare=False)
    # Of a service as a whole, not of one path.
    of_service: bool = False


class Row(NamedTuple):
    """What of every active probe is looked at."""

    pk: int
    path_id: int
    environment_id: int
    location: str
    interval: int
    timeout: int
    state: str
    state_since: int
    observed_at: int | None
    leases_lost: int

    @property
    def is_set_aside(self) -> bool:
        return self.leases_lost > MOST_LEASES_LOST

    def is_silent(self, now: int, ringing_since: int) -> bool:
        """Nothing came for three intervals in which something should have."""
        if self.is_set_aside:
            return False
        heard = max(self.observed_at or 0, self.state_since, ringing_since)
        return now > heard + 3 * self.interval + self.timeout

    def is_unknown_for_long(self, now: int) -> bool:
        is_long = now > self.state_since + 3 * self.interval
        return self.state == State.NO_DATA and is_long and not self.is_set_aside


@dataclass(frozen=True, slots=True)
class Look:
    """All that is noticed at a moment, and whether silence could be told of at all."""

    found: tuple[Found, ...]
    # False: Opsboard itself is not well, so that silence says nothing of any path.
    knows_silence: bool


def look(*, now: datetime, told: Collection[tuple[str, str]] = ()) -> Look:
    """`told`: kind and key of what was put into words before, and need not be again."""
    at, signs = microseconds(now), read_signs()
    ours = _ours(signs, at)
    paths = _Paths(signs, at)
    knows_silence = trouble(signs, now=at) is None
    silent = paths.silent() if knows_silence else []
    if len(silent) > MOST_SILENT:
        ours.append(_many_silent(len(silent)))
        silent = []
    quiet = {(Kind.NO_DATA, _key(row)): row for row in silent}
    warned = {(Kind.WARNING, _key(row)): row for row in paths.warning()}
    aside = {(Kind.OWN_ERROR, f"set aside {row.pk}"): row for row in paths.set_aside()}
    named = quiet | warned | aside
    probes = _read([row for which, row in named.items() if which not in told])
    found = [
        *ours,
        *_in_words(quiet, probes, _no_data),
        *_in_words(warned, probes, _warning),
        *_in_words(aside, probes, _set_aside),
        *_own_errors(paths.unknown()),
        *_certificates(now),
    ]
    return Look(tuple(found), knows_silence)


def _ours(signs: Signs, at: int) -> list[Found]:
    if reason := trouble(signs, now=at):
        return [Found(kind=Kind.OWN_ERROR, key="not well", text=reason)]
    found = [
        Found(kind=Kind.LOCATION, key=name, text=reason)
        for name, reason in not_drained(signs, now=at).items()
    ]
    found += [
        Found(kind=Kind.OWN_ERROR, key=f"blind {name}", text=reason)
        for name, reason in blind(signs, now=at).items()
    ]
    if reason := overloaded(signs):
        found.append(Found(kind=Kind.OVERLOADED, key="prober", text=reason))
    return found


def _many_silent(count: int) -> Found:
    return Found(
        kind=Kind.OWN_ERROR,
        key="silent",
        text=f"Nothing was recorded of {count} paths for 3 intervals, so nobody knows whether they "
        "work: start another worker, or read the worker's log.",
    )


class _Paths:
    """Every watched path by its standing: a probe of it stands for the path."""

    def __init__(self, signs: Signs, at: int) -> None:
        self.at = at
        self.ringing_since = at if signs.ringing_since is None else signs.ringing_since
        self.undrained = not_drained(signs, now=at).keys()
        self.blind = blind(signs, now=at).keys()
        rows = Probe.objects.active().values_list(*Row._fields).order_by("pk")
        self._of_paths: dict[tuple[int, int], list[Row]] = defaultdict(list)
        for row in map(Row._make, rows.iterator(chunk_size=2_000)):
            self._of_paths[row.path_id, row.environment_id].append(row)

    def silent(self) -> list[Row]:
        """No data, and for want of a reply. A location nobody drains is told of by itself."""
        return [
            row
            for rows in self._without_data()
            if (row := next(filter(self._is_silent, rows), None))
            and row.location not in self.undrained
        ]

    def unknown(self) -> list[Row]:
        """No data for long, though asked: an error of ours, if the newest verdict says so.

        A location that is blind is told of by itself.
        """
        return [
            row
            for rows in self._without_data()
            if not any(map(self._is_silent, rows))
            and rows[0].location not in self.blind
            and (row := next((row for row in rows if row.is_unknown_for_long(self.at)), None))
        ]

    def set_aside(self) -> list[Row]:
        return [row for rows in self._of_paths.values() for row in rows if row.is_set_aside]

    def warning(self) -> list[Row]:
        return [
            next(row for row in rows if row.state != State.PASSING)
            for rows in self._of_paths.values()
            if self._standing(rows) is State.WARNING
        ]

    def _without_data(self) -> Iterator[list[Row]]:
        return (rows for rows in self._of_paths.values() if self._standing(rows) is State.NO_DATA)

    def _standing(self, rows: Sequence[Row]) -> State:
        return path_state(
            [State.NO_DATA if self._is_silent(row) else State(row.state) for row in rows]
        )

    def _is_silent(self, row: Row) -> bool:
        return row.is_silent(self.at, self.ringing_since)


def _read(rows: Sequence[Row]) -> dict[int, Probe]:
    return Probe.objects.active().for_pages().in_bulk([row.pk for row in rows]) if rows else {}


def _in_words(
    rows: Mapping[tuple[Notice.Kind, str], Row],
    probes: Mapping[int, Probe],
    words: Callable[[Probe], str],
) -> Iterator[Found]:
    for (kind, key), row in rows.items():
        probe = probes.get(row.pk)
        yield Found(kind=kind, key=key, text=words(probe) if probe else "", probe=probe)


def _warning(probe: Probe) -> str:
    return f"{_place(probe)} warns: {_said(probe.reason)}; look at its sheet before it fails."


def _no_data(probe: Probe) -> str:
    heard = probe.observed_at or probe.state_since
    return (
        f"Nobody knows whether {_place(probe)} works: nothing was recorded since "
        f"{moment(heard):%H:%M UTC on %-d %B}, for 3 intervals; see that a worker asks from the "
        f"location {probe.location}."
    )


def _set_aside(probe: Probe) -> str:
    return f"{_place(probe)} is set aside in the location {probe.location}. {probe.reason}"


def _own_errors(rows: Sequence[Row]) -> Iterator[Found]:
    """One for each reason: a key that is lost stops many paths by one cause."""
    if not rows:
        return
    stopped = Probe.objects.active().filter(
        pk__in=[row.pk for row in rows], latest__contains='"verdict": "error"'
    )
    # A job that is not due for the first time yet is nobody's error.
    stopped = stopped.exclude(latest__contains='"failure": "awaited"')
    by_reason: dict[str, list[int]] = defaultdict(list)
    for number, reason in stopped.order_by("pk").values_list("pk", "reason"):
        by_reason[reason].append(number)
    firsts = Probe.objects.for_pages().in_bulk([numbers[0] for numbers in by_reason.values()])
    for reason, numbers in by_reason.items():
        more = f" and {len(numbers) - 1} more" if len(numbers) > 1 else ""
        yield Found(
            kind=Kind.OWN_ERROR,
            key=f"reason {_digest(reason)}",
            text=f"Opsboard cannot ask {_place(firsts[numbers[0]])}{more}: {_said(reason)}.",
        )


def _certificates(now: datetime) -> Iterator[Found]:
    """One for each certificate, service and threshold. One that has ended fails already."""
    shown: dict[tuple[str, int], list[Probe]] = defaultdict(list)
    marked = Probe.objects.active().for_pages().filter(latest__contains='"ending_certificate": {')
    for probe in marked.order_by("pk"):
        shown[probe.facts["ending_certificate"]["key"], probe.path.service_id].append(probe)
    for (key, service_id), probes in shown.items():
        certificate = probes[0].facts["ending_certificate"]
        left = (certificate["not_after"] - now.timestamp()) / DAY
        days = next((days for days in CERTIFICATE_DAYS if left <= days), None)
        if days is None or left <= 0:
            continue
        yield Found(
            kind=Kind.CERTIFICATE,
            key=f"certificate {key} service {service_id} days {days}",
            text=_certificate_text(certificate["subject"], probes, left=left),
            probe=probes[0],
            of_service=len(probes) > 1,
        )


def _certificate_text(subject: str, probes: list[Probe], *, left: float) -> str:
    certificate = probes[0].facts["ending_certificate"]
    hosts = sorted({probe.facts["ending_certificate"]["host"] for probe in probes})
    named = f"{', '.join(hosts[:3])}{f' and {len(hosts) - 3} more' if len(hosts) > 3 else ''}"
    more = f" and {len(probes) - 1} more" if len(probes) > 1 else ""
    until = moment(round(certificate["not_after"] * SECOND))
    in_words = f"in {math.floor(left)} days" if left >= 2 else f"in {math.ceil(left * 24)} h"
    return (
        f"The certificate of {named} ({subject}) runs out at {until:%H:%M UTC on %-d %B %Y}, "
        f"{in_words}: renew it, for it is what {_place(probes[0])}{more} shows."
    )


def _place(probe: Probe) -> str:
    return f"{probe.path.name} ({probe.path.service.name}, {probe.environment.slug})"


def _key(row: Row) -> str:
    return f"path {row.path_id} env {row.environment_id}"


def _said(reason: str) -> str:
    return reason.strip().rstrip(".") or "no reason was recorded"


def _digest(text: str) -> str:
    return blake2b(text.encode(), digest_size=16).hexdigest()
