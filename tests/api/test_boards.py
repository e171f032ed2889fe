"""Board files in the API: planned and applied, with every mistake said and no secret told."""

import logging

import pytest

from opsboard.api import boards
from opsboard.board.changing import AnotherApplyError
from opsboard.people.models import AnsweredRequest, AuditEntry
from opsboard.services.models import CriticalPath, Service, Variable
from tests.api.standing import acts, send
from tests.board.files import FERRIES

pytestmark = pytest.mark.django_db
SECRET = "a-token-that-nobody-may-see"
FILES = {
    "files": [{"name": "ferries.yaml", "text": FERRIES}],
    "references": {"FARES_TOKEN": SECRET},
}


@pytest.fixture
def writer(ask_with, make_token, administrator):
    return ask_with(make_token(["apply"], by=administrator)[1])


def test_a_plan_changes_nothing(writer):
    answer = send(writer, "board/plan", FILES)
    assert answer.status_code == 200
    plan = answer.json()
    assert [one["name"] for one in plan["added"]][:3] == ["pricing", "fares-api", "fares-db"]
    assert (plan["is_empty"], plan["changed"], plan["removed"]) == (False, [], [])
    assert any("Nobody would be told" in one or "hear" in one for one in plan["warnings"])
    assert Service.objects.count() == 0
    assert acts() == [("planned", "board files", "board", "api")]


def test_an_apply_does_what_was_planned_and_then_nothing(writer):
    assert len(send(writer, "board/apply", FILES).json()["added"]) == 11
    assert CriticalPath.objects.count() == 2
    assert Variable.objects.first().reveal() == SECRET
    assert ("added", "service", "fares-api", "api") in acts()
    assert acts()[-1] == ("applied", "board files", "board", "api")
    again = send(writer, "board/apply", FILES).json()
    assert (again["is_empty"], again["added"]) == (True, [])


def test_a_change_is_told_field_by_field(writer):
    send(writer, "board/apply", FILES)
    text = FERRIES.replace("patience: 3", "patience: 4")
    changed = FILES | {"files": [{"name": "ferries.yaml", "text": text}]}
    (change,) = send(writer, "board/plan", changed).json()["changed"]
    assert (change["kind"], change["name"]) == ("path", "fares-api/price-a-crossing")
    assert change["fields"] == [{"field": "patience", "old": "3", "new": "4"}]


def test_what_no_file_names_goes_only_with_prune(writer):
    send(writer, "board/apply", FILES)
    less = {"files": [{"name": "a.yaml", "text": "teams: {pricing: {name: Pricing}}"}]}
    kept = send(writer, "board/plan", less).json()
    assert (kept["removed"], len(kept["staying"]) > 3) == ([], True)
    gone = send(writer, "board/apply", less | {"prune": True}).json()["removed"]
    assert {one["name"] for one in gone} == {"fares-api", "fares-db", "sailings-api"}
    assert Service.objects.standing().count() == 0
    back = send(writer, "board/plan", FILES).json()["brought_back"]
    assert {one["name"] for one in back} >= {"fares-api"}


def test_every_mistake_is_said_with_its_place(writer):
    wrong = {
        "files": [
            {"name": "a.yaml", "text": "teams: {pricing: {nme: Pricing}}\n"},
            {"name": "b.yaml", "text": "services:\n  fares: {owner: nobody, tier: 9}\n"},
        ]
    }
    answer = send(writer, "board/apply", wrong)
    assert answer.status_code == 422
    errors = answer.json()["errors"]
    assert {one["code"] for one in errors} == {"board_file"}
    places = [(one["pointer"], one["message"].split(" ")[0]) for one in errors]
    assert ("/files/0/text", "a.yaml:1:19:") in places
    assert any(pointer == "/files/1/text" and at.startswith("b.yaml:2:") for pointer, at in places)
    assert Service.objects.count() == 0
    assert acts() == []


def test_a_secret_is_never_told(writer, caplog):
    caplog.set_level(logging.DEBUG)
    key = {"Idempotency-Key": "1"}
    told = [
        send(writer, "board/plan", FILES).content.decode(),
        send(writer, "board/apply", FILES, **key).content.decode(),
        send(writer, "board/apply", FILES | {"prune": "yes"}).content.decode(),
        send(writer, "board/apply", FILES | {"files": []}).content.decode(),
        *AnsweredRequest.objects.values_list("body", flat=True),
        *map(str, AuditEntry.objects.values_list("changes", flat=True)),
        *(str(one.__dict__) for one in caplog.records),
    ]
    assert not any(SECRET in text for text in told)
    assert Variable.objects.exclude(value="").count() == 2


def test_a_reference_without_a_value_is_a_secret_that_waits(writer):
    answer = send(writer, "board/apply", FILES | {"references": {}})
    assert answer.status_code in (200, 422)
    assert SECRET not in answer.content.decode()


def test_another_apply_that_runs_is_said(writer, monkeypatch):
    def busy(*_, **__):
        raise AnotherApplyError(AnotherApplyError.__doc__)

    monkeypatch.setattr(boards, "apply", busy)
    answer = send(writer, "board/apply", FILES)
    assert answer.status_code == 409
    assert answer.json()["errors"][0]["message"].endswith("Nothing was changed.")


def test_a_body_that_is_too_large_is_refused(writer):
    large = {"files": [{"name": "a.yaml", "text": "# " + "x" * 300_000}]}
    assert send(writer, "board/plan", large).status_code == 413


def test_only_an_administrators_token_for_every_service_applies(
    ask_with, make_token, administrator
):
    of_editor = ask_with(make_token(["apply"])[1])
    of_some = ask_with(make_token(["apply"], by=administrator, services=["mail"])[1])
    reading = ask_with(make_token(["read"], by=administrator)[1])
    for ask in (of_editor, of_some, reading):
        assert send(ask, "board/plan", FILES).status_code == 403
        assert send(ask, "board/apply", FILES).status_code == 403
    assert Service.objects.count() == 0
