"""Rollback notes in the API: read, written on top of another, rehearsed."""

from datetime import timedelta

import pytest
from django.utils import timezone

from opsboard.rollbacks.models import NoteVersion, Rehearsal
from tests.api.standing import acts, send

pytestmark = pytest.mark.django_db
HERE = "services/fares-api/rollback-note"
OF_PATH = "services/fares-api/paths/price-a-crossing/rollback-note"
TEXT = {
    "base": 0,
    "title": "Turn the cache off",
    "use_when": "Prices are wrong.",
    "does_not_undo": "Orders that were placed.",
    "minutes": 5,
    "steps": [{"do": "Turn it off", "run": "cache off", "see": "off"}, {"do": "Look"}],
}


@pytest.fixture
def writer(ask_with, make_token):
    return ask_with(make_token(["read", "note"])[1])


def test_a_note_is_written_and_read(writer, path):
    answer = send(writer, HERE, TEXT)
    assert (answer.status_code, answer.json()["version"]) == (201, 1)
    note = writer.get(f"/api/v1/{HERE}").json()
    assert (note["of"], note["current"]["title"]) == ("fares-api", "Turn the cache off")
    assert note["current"]["steps"][0] == {
        "do": "Turn it off", "run": "cache off", "see": "off", "call": "",
    }  # fmt: skip
    assert note["rehearsed"] == "never"
    assert acts() == [("added", "rollback note", "fares-api", "api")]


def test_what_a_program_wrote_nobody_has_reviewed(writer, path):
    send(writer, HERE, TEXT)
    note = writer.get(f"/api/v1/{HERE}").json()
    assert (note["freshness"], note["current"]["checked_at"]) == ("not reviewed", None)
    assert note["current"]["written_by"] == "Edith Moe"


def test_of_two_who_write_at_once_the_second_is_told_and_loses_nothing(writer, path):
    assert send(writer, HERE, TEXT).status_code == 201
    answer = send(writer, HERE, TEXT | {"title": "Another way"})
    assert answer.status_code == 409
    (error,) = answer.json()["errors"]
    assert (error["code"], error["pointer"]) == ("written_meanwhile", "/base")
    assert "Version 1 is in use" in error["message"]
    assert NoteVersion.objects.count() == 1
    assert send(writer, HERE, TEXT | {"title": "Another way", "base": 1}).status_code == 201
    titles = [one["title"] for one in writer.get(f"/api/v1/{HERE}").json()["versions"]]
    assert titles == ["Another way", "Turn the cache off"]


def test_a_path_without_its_own_has_that_of_its_service(writer, path):
    send(writer, HERE, TEXT)
    assert writer.get(f"/api/v1/{OF_PATH}").json()["of"] == "fares-api"
    send(writer, OF_PATH, TEXT | {"title": "Only this path"})
    note = writer.get(f"/api/v1/{OF_PATH}").json()
    assert (note["of"], note["current"]["title"]) == (
        "fares-api/price-a-crossing", "Only this path",
    )  # fmt: skip


def test_no_note_is_said(writer, path):
    assert writer.get(f"/api/v1/{HERE}").status_code == 404


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        pytest.param({"titel": "x"}, "/titel", id="an unknown field"),
        pytest.param({"title": " "}, "/title", id="no title"),
        pytest.param({"steps": []}, "/steps", id="no steps"),
        pytest.param({"steps": [{"do": "x", "run": "y"}]}, "/steps/0", id="what should one see"),
        pytest.param({"steps": [{"do": "x"}] * 41}, "/steps", id="too many steps"),
        pytest.param({"minutes": "5"}, "/minutes", id="a number as text"),
        pytest.param({"use_when": "x" * 60_000, "does_not_undo": "y" * 9_000}, "", id="too long"),
    ],
)
def test_what_is_wrong_with_a_note_is_said(writer, path, change, pointer):
    answer = send(writer, HERE, TEXT | change)
    assert answer.status_code == 422
    assert [one["pointer"] for one in answer.json()["errors"]] == [pointer]
    assert NoteVersion.objects.count() == 0


def test_a_rehearsal_is_written_down(writer, path):
    send(writer, HERE, TEXT)
    at = timezone.now() - timedelta(minutes=30)
    gone = {
        "environment": "production",
        "release": "1.4.0",
        "migrations": ["fares.0007"],
        "at": at.isoformat(),
        "seconds": 240,
        "outcomes": [{"outcome": "worked"}, {"outcome": "failed", "remark": "It was still on."}],
    }
    answer = send(writer, f"{HERE}/rehearsals", gone)
    assert answer.status_code == 201
    assert (answer.json()["version"], answer.json()["worked"]) == (1, False)
    (seen,) = writer.get(f"/api/v1/{HERE}").json()["rehearsals"]
    assert (seen["release"], seen["seconds"], seen["failed_steps"]) == ("1.4.0", 240, [2])
    assert acts()[-1] == ("rehearsed", "rollback note", "fares-api", "api")


@pytest.mark.parametrize(
    ("change", "status"),
    [
        pytest.param({"outcomes": [{"outcome": "worked"}]}, 422, id="a step without an outcome"),
        pytest.param({"environment": "moon"}, 422, id="no such environment"),
        pytest.param({"at": "2099-01-01T00:00:00Z"}, 422, id="a time to come"),
        pytest.param({"version": 7}, 404, id="no such version"),
    ],
)
def test_a_rehearsal_that_cannot_be(writer, path, change, status):
    send(writer, HERE, TEXT)
    at = timezone.now() - timedelta(minutes=30)
    outcomes = [{"outcome": "worked"}] * 2
    gone = {
        "environment": "production", "at": at.isoformat(), "seconds": 60, "outcomes": outcomes,
    }  # fmt: skip
    assert send(writer, f"{HERE}/rehearsals", gone | change).status_code == status
    assert Rehearsal.objects.count() == 0


def test_a_token_for_another_service_is_refused(ask_with, make_token, path):
    ask = ask_with(make_token(["read", "note"], services=["mail"])[1])
    assert ask.get(f"/api/v1/{HERE}").status_code == 403
    assert send(ask, HERE, TEXT).status_code == 403


def test_reading_does_not_allow_writing(ask, path):
    assert send(ask, HERE, TEXT).status_code == 403
