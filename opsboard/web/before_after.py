"""Before and after what was put into service, in the words of a table. What is missing says so."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from opsboard.changes.models import number_of
from opsboard.probes.models import Probe
from opsboard.releases.before_after import (
    FEWEST,
    Figures,
    Step,
    read_before_after,
)
from opsboard.releases.moves import read_moves
from opsboard.services.models import Deploy, Environment
from opsboard.web.words import NBSP, day, duration, number

NOTHING = "nothing kept"
FEW = "too few"
UNTOLD = "not reported"


@dataclass(frozen=True, slots=True)
class Name:
    kind: str
    text: str
    # The number of a change, which has a page of its own.
    change: int | None


@dataclass(frozen=True, slots=True)
class Side:
    requests: str
    p50: str
    p95: str
    wrong: str
    hits: str
    calls: str


@dataclass(frozen=True, slots=True)
class Row:
    at: datetime
    names: Sequence[Name]
    before: Side
    after: Side
    is_growing: bool

    @property
    def cells(self) -> list[tuple[str, str]]:
        """Before and after, in the order of the columns."""
        return [(getattr(self.before, part), getattr(self.after, part)) for part in Side.__slots__]


@dataclass(frozen=True, slots=True)
class Moved:
    """ "12 Nov 09:00", "62 ms", "85 ms", and what was put into service then: mostly nothing."""

    on: str
    before: str
    after: str
    names: Sequence[Name]


def moved_rows(environment: Environment, probes: Sequence[Probe], *, now: datetime) -> list[Moved]:
    """Two queries at most."""
    return [
        Moved(
            f"{day(one.at, now)} {one.at:%H:%M}",
            duration(one.before),
            duration(one.after),
            [_name(deploy) for deploy in one.deploys],
        )
        for one in read_moves(environment, probes, now=now)
    ]


def rows_before_after(
    deploys: Iterable[Deploy], probes: Sequence[Probe], *, now: datetime
) -> list[Row]:
    """Two queries at most."""
    return [_row(one) for one in read_before_after(deploys, probes, now=now)]


def _row(step: Step) -> Row:
    return Row(
        at=step.at,
        names=[_name(one) for one in step.deploys],
        before=side_of(step.before),
        after=side_of(step.after),
        is_growing=step.is_growing,
    )


def _name(deploy: Deploy) -> Name:
    is_change = deploy.kind == Deploy.Kind.CHANGE
    text = deploy.name[:12] if deploy.kind == Deploy.Kind.SEEN else deploy.name
    kind = deploy.get_kind_display()
    return Name(kind, text, number_of(deploy.name) if is_change else None)


def side_of(figures: Figures) -> Side:
    if not figures.asked:
        return Side(NOTHING, *[""] * 5)
    return Side(
        requests=number(figures.asked),
        p50=FEW if figures.p50 is None else duration(figures.p50),
        p95=FEW if figures.p95 is None else duration(figures.p95),
        wrong=_share(figures.wrong, figures.asked),
        hits=_share(figures.cache_hits, figures.cache_known) if figures.cache_known else UNTOLD,
        calls=UNTOLD if figures.calls_mean is None else _mean(figures.calls_mean),
    )


def _share(part: int, whole: int) -> str:
    """ "91%"; a handful as a count: "3 of 2,880"."""
    if part == 0 and whole >= FEWEST:
        return "none"
    if part < FEWEST or whole < FEWEST:
        return f"{number(part)} of {number(whole)}".replace(" ", NBSP)
    percent = 100 * part / whole
    return "more than 99%" if 99.5 <= percent < 100 else f"{percent:.0f}%"


def _mean(calls: float) -> str:
    return f"{calls:.1f}".removesuffix(".0")
