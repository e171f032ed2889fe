"""`manage.py probe` asks once, prints what it got, and says by its exit code what it means."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from opsboard.probes.models import Observation, Probe
from opsboard.services.models import CriticalPath, Environment, Service, Variable
from tests.far_side import FarSide, answer, redirect, routes

ROOT = Path(__file__).parents[2]
JSON = ("Content-Type", "application/json")
TIMING = ("Server-Timing", 'db;dur=2.5;desc="3"')


@pytest.fixture
def machine() -> Iterator[FarSide]:
    behaviours = {
        "/price": answer(200, JSON, TIMING, body=b'{"ok": true}'),
        "/moved": redirect("/price"),
        "/broken": answer(503, body=b"\x1b[2J\x07down"),
    }
    with FarSide(routes(behaviours)) as machine:
        yield machine


@pytest.fixture
def stored(path: CriticalPath, environment: Environment, machine: FarSide) -> CriticalPath:
    """Price a crossing, answered by the machine."""
    Environment.objects.update(base_url=machine.url(""))
    return path


def run(*arguments: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr."""
    out, err = StringIO(), StringIO()
    with pytest.raises(SystemExit) as left:
        call_command("probe", *arguments, stdout=out, stderr=err, no_color=True)
    return int(left.value.code or 0), out.getvalue(), err.getvalue()


def told(*arguments: str) -> tuple[int, dict[str, Any]]:
    code, out, _ = run(*arguments, "--format", "json")
    return code, json.loads(out)


def test_an_address_is_asked_and_its_answer_told_as_json(machine: FarSide) -> None:
    code, said = told(machine.url("/price"))
    assert code == 0
    assert set(said) == {"verdict", "failure", "reason", "clauses", "phases_ms", "facts"}
    assert (said["verdict"], said["failure"]) == ("passing", None)
    assert said["reason"].startswith("answered 200 in ")
    assert said["clauses"] == [{"clause": "status in 200..299", "held": True, "got": "200"}]
    assert said["phases_ms"]["total"] > 0
    assert said["facts"]["status"] == 200
    assert said["facts"]["db_calls"] == 3
    assert said["facts"]["db_time_ms"] == 2.5
    assert said["facts"]["size"] == 12


def test_a_failing_answer_leaves_with_1_and_says_why(machine: FarSide) -> None:
    code, said = told(machine.url("/broken"))
    assert (code, said["verdict"], said["failure"]) == (1, "failing", None)
    assert said["reason"] == "status is 503, expected 200 to 299"


def test_no_answer_is_a_failure_with_its_word(machine: FarSide) -> None:
    with FarSide(answer()) as gone:
        url = gone.url("/")
    code, said = told(url)
    assert (code, said["failure"]) == (1, "refused")


def test_a_broken_warning_leaves_with_3(machine: FarSide) -> None:
    code, said = told(machine.url("/price"), "--expect", "warn size < 2 B")
    assert (code, said["verdict"]) == (3, "warning")
    assert said["clauses"][0]["held"] is False


def test_an_address_that_may_not_be_asked_is_an_error_of_ours_with_4() -> None:
    code, said = told("http://203.0.113.5/")
    assert (code, said["verdict"], said["failure"]) == (4, "error", "egress_denied")
    assert "OPSBOARD_EGRESS_ALLOW=203.0.113.5/32" in said["reason"]
    assert said["clauses"] == []


def test_method_header_body_and_clauses_are_taken_from_the_line(machine: FarSide) -> None:
    code, said = told(
        machine.url("/price?from=SK1"),
        *("--method", "put", "--header", "X-Trace: a: b", "--header", "Accept: c"),
        *("--body", '{"to": 2}', "--expect", "status == 200", "--expect", "json $.ok == false"),
    )
    request = machine.requests[0]
    assert (request.method, request.path, request.body) == ("PUT", "/price?from=SK1", b'{"to": 2}')
    assert (request.header("X-Trace"), request.header("Accept")) == ("a: b", "c")
    assert request.header("Content-Type") == "application/json"
    assert code == 1
    assert [clause["held"] for clause in said["clauses"]] == [True, False]


def test_a_body_is_posted_unless_said(machine: FarSide) -> None:
    told(machine.url("/price"), "--body", "hello")
    assert machine.requests[0].method == "POST"
    assert machine.requests[0].header("Content-Type") == "text/plain"


def test_redirects_are_followed_unless_said(machine: FarSide) -> None:
    _, followed = told(machine.url("/moved"))
    assert (followed["facts"]["status"], followed["facts"]["redirects"]) == (200, 1)
    _, stayed = told(machine.url("/moved"), "--no-follow")
    assert stayed["facts"]["status"] == 302


def test_the_timeout_of_the_line_holds() -> None:
    with FarSide(answer(after=3)) as slow:
        code, said = told(slow.url("/"), "--timeout", "200 ms")
    assert (code, said["failure"]) == (1, "timeout")
    assert said["phases_ms"]["total"] < 2_000


def test_the_text_shows_facts_phases_and_clauses_and_no_control_characters(
    machine: FarSide,
) -> None:
    code, out, _ = run(machine.url("/broken"), "--expect", 'body contains "up"')
    assert code == 1
    assert out.startswith("Failing: ")
    assert "  status              503" in out
    assert "  first_byte" in out
    assert 'body contains "up"  ->  "\\x1b[2J\\x07down"' in out
    assert "\x1b" not in out
    assert "\x07" not in out


def test_a_stored_path_is_asked_as_a_worker_would_and_nothing_is_recorded(
    stored: CriticalPath, machine: FarSide
) -> None:
    CriticalPath.objects.update(
        method="POST", headers=[["X-A", "1"]], query=[["from", "SK1"]], body="{}"
    )
    code, said = told("fares-api/price-a-crossing")
    assert (code, said["clauses"][0]["clause"]) == (0, "status == 200")
    request = machine.requests[0]
    assert (request.method, request.path, request.body) == ("POST", "/price?from=SK1", b"{}")
    assert request.header("traceparent")
    assert not Probe.objects.exists()
    assert not Observation.objects.exists()


def test_options_replace_what_the_sheet_says(stored: CriticalPath, machine: FarSide) -> None:
    CriticalPath.objects.update(headers=[["X-A", "1"], ["X-B", "2"]])
    told("fares-api/price-a-crossing", "--header", "x-a: 9", "--method", "HEAD")
    request = machine.requests[0]
    assert request.method == "HEAD"
    assert (request.header("X-A"), request.header("X-B")) == ("9", "2")


def test_clauses_over_many_observations_are_not_judged(stored: CriticalPath) -> None:
    CriticalPath.objects.update(expected_result="status == 200\nerrors < 5 % over 1 h")
    code, said = told("fares-api/price-a-crossing")
    assert code == 0
    assert [clause["held"] for clause in said["clauses"]] == [True, None]


def test_secrets_are_sent_and_masked(stored: CriticalPath, machine: FarSide) -> None:
    variable = Variable(environment=Environment.objects.get(), name="TOKEN", is_secret=True)
    variable.keep("sesame-42")
    variable.save()
    CriticalPath.objects.update(
        headers=[["Authorization", "{{ TOKEN }}"]],
        query=[["t", "{{ TOKEN }}"]],
        expected_result='body contains "nothing"',
    )
    machine.behaviour = answer(200, body=b"you said sesame-42")
    for output in ("text", "json"):
        _, out, err = run("fares-api/price-a-crossing", "--format", output)
        assert "sesame" not in out + err
        assert "[secret]" in out
    assert machine.requests[0].header("Authorization") == "sesame-42"


def test_a_missing_variable_is_an_error_of_ours(stored: CriticalPath) -> None:
    CriticalPath.objects.update(body="{{ TOKEN }}")
    code, said = told("fares-api/price-a-crossing")
    assert (code, said["verdict"], said["failure"]) == (4, "error", "config")
    assert "TOKEN" in said["reason"]


def test_production_is_asked_unless_another_environment_is_named(
    stored: CriticalPath, service: Service, machine: FarSide
) -> None:
    service.environments.create(slug="a-staging", base_url=machine.url("/moved"))
    told("fares-api/price-a-crossing")
    told("fares-api/price-a-crossing", "--environment", "a-staging")
    assert [request.path for request in machine.requests] == ["/price", "/moved/price"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["fares-ap/health"], "There is no service fares-ap. Did you mean fares-api?"),
        (
            ["fares-api/price-crossing"],
            "fares-api has no path price-crossing. Did you mean fares-api/price-a-crossing?",
        ),
        (["fares-api"], "neither SERVICE/PATH"),
        (["ftp://a.test/"], "Only http:// or https://"),
        (["http://ana:pw@a.test/"], "Take user and password out"),
        (["http://a.test/", "--expect", "status = 200"], "--expect status = 200, column 8: "),
        (["http://a.test/", "--expect", "errors < 1 % over 1 h"], "many observations"),
        (["http://a.test/", "--timeout", "10"], "--timeout: A duration needs a unit"),
        (["http://a.test/", "--timeout", "1 h"], "from 100 ms to 1 m"),
        (["http://a.test/", "--header", "Host: b"], "--header: Leave out Host"),
        (["http://a.test/", "--header", "nonsense"], "--header: Write Name: value."),
        (["http://a.test/", "--method", "G ET"], "--method is one word"),
        (["http://a.test/", "--environment", "staging"], "Leave out --environment"),
        (
            ["fares-api/price-a-crossing", "--environment", "stagin"],
            "price-a-crossing is not asked in stagin. Did you mean production?",
        ),
    ],
)
def test_a_wrong_line_is_refused_in_one_sentence_with_2(
    stored: CriticalPath, arguments: list[str], says: str
) -> None:
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert says in err
    assert err.count("\n") == 1


def in_a_process(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, "manage.py", "probe", *arguments],
        cwd=ROOT,
        env=environment | {"OPSBOARD_DATA": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_an_address_needs_no_database(tmp_path: Path, machine: FarSide) -> None:
    ran = in_a_process(tmp_path, machine.url("/price"), "--format", "json")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert json.loads(ran.stdout)["verdict"] == "passing"
    assert not list(tmp_path.glob("*.sqlite3"))


def test_a_path_without_a_database_is_an_error_of_ours_in_one_sentence(tmp_path: Path) -> None:
    ran = in_a_process(tmp_path, "fares-api/health")
    assert (ran.returncode, ran.stdout) == (4, "")
    assert ran.stderr.startswith("The board's database cannot be read")
    assert ran.stderr.count("\n") == 1


def in_steps(stored: CriticalPath) -> None:
    buy = {"name": "Buy", "route": "/broken", "expect": ["status == 201"]}
    look = {"name": "Look", "route": "/price", "take": {"fine": "json $.ok"}}
    stored.steps = [look, buy, look | {"name": "Look again"}]
    stored.expected_result = ""
    stored.save()


def test_a_path_of_several_steps_is_told_step_by_step(stored: CriticalPath) -> None:
    in_steps(stored)
    code, said = told("fares-api/price-a-crossing")
    assert (code, said["verdict"], said["facts"]["status"]) == (1, "failing", 503)
    assert said["reason"] == (
        "step 2, Buy: status is 503, expected 201; step 3, Look again, was not run"
    )
    assert [step["verdict"] for step in said["steps"]] == ["passing", "failing", None]
    assert said["steps"][1]["clauses"] == [{"clause": "status == 201", "held": False, "got": "503"}]
    assert said["steps"][0]["db_calls"] == 3


def test_the_text_shows_which_step_broke(stored: CriticalPath) -> None:
    in_steps(stored)
    _, out, _ = run("fares-api/price-a-crossing")
    lines = out.splitlines()
    assert lines[0].startswith("Failing: step 2, Buy: status is 503")
    assert lines[2] == "Steps"
    assert lines[3].startswith("  1. Look: passing, 200 in ")
    assert "    fails       status == 201  ->  503" in lines
    assert "  3. Look again: not run" in lines


@pytest.mark.parametrize("option", ["--method", "--header", "--body"])
def test_what_belongs_to_one_request_is_refused_for_a_path_of_several(
    stored: CriticalPath, option: str
) -> None:
    in_steps(stored)
    code, _, said = run("fares-api/price-a-crossing", option, "Accept: GET")
    has = "fares-api/price-a-crossing has 3 steps, each with its own."
    assert (code, said.strip()) == (2, f"Leave out {option}: {has}")
