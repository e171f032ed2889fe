"""What the page of an incident says of its way back: rehearsed, of which release, what is known."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from opsboard.alerts.background import read_background
from opsboard.alerts.composing import way_of
from opsboard.alerts.items import Story, whole_item
from opsboard.alerts.models import Channel, Delivery
from opsboard.alerts.news import News
from opsboard.alerts.renderings import plain
from opsboard.incidents import rollback
from opsboard.incidents.models import Incident
from opsboard.releases.models import Release
from opsboard.rollbacks.models import NoteVersion, RollbackNote
from opsboard.rollbacks.rehearsing import rehearse
from opsboard.services.models import Deploy, Service
from tests.company import BY
from tests.web.standing import a_path, a_service, text_of

NOW = datetime.now(UTC)
HOUR = timedelta(hours=1)
WORDS = [
    {"do": "Hold", "run": "ferryctl hold", "see": "held", "call": ""},
    {"do": "Go back", "run": "deploy --to {{ previous_version }}", "see": "up", "call": "Mirela"},
]
TYPED = [{"do": "Go back", "run": "deploy --to 2026.11.2", "see": "up", "call": ""}]


@pytest.fixture
def fares(db: None) -> Service:
    return a_service("fares-api", environments=2)


@pytest.fixture
def incident(fares: Service) -> Incident:
    """Open for 23 minutes."""
    path = a_path(fares)
    opened = NOW - timedelta(minutes=23)
    made = Incident.objects.create(
        service=fares,
        environment=fares.environments.get(slug="production"),
        title="Price a crossing is failing",
        opened_at=opened,
    )
    made.paths.create(path=path, joined_at=opened, reason="status is 503, expected 200")
    return made


def note_of(fares: Service, steps: list[dict[str, str]]) -> NoteVersion:
    note, _ = RollbackNote.objects.get_or_create(service=fares)
    version = note.write(
        title="Go back", use_when="", does_not_undo="", minutes=4, steps=steps, reason="",
        by=None, now=NOW - 30 * HOUR, base=note.versions.count(),
    )  # fmt: skip
    assert version
    return version


def told(incident: Incident, *versions: str, hours_ago: int = 2) -> None:
    for number, version in enumerate(versions):
        at = NOW - hours_ago * HOUR + timedelta(minutes=number)
        incident.environment.deploys.create(
            kind=Deploy.Kind.RELEASE, name=version, tag=f"v{version}", at=at
        )


def gone(version: NoteVersion, *, release: str = "", migrations: tuple[str, ...] = ()) -> None:
    rehearse(
        version, environment_slug="staging", release=release, migrations=migrations,
        at=NOW - 24 * HOUR, seconds=230,
        outcomes=[{"outcome": "worked"}] * len(version.steps), by=BY, now=NOW,
    )  # fmt: skip


@pytest.fixture
def read(client_of: Callable[[Any], Client], incident: Incident) -> Callable[[], str]:
    def page() -> str:
        text = client_of("editor").get(f"/incidents/{incident.pk}").text
        return text_of(text.partition('id="note"')[2].partition("</section>")[0])

    return page


def test_commands_are_filled_from_the_release_that_failed(fares, incident, read):
    note_of(fares, WORDS)
    told(incident, "2026.11.2", "2026.11.3")
    page = read()
    assert "deploy --to 2026.11.2Copy command of step 2" in page
    assert "Written for the release that failed, 2026.11.3" in page


def test_what_is_not_known_is_left_as_written_and_said(fares, incident, read):
    note_of(fares, WORDS)
    page = read()
    assert "deploy --to {{ previous_version }}" in page
    assert "The previous version is not known: fill in {{ previous_version }} yourself." in page
    assert "Which release failed is not known" in page
    assert "Written for" not in page


def test_going_back_does_not_change_the_commands_under_way(fares, incident, read, editor):
    """The version gone back to is told as released: the next step is still of the failed one."""
    version = note_of(fares, WORDS)
    told(incident, "2026.11.2", "2026.11.3")
    rollback.start(incident, version, by=editor, now=NOW)
    told(incident, "2026.11.2", hours_ago=0)
    assert "deploy --to 2026.11.2Copy" in read()


@pytest.mark.parametrize(
    ("versions", "says"),
    [
        (["2026.11.1", "2026.11.2"], "Step 1 uses 2026.11.2, the version that failed"),
        (["2026.11.2", "2026.11.3"], "Written for the release that failed, 2026.11.3"),
        (["2026.11.3", "2026.11.4"], None),
        ([], None),
    ],
)
def test_steps_that_name_a_version_are_held_against_the_one_that_failed(
    fares, incident, read, versions, says
):
    note_of(fares, TYPED)
    told(incident, *versions)
    page = read()
    if says is None:
        assert "the version that failed" not in page and "Written for" not in page
    else:
        assert says in page


def test_it_says_when_it_was_rehearsed_and_how_long_it_took(fares, incident, read):
    version = note_of(fares, WORDS)
    assert "Never rehearsed" in read()
    gone(version)
    day = NOW - 24 * HOUR
    assert f"Rehearsed {day.day} {day:%b} on staging, 3 min 50 s" in read()


@pytest.mark.parametrize(
    ("release", "says"),
    [
        ("2026.11.3", "For the release that failed."),
        ("2026.11.2", "For 2026.11.2, not for 2026.11.3, which failed."),
    ],
)
def test_a_rehearsal_for_another_release_says_so(fares, incident, read, release, says):
    gone(note_of(fares, WORDS), release=release)
    told(incident, "2026.11.2", "2026.11.3")
    assert says in read()


def test_the_migrations_of_the_release_that_failed_count(fares, incident, read):
    Release.objects.create(
        service=fares, version="2026.11.3", commit="a" * 40, migrations=["0149"], named_at=NOW
    )
    gone(note_of(fares, WORDS), release="2026.11.2")
    told(incident, "2026.11.2", "2026.11.3")
    assert "Not rehearsed with migration 0149" in read()


def test_on_paper_the_steps_that_are_done_are_ticked(
    fares, incident, client_of, editor: User
) -> None:
    version = note_of(fares, WORDS)
    note_of(fares, TYPED)
    rollback.start(incident, version, by=editor, now=NOW)
    rollback.mark(incident, 1, done=True, by=editor, now=NOW)
    address = f"/services/fares-api/rollback-note/print?incident={incident.pk}"
    page = client_of("viewer").get(address)
    # The version that is followed, not the newer one.
    assert "1 of 2 steps were marked done when this was printed." in text_of(page.text)
    assert page.text.count("✓") == 1
    assert "Done by Edith Moe" in text_of(page.text)


# Messages ------------------------------------------------------------------------------------


def message(incident: Incident) -> str:
    delivery = Delivery(event="failing", incident=incident, opening=1, created_at=NOW)
    known = read_background([incident], now=NOW)
    item = whole_item(Story((delivery,), incident), Channel(name="x"), known, now=NOW)
    assert isinstance(item, News)
    return plain.way_text(way_of(item))


def test_a_message_carries_filled_steps_and_the_rehearsal(fares, incident):
    version = note_of(fares, WORDS)
    told(incident, "2026.11.2", "2026.11.3")
    assert "Trust: Never rehearsed." in message(incident)
    gone(version)
    day = NOW - 24 * HOUR
    assert f"Trust: Rehearsed {day.day} {day:%b} on staging, 3 min 50 s." in message(incident)
    assert "Run: deploy --to 2026.11.2" in message(incident)


def test_a_message_says_what_is_not_known(fares, incident):
    note_of(fares, WORDS)
    said = message(incident)
    assert "Run: deploy --to {{ previous_version }}" in said
    assert "Not known: The previous version is not known" in said
