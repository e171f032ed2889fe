"""The ferry company on a board: applied, at rest, and taken off without touching anything else."""

import sys
from datetime import UTC, datetime
from io import StringIO
from itertools import pairwise
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import call_command

from opsboard.alerts.models import Channel
from opsboard.board.models import Declaration
from opsboard.demo.loading import CannotLoad, begin, load, rest, wake
from opsboard.demo.probe_token import probe_token
from opsboard.demo.removing import remove_demo
from opsboard.incidents.models import Incident
from opsboard.people.audit import Actor, Via
from opsboard.people.models import AuditEntry
from opsboard.probes.models import HourlyRollup, Observation, Probe
from opsboard.probes.orders import compile_order
from opsboard.releases.models import Release
from opsboard.releases.reading import read_readiness
from opsboard.releases.rules import Word
from opsboard.rollbacks.models import RollbackNote
from opsboard.services.models import CriticalPath, Environment, Service, Team
from tests.company import a_path, a_probe, a_service
from tests.probes.test_history import observe

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 17, 14, 32, tzinfo=UTC)
SITES = {kind: f"http://127.0.0.1:{port}" for port, kind in enumerate(("fastapi", "django"), 9001)}
SITES["flask"] = "http://127.0.0.1:9003"
SOMEBODY = Actor(None, Via.COMMAND, who="tests")


def put_on_board(directory: Path, sites: dict[str, str] = SITES) -> None:
    load(directory, sites, location="default", now=NOW)


@pytest.fixture
def company(tmp_path: Path) -> Path:
    put_on_board(tmp_path)
    return tmp_path


def counts() -> dict[str, int]:
    """Of every table but the audit log, which only grows."""
    models = [model for model in apps.get_models() if model is not AuditEntry]
    return {model._meta.db_table: model._default_manager.count() for model in models}


def test_it_is_eighteen_services_with_sheets_notes_and_probes(company):
    assert Service.objects.count() == 18
    assert CriticalPath.objects.count() == 54
    assert RollbackNote.objects.count() == 18
    assert Probe.objects.active().count() == 59
    assert not any(path.missing for path in CriticalPath.objects.all())
    assert set(Environment.objects.values_list("slug", flat=True)) == {"production", "staging"}
    assert not Environment.objects.filter(base_url__contains=".example").exists()


def test_its_releases_say_that_they_are_examples_and_none_is_ready(company):
    waiting = list(Release.objects.waiting())
    assert len(waiting) == 3
    assert all(release.summary.startswith("Example: ") for release in waiting)
    found = read_readiness(waiting, now=NOW)
    assert not any(readiness.is_ready for readiness in found.values())
    fares = next(found[one.pk] for one in waiting if one.service.slug == "fares-api")
    words = {state.gate: state.word for state in fares.gates}
    assert (words["unit"], words["integration"]) == (Word.MET, Word.NO_EVIDENCE)


def test_a_second_time_changes_nothing(company):
    before, written = counts(), AuditEntry.objects.count()
    put_on_board(company)
    assert counts() == before
    assert AuditEntry.objects.count() == written


def test_other_ports_are_taken_over(company):
    put_on_board(company, SITES | {"flask": "http://127.0.0.1:9100"})
    gates = Environment.objects.get(service__slug="boarding-gates")
    assert gates.base_url == "http://127.0.0.1:9100/boarding-gates"


@pytest.mark.parametrize("kind", ["team", "service"])
def test_it_never_writes_over_what_a_board_has(tmp_path, kind):
    team = Team.objects.create(slug="money" if kind == "team" else "ours", name="Ours")
    if kind == "service":
        Service.objects.create(slug="payments", name="Our payments", team=team)
    before = counts()
    with pytest.raises(CannotLoad, match=r"it would write over what this board already has"):
        put_on_board(tmp_path)
    assert counts() == before


def test_without_its_services_the_demo_rests_and_wakes_again(company):
    by_hand = CriticalPath.objects.get(slug="tides-at-leith")
    person = _person()
    by_hand.pause(by=person, now=NOW)
    assert rest(location="default", now=NOW) == 53
    assert not Probe.objects.active().exists()
    assert wake(location="default", now=NOW) == 53
    by_hand.refresh_from_db()
    assert by_hand.paused_by == person
    assert Probe.objects.active().exclude(path=by_hand).count() == 58


def _person():
    from django.contrib.auth.models import User

    return User.objects.create(username="ana")


def test_the_first_questions_come_one_after_another(company):
    begin(now=NOW)
    slots = sorted(Probe.objects.values_list("slot_at", flat=True))
    assert min(later - one for one, later in pairwise(slots)) == 200_000


def test_removing_takes_everything_and_nothing_else(tmp_path):
    own = a_service("our-app")
    Team.objects.update(slug="ours")
    probe = a_probe(a_path(own), now=NOW)
    observe(probe, NOW)
    Channel(name="Everybody", kind=Channel.Kind.EMAIL).save()
    before = counts()
    put_on_board(tmp_path)
    fares = Service.objects.get(slug="fares-api")
    observe(Probe.objects.filter(path__service=fares)[0], NOW)
    Incident.objects.create(service=fares, environment=fares.environments.first(), opened_at=NOW)
    own.depends_on.add(fares)

    removed = remove_demo(SOMEBODY, now=NOW)
    kept = counts()
    assert kept == before
    assert removed.words.startswith("9 teams, 18 services, 54 critical paths, 18 rollback notes")
    assert not Declaration.objects.exists()
    assert Observation.objects.count() == 1
    assert not HourlyRollup.objects.exists()
    assert AuditEntry.objects.latest("pk").subject == "Skerry Line, the example company"


def test_a_team_that_somebody_uses_stays(company):
    money = Team.objects.get(slug="money")
    Service.objects.create(slug="our-till", name="Our till", team=money)
    removed = remove_demo(SOMEBODY, now=NOW)
    assert removed.kept_teams == ["money"]
    assert Service.objects.get().team == money


def test_the_command_says_what_it_removed(company, settings):
    settings.DATA = str(company.parent)
    out = StringIO()
    call_command("demo", "--remove", "--yes", stdout=out)
    assert out.getvalue().startswith("Removed the demo: 9 teams, 18 services, 54 critical paths")
    call_command("demo", "--remove", "--yes", stdout=out)
    assert out.getvalue().endswith("There is no demo on this board: nothing to remove.\n")


def test_the_command_asks_first(company, monkeypatch):
    monkeypatch.setattr(sys, "stdin", StringIO())
    errors = StringIO()
    with pytest.raises(SystemExit):
        call_command("demo", "--remove", stderr=errors)
    assert errors.getvalue() == "To remove without being asked, add --yes.\nNothing was removed.\n"
    assert Service.objects.count() == 18


def test_an_empty_board_offers_it(client_of):
    page = client_of("editor").get("/add").text
    assert "<code>script/up --demo</code>" in page


def test_a_board_with_services_offers_it_no_more(company, client_of):
    assert "--demo" not in client_of("editor").get("/add").text


def test_a_board_in_production_does_not_offer_it(client_of, settings):
    settings.EMBEDDED = False
    assert "--demo" not in client_of("editor").get("/add").text


def test_every_probe_carries_the_token_that_the_sample_services_know(company):
    asked = Probe.objects.filter(path__kind="http")
    probes = asked.for_pages().prefetch_related("environment__variables")
    tokens = [compile_order(probe).token for probe in probes]
    assert {token.value for token in tokens if token} == {probe_token(company)}
    assert all(tokens)
