"""The record repeats what is known, the same facts in the same bytes, and nothing breaks out."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from opsboard.releases.record import (
    code,
    escape,
    minutes,
    moment,
    sha256,
    write_json,
    write_markdown,
)

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
FACTS = {
    "title": "Record of fares-api 2026.11.4",
    "as_of": "2026-11-23T12:00:00Z",
    "release": {"version": "2026.11.4", "commit": "9f3c1ab", "migrations": ["0148"], "tag": ""},
    "gates": [{"name": "Unit tests", "word": "not met", "override": None, "counts": {"failed": 2}}],
    "baseline": "not recorded",
    "commands": ["pytest -q", "kubectl rollout undo"],
}


def written(**facts: object) -> str:
    return write_markdown({"title": "t", "as_of": "now"} | facts).decode()


def test_markdown_has_a_section_for_every_part():
    text = write_markdown(FACTS).decode()
    assert text.startswith("# Record of fares\\-api 2026\\.11\\.4\n\nAs of 2026-11-23T12:00:00Z.\n")
    assert "## Release\n\n- **Version**: 2026\\.11\\.4\n- **Commit**: `9f3c1ab`\n" in text
    assert "- **Migrations**:\n  - 0148\n" in text
    assert "- **Unit tests**\n  - **Name**: Unit tests\n  - **Word**: not met\n" in text
    assert "  - **Override**: none\n  - **Counts**:\n    - **Failed**: 2\n" in text
    assert "## Baseline\n\nnot recorded\n" in text
    assert "## Commands\n\n- `pytest -q`\n- `kubectl rollout undo`\n" in text


def test_json_has_the_same_content():
    assert json.loads(write_json(FACTS)) == FACTS


@pytest.mark.parametrize("write", [write_json, write_markdown])
def test_the_same_facts_give_the_same_hash_and_others_another(write):
    assert sha256(write(FACTS)) == sha256(write(json.loads(json.dumps(FACTS))))
    assert sha256(write(FACTS)) != sha256(write(FACTS | {"baseline": "sealed"}))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("# a heading", "\\# a heading"),
        ("- a list", "\\- a list"),
        ("[a](javascript:alert)", "\\[a\\]\\(javascript\\:alert\\)"),
        ("![a](b)", "\\!\\[a\\]\\(b\\)"),
        ("<script>", "\\<script\\>"),
        ("&lt;", "\\&lt;"),
        ("**bold** _it_", "\\*\\*bold\\*\\* \\_it\\_"),
        ("`code`", "\\`code\\`"),
        ("a | b", "a \\| b"),
        ("a\\", "a\\\\"),
        ("a\x00b\u202ec", "a\ufffdb\ufffdc"),
    ],
)
def test_one_line_reads_as_it_was_written(text, line):
    assert escape(text) == line
    assert f"- **Reason**: {line}\n" in written(part={"reason": text})


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("make unit", "`make unit`"),
        ("echo `date`", "`` echo `date` ``"),
        ("``", "``` `` ```"),
        ("a`b", "``a`b``"),
    ],
)
def test_code_stands_in_a_span_that_it_cannot_end(text, span):
    assert code(text) == span


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\u2028", "\x85", "\x0b"])
def test_several_lines_stand_in_a_fence_they_cannot_end(end):
    text = written(part={"reason": end.join(["first", "````", "# heading", "- **Word**: met"])})
    fenced = text.split("- **Reason**:\n\n  `````text\n")[1].split("\n  `````\n")[0]
    assert fenced == "  first\n  ````\n  # heading\n  - **Word**: met"
    assert text.count("`````") == 2


def test_a_heading_stays_one_line_whatever_names_it():
    text = write_markdown({"title": "a\n# b", "as_of": "now"}).decode()
    assert text.splitlines()[0] == "# a \\# b"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://ci.example/runs/1", "<https://ci.example/runs/1>"),
        ("javascript:alert(1)", "javascript\\:alert\\(1\\)"),
        ("https://a.example/> <b>", "https\\://a\\.example/\\> \\<b\\>"),
    ],
)
def test_only_a_web_address_is_a_link(url, shown):
    assert f"- **Url**: {shown}" in written(part={"url": url})


@pytest.mark.parametrize(
    ("seconds", "said"), [(0, 0.0), (5, 0.0), (6, 0.1), (90, 1.5), (-5, 0.0), (86_400, 1440.0)]
)
def test_minutes_are_told_to_a_tenth_and_rounded_down(seconds, said):
    assert minutes(NOON, NOON + timedelta(seconds=seconds)) == said


def test_what_has_not_come_has_no_minutes():
    assert minutes(NOON, None) is None
    assert moment(None) is None


def test_a_moment_is_the_same_text_in_every_zone():
    assert moment(NOON.astimezone()) == "2026-11-23T12:00:00Z"
