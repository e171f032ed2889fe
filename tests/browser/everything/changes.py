"""A change in every stage, and one of every verdict."""

from tests.browser.everything.services import HOUR, Made, now
from tests.web.measured import (
    a_burst,
    a_change,
    a_window,
    an_attempt,
    compared,
    is_applied,
    not_the_same,
    was_cleared,
    was_judged,
)

# The one that improved, and the one that collects by a burst.
IMPROVED, COLLECTS = 901, 902


def make(made: Made) -> None:
    _stages(made)
    _verdicts(made)


def _stages(made: Made) -> None:
    a_change(made.price, title="Declared " + "d" * 90, purpose="p" * 120, commands=["c" * 150])
    a_change(made.price, title="Withdrawn", withdrawn_at=now())
    baseline = a_change(made.price, title="Collects before", sampling="burst")
    window = a_window(an_attempt(baseline), "before", is_sealed=False)
    a_burst(window, asked=40)
    sealed = an_attempt(a_change(made.price, title="Sealed", sampling="sent"))
    a_window(sealed, "before")
    is_applied(sealed, command="ferryctl apply " + "a" * 150, exit_code=0)
    was_cleared(sealed, remark="r" * 120)
    collects = an_attempt(a_change(made.price, pk=COLLECTS, title="Collects", sampling="burst"))
    a_window(collects, "before")
    is_applied(collects)
    after = a_window(collects, "after", is_sealed=False, closes_at=now() + HOUR)
    a_burst(after, asked=40, finished_at=now(), trouble="The path did not answer")
    judging = an_attempt(a_change(made.price, title="Is judged now"))
    a_window(judging, "before")
    is_applied(judging)
    a_window(judging, "after")
    given_up = a_change(made.price, title="Given up")
    an_attempt(given_up, given_up_at=now(), given_up_because="g" * 120)


def _verdicts(made: Made) -> None:
    improved = a_change(
        made.price, pk=IMPROVED, title="Index fare rules by route and date", version="2026.11.3",
        assumptions=["a" * 120], guardrails=["p95"], goal=0.3,
    )  # fmt: skip
    was_judged(improved, compared("F3_real_fix", control=True, guardrails=("p95",)))
    verdicts = {
        "Regressed": compared("F3_real_fix", swapped=True),
        "Fails fast": compared("F7_fast_fail"),
        "No change": compared("F11_null_large"),
        "Too few": compared("F9_too_small"),
        "Without labels": compared("F3_real_fix", labels=False, calls=False),
        "Confounded by the cache": compared("F5_all_hits_after"),
        "Two at once": compared("F8_two_variables", changed=("query", "cache")),
        "Not the same": not_the_same(),
    }
    for title, judged in verdicts.items():
        change = a_change(made.price, title=title)
        if title == "Too few":
            an_attempt(change, given_up_at=now(), given_up_because="The cache was cold")
        was_judged(change, judged)
