"""Who drains is covered for: until it is silent for three seconds, or known to be killed."""

import os
import subprocess
import sys

import pytest

from opsboard.probes import models
from opsboard.probes.schedule import database_now
from opsboard.probes.shift import FRESH, Shift, is_covered

pytestmark = pytest.mark.django_db

DUTY = "drain:default"


def says(instance: str) -> None:
    at = database_now()
    models.Shift.objects.create(duty=DUTY, instance=instance, began_at=at, claimed_at=at)


def of_process(number: int) -> str:
    """What a shift of that process calls itself here."""
    return Shift(DUTY).instance.replace(f":{os.getpid()}:", f":{number}:")


def is_at_work() -> bool:
    return is_covered(DUTY, database_now())


@pytest.fixture
def process():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        yield child
        child.kill()


def test_a_shift_whose_process_was_killed_here_covers_nothing_any_more(process):
    says(of_process(process.pid))
    assert is_at_work()
    process.kill()
    process.wait()
    assert not is_at_work()


@pytest.mark.parametrize(
    "elsewhere",
    [
        pytest.param("web-1:{process}:140@0f0f0f0f-4026531836", id="on another machine"),
        pytest.param("web-1:{process}:140@", id="where the system does not say"),
        pytest.param("web-1:{process}:140", id="of an older version"),
    ],
)
def test_of_a_process_elsewhere_only_its_silence_tells(process, elsewhere):
    process.kill()
    process.wait()
    says(elsewhere.format(process=process.pid))
    assert is_at_work()
    models.Shift.objects.update(claimed_at=database_now() - FRESH)
    assert not is_at_work()


def test_one_whose_parent_has_not_noticed_yet_is_gone_too(process):
    says(of_process(process.pid))
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert not is_at_work()


def test_one_that_was_killed_hides_no_other_that_goes_on(process):
    says(of_process(process.pid))
    process.kill()
    process.wait()
    says(of_process(os.getpid()))
    assert is_at_work()
