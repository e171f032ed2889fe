"""Whatever figures are missing or odd, every verdict is said in two whole sentences."""

import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from opsboard.changes.words import WORDS, About, Said, say

VERDICTS = st.sampled_from(sorted(WORDS))
REASONS = st.sampled_from(
    [
        *("", "too_few_samples", "cache_mix_shifted", "strata_do_not_overlap", "error_rate"),
        *(
            "error_rate_rose",
            "changed_variables=2",
            "changed_variables=",
            "stratum=miss",
            "stratum=",
        ),
        *("cache_unobserved", "guardrail=p95", "guardrail=errors", "guardrail=path:search"),
        *("guardrail=db calls", "db_calls_unreported", "control_too_few", "not_the_same_question"),
        "a_word_of_tomorrow",
    ]
)
STRATA = st.sampled_from(["hit", "miss", "bypass", "unknown", "all", "stale"])
# Missing, not a number, without end, and whatever else a bug may write.
NUMBERS = st.none() | st.floats(width=64) | st.floats(-2, 2) | st.integers(-5, 10**9)
SHARES = st.floats(0, 1) | NUMBERS
INTERVALS = st.none() | st.lists(NUMBERS, max_size=3) | st.lists(NUMBERS, min_size=3, max_size=3)
PAIRS = st.none() | st.lists(NUMBERS, max_size=2) | st.lists(SHARES, min_size=2, max_size=2)
CALLS = st.none() | st.sampled_from(["improved", "regressed", "no_change", "inconclusive"])
TIMES = st.fixed_dictionaries(
    {},
    optional={
        "n": PAIRS | st.lists(st.integers(0, 500), min_size=2, max_size=2),
        "share": PAIRS,
        "mean": PAIRS,
        "median": PAIRS,
        "p95": PAIRS,
        "difference": INTERVALS,
        "call": CALLS,
    },
)
FIGURES: dict[str, Any] = {
    "n": PAIRS | st.lists(st.integers(0, 500), min_size=2, max_size=2),
    "changed": st.lists(st.sampled_from(["query", "cache", "release 2026.11.3"]), max_size=3),
    "error_rate": st.none()
    | st.fixed_dictionaries({}, optional={"before": SHARES, "after": SHARES, "newcombe": PAIRS}),
    "pooled": INTERVALS,
    "pooled_call": CALLS,
    "mix": st.none() | st.dictionaries(STRATA, INTERVALS, max_size=4),
    "mix_shifted": st.booleans() | st.none(),
    "coverage": SHARES,
    "strata": st.none() | st.dictionaries(STRATA, INTERVALS, max_size=4),
    "adjusted": INTERVALS,
    "adjusted_call": CALLS,
    "metric": st.sampled_from(["time", "db calls", ""]) | st.none(),
    "margin": SHARES,
    "equivalence": SHARES,
    "ok": PAIRS,
    "times": st.none() | st.dictionaries(STRATA, st.none() | TIMES, max_size=4),
    "bridge": st.none()
    | st.dictionaries(st.sampled_from(["before", "mix", "within", "after"]), NUMBERS),
    "db_calls": st.none()
    | st.dictionaries(
        STRATA,
        st.none()
        | st.fixed_dictionaries(
            {}, optional={"mean": PAIRS, "mode": PAIRS, "is_constant": st.booleans()}
        ),
        max_size=3,
    ),
    "control": INTERVALS,
    "guardrails": st.none()
    | st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                "name": st.sampled_from(["p95", "errors", "db calls", "path:search"]),
                "interval": INTERVALS,
                "holds": st.booleans() | st.none(),
            },
        ),
        max_size=3,
    ),
    "cache_unknown": SHARES,
    "is_inferred": st.booleans() | st.none(),
    "settle": st.none()
    | st.fixed_dictionaries(
        {},
        optional={
            "samples": NUMBERS,
            "stratum": st.none() | STRATA,
            "by": st.sampled_from(["more", "misses", "control", "cache status", "slower", ""]),
        },
    ),
    "notes": st.none() | st.lists(st.just("Half was left out.") | st.just(""), max_size=2),
}
ABOUTS = st.builds(
    About,
    path=st.sampled_from(["", "Search"]),
    environment=st.sampled_from(["", "staging", "production"]),
    control=st.sampled_from(["", "Ping"]),
    metric=st.sampled_from(["time", "db calls"]),
    aim=st.sampled_from(["improve", "keep"]),
    goal=st.none() | st.floats(0, 1),
    margin=st.floats(0.01, 0.5),
    variables=st.lists(st.sampled_from(["code", "other"]), max_size=3).map(tuple),
    found=st.lists(st.sampled_from(["", "release 2026.11.3"]), max_size=2).map(tuple),
    warm_up=st.integers(0, 30),
    attempt=st.integers(1, 4),
)
_ODD = re.compile(r"\b(None|nan|inf|True|False)\b|[{}\[\]_=]|  |\.\.|,,| ,|-\d")


def assert_is_said(said: Said) -> None:
    assert len(said.sentences) == 2
    for sentence in (*said.reasons, *([said.settle] if said.settle else [])):
        assert len(sentence) > 10, sentence
        assert sentence[0] == sentence[0].upper()
        assert sentence.endswith(".")
        assert not _ODD.search(sentence), sentence


@given(
    verdict=VERDICTS,
    reason=REASONS,
    figures=st.fixed_dictionaries({}, optional=FIGURES),
    about=ABOUTS,
)
def test_whatever_is_missing_there_are_two_whole_sentences(
    verdict: str, reason: str, figures: dict[str, Any], about: About
) -> None:
    judged: Any = {"verdict": verdict, "reason": reason, "n": [], "changed": []} | figures

    said = say(judged, about)

    assert said.word == WORDS[verdict]
    assert_is_said(said)
