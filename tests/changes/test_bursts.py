"""A burst: who may start one, what it asks, how fast, and what becomes of it."""

from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise

import pytest
from django.conf import settings

from opsboard.celery import app, probes_of
from opsboard.changes import bursts
from opsboard.changes.baselines import give_up
from opsboard.changes.bursts import asking
from opsboard.changes.bursts.claims import LEASE, claim
from opsboard.changes.bursts.turn import following
from opsboard.changes.declaring import withdraw
from opsboard.changes.models import Burst, Change, Comparison, Sample, Window
from opsboard.changes.refusing import Refused
from opsboard.people.models import AuditEntry
from opsboard.probes.models import Observation, Probe, Shift
from opsboard.probes.schedule import database_now
from opsboard.probes.sight import BLIND
from opsboard.services.models import CriticalPath
from tests.changes.measured import a_change, applied, collecting, have, now, opened, pause
from tests.company import BY, SECOND
from tests.far_side import FarSide, answer, hang, routes

pytestmark = pytest.mark.django_db

PLACE = settings.HOME_LOCATION
TELLS = answer(
    200,
    ("Cache-Status", "edge; fwd=miss"),
    ("Server-Timing", 'db;dur=23.1;desc="12"'),
)


@pytest.fixture(autouse=True)
def in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine our own loop is late, and the answer is then no sample."""
    monkeypatch.setattr(asking, "was_delayed", lambda _: False)
    monkeypatch.setattr("opsboard.changes.bursts.turn.TURN_SECONDS", 60)


def start(change: Change, count: int | None = None) -> Burst:
    return bursts.start(opened(change), by=BY, now=now(), count=count)


def turn(is_stopping: Callable[[], bool] = lambda: False) -> None:
    bursts.ask_due(PLACE, is_stopping=is_stopping)


def asked_of(burst: Burst) -> tuple[int, str, bool]:
    burst.refresh_from_db()
    return burst.asked, burst.trouble, burst.finished_at is not None


# Starting.


def test_a_burst_asks_all_that_is_missing_unless_less_is_wanted():
    change = a_change()
    comparison = opened(change)
    window = collecting(comparison)
    have(window, 7)
    burst = bursts.start(comparison, by=BY, now=now())
    assert (burst.wanted, burst.location, burst.window) == (53, PLACE, window)
    bursts.stop(burst, by=BY, now=now())
    assert bursts.start(comparison, by=BY, now=now(), count=5).wanted == 5
    acts = AuditEntry.objects.filter(kind="change", subject=str(change)).order_by("pk")
    assert [one.act for one in acts] == [
        "opened a baseline",
        "started a burst for",
        "stopped a burst for",
        "started a burst for",
    ]


@pytest.mark.parametrize("count", [0, -1, 61, True, 1.5])
def test_it_asks_for_no_more_than_is_missing(count: int):
    with pytest.raises(Refused, match="A burst asks for 1 to 60 samples"):
        start(a_change(), count)


def test_of_a_full_window_nothing_is_missing():
    change = a_change()
    comparison = opened(change)
    have(collecting(comparison), 60)
    with pytest.raises(Refused, match="nothing is missing"):
        bursts.start(comparison, by=BY, now=now())


def test_what_was_asked_in_the_warm_up_is_still_missing():
    comparison = applied(a_change(warm_up_seconds=30, warm_up_samples=10))
    window = collecting(comparison)
    have(window, 20, since=window.starts_at - timedelta(seconds=10))
    have(window, 5, since=window.starts_at)
    assert bursts.start(comparison, by=BY, now=now()).wanted == 55


@pytest.mark.parametrize("sampling", ["probes", "sent"])
def test_only_a_change_that_is_measured_by_bursts_has_them(sampling: str):
    with pytest.raises(Refused, match="declare one that is measured by bursts"):
        start(a_change(sampling=sampling))


def test_one_burst_at_a_time():
    comparison = opened(a_change())
    bursts.start(comparison, by=BY, now=now())
    with pytest.raises(Refused, match=r"A burst is under way, 0 of 60: let it end"):
        bursts.start(comparison, by=BY, now=now())


def test_both_sides_are_asked_at_the_rate_of_the_change():
    comparison = opened(a_change(rate=2.0))
    with pytest.raises(Refused, match="asks 2 times a second on both sides"):
        bursts.start(comparison, by=BY, now=now(), rate=1.0)
    assert bursts.start(comparison, by=BY, now=now(), rate=2.0).wanted == 60


def test_nothing_is_asked_for_a_window_that_takes_no_samples():
    comparison = opened(a_change())
    comparison.windows.update(closes_at=now())
    with pytest.raises(Refused, match="The time of this window ended"):
        bursts.start(comparison, by=BY, now=now())
    comparison.windows.update(sealed_at=now())
    with pytest.raises(Refused, match="The baseline is sealed"):
        bursts.start(comparison, by=BY, now=now())


def test_nothing_is_asked_for_an_attempt_that_is_over():
    change = a_change()
    comparison = opened(change)
    give_up(comparison, "The load test was late.", by=BY, now=now())
    with pytest.raises(Refused, match=r"was given up: The load test was late. Repeat it"):
        bursts.start(comparison, by=BY, now=now())
    withdraw(change, by=BY, now=now())
    with pytest.raises(Refused, match="was withdrawn"):
        bursts.start(comparison, by=BY, now=now())


@pytest.mark.parametrize(
    ("of", "mode", "words"),
    [
        ({"kind": "heartbeat"}, "as is", "which reports in and is not asked"),
        ({"kind": "tcp", "route": ":5432"}, "misses", "is more than one HTTP request"),
        (
            {"steps": [{"name": "a", "route": "/a"}, {"name": "b", "route": "/b"}]},
            "hit and miss",
            "is more than one HTTP request",
        ),
        ({"method": "POST"}, "hit and miss", "asked neither twice nor past a cache"),
        ({"route": "/price/{{nowhere}}"}, "as is", "nowhere"),
    ],
)
def test_what_cannot_be_asked_is_refused(of: dict[str, object], mode: str, words: str):
    with pytest.raises(Refused, match=words):
        start(a_change(of=of, mode=mode))


def test_a_paused_path_is_asked_by_nobody():
    change = a_change()
    pause(change.path)
    with pytest.raises(Refused, match="is paused: resume it"):
        start(change)


def test_a_place_that_the_board_does_not_have_asks_nothing():
    with pytest.raises(Refused, match="Nobody asks from hull"):
        start(a_change(of={"locations": ["hull"]}))


def test_a_sheet_that_asks_something_else_by_now_is_refused():
    change = a_change()
    comparison = opened(change)
    CriticalPath.objects.filter(pk=change.path.pk).update(route="/elsewhere")
    with pytest.raises(Refused, match="is not asked as it was when the baseline was opened"):
        bursts.start(comparison, by=BY, now=now())


# Asking.


def test_each_answer_is_a_sample_with_what_it_told():
    with FarSide(TELLS) as machine:
        change = a_change(machine.url(), of={"expected_result": "status == 200"})
        burst = start(change, 3)
        turn()
    assert asked_of(burst) == (3, "", True)
    samples = list(Sample.objects.filter(window=burst.window))
    assert [(one.cache, one.db_calls, one.is_ok) for one in samples] == [(2, 12, True)] * 3
    assert all(one.latency > 0 for one in samples)
    assert not Observation.objects.exists()
    assert not Probe.objects.exclude(observed_at=None).exists()


def test_a_wrong_answer_is_a_sample_and_a_costly_one_is_not_wrong():
    expected = "status == 200\ndb.calls <= 5"
    with FarSide(routes({"/price": answer(503), "/costly": TELLS})) as machine:
        wrong = start(a_change(machine.url()), 1)
        turn()
        costly = start(
            a_change(machine.url(), of={"route": "/costly", "expected_result": expected}),
            1,
        )
        turn()
    assert not Sample.objects.get(window=wrong.window).is_ok
    assert Sample.objects.get(window=costly.window).is_ok


def test_the_control_path_is_asked_in_turn():
    with FarSide(TELLS) as machine:
        burst = start(a_change(machine.url(), control=True), 3)
        turn()
    assert [one.path for one in machine.requests] == ["/price", "/control"] * 3
    assert asked_of(burst) == (3, "", True)
    controls = Sample.objects.filter(window=burst.window, is_control=True)
    assert controls.count() == 3


def test_hits_and_misses_are_asked_in_turn():
    with FarSide(TELLS) as machine:
        burst = start(a_change(machine.url(), mode="hit and miss"), 4)
        turn()
    keyed = ["opsboard-cold=" in one.path for one in machine.requests]
    # To warm it is asked twice, and the second answer counts.
    assert keyed == [False, False, True] * 2
    assert Sample.objects.filter(window=burst.window).count() == 4


def test_misses_are_asked_as_the_sheet_asks_for_them():
    of = {"cache_mode": CriticalPath.CacheMode.COLD_HEADER}
    with FarSide(TELLS) as machine:
        start(a_change(machine.url(), of=of, mode="misses"), 2)
        turn()
        start(a_change(machine.url(), mode="misses"), 2)
        turn()
    told = [(one.header("cache-control"), one.path) for one in machine.requests]
    assert told[:2] == [("no-cache", "/price")] * 2
    assert all(header is None and "?opsboard-cold=" in path for header, path in told[2:])
    assert told[2] != told[3]


def test_a_path_of_several_steps_is_walked_as_its_sheet_says():
    steps = [{"name": "a", "route": "/a"}, {"name": "b", "route": "/b"}]
    with FarSide(TELLS) as machine:
        burst = start(a_change(machine.url(), of={"steps": steps}), 2)
        turn()
    assert [one.path for one in machine.requests] == ["/a", "/b"] * 2
    assert [one.db_calls for one in Sample.objects.filter(window=burst.window)] == [24, 24]


def test_every_request_is_traced():
    with FarSide(TELLS) as machine:
        start(a_change(machine.url()), 2)
        turn()
    traces = {one.header("traceparent") for one in machine.requests}
    assert len(traces) == 2
    assert None not in traces


def test_requests_are_never_closer_than_the_rate_allows():
    with FarSide(TELLS) as machine:
        burst = start(a_change(machine.url(), rate=10.0), 4)
        turn()
    held = Sample.objects.filter(window=burst.window).order_by("at")
    pauses = [later - earlier for earlier, later in pairwise(held.values_list("at", flat=True))]
    assert min(pauses) >= SECOND // 10 - 1_000


def test_what_was_late_is_not_caught_up():
    assert following(100.0, 1, 2.0, now=100.1) == 100.5
    # Asked twice, it takes the time of two.
    assert following(100.0, 2, 2.0, now=100.1) == 101.0
    assert following(100.0, 1, 2.0, now=107.3) == 107.3


def test_a_turn_hands_a_slow_burst_back_until_its_next_request_may_start(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr("opsboard.changes.bursts.turn.TURN_SECONDS", 10)
    with FarSide(TELLS) as machine:
        burst = start(a_change(machine.url(), rate=0.05), 2)
        turn()
        turn()
    assert len(machine.requests) == 1
    assert asked_of(burst) == (1, "", False)
    assert burst.claim_id is None
    assert burst.leased_until is not None
    at = Sample.objects.get(window=burst.window).at
    assert abs(burst.leased_until - at - 20 * SECOND) < 1_000
    Burst.objects.update(leased_until=database_now())
    with FarSide(TELLS, port=machine.port):
        turn()
    assert asked_of(burst) == (2, "", True)


def test_answers_of_the_warm_up_are_kept_and_not_counted():
    with FarSide(TELLS) as machine:
        change = a_change(machine.url(), warm_up_samples=2)
        burst = bursts.start(applied(change), by=BY, now=now(), count=3)
        turn()
    assert asked_of(burst) == (3, "", True)
    assert Sample.objects.filter(window=burst.window).count() == 5
    assert bursts.missing_of(burst.window, now=now()) == 57


# Trouble.


def test_ten_errors_of_our_own_in_a_row_end_it():
    # No address of the far side's: we refuse to ask it.
    burst = start(a_change("http://169.254.169.254"))
    turn()
    asked, trouble, is_over = asked_of(burst)
    assert (asked, is_over) == (0, True)
    assert trouble.startswith("Errors of Opsboard itself in a row: 10. ")
    assert not Sample.objects.exists()


def test_errors_of_our_own_are_counted_from_turn_to_turn():
    burst = start(a_change("http://169.254.169.254"), 2)
    Burst.objects.update(trouble="Errors of Opsboard itself in a row: 9. Something.")
    turn()
    asked, trouble, is_over = asked_of(burst)
    assert (asked, is_over) == (0, True)
    assert trouble.startswith("Errors of Opsboard itself in a row: 10. ")


def test_an_answer_begins_the_count_of_our_own_errors_anew(monkeypatch: pytest.MonkeyPatch):
    with FarSide(TELLS) as machine:
        monkeypatch.setattr(asking, "was_delayed", lambda _: len(machine.requests) > 1)
        burst = start(a_change(machine.url()), 2)
        Burst.objects.update(trouble="Errors of Opsboard itself in a row: 9. Something.")
        turn()
    assert asked_of(burst)[0] == 1
    assert len(machine.requests) == 11


def test_an_answer_that_our_own_loop_kept_waiting_is_no_sample(monkeypatch: pytest.MonkeyPatch):
    late = iter([True, True])
    monkeypatch.setattr(asking, "was_delayed", lambda _: next(late, False))
    with FarSide(TELLS) as machine:
        burst = start(a_change(machine.url()), 1)
        turn()
    assert asked_of(burst) == (1, "", True)
    assert len(machine.requests) == 3
    assert Sample.objects.count() == 1


def test_it_ends_with_its_attempt():
    with FarSide(answer(after=0.2)) as machine:
        burst = start(a_change(machine.url()), 5)

        def is_given_up() -> bool:
            if machine.requests and Comparison.objects.open().exists():
                give_up(burst.window.comparison, "It is late.", by=BY, now=now())
            return False

        turn(is_given_up)
    # It was ended with its attempt, and the worker adds nothing to that.
    assert asked_of(burst) == (0, "", True)
    assert len(machine.requests) == 1
    assert not Sample.objects.exists()


def test_it_ends_with_its_window():
    with FarSide(TELLS) as machine:
        burst = start(a_change(machine.url()), 5)
        Window.objects.filter(pk=burst.window.pk).update(sealed_at=now())
        turn()
    assert asked_of(burst) == (0, "The baseline is sealed: nothing is added to it.", True)
    assert not machine.requests


def test_an_answer_that_comes_after_the_seal_is_left_out():
    def is_sealed() -> bool:
        if machine.requests:
            Window.objects.filter(pk=burst.window.pk, sealed_at=None).update(sealed_at=now())
        return False

    with FarSide(answer(after=0.2)) as machine:
        burst = start(a_change(machine.url()), 5)
        turn(is_sealed)
    assert asked_of(burst) == (0, "The baseline is sealed: nothing is added to it.", True)
    assert len(machine.requests) == 1
    assert not Sample.objects.exists()


def test_a_sheet_edited_in_between_ends_it():
    with FarSide(TELLS) as machine:
        change = a_change(machine.url())
        burst = start(change, 2)
        CriticalPath.objects.filter(pk=change.path.pk).update(route="/elsewhere")
        turn()
    asked, trouble, is_over = asked_of(burst)
    assert (asked, is_over) == (0, True)
    assert "is not asked as it was when the baseline was opened" in trouble


def test_a_place_that_is_blind_asks_nothing():
    at = database_now()
    Shift.objects.create(duty=BLIND + PLACE, instance="no_route", began_at=at, claimed_at=at)
    with FarSide(TELLS) as machine:
        burst = start(a_change(machine.url()), 1)
        turn()
    assert asked_of(burst) == (0, "", False)
    assert not machine.requests


# Stopping.


def test_a_stopped_burst_ends_at_once_when_nobody_asks_it():
    burst = start(a_change())
    bursts.stop(burst, by=BY, now=now())
    assert burst.finished_at == burst.stopped_at
    bursts.stop(burst, by=BY, now=now())
    assert AuditEntry.objects.filter(act="stopped a burst for").count() == 1


def test_a_burst_that_waits_for_its_next_request_is_stopped_at_once():
    burst = start(a_change())
    Burst.objects.update(leased_until=database_now() + 60 * SECOND)
    bursts.stop(burst, by=BY, now=now())
    assert burst.finished_at is not None


def test_a_burst_that_a_worker_has_is_ended_by_the_worker():
    burst = start(a_change())
    assert claim(PLACE) is not None
    bursts.stop(burst, by=BY, now=now())
    assert (burst.stopped_at is not None, burst.finished_at) == (True, None)


def test_a_stopped_burst_ends_after_the_request_in_flight():
    with FarSide(TELLS) as machine:
        burst = start(a_change(machine.url()), 5)
        calls = iter([False] * 3)

        def stop_by_somebody() -> bool:
            if next(calls, None) is None and len(machine.requests) == 1:
                bursts.stop(burst, by=BY, now=now())
            return False

        turn(stop_by_somebody)
    asked, trouble, is_over = asked_of(burst)
    assert (trouble, is_over) == ("", True)
    assert 1 <= asked <= 2
    assert burst.stopped_at is not None


def test_told_to_stop_a_worker_gives_up_the_request_in_flight_and_hands_the_burst_back():
    with FarSide(hang()) as machine:
        burst = start(a_change(machine.url()), 5)
        turn(lambda: bool(machine.requests))
    assert asked_of(burst) == (0, "", False)
    assert burst.claim_id is None
    assert not Sample.objects.exists()


def test_told_to_stop_in_the_middle_of_several_steps_a_worker_cleans_up():
    steps = [
        {"name": "Log in", "route": "/in"},
        {"name": "Order", "route": "/order"},
        {"name": "Take it back", "route": "/back", "method": "DELETE", "always": True},
    ]
    with FarSide(routes({"/in": answer(after=0.2), "/back": answer()})) as machine:
        burst = start(a_change(machine.url(), of={"steps": steps}), 5)
        turn(lambda: bool(machine.requests))
    assert [one.path for one in machine.requests] == ["/in", "/back"]
    assert asked_of(burst) == (0, "", False)
    assert not Sample.objects.exists()


# One at a time.


def test_a_burst_that_is_asked_is_nobody_elses():
    start(a_change())
    assert claim(PLACE) is not None
    assert claim(PLACE) is None
    assert claim("hull") is None


def test_one_burst_at_a_time_is_asked_from_a_place_and_the_one_that_waited_longest_is_next():
    first, second = start(a_change()), start(a_change())
    Burst.objects.filter(pk=first.pk).update(leased_until=database_now() - SECOND)
    claimed = claim(PLACE)
    assert claimed is not None
    assert claimed.burst_id == second.pk
    assert claim(PLACE) is None


def test_the_lease_of_a_killed_worker_runs_out():
    burst = start(a_change())
    killed = claim(PLACE)
    assert killed is not None
    burst.refresh_from_db()
    assert burst.leased_until == killed.at + LEASE
    Burst.objects.update(leased_until=database_now())
    other = claim(PLACE)
    assert other is not None
    assert other.claim_id != killed.claim_id


def test_a_lease_that_a_clock_gave_which_was_set_back_binds_nobody():
    start(a_change())
    Burst.objects.update(claim_id=1, leased_until=database_now() + 3600 * SECOND)
    assert claim(PLACE) is not None


def test_what_comes_after_the_lease_was_lost_is_not_written():
    with FarSide(TELLS) as machine:
        burst = start(a_change(machine.url()), 5)

        def lose_it() -> bool:
            Burst.objects.update(claim_id=1)
            return False

        turn(lose_it)
    assert asked_of(burst) == (0, "", False)
    assert not Sample.objects.exists()
    assert burst.claim_id == 1


def test_its_bell_rings_every_second_beside_the_drains_of_its_place():
    entry = app.conf.beat_schedule[f"ask bursts from {PLACE}"]
    assert entry["schedule"] == 1
    assert entry["options"]["queue"] == probes_of(PLACE)
    assert entry["kwargs"] == {"location": PLACE}
