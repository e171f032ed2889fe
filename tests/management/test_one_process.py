"""What the embedded board prints, and what it does not."""

import gc
import socket
import sys

import pytest
from cheroot.makefile import StreamWriter

from opsboard.management.one_process import tell_unraisable


@pytest.fixture
def printed(monkeypatch, capfd):
    """What was printed of what nobody could catch."""
    monkeypatch.setattr(sys, "unraisablehook", tell_unraisable)

    def read() -> str:
        gc.collect()
        return capfd.readouterr().err

    return read


def test_a_browser_that_leaves_in_the_middle_of_an_answer_is_not_told_of(printed):
    here, there = socket.socketpair()
    writer = StreamWriter(here)
    writer._write_buf.extend(b"the rest of a page")
    here.close()
    there.close()
    writer.raw._sock = here
    del writer
    assert printed() == ""


class Broken:
    def __del__(self) -> None:
        raise OSError(9, "Bad file descriptor")


def test_anything_else_that_nobody_can_catch_is_told(printed):
    Broken()
    assert "Bad file descriptor" in printed()
