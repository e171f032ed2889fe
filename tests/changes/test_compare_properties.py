"""Whatever the samples are: what may never make a verdict better, and what never comes out."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opsboard.changes.rules.comparing import Settings, compare
from opsboard.changes.rules.mix import bridge_of
from opsboard.changes.rules.samples import CACHE_WORDS, Samples
from opsboard.changes.rules.strata import labelled
from tests.changes.made import UNKNOWN, failing, joined, made, with_cache, without_calls

GOOD = ("improved", "no_change")
few = settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.too_slow])
ratios = st.sampled_from([0.3, 0.6, 0.8, 0.9, 1.0, 1.1, 1.3, 2.0])
shares = st.sampled_from([0.0, 0.3, 0.5, 0.7, 1.0])
# Times in a few steps: ties, and sides that lie apart or hold one value only.
wild = st.builds(
    lambda n, seed, steps, base, wrong, unreported: _wild(n, seed, steps, base, wrong, unreported),
    st.integers(0, 130),
    st.integers(0, 10_000),
    st.sampled_from([1, 2, 5, 1000]),
    st.sampled_from([1, 50, 10**6]),
    st.sampled_from([0.0, 0.02, 0.3, 1.0]),
    st.sampled_from([0.0, 0.1, 1.0]),
)


def _wild(n: int, seed: int, steps: int, base: int, wrong: float, unreported: float) -> Samples:
    rng = np.random.default_rng(seed)
    words = rng.choice(len(CACHE_WORDS), size=rng.integers(1, 5), replace=False)
    calls = rng.integers(0, rng.integers(1, 15), n).astype(float)
    calls[rng.random(n) < unreported] = np.nan
    return Samples(
        latency=(base * rng.integers(1, steps + 1, n)).astype(float),
        cache=rng.choice(words, n).astype(np.int8),
        ok=rng.random(n) >= wrong,
        db_calls=calls,
    )


@st.composite
def sides(draw: Any) -> tuple[Samples, Samples]:
    n, seed = draw(st.integers(60, 120)), draw(st.integers(0, 10_000))
    before = made(n, seed=seed, hits=draw(shares))
    after = made(n, seed=seed + 1, hits=draw(shares), ratio=draw(ratios), miss_ratio=draw(ratios))
    return before, after


def verdict(before: Samples, after: Samples, **more: Any) -> str:
    beside = {name: more.pop(name) for name in ("control", "guarded") if name in more}
    return compare(before, after, Settings(**{"changed": ("code",), **more}), **beside)["verdict"]


@few
@given(wild, wild, st.sampled_from(["time", "db calls"]), st.sampled_from(["code", "cache"]))
def test_any_samples_have_a_verdict_that_json_can_hold(
    before: Samples, after: Samples, metric: str, changed: str
) -> None:
    asked = Settings((changed,), metric=metric, guardrails=("p95", "db calls", "time", "path:a"))
    found = compare(before, after, asked, control=(after, before), guarded={"a": (before, after)})
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    if min(len(before), len(after)) < 60:
        assert (found["verdict"], found["reason"]) == ("inconclusive", "too_few_samples")


@few
@given(sides(), st.integers(1, 40), st.booleans())
def test_failures_after_never_make_a_verdict_better(
    both: tuple[Samples, Samples], count: int, is_fast: bool
) -> None:
    before, after = both
    more = made(count, seed=3, ratio=0.01 if is_fast else 10)
    failed = joined(after, failing(more, count, spread=False))
    first, second = verdict(before, after), verdict(before, failed)
    if first != "improved":
        assert second != "improved"
    if first == "regressed":
        assert second not in GOOD


@few
@given(sides(), st.integers(1, 60))
def test_answers_that_turn_wrong_never_make_a_loss_a_gain(
    both: tuple[Samples, Samples], count: int
) -> None:
    before, after = both
    # The slowest ones fail: what is left looks faster.
    ok = after.ok.copy()
    ok[np.argsort(after.latency)[-count:]] = False
    if verdict(before, after) == "regressed":
        assert verdict(before, replace(after, ok=ok)) not in GOOD


@few
@given(sides(), st.sampled_from(["p95", "db calls", "path:a", "path:gone"]), wild, wild)
def test_a_guardrail_never_makes_a_verdict_better(
    both: tuple[Samples, Samples], rail: str, other: Samples, other_after: Samples
) -> None:
    plain = verdict(*both)
    guarded = verdict(*both, guardrails=(rail,), guarded={"a": (other, other_after)})
    assert guarded == plain or guarded in ("regressed", "inconclusive")
    assert guarded == plain or plain != "regressed"


@few
@given(sides())
def test_what_the_cache_does_not_say_never_makes_a_good_verdict(
    both: tuple[Samples, Samples],
) -> None:
    hidden = [without_calls(with_cache(side, UNKNOWN)) for side in both]
    assert verdict(*hidden) not in GOOD


@few
@given(wild, wild, st.sampled_from([("code", "query"), ("cache", "config", "index")]))
def test_more_than_one_variable_is_always_confounded(
    before: Samples, after: Samples, changed: tuple[str, ...]
) -> None:
    assert verdict(before, after, changed=changed) == "confounded"


@few
@given(sides(), st.integers(1, 59), st.booleans())
def test_fewer_than_the_minimum_is_always_inconclusive(
    both: tuple[Samples, Samples], count: int, is_before: bool
) -> None:
    before, after = both
    short = Samples(
        *(
            getattr(before if is_before else after, name)[:count]
            for name in ("latency", "cache", "ok", "db_calls")
        )
    )
    pair = (short, after) if is_before else (before, short)
    assert verdict(*pair) == "inconclusive"


@few
@given(sides(), st.sampled_from([0.05, 0.1, 0.3]))
def test_a_wider_margin_finds_no_gain_and_no_loss_that_a_narrower_does_not(
    both: tuple[Samples, Samples], margin: float
) -> None:
    narrow = compare(*both, Settings(("code",), margin=margin))["pooled_call"]
    wide = compare(*both, Settings(("code",), margin=margin * 2))["pooled_call"]
    if wide in ("improved", "regressed"):
        assert narrow == wide


@few
@given(sides(), st.sampled_from([1.2, 2.0]))
def test_a_slower_after_side_is_never_better(both: tuple[Samples, Samples], by: float) -> None:
    before, after = both
    slower = replace(after, latency=after.latency * by)
    first = compare(before, after, Settings(("code",)))
    second = compare(before, slower, Settings(("code",)))
    if "adjusted" in first:
        assert second["adjusted"][0] >= first["adjusted"][0]
        if first["adjusted_call"] != "improved":
            assert second["verdict"] != "improved"


@few
@given(wild, wild)
def test_the_bridge_of_the_means_leaves_no_rest(before: Samples, after: Samples) -> None:
    if before.ok.any() and after.ok.any():
        bridge = bridge_of(labelled(before, after, may_infer=True))
        parts = bridge["before"] + bridge["mix"] + bridge["within"]
        assert np.isclose(parts, bridge["after"], rtol=1e-12)
        assert np.isclose(bridge["after"], after.latency[after.ok].mean() / 1000, rtol=1e-12)


@few
@given(sides())
def test_the_same_samples_always_come_to_the_same(both: tuple[Samples, Samples]) -> None:
    assert compare(*both, Settings(("code",))) == compare(*both, Settings(("code",)))
