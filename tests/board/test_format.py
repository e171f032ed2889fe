"""What is told of the format is true: the schema for editors, the page, and the examples in it."""

import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml

from opsboard import board
from opsboard.board.describing import keys_as_markdown, schema
from opsboard.board.format import BOARD
from tests.board.files import FERRIES, apply_text, errors_of, run

HERE = Path(board.__file__).parent
README = (HERE / "README.md").read_text()


def test_the_schema_for_editors_is_that_of_the_format():
    kept = json.loads((HERE / "board.schema.json").read_text())
    assert kept == schema(), "manage.py export --schema > opsboard/board/board.schema.json"


def test_the_page_tells_every_key():
    told = README.partition("<!-- keys: manage.py export --keys -->\n")[2]
    assert told == keys_as_markdown(), "put what manage.py export --keys prints at its end"


def test_the_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize("text", [FERRIES, "teams:\nservices:\n"])
def test_the_schema_takes_board_files(text):
    jsonschema.validate(yaml.safe_load(text), schema())


@pytest.mark.parametrize(
    "text",
    [
        "team: {}",
        "teams: {Pricing: {}}",
        "teams: {pricing: {name: no}}",
        "services: {a: {}}",
        "services: {a: {owner: b, tier: 4}}",
        "services: {a: {owner: b, paths: {c: {route: GET /, interval: 30}}}}",
        "services: {a: {owner: b, environments: {c: {}}}}",
    ],
)
def test_the_schema_refuses_what_apply_refuses(text):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(yaml.safe_load(text), schema())


@pytest.mark.django_db
def test_the_schema_takes_exports(tmp_path):
    apply_text(tmp_path, FERRIES)
    jsonschema.validate(yaml.safe_load(run("export").out), schema())


@pytest.mark.django_db
def test_the_example_of_the_page_can_be_applied(tmp_path):
    example = re.search(r"```yaml\n(.*?)```", README, re.DOTALL)[1]
    assert errors_of(tmp_path, example) == []


@pytest.mark.django_db
def test_an_export_is_readable(tmp_path):
    notes = "        user_notices: |\n          The price stays empty.\n\n          On step 2.\n"
    text = (
        "teams: {t: {}}\nservices:\n  a:\n    owner: t\n    environments:\n"
        "      production: {base_url: 'https://a.test'}\n"
        "    paths:\n      health:\n        route: /healthz\n" + notes
    )
    apply_text(tmp_path, text)
    assert run("export").out == (
        "teams:\n  t: {}\nservices:\n  a:\n    owner: t\n    environments:\n      production:\n"
        '        base_url: "https://a.test"\n    paths:\n      health:\n'
        "        route: GET /healthz\n        user_notices: |-\n"
        "          The price stays empty.\n\n          On step 2.\n"
    )


def test_the_format_knows_two_kinds_of_things():
    assert [key.name for key in BOARD.keys] == ["teams", "services"]
