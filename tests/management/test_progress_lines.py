"""A command that takes long says how far it is to a terminal, and to nobody else."""

from opsboard.management.progress_lines import Lines


class Seconds:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def told(*, is_terminal: bool) -> list[str]:
    lines: list[str] = []
    clock = Seconds()
    tell = Lines(lines.append, is_terminal=is_terminal, clock=clock).tell
    for clock.now, done in ((0.1, 0), (1.4, 500), (1.6, 1_000), (2.0, 1_500), (2.7, 2_000)):
        tell("paths", done, 5_000)
    return lines


def test_a_terminal_hears_once_it_takes_long_and_at_most_once_a_second():
    assert told(is_terminal=True) == ["1,000 of 5,000 paths", "2,000 of 5,000 paths"]


def test_a_file_hears_nothing():
    assert told(is_terminal=False) == []
