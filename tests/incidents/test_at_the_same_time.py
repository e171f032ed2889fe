"""Real workers beside each other: paths of one service never decide without seeing each other."""

import threading
from collections.abc import Callable, Sequence

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction

from opsboard.alerts import planning
from opsboard.alerts.models import Delivery
from opsboard.incidents import rollback
from opsboard.incidents.models import Incident, IncidentPath
from opsboard.incidents.opening import AlreadyOpen
from opsboard.probes.models import Probe
from opsboard.rollbacks.models import RollbackNote
from opsboard.services.models import CriticalPath, Service
from tests.company import a_path, a_service, production
from tests.incidents.failing import at, become, everybody, stand

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def paths() -> list[CriticalPath]:
    """Four paths of one service."""
    everybody()
    service = a_service("fares-api")
    found = [a_path(service) for _ in range(4)]
    for path in found:
        stand(path, "passing", minute=-1)
    return found


def side_by_side(works: Sequence[Callable[[], None]]) -> None:
    """All of them begin at once, each on a connection of its own; what one raises is raised."""
    begin, raised = threading.Barrier(len(works)), []

    def run(work: Callable[[], None]) -> None:
        begin.wait(10)
        try:
            work()
        except Exception as error:  # noqa: BLE001 - it is raised in the test's own thread
            raised.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    if raised:
        raise raised[0]


def changing(path: CriticalPath, state: str, *, minute: float) -> Callable[[], None]:
    """A worker that records a confirmed change, as opsboard.probes.recording does."""

    def record() -> None:
        with transaction.atomic():
            Service.objects.select_for_update().get(pk=path.service_id)
            Probe.objects.filter(path=path).update(state=state, reason="gone")
            planning.react(path.pk, production(path.service).pk, now=at(minute))

    return record


def test_paths_that_fail_at_once_have_one_incident(paths):
    side_by_side([changing(path, "failing", minute=0) for path in paths])
    incident = Incident.objects.get()
    assert incident.paths.filter(left_at=None).count() == 4
    assert Delivery.objects.get().event == "failing"


def test_paths_that_recover_at_once_leave_none_open(paths):
    for path in paths:
        become(path, "failing", minute=0)
    side_by_side([changing(path, "passing", minute=1) for path in paths])
    assert not Incident.objects.open().exists()
    assert not IncidentPath.objects.filter(left_at=None).exists()
    assert Delivery.objects.filter(event="resolved").count() == 1


def test_paths_that_fail_again_at_once_continue_it_once(paths):
    become(paths[0], "failing", minute=0)
    become(paths[0], "passing", minute=1)
    side_by_side([changing(path, "failing", minute=2) for path in paths])
    assert Incident.objects.get().openings == 2
    assert list(Delivery.objects.order_by("pk").values_list("event", "opening")) == [
        ("failing", 1),
        ("resolved", 1),
        ("failing", 2),
    ]


def test_reconciling_beside_recording_changes_nothing_twice(paths):
    for path in paths:
        stand(path, "failing", minute=0)
    side_by_side([lambda: planning.reconcile(now=at(0))] * 4)
    assert Incident.objects.get().paths.count() == 4
    assert Delivery.objects.count() == 1


def test_an_incident_opened_by_two_people_at_once_is_one(paths):
    ana = User.objects.create_user("ana")
    service, refused = paths[0].service, []

    def open_it() -> None:
        try:
            planning.open_by_hand(service, production(service), title="x", by=ana, now=at(0))
        except AlreadyOpen:
            refused.append(1)

    side_by_side([open_it] * 3)
    assert Incident.objects.count() == 1
    assert len(refused) == 2


def test_of_several_people_who_act_at_once_one_wins(paths):
    people = [User.objects.create_user(name) for name in ("ana", "ben", "cem")]
    become(paths[0], "failing", minute=0)
    incident = Incident.objects.get()
    note = RollbackNote.objects.create(service=paths[0].service)
    version = note.write(
        title="Go back", use_when="", does_not_undo="", minutes=None, reason="", by=None,
        now=at(-60), steps=[{"do": "Hold releases"}],
    )  # fmt: skip
    assert version is not None

    def act(person: User) -> Callable[[], None]:
        def all_of_it() -> None:
            mine = Incident.objects.get(pk=incident.pk)
            mine.acknowledge(by=person, now=at(1))
            rollback.start(mine, version, by=person, now=at(2))
            rollback.mark(mine, 1, done=True, by=person, now=at(3))
            planning.resolve(mine, by=person, now=at(4))

        return all_of_it

    side_by_side([act(person) for person in people])
    counts = [
        incident.timeline.filter(act=act).count()
        for act in ("acknowledged", "started", "done", "resolved")
    ]
    assert counts == [1, 1, 1, 1]
    assert Delivery.objects.filter(event="resolved").count() == 1
