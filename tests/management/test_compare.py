"""manage.py compare: a file of samples, a verdict, an exit code. It needs no database."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

FIXTURES = Path(__file__).parent.parent / "changes" / "fixtures"
EXPECTED: dict[str, Any] = json.loads((FIXTURES / "expected.json").read_text())
CODES = {"improved": 0, "no_change": 0, "regressed": 1, "inconclusive": 6, "confounded": 8}


def run(*arguments: str) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    with pytest.raises(SystemExit) as left:
        call_command("compare", *arguments, stdout=out, stderr=err)
    assert isinstance(left.value.code, int)
    return left.value.code, out.getvalue(), err.getvalue()


def fixture(name: str) -> str:
    return str(FIXTURES / f"{name}.csv")


@pytest.mark.parametrize("name", EXPECTED)
def test_every_fixture_ends_with_the_code_of_its_verdict(name: str) -> None:
    expected = EXPECTED[name]
    code, out, err = run(fixture(name), "--changed", *expected["changed"], "--format", "json")
    found = json.loads(out)
    assert (found["verdict"], found["reason"]) == (expected["verdict"], expected["reason"])
    assert found["n"] == expected["n"]
    assert code == CODES[expected["verdict"]]
    assert err == ""


def test_the_text_tells_the_verdict_and_the_main_figures() -> None:
    code, out, _ = run(fixture("F2_lucky_hit"), "--changed", "code")
    assert code == 8
    assert out.startswith("Confounded.\nThe average request got 46% faster, from")
    assert "300 samples before, 300 after; changed: code" in out
    assert "like with like: after is 1.04 x before (0.91 to 1.18), 99 %: inconclusive" in out
    assert "share of hit: +40.7 points (+33.4 to +48.0)" in out
    assert "-75.1 ms by the mix +12.3 ms within" in out
    assert "Ask for misses only, so that a lucky hit cannot help." in out


def test_the_text_tells_errors_and_database_calls() -> None:
    _, out, _ = run(fixture("F7_fast_fail"), "--changed", "code")
    assert "wrong answers: 0.0 % to 15.0 %, by +11.2 to +19.5 points" in out
    _, out, _ = run(fixture("F3_real_fix"), "--changed", "query")
    assert "database calls per miss: 12 to 3" in out


def test_variables_may_be_told_one_by_one() -> None:
    code, out, _ = run(fixture("F3_real_fix"), "--changed", "query", "--changed", "cache")
    assert code == 8
    assert out.startswith("Confounded.\nTwo things changed")


def test_margin_equivalence_metric_and_control_are_heard() -> None:
    null, fix = fixture("F1_null"), fixture("F3_real_fix")
    assert run(null, "--changed", "code", "--equivalence", "0.30")[0] == 0
    assert run(fix, "--changed", "code", "--margin", "0.9")[1].startswith("No change.\n")
    code, out, _ = run(
        fix, "--changed", "code", "--metric", "db_calls", "--control", null, "--format", "json"
    )
    assert (code, json.loads(out)["metric"]) == (0, "db calls")
    _, out, _ = run(fix, "--changed", "code", "--control", null, "--format", "json")
    assert json.loads(out)["control"][0] == pytest.approx(0.0663, abs=0.005)


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("x.csv",),
        ("x.csv", "--changed", "everything"),
        ("x.csv", "--changed", "code", "--margin", "nan"),
        ("x.csv", "--changed", "code", "--margin", "-1"),
        ("x.csv", "--changed", "code", "--margin", "a lot"),
        ("x.csv", "--changed", "code", "--equivalence", "2"),
        ("x.csv", "--changed", "code", "--metric", "size"),
    ],
)
def test_wrong_usage_is_refused(arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError):
        call_command("compare", *arguments)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "It is empty: the first row names the columns."),
        (b"\x7fELF\x02\x01\x01\x00\xff\xfe", "Row 1 is not UTF-8 text."),
        ("side,i,latency_us,cache,ok,db_calls\n".encode("utf-16"), "Row 1 is not UTF-8 text."),
        (b"\x00" * 100_000, "Row 1 is longer than 10,000 characters."),
        (
            b"side,i,latency_us,cache,ok,db_calls\nbefore,0,5,hit,1,0\n\xe9,1,5,hit,1,0\n",
            "Row 3 is not UTF-8 text.",
        ),
        (
            b"side,i,latency_us,cache,ok,db_calls\nbefore,0,0,hit,1,0\n",
            'Row 2: latency_us is "0". It must be a time in microseconds, above 0.',
        ),
        (
            b"side,i,latency_us,cache,ok,db_calls\nbefore,0,5,hit,1,0\n",
            "There are no samples of the after side.",
        ),
    ],
)
def test_a_file_that_cannot_be_read_is_one_sentence(
    tmp_path: Path, content: bytes, sentence: str
) -> None:
    file = tmp_path / "samples.csv"
    file.write_bytes(content)
    assert run(str(file), "--changed", "code") == (2, "", f"{file}: {sentence}\n")
    good = fixture("F1_null")
    assert run(good, "--changed", "code", "--control", str(file)) == (
        2,
        "",
        f"{file}: {sentence}\n",
    )


def test_a_directory_and_no_file_at_all_are_one_sentence(tmp_path: Path) -> None:
    assert run(str(tmp_path), "--changed", "code") == (2, "", f"{tmp_path}: Is a directory.\n")
    nowhere = str(tmp_path / "nowhere.csv")
    assert run(nowhere, "--changed", "code") == (2, "", f"{nowhere}: No such file or directory.\n")
    assert run("a\0b", "--changed", "code")[0] == 2
