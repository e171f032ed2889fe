"""What goes on by itself: windows close when they are full, and each attempt is judged once."""

import os
import select
import signal
import subprocess
import sys
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import OperationalError, connection

from opsboard.changes import apart, closing, judging, sealing
from opsboard.changes.applying import Cleared, record_clear
from opsboard.changes.baselines import give_up
from opsboard.changes.clears import clear_answers
from opsboard.changes.declaring import withdraw
from opsboard.changes.judging import LEASE, MOST_TRIES, advance, question_of
from opsboard.changes.models import Change, Comparison
from opsboard.changes.stages import Stage, stage_of
from opsboard.people.models import AuditEntry
from opsboard.probes.models import Kind, stand_up
from tests.changes.measuring import (
    CI,
    LONG_AGO,
    a_baseline,
    a_change,
    a_measured_path,
    a_sealed_baseline,
    an_applied_change,
    before,
    every_half_minute,
    minutes,
    observe,
)
from tests.company import a_path
from tests.incidents.test_at_the_same_time import side_by_side

pytestmark = pytest.mark.django_db

IMPROVED = {"verdict": "improved", "reason": "", "n": [60, 60], "changed": ["query"]}


class Counting:
    """In place of the process that computes."""

    def __init__(self, *said: object) -> None:
        self.asked: list[dict[str, object]] = []
        self._said = list(said)

    def __call__(self, question, *, is_stopping):
        # On SQLite and PostgreSQL: nothing is held while it computes.
        self.in_transaction = connection.in_atomic_block
        self.asked.append(question)
        said = self._said.pop(0) if self._said else dict(IMPROVED)
        if isinstance(said, BaseException):
            raise said
        return said


def go_on(minute: float, *said: object, **more: object) -> Counting:
    computing = Counting(*said)
    advance(now=minutes(minute), compute=computing, **more)
    return computing


@pytest.fixture
def change(db: None) -> Change:
    return a_change(warm_up_seconds=0, warm_up_samples=0)


def full(change: Change) -> Comparison:
    """Both windows have all their samples half an hour after it was applied."""
    comparison = an_applied_change(change)
    observe(change.path, every_half_minute(minutes(2), 60), milliseconds=10)
    return comparison


def stage(comparison: Comparison, minute: float = 40) -> Stage:
    comparison = Comparison.objects.get(pk=comparison.pk)
    return stage_of(comparison.change, comparison)


def test_a_full_baseline_seals_itself(change):
    comparison = a_baseline(change)
    assert stage(comparison) is Stage.BASELINE
    go_on(0.1)
    assert stage(comparison) is Stage.SEALED
    window = comparison.windows.get()
    assert (window.count, window.sealed_at, window.sealed_by) == (60, minutes(0.1), None)


def test_one_that_is_not_full_waits(change):
    comparison = a_baseline(change, 59)
    go_on(0.1)
    assert stage(comparison) is Stage.BASELINE


def test_what_has_enough_when_its_time_ends_is_sealed():
    change = a_change(samples=100, lasts=1)
    comparison = a_baseline(change, 60)
    go_on(59)
    assert stage(comparison) is Stage.BASELINE
    go_on(60)
    assert stage(comparison) is Stage.SEALED


def test_what_has_too_little_when_its_time_ends_is_given_up():
    change = a_change(samples=100, lasts=1)
    comparison = a_baseline(change, 59)
    go_on(60)
    assert stage(comparison) is Stage.GIVEN_UP
    assert "had 59 samples" in Comparison.objects.get().given_up_because


def test_both_full_are_judged_once(change):
    comparison = full(change)
    computing = go_on(40)
    assert stage(comparison) is Stage.JUDGED
    found = Comparison.objects.get()
    assert (found.verdict, found.judged_at) == ("improved", minutes(40))
    assert found.result["n"] == [60, 60]
    question = computing.asked[0]
    assert question["before"].count("\n") == question["after"].count("\n") == 61
    assert question["settings"]["changed"] == ["query"]
    assert not go_on(41).asked
    assert AuditEntry.objects.filter(act="judged").count() == 1


def test_an_after_window_out_of_time_is_judged_with_what_it_has(change):
    comparison = an_applied_change(change)
    observe(change.path, every_half_minute(minutes(2), 7))
    assert not go_on(2 + 24 * 60 - 1).asked
    computing = go_on(2 + 24 * 60)
    assert computing.asked[0]["after"].count("\n") == 8
    assert stage(comparison) is Stage.JUDGED


def test_what_is_asked_otherwise_afterwards_is_invalid(change):
    comparison = an_applied_change(change)
    change.path.route = "/other"
    change.path.save()
    stand_up(change.service, now=minutes(3), location="default")
    assert not go_on(4).asked
    found = Comparison.objects.get()
    assert (found.verdict, found.reason) == ("invalid", "not_the_same_question")
    assert found.result["n"] == [60, 0]
    assert "is not asked as it was" in found.result["notes"][0]
    assert stage(comparison) is Stage.JUDGED


def test_a_baseline_that_is_asked_otherwise_is_given_up(change):
    comparison = a_baseline(change, 30)
    change.path.route = "/other"
    change.path.save()
    go_on(1)
    assert stage(comparison) is Stage.GIVEN_UP


def test_nothing_is_held_while_it_computes(change):
    full(change)
    assert go_on(40).asked


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_while_it_computes(change):
    full(change)
    assert go_on(40).in_transaction is False


def test_one_is_judged_at_a_time_so_that_other_work_goes_on(change):
    other = a_change(warm_up_seconds=0, warm_up_samples=0)
    full(change)
    full(other)
    asked = []

    def compute(question, *, is_stopping):
        asked.append(question)
        # Another worker hears the bell meanwhile.
        assert not go_on(40.1).asked
        return dict(IMPROVED)

    advance(now=minutes(40), compute=compute)
    go_on(41)
    assert asked
    assert Comparison.objects.judged().count() == 2


def test_trouble_of_our_own_is_tried_three_times_and_then_given_up(change, caplog):
    comparison = full(change)
    trouble = apart.NotComputed("It ended with 1: no memory")
    for nth in range(MOST_TRIES):
        assert go_on(40 + nth, trouble).asked
        assert stage(comparison) is Stage.JUDGING
    assert not go_on(44).asked
    assert stage(comparison) is Stage.GIVEN_UP
    assert "could not compute it, 3 times" in Comparison.objects.get().given_up_because
    assert caplog.text.count("no memory") == 3


def test_trouble_that_passes_leaves_no_trace(change):
    comparison = full(change)
    go_on(40, apart.NotComputed("It ended with 1"))
    assert not go_on(40.1).asked
    go_on(41)
    assert stage(comparison) is Stage.JUDGED


def test_one_that_cannot_go_on_does_not_hold_up_the_others(change, monkeypatch, caplog):
    a_baseline(change)
    other = a_baseline(a_change(warm_up_seconds=0, warm_up_samples=0))
    seal = judging.seal

    def breaks(comparison, **told):
        if comparison.change_id == change.pk:
            raise ValueError("a bug")
        return seal(comparison, **told)

    monkeypatch.setattr(judging, "seal", breaks)
    go_on(1)
    assert stage(other) is Stage.SEALED
    assert "could not go on" in caplog.text


def test_without_the_database_the_next_bell_tries_again(change, monkeypatch):
    a_baseline(change)

    def away(*_, **__):
        raise OperationalError("away")

    monkeypatch.setattr(judging, "seal", away)
    with pytest.raises(OperationalError):
        go_on(1)


def test_a_worker_that_died_over_it_is_followed_by_another(change):
    class Died(BaseException):
        pass

    comparison = full(change)
    with pytest.raises(Died):
        go_on(40, Died())
    assert not go_on(41).asked
    assert go_on(40 + LEASE / timedelta(minutes=1)).asked
    assert stage(comparison) is Stage.JUDGED


def test_a_worker_that_is_stopped_leaves_it_to_another_at_once(change):
    comparison = full(change)
    go_on(40, apart.Stopped())
    assert Comparison.objects.get().tries == 0
    assert go_on(40.1).asked
    assert stage(comparison) is Stage.JUDGED


def test_a_verdict_that_comes_after_it_was_given_up_is_dropped(change):
    comparison = full(change)

    def compute(question, *, is_stopping):
        give_up(comparison, "Enough of it.", by=CI, now=minutes(40))
        return dict(IMPROVED)

    assert advance(now=minutes(40), compute=compute) == 0
    assert Comparison.objects.get().verdict == ""


def test_a_removed_path_ends_its_attempt(change):
    comparison = a_baseline(change, 30)
    change.path.remove(by=None, now=minutes(1))
    go_on(2)
    assert stage(comparison) is Stage.GIVEN_UP
    assert Comparison.objects.get().given_up_because == f"The path {change.path.slug} was removed."


@pytest.mark.parametrize("what", ["service", "environment"])
def test_a_removed_place_ends_its_attempt(change, what):
    comparison = a_sealed_baseline(change)
    getattr(change, what).remove(by=None, now=minutes(1))
    go_on(2)
    assert stage(comparison) is Stage.GIVEN_UP


def test_a_withdrawn_change_is_not_judged(change):
    comparison = full(change)
    withdraw(change, by=CI, now=minutes(39))
    assert not go_on(40).asked
    assert stage(comparison) is Stage.WITHDRAWN
    assert Comparison.objects.get().given_up_because == "The change was withdrawn."


def test_what_was_to_be_measured_beside_it_and_was_not_is_empty_not_left_out(change):
    control = a_measured_path()
    control.service = change.service
    control.save()
    comparison = full(change)
    change.guardrails, change.control = [f"path:{control.slug}"], control
    change.save()
    question = question_of(Comparison.objects.get(pk=comparison.pk), others=["release 1"])
    header = "side,i,latency_us,cache,ok,db_calls,at\n"
    assert question["control"] == {"before": header, "after": header}
    assert question["paths"] == {control.slug: {"before": header, "after": header}}
    assert question["settings"]["changed"] == ["query", "release 1"]


def test_a_cache_that_is_cleared_while_the_window_is_read_begins_the_warm_up_anew(
    change, monkeypatch
):
    comparison = full(change)
    prepare_of = sealing.prepare_of

    def and_clear(*arguments, **more):
        prepared = prepare_of(*arguments, **more)
        record_clear(comparison, Cleared(what="everything"), by=CI, now=minutes(40))
        return prepared

    monkeypatch.setattr(sealing, "prepare_of", and_clear)
    closing.close(comparison, now=minutes(40))
    assert comparison.windows.get(side="after").count == 0


# Clears ----------------------------------------------------------------------------------------


def cleared(change: Change, *words: str, minute: float = 3) -> bool | None:
    comparison = an_applied_change(change)
    record_clear(comparison, Cleared(what="everything"), by=CI, now=minutes(minute))
    for nth, word in enumerate(words):
        observe(change.path, [minutes(minute + 0.1 + nth)], cache=word, kind=Kind.ASKED_NOW)
    return clear_answers(comparison)[0].worked


@pytest.mark.parametrize(
    ("words", "worked"),
    [
        ([], None),
        (["miss", "hit"], True),
        (["hit", "miss"], False),
        (["stale"], False),
        (["unknown"], None),
        (["bypass"], None),
    ],
)
def test_a_clear_worked_when_the_first_answer_is_a_miss(change, words, worked):
    assert cleared(change, *words) is worked


def test_what_nothing_answered_before_the_end_is_told_by_the_next_answer(change):
    assert cleared(change) is None
    comparison = Comparison.objects.get()
    closing.close(comparison, now=minutes(4))
    comparison.refresh_from_db()
    assert clear_answers(comparison)[0].worked is None

    observe(change.path, [minutes(5)], cache="miss", kind=Kind.ASKED_NOW)

    assert clear_answers(comparison)[0].worked is True


def test_what_is_asked_past_the_cache_tells_nothing_of_a_clear():
    change = a_change(a_measured_path(cache_mode="cold query"))
    assert cleared(change, "miss") is None


def test_a_clear_that_did_not_work_is_told_with_the_verdict(change):
    assert cleared(change, "hit") is False
    observe(change.path, every_half_minute(minutes(4), 60))
    go_on(60)
    notes = Comparison.objects.get().result["notes"]
    assert notes == ["The first answer after it was a hit: it did not work."]


# Side by side ----------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_workers_side_by_side_judge_once(change):
    full(change)
    computing = Counting()
    side_by_side([lambda: advance(now=minutes(40), compute=computing)] * 4)
    assert len(computing.asked) == 1
    assert Comparison.objects.get().verdict == "improved"
    assert AuditEntry.objects.filter(act="judged").count() == 1


@pytest.mark.django_db(transaction=True)
def test_workers_side_by_side_seal_once(change):
    comparison = a_baseline(change)
    side_by_side([lambda: advance(now=minutes(1))] * 4)
    assert stage(comparison) is Stage.SEALED
    assert AuditEntry.objects.filter(act="sealed a baseline").count() == 1


# In a process of its own -----------------------------------------------------------------------


def saying(program: str) -> tuple[str, ...]:
    return (sys.executable, "-c", program)


ECHO = """
import json, os, resource, sys
question = json.load(sys.stdin)
limits = [resource.getrlimit(one)[0] for one in (resource.RLIMIT_AS, resource.RLIMIT_CPU)]
notes = [str(sorted(os.environ)), str(os.nice(0)), str(limits)]
print(json.dumps({"verdict": "inconclusive", "reason": "too_few_samples", "n": [0, 0],
                  "changed": question["settings"]["changed"], "notes": notes}))
"""


def test_the_process_knows_no_secret_and_stands_behind_all_else(monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "hush")
    judged = apart.compute({"settings": {"changed": ["query"]}}, command=saying(ECHO))
    assert judged["changed"] == ["query"]
    assert "SECRET" not in judged["notes"][0]
    assert judged["notes"][1:] == [str(apart.NICE), str([apart.MOST_BYTES, 120])]


KILLED = """
import os, signal, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", sys.argv[1]], stdout=subprocess.PIPE)
assert child.stdout.readline() == b"ready\\n"
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_it_ends_with_a_worker_that_is_killed():
    program = """
import sys
from opsboard.changes.rules.__main__ import end_with_parent
end_with_parent()
print("ready", flush=True)
sys.stdin.read()
"""
    ours, theirs = os.pipe()
    held, told = os.pipe()
    worker = subprocess.Popen(
        [*saying(KILLED), program], stdin=held, stderr=theirs, cwd=settings.BASE_DIR
    )
    os.close(theirs)
    # At its end when the last one that could write there is gone.
    is_over = select.select([ours], [], [], 30)[0] and os.read(ours, 1) == b""
    assert worker.wait() == -signal.SIGKILL
    for one in (ours, held, told):
        os.close(one)
    assert is_over


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("raise SystemExit('no numbers')", "ended with 1: no numbers"),
        ("print('so what')", "no JSON"),
        ("print('[]')", "no verdict"),
        ('print(\'{"verdict": "better", "reason": "", "n": [], "changed": []}\')', "no verdict"),
        ("bytearray(8 << 30)", "ended with 1"),
    ],
)
def test_what_it_says_wrongly_is_trouble_of_our_own(program, words):
    with pytest.raises(apart.NotComputed, match=words):
        apart.compute({}, command=saying(program))


def test_the_real_one_finds_that_half_the_time_is_an_improvement():
    """From the first sample to the verdict, through the process that computes."""
    path = a_measured_path()
    control = a_path(path.service)
    stand_up(path.service, now=LONG_AGO, location="default")
    change = a_change(
        path, warm_up_seconds=0, warm_up_samples=0, control=control,
        guardrails=["db calls", f"path:{control.slug}"],
    )  # fmt: skip
    observe(control, before(200), milliseconds=50)
    observe(control, every_half_minute(minutes(2), 60), milliseconds=50)
    full(change)
    assert advance(now=minutes(40)) == 1
    found = Comparison.objects.get()
    assert (found.verdict, found.reason) == ("improved", "")
    assert found.result["n"] == [60, 60]
    assert found.result["control"]


def test_it_is_told_much_though_it_listens_late():
    program = "import time; time.sleep(0.5)" + ECHO
    judged = apart.compute({"settings": {"changed": ["x" * 4_000_000]}}, command=saying(program))
    assert len(judged["changed"][0]) == 4_000_000


def test_it_is_ended_when_it_takes_too_long():
    with pytest.raises(apart.NotComputed, match="longer than"):
        apart.compute({}, command=saying("import time; time.sleep(60)"), within=0.3)


def test_it_is_ended_when_the_worker_is_stopped():
    with pytest.raises(apart.Stopped):
        apart.compute({}, command=saying("import time; time.sleep(60)"), is_stopping=lambda: True)
