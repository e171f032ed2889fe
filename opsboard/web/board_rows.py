"""The rows of the board's table: what each service of one page measures now, and its 90 days."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from opsboard.alerts.holding import Hold, Overlays
from opsboard.probes.models import microseconds
from opsboard.probes.path_states import PathNow
from opsboard.probes.rules import State
from opsboard.services.models import CriticalPath
from opsboard.services.rota import Duties, OnDuty
from opsboard.web import measuring, words
from opsboard.web.board_history import SPARK_HOURS, History, Strip, read_history
from opsboard.web.expected import limits_for
from opsboard.web.measurements import NO_DATA, NOT_REPORTED, NOTHING, Limit, Measured, severity
from opsboard.web.overview import ServiceNow
from opsboard.web.paths_seen import PathSeen
from opsboard.web.sentences import paths_words

MINUTE = 60 * words.SECOND
# All numbers "now" are of this stretch, on every page.
NOW_SPAN = 15 * MINUTE


@dataclass(frozen=True, slots=True)
class Cell:
    """A number beside its limit. `css` is "fail" or "warn" when it is over, else ""."""

    text: str
    css: str = ""

    @property
    def is_missing(self) -> bool:
        return self.text in (NO_DATA, NOT_REPORTED)


@dataclass(frozen=True, slots=True)
class Numbers:
    """One path's measurements as cells of a table."""

    p95: Cell
    expected: str
    errors: Cell
    hits: Cell
    calls: Cell
    spark: tuple[float | None, ...]
    spark_limit: float | None
    # Whether anything was measured in the stretch.
    is_known: bool


@dataclass(frozen=True, slots=True)
class Row:
    """What is shown of a service, and nothing else: rows that are equal look the same."""

    slug: str
    name: str
    summary: str
    team: str
    # "": nobody is.
    on_duty: str
    environment: str
    state: State
    # It is said of this one that nobody would be told.
    is_unheard: bool
    # How many pass, and the rest: ("3", " of 4").
    paths: tuple[str, str]
    # None: nothing is measured now that could be shown.
    numbers: Numbers | None
    # Then: since when it is paused, or when it was last heard of (None: never).
    quiet_since: int | None
    expected: str
    strip: Strip
    # What holds back the alerts of the whole service, and how many of its paths alone are silenced.
    holds: tuple[Hold, ...]
    silenced: int

    @property
    def is_passing(self) -> bool:
        return self.state is State.PASSING

    @property
    def is_paused(self) -> bool:
        return self.state is State.PAUSED

    @property
    def hurts(self) -> bool:
        return self.state in (State.FAILING, State.WARNING)


class Asked(NamedTuple):
    """A critical path in one environment, and the probes that ask it there."""

    sheet: CriticalPath
    probe_ids: tuple[int, ...]
    state: State

    @classmethod
    def of(cls, path: PathNow) -> "Asked":
        return cls(path.path, tuple(probe.pk for probe in path.probes), path.state)


def rows_of(
    services: Sequence[ServiceNow],
    sheets: Mapping[int, CriticalPath],
    overlays: Overlays,
    duties: Duties,
    *,
    all_unheard: bool,
    now: datetime,
) -> list[Row]:
    """Two queries, however many rows. `sheets`: by id, those of the telling paths."""
    chosen = {one.pk: telling_path(one.paths) for one in services}
    asked = [Asked(sheets[path.pk], path.probe_ids, path.state) for path in chosen.values() if path]
    places = [one.environment_id for one in services if one.environment_id]
    history = read_history(places, [pk for one in asked for pk in one.probe_ids], now=now)
    numbers = numbers_of(asked, history, now=now)
    rows = []
    for one in services:
        path, strip = chosen[one.pk], history.strip(one.environment_id)
        own = numbers[path.pk] if path else None
        on_duty = duties.of(one.team_id)
        rows.append(_row(one, path, own, strip, overlays, on_duty, says_unheard=not all_unheard))
    return rows


def _row(
    service: ServiceNow,
    path: PathSeen | None,
    numbers: Numbers | None,
    strip: Strip,
    overlays: Overlays,
    on_duty: OnDuty | None,
    *,
    says_unheard: bool,
) -> Row:
    holds = overlays.of_place(service, None, service.environment)
    is_quiet = service.state in (State.PAUSED, State.NO_DATA)
    is_known = numbers is not None and numbers.is_known
    return Row(
        slug=service.slug,
        name=service.name,
        summary=service.summary,
        team=service.team_name,
        on_duty=words.person_name(on_duty.person) if on_duty else "",
        environment=service.environment,
        state=service.state,
        is_unheard=says_unheard and not service.is_heard,
        paths=paths_words(each.state for each in service.paths),
        numbers=numbers if is_known and not is_quiet else None,
        quiet_since=_quiet_since(service, path) if is_quiet or not is_known else None,
        expected=numbers.expected if numbers else "",
        strip=strip,
        holds=tuple(holds),
        silenced=_silenced(service, holds, overlays),
    )


def _quiet_since(service: ServiceNow, path: PathSeen | None) -> int | None:
    if service.is_paused and path:
        return path.since
    heard = (one.observed_at for one in service.paths if one.observed_at)
    return max(heard, default=None)


def _silenced(service: ServiceNow, holds: Sequence[Hold], overlays: Overlays) -> int:
    """Of how many paths the alerts are silenced, where those of the whole service are not."""
    if any(hold.by == "silence" for hold in holds):
        return 0
    return sum(
        bool(overlays.silence_of(service, path, service.environment)) for path in service.paths
    )


def telling_path(paths: Iterable[PathSeen]) -> PathSeen | None:
    """The path whose numbers stand for the service: the worst, then one with a limit on its time.

    Chosen without its numbers, so that it stays the same from one look to the next.
    """
    return min(
        paths,
        key=lambda path: (
            path.rank[0],
            not path.has_time_limit,
            path.slug == "health",
            path.pk,
        ),
        default=None,
    )


def numbers_of(asked: Sequence[Asked], history: History, *, now: datetime) -> dict[int, Numbers]:
    """What each path measures now, by its id. One query."""
    probe_ids = [pk for one in asked for pk in one.probe_ids]
    at = microseconds(now)
    measured = measuring.by_path(probe_ids, since=at - NOW_SPAN, until=at + MINUTE)
    return {
        one.sheet.pk: _numbers(
            one, measured.get(one.sheet.pk, NOTHING), history.p95_by_hour(one.probe_ids), now=at
        )
        for one in asked
    }


def _numbers(
    path: Asked, measured: Measured, hours: Mapping[int, int | None], *, now: int
) -> Numbers:
    limits = limits_for(path.sheet)
    last = now // words.HOUR
    spark = [hours.get(hour) for hour in range(last - SPARK_HOURS + 1, last)] + [measured.p95]
    return Numbers(
        p95=_cell(_p95(measured), limits.time, measured.p95, path.state),
        expected=words.milliseconds(int(limits.time.value)) if limits.time else "no limit",
        errors=_cell(measured.errors_words, limits.errors, measured.error_percent, path.state),
        hits=_cell(measured.hits_words, limits.hits, measured.hit_percent, path.state),
        calls=_cell(measured.calls_words, limits.calls, measured.calls, path.state),
        spark=tuple(None if value is None else value / 1000 for value in spark),
        spark_limit=float(limits.time.value) / 1000 if limits.time else None,
        is_known=measured.probes > 0,
    )


def _cell(text: str, limit: Limit | None, value: float | None, state: State) -> Cell:
    return Cell(text, severity(limit, value, is_failing=state is State.FAILING))


def _p95(measured: Measured) -> str:
    return NO_DATA if measured.p95 is None else words.milliseconds(measured.p95)
