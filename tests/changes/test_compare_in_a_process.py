"""The process that judges: one document in, one verdict out, and no arrays anywhere else."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from opsboard.changes.rules.__main__ import judge

ROOT = Path(__file__).parent.parent.parent
FIXTURES = Path(__file__).parent / "fixtures"


def window(name: str, side: str) -> str:
    header, *rows = (FIXTURES / f"{name}.csv").read_text().splitlines(keepends=True)
    return header + "".join(row for row in rows if row.startswith(side))


def windows(name: str) -> dict[str, str]:
    return {side: window(name, side) for side in ("before", "after")}


def document(name: str, **more: Any) -> dict[str, Any]:
    return {
        **windows(name),
        "settings": {"changed": ["query"]},
        "control": None,
        "paths": {},
        **more,
    }


def run(text: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "opsboard.changes.rules"],
        input=text,
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
        check=False,
    )


def test_a_document_comes_to_a_verdict() -> None:
    ended = run(json.dumps(document("F3_real_fix")))
    assert (ended.returncode, ended.stderr) == (0, "")
    assert json.loads(ended.stdout) == judge(document("F3_real_fix"))
    assert json.loads(ended.stdout)["verdict"] == "improved"


def test_control_guarded_paths_and_settings_are_heard() -> None:
    found = judge(
        document(
            "F3_real_fix",
            settings={
                "changed": ["query"],
                "margin": 0.2,
                "equivalence": 0.25,
                "metric": "time",
                "guardrails": ["path:quote"],
            },
            control=windows("F1_null"),
            paths={"quote": windows("F3_real_fix")},
        )
    )
    assert (found["margin"], found["equivalence"]) == (0.2, 0.25)
    assert found["control"][0] == pytest.approx(0.0663, abs=0.005)
    assert [one["name"] for one in found["guardrails"]] == ["errors", "path:quote"]
    assert found["guardrails"][1]["holds"]


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", '{"before": 3}'])
def test_no_document_is_one_sentence(text: str) -> None:
    ended = run(text)
    assert ended.returncode == 2
    assert ended.stderr.startswith("The document is not one of a comparison: ")
    assert ended.stderr.count("\n") == 1


def test_a_window_that_cannot_be_read_is_one_sentence() -> None:
    ended = run(json.dumps(document("F3_real_fix", before="side\n")))
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("Row 1 lacks the columns i, latency_us")


def test_the_shapes_and_the_files_load_no_arrays() -> None:
    code = (
        "import sys, opsboard.changes.files, opsboard.changes.rules.judged;"
        "import opsboard.management.judged_text, opsboard.changes.rules;"
        "sys.exit('numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
