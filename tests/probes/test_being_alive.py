"""The word of being alive goes out only while claiming, recording and delivering each work."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from io import StringIO

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command

from opsboard.probes.alive import say_alive
from opsboard.probes.models import Probe, Shift, microseconds
from opsboard.probes.shift import note_work, ring
from tests.company import SECOND, a_probe
from tests.listening import Listener
from tests.running.processes import MANAGE, clean_environment, free_port

pytestmark = pytest.mark.django_db

DUTIES = {"bell": "beat", "claim:drain:default": "any", "deliver": "any"}


@pytest.fixture
def listener(settings: LazySettings) -> Iterator[Listener]:
    with Listener() as listener:
        settings.ALIVE_URL = f"{listener.url}/alive"
        yield listener


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def at_work() -> Probe:
    """All that is to be done was done a moment ago."""
    probe = a_probe()
    at = microseconds(now())
    Probe.objects.update(observed_at=at)
    for duty, instance in DUTIES.items():
        Shift.objects.create(duty=duty, instance=instance, began_at=0, claimed_at=at)
    return probe


def stop(duty: str, *, seconds: float) -> None:
    then = microseconds(now()) - round(seconds * SECOND)
    if duty == "record":
        Probe.objects.update(observed_at=then, state_since=then)
    else:
        Shift.objects.filter(duty=duty).update(claimed_at=then)


def test_it_is_said_while_all_works(listener: Listener, at_work: Probe):
    assert say_alive(now=now()) == []
    [said] = listener.bodies("/alive")
    assert said["alive"] is True
    assert set(said) >= {"claimed_seconds_ago", "recorded_seconds_ago", "delivered_seconds_ago"}


@pytest.mark.parametrize(
    ("duty", "says"),
    [
        ("claim:drain:default", "Opsboard does not claim"),
        ("record", "Opsboard does not record"),
        ("deliver", "Opsboard does not deliver alerts"),
    ],
)
def test_it_is_not_said_when_one_of_them_stopped(
    listener: Listener, at_work: Probe, duty: str, says: str
):
    stop(duty, seconds=100)
    [reason] = say_alive(now=now())
    assert reason.startswith(says)
    assert listener.got == []


def test_a_board_that_watches_nothing_is_alive(listener: Listener, at_work: Probe):
    stop("record", seconds=1000)
    Probe.objects.update(ended_at=now())
    assert say_alive(now=now()) == []
    assert listener.bodies()[0]["recorded_seconds_ago"] is None


def test_a_board_that_never_worked_is_not_alive(listener: Listener):
    assert [reason.partition(";")[0] for reason in say_alive(now=now())] == [
        "Opsboard does not claim: it never did",
        "Opsboard does not deliver alerts: it never did",
    ]


def test_a_redirect_is_not_followed(
    listener: Listener, at_work: Probe, caplog: pytest.LogCaptureFixture
):
    listener.answer = (307, {"Location": f"{listener.url}/elsewhere"})
    say_alive(now=now())
    assert [path for _, path, _, _ in listener.got] == ["/alive"]
    assert "did not take the word of being alive: It answered 307." in caplog.text


def test_an_address_that_may_not_be_reached_is_told_in_the_log(
    settings: LazySettings, at_work: Probe, caplog: pytest.LogCaptureFixture
):
    settings.ALIVE_URL = "http://169.254.169.254/alive"
    say_alive(now=now())
    assert "which Opsboard never dials" in caplog.text


def test_nothing_is_said_where_no_address_was_chosen(at_work: Probe):
    stop("deliver", seconds=100)
    assert say_alive(now=now()) == []


def test_work_is_noted_at_most_every_few_seconds(db: None):
    for second in (100, 101, 103):
        note_work("deliver", second * SECOND)
    assert Shift.objects.get(duty="deliver").claimed_at == 103 * SECOND
    note_work("deliver", 104 * SECOND)
    assert Shift.objects.get(duty="deliver").claimed_at == 103 * SECOND


def test_a_clock_that_was_set_back_does_not_stop_the_notes(db: None):
    note_work("deliver", 7200 * SECOND)
    note_work("deliver", 3600 * SECOND)
    assert Shift.objects.get(duty="deliver").claimed_at == 3600 * SECOND


def test_a_bell_that_was_away_rings_anew(db: None):
    for second in (100, 110, 120):
        ring(second * SECOND)
    assert Shift.objects.get(duty="bell").began_at == 100 * SECOND
    ring(140 * SECOND)
    assert Shift.objects.get(duty="bell").began_at == 140 * SECOND


def alive(*arguments: str) -> tuple[int, str]:
    out, error, code = StringIO(), StringIO(), 0
    try:
        call_command("alive", *arguments, stdout=out, stderr=error)
    except SystemExit as left:
        code = int(left.code or 0)
    return code, out.getvalue() + error.getvalue()


def test_the_command_says_in_one_sentence_that_all_works(at_work: Probe):
    code, said = alive("--max-age", "180")
    assert code == 0
    assert said.startswith("Opsboard works: claimed 0 s ago, recorded 0 s ago, looked for alerts")


@pytest.mark.parametrize(
    ("duty", "says"),
    [
        ("claim:drain:default", "Opsboard does not claim: it last did at"),
        ("record", "Opsboard does not record: it last did at"),
        ("deliver", "Opsboard does not deliver alerts: it last did at"),
    ],
)
def test_the_command_names_what_stopped_and_since_when(at_work: Probe, duty: str, says: str):
    stop(duty, seconds=200)
    code, said = alive("--max-age", "180")
    assert (code, said.count("\n")) == (1, 1)
    assert said.startswith(says)
    assert "3 min ago; start a worker for" in said
    assert alive("--max-age", "300")[0] == 0


@pytest.mark.parametrize("age", ["0", "-1", "x", "1.5", "604801", "9" * 30, ""])
def test_an_age_that_is_none_is_refused(age: str):
    with pytest.raises(CommandError, match="write whole seconds, from 1 to 604800"):
        alive("--max-age", age)


@pytest.mark.parametrize(
    "database", ["postgres://nobody@127.0.0.1:{port}/none", "sqlite:////nowhere/at/all.sqlite3"]
)
def test_a_database_that_is_away_is_one_sentence_and_code_2(
    database: str, tmp_path_factory: pytest.TempPathFactory
):
    data = tmp_path_factory.mktemp("data")
    environment = clean_environment() | {
        "OPSBOARD_DATA": str(data),
        "DATABASE_URL": database.format(port=free_port()),
    }
    done = subprocess.run(
        [sys.executable, MANAGE, "alive"],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Opsboard's database does not answer")
    assert done.stderr.count("\n") == 1
