"""The pages on which a team, and a service, choose what a release needs."""

import pytest
from django.test import Client

from opsboard.board.readiness import choices_of
from opsboard.people.models import AuditEntry
from opsboard.releases.models import GateChoice
from opsboard.services.models import Service, Team
from tests.web.standing import text_of

OWN = ("gate", "words", "need", "lasts")


@pytest.fixture
def client(client_of) -> Client:
    return client_of("editor")


@pytest.fixture
def of_team(team: Team) -> str:
    return f"/teams/{team.slug}/gates"


@pytest.fixture
def of_service(service: Service) -> str:
    return f"/services/{service.slug}/gates"


def save(client: Client, here: str, *own: dict[str, str], **more: str):
    form = client.get(f"{here}/edit").context["form"]
    usual = {"gate": "", "words": "", "need": "required", "lasts": ""}
    sent = [usual | one for one in own] + [usual] * 2
    data = {f"own-{n}-{part}": row[part] for n, row in enumerate(sent) for part in OWN}
    data |= {"own-TOTAL_FORMS": str(len(sent)), "own-INITIAL_FORMS": "0", "act": "save"}
    return client.post(f"{here}/edit", data | {"shown": form["shown"].value()} | more)


def test_a_team_chooses_and_takes_its_choice_back(client, team, of_team):
    load_test = {"gate": "load-test", "words": "Load test", "lasts": "7 d"}
    answer = save(client, of_team, load_test, need_lint="dropped", need_owner="required",
                  need_integration="required", lasts_integration="6 h")  # fmt: skip
    assert answer.status_code == 302
    assert choices_of(team) == {
        "integration": {"need": "required", "words": "", "lasts": 6 * 3600},
        "lint": {"need": "dropped", "words": "", "lasts": None},
        "load-test": {"need": "required", "words": "Load test", "lasts": 7 * 86_400},
        "owner": {"need": "required", "words": "", "lasts": None},
    }
    page = text_of(client.get(of_team).content.decode())
    assert f"{team.name} has chosen 4 gates" in page
    assert "Load test load-test Required. Lasts 7 d. this team" in page
    assert "Lint lint Dropped. this team" in page
    assert "Unit tests unit Required. nobody: as usual" in page
    entry = AuditEntry.objects.filter(kind="team", act="changed").latest("pk")
    assert entry.changes[0]["new"].splitlines()[:2] == [
        "integration: required, lasts 6 h", "lint: dropped",
    ]  # fmt: skip
    assert save(client, of_team).status_code == 302
    assert choices_of(team) == {}


def test_the_choice_of_a_service_beats_that_of_its_team(client, team, service, of_team, of_service):
    save(client, of_team, {"gate": "load-test", "words": "Load test"}, need_lint="dropped")
    page = text_of(client.get(of_service).content.decode())
    assert f"Lint lint Dropped. {team.name}" in page
    assert f"Load test load-test Required. {team.name}" in page
    save(client, of_service, **{"need_lint": "required", "need_load-test": "advisory"})
    page = text_of(client.get(of_service).content.decode())
    assert "Lint lint Required. this service" in page
    assert "Load test load-test Advisory. this service" in page
    assert GateChoice.objects.get(service=service, gate="load-test").words == ""


@pytest.mark.parametrize("need", ["dropped", "advisory"])
def test_the_rollback_note_is_always_required(client, team, of_team, need):
    answer = save(client, of_team, need_note=need)
    assert answer.status_code == 422
    assert not GateChoice.objects.exists()


@pytest.mark.parametrize(
    ("own", "more", "sentence"),
    [
        pytest.param({}, {"lasts_config": "1 h"}, "Choose what it needs too", id="lasts alone"),
        pytest.param(
            {}, {"need_config": "required", "lasts_config": "1 fortnight"}, "", id="no duration"
        ),
        pytest.param({}, {"need_config": "required", "lasts_config": "500 d"}, "", id="too long"),
        pytest.param({"gate": "load-test"}, {}, "give it words", id="without words"),
        pytest.param({"gate": "Load Test", "words": "x"}, {}, "small letters", id="no slug"),
        pytest.param({"gate": "lint", "words": "x"}, {}, "choose it above", id="a known one"),
        pytest.param({"gate": "a" * 41, "words": "x"}, {}, "40 characters", id="too long a name"),
    ],
)
def test_what_cannot_be_chosen_is_refused(client, of_team, own, more, sentence):
    answer = save(client, of_team, own, **more)
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert not GateChoice.objects.exists()


def test_nobody_overwrites_a_choice_they_have_not_seen(client, team, of_team):
    before = client.get(f"{of_team}/edit").context["form"]["shown"].value()
    GateChoice.objects.create(team=team, gate="lint", need="dropped")
    answer = save(client, of_team, need_unit="advisory", shown=before)
    assert answer.status_code == 422
    assert [choice.gate for choice in GateChoice.objects.all()] == ["lint"]


def test_rows_are_added_without_losing_what_was_typed(client, of_team):
    answer = save(client, of_team, {"gate": "x", "lasts": "soon"}, act="rows", need_lint="advisory")
    assert answer.status_code == 200
    assert answer.context["form"]["need_lint"].value() == "advisory"
    assert answer.context["rows"].forms[0]["lasts"].value() == "soon"


def test_viewers_read_and_do_not_choose(client_of, of_team, of_service):
    for here in (of_team, of_service):
        assert client_of("viewer").get(here).status_code == 200
        assert client_of("viewer").get(f"{here}/edit").status_code == 403


def test_the_pages_are_linked(client, team, service, of_team, of_service):
    assert f'href="{of_team}"' in client.get(f"/teams/{team.slug}").content.decode()
    assert f'href="{of_service}"' in client.get(f"/services/{service.slug}").content.decode()


def test_a_team_may_ask_for_changes_that_are_verified(client, team, of_team):
    answer = save(client, of_team, need_baseline="advisory", need_verified="required")

    assert answer.status_code == 302
    page = text_of(client.get(of_team).content.decode())
    assert "Baseline sealed baseline Advisory. this team" in page
    assert "Change verified verified Required. this team" in page
