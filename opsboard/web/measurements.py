"""What was measured of a path over a stretch of time, beside what its sheet expects. Pure.

Numbers are of probes. p95 counts right answers only; timeouts and wrong answers are in errors.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from opsboard.expectations.clauses import Clause, Operator
from opsboard.expectations.words import expectation
from opsboard.web import words

NO_DATA = "no data"
NOT_REPORTED = "not reported"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Sums over the scheduled observations of a stretch. Times in microseconds."""

    # Without errors of our own, which say nothing about the service.
    probes: int = 0
    wrong: int = 0
    # Whole and right answers: what the sums of times are of.
    answered: int = 0
    # Of those that our own loop did not keep waiting. None: there were none.
    p50: int | None = None
    p95: int | None = None
    p99: int | None = None
    cache_hits: int = 0
    cache_known: int = 0
    db_calls_sum: int = 0
    db_calls_reported: int = 0
    db_time_sum: int = 0
    dns_sum: int = 0
    connect_sum: int = 0
    tls_sum: int = 0
    first_byte_sum: int = 0
    transfer_sum: int = 0

    @property
    def calls(self) -> int | None:
        """Database calls in one request, as the mean of the requests that reported them."""
        if not self.db_calls_reported:
            return None
        return round(Decimal(self.db_calls_sum) / self.db_calls_reported)

    @property
    def error_percent(self) -> float | None:
        return 100 * self.wrong / self.probes if self.probes else None

    @property
    def hit_percent(self) -> float | None:
        return 100 * self.cache_hits / self.cache_known if self.cache_known else None

    @property
    def errors_words(self) -> str:
        return words.share(self.wrong, self.probes) if self.probes else NO_DATA

    @property
    def hits_words(self) -> str:
        if not self.probes:
            return NO_DATA
        return words.share(self.cache_hits, self.cache_known) if self.cache_known else NOT_REPORTED

    @property
    def calls_words(self) -> str:
        if not self.probes:
            return NO_DATA
        return NOT_REPORTED if self.calls is None else words.number(self.calls)

    @property
    def p95_words(self) -> str:
        return NO_DATA if self.p95 is None else words.duration(self.p95)

    @property
    def phases(self) -> tuple[float, float, float, float] | None:
        """Means in milliseconds: database, application, connect, download. They add up."""
        if not self.answered:
            return None
        # What the far side says of its database can be no more than what it took.
        database = min(self.db_time_sum, self.first_byte_sum)
        connect = self.dns_sum + self.connect_sum + self.tls_sum
        return (
            self._mean(database),
            self._mean(self.first_byte_sum - database),
            self._mean(connect),
            self._mean(self.transfer_sum),
        )

    def _mean(self, total: int) -> float:
        return round(total / self.answered / 1000, 2)


NOTHING = Measured()


@dataclass(frozen=True, slots=True)
class Limit:
    """What a sheet allows of one measurement."""

    value: Decimal
    operator: Operator
    # "under 400 ms", to stand after "expected".
    words: str
    # Over it the path is warning, not failing.
    is_warning: bool

    def is_over(self, value: float | Decimal | None) -> bool:
        """Whether `value` breaks the limit; what is unknown is not said to."""
        return value is not None and not _HOLDS[self.operator](Decimal(str(value)), self.value)


_HOLDS: dict[Operator, Callable[[Decimal, Decimal], bool]] = {
    Operator.UNDER: lambda value, limit: value < limit,
    Operator.AT_MOST: lambda value, limit: value <= limit,
    Operator.OVER: lambda value, limit: value > limit,
    Operator.AT_LEAST: lambda value, limit: value >= limit,
}
_AT_MOST = (Operator.UNDER, Operator.AT_MOST)
_AT_LEAST = (Operator.OVER, Operator.AT_LEAST)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """None: the sheet sets no limit. Times in microseconds, shares in percent."""

    time: Limit | None = None
    errors: Limit | None = None
    hits: Limit | None = None
    calls: Limit | None = None


def limits_of(clauses: Sequence[Clause]) -> Limits:
    return Limits(
        time=_limit(clauses, "time", _AT_MOST),
        errors=_limit(clauses, "errors", _AT_MOST),
        hits=_limit(clauses, "cache.hits", _AT_LEAST),
        calls=_limit(clauses, "db.calls", _AT_MOST),
    )


def _limit(clauses: Sequence[Clause], fact: str, operators: tuple[Operator, ...]) -> Limit | None:
    """The limit that hurts most: of each answer before of a window, failing before warning."""
    fitting = [
        clause
        for clause in clauses
        if clause.fact == fact and clause.operator in operators and clause.percentile in (None, 95)
    ]
    chosen = min(fitting, key=lambda clause: (clause.warn, bool(clause.window)), default=None)
    if chosen is None or not isinstance(chosen.operands[0], (int, Decimal)):
        return None
    return Limit(
        value=Decimal(chosen.operands[0]),
        operator=chosen.operator,
        words=expectation(chosen),
        is_warning=chosen.warn,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One large number of a path page. `css` is "" while it keeps what the sheet expects."""

    label: str
    value: str
    unit: str = ""
    css: str = ""
    expected: str = ""

    @property
    def is_number(self) -> bool:
        return self.value[:1].isdigit()


def figures(measured: Measured, limits: Limits, *, is_failing: bool) -> list[Figure]:
    return [
        _figure("Response time, p95", measured.p95_words, measured.p95, limits.time, is_failing),
        _figure("Errors", measured.errors_words, measured.error_percent, limits.errors, is_failing),
        _figure("Cache hits", measured.hits_words, measured.hit_percent, limits.hits, is_failing),
        _figure("Database calls", measured.calls_words, measured.calls, limits.calls, is_failing),
    ]


def _figure(
    label: str, said: str, value: float | None, limit: Limit | None, is_failing: bool
) -> Figure:
    number, unit = _split(said)
    return Figure(
        label=label,
        value=number,
        unit=unit,
        css=severity(limit, value, is_failing=is_failing),
        expected=f"expected {limit.words}" if limit else "no limit in the sheet",
    )


def _split(said: str) -> tuple[str, str]:
    """ "2.84 s" is ("2.84", "s"), "11.8%" is ("11.8", "%"); words stay whole."""
    if said.endswith("%") and said[0].isdigit():
        return said[:-1], "%"
    number, space, unit = said.partition(words.NBSP)
    return (
        (number, unit) if space and number[0].isdigit() and words.NBSP not in unit else (said, "")
    )


def severity(limit: Limit | None, value: float | Decimal | None, *, is_failing: bool) -> str:
    """ "fail" or "warn" for a value over its limit, else "".

    A path that passes is not painted red by one number over a stretch.
    """
    if limit is None or not limit.is_over(value):
        return ""
    return "fail" if is_failing and not limit.is_warning else "warn"
