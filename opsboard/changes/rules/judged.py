"""What a comparison comes to: the words, and the shape of the figures as they are stored.

The keys above the line are those of `manage.py compare --format json`, and have the meaning they
have in tests/changes/fixtures/expected.json. Ratios are natural logarithms of after over before:
-0.41 is 34 % less. An interval is [estimate, low, high].
"""

from typing import Literal, NotRequired, TypedDict

type Verdict = Literal[
    "improved", "regressed", "no_change", "inconclusive", "confounded", "invalid"
]
type Call = Literal["improved", "regressed", "no_change", "inconclusive"]
type Interval = list[float]
# Of both sides: [before, after].
type Pair = list[float]

# Words of `reason`. "changed_variables=2" and "stratum=miss" carry what they are of.
TOO_FEW = "too_few_samples"
MIX_SHIFTED = "cache_mix_shifted"
NO_OVERLAP = "strata_do_not_overlap"
ERROR_RATE = "error_rate"
ERROR_RATE_ROSE = "error_rate_rose"
VARIABLES = "changed_variables"
STRATUM = "stratum"
CACHE_UNOBSERVED = "cache_unobserved"
# "guardrail=p95": it got worse, or may have by more than the margin.
GUARDRAIL = "guardrail"
# The metric is database calls, and they were not reported.
DB_CALLS_UNREPORTED = "db_calls_unreported"
# The control path was asked too seldom to take the drift out.
CONTROL_TOO_FEW = "control_too_few"
# invalid: what is asked is not the same on both sides.
NOT_THE_SAME = "not_the_same_question"


class Rates(TypedDict):
    """Shares of wrong answers, 0 to 1, and the difference with its two intervals [low, high]."""

    before: float
    after: float
    diff: float
    newcombe: Pair
    robust: Pair
    # Fisher's exact p, shown and never decisive.
    fisher: NotRequired[float]


class Times(TypedDict):
    """Of one stratum, or of "all": milliseconds; None where there are none."""

    n: list[int]
    share: Pair
    mean: list[float | None]
    median: list[float | None]
    p95: list[float | None]
    # The difference of the medians with its range, in milliseconds; None: it cannot be said.
    difference: Interval | None
    call: Call | None


class Calls(TypedDict):
    """Database calls of one stratum, or of "all". Lists are [before, after]."""

    mean: Pair
    most: Pair
    # The most frequent count.
    mode: Pair
    # One count all through on both sides: nothing to test.
    is_constant: bool
    # Log ratio of the stratified test. None where it is constant, or cannot be said.
    ratio: Interval | None


class Bridge(TypedDict):
    """Kitagawa's split of the mean, in milliseconds: before + mix + within = after."""

    before: float
    mix: float
    within: float
    after: float


class Guarded(TypedDict):
    name: str
    # Log ratio, or for "errors" the difference of shares.
    interval: Interval | None
    p: float | None
    # None: it could not be said.
    holds: bool | None


class Bars(TypedDict):
    """Counts for a drawing, in bins of one logarithmic axis for all strata."""

    # Milliseconds, one more than there are bins.
    edges: list[float]
    # By stratum and for "all".
    before: dict[str, list[int]]
    after: dict[str, list[int]]


class Settle(TypedDict):
    """What would settle an inconclusive or confounded one."""

    # Samples a side in all; None: more samples would not do it.
    samples: int | None
    # Where they lack: "hit", "miss", ...; None: anywhere.
    stratum: str | None
    # "more", "misses", "control", "cache status", "one variable", "slower", "database calls".
    by: str


class Judged(TypedDict):
    verdict: Verdict
    reason: str
    n: list[int]
    changed: list[str]
    error_rate: NotRequired[Rates]
    pooled: NotRequired[Interval]
    pooled_call: NotRequired[Call]
    mix: NotRequired[dict[str, Interval]]
    mix_shifted: NotRequired[bool]
    coverage: NotRequired[float]
    strata: NotRequired[dict[str, Interval]]
    adjusted: NotRequired[Interval]
    adjusted_call: NotRequired[Call]
    # ------------------------------------------------------------------------------------------
    # 95, or 99 when the mix shifted: of `adjusted`. `pooled` and `strata` are always of 95.
    level: NotRequired[int]
    metric: NotRequired[str]
    margin: NotRequired[float]
    equivalence: NotRequired[float]
    # How many of `n` had no wrong answer: what is compared.
    ok: NotRequired[list[int]]
    # By stratum in the order hit, miss, bypass, unknown, and "all".
    times: NotRequired[dict[str, Times]]
    bridge: NotRequired[Bridge]
    db_calls: NotRequired[dict[str, Calls]]
    # The control path's own log ratio, already taken from `adjusted`, `pooled`, `strata` and
    # `with_failures`.
    control: NotRequired[Interval]
    guardrails: NotRequired[list[Guarded]]
    # Lag-1 autocorrelation of log latency, the larger of both sides.
    autocorrelation: NotRequired[float]
    # Share of right answers whose cache result is unknown, and whether database calls stood in for
    # it.
    cache_unknown: NotRequired[float]
    is_inferred: NotRequired[bool]
    # Failures ranked slowest of all: the log ratio with them.
    with_failures: NotRequired[Interval]
    bars: NotRequired[Bars]
    settle: NotRequired[Settle]
    # Whole sentences on how it was computed: thinning, a strong autocorrelation, the warm-up.
    notes: NotRequired[list[str]]
