"""What an apply does: a plan first, then all of it or nothing, and nothing twice."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from opsboard.alerts.models import Channel
from opsboard.board.models import Declaration
from opsboard.people import joining
from opsboard.people.models import AuditEntry
from opsboard.probes.models import Probe, stand_up
from opsboard.rollbacks.models import NoteVersion, RollbackNote
from opsboard.services.built_in import watch_itself
from opsboard.services.models import CriticalPath, Environment, Service, Team, Variable
from tests.board.files import FERRIES, apply_text, run
from tests.company import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _somebody_hears(db):
    """What nobody would be told of is in test_unheard.py."""
    channel = Channel(name="Everybody", kind=Channel.Kind.WEBHOOK)
    channel.keep(address="https://hooks.skerry.example/1")
    channel.save()


@pytest.fixture(autouse=True)
def token(monkeypatch):
    monkeypatch.setenv("FARES_TOKEN", "first-token")


@pytest.fixture
def ferries(tmp_path):
    assert apply_text(tmp_path, FERRIES).code == 0


def test_the_plan_says_what_is_added(tmp_path):
    ran = apply_text(tmp_path, FERRIES)
    assert ran.out.splitlines()[:3] == [
        "+ team pricing",
        "+ service fares-api",
        "+ service fares-db",
    ]
    assert ran.out.endswith("Plan: 11 to add.\nApplied.\n")
    path = CriticalPath.objects.get(slug="price-a-crossing")
    assert (path.method, path.route) == ("POST", "/v2/quotes")
    assert path.body == '{"from": "LEI", "to": "STN"}'
    assert path.headers == [["Authorization", "Bearer {{ TOKEN }}"]]
    assert path.expected_result.split("\n")[1] == "time < 400 ms"
    assert {one.slug for one in path.environments.all()} == {"production", "staging"}
    assert {one.slug for one in path.service.depends_on.all()} == {"fares-db", "sailings-api"}


def test_a_dry_run_shows_the_plan_and_changes_nothing(tmp_path):
    ran = apply_text(tmp_path, FERRIES, "--dry-run")
    assert ran.code == 0
    assert "Plan: 11 to add.\nNothing was changed: this was a dry run.\n" in ran.out
    assert not Team.objects.exists()
    assert not AuditEntry.objects.exists()


def test_a_second_apply_changes_nothing_and_writes_nothing(tmp_path, ferries):
    before = (AuditEntry.objects.count(), list(Probe.objects.values()), list(Team.objects.values()))
    with CaptureQueriesContext(connection) as queries:
        ran = apply_text(tmp_path, FERRIES)
    assert ran.out == "Nothing changes.\n"
    after = (AuditEntry.objects.count(), list(Probe.objects.values()), list(Team.objects.values()))
    assert before == after
    assert not [q for q in queries if not q["sql"].lstrip("(").startswith(("SELECT", "BEGIN"))]
    assert len(queries) < 20


def test_a_note_says_which_command_wrote_it(tmp_path, ferries, client_of):
    apply_text(tmp_path, FERRIES.replace("minutes: 4", "minutes: 6"), "--as", "deploy-bot")
    assert NoteVersion.objects.latest("number").writer == "deploy-bot"
    page = client_of("viewer").get("/services/fares-api/rollback-note").text
    assert "Written by deploy-bot, " in page
    assert "By the board file board.yaml." in page


def test_a_change_is_shown_with_its_old_and_new_value(tmp_path, ferries):
    changed = FERRIES.replace("time < 400 ms", "time < 500 ms").replace("30 s", "40 s")
    ran = apply_text(tmp_path, changed)
    assert ran.out == (
        "~ path fares-api/price-a-crossing\n"
        "    expect:\n"
        "      - time < 400 ms\n"
        "      + time < 500 ms\n"
        "    interval: 30 s → 40 s\n"
        "Plan: 1 to change.\n"
        "Applied.\n"
    )


def test_every_changed_thing_leaves_an_audit_entry(tmp_path, ferries):
    first = AuditEntry.objects.latest("pk").pk
    apply_text(tmp_path, FERRIES.replace("minutes: 4", "minutes: 6"), "--as", "deploy-bot")
    (entry,) = AuditEntry.objects.filter(pk__gt=first)
    assert (entry.who, entry.via, entry.act) == ("deploy-bot", "apply", "changed")
    assert (entry.kind, entry.subject) == ("rollback note", "fares-api")
    assert entry.changes == [{"field": "minutes", "old": "4", "new": "6"}]


def test_a_changed_note_is_a_new_version_and_an_unchanged_one_none(tmp_path, ferries):
    apply_text(tmp_path, FERRIES.replace("tier: 1", "tier: 2"))
    assert NoteVersion.objects.count() == 1
    apply_text(tmp_path, FERRIES.replace("minutes: 4", "minutes: 6"))
    newest = RollbackNote.objects.get().current
    assert (newest.number, newest.minutes, newest.title) == (
        2,
        6,
        "Go back to the previous release",
    )
    assert newest.reason == "By the board file board.yaml"
    assert NoteVersion.objects.get(number=1).minutes == 4


def test_applied_sheets_are_not_reviewed_and_a_changed_one_loses_its_check(
    tmp_path, ferries, editor
):
    paths = CriticalPath.objects
    assert not paths.exclude(checked_at=None).exists()
    for path in paths.all():
        path.still_true(by=editor, now=NOON)
    apply_text(tmp_path, FERRIES.replace("patience: 3", "patience: 4"))
    assert paths.get(slug="price-a-crossing").checked_at is None
    assert paths.get(slug="health").checked_by == editor


def test_probes_are_in_line_after_it(tmp_path, ferries):
    assert Probe.objects.active().count() == 4
    changed = FERRIES.replace("environments: [production, staging]", "environments: [staging]")
    apply_text(tmp_path, changed.replace("interval: 30 s", "interval: 40 s"))
    probes = Probe.objects.filter(path__slug="price-a-crossing")
    assert [probe.environment.slug for probe in probes.active()] == ["staging"]
    assert {probe.interval for probe in probes.active()} == {40_000_000}
    assert {probe.order_version for probe in probes} == {3}


def test_what_changes_no_request_leaves_the_probes_alone(tmp_path, ferries):
    before = list(Probe.objects.values())
    apply_text(tmp_path, FERRIES.replace("tier: 1", "tier: 2"))
    assert list(Probe.objects.values()) == before


# What is on the board and in no file


def test_what_is_in_no_file_stays_and_is_counted(tmp_path, ferries):
    only = "teams: {pricing: {name: Pricing, contact: '#pricing-on-call', zone: Europe/Oslo}}"
    ran = apply_text(tmp_path, only)
    assert "3 services, 2 environments, 2 variables, 2 paths and 1 rollback note" in ran.out
    assert "are in no file, and stay" in ran.out
    assert "service fares-api is not declared by board.yaml any more." in ran.out
    assert Service.objects.filter(removed_at=None).count() == 3
    assert "Plan" not in apply_text(tmp_path, only).out


def test_prune_needs_yes_where_nobody_can_be_asked(tmp_path, ferries):
    ran = apply_text(tmp_path, "teams: {pricing: {}}", "--prune")
    assert ran.code == 2
    assert "- service fares-api" in ran.out
    assert "to remove without being asked, add --yes" in ran.err
    assert not Service.objects.exclude(removed_at=None).exists()


@pytest.mark.parametrize(("typed", "is_removed"), [("3", True), ("yes", False), ("", False)])
def test_prune_asks_for_the_number_on_a_terminal(typed, is_removed, tmp_path, ferries, monkeypatch):
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda _: typed)
    ran = apply_text(tmp_path, "teams: {pricing: {}}", "--prune")
    assert ran.code == (0 if is_removed else 1)
    assert Service.objects.exclude(removed_at=None).exists() is is_removed


def test_prune_marks_what_is_in_no_file_and_applying_it_again_brings_it_back(tmp_path, ferries):
    ran = apply_text(tmp_path, "teams: {ops: {}}", "--prune", "--yes")
    assert "Plan: 1 to add, 4 to remove.\n" in ran.out
    assert Service.objects.filter(removed_at=None).count() == 0
    assert Team.objects.get(slug="pricing").removed_at is not None
    assert not Probe.objects.active().exists()
    assert run("export").out == "teams:\n  ops: {}\n"
    assert "Nothing changes." in apply_text(tmp_path, "teams: {ops: {}}", "--prune").out
    ran = apply_text(tmp_path, FERRIES)
    assert "^ service fares-api, brought back" in ran.out
    assert "^ path fares-api/health, brought back" in ran.out
    assert Service.objects.filter(removed_at=None).count() == 3
    assert Probe.objects.active().count() == 4
    assert NoteVersion.objects.count() == 1
    assert Variable.objects.get(environment__slug="staging").reveal() == "first-token"
    assert "Nothing changes." in apply_text(tmp_path, FERRIES + "\n").out


def test_a_pruned_team_takes_its_channels_along_and_brings_them_back(tmp_path, ferries):
    channel = Channel(name="Duty", kind=Channel.Kind.EMAIL, team=Team.objects.get(slug="pricing"))
    channel.keep(address="duty@skerry.example")
    channel.save()
    apply_text(tmp_path, "teams: {ops: {}}", "--prune", "--yes")
    assert not Channel.objects.filter(name="Duty", removed_at=None).exists()
    apply_text(tmp_path, FERRIES)
    assert Channel.objects.get(name="Duty", removed_at=None) == channel


def test_a_path_in_no_file_of_a_declared_service_is_pruned_too(tmp_path, ferries):
    service = Service.objects.get(slug="fares-api")
    service.paths.create(slug="typed", name="Typed", route="/")
    environment = service.environments.get(slug="staging")
    environment.variables.create(name="TYPED", value="x")
    ran = apply_text(tmp_path, FERRIES, "--prune", "--yes")
    assert "- path fares-api/typed" in ran.out
    assert "- variable fares-api/staging/TYPED\n    its value cannot be brought back" in ran.out
    assert CriticalPath.objects.get(slug="typed").removed_at is not None
    assert not Variable.objects.filter(name="TYPED").exists()


def test_the_built_in_service_is_never_touched(tmp_path):
    watch_itself()
    before = list(Service.objects.values()), list(Team.objects.values())
    assert run("export").out == "{}\n"
    assert "Nothing changes." in apply_text(tmp_path, "", "--prune", "--yes").out
    assert (list(Service.objects.values()), list(Team.objects.values())) == before


def test_its_team_is_exported_once_it_owns_something_else(tmp_path):
    team = watch_itself().team
    Service.objects.create(slug="other", name="other", team=team)
    assert run("export").out == "teams:\n  opsboard: {}\nservices:\n  other:\n    owner: opsboard\n"


# What is left out


def test_members_pauses_and_notes_that_a_file_leaves_out_stay(tmp_path, ferries, editor):
    Team.objects.get().members.add(editor)
    path = CriticalPath.objects.get(slug="health")
    path.pause(by=editor, now=NOON)
    text = FERRIES.replace("rollback_note: {", "facts: {X: y} #")
    assert "Nothing changes." not in apply_text(tmp_path, text).out
    path.refresh_from_db()
    assert path.paused_at == NOON
    assert list(Team.objects.get().members.all()) == [editor]
    assert NoteVersion.objects.count() == 1


def test_what_else_is_left_out_is_the_default(tmp_path, ferries):
    apply_text(tmp_path, FERRIES.replace("patience: 3", ""))
    assert CriticalPath.objects.get(slug="price-a-crossing").patience == 2


def test_members_are_people_by_name_and_unknown_ones_a_warning(tmp_path):
    ana = joining.add("Ana Berg", "editor")
    text = "teams: {pricing: {members: [ana berg, Nobody]}}"
    ran = apply_text(tmp_path, text)
    assert "board.yaml:1:28: Nobody here is called Nobody: left out." in ran.out
    assert list(Team.objects.get().members.all()) == [ana]
    assert "Nothing changes." in apply_text(tmp_path, text).out
    assert run("export").out == "teams:\n  pricing:\n    members: [Ana Berg]\n"


def test_a_paused_path_ends_its_probes_and_false_asks_it_again(tmp_path, ferries):
    health = "{route: GET /healthz"
    apply_text(tmp_path, FERRIES.replace(health, f"{health}, paused: true"))
    assert not Probe.objects.active().filter(path__slug="health").exists()
    apply_text(tmp_path, FERRIES.replace(health, f"{health}, paused: false"))
    assert Probe.objects.active().filter(path__slug="health").count() == 2


def test_declarations_hold_file_and_part_and_move_with_the_file(tmp_path, ferries):
    declaration = Declaration.objects.get(kind="service", slug="fares-api")
    assert declaration.file == "board.yaml"
    assert declaration.declared["variable/fares-api/staging/TOKEN"] == {"value": "${FARES_TOKEN}"}
    (tmp_path / "board.yaml").rename(tmp_path / "all.yaml")
    ran = run("apply", str(tmp_path / "all.yaml"))
    assert "The board stays as it is; which file declares what is written down." in ran.out
    assert {one.file for one in Declaration.objects.all()} == {"all.yaml"}


def test_bulk_and_single_standing_up_agree(tmp_path, ferries):
    before = list(Probe.objects.order_by("pk").values("path", "environment", "ended_at"))
    for service in Service.objects.all():
        stand_up(service, now=NOON + timedelta(days=1), location="default")
    assert list(Probe.objects.order_by("pk").values("path", "environment", "ended_at")) == before


def test_the_queries_of_an_apply_do_not_grow_with_the_board(tmp_path):
    def text(count):
        services = "".join(
            f"  s{n}:\n    owner: t\n    environments: {{production: {{base_url: 'http://a.test'}}}}\n"
            f"    paths: {{health: {{route: GET /}}}}\n"
            for n in range(count)
        )
        return f"teams: {{t: {{}}}}\nservices:\n{services}"

    with CaptureQueriesContext(connection) as few:
        apply_text(tmp_path, text(2))
    with CaptureQueriesContext(connection) as many:
        apply_text(tmp_path, text(60))
    assert len(many) <= len(few) + 4
    assert Environment.objects.count() == 60
