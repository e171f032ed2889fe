"""A config report is judged by fingerprints; what cannot be judged never passes."""

import pytest

from opsboard.releases.config_rules import (
    Judgement,
    KeyRule,
    Report,
    differences_words,
    facts_of,
    judge,
    wrong_names,
)

ONE, TWO = "1" * 16, "2" * 16
K = "a" * 16


def staging(value: str | None, **rules: bool) -> Report:
    return Report(environment="staging", fingerprints={"A": value}, rules=rules, made_with=K)


def production(value: str | None, *, made_with: str = K) -> Report:
    return Report(environment="production", fingerprints={"A": value}, made_with=made_with)


SET = KeyRule(name="A")
ABSENT = KeyRule(name="A", is_absent=True)
EQUAL = KeyRule(name="A", across="equal")
DIFFER = KeyRule(name="A", across="differ")
RULE = KeyRule(name="A", has_rule=True)


@pytest.mark.parametrize(
    ("key", "here", "there", "outcome", "said"),
    [
        pytest.param(SET, staging(ONE), production(TWO), "passed", [], id="set"),
        pytest.param(SET, staging(None), production(TWO), "failed", ["A: not set"], id="not set"),
        pytest.param(ABSENT, staging(None), None, "passed", [], id="absent"),
        pytest.param(
            ABSENT, staging(ONE), None, "failed", ["A: set, and must be absent"], id="not absent"
        ),
        pytest.param(EQUAL, staging(ONE), production(ONE), "passed", [], id="equal"),
        pytest.param(
            EQUAL,
            staging(ONE),
            production(TWO),
            "failed",
            ["A: differs from production"],
            id="not equal",
        ),
        pytest.param(
            EQUAL,
            staging(ONE),
            production(None),
            "failed",
            ["A: differs from production"],
            id="not set there",
        ),
        pytest.param(
            EQUAL, staging(None), production(None), "failed", ["A: not set"], id="equally not set"
        ),
        pytest.param(DIFFER, staging(ONE), production(TWO), "passed", [], id="differs"),
        pytest.param(
            DIFFER, staging(ONE), production(None), "passed", [], id="differs from nothing"
        ),
        pytest.param(
            DIFFER,
            staging(ONE),
            production(ONE),
            "failed",
            ["A: equal, and must differ (as in production)"],
            id="does not differ",
        ),
        pytest.param(RULE, staging(ONE, A=True), None, "passed", [], id="the rule holds"),
        pytest.param(
            RULE, staging(ONE, A=False), None, "failed", ["A: rule failed"], id="the rule fails"
        ),
        pytest.param(
            RULE, staging(ONE), None, "failed", ["A: rule failed"], id="the rule was not judged"
        ),
        pytest.param(
            DIFFER,
            staging(ONE),
            production(ONE, made_with="b" * 16),
            "inconclusive",
            [
                "production reported with another OPSBOARD_CONFIG_KEY: use one key in all"
                " environments of a service."
            ],
            id="another key K",
        ),
        pytest.param(
            EQUAL,
            staging(ONE),
            None,
            "inconclusive",
            ["production has never reported its configuration: run opsboard config there too."],
            id="never reported",
        ),
        pytest.param(
            EQUAL,
            staging(ONE),
            Report(environment="production", fingerprints={"B": ONE}, made_with=K),
            "inconclusive",
            ["production has not reported A yet: run opsboard config there again."],
            id="declared since",
        ),
    ],
)
def test_a_key_is_judged(
    key: KeyRule, here: Report, there: Report | None, outcome: str, said: list[str]
) -> None:
    judgement = judge([key], here, {"production": there})
    assert judgement.outcome == outcome
    assert differences_words(facts_of(judgement, root="r", report=1)) == said


def test_with_nothing_to_compare_with_a_comparison_is_not_judged() -> None:
    judgement = judge([EQUAL], staging(ONE), {})
    assert judgement.outcome == "inconclusive"
    assert judgement.unknown == ("A: there is no other environment to compare staging with.",)


def test_a_report_without_the_mark_of_its_key_is_compared_with_nothing() -> None:
    here = Report(environment="staging", fingerprints={"A": ONE})
    there = Report(environment="production", fingerprints={"A": ONE})
    assert judge([EQUAL], here, {"production": there}).outcome == "inconclusive"


def test_what_is_wrong_weighs_more_than_what_is_not_known() -> None:
    keys = [KeyRule(name="A", across="equal"), KeyRule(name="B")]
    assert judge(keys, staging(ONE), {"production": None}).outcome == "failed"


def test_without_a_difference_and_with_everything_known_it_passes() -> None:
    assert Judgement().outcome == "passed"


def test_only_known_words_are_said_of_a_difference() -> None:
    facts = {"differences": [{"key": "A", "what": "is hunter2"}, {"key": "B", "what": "differs"}]}
    assert differences_words(facts) == ["B: differs"]
    assert differences_words({}) == []


def test_keys_that_are_unknown_or_missing_are_all_told() -> None:
    wrong = wrong_names(["A", "B"], ["B", "C"], what="config key")
    assert {name: code for name, (code, _) in wrong.items()} == {
        "C": "unknown_key",
        "A": "missing_key",
    }
