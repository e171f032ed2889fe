"""The schedule lives in the database: what is due, who has it, and what passed unprobed."""

from datetime import UTC, datetime

import pytest

from opsboard.probes.models import Gap, Kind, Probe, microseconds, stand_up
from opsboard.probes.schedule import claim, database_now, hand_back, normal_rate
from tests.company import SECOND, a_path, a_probe, claims, make_due

pytestmark = pytest.mark.django_db


def move(probe: Probe, **fields: object) -> None:
    Probe.objects.filter(pk=probe.pk).update(**fields)


def test_a_new_path_is_due_at_once():
    probe = a_probe()
    [taken] = claims()
    assert (taken.probe_id, taken.kind) == (probe.pk, Kind.SCHEDULED)


def test_a_claimed_probe_is_not_claimed_again():
    a_probe()
    assert len(claims()) == 1
    assert claims() == []


def test_a_probe_that_is_not_due_is_left_alone():
    probe = a_probe()
    move(probe, slot_at=database_now() + 20 * SECOND)
    assert claims() == []


def test_a_lease_that_ran_out_frees_the_probe():
    probe = a_probe()
    claims()
    move(probe, leased_until=database_now() - 1)
    assert len(claims()) == 1


def test_a_lease_outlasts_the_timeout_of_the_path():
    probe = a_probe(a_path(timeout=20 * SECOND))
    claims()
    probe.refresh_from_db()
    assert probe.leased_until is not None
    assert probe.leased_until - database_now() > 20 * SECOND


def test_a_lease_given_by_a_clock_that_was_set_back_does_not_stop_the_probe():
    probe = a_probe()
    claims()
    move(probe, leased_until=database_now() + 3600 * SECOND)
    assert len(claims()) == 1


def test_a_probe_far_ahead_of_its_grid_is_brought_back_to_it():
    probe = a_probe()
    move(probe, slot_at=database_now() + 3600 * SECOND)
    assert claims() == []
    probe.refresh_from_db()
    assert probe.slot_at <= database_now() + probe.interval


def test_after_two_hours_off_the_missed_slots_are_written_down_and_nothing_is_asked_in_a_rush():
    probe = a_probe()
    move(probe, slot_at=database_now() - 7200 * SECOND)
    assert claims() == []
    gap = Gap.objects.get(probe=probe)
    assert gap.slots in (240, 241)
    probe.refresh_from_db()
    assert database_now() < probe.slot_at <= database_now() + probe.interval


def test_probe_now_is_claimed_though_its_slot_is_ahead():
    probe = a_probe()
    move(probe, slot_at=database_now() + 20 * SECOND)
    probe.ask_now(datetime.now(UTC))
    [taken] = claims()
    assert taken.kind == Kind.ASKED_NOW
    assert taken.grid_at > taken.slot_at


def test_probe_now_waits_until_the_lease_is_free():
    probe = a_probe()
    claims()
    probe.ask_now(datetime.now(UTC))
    assert claims() == []


def test_claims_handed_back_can_be_taken_at_once():
    a_probe()
    hand_back(claims())
    assert len(claims()) == 1


def test_a_paused_path_is_not_asked():
    probe = a_probe()
    path = probe.path
    path.paused_at = datetime.now(UTC)
    path.save()
    stand_up(path.service, now=datetime.now(UTC), location="default")
    assert claims() == []


def test_an_edit_of_the_sheet_takes_the_claim_away():
    probe = a_probe()
    claims()
    stand_up(probe.path.service, now=datetime.now(UTC), location="default")
    probe.refresh_from_db()
    assert probe.claim_id is None
    assert probe.order_version == 3


def test_another_location_has_its_own_probes():
    probe = a_probe()
    move(probe, location="hull")
    assert claims() == []


def test_no_more_than_the_limit_is_claimed_and_the_longest_due_come_first():
    probes = [a_probe() for _ in range(3)]
    for seconds, probe in zip((1, 3, 2), probes, strict=True):
        move(probe, slot_at=database_now() - seconds * SECOND)
    assert {taken.probe_id for taken in claims(2)} == {probes[1].pk, probes[2].pk}


def test_removing_a_path_ends_its_probe():
    probe = a_probe()
    probe.path.removed_at = datetime.now(UTC)
    probe.path.save()
    stand_up(probe.path.service, now=datetime.now(UTC), location="default")
    probe.refresh_from_db()
    assert probe.ended_at is not None


def test_resuming_begins_with_no_data_and_asks_at_once():
    probe = a_probe()
    move(probe, state="passing", streak_state="passing", ended_at=datetime.now(UTC))
    stand_up(probe.path.service, now=datetime.now(UTC), location="default")
    probe.refresh_from_db()
    assert (probe.state, probe.ended_at) == ("no_data", None)
    assert probe.ask_now_at is not None
    assert microseconds(datetime.now(UTC)) - probe.ask_now_at < 5 * SECOND
    make_due(probe)
    assert len(claims()) == 1


def test_after_a_pause_late_probes_are_taken_a_few_at_a_time_beside_those_that_are_due():
    probes = [a_probe() for _ in range(9)]
    for probe in probes[:6]:
        move(probe, slot_at=database_now() - 20 * SECOND)
    _, taken = claim("default", 100, late=2)
    assert {one.probe_id for one in taken} >= {probe.pk for probe in probes[6:]}
    assert len(taken) == 5
    assert len(claim("default", 100, late=0)[1]) == 0
    assert len(claim("default", 100)[1]) == 4


def test_a_late_probe_that_somebody_wants_asked_now_does_not_wait():
    probe = a_probe()
    move(probe, slot_at=database_now() - 20 * SECOND)
    probe.ask_now(datetime.now(UTC))
    assert len(claim("default", 100, late=0)[1]) == 1


def test_the_normal_rate_is_what_is_due_in_a_second():
    for _ in range(3):
        a_probe(a_path(interval=30 * SECOND))
    assert normal_rate("default") == pytest.approx(0.1)
    assert normal_rate("hull") == 0
