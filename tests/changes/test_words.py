"""Every verdict and every reason is said in two sentences, from its own numbers."""

from typing import Any

import pytest

from opsboard.changes.words import About, say
from tests.changes.verdicts import (
    ALIKE,
    CALLS,
    LUCKY,
    MORE_HITS,
    SLOWER,
    UNTOLD,
    judged,
    times,
)

ABOUT = About(path="Price a crossing", environment="production", variables=("query",))
LUCK: dict[str, Any] = {
    "times": LUCKY,
    "mix": MORE_HITS,
    "mix_shifted": True,
    "adjusted": [0.04, -0.09, 0.165],
    "adjusted_call": "inconclusive",
    "strata": {"hit": [0.0, -0.01, 0.01], "miss": [-0.01, -0.05, 0.03]},
    "bridge": {"before": 135.8, "mix": -57.1, "within": -0.3, "after": 78.4},
}
GOLDEN: list[tuple[str, str, dict[str, Any], str, str]] = [
    (
        *("improved", "", {}),
        "Requests for Price a crossing got 34% faster: a typical cache miss took 183 ms before and "
        "119 ms after, and a typical cache hit 20 ms before and 13 ms after.",
        "Hits are compared with hits and misses with misses, so luck with the cache has no part in "
        "it, and the true figure could be anything from 28% to 39% faster.",
    ),
    (
        *("improved", "", {"times": UNTOLD}),
        "Requests for Price a crossing got 34% faster: a typical one took 83 ms before and "
        "36 ms after.",
        "The true figure could be anything from 28% to 39% faster, where 10% is the least that "
        "counts.",
    ),
    (
        *("improved", "", LUCK | {"adjusted": [-0.35, -0.5, -0.2]}),
        "Requests for Price a crossing got 30% faster: a typical cache miss took 232 ms before and "
        "230 ms after, and a typical cache hit 62 ms before and 62 ms after.",
        "After the change 91% of requests hit the cache, up from 58%, which is left out of the "
        "figure: it could be anything from 18% to 39% faster.",
    ),
    (
        *("improved", "", LUCK | {"changed": ["cache"], "pooled": [-0.55, -0.7, -0.4]}),
        "Requests for Price a crossing got 42% faster: the average one took 136 ms before and "
        "78 ms after.",
        "The cache is what was changed, and after the change 91% of requests hit the cache, up "
        "from 58%; the difference of a single request could be anything from 33% to 50% faster.",
    ),
    (
        *("improved", "", {"metric": "db calls", "adjusted": [-1.386, -1.5, -1.2]}),
        "Requests for Price a crossing make 75% fewer database calls: a cache miss made 12 "
        "database calls before and 3 after.",
        "The true figure could be anything from 70% to 78% fewer, where 10% is the least that "
        "counts.",
    ),
    (
        *("regressed", "", {"adjusted": [0.223, 0.15, 0.3], "times": SLOWER}),
        "Requests for Price a crossing got 25% slower: a typical cache miss took 183 ms before and "
        "229 ms after, and a typical cache hit 20 ms before and 25 ms after.",
        "Hits are compared with hits and misses with misses, so luck with the cache has no part in "
        "it, and the true figure could be anything from 16% to 35% slower.",
    ),
    (
        "regressed",
        "error_rate",
        {"error_rate": {"before": 0.0, "after": 0.15, "newcombe": [0.112, 0.195]}},
        "More answers were wrong after the change: 0 of 300 answers were wrong before, and 45 of "
        "300 (15%) after.",
        "The rise could be anything from 11.2 to 19.5 percentage points; how fast the others came "
        "does not count then, because a wrong answer is often quick.",
    ),
    (
        "regressed",
        "stratum=miss",
        {"adjusted": [0.05, -0.02, 0.1], "strata": {"miss": [0.223, 0.15, 0.3]}, "times": SLOWER},
        "Cache misses of Price a crossing got 25% slower: a typical one took 183 ms before and "
        "229 ms after.",
        "They are 47% of all requests, and for them it could be anything from 16% to 35% slower, "
        "so what the others do does not make up for it.",
    ),
    (
        *("no_change", "", {"adjusted": [-0.0051, -0.0584, 0.0487], "equivalence": 0.2}),
        "Requests for Price a crossing take as long as before: a typical cache miss took 183 ms "
        "before and 182 ms after, and a typical cache hit 20 ms before and 20 ms after.",
        "The difference could be anything from 6% faster to 5% slower, which is all within the 20% "
        "that was set as no difference.",
    ),
    (
        *("inconclusive", "", {"adjusted": [0.0663, -0.0222, 0.1547]}),
        "It cannot be said whether requests for Price a crossing got faster or slower: a typical "
        "cache miss took 183 ms before and 182 ms after, and a typical cache hit 20 ms before and "
        "20 ms after.",
        "It could be anything from 2% faster to 17% slower, so it may be nothing, or more than the "
        "margin of 10%.",
    ),
    (
        *("inconclusive", "", {"adjusted": [-0.08, -0.15, -0.01]}),
        "It cannot be said whether requests for Price a crossing got faster or slower: a typical "
        "cache miss took 183 ms before and 182 ms after, and a typical cache hit 20 ms before and "
        "20 ms after.",
        "It could be anything from 1% to 14% faster, and it is not certain that it reaches the "
        "margin of 10%.",
    ),
    (
        *("inconclusive", "too_few_samples", {"n": [40, 40]}),
        "There are not enough samples to say anything: 40 before and 40 after.",
        "A verdict needs 60 on each side, because with fewer, luck looks like an effect.",
    ),
    (
        *("inconclusive", "too_few_samples", {"n": [80, 80], "ok": [80, 20]}),
        "There are not enough samples to say anything: 80 before and 80 after, with 80 and 20 "
        "right answers.",
        "A verdict needs 60 right answers on each side, and 20 of a cache result, because with "
        "fewer, luck looks like an effect.",
    ),
    (
        *("inconclusive", "strata_do_not_overlap", {"coverage": 0.61}),
        "Only 61% of requests can be compared like with like.",
        "The others had a cache result that came fewer than 20 times before or after, so they have "
        "nothing to be compared with.",
    ),
    (
        "inconclusive",
        "error_rate_rose",
        {"error_rate": {"before": 0.0, "after": 0.02, "newcombe": [0.001, 0.04]}},
        "More answers were wrong after the change: 0 of 300 answers were wrong before, and 6 of "
        "300 after.",
        "That may be one burst of failures, so it is not called worse, but without them it would "
        "be called faster, and with them it is not.",
    ),
    (
        *("inconclusive", "cache_unobserved", {"cache_unknown": 1.0, "times": UNTOLD}),
        "The average request for Price a crossing went from 136 ms to 78 ms, but of no request "
        "is it known whether it hit the cache.",
        "More lucky hits look just like a faster program, so it is called neither better, nor "
        "worse, nor the same.",
    ),
    (
        "inconclusive",
        "guardrail=p95",
        {"guardrails": [{"name": "p95", "interval": [0.1, -0.02, 0.3], "p": 0.2, "holds": False}]},
        "Requests for Price a crossing may be 34% faster than before, but the time of the slowest "
        "5% of requests was not to get worse.",
        "It could be anything from 2% faster to 35% slower than before, and up to 10% slower is "
        "allowed.",
    ),
    (
        "inconclusive",
        "guardrail=errors",
        {"guardrails": [{"name": "errors", "interval": [0.01, -0.005, 0.03], "holds": False}]},
        "Requests for Price a crossing may be 34% faster than before, but the share of wrong "
        "answers was not to get worse.",
        "The share of wrong answers could be anything from 0.5 percentage points less to 3 "
        "percentage points more than before.",
    ),
    (
        "inconclusive",
        "guardrail=path:search",
        {"guardrails": [{"name": "path:search", "interval": None, "p": None, "holds": None}]},
        "Requests for Price a crossing may be 34% faster than before, but the response time of "
        "search was not to get worse.",
        "The response time of search was not measured often enough to show that it held.",
    ),
    (
        *("inconclusive", "db_calls_unreported", {"metric": "db calls"}),
        "Database calls are what was to be compared, and requests for Price a crossing did not "
        "report them on both sides.",
        "A count that is missing is not a count of none, so nothing is said of fewer or more.",
    ),
    (
        *("inconclusive", "control_too_few", {}),
        "The control path was asked too seldom to show what moved by itself meanwhile.",
        "A busier hour looks like a slower program, so without it nothing is said of this change.",
    ),
    (
        *("confounded", "cache_mix_shifted", LUCK),
        "The average request for Price a crossing got 42% faster, from 136 ms to 78 ms, but not "
        "because of this change: after it 91% of requests hit the cache, up from 58%.",
        "On cache misses alone, nothing is certain to have moved: 232 ms before, 230 ms after; the "
        "difference could be anything from 11 ms faster to 6 ms slower.",
    ),
    (
        *("confounded", "strata_do_not_overlap"),
        LUCK
        | {
            "times": {
                "hit": times((83, 300), (0.28, 1.0), (62.0, 20.0)),
                "miss": times((217, 0), (0.72, 0.0), (170.0, None)),
                "all": times((300, 300), (1, 1), (136.1, 20.8), mean=(140.0, 21.0)),
            }
        },
        "The average request for Price a crossing got 85% faster, from 140 ms to 21 ms, but the "
        "cache had its part in that: after it 100% of requests hit the cache, up from 28%.",
        "There were 217 cache misses before and 0 after, and without 20 on both sides what the "
        "change did cannot be said.",
    ),
    (
        *("confounded", "changed_variables=2", {"changed": ["query", "cache"]}),
        "Two things changed between the two sides: the query and the cache.",
        "Whichever way the figures moved, it cannot be said which of them did it, so there is no "
        "verdict on any.",
    ),
    (
        *("invalid", "not_the_same_question", {}),
        "The two sides did not ask the same question: what is asked of Price a crossing was "
        "changed between them.",
        "Times of two different questions cannot be compared, so a new baseline is needed.",
    ),
]


@pytest.mark.parametrize(("verdict", "reason", "figures", "first", "second"), GOLDEN)
def test_two_sentences_say_what_happened_and_how_sure_that_is(
    verdict: str, reason: str, figures: dict[str, Any], first: str, second: str
) -> None:
    calls = {"db_calls": CALLS} if figures.get("metric") == "db calls" else {}
    alike = {"times": ALIKE} if verdict in ("no_change", "inconclusive") else {}

    said = say(judged(verdict, reason, **(calls | alike | figures)), ABOUT)

    assert said.sentences == (first, second)
    assert said.reasons[:2] == said.sentences


def test_a_count_that_never_varied_owes_nothing_to_chance() -> None:
    always = {"metric": "db calls", "adjusted": [-1.386, -1.386, -1.386], "db_calls": CALLS}

    second = say(judged("improved", **always), ABOUT).sentences[1]
    never = always | {"adjusted": [0.0, 0.0, 0.0]}
    same = say(judged("no_change", **never), ABOUT).sentences[1]

    assert second == (
        "It was the same every time before, and the same every time after, so chance has no part."
    )
    assert same == second


def test_a_difference_that_was_found_is_named_beside_the_declared_variable() -> None:
    about = About(path="Search", variables=("index",), found=("release 2026.11.3",))

    said = say(judged("confounded", "changed_variables=2", changed=["index"]), about)

    assert said.sentences[0] == (
        "Two things changed between the two sides: the index and release 2026.11.3."
    )


def test_variables_that_nobody_can_name_are_counted() -> None:
    said = say(judged("confounded", "changed_variables=3", changed=["index"]), About())

    assert said.sentences[0] == (
        "Three things changed between the two sides: the index, and 2 more."
    )


def test_a_handful_of_hits_is_told_as_a_count() -> None:
    few = LUCKY | {"hit": times((12, 273), (0.04, 0.91), (62.0, 62.0))}

    said = say(judged("confounded", "cache_mix_shifted", **(LUCK | {"times": few})), ABOUT)

    assert "91% of requests hit the cache, up from 12 of 300" in said.sentences[0]


def test_a_masked_gain_is_shown_where_it_is() -> None:
    figures = LUCK | {
        "times": {
            "hit": times((210, 90), (0.7, 0.3), (62.0, 50.0)),
            "miss": times((90, 210), (0.3, 0.7), (232.0, 170.0), difference=[-62.0, -80.0, -40.0]),
            "all": times((300, 300), (1, 1), (76.0, 64.0), mean=(78.0, 130.0)),
        },
        "mix": {"hit": [-0.4, -0.5, -0.3]},
        "strata": {"miss": [-0.31, -0.4, -0.2]},
        "bridge": {"before": 78.0, "mix": 80.0, "within": -28.0, "after": 130.0},
    }

    first, second = say(judged("confounded", "cache_mix_shifted", **figures), ABOUT).sentences

    assert first == (
        "The average request for Price a crossing got 67% slower, from 78 ms to 130 ms, but not "
        "because of this change: after it 30% of requests hit the cache, down from 70%."
    )
    assert second == (
        "On cache misses alone, it got 27% faster: 232 ms before, 170 ms after; the difference "
        "could be anything from 40 ms to 80 ms faster."
    )


def test_where_it_is_not_production_it_says_so() -> None:
    said = say(judged("improved"), About(path="Search", environment="staging"))

    assert said.sentences[0].startswith("Requests for Search on staging got 34% faster")


def test_what_else_is_known_stands_in_the_reasons() -> None:
    about = About(path="Search", control="Ping", goal=0.3, warm_up=10, attempt=3)
    figures = {
        "db_calls": CALLS,
        "control": [0.04, 0.01, 0.07],
        "is_inferred": True,
        "error_rate": {"before": 0.01, "after": 0.0, "newcombe": [0, 0]},
        "guardrails": [
            {"name": "p95", "interval": None, "holds": None},
            {"name": "errors", "holds": True},
        ],
        "notes": ["Neighbouring answers were alike."],
    }

    assert list(say(judged("improved", **figures), about).reasons[2:]) == [
        "The goal was 30% faster than before, and it was reached.",
        "A cache miss made 12 database calls before and 3 after.",
        "3 of 300 answers were wrong before, and 0 of 300 after.",
        "The time of the slowest 5% of requests was not to get worse: the time of the slowest 5% "
        "of requests was not measured often enough to show that it held.",
        "Meanwhile the control path, Ping, got 4% slower than before, and that is taken out.",
        "The answers did not tell their cache result, so it was read from their number of database "
        "calls.",
        "The first 10 samples were left out, while the change was warming up.",
        "This was attempt 3.",
        "Neighbouring answers were alike.",
    ]


@pytest.mark.parametrize(
    ("settle", "sentence"),
    [
        (None, ""),
        (("more", 340, None), "About 340 samples on each side would settle it."),
        (
            ("more", 1200, "miss"),
            "About 1,200 samples on each side would have enough cache misses to settle it.",
        ),
        (("more", None, None), "More samples alone would not settle it."),
        (
            ("misses", 200, "miss"),
            "Ask for misses only, 200 on each side, so that a lucky hit cannot help.",
        ),
        (
            ("control", None, None),
            "Have the control path asked as often as the path itself, on both sides.",
        ),
        (
            ("cache status", None, None),
            "Let the answers tell their cache result, or their number of database calls, and "
            "measure again.",
        ),
        (
            ("one variable", None, None),
            "Change one thing at a time, and measure each by itself.",
        ),
        (
            ("slower", None, None),
            "Ask more slowly: answers close to each other were alike, and told little.",
        ),
        (
            ("slower", 340, None),
            "Ask more slowly, at least 340 times on each side: answers close to each other were "
            "alike, and told little.",
        ),
        (
            ("database calls", None, None),
            "Let the answers tell their number of database calls, and measure again.",
        ),
        (("a word of tomorrow", None, None), ""),
    ],
)
def test_what_would_settle_it_is_one_sentence(
    settle: tuple[str, int | None, str | None] | None, sentence: str
) -> None:
    figures = {}
    if settle:
        by, samples, stratum = settle
        figures["settle"] = {"by": by, "samples": samples, "stratum": stratum}

    assert say(judged("inconclusive", **figures), ABOUT).settle == sentence


def test_what_wrong_answers_would_make_of_the_times_is_said_beside() -> None:
    said = say(judged("improved", with_failures=[-0.3, -0.5, 0.1]), About())

    assert (
        "With wrong answers taken for the slowest of all, times could be anything from 39% faster "
        "to 11% slower."
    ) in said.reasons
