"""One turn of a path of several steps, with replies by hand."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsboard.expectations.grammar import parse
from opsboard.outbound.reply import Ask, Failure, Phases, Reply
from opsboard.probes.rules import Verdict
from opsboard.probes.step_facts import dump_steps, read_steps
from opsboard.probes.taking import Use
from opsboard.probes.walking import LEAST, Step, only_step
from tests.probes.walks import SECOND, SITE, a_walk, by_place, got, step, uses, walked

LATE = Reply(failure=Failure.TIMEOUT, detail="It did not answer.", phases=Phases(total=8 * SECOND))
OURS = Reply(failure=Failure.INTERNAL, detail="No file descriptor is left.", is_ours=True)
TOKEN = "eyJhbGciOiJIUzI1NiJ9.c2hvcHBlci0xNw.4Zf2nC0yVbqLw8Kx"

LOG_IN = step("Log in", takes={"token": "json $.token"})
PAY = step("Pay", "status == 201", url=uses("token"))
RECEIPT = step("Receipt")
TIDY = step("Tidy up", always=True)


def words(*steps: Step, replies: list[Reply]) -> list[str]:
    _, (_, judgement) = walked(a_walk(*steps), by_place(*replies))
    return ["not run" if one.verdict is None else one.verdict.name for one in judgement.steps]


def reason(*steps: Step, replies: list[Reply]) -> str:
    return walked(a_walk(*steps), by_place(*replies))[1][1].reason


def test_a_path_passes_when_every_step_does():
    replies = [got(200, {"token": TOKEN}), got(201), got(200)]
    _, (reply, judgement) = walked(a_walk(LOG_IN, PAY, RECEIPT), by_place(*replies))
    assert (judgement.verdict, judgement.reason) == (Verdict.PASSING, "")
    assert reply.phases.total == 60_000
    assert [one.verdict for one in judgement.steps] == [Verdict.PASSING] * 3


def test_the_step_that_broke_is_named_and_those_after_it_are_not_run():
    replies = [got(200, {"token": TOKEN}), got(503)]
    asks, (reply, judgement) = walked(a_walk(LOG_IN, PAY, RECEIPT), by_place(*replies))
    assert len(asks) == 2
    assert judgement.verdict is Verdict.FAILING
    assert judgement.reason == (
        "step 2, Pay: status is 503, expected 201; step 3, Receipt, was not run"
    )
    assert reply.status == 503
    assert judgement.steps[2].verdict is None


def test_several_steps_that_were_not_run_are_said_together():
    said = reason(RECEIPT, step("A"), step("B"), step("C"), replies=[got(404)])
    assert said.endswith("; steps 2 to 4 were not run")


def test_a_warning_goes_on_and_is_the_verdict_of_the_whole():
    slow = step("Log in", "status == 200", "warn time < 1 ms")
    assert words(slow, RECEIPT, replies=[got(), got()]) == ["WARNING", "PASSING"]
    _, (_, judgement) = walked(a_walk(slow, RECEIPT), by_place(got(), got()))
    assert judgement.verdict is Verdict.WARNING
    assert judgement.reason == "step 1, Log in: time is 20 ms, expected under 1 ms"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({}, "json $.token is not there"),
        ({"token": None}, "json $.token is null"),
        ({"token": ["a"]}, "json $.token is an array of 1"),
        ({"token": ""}, "json $.token is empty"),
        ({"token": "a\nb"}, "json $.token holds a control character"),
        ({"token": "å"}, "json $.token holds letters outside ASCII"),
        ({"token": "x" * 5_000}, "json $.token is longer than 4,096 characters"),
        (None, "the body is not JSON, it is empty"),
    ],
)
def test_a_value_that_cannot_be_taken_fails_the_step(body: object, why: str):
    _, (_, judgement) = walked(a_walk(LOG_IN, PAY), by_place(got(200, body)))
    assert judgement.verdict is Verdict.FAILING
    assert judgement.is_wrong
    assert f"step 1, Log in: token was not taken: {why}" in judgement.reason
    assert judgement.reason.endswith("; step 2, Pay, was not run")


def test_a_value_that_is_there_twice_is_not_taken():
    either = step("Log in", takes={"token": "json $..token"})
    said = reason(either, PAY, replies=[got(200, [{"token": "a"}, {"token": "b"}])])
    assert "json $..token is there 2 times" in said


def test_a_header_is_taken_whatever_its_case():
    log_in = step("Log in", takes={"token": "header X-Session"})
    replies = by_place(got(200, None, ("x-session", "a b/c")), got(201))
    asks, _ = walked(a_walk(log_in, PAY), replies)
    assert asks[1].url == f"{SITE}/a%20b%2Fc"


@pytest.mark.parametrize(
    ("value", "use", "written"),
    [
        ('a"b', Use.IN_JSON_TEXT, 'a\\"b'),
        ('a"b', Use.JSON_VALUE, '"a\\"b"'),
        (187.40, Use.JSON_VALUE, "187.4"),
        (17, Use.IN_JSON_TEXT, "17"),
        (True, Use.JSON_VALUE, "true"),
        ("a&b=c", Use.FORM, "a%26b%3Dc"),
        ("a&b", Use.TEXT, "a&b"),
    ],
)
def test_a_taken_value_is_written_as_its_place_asks_for(value: object, use: Use, written: str):
    buy = step("Buy", body=("<", *uses("token", use)[1:], ">"))
    asks, _ = walked(a_walk(LOG_IN, buy), by_place(got(200, {"token": value}), got()))
    assert asks[1].body.decode() == f"<{written}>"


@pytest.mark.parametrize(
    ("location", "asked"),
    [
        ("/orders/17", f"{SITE}/orders/17"),
        ("17", f"{SITE}/17"),
        (f"{SITE}/orders/17?full=1", f"{SITE}/orders/17?full=1"),
    ],
)
def test_a_location_is_followed_within_its_site(location: str, asked: str):
    order = step("Order", takes={"order": "header Location"})
    show = step("Show", url=uses("order", Use.WHOLE_ADDRESS)[1:])
    asks, _ = walked(a_walk(order, show), by_place(got(201, None, ("Location", location)), got()))
    assert asks[1].url == asked


def test_a_query_follows_a_location_that_has_one():
    order = step("Order", takes={"order": "header Location"})
    show = step("Show", url=(*uses("order", Use.WHOLE_ADDRESS)[1:], "?as=json"))
    location = ("Location", "/orders?id=17")
    asks, _ = walked(a_walk(order, show), by_place(got(201, None, location), got()))
    assert asks[1].url == f"{SITE}/orders?id=17&as=json"


@pytest.mark.parametrize(
    "location",
    [
        "http://other.example/",
        "//other.example/",
        "https://shop.example/",
        "http://shop.example:8/",
    ],
)
def test_a_location_of_another_site_is_not_asked(location: str):
    order = step("Order", takes={"order": "header Location"})
    show = step("Show", url=uses("order", Use.WHOLE_ADDRESS)[1:])
    reply = got(201, None, ("Location", location))
    asks, (_, judgement) = walked(a_walk(order, show), by_place(reply))
    assert len(asks) == 1
    assert judgement.verdict is Verdict.FAILING
    assert judgement.reason.startswith("step 2, Show: order leads to another site")


def test_a_clean_up_step_runs_after_a_failure():
    assert words(RECEIPT, step("Pay"), TIDY, replies=[got(500), got(204)]) == [
        "FAILING",
        "not run",
        "PASSING",
    ]


def test_a_clean_up_step_that_fails_makes_the_path_failing():
    assert words(RECEIPT, TIDY, replies=[got(), got(500)]) == ["PASSING", "FAILING"]


def test_a_clean_up_step_whose_value_was_never_taken_is_not_run_and_says_why():
    tidy = step("Tidy up", url=uses("token"), always=True)
    said = reason(LOG_IN, tidy, replies=[got(500)])
    assert said.endswith("; step 2, Tidy up, was not run: token was not taken")


def test_a_value_is_taken_from_an_answer_that_is_not_as_expected_to_clean_up_with_it():
    order = step("Order", "time < 1 ms", takes={"token": "json $.id"})
    tidy = step("Tidy up", url=uses("token"), always=True)
    replies = [got(201, {"id": 1742}), got(204)]
    assert words(order, tidy, replies=replies) == ["FAILING", "PASSING"]


def test_an_error_of_our_own_in_a_step_is_one_of_the_path():
    _, (reply, judgement) = walked(a_walk(RECEIPT, PAY, TIDY), by_place(OURS, got()))
    assert judgement.verdict is Verdict.ERROR
    assert reply.is_ours
    assert "step 1, Receipt: No file descriptor is left" in judgement.reason


def test_an_error_of_our_own_while_cleaning_up_does_not_hide_a_failure():
    _, (_, judgement) = walked(a_walk(RECEIPT, TIDY), by_place(got(500), OURS))
    assert judgement.verdict is Verdict.FAILING


def test_the_time_of_the_whole_is_one_and_clean_up_has_its_share():
    asks, (_, judgement) = walked(a_walk(RECEIPT, step("Pay"), TIDY), by_place(LATE, got()))
    assert [ask.timeout for ask in asks] == [8 * SECOND, 2 * SECOND]
    assert judgement.verdict is Verdict.FAILING


def test_clean_up_steps_share_what_is_left_so_that_none_takes_it_all():
    other = step("Log out", always=True)
    gone = replace(LATE, phases=Phases(total=SECOND))
    asks, _ = walked(a_walk(RECEIPT, TIDY, other), by_place(LATE, gone, got()))
    assert [ask.timeout for ask in asks] == [8 * SECOND, SECOND, SECOND]


def test_a_step_without_any_time_left_is_failing_and_says_so():
    slow = got(phases=Phases(total=10 * SECOND))
    said = reason(RECEIPT, step("Pay"), replies=[slow])
    assert said == "step 2, Pay: No time was left of 10 s"


def test_a_clause_about_the_whole_is_judged_on_the_sum():
    walk = a_walk(RECEIPT, step("Pay"), clauses=parse("time < 30 ms"))
    _, (_, judgement) = walked(walk, by_place(got(), got()))
    assert judgement.verdict is Verdict.FAILING
    assert judgement.reason == "the whole path: time is 40 ms, expected under 30 ms"
    assert not judgement.is_wrong


def test_a_clause_about_the_whole_is_not_judged_on_a_part():
    walk = a_walk(RECEIPT, step("Pay"), clauses=parse("time < 30 ms"))
    _, (_, judgement) = walked(walk, by_place(got(500)))
    assert judgement.holdings[0].held is None


TOLD = ("Server-Timing", 'db;dur=2;desc="3"')


@pytest.mark.parametrize(("second", "calls", "time"), [([TOLD], 6, 4_000), ([], None, None)])
def test_database_calls_are_known_when_every_step_told_them(
    second: list[tuple[str, str]], calls: int | None, time: int | None
):
    replies = by_place(got(200, None, TOLD), got(200, None, *second))
    facts = walked(a_walk(RECEIPT, step("Pay")), replies)[1][1].facts
    assert (facts.db_calls, facts.db_time) == (calls, time)


def test_the_cache_is_that_of_the_last_step_that_tells():
    replies = by_place(got(200, None, ("X-Cache", "HIT")), got())
    assert walked(a_walk(RECEIPT, step("Pay")), replies)[1][1].facts.cache == "hit"


def test_nothing_that_was_taken_is_in_what_is_kept():
    log_in = step("Log in", 'json $.token == "other"', takes={"token": "json $.token"})
    body = {"token": TOKEN}
    reply, judgement = walked(a_walk(log_in), by_place(got(200, body, ("X-T", TOKEN))))[1]
    kept = f"{reply} {judgement.reason} {judgement.steps} {dump_steps(judgement.steps, str)}"
    assert "eyJ" not in kept
    assert "[token]" in kept
    assert len(reply.body) == len(got(200, body).body)


def test_a_long_value_is_masked_where_it_was_cut_too():
    long = "".join(f"{number:04d}-" for number in range(100))
    log_in = step("Log in", "json $.token exists", takes={"token": "json $.token"})
    judgement = walked(a_walk(log_in), by_place(got(200, {"token": long})))[1][1]
    assert "0001-0002" not in judgement.steps[0].holdings[0].got


def test_what_is_stored_is_read_back():
    replies = by_place(got(200, {"token": TOKEN}), got(503, None, TOLD))
    judgement = walked(a_walk(LOG_IN, PAY, RECEIPT), replies)[1][1]
    login, pay, receipt = read_steps(dump_steps(judgement.steps, str))
    assert (login.name, login.verdict, login.total) == ("Log in", Verdict.PASSING, 20_000)
    assert (pay.status, pay.db_calls) == (503, 3)
    assert pay.reason == "status is 503, expected 201"
    assert (receipt.verdict, receipt.words) == (None, "not run")
    assert read_steps(None) == ()


# Warm -----------------------------------------------------------------------------------------


def warm() -> Step:
    return only_step(Ask(method="GET", url=SITE), step("", "cache is hit").clauses)


def test_warm_asks_twice_and_judges_the_second():
    walk = a_walk(warm(), is_single=True)
    hit = got(200, None, ("X-Cache", "HIT"))
    asks, (reply, judgement) = walked(walk, by_place(got(phases=Phases(total=4 * SECOND)), hit))
    assert [ask.timeout for ask in asks] == [10 * SECOND, 6 * SECOND]
    assert judgement.verdict is Verdict.PASSING
    assert reply.phases.total == 20_000
    assert judgement.steps == ()


def test_a_first_request_without_a_whole_reply_is_the_verdict():
    asks, (_, judgement) = walked(a_walk(warm(), is_single=True), by_place(LATE))
    assert len(asks) == 1
    assert judgement.verdict is Verdict.FAILING
    assert judgement.reason == "The first of two requests: It did not answer."


def test_in_a_path_of_steps_only_the_second_reply_counts():
    warms = step("Show", warms=True)
    asks, (reply, judgement) = walked(a_walk(warms, RECEIPT), by_place(got(), got(), got()))
    assert len(asks) == 3
    assert reply.phases.total == 40_000
    assert len(judgement.steps) == 2


# Being stopped ---------------------------------------------------------------------------------


def test_told_to_stop_it_only_cleans_up():
    walk = a_walk(RECEIPT, step("Pay"), TIDY)
    walk.begin()
    walk.wind_up()
    ask = walk.hear(got())
    assert ask and ask.url.endswith("/Tidy up")
    assert walk.hear(got()) is None
    assert walk.is_cut_short


def test_broken_off_it_cleans_up_in_the_time_that_is_left():
    walk = a_walk(RECEIPT, step("Pay"), TIDY)
    walk.begin()
    ask = walk.break_off(SECOND // 2)
    assert ask and ask.timeout == SECOND // 2


def test_only_what_can_be_cleaned_up_is():
    tidy = step("Tidy up", url=uses("token"), always=True)
    walk = a_walk(LOG_IN, RECEIPT, tidy)
    walk.begin()
    assert not walk.can_clean_up
    walk.hear(got(200, {"token": TOKEN}))
    assert walk.can_clean_up
    walk.hear(got())
    assert not walk.can_clean_up


def test_a_walk_whose_last_step_is_under_way_is_not_cut_short():
    walk = a_walk(RECEIPT)
    walk.begin()
    walk.wind_up()
    assert walk.hear(got()) is None
    assert not walk.is_cut_short


def test_a_worker_that_is_too_slow_between_steps_says_so_of_itself():
    walk = a_walk(RECEIPT, step("Pay"))
    walk.begin()
    assert walk.hear(got(), own_delay=4 * SECOND) is None
    reply, judgement = walk.finish()
    assert judgement.verdict is Verdict.ERROR
    assert judgement.reason.startswith("Opsboard itself kept this path waiting for 4 s")
    assert reply.is_ours


# Whatever comes ---------------------------------------------------------------------------------

STEPS = st.lists(
    st.builds(
        lambda always, warms, takes, needs: step(
            "S",
            always=always,
            warms=warms,
            takes={"token": "json $.token"} if takes else {},
            url=uses("token") if needs else (SITE,),
        ),
        st.booleans(),
        st.booleans(),
        st.booleans(),
        st.booleans(),
    ),
    min_size=1,
    max_size=8,
)
REPLIES = st.sampled_from(
    [got(), got(500), got(200, {"token": "abcdef"}), got(failure=Failure.RESET), OURS]
)


@given(steps=STEPS, data=st.data(), timeout=st.integers(100_000, 60 * SECOND))
def test_whatever_comes_a_walk_ends_within_its_limits_and_fails_closed(
    steps: list[Step], data: st.DataObject, timeout: int
):
    def answer(ask: Ask) -> Reply:
        assert ask.timeout >= LEAST
        took = data.draw(st.integers(0, ask.timeout))
        return replace(data.draw(REPLIES), phases=Phases(total=took))

    # The first step of a sheet can need nothing.
    steps = [replace(steps[0], url=(SITE,)), *steps[1:]]
    walk = a_walk(*steps, timeout=timeout)
    asks, (reply, judgement) = walked(walk, answer)
    assert len(asks) <= 2 * len(steps)
    assert walk.spent <= timeout
    assert reply.phases.total <= walk.spent
    assert len(judgement.steps) == len(steps)
    verdicts = [one.verdict for one in judgement.steps]
    broken = [verdict in (None, Verdict.FAILING, Verdict.ERROR) for verdict in verdicts]
    if any(broken):
        assert judgement.verdict in (Verdict.FAILING, Verdict.ERROR)
        after = zip(steps, verdicts, strict=True)
        later = list(after)[broken.index(True) + 1 :]
        assert all(verdict is None for one, verdict in later if not one.always)
