"""What is answered is what the document says: no field more, none fewer, null where it says so."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.http import JsonResponse
from jsonschema import Draft202012Validator

from opsboard.api import answers, reference
from opsboard.api.app import api
from opsboard.releases.models import GateChoice
from opsboard.releases.rules import UNIT
from opsboard.services.models import Team
from tests.api.ci import evidence
from tests.api.everything import HERE, fill
from tests.documented import check

DOCUMENT = json.loads(json.dumps(api.get_openapi_schema()))
SCHEMAS = DOCUMENT["components"]["schemas"]
ALL = ("read", "release", "silence", "note", "apply")


def successes() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in DOCUMENT["paths"].items():
        for method, told in methods.items():
            for status, answer in told["responses"].items():
                # CSV has no fields.
                if int(status) < 300 and "application/json" in answer["content"]:
                    yield method, path, answer["content"]["application/json"]


def read() -> list[str]:
    return [path for path, methods in DOCUMENT["paths"].items() if "get" in methods]


NAMED = {f"{method.upper()} {path}": told for method, path, told in successes()}


@pytest.mark.parametrize("told", NAMED.values(), ids=NAMED)
def test_every_success_has_a_schema_and_an_example_that_fits(told: dict[str, Any]) -> None:
    validator = Draft202012Validator({**told["schema"], "components": DOCUMENT["components"]})
    validator.validate(told["example"])
    assert told["example"]
    assert not validator.is_valid(told["example"] | {"zzz": 1})


def test_no_two_schemas_have_one_name() -> None:
    """The later would stand for both in the document."""
    names = [one.__name__ for one in _below(answers.Answer)]
    assert sorted(names) == sorted(set(names))


def _below(kind: type) -> Iterator[type]:
    for one in kind.__subclasses__():
        yield one
        yield from _below(one)


@pytest.mark.django_db
def test_everything_that_can_be_read_is_answered_as_documented(
    ask_with: Any, make_token: Any, editor: Any
) -> None:
    """The middleware of tests.documented looks at each answer."""
    ask = ask_with(make_token(ALL)[1])
    known = fill(ask, editor)
    addresses = [path.format(**known) for path in read()]
    assert len(addresses) > 15
    for address in addresses:
        query = {"environment": "production"} if address.endswith("observations") else {}
        answer = ask.get(address, query)
        assert answer.status_code == 200, address
        if answer["Content-Type"] == "application/json":
            assert answer.json().get("items") != [], address


@pytest.mark.django_db
def test_a_dropped_gate_is_answered_as_every_other(
    ask_with: Any, make_token: Any, editor: Any
) -> None:
    ask = ask_with(make_token(ALL)[1])
    fill(ask, editor)
    GateChoice.objects.create(team=Team.objects.get(), gate=UNIT, need="dropped")
    answer = ask.post(f"{HERE}/evidence", evidence(), content_type="application/json")
    assert answer.json()["gate"]["need"] == "absent"
    assert answer.json()["gate"]["name"] == "Unit tests"


@pytest.mark.parametrize(
    ("said", "place"),
    [
        pytest.param({"zzz": 1}, "zzz", id="a field more"),
        pytest.param({"service": 1}, "$.service", id="of another kind"),
        pytest.param({"reason": None}, "$.reason", id="null where it may not be"),
        pytest.param({"by": ...}, "by", id="a field fewer"),
    ],
)
def test_what_is_not_documented_fails_a_test(said: dict[str, Any], place: str) -> None:
    told = NAMED["POST /api/v1/services/{service}/holds"]["example"] | said
    answer = JsonResponse({key: one for key, one in told.items() if one is not ...}, status=201)
    with pytest.raises(AssertionError, match="is not as documented") as failed:
        check("api/v1/services/<service>/holds", "POST", answer)
    assert place in str(failed.value)


def test_the_reference_page_shows_the_fields_of_answers(client_of: Any) -> None:
    shown = {one.anchor: one for group in reference.groups() for one in group.operations}
    # CSV has no fields.
    assert all(one.answer for one in shown.values() if not one.path.endswith(".csv"))
    rows = {row.name: row for row in shown["opsboard_api_releases_readiness"].answer}
    assert rows["gates[].override"].kind == "object or null"
    assert rows["gates[].override.accepted_by"].description.startswith('"": nobody had to')
    page = client_of("viewer").get("/api-reference").text
    assert "Fields of the answer" in page
    assert "gates[].runs_out_at" in page
