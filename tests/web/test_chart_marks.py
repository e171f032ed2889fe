"""The chart shows what happened meanwhile: versions, the start of a rollback, each step done."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from opsboard.incidents import rollback
from opsboard.incidents.models import Incident
from opsboard.probes.models import microseconds, moment
from opsboard.rollbacks.models import NoteVersion, RollbackNote
from opsboard.services.models import CriticalPath, Deploy, Environment
from opsboard.services.together import load_together
from opsboard.web.chart import data_of, finding
from opsboard.web.chart_marks import Kind, Mark, marks_of, marks_words, parts
from opsboard.web.drawing import draw
from opsboard.web.words import HOUR, MINUTE
from tests.web.standing import a_path, a_service, observed, stands
from tests.web.test_chart import a_point, a_series

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
AT = microseconds(NOW)


@pytest.fixture
def price(db: None) -> CriticalPath:
    return a_path(a_service("fares-api"))


@pytest.fixture
def incident(price: CriticalPath) -> Incident:
    made = Incident.objects.create(
        service=price.service, environment=price.service.environments.get(),
        title="Price a crossing is failing", opened_at=NOW - timedelta(minutes=20),
    )  # fmt: skip
    made.paths.create(path=price, joined_at=made.opened_at)
    return made


@pytest.fixture
def version(price: CriticalPath) -> NoteVersion:
    note = RollbackNote.objects.create(service=price.service)
    version = note.write(
        title="Go back", use_when="", does_not_undo="", minutes=None, reason="", by=None, now=NOW,
        steps=[{"do": "Hold"}, {"do": "Go back to {{ previous_version }}"}],
    )  # fmt: skip
    assert version
    return version


def minutes_ago(minutes: int) -> datetime:
    return NOW - timedelta(minutes=minutes)


def marks_since(since: int, path: CriticalPath, place: Environment) -> tuple[Mark, ...]:
    span = {"since": moment(since), "until": moment(AT)}
    return marks_of(load_together(**parts(path.pk, place.pk, **span)))


def go_back(incident: Incident, version: NoteVersion, by: User) -> None:
    rollback.start(incident, version, by=by, now=minutes_ago(9))
    rollback.mark(incident, 1, done=True, by=by, now=minutes_ago(8))
    rollback.mark(incident, 2, done=True, by=by, now=minutes_ago(7))
    rollback.mark(incident, 2, done=False, by=by, now=minutes_ago(6))


def test_a_rollback_and_its_steps_are_marked(
    price: CriticalPath, incident: Incident, version: NoteVersion, editor: User
) -> None:
    place = incident.environment
    place.deploys.create(kind=Deploy.Kind.RELEASE, name="2026.11.3", at=minutes_ago(30))
    place.deploys.create(name="9f2c1ab77e", at=minutes_ago(29))
    go_back(incident, version, editor)
    marks = marks_since(AT - HOUR, price, place)
    assert [(mark.kind, mark.words) for mark in marks] == [
        (Kind.DEPLOY, "2026.11.3"),
        (Kind.DEPLOY, "9f2c1ab"),
        (Kind.ROLLBACK, "Rollback started"),
        (Kind.STEP, "Step 1 done"),
    ]


def test_another_path_or_time_has_no_mark(
    price: CriticalPath, incident: Incident, version: NoteVersion, editor: User
) -> None:
    go_back(incident, version, editor)
    other = a_path(price.service, "Hold a fare")
    assert marks_since(AT - HOUR, other, incident.environment) == ()
    assert marks_since(AT - MINUTE, price, incident.environment) == ()


def test_marks_are_drawn_said_and_given_to_the_script() -> None:
    marks = (
        Mark(1 * MINUTE, Kind.DEPLOY, "2026.11.3"),
        Mark(2 * MINUTE, Kind.ROLLBACK, "Rollback started"),
        Mark(3 * MINUTE, Kind.STEP, "Step 1 done"),
    )
    series = a_series([a_point(100_000)] * 60, marks=marks)
    drawn = draw(series).marks
    # The release lies too near to be named beside the rollback.
    assert [(kind, words) for _, kind, words in drawn] == [
        ("deploy", ""),
        ("rollback", "Rollback started"),
        ("step", ""),
    ]
    assert "Marked: 2026.11.3 at 00:01, Rollback started at 00:02" in finding(series, "1 h")
    assert data_of(series)["marks"][1] == {
        "at": 120,
        "kind": "rollback",
        "words": "Rollback started",
    }


def test_in_words_the_newest_are_told() -> None:
    marks = [Mark(number * MINUTE, Kind.STEP, f"Step {number} done") for number in range(10)]
    assert marks_words(marks).startswith("Marked: 2 earlier, Step 2 done at 00:02")
    assert marks_words([]) == ""


def test_the_page_of_the_path_shows_them(
    price: CriticalPath,
    incident: Incident,
    version: NoteVersion,
    editor: User,
    client_of: Callable[[Any], Client],
) -> None:
    probe = stands(price)
    observed(probe, [20_000])
    now = datetime.now(UTC)
    rollback.start(incident, version, by=editor, now=now - timedelta(minutes=9))
    page = client_of("viewer").get("/services/fares-api/price-a-crossing?range=1h").text
    assert 'class="mark-rollback"' in page
    assert re.search(r'"words": "Rollback started"', page)


def test_the_timeline_says_the_step_with_its_words_filled(
    price: CriticalPath, incident: Incident, version: NoteVersion, editor: User
) -> None:
    for number, name in enumerate(["2026.11.2", "2026.11.3"]):
        at = minutes_ago(60 - number)
        incident.environment.deploys.create(kind=Deploy.Kind.RELEASE, name=name, at=at)
    rollback.start(incident, version, by=editor, now=minutes_ago(9))
    rollback.mark(incident, 2, done=True, by=editor, now=minutes_ago(8))
    assert incident.timeline.get(act="done").text == "Go back to 2026.11.2"
