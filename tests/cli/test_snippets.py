"""The snippets of the command's README: they are what they say, and the shell one runs."""

import argparse
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from opsboard.cli import main
from opsboard.people import tokens
from opsboard.releases.models import Evidence, Release
from opsboard.services.models import ConfigKey, Environment, Service
from tests.cli.calling import TOP, environment
from tests.far_side import FarSide, answer

README = (TOP / "opsboard/cli/README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def lines_of_ci() -> Iterator[str]:
    for block in blocks("yaml"):
        for job in yaml.safe_load(block).get("jobs", {}).values():
            yield from (step["run"] for step in job["steps"] if "run" in step)
        for job in yaml.safe_load(block).values():
            if isinstance(job, dict):
                yield from job.get("script", [])


def commands() -> Iterator[str]:
    for text in (*blocks("bash"), *lines_of_ci()):
        joined = text.replace("\\\n", " ")
        found = (line.strip().removeprefix("declared=$(") for line in joined.splitlines())
        yield from (line for line in found if line.startswith(("opsboard ", "script/opsboard ")))


def test_there_are_snippets_for_three_places() -> None:
    assert len(blocks("yaml")) == 2
    assert len(list(lines_of_ci())) > 10
    assert len(list(commands())) > 20


@pytest.mark.parametrize("text", [*blocks("bash"), *lines_of_ci()])
def test_a_snippet_is_shell(text: str) -> None:
    subprocess.run(["bash", "-n"], input=text, text=True, check=True)


@pytest.mark.parametrize("line", list(commands()))
def test_a_line_is_one_the_command_takes(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPSBOARD_SERVICE", "OPSBOARD_RELEASE"):
        monkeypatch.setenv(name, "x")
    written = re.sub(r'"\$\([^)]*\)"', "ab" * 20, line).replace('"${of[@]}"', "")
    written = re.sub(r"\$(OPSBOARD_COMMIT|CI_COMMIT_SHA|GITHUB_SHA)", "ab" * 20, written)
    written = re.sub(r"\$\{WAIT:-(\w+)\}", r"\1", written.partition("||")[0])
    written = written.replace('"$change"', "CHG-0198").removesuffix(")")
    monkeypatch.setenv("OPSBOARD_COMMIT", "ab" * 20)
    options, ran = main._split(shlex.split(written)[1:])

    asked = main._parser().parse_args(options)

    assert isinstance(asked, argparse.Namespace)
    runs = (["run"], ["change", "applied"], ["change", "cleared"])
    assert bool(ran) == (options[:1] in runs or options[:2] in runs)


# The shell, for real ----------------------------------------------------------------------------


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A tagged commit, and the two tools that the snippet calls."""
    git = ["git", "-C", str(tmp_path), "-c", "user.name=A", "-c", "user.email=a@b.example"]
    (tmp_path / "staging.env").write_text("DEBUG=false\n")
    tools = tmp_path / "tools"
    tools.mkdir()
    report = "<testsuite><testcase name='one'/></testsuite>"
    _tool(tools / "ruff", "exit 0")
    _tool(tools / "pytest", f'echo "{report}" > junit.xml')
    _tool(tools / "opsboard", f'PYTHONPATH={TOP} exec {sys.executable} -m opsboard.cli "$@"')
    for arguments in ("init -q", "commit -qm x --allow-empty", "tag -am x v1.4.0"):
        subprocess.run([*git, *arguments.split()], check=True)
    return tmp_path


def _tool(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_the_shell_snippet_plays_a_whole_run(
    live_server: LiveServer, editor: User, service: Service, checkout: Path
) -> None:
    now = timezone.now()
    scopes, ends = ["release"], now + timedelta(days=1)
    _, token = tokens.make(name="CI", scopes=scopes, by=editor, now=now, expires_at=ends)
    ConfigKey.objects.create(service=service, name="DEBUG", equals="false")
    with FarSide(answer(200)) as fares:
        url = fares.url("").rstrip("/")
        Environment.objects.create(service=service, slug="staging", base_url=url)
        Environment.objects.create(service=service, slug="production", base_url=url)
        service.paths.create(slug="good", name="Good", route="/", expected_result="status == 200")
        ended = subprocess.run(
            ["bash", "-c", blocks("bash")[0]],
            cwd=checkout,
            env=environment(
                live_server.url,
                OPSBOARD_TOKEN=token,
                OPSBOARD_CONFIG_KEY="0f" * 32,
                WAIT="0s",
                PATH=f"{checkout}/tools{os.pathsep}{os.environ['PATH']}",
            ),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    # Nobody wrote a rollback note: that is what is left to do.
    assert ended.returncode == 1, ended.stderr
    assert "1.4.0: blocked" in ended.stdout
    assert (release := Release.objects.get()).tag == "v1.4.0"
    # An annotated tag is an object of its own: what counts is the commit that it points to.
    assert Evidence.objects.get(gate="tag").facts["object"] == release.commit
    passed = Evidence.objects.exclude(outcome="running").values_list("gate", "outcome")
    assert list(passed.order_by("pk")) == [
        ("lint", "passed"),
        ("unit", "passed"),
        ("integration", "passed"),
        ("config", "passed"),
        ("tag", "passed"),
    ]
