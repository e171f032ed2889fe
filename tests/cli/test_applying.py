"""What `opsboard apply` sends of this machine: the files, and only the values they name."""

from pathlib import Path

import pytest

from tests.cli.calling import body_of, call, says
from tests.far_side import FarSide

NOTHING = says(
    {
        "is_empty": True,
        "added": [],
        "changed": [],
        "brought_back": [],
        "removed": [],
        "warnings": [],
    }
)


def test_only_the_values_that_the_files_name_are_sent(tmp_path: Path) -> None:
    (tmp_path / "b.yml").write_text("x: $${LETTERS} ${UNSET}")
    (tmp_path / "a.yaml").write_text("x: ${QUAY_TOKEN}")
    (tmp_path / "c.txt").write_text("${OTHER}")
    more = {"QUAY_TOKEN": "q", "OTHER": "o", "LETTERS": "l"}
    with FarSide(NOTHING) as board:
        ended = call(board.url(""), "apply", str(tmp_path), more=more)

    sent = body_of(board.requests[0])
    assert ended.code == 0
    assert [one["name"] for one in sent["files"]] == ["a.yaml", "b.yml"]
    assert sent["references"] == {"QUAY_TOKEN": "q"}


@pytest.mark.parametrize("name", ["OPSBOARD_TOKEN", "OPSBOARD_CONFIG_KEY"])
def test_what_opens_the_board_is_never_sent(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.yaml").write_text(f"x: ${{{name}}}")
    with FarSide(NOTHING) as board:
        ended = call(board.url(""), "apply", str(tmp_path), more={"OPSBOARD_CONFIG_KEY": "k" * 32})

    assert (ended.code, board.connections) == (2, 0)


@pytest.mark.parametrize("name", ["missing.yaml", "empty"])
def test_files_that_are_not_there(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()

    assert call("http://127.0.0.1:9", "apply", str(tmp_path / name)).code == 2
