"""What a number of samples can find, said before anything is measured. Plain Python: pages call it.

The interval of a comparison is about normal on the logarithmic scale. Its standard error comes from
the spread of log latency within one cache result (Hodges & Lehmann 1963), made larger by the
autocorrelation, and its quantile from the degrees of freedom that the equal-weighted cosine
estimator leaves (Lazarus, Lewis, Stock & Watson 2018). `script/simulate --power` checks the figures
against verdicts.
"""

from math import exp, log, pi, sqrt
from statistics import NormalDist

# Of log latency: one path, one cache result, a usual service.
SPREAD = 0.5
# Of one sample with the next.
AUTOCORRELATION = 0.3
MARGIN = 0.10
# "Found 9 times in 10".
OFTEN = 0.9

_NORMAL = NormalDist()


def detectable(
    n: int,
    *,
    spread: float = SPREAD,
    margin: float = MARGIN,
    autocorrelation: float = AUTOCORRELATION,
) -> float:
    """The ratio of after to before that `n` samples a side find 9 times in 10: 0.8 is 20 % less.

    A rise is found as often from its inverse: 1.25.
    """
    error = _error(n, spread, autocorrelation)
    return exp(-(max(log(1 + margin), _quantile(n) * error) + _NORMAL.inv_cdf(OFTEN) * error))


def found(
    ratio: float,
    n: int,
    *,
    spread: float = SPREAD,
    margin: float = MARGIN,
    autocorrelation: float = AUTOCORRELATION,
) -> float:
    """How often, 0 to 1, a true `ratio` below one is called improved."""
    error = _error(n, spread, autocorrelation)
    return _NORMAL.cdf(-log(ratio) / error - max(log(1 + margin) / error, _quantile(n)))


def half_width(
    n: int, *, spread: float = SPREAD, autocorrelation: float = AUTOCORRELATION
) -> float:
    """Half of the 95 % interval of the log ratio. "No change" needs it below the equivalence."""
    return _quantile(n) * _error(n, spread, autocorrelation)


def tellable(n: int, *, spread: float = SPREAD, autocorrelation: float = AUTOCORRELATION) -> float:
    """The least equivalence within which what did not change is called so 9 times in 10."""
    often = _NORMAL.inv_cdf((1 + OFTEN) / 2)
    half = half_width(n, spread=spread, autocorrelation=autocorrelation)
    return exp(half + often * _error(n, spread, autocorrelation)) - 1


def stays(
    n: int,
    equivalence: float,
    *,
    spread: float = SPREAD,
    autocorrelation: float = AUTOCORRELATION,
) -> float:
    """How often, 0 to 1, what did not change is called "no change" within `equivalence`."""
    error = _error(n, spread, autocorrelation)
    room = log(1 + equivalence) / error - _quantile(n)
    return max(0.0, 2 * _NORMAL.cdf(room) - 1)


def _error(n: int, spread: float, autocorrelation: float) -> float:
    """Of the Hodges-Lehmann log ratio with `n` samples a side: pi/3 is what ranks cost normals."""
    longer = (1 + autocorrelation) / (1 - autocorrelation)
    return spread * sqrt(pi / 3 * 2 / n * longer)


def _quantile(n: int) -> float:
    """Student's t at 97.5 %, both sides' degrees of freedom together.

    Cornish and Fisher's expansion: within 0.0005 from 8 degrees of freedom on.
    """
    degrees = 2 * max(4, int(0.41 * n ** (2 / 3)))
    z = _NORMAL.inv_cdf(0.975)
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / degrees + second / degrees**2 + third / degrees**3
