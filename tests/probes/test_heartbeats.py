"""Heartbeats as probes: their addresses, their verdicts, and how soon those stand on the board."""

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import connections
from django.utils import timezone

from opsboard.alerts.noticed import look
from opsboard.probes import beats, history
from opsboard.probes.asking import ask_all, ask_order, order_now
from opsboard.probes.beat_rules import BeatKind
from opsboard.probes.beats import Report, listen, receive
from opsboard.probes.drain import Drain
from opsboard.probes.heartbeats import Beat, Heartbeat
from opsboard.probes.models import Gap, Kind, Observation, Probe, microseconds, stand_up
from opsboard.probes.orders import Order, compile_order
from opsboard.probes.recording import record
from opsboard.probes.results import judge_result
from opsboard.probes.rules import Judgement, State, Verdict
from opsboard.probes.schedule import database_now
from opsboard.services.models import CriticalPath
from opsboard.web.asking import ask_path
from tests.company import SECOND, a_path, claims, make_due, production
from tests.running.processes import until

pytestmark = pytest.mark.django_db

MINUTE, HOUR = 60 * SECOND, 3_600 * SECOND
START = Report(kind=BeatKind.START)
GOOD = Report(kind=BeatKind.SUCCESS, exit_code=0)
BAD = Report(kind=BeatKind.FAILURE, exit_code=3)
FAILED = Report(kind=BeatKind.FAILURE)


def a_heartbeat(expected: str = "", **fields: Any) -> Heartbeat:
    fields = {"heartbeat": {"every": HOUR, "grace": 5 * MINUTE}} | fields
    path = a_path(kind="heartbeat", route="", expected_result=expected, **fields)
    stand_up(path.service, now=timezone.now(), location="default")
    return Heartbeat.objects.get(path=path)


def fresh(heartbeat: Heartbeat) -> Heartbeat:
    return Heartbeat.objects.select_related("environment", "path").get(pk=heartbeat.pk)


def report(heartbeat: Heartbeat, one: Report, *, at: int | None = None) -> None:
    assert receive(fresh(heartbeat), one, at=at or microseconds(timezone.now())) is None


def judged(heartbeat: Heartbeat, *, later: int = 0) -> Judgement:
    order = order_now(heartbeat.path, production(heartbeat.path.service))
    return ask_order(order, now=timezone.now() + timedelta(microseconds=later))[1]


# Addresses -----------------------------------------------------------------------------------


def test_each_environment_has_an_address_of_its_own_and_keeps_it_over_an_edit():
    first = a_heartbeat()
    service = first.path.service
    service.environments.create(slug="staging", base_url="http://127.0.0.1:9")
    before = first.address
    stand_up(service, now=timezone.now(), location="default")
    addresses = {one.environment.slug: one.address for one in Heartbeat.objects.all()}
    assert addresses["production"] == before
    assert addresses["staging"] != before
    assert before.startswith("http://127.0.0.1:8000/beat/") or "/beat/" in before


def test_the_secret_is_stored_encrypted_and_found_by_its_digest():
    heartbeat = a_heartbeat()
    secret = heartbeat.address.rpartition("/")[2]
    row = Heartbeat.objects.values_list("secret", "digest").get()
    assert secret not in "".join(row)
    assert beats.find(secret) == heartbeat


def test_a_new_secret_ends_the_old_one_at_once():
    heartbeat = a_heartbeat()
    old = heartbeat.address.rpartition("/")[2]
    heartbeat.renew()
    heartbeat.save(update_fields=["secret", "digest"])
    assert beats.find(old) is None
    assert beats.find(fresh(heartbeat).address.rpartition("/")[2]) == heartbeat


def test_a_report_that_was_under_way_to_an_old_secret_changes_nothing():
    heartbeat = a_heartbeat()
    found = fresh(heartbeat)
    heartbeat.renew()
    heartbeat.save(update_fields=["secret", "digest"])
    receive(found, GOOD, at=microseconds(timezone.now()))
    assert not Beat.objects.exists()
    assert fresh(heartbeat).heard == {}


def test_it_is_watched_from_one_place_whatever_the_sheet_says():
    heartbeat = a_heartbeat(locations=["oslo", "tromso"])
    assert list(Probe.objects.filter(path=heartbeat.path).values_list("location", flat=True)) == [
        "default"
    ]


# Verdicts ------------------------------------------------------------------------------------


def test_nothing_is_known_before_the_first_report_is_due_and_then_it_fails():
    heartbeat = a_heartbeat()
    before = judged(heartbeat)
    assert before.verdict is Verdict.ERROR
    assert before.reason.startswith("No report came yet: the first is due at ")
    after = judged(heartbeat, later=HOUR + 5 * MINUTE + SECOND)
    assert after.verdict is Verdict.FAILING
    assert after.reason.startswith("No report ever came; the first was due at ")


def test_a_sheet_that_was_never_saved_has_no_address_yet():
    path = CriticalPath(service=a_path().service, kind="heartbeat", heartbeat={"every": HOUR})
    reply, judgement = ask_order(order_now(path, production(path.service)), now=timezone.now())
    assert judgement.verdict is Verdict.ERROR
    assert "gets one when the sheet is saved" in reply.detail


@pytest.mark.parametrize(
    ("expected", "reports", "verdict", "reason"),
    [
        ("", [GOOD], Verdict.PASSING, ""),
        ("", [BAD], Verdict.FAILING, "the job failed with exit code 3, expected 0"),
        ("", [FAILED], Verdict.FAILING, "the job reported a failure"),
        ("", [BAD, GOOD], Verdict.PASSING, ""),
        ("", [BAD, START], Verdict.FAILING, "the job failed with exit code 3, expected 0"),
        ("", [GOOD, START], Verdict.PASSING, ""),
        ("exit in 0, 3", [BAD], Verdict.PASSING, ""),
        (
            "exit in 0, 24",
            [BAD],
            Verdict.FAILING,
            "the job failed with exit code 3, expected 0 or 24",
        ),
        ("exit in 0, 24", [FAILED], Verdict.FAILING, "the job reported a failure"),
        ("warn exit == 0", [BAD], Verdict.WARNING, "the job failed with exit code 3, expected 0"),
        ('body contains "3 files"', [BAD], Verdict.FAILING, "the job failed with exit code 3, "),
    ],
)
def test_the_newest_end_is_held_to_the_expected_result(
    expected: str, reports: list[Report], verdict: Verdict, reason: str
):
    heartbeat = a_heartbeat(expected)
    for one in reports:
        report(heartbeat, one)
    judgement = judged(heartbeat)
    assert judgement.verdict is verdict
    assert judgement.reason.startswith(reason)
    assert bool(reason) == bool(judgement.reason)


def test_a_run_is_held_to_its_time_and_to_what_it_wrote():
    heartbeat = a_heartbeat('time < 10 m\nbody contains "done"\njson $.files == 3')
    now = microseconds(timezone.now())
    report(heartbeat, START, at=now - 10 * MINUTE)
    body = b'{"files": 3, "said": "done"}'
    report(heartbeat, Report(kind=BeatKind.SUCCESS, exit_code=0, body=body), at=now - SECOND)
    assert judged(heartbeat).verdict is Verdict.PASSING
    report(heartbeat, START, at=now - 10 * MINUTE)
    report(heartbeat, Report(kind=BeatKind.SUCCESS, exit_code=0, body=b"[]"), at=now)
    assert judged(heartbeat).reason == (
        'time is 10 m, expected under 10 m; body is "[]", expected to contain "done"; '
        "json $.files is not there, expected 3"
    )


def test_a_run_whose_start_was_not_heard_keeps_no_limit_of_time():
    heartbeat = a_heartbeat("time < 10 m")
    report(heartbeat, GOOD)
    assert judged(heartbeat).reason == (
        "time is not told: the job reported no start, expected under 10 m"
    )


def test_what_was_cut_off_proves_nothing_either_way():
    heartbeat = a_heartbeat('body not contains "ERROR"')
    report(heartbeat, Report(kind=BeatKind.SUCCESS, exit_code=0, body=b"x" * 10_001))
    assert "body is unknown (cut off at its cap)" in judged(heartbeat).reason


def test_a_job_that_failed_and_then_does_not_come_is_told_for_both():
    heartbeat = a_heartbeat()
    report(heartbeat, BAD)
    reason = judged(heartbeat, later=2 * HOUR).reason
    assert reason.startswith("The job failed with exit code 3. No report since ")


def test_a_schedule_that_cannot_be_read_is_an_error_of_ours_that_says_what_to_do():
    judgement = judged(a_heartbeat(heartbeat={}))
    assert judgement.verdict is Verdict.ERROR
    assert judgement.reason == "error: It is not said when the job reports in. Edit the sheet."


def test_after_a_pause_it_waits_for_a_new_report_and_is_not_late_at_once():
    heartbeat = a_heartbeat()
    path = heartbeat.path
    report(heartbeat, GOOD, at=microseconds(timezone.now()) - 3 * HOUR)
    path.paused_at = timezone.now()
    path.save()
    stand_up(path.service, now=timezone.now(), location="default")
    path.resume()
    stand_up(path.service, now=timezone.now(), location="default")
    assert judged(heartbeat).verdict is Verdict.ERROR
    assert Beat.objects.count() == 1


def test_an_edited_schedule_counts_from_its_edit_and_any_other_edit_does_not():
    heartbeat = a_heartbeat()
    path = heartbeat.path
    Heartbeat.objects.update(counts_from=1)
    report(heartbeat, GOOD, at=microseconds(timezone.now()) - 50 * MINUTE)
    path.name = "Another name"
    path.save()
    stand_up(path.service, now=timezone.now(), location="default")
    assert fresh(heartbeat).counts_from == 1
    path.heartbeat = {"every": 10 * MINUTE}
    path.save()
    stand_up(path.service, now=timezone.now(), location="default")
    assert judged(heartbeat).verdict is Verdict.PASSING


# Turns ---------------------------------------------------------------------------------------


def orders() -> list[Order]:
    probes = Probe.objects.for_pages().prefetch_related("environment__variables")
    return [compile_order(probe) for probe in probes]


def test_all_heartbeats_of_a_claim_are_read_by_one_query(
    django_assert_num_queries: Callable[[int], Any],
):
    for _ in range(3):
        report(a_heartbeat(), GOOD)
    all_orders, now = orders(), database_now()
    with django_assert_num_queries(1):
        heard = listen(all_orders, now=now)
    assert [reply.exit_code for reply in heard.values()] == [0, 0, 0]


def test_without_a_heartbeat_nothing_is_read(django_assert_num_queries: Callable[[int], Any]):
    stand_up(a_path().service, now=timezone.now(), location="default")
    all_orders, now = orders(), database_now()
    with django_assert_num_queries(0):
        assert listen(all_orders, now=now) == {}


def take_turn(probe: Probe) -> None:
    make_due(probe)
    [taken] = [one for one in claims() if one.probe_id == probe.pk]
    [order] = [one for one in orders() if one.probe_id == probe.pk]
    now = database_now()
    reply = listen([order], now=now)[order.path_id, order.environment_id]
    record([judge_result(taken, order, reply, asked_at=now)], now=now, react=lambda _: None)
    probe.refresh_from_db()


def test_lateness_is_found_at_the_next_slot_without_any_report():
    heartbeat = a_heartbeat(patience=1)
    probe = Probe.objects.get(path=heartbeat.path)
    report(heartbeat, GOOD, at=database_now() - HOUR)
    Heartbeat.objects.update(counts_from=1)
    take_turn(probe)
    assert probe.state == State.PASSING
    Heartbeat.objects.update(heard=fresh(heartbeat).heard | {"end": [1, False, 0, None]})
    take_turn(probe)
    assert probe.state == State.FAILING
    assert probe.reason.startswith("No report since 00:00 UTC on 1 January")


def test_a_run_of_days_is_recorded():
    heartbeat = a_heartbeat()
    now = database_now()
    report(heartbeat, START, at=now - 50 * HOUR)
    report(heartbeat, GOOD, at=now)
    probe = Probe.objects.get(path=heartbeat.path)
    take_turn(probe)
    assert probe.facts["total"] == 50 * HOUR
    assert Observation.objects.get().total == 2**31 - 1


@pytest.mark.parametrize(("slots", "state"), [(1, State.FAILING), (20, State.NO_DATA)])
def test_what_was_missed_while_no_worker_looked_is_our_own_trouble(slots: int, state: State):
    heartbeat = a_heartbeat(patience=1)
    probe, now = Probe.objects.get(path=heartbeat.path), database_now()
    report(heartbeat, GOOD, at=now - HOUR - 20 * MINUTE)
    Heartbeat.objects.update(counts_from=1)
    due = now - 20 * MINUTE
    last = due + (slots - 1) * probe.interval
    Gap.objects.create(probe=probe, first_slot_at=due, last_slot_at=last, slots=slots)
    take_turn(probe)
    assert probe.state == state


def test_a_job_that_is_not_due_yet_is_nobodys_error():
    heartbeat = a_heartbeat()
    probe = Probe.objects.get(path=heartbeat.path)
    take_turn(probe)
    assert probe.state == State.NO_DATA
    later = timezone.now() + timedelta(seconds=100)
    Probe.objects.update(observed_at=microseconds(later))
    assert [found.text for found in look(now=later).found if "cannot ask" in found.text] == []


def test_asking_all_paths_of_a_service_tells_its_heartbeats_too():
    heartbeat = a_heartbeat()
    report(heartbeat, GOOD)
    [(reply, judgement)] = ask_all(orders(), now=timezone.now())
    assert (reply.exit_code, judgement.verdict) == (0, Verdict.PASSING)


def test_a_person_asks_by_hand_and_reads_how_its_newest_run_ended():
    heartbeat = a_heartbeat()
    now = microseconds(timezone.now())
    report(heartbeat, START, at=now - 3 * MINUTE)
    report(heartbeat, GOOD, at=now)
    out, path = StringIO(), heartbeat.path
    with pytest.raises(SystemExit) as left:
        call_command("probe", f"{path.service.slug}/{path.slug}", stdout=out)
    assert left.value.code == 0
    said = out.getvalue().splitlines()
    assert said[0] == "Passing: ended with exit code 0 after 3 m"
    assert said[2] == "Heartbeat every 1 h, at most 5 min late"
    asked = ask_path(path, production(path.service), now=timezone.now())
    assert asked.sentence == "The job ended with exit code 0 after 3 m."


def test_the_newest_reports_are_kept_and_old_ones_go():
    heartbeat = a_heartbeat()
    days = [*[1] * 30, *[100] * 120]
    now = timezone.now()
    Beat.objects.bulk_create(
        Beat(
            heartbeat=heartbeat,
            at=microseconds(now - timedelta(days=days_ago)),
            kind="success",
            exit_code=0,
        )
        for days_ago in sorted(days, reverse=True)
    )
    history.prune(now=now, observations_days=14, rollups_days=400)
    assert Beat.objects.count() == beats.KEPT_ANYWAY
    assert Beat.objects.filter(at__gt=microseconds(now - timedelta(days=2))).count() == 30


def test_no_more_reports_are_kept_than_a_person_can_read():
    heartbeat = a_heartbeat()
    Beat.objects.bulk_create(
        Beat(heartbeat=heartbeat, at=database_now() + number, kind="log")
        for number in range(beats.MOST_KEPT + 50)
    )
    history.prune(now=timezone.now(), observations_days=14, rollups_days=400)
    assert Beat.objects.count() == beats.MOST_KEPT


# With a worker -------------------------------------------------------------------------------


@pytest.fixture
def worker(settings: Any) -> Iterator[None]:
    settings.REASK_AFTER_SECONDS = 0.1
    stop = threading.Event()
    thread = threading.Thread(target=_drain, args=(stop.is_set,))
    thread.start()
    yield
    stop.set()
    thread.join()


def _drain(is_stopping: Callable[[], bool]) -> None:
    Drain("default", lambda _: None, is_stopping).run()
    connections.close_all()


def state_is(state: State) -> bool:
    return until(lambda: Probe.objects.filter(state=state).exists(), seconds=20)


def kinds_of(verdict: Verdict) -> set[Kind]:
    return {one.kind for one in Observation.objects.all() if one.verdict == verdict}


@pytest.mark.django_db(transaction=True)
def test_each_report_is_confirmed_by_quick_looks_and_not_an_interval_later(worker: None):
    heartbeat = a_heartbeat(patience=3, interval=HOUR)
    assert until(lambda: kinds_of(Verdict.ERROR), seconds=20)
    report(heartbeat, GOOD)
    assert state_is(State.PASSING)
    report(heartbeat, Report(kind=BeatKind.START, run_id=uuid4()))
    report(heartbeat, BAD)
    assert state_is(State.FAILING)
    assert Probe.objects.get().reason == "the job failed with exit code 3, expected 0"
    report(heartbeat, GOOD)
    assert state_is(State.PASSING)
    assert kinds_of(Verdict.FAILING) == {Kind.REPORTED, Kind.ASKED_AGAIN}
