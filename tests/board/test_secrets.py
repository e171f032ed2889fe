"""${NAME}: resolved by whoever runs apply, stored encrypted, exported as a name, never shown."""

import pytest

from opsboard.alerts.models import Channel
from opsboard.people.models import AuditEntry
from opsboard.probes.models import Probe
from opsboard.probes.orders import compile_order
from opsboard.services.models import Environment, Variable
from tests.board.files import FERRIES, apply_text, errors_of, run

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _somebody_hears(db):
    """What nobody would be told of is in test_unheard.py."""
    channel = Channel(name="Everybody", kind=Channel.Kind.WEBHOOK)
    channel.keep(address="https://hooks.skerry.example/1")
    channel.save()


def board(value: str) -> str:
    return (
        "teams: {pricing: {}}\nservices:\n  fares-api:\n    owner: pricing\n"
        "    environments:\n      production:\n        base_url: https://fares.internal\n"
        f"        variables:\n          TOKEN: {value}\n"
        "    paths:\n      health:\n        route: GET /\n"
        "        input: {headers: {Authorization: '{{ TOKEN }}'}}\n"
    )


@pytest.fixture
def token(monkeypatch):
    monkeypatch.setenv("FARES_TOKEN", "canary-4711")


def order():
    probes = Probe.objects.for_pages().prefetch_related("environment__variables")
    return compile_order(probes.get())


def test_a_reference_makes_a_secret_of_the_value(tmp_path, token):
    ran = apply_text(tmp_path, board('"${FARES_TOKEN}"'))
    variable = Variable.objects.get()
    assert (variable.is_secret, variable.reference) == (True, "FARES_TOKEN")
    assert variable.reveal() == "canary-4711"
    assert "canary" not in variable.value
    assert "canary" not in ran.out + ran.err + run("export").out
    assert "canary" not in str(list(AuditEntry.objects.values()))
    assert ("Authorization", "canary-4711") in order().ask.headers
    assert apply_text(tmp_path, board('"${FARES_TOKEN}"')).out == "Nothing changes.\n"


def test_it_may_stand_inside(tmp_path, token):
    apply_text(tmp_path, board('"Bearer ${FARES_TOKEN}"'))
    assert Variable.objects.get().reveal() == "Bearer canary-4711"
    assert 'TOKEN: "Bearer ${FARES_TOKEN}"' in run("export").out
    assert apply_text(tmp_path, board('"Bearer ${FARES_TOKEN}"')).out == "Nothing changes.\n"


def test_another_value_is_told_as_set_anew_and_never_shown(tmp_path, token, monkeypatch):
    apply_text(tmp_path, board('"${FARES_TOKEN}"'))
    monkeypatch.setenv("FARES_TOKEN", "canary-4712")
    ran = apply_text(tmp_path, board('"${FARES_TOKEN}"'))
    assert "~ variable fares-api/production/TOKEN" in ran.out
    assert "secret: a secret → a secret, set anew" in ran.out
    assert "canary" not in ran.out
    assert Variable.objects.get().reveal() == "canary-4712"
    assert Probe.objects.get().order_version == 3


def test_unset_it_is_a_warning_and_the_probe_an_error_of_ours(tmp_path):
    ran = apply_text(tmp_path, board('"${FARES_TOKEN}"'))
    assert ran.code == 0
    assert (
        "board.yaml:9:18: FARES_TOKEN is not set in this environment: secret TOKEN is not set."
        in ran.out
    )
    assert order().problem.startswith("secret TOKEN is not set for production")
    assert Environment.objects.get().values() == {}
    assert "Nothing changes." in apply_text(tmp_path, board('"${FARES_TOKEN}"')).out


def test_unset_later_what_is_stored_is_kept(tmp_path, token, monkeypatch):
    apply_text(tmp_path, board('"${FARES_TOKEN}"'))
    monkeypatch.delenv("FARES_TOKEN")
    ran = apply_text(tmp_path, board('"${FARES_TOKEN}"'))
    assert "FARES_TOKEN is not set in this environment: what is stored is kept." in ran.out
    assert "Nothing changes." in ran.out
    assert Variable.objects.get().reveal() == "canary-4711"


def test_the_server_never_resolves_one(tmp_path, settings):
    apply_text(tmp_path, board('"${SECRET_KEY}"'))
    assert Variable.objects.get().is_unset
    assert settings.SECRET_KEY not in str(order())


def test_a_secret_typed_on_a_page_is_exported_under_a_name_of_its_own(tmp_path, monkeypatch):
    apply_text(tmp_path, board("x"))
    variable = Variable.objects.get()
    variable.is_secret = True
    variable.keep("typed-4711")
    variable.save()
    exported = run("export").out
    assert 'TOKEN: "${FARES_API__PRODUCTION__TOKEN}"' in exported
    assert "typed-4711" not in exported
    assert "Plan" not in apply_text(tmp_path, exported).out
    assert Variable.objects.get().reveal() == "typed-4711"


def test_the_letters_of_a_reference_are_written_with_two_signs(tmp_path):
    apply_text(tmp_path, board("'$${HOME}'"))
    variable = Variable.objects.get()
    assert (variable.value, variable.is_secret) == ("${HOME}", False)
    assert 'TOKEN: "$${HOME}"' in run("export").out


def test_a_secret_that_becomes_plain_is_plain(tmp_path, token):
    apply_text(tmp_path, board('"${FARES_TOKEN}"'))
    apply_text(tmp_path, board("open"))
    variable = Variable.objects.get()
    assert (variable.value, variable.is_secret, variable.reference) == ("open", False, "")


def test_a_plain_value_that_becomes_a_reference_is_not_kept_in_the_open(tmp_path):
    apply_text(tmp_path, board("open"))
    apply_text(tmp_path, board('"${FARES_TOKEN}"'))
    assert Variable.objects.get().is_unset


def test_a_plain_value_that_looks_like_a_token_is_a_warning(tmp_path):
    ran = apply_text(tmp_path, board("ghp_16C7e42F292c6912E7710c838347Ae178B4a"))
    assert "board.yaml:9:18: TOKEN looks like a secret: write ${NAME}" in ran.out
    assert "looks like a secret, and is printed as it is." in run("export").err


def test_a_value_that_cannot_be_sent_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setenv("FARES_TOKEN", "a\nb")
    ran = apply_text(tmp_path, board('"${FARES_TOKEN}"'))
    assert ran.code == 2
    assert "9:18: The value of ${FARES_TOKEN}: This is one line" in ran.err


def test_a_note_may_hold_the_letters(tmp_path):
    text = FERRIES.replace('run: "..."', "run: 'kubectl -n ${NAMESPACE} rollout undo'")
    assert errors_of(tmp_path, text) == []
