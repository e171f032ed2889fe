"""Incidents: one that hurts, one above it, one going back, one of a person, one that is over."""

from django.contrib.auth.models import User

from opsboard.incidents import rollback
from opsboard.incidents.models import Incident
from opsboard.probes.rules import State
from opsboard.rollbacks.models import RollbackNote
from opsboard.services.models import CriticalPath
from tests.browser.everything.services import DAY, HOUR, Made, now, write
from tests.web.releases import MINUTE
from tests.web.standing import a_path, stands

# For tests that go straight there.
OPEN, ABOVE, BY_HAND, OVER, GOES_BACK = 901, 902, 903, 904, 905
CAUSE = {
    "sentence": "Release 2026.11.3 went out 4 min before.",
    "moved": ["First byte rose from 20 ms to 2.8 s.", "Database calls rose from 2 to 12."],
}


def make(editor: User, made: Made) -> None:
    hurt = _failing(editor, made)
    _above(hurt, made)
    _goes_back(editor)
    _by_hand(editor, made)
    _over(editor, made)


def _failing(editor: User, made: Made) -> Incident:
    begun = now() - 23 * MINUTE
    incident = Incident.objects.create(
        pk=OPEN, service=made.fares, environment=made.failing.environment, opened_at=begun,
        title="Price a crossing is failing " + "i" * 90, cause=CAUSE, openings=2,
        reopened_at=begun + 5 * MINUTE, acknowledged_at=begun + 9 * MINUTE, acknowledged_by=editor,
    )  # fmt: skip
    incident.paths.create(path=made.price, joined_at=begun, reason="r" * 120)
    by_itself = ["opened", "joined", "alerted", "reminded", "escalated", "reopened"]
    for number, act in enumerate([*by_itself, "acknowledged", "noted"]):
        incident.timeline.create(
            at=begun + number * MINUTE, act=act, path=made.price, text="t" * 120,
            by=None if act in by_itself else editor,
        )  # fmt: skip
    return incident


def _goes_back(editor: User) -> None:
    """Its way back was begun: one step of two is done."""
    path = CriticalPath.objects.get(slug="book-a-trip")
    incident = Incident.objects.create(
        pk=GOES_BACK, service=path.service, opened_at=now() - 20 * MINUTE,
        environment=path.service.environments.get(), title="Book a trip is failing",
    )  # fmt: skip
    incident.paths.create(path=path, joined_at=incident.opened_at, reason="time is 912 ms")
    incident.timeline.create(at=incident.opened_at, act="opened", path=path)
    note = RollbackNote.objects.create(service=path.service)
    write(note, "Go back", editor, 0)
    version = note.current
    assert version
    rollback.start(incident, version, by=editor, now=now() - 10 * MINUTE)
    rollback.mark(incident, 1, done=True, by=editor, now=now() - 9 * MINUTE)


def _above(below: Incident, made: Made) -> None:
    place = made.berths.environments.get(slug="production")
    path = a_path(made.berths, "Pay for a berth")
    stands(path, State.FAILING, reason="status is 502, expected 200")
    incident = Incident.objects.create(
        pk=ABOVE, service=made.berths, environment=place, title="Pay for a berth is failing",
        opened_at=now() - 10 * MINUTE, below=below,
    )  # fmt: skip
    incident.paths.create(path=path, joined_at=incident.opened_at, reason="status is 502")
    incident.timeline.create(
        at=incident.opened_at, act="linked", facts={"incident": below.pk}, path=path
    )


def _by_hand(editor: User, made: Made) -> None:
    incident = Incident.objects.create(
        pk=BY_HAND, service=made.fares, environment=made.fares.environments.get(slug="staging"),
        title="Prices look odd to the desk", opened_at=now() - HOUR, is_by_hand=True,
        opened_by=editor,
    )  # fmt: skip
    incident.timeline.create(at=incident.opened_at, act="opened", by=editor, text="Seen by Ida")


def _over(editor: User, made: Made) -> None:
    begun = now() - 9 * DAY
    incident = Incident.objects.create(
        pk=OVER, service=made.fares, environment=made.failing.environment, opened_at=begun,
        title="Price a crossing was failing", resolved_at=begun + HOUR, afterword="l" * 200,
        afterword_by=editor, afterword_at=begun + DAY,
    )  # fmt: skip
    incident.paths.create(
        path=made.price, joined_at=begun, left_at=begun + HOUR, reason="status is 500"
    )
    for act, after in [("opened", 0), ("left", 59), ("resolved", 60), ("afterword", 1500)]:
        incident.timeline.create(at=begun + after * MINUTE, act=act, path=made.price)
