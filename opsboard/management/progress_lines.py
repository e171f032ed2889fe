"""How far a command is, for whoever sits before it: a line a second, once it takes longer."""

import time
from collections.abc import Callable

# Seconds before the first line, and between two of them.
PATIENCE = 1.5
EVERY = 1.0


class Lines:
    """Nothing is said where nobody looks: what goes into a file or a mail is the outcome."""

    def __init__(
        self,
        write: Callable[[str], object],
        *,
        is_terminal: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._write, self._is_terminal, self._clock = write, is_terminal, clock
        self._next = clock() + PATIENCE

    def tell(self, what: str, done: int, total: int) -> None:
        now = self._clock()
        if not self._is_terminal or now < self._next:
            return
        self._next = now + EVERY
        self._write(f"{done:,} of {total:,} {what}" if total else what)
