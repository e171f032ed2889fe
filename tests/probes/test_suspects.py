"""Who loses a lease may have ended its worker: found out in few tries, and only then set aside."""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import UTC, datetime

import pytest

from opsboard.alerts.models import Notice
from opsboard.alerts.noticing import notice
from opsboard.incidents.models import Incident
from opsboard.probes.models import Probe, StateChange, stand_up
from opsboard.probes.path_states import path_now
from opsboard.probes.recording import record
from opsboard.probes.rules import State
from opsboard.probes.schedule import Claim, claim, database_now, hand_back
from opsboard.probes.suspects import SET_ASIDE
from opsboard.probes.wellness import read_signs
from tests.company import GOOD, SECOND, a_path, a_probe, claims, result_of

pytestmark = pytest.mark.django_db


def some_probes(count: int) -> list[Probe]:
    return [a_probe() for _ in range(count)]


def make_due(held: Sequence[int] = ()) -> None:
    """Everything that is in nobody's hands is due, and the leases of what is have run out.

    In the order of `held`, which is that in which they were given.
    """
    now = database_now()
    Probe.objects.filter(claim_id=None).update(slot_at=now - SECOND)
    for ago, probe in enumerate(reversed(held), start=1):
        Probe.objects.filter(pk=probe).update(leased_until=now - ago)


def answer(taken: Collection[Claim]) -> None:
    record([result_of(one, GOOD) for one in taken], now=database_now(), react=lambda _: None)


def work(ends_it: Collection[int], *, turns: int) -> Counter[int]:
    """Workers that claim, ask and record, and die when they hold one of these. Who was asked."""
    asked: Counter[int] = Counter()
    held: list[int] = []
    for _ in range(turns):
        make_due(held)
        taken = claims()
        held = [one.probe_id for one in taken]
        asked.update(held)
        if not set(held) & set(ends_it):
            answer(taken)
            held = []
    return asked


def test_a_probe_that_ends_its_workers_is_asked_six_times_and_then_no_more():
    poison, *others = some_probes(9)
    asked = work({poison.pk}, turns=30)
    assert asked[poison.pk] == 6
    poison.refresh_from_db()
    assert poison.is_set_aside
    assert not Probe.objects.filter(leases_lost__gt=0).exclude(pk=poison.pk).exists()
    assert all(asked[other.pk] > 10 for other in others)


def test_two_of_them_are_told_apart_from_the_innocent():
    first, second = some_probes(10)[:2]
    asked = work({first.pk, second.pk}, turns=40)
    assert asked[first.pk] <= 6 and asked[second.pk] <= 6
    aside = set(Probe.objects.filter(leases_lost__gt=5).values_list("pk", flat=True))
    assert aside == {first.pk, second.pk}


def test_who_lost_a_lease_is_claimed_apart_from_who_did_not():
    lost, clean = some_probes(2)
    [taken] = [one for one in claims() if one.probe_id == lost.pk]
    hand_back([one for one in claims() if one is not taken])
    Probe.objects.filter(pk=clean.pk).update(claim_id=None, leased_until=None)
    make_due([lost.pk])
    first, second = claims(), claims()
    assert [one.probe_id for one in first] == [lost.pk] and first[0].is_suspect
    assert [one.probe_id for one in second] == [clean.pk] and not second[0].is_suspect


def test_a_worker_that_holds_something_gets_no_suspect():
    probe = a_probe()
    claims()
    make_due([probe.pk])
    assert claim("default", 10, alone=False)[1] == []
    assert [one.probe_id for one in claims()] == [probe.pk]


def test_few_are_asked_together_after_one_lost_lease_and_each_alone_after_two():
    probes = some_probes(24)
    ids = [probe.pk for probe in probes]
    assert len(claims()) == len(ids)
    make_due(ids)
    assert (len(claims()), len(claims())) == (3, 2)
    Probe.objects.update(leases_lost=2, claim_id=None, leased_until=None)
    assert (len(claims()), len(claims())) == (1, 1)


def test_a_result_clears_who_was_suspected():
    probe = a_probe()
    claims()
    make_due([probe.pk])
    answer(claims())
    probe.refresh_from_db()
    assert probe.leases_lost == 0


def test_claims_that_were_handed_back_are_no_lost_leases():
    probe = a_probe()
    for _ in range(10):
        hand_back(claims())
    probe.refresh_from_db()
    assert probe.leases_lost == 0


def test_workers_that_something_else_kills_set_no_slow_probe_aside():
    """It is in flight at every kill; so are others, that another worker holds."""
    slow, *others = some_probes(6)
    ids = [other.pk for other in others]
    claims()
    for _ in range(12):
        make_due([slow.pk, *ids])
        held = [one for _ in range(6) for one in claims()]
        answer([one for one in held if one.probe_id != slow.pk])
        # The slow one is alone with its worker; another worker takes the others, and dies as well.
        Probe.objects.filter(pk__in=ids).update(slot_at=database_now() - SECOND)
        assert {one.probe_id for one in claims()} == set(ids)
    slow.refresh_from_db()
    assert 0 < slow.leases_lost <= 2 and not slow.is_set_aside


@pytest.fixture
def aside() -> Probe:
    probe = a_probe(a_path(name="Price a crossing"))
    answer(claims())
    work({probe.pk}, turns=12)
    probe.refresh_from_db()
    assert probe.is_set_aside
    return probe


def test_what_is_set_aside_has_no_data_and_says_why(aside: Probe):
    standing = path_now([aside], now=datetime.now(UTC))
    assert (standing.state, standing.reason) == (State.NO_DATA, SET_ASIDE)
    change = StateChange.objects.filter(probe=aside).latest("at")
    assert (change.before, change.after, change.reason) == ("passing", "no_data", SET_ASIDE)


def test_hours_later_it_still_says_why(aside: Probe):
    Probe.objects.update(observed_at=aside.observed_at - 7200 * SECOND)
    aside.refresh_from_db()
    assert path_now([aside], now=datetime.now(UTC)).reason == SET_ASIDE


def test_administrators_are_told_once_and_no_incident_opens(aside: Probe):
    for _ in range(2):
        notice(now=datetime.now(UTC))
    [told] = Notice.objects.filter(key=f"set aside {aside.pk}")
    assert told.is_for_administrators
    assert "Price a crossing" in told.text and "ended 6 times" in told.text
    assert not Incident.objects.exists()


def test_what_is_set_aside_is_no_sign_that_nobody_works(aside: Probe):
    assert read_signs().locations == ()


def test_a_person_who_probes_it_has_it_tried_once_more_alone(aside: Probe):
    aside.ask_now(datetime.now(UTC))
    [taken] = claims()
    assert taken.is_suspect
    make_due([aside.pk])
    assert claims() == []
    aside.refresh_from_db()
    assert aside.is_set_aside


def test_an_edited_sheet_lets_it_go(aside: Probe):
    stand_up(aside.path.service, now=datetime.now(UTC), location="default")
    make_due()
    answer(claims())
    aside.refresh_from_db()
    assert (aside.leases_lost, aside.state) == (0, "passing")
    assert not aside.is_set_aside


def test_a_crowd_of_suspects_with_short_intervals_is_not_too_late_again_and_again():
    probes = Probe.objects.filter(pk__in=[probe.pk for probe in some_probes(20)])
    long_ago = database_now() - 5 * SECOND
    probes.update(interval=SECOND, claim_id=1, leased_until=long_ago, slot_at=long_ago)
    claims()
    assert not probes.filter(slot_at=long_ago).exists()
