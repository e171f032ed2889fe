"""The real command against the real board, over a real connection."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from opsboard.incidents.models import Incident
from opsboard.people import tokens
from opsboard.people.audit import Actor, Via
from opsboard.releases.models import Decision, Evidence, Hold, Release
from opsboard.rollbacks.writing import Place, Text, write
from opsboard.services.models import ConfigKey, CriticalPath, Environment, Service
from tests.cli.calling import Ended, call
from tests.far_side import FarSide, answer

COMMIT, OTHER = "ab" * 20, "cd" * 20
OF = ("--service", "fares-api", "--release", "1.4.0")
CREATE = ("release", "create", *OF, "--commit", COMMIT)
SCOPES = ("read", "release", "silence", "note", "apply")

type Opsboard = Callable[..., Ended]


@pytest.fixture
def opsboard(live_server: LiveServer, administrator: User) -> Opsboard:
    """The command, with a token of an administrator that may do everything."""
    now = timezone.now()
    expires_at = now + timedelta(days=1)
    _, token = tokens.make(
        name="CI", scopes=SCOPES, by=administrator, now=now, expires_at=expires_at
    )

    def run(*arguments: str, **more: str) -> Ended:
        ended = call(live_server.url, *arguments, more={"OPSBOARD_TOKEN": token, **more})
        assert token not in ended.out + ended.err
        return ended

    return run


@pytest.fixture
def staging(service: Service, environment: Environment) -> Environment:
    return service.environments.create(slug="staging", base_url="http://127.0.0.1:9")


@pytest.fixture
def noted(service: Service, environment: Environment, editor: User) -> Service:
    """With a rollback note that somebody has just read; nobody has rehearsed it."""
    steps = [{"do": "Go back", "run": "deploy back", "see": "back", "call": ""}]
    text = Text(
        title="Go back",
        use_when="Fares are wrong.",
        does_not_undo="What was sold.",
        minutes=4,
        steps=steps,
    )
    by, now = Actor(editor, Via.PAGES), timezone.now()
    assert write(Place(service), text, base=0, is_checked=True, by=by, now=now)
    return service


def test_a_release_is_named_once_and_shown(opsboard: Opsboard, noted: Service) -> None:
    more = ("--summary", "Quotes in euro", "--commits", "3", "--migration", "0007_euro")
    first = opsboard(*CREATE, *more, "--json")
    again = opsboard(*CREATE)
    other = opsboard(*CREATE[:-1], OTHER)
    shown = opsboard("release", "show", *OF)
    listed = opsboard("release", "list", "--service", "fares-api")

    assert (first.code, again.code, other.code) == (0, 0, 9)
    assert first.document["migrations"] == ["0007_euro"]
    assert COMMIT in other.err
    assert (shown.code, shown.out.splitlines()[0]) == (0, "fares-api 1.4.0: incomplete")
    assert "Quotes in euro" in shown.out
    assert (listed.code, listed.out.split()[0]) == (0, "1.4.0")


def test_the_gate_follows_the_evidence(opsboard: Opsboard, noted: Service) -> None:
    opsboard(*CREATE)
    before = opsboard("gate", *OF, "--json")
    run = ("run", *OF, "--commit", COMMIT, "--gate")
    lint = opsboard(*run, "lint", "--strict", "--", "true")
    failing = opsboard(*run, "lint", "--strict", "--", "false")
    blocked = opsboard("gate", *OF)
    wrong = opsboard("run", *OF, "--commit", OTHER, "--gate", "lint", "--strict", "--", "true")

    assert (before.code, before.document["whole"]) == (3, "incomplete")
    assert (lint.code, failing.code, blocked.code, wrong.code) == (0, 1, 1, 7)
    assert "lint: passed, met. The release is incomplete." in lint.err
    assert blocked.out.startswith("fares-api 1.4.0: blocked\n")
    assert COMMIT in wrong.err
    outcomes = Evidence.objects.order_by("pk").values_list("outcome", flat=True)
    assert list(outcomes) == ["running", "passed", "running", "failed"]


def test_a_suite_without_counts_does_not_meet_its_gate(
    opsboard: Opsboard, service: Service, tmp_path: Path
) -> None:
    opsboard(*CREATE)
    run = ("run", *OF, "--commit", COMMIT, "--gate", "unit")
    report = tmp_path / "junit.xml"
    write = f"echo '<testsuite><testcase/></testsuite>' > {report}"
    bare = opsboard(*run, "--", "true")
    counted = opsboard(*run, "--junit", str(report), "--", "sh", "-c", write)

    assert "unit: passed, not met." in bare.err
    assert "unit: passed, met." in counted.err


def test_a_gate_that_nobody_knows_and_a_release_that_is_not_named(
    opsboard: Opsboard, service: Service
) -> None:
    run = ("run", *OF, "--commit", COMMIT, "--gate", "unit", "--strict", "--", "true")
    missing = opsboard("gate", *OF)
    early = opsboard(*run)
    opsboard(*CREATE)
    odd = opsboard("run", *OF, "--commit", COMMIT, "--gate", "paths", "--strict", "--", "true")

    assert (missing.code, early.code, odd.code) == (7, 7, 7)
    assert "There is no release 1.4.0" in missing.err


def test_the_tag(opsboard: Opsboard, service: Service) -> None:
    opsboard(*CREATE)
    tag = ("tag", *OF, "--commit", COMMIT, "--tag", "v1.4.0", "--object")
    told = opsboard(*tag, COMMIT, "--json")
    other = opsboard("tag", *OF, "--commit", COMMIT, "--tag", "v1.4.1", "--object", COMMIT)

    assert (told.code, told.document["gate"]["word"]) == (0, "met")
    assert (other.code, "v1.4.0" in other.err) == (9, True)


def test_what_went_out_and_came_back(
    opsboard: Opsboard, service: Service, environment: Environment
) -> None:
    opsboard(*CREATE)
    refused = opsboard("released", *OF)
    anyway = opsboard("released", *OF, "--anyway", "The quay closes tonight, and fares are wrong.")
    back = opsboard("rollback", *OF, "--reason", "Prices were twice what they are.")

    assert (refused.code, anyway.code, back.code) == (9, 0, 0)
    assert list(Decision.objects.order_by("pk").values_list("kind", flat=True))
    assert Hold.objects.open().filter(service=service).exists()
    ended = opsboard("hold", "end", "fares-api", "--because", "The old prices are back.")
    assert (ended.code, Hold.objects.open().exists()) == (0, False)


def test_a_hold_freezes(opsboard: Opsboard, noted: Service) -> None:
    opsboard(*CREATE)
    held = opsboard("hold", "fares-api", "--reason", "The database is being moved.")
    frozen = opsboard("gate", *OF)
    ended = opsboard("hold", "end", "fares-api", "--because", "It has moved.")
    again = opsboard("hold", "end", "fares-api", "--because", "It has moved.")

    assert (held.code, frozen.code, ended.code, again.code) == (0, 5, 0, 9)
    assert "The database is being moved." in frozen.out


def test_a_token_for_another_gate_is_no_answer(
    live_server: LiveServer, editor: User, service: Service, opsboard: Opsboard
) -> None:
    opsboard(*CREATE)
    now = timezone.now()
    _, token = tokens.make(
        name="lint only",
        scopes=["release"],
        by=editor,
        now=now,
        expires_at=now + timedelta(days=1),
        gates=["lint"],
    )
    run = ("run", *OF, "--commit", COMMIT, "--strict", "--gate")
    more = {"OPSBOARD_TOKEN": token}
    lint = call(live_server.url, *run, "lint", "--", "true", more=more)
    unit = call(live_server.url, *run, "unit", "--", "true", more=more)

    assert (lint.code, unit.code) == (0, 7)
    assert "not for the gate unit" in unit.err


def test_asking_now(opsboard: Opsboard, service: Service, staging: Environment) -> None:
    with FarSide(answer(200)) as fares:
        Environment.objects.filter(service=service).update(base_url=fares.url("").rstrip("/"))
        good = _path(service, "good", "status == 200")
        one = opsboard("probe", f"fares-api/{good.slug}", "--environment", "staging")
        all_good = opsboard("check", "fares-api", "--environment", "staging")
        _path(service, "slow", "status == 200\nwarn size > 1 MB")
        warning = opsboard("check", "fares-api", "--environment", "staging")
        _path(service, "bad", "status == 201")
        failing = opsboard("check", "fares-api", "--environment", "staging", "--json")

    assert (one.code, all_good.code, warning.code, failing.code) == (0, 0, 3, 1)
    assert "status == 200" in one.out
    assert warning.out.endswith("fares-api in staging: warning\n")
    assert failing.document["verdict"] == "failing"


def _path(service: Service, slug: str, expected: str) -> CriticalPath:
    return service.paths.create(slug=slug, name=slug, route="/", expected_result=expected)


def test_a_check_is_evidence(
    opsboard: Opsboard, service: Service, staging: Environment, tmp_path: Path
) -> None:
    opsboard(*CREATE)
    report = tmp_path / "check.xml"
    with FarSide(answer(200)) as fares:
        Environment.objects.filter(service=service).update(base_url=fares.url("").rstrip("/"))
        _path(service, "good", "status == 200")
        _path(service, "bad", "status == 201")
        check = ("check", "fares-api", "--environment", "staging", "--junit", str(report))
        ended = opsboard(*check, "--release", "1.4.0", "--commit", COMMIT)

    assert ended.code == 1
    assert "integration: not met." in ended.out
    one = Evidence.objects.get()
    assert (one.gate, one.outcome, one.environment_slug) == ("integration", "failed", "staging")
    assert one.counts == {"collected": 2, "passed": 1, "failed": 1, "skipped": 0}
    assert report.read_text().count("<failure") == 1


def test_incidents(opsboard: Opsboard, service: Service, environment: Environment) -> None:
    none = opsboard("incident", "list")
    one = Incident.objects.create(
        service=service, environment=environment, title="No fares", opened_at=timezone.now()
    )
    listed = opsboard("incident", "list", "--service", "fares-api")
    acknowledged = opsboard("incident", "ack", str(one.pk))
    shown = opsboard("incident", "show", str(one.pk))
    missing = opsboard("incident", "show", "999999")

    assert (none.code, none.out) == (0, "No open incidents.\n")
    assert (listed.code, "open" in listed.out, "No fares" in listed.out) == (0, True, True)
    assert (acknowledged.code, "acknowledged" in acknowledged.out) == (0, True)
    assert (shown.code, missing.code) == (0, 7)
    one.refresh_from_db()
    assert one.acknowledged_at is not None


def test_silences(opsboard: Opsboard, service: Service) -> None:
    about = ("--service", "fares-api", "--reason", "Moving the database")
    made = opsboard("silence", "create", *about, "--for", "30m", "--json")
    number = str(made.document["number"])
    listed = opsboard("silence", "list")
    ended = opsboard("silence", "end", number)
    after = opsboard("silence", "list")
    all_of_it = opsboard("silence", "create", "--reason", "All of it", "--for", "1h")

    assert [one.code for one in (made, listed, ended, after, all_of_it)] == [0, 0, 0, 0, 2]
    assert "Moving the database" in listed.out
    assert after.out == "No silence is in force.\n"


BOARD = """
teams:
  quays: {name: Quays, contact: "#quays"}
services:
  quay-map:
    owner: quays
    environments:
      production:
        base_url: "http://127.0.0.1:9"
        variables: {TOKEN: "${QUAY_TOKEN}"}
    rollback_note:
      title: Go back
      use_when: The map is empty.
      does_not_undo: Nothing else.
      minutes: 4
      steps: [{do: Go back, run: deploy back, see: "back"}]
"""


def test_board_files_and_the_way_back(opsboard: Opsboard, tmp_path: Path) -> None:
    file = tmp_path / "board.yaml"
    file.write_text(BOARD)
    secret = {"QUAY_TOKEN": "s3cret-of-the-quay"}
    other = tmp_path / "wrong.yaml"
    other.write_text("services:\n  quay-map: {owner: nobody}\n")
    wrong = opsboard("apply", str(other))
    other.unlink()
    unset = opsboard("board", "plan", str(file))
    plan = opsboard("board", "plan", str(file), **secret)
    dry = opsboard("apply", str(file), "--dry-run", **secret)
    absent = Service.objects.filter(slug="quay-map").exists()
    done = opsboard("apply", str(file), **secret)
    again = opsboard("apply", str(tmp_path), **secret)
    note = opsboard("note", "show", "quay-map")

    assert [one.code for one in (wrong, unset, plan, dry, done, again, note)] == [9, *[0] * 6]
    assert "wrong.yaml:2:" in wrong.err
    assert "QUAY_TOKEN" in unset.out
    assert not absent
    assert "+ service quay-map" in done.out
    assert again.out == "Nothing changes.\n"
    assert "$ deploy back" in note.out
    assert "s3cret" not in plan.out + dry.out + done.out


def test_pruning_says_what_it_would_remove(
    opsboard: Opsboard, service: Service, tmp_path: Path
) -> None:
    file = tmp_path / "board.yaml"
    file.write_text("teams:\n  quays: {name: Quays}\n")
    asked = opsboard("apply", str(file), "--prune")

    assert asked.code == 2
    assert Service.objects.standing().filter(slug="fares-api").exists()
    assert opsboard("apply", str(file), "--prune", "--yes").code == 0
    assert not Service.objects.standing().filter(slug="fares-api").exists()


KEY = {"OPSBOARD_CONFIG_KEY": "0f" * 32}


def test_the_configuration(
    opsboard: Opsboard, service: Service, staging: Environment, tmp_path: Path
) -> None:
    opsboard(*CREATE)
    ConfigKey.objects.create(service=service, name="DATABASE_URL")
    ConfigKey.objects.create(service=service, name="DEBUG", equals="false")
    file = tmp_path / ".env"
    config = ("config", "--service", "fares-api", "--environment", "staging")
    file.write_text("DATABASE_URL='postgres://fares:planted-word@db/fares'\nDEBUG=true\n")
    failing = opsboard(*config, "--env-file", str(file), **KEY)
    ConfigKey.objects.create(service=service, name="ZONE", across="equal")
    unknown = opsboard(*config, DATABASE_URL="x", DEBUG="false", ZONE="UTC", **KEY)
    ConfigKey.objects.filter(name="ZONE").delete()
    held = opsboard(*config, "--json", DATABASE_URL="other-planted-word", DEBUG="false", **KEY)
    without = opsboard(*config)

    assert (failing.code, held.code, without.code) == (1, 0, 2)
    assert "DEBUG: its rule failed." in failing.out
    assert "inconclusive" in unknown.out
    assert "  production has never reported its configuration" in unknown.out
    assert held.document["gate"] == "config"
    assert "planted" not in failing.out + failing.err + held.out + held.err
    assert Release.objects.get().evidence.filter(gate="config", outcome="passed").exists()


def test_a_board_without_changes_is_no_answer(opsboard: Opsboard, db: Any) -> None:
    ended = opsboard("compare", "17")

    assert ended.code == 7
    assert "does not know changes" in ended.err
