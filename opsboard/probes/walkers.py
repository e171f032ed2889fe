"""Walks over an Asker, beside all else that it asks."""

import time

from opsboard.outbound.egress import Policy
from opsboard.outbound.http import Asker
from opsboard.outbound.reply import Ask, Reply
from opsboard.outbound.starts import FOREVER
from opsboard.probes.walking import Walk

SECOND = 1_000_000


class Walker:
    """One walk under way. Its asks go out one after another, each under a key that is given."""

    def __init__(self, walk: Walk, asker: Asker, policy: Policy) -> None:
        self.walk = walk
        # When the first ask really started, in monotonic seconds.
        self.started = 0.0
        self._asker = asker
        self._policy = policy

    def begin(self, key: object, *, at: float, by: float = FOREVER) -> None:
        """Ask the first at `at`, or not at all when it finds no place until `by`."""
        # The first step of a path needs nothing, and has all the time: it can always be asked.
        self._send(self.walk.begin(), key, at, by)

    def goes_on(self, key: object, started: float, reply: Reply) -> bool:
        """Take a reply, and ask on under `key` unless the walk is over."""
        self.started = self.started or started
        elapsed = round((time.monotonic() - self.started) * SECOND)
        spent = self.walk.spent + reply.phases.total
        ask = self.walk.hear(reply, own_delay=max(0, elapsed - spent))
        return self._send(ask, key, time.monotonic())

    def breaks_off(self, key: object, *, left: float) -> bool:
        """Give up the reply that is waited for, and clean up under another key in `left` seconds.

        False when it cannot, or already does: then the reply may still come in time.
        """
        if not self.walk.can_clean_up:
            return False
        return self._send(self.walk.break_off(round(left * SECOND)), key, time.monotonic())

    def _send(self, ask: Ask | None, key: object, at: float, by: float = FOREVER) -> bool:
        if ask is not None:
            self._asker.ask(ask, policy=self._policy, at=at, by=by, key=key)
        return ask is not None
