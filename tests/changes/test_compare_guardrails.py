"""Several questions of one comparison: what holds of each, and of one among many."""

from dataclasses import replace
from typing import Any

import pytest

from opsboard.changes.rules import guardrails
from opsboard.changes.rules.comparing import Settings
from opsboard.changes.rules.holm import adjusted, p_above, p_below
from opsboard.changes.rules.judged import Judged
from opsboard.changes.rules.rates import rates_of
from opsboard.changes.rules.samples import Samples
from opsboard.changes.rules.strata import labelled
from tests.changes.made import FIXED, LUCKY, SAME, judged, made, said

# Guardrails --------------------------------------------------------------------------------------


def rail(found: Judged, name: str) -> dict[str, Any]:
    return {one["name"]: one for one in found["guardrails"]}[name]  # type: ignore[return-value]


def test_a_guardrail_that_holds_lets_the_verdict_stand() -> None:
    found = judged(*FIXED, guardrails=("p95", "db calls"))
    assert said(found) == ("improved", "")
    assert [one["holds"] for one in found["guardrails"]] == [True, True, True]


def test_a_guardrail_that_got_worse_is_regressed() -> None:
    found = judged(
        FIXED[0], replace(FIXED[1], db_calls=FIXED[1].db_calls * 3), guardrails=("db calls",)
    )
    assert said(found) == ("regressed", "guardrail=db calls")
    assert rail(found, "db calls")["holds"] is False


def test_a_guardrail_that_may_have_got_worse_takes_the_good_verdict() -> None:
    found = judged(*SAME, guardrails=("p95",))
    assert said(found) == ("inconclusive", "guardrail=p95")
    assert found["settle"]["samples"] is None or found["settle"]["samples"] > 900


def test_a_guardrail_that_cannot_be_said_takes_the_good_verdict() -> None:
    sides = made(150, seed=1), made(150, seed=2, ratio=0.4)
    assert said(judged(*sides)) == ("improved", "")
    found = judged(*sides, guardrails=("p95",))
    assert said(found) == ("inconclusive", "guardrail=p95")
    assert rail(found, "p95")["holds"] is None
    assert said(judged(*FIXED, guardrails=("path:quote",)))[1] == "guardrail=path:quote"
    assert said(judged(*FIXED, guardrails=("what",)))[1] == "guardrail=what"


def test_another_path_that_got_slower_is_regressed() -> None:
    found = judged(*FIXED, guardrails=("path:quote",), guarded={"quote": tuple(reversed(FIXED))})
    assert said(found) == ("regressed", "guardrail=path:quote")
    found = judged(*FIXED, guardrails=("path:quote",), guarded={"quote": FIXED})
    assert said(found) == ("improved", "")


@pytest.mark.parametrize(
    "sides",
    [(made(59, seed=1), made(300, seed=2, ratio=0.5)), (LUCKY[0], made(300, seed=2, hits=1.0))],
    ids=["too few", "nothing alike"],
)
def test_another_path_that_cannot_be_compared_takes_the_good_verdict(
    sides: tuple[Samples, Samples],
) -> None:
    found = judged(*FIXED, guardrails=("path:quote",), guarded={"quote": sides})
    assert said(found) == ("inconclusive", "guardrail=path:quote")
    assert rail(found, "path:quote")["interval"] is None


def test_errors_are_always_guarded_and_once() -> None:
    found = judged(*FIXED, guardrails=("errors", "p95", "p95"))
    assert [one["name"] for one in found["guardrails"]] == ["errors", "p95"]
    assert said(found) == ("improved", "")


def test_slower_answers_guard_fewer_calls() -> None:
    before, after = made(300, seed=1), made(300, seed=2, ratio=1.6, calls=3)
    found = judged(before, after, metric="db calls", guardrails=("time",))
    assert said(found) == ("regressed", "guardrail=time")


# Several questions at once -----------------------------------------------------------------------


def test_holm_raises_p_values_by_how_many_are_asked() -> None:
    # R: p.adjust(c(.01, .04, .03, .005, .9), "holm")
    assert adjusted([0.01, 0.04, 0.03, 0.005, 0.9]) == pytest.approx([0.04, 0.09, 0.09, 0.025, 0.9])
    assert adjusted([0.6, 0.7]) == [1.0, 1.0]
    assert adjusted([]) == []


@pytest.mark.parametrize(("bound", "above", "below"), [(0.1, 0, 1), (0.2, 1, 1), (0.3, 1, 0)])
def test_an_interval_without_width_is_certain(bound: float, above: float, below: float) -> None:
    assert p_above([0.2, 0.2, 0.2], bound) == above
    assert p_below([0.2, 0.2, 0.2], bound) == below


def test_a_stratum_that_seems_slower_among_two_is_not_beyond_chance() -> None:
    found = judged(made(200, seed=16), made(200, seed=116, ratio=0.9, miss_ratio=1.4))
    assert Settings(("code",)).call(found["strata"]["miss"]) == "regressed"
    assert said(found) == ("inconclusive", "")


def test_a_changed_cache_without_another_mix_is_judged_like_with_like() -> None:
    found = judged(made(150, seed=5), made(150, seed=105, ratio=0.75), "cache")
    assert found["pooled_call"] == "inconclusive"
    assert said(found) == ("improved", "")


def rails(intervals: dict[str, list[float] | None]) -> tuple[list[bool | None], str | None]:
    """Of paths with these ranges: whether each holds, and the first that got worse."""
    settings = Settings(("code",), guardrails=tuple(intervals))
    sides = made(60, seed=1), made(60, seed=1)
    both = labelled(*sides, may_infer=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(guardrails, "_interval", lambda _, name, __: intervals[name])
        found = guardrails.guardrails_of(both, rates_of(*sides), settings, {})
    slipped = guardrails.worse(found, settings)
    return [one["holds"] for one in found[1:]], slipped["name"] if slipped else None


def test_a_guardrail_among_several_has_to_hold_more_surely() -> None:
    barely = [0.0, -0.09, 0.09]
    assert rails({"a": barely}) == ([True], None)
    assert rails({"a": barely, "b": barely}) == ([False, False], None)
    assert rails({"a": barely, "b": [0.0, -0.01, 0.01]}) == ([True, True], None)
    # One that nobody could ask makes the others no less sure.
    assert rails({"a": barely, "b": None}) == ([True, None], None)


def test_a_guardrail_among_several_has_to_get_worse_more_surely() -> None:
    barely = [0.2, 0.01, 0.4]
    assert rails({"a": barely}) == ([False], "a")
    assert rails({"a": barely, "b": [0.0, -0.2, 0.2]}) == ([False, False], None)
    assert rails({"a": barely, "b": None}) == ([False, None], "a")
    small = [0.05, 0.04, 0.06]
    assert rails({"a": small})[1] is None
