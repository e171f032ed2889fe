"""Going back: started once, marked step by step, read from the timeline."""

import pytest
from django.contrib.auth.models import User

from opsboard.incidents import rollback
from opsboard.incidents.models import Incident
from opsboard.rollbacks.models import NoteVersion, RollbackNote
from opsboard.services.models import CriticalPath
from tests.company import a_path
from tests.incidents.failing import acts, at, become

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana(db: None) -> User:
    return User.objects.create_user("ana", first_name="Ana")


@pytest.fixture
def path() -> CriticalPath:
    path = a_path()
    become(path, "failing", minute=0)
    return path


@pytest.fixture
def version(path) -> NoteVersion:
    note = RollbackNote.objects.create(service=path.service)
    version = note.write(
        title="Go back", use_when="", does_not_undo="", minutes=None, reason="", by=None,
        now=at(-60), steps=[{"do": "Hold releases"}, {"do": "Go back to 2026.11.2"}],
    )  # fmt: skip
    assert version is not None
    return version


def test_started_and_marked(version, ana):
    incident = Incident.objects.get()
    assert rollback.of(incident) is None
    assert rollback.start(incident, version, by=ana, now=at(1))
    assert rollback.mark(incident, 2, done=True, by=ana, now=at(2))
    going = rollback.of(incident)
    assert going is not None
    assert (going.version_id, going.at, going.by, going.steps) == (version.pk, at(1), ana, 2)
    assert going.done == {2: (at(2), ana)}
    assert incident.timeline.get(act="done").text == "Go back to 2026.11.2"


def test_a_step_can_be_marked_as_not_done_again(version, ana):
    incident = Incident.objects.get()
    rollback.start(incident, version, by=ana, now=at(1))
    rollback.mark(incident, 1, done=True, by=ana, now=at(2))
    assert rollback.mark(incident, 1, done=False, by=ana, now=at(3))
    assert rollback.of(incident).done == {}
    assert acts(incident) == ["opened", "started", "done", "undone"]


@pytest.mark.parametrize("step", [0, 3, -1])
def test_a_step_that_is_not_there_is_not_marked(version, ana, step):
    incident = Incident.objects.get()
    rollback.start(incident, version, by=ana, now=at(1))
    assert not rollback.mark(incident, step, done=True, by=ana, now=at(2))


def test_what_is_so_already_is_not_written_again(version, ana):
    incident = Incident.objects.get()
    assert not rollback.mark(incident, 1, done=True, by=ana, now=at(1))
    assert rollback.start(incident, version, by=ana, now=at(1))
    assert not rollback.start(incident, version, by=ana, now=at(2))
    assert rollback.mark(incident, 1, done=True, by=ana, now=at(2))
    assert not rollback.mark(incident, 1, done=True, by=ana, now=at(3))
    assert acts(incident) == ["opened", "started", "done"]


def test_an_incident_that_is_over_is_not_rolled_back(version, ana, path):
    become(path, "passing", minute=1)
    assert not rollback.start(Incident.objects.get(), version, by=ana, now=at(2))


def test_when_it_begins_again_going_back_begins_again(version, ana, path):
    incident = Incident.objects.get()
    rollback.start(incident, version, by=ana, now=at(1))
    become(path, "passing", minute=2)
    become(path, "failing", minute=3)
    assert rollback.of(incident) is None
    assert rollback.start(incident, version, by=ana, now=at(4))
