"""Board files declare config keys and gates: planned, applied, exported, told and checked."""

import pytest

from opsboard.board import readiness
from opsboard.board.declarations import drift
from opsboard.board.models import Declaration
from opsboard.board.stored import read_stored
from opsboard.people.models import AuditEntry
from opsboard.releases.models import GateChoice
from opsboard.services.models import ConfigKey, Environment, Service, Team
from tests.board.files import apply_text, errors_of, run

pytestmark = pytest.mark.django_db

BOARD = """\
teams:
  pricing:
    gates:
      lint: dropped
      load-test:
        words: Load test
        lasts: 7 d
services:
  fares-api:
    owner: pricing
    environments:
      production:
        base_url: "https://fares.internal"
        version:
          route: GET /version
          commit: json $.commit
          config_root: json $.config_root
    config:
      DATABASE_URL:
        across: differ
      DEBUG:
        equals: "false"
        matches: ^f
      OLD_FLAG:
        is: absent
      PLAIN: {}
    gates:
      lint: required
      load-test: advisory
"""


def service() -> Service:
    return Service.objects.get(slug="fares-api")


def applied(folder, text):
    result = apply_text(folder, text)
    assert (result.code, result.err) == (0, "")
    return result.out


def in_service(folder, lines):
    return "teams: {pricing: {}}\nservices:\n  fares-api:\n    owner: pricing\n" + "".join(
        f"    {line}\n" for line in lines
    )


def test_what_a_file_declares_is_stored_and_exported_again(tmp_path):
    applied(tmp_path, BOARD)
    assert ConfigKey.objects.filter(service=service()).count() == 4
    assert readiness.choices_of(service()) == {
        "lint": {"need": "required", "words": "", "lasts": None},
        "load-test": {"need": "advisory", "words": "", "lasts": None},
    }
    assert readiness.choices_of(Team.objects.get(slug="pricing"))["load-test"] == {
        "need": "required", "words": "Load test", "lasts": 7 * 86_400,
    }  # fmt: skip
    assert Environment.objects.get().version_config_root == "json $.config_root"
    exported = run("export").out
    for part in ("config:", "DATABASE_URL:", "across: differ", "config_root: json $.config_root"):
        assert part in exported
    assert 'equals: "false"' in exported
    assert 'lasts: "7 d"' in exported
    assert "Nothing changes." in applied(tmp_path, BOARD)
    assert "to change" not in applied(tmp_path, exported)


def test_a_change_is_planned_and_told_line_by_line(tmp_path):
    applied(tmp_path, BOARD)
    changed = BOARD.replace("        across: differ\n", "        across: equal\n")
    changed = changed.replace("      lint: dropped\n", "      lint: advisory\n")
    plan = applied(tmp_path, changed)
    assert "- DATABASE_URL: must be set, differs across environments" in plan
    assert "+ DATABASE_URL: must be set, equal across environments" in plan
    assert "+ lint: advisory" in plan
    entry = AuditEntry.objects.filter(kind="service", act="changed").latest("pk")
    assert [change["field"] for change in entry.changes] == ["config"]
    assert ConfigKey.objects.get(name="DATABASE_URL").across == "equal"


def test_left_out_they_stay_and_empty_they_go(tmp_path):
    applied(tmp_path, BOARD)
    applied(tmp_path, in_service(tmp_path, []))
    assert ConfigKey.objects.count() == 4
    assert GateChoice.objects.count() == 4
    applied(tmp_path, in_service(tmp_path, ["config: {}", "gates: {}"]))
    assert not ConfigKey.objects.exists()
    assert GateChoice.objects.filter(service=None).count() == 2


def test_what_was_changed_on_the_board_since_is_found(tmp_path):
    applied(tmp_path, BOARD)
    ConfigKey.objects.filter(name="OLD_FLAG").delete()
    GateChoice.objects.filter(service=service(), gate="lint").update(need="dropped")
    declaration = Declaration.objects.get(kind="service")
    found = [(one.thing, sorted(one.declared)) for one in drift(declaration, read_stored().things)]
    assert found == [(("service", "fares-api"), ["config", "gates"])]


def test_the_pages_of_the_keys_say_which_file_declares_them(tmp_path, client_of):
    applied(tmp_path, BOARD)
    for page in ("config-keys/edit", "gates/edit"):
        said = client_of("editor").get(f"/services/fares-api/{page}").content.decode()
        assert "board.yaml" in said


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("config: {A B: {}}", "Use letters, digits"),
        ("config: {A: {is: maybe}}", "Write one of set, absent."),
        ("config: {A: {across: both}}", "Write one of equal, differ."),
        ("config: {A: {equals: false}}", "quote"),
        ("config: {A: {equals: sk_live_51H8abcdefGHIJKLmnop99}}", "looks like a secret"),
        ("config: {SECRET_KEY: {matches: '^x'}}", "named like a secret"),
        ("config: {A: {matches: '('}}", "not valid RE2"),
        ("config: {A: {is: absent, across: equal}}", "no other rule"),
        ("config: {A: {value: x}}", "Unknown key `value` of config key"),
        ("config: [A]", "map"),
        ("gates: {lint: no}", "Write one of required, advisory, dropped."),
        ("gates: {note: dropped}", "always required"),
        ("gates: {note: {need: advisory}}", "always required"),
        ("gates: {lint: {words: Linting}}", "Opsboard calls this gate Lint"),
        ("gates: {owner: {lasts: 1 d}}", "does not grow old"),
        ("gates: {lint: {lasts: 400 d}}", "from 1 s to 365 d"),
        ("gates: {load-test: required}", "give it words"),
        ("gates: {Load: {words: x}}", "small letters"),
    ],
)
def test_what_cannot_be_is_an_error_with_its_place(tmp_path, line, sentence):
    errors = errors_of(tmp_path, in_service(tmp_path, [line]))
    assert len(errors) == 1
    assert sentence in str(errors[0])
    assert str(errors[0]).startswith("5:")


def test_a_team_gives_the_words_of_its_own_gates(tmp_path):
    text = "teams: {pricing: {gates: {load-test: required}}}\n"
    assert "give it words" in str(errors_of(tmp_path, text)[0])
    applied(tmp_path, BOARD)
    # The team is on the board, and in no file now.
    alone = "services: {fares-api: {owner: pricing, gates: {load-test: dropped}}}\n"
    assert errors_of(tmp_path, alone) == []


def test_reading_and_writing_many_takes_few_statements(tmp_path, django_assert_max_num_queries):
    services = "".join(
        f"  s{n}:\n    owner: t\n    config: {{A: {{}}}}\n    gates: {{lint: dropped}}\n"
        for n in range(40)
    )
    applied(tmp_path, f"teams: {{t: {{}}}}\nservices:\n{services}")
    assert ConfigKey.objects.count() == GateChoice.objects.count() == 40
    with django_assert_max_num_queries(20):
        read_stored()
