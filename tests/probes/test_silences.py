"""After a pause of ours every probe was silent: that is written down, and nobody reacts to it."""

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from opsboard.outbound.reply import Reply
from opsboard.probes.models import Probe, StateChange, stand_up
from opsboard.probes.recording import record
from opsboard.probes.results import Result
from opsboard.probes.schedule import database_now
from tests.company import BAD, GOOD, SECOND, a_path, a_probe, claims, result_of

pytestmark = pytest.mark.django_db

HOUR = 3600 * SECOND


def silent_for_an_hour(*probes: Probe, state: str = "passing") -> None:
    heard = database_now() - HOUR
    recent = "pp" if state == "passing" else "ff"
    Probe.objects.filter(pk__in=[probe.pk for probe in probes]).update(
        state=state,
        streak_state=state,
        recent=recent,
        state_since=heard,
        observed_at=heard,
        slot_at=database_now() - SECOND // 10,
    )


def record_all(reply: Reply = GOOD) -> tuple[list[Result], int]:
    """What was reacted to, and with how many statements all but missed slots was written.

    Whether a slot passed meanwhile is a chance of the grid: one statement more, for all of them.
    """
    told: list[Result] = []
    results = [result_of(taken, reply) for taken in claims()]
    with CaptureQueriesContext(connection) as statements:
        assert record(results, now=database_now(), react=told.append) == 0
    return told, sum("probes_gap" not in one["sql"] for one in statements)


def test_silences_that_end_as_they_began_are_written_in_one_wave():
    probes = [a_probe() for _ in range(3)]
    silent_for_an_hour(*probes)
    _, few = record_all()
    silent_for_an_hour(*probes, *(a_probe() for _ in range(9)))
    StateChange.objects.all().delete()
    told, many = record_all()
    assert not told
    assert many == few
    changes = StateChange.objects.order_by("probe_id", "at").values_list("before", "after")
    assert list(changes) == [("passing", "no_data"), ("no_data", "passing")] * 12


def test_a_silence_of_a_path_that_is_asked_from_elsewhere_too_is_reacted_to():
    path = a_path(locations=["default", "oslo"])
    stand_up(path.service, now=datetime.now(UTC), location="default")
    probe = Probe.objects.get(path=path, location="default")
    silent_for_an_hour(probe)
    told, _ = record_all()
    assert [result.claim.probe_id for result in told] == [probe.pk]


@pytest.mark.parametrize(("before", "reply"), [("failing", GOOD), ("failing", BAD)])
def test_a_silence_of_a_path_that_was_not_well_is_reacted_to(before: str, reply: Reply):
    silent_for_an_hour(a_probe(), state=before)
    told, _ = record_all(reply)
    assert len(told) == 1


def test_a_silence_after_which_it_is_not_well_is_reacted_to():
    silent_for_an_hour(a_probe())
    told, _ = record_all(BAD)
    assert len(told) == 1
