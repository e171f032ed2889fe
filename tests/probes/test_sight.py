"""Results wait for a look at our own side, and what our blindness explains is no verdict."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from opsboard.alerts.models import Notice
from opsboard.alerts.noticing import notice
from opsboard.incidents.models import Incident
from opsboard.outbound.looked import Looked
from opsboard.outbound.reply import Failure, Phases, Reply
from opsboard.probes.models import Probe, Shift, StateChange
from opsboard.probes.recording import record
from opsboard.probes.results import Result
from opsboard.probes.rules import Verdict
from opsboard.probes.schedule import Claim, database_now
from opsboard.probes.shift import ring
from opsboard.probes.sight import Sight
from opsboard.probes.wellness import banner_of, read_signs
from opsboard.tasks import react
from tests.company import GOOD, SECOND, a_path, a_probe, a_service, claims, make_due, result_of
from tests.running.processes import until

pytestmark = pytest.mark.django_db

LOST = Reply(failure=Failure.CONNECT_TIMEOUT, detail="Nobody came.", phases=Phases(total=9))
NO_NETWORK = Looked(has_way_out=False)
NO_CANARY = Looked(names_canaries=True)


class Eyes:
    """What a look finds, and how often somebody looked. A look takes until it is let go."""

    def __init__(self) -> None:
        self.found = Looked()
        self.looks = 0
        self.let_go = threading.Event()
        self.let_go.set()

    def look(self, _canaries: object) -> Looked:
        self.looks += 1
        self.let_go.wait(10)
        return self.found


@pytest.fixture
def eyes(monkeypatch: pytest.MonkeyPatch) -> Eyes:
    eyes = Eyes()
    monkeypatch.setattr("opsboard.probes.sight.look_around", eyes.look)
    return eyes


def far_probes(count: int, *, base_url: str = "http://10.1.2.3", **fields: object) -> list[Probe]:
    service = a_service()
    service.environments.update(base_url=base_url)
    return [a_probe(a_path(service, **({"patience": 1} | fields))) for _ in range(count)]


def taken() -> list[Claim]:
    for probe in Probe.objects.all():
        make_due(probe)
    return claims()


def turn(sight: Sight, reply: Callable[[Claim], Reply] | Reply = LOST) -> list[Result]:
    """Every probe is asked once, answers so, and what may be written is."""
    waiting = [
        result_of(one, reply(one) if callable(reply) else reply, asked_at=database_now())
        for one in taken()
    ]
    written: list[Result] = []

    def part() -> bool:
        nonlocal waiting
        now = database_now()
        ready, waiting = sight.part(waiting, now=now)
        record(ready, now=now, react=react)
        written.extend(ready)
        return not waiting

    assert until(part, seconds=10)
    return written


def states() -> set[str]:
    return set(Probe.objects.values_list("state", flat=True))


def test_a_failure_waits_for_the_look_and_a_good_answer_does_not(eyes: Eyes):
    far_probes(2)
    lost, good = taken()
    eyes.let_go.clear()
    results = [result_of(lost, LOST), result_of(good, GOOD)]
    ready, waiting = Sight("default").part(results, now=database_now())
    assert [one.claim for one in ready] == [good]
    assert [one.claim for one in waiting] == [lost]
    eyes.let_go.set()


def test_while_our_side_is_well_what_fails_fails(eyes: Eyes):
    far_probes(6)
    turn(Sight("default"))
    assert states() == {"failing"}
    assert Incident.objects.count() == 1
    assert eyes.looks >= 1


def test_without_a_network_nothing_is_known_and_no_incident_opens(eyes: Eyes):
    far_probes(6)
    sight = Sight("default")
    turn(sight, GOOD)
    eyes.found = NO_NETWORK
    written = turn(sight)
    assert {one.judgement.verdict for one in written} == {Verdict.ERROR}
    assert states() == {"no_data"}
    assert not Incident.objects.exists()
    assert "Opsboard is blind in the location default" in Probe.objects.all()[0].reason


def test_a_silent_canary_is_believed_only_where_many_fail(eyes: Eyes):
    lost = far_probes(10)[0]
    sight = Sight("default")
    turn(sight, GOOD)
    eyes.found = NO_CANARY
    turn(sight, lambda claim: LOST if claim.probe_id == lost.pk else GOOD)
    lost.refresh_from_db()
    assert (lost.state, Incident.objects.count()) == ("failing", 1)
    turn(sight)
    assert set(Probe.objects.exclude(pk=lost.pk).values_list("state", flat=True)) == {"no_data"}
    assert Incident.objects.count() == 1


def test_what_was_confirmed_before_stays_in_the_history(eyes: Eyes):
    probe = far_probes(2)[0]
    sight = Sight("default")
    reset = replace(LOST, failure=Failure.RESET)
    turn(sight, lambda claim: reset if claim.probe_id == probe.pk else GOOD)
    eyes.found = NO_NETWORK
    turn(sight)
    turn(sight)
    changes = StateChange.objects.filter(probe=probe).order_by("at", "pk")
    assert [change.after for change in changes] == ["failing", "no_data"]
    assert Incident.objects.get().resolved_at is None


def test_a_probe_of_this_machine_needs_no_network(eyes: Eyes):
    far_probes(2, base_url="http://127.0.0.1:9")
    eyes.found = NO_NETWORK
    turn(Sight("default"))
    assert states() == {"failing"} and eyes.looks == 0


def test_what_a_far_side_said_is_its_own_though_we_are_blind(eyes: Eyes):
    far_probes(3)
    eyes.found = NO_NETWORK
    sight = Sight("default")
    turn(sight)
    turn(sight, Reply(status=503, http_version="1.1", phases=Phases(total=9)))
    assert states() == {"failing"}


def test_a_path_that_fails_for_long_makes_nobody_look_again(eyes: Eyes):
    far_probes(1)
    sight = Sight("default")
    turn(sight)
    looks = eyes.looks
    turn(sight)
    assert eyes.looks == looks


def test_it_ends_by_itself_when_a_look_finds_us_well(eyes: Eyes):
    far_probes(6)
    sight = Sight("default")
    eyes.found = NO_NETWORK
    turn(sight)
    assert Shift.objects.filter(duty="blind:default").exists()
    eyes.found = Looked()

    def sees_again() -> bool:
        sight.looked_at = 0
        sight.part([], now=database_now())
        return sight.cause is None

    assert until(sees_again, seconds=10)
    assert not Shift.objects.filter(duty="blind:default").exists()
    turn(sight, GOOD)
    assert states() == {"passing"}


def test_the_next_drain_knows_that_the_last_one_was_blind(eyes: Eyes):
    far_probes(6)
    eyes.found = NO_NETWORK
    turn(Sight("default"))
    eyes.let_go.clear()
    ready, waiting = Sight("default").part(
        [result_of(one, LOST) for one in taken()], now=database_now()
    )
    assert {one.judgement.verdict for one in ready} == {Verdict.ERROR} and not waiting
    eyes.let_go.set()


def test_people_see_a_banner_and_administrators_get_one_notice(eyes: Eyes):
    far_probes(6)
    sight = Sight("default")
    eyes.found = NO_NETWORK
    turn(sight)
    Probe.objects.update(state_since=database_now() - 3600 * SECOND)
    ring(database_now())
    now = datetime.now(UTC)
    for _ in range(2):
        notice(now=now)
    banner = banner_of(read_signs(), now)
    assert banner and "Opsboard is blind in the location default" in banner
    [told] = Notice.objects.filter(kind=Notice.Kind.OWN_ERROR).exclude(key="not well")
    assert told.key == "blind default" and told.is_for_administrators
    later = now + timedelta(minutes=2)
    assert "blind" not in (banner_of(read_signs(), later) or "")
