"""Talks in the pump's loop: what runs over sockets of its own, not over libcurl's."""

import selectors
from collections.abc import Iterable
from typing import Protocol

from opsboard.outbound.reply import Reply

# Seconds between two looks for whose time has come.
_LOOK_EVERY = 0.005


class Talk(Protocol):
    """`begin`, `act` and `wake` return the reply when it is over, and None until then."""

    # Monotonic seconds: when `wake` is to be called.
    wake_at: float

    @property
    def watches(self) -> dict[int, int]:
        """By descriptor, what of it is waited for. None is closed before `close`."""

    def begin(self) -> Reply | None: ...

    def act(self, descriptor: int, /) -> Reply | None: ...

    def wake(self, now: float) -> Reply | None: ...

    def close(self) -> None: ...


class Talks[Whose]:
    """Who talks, and over which descriptors of the selector; their data there is whose they are."""

    def __init__(self, selector: selectors.BaseSelector) -> None:
        self._selector = selector
        self._running: dict[Whose, tuple[Talk, dict[int, int]]] = {}
        self._look_at = 0.0

    def __bool__(self) -> bool:
        return bool(self._running)

    def begin(self, whose: Whose, talk: Talk) -> Reply | None:
        self._running[whose] = talk, {}
        return self._go_on(whose, talk.begin())

    def act(self, whose: Whose, descriptor: int) -> Reply | None:
        """Nothing to do for one that is over, or for what it no longer waits for."""
        talk, watched = self._running.get(whose, (None, {}))
        if talk is None or descriptor not in watched:
            return None
        return self._go_on(whose, talk.act(descriptor))

    def wake(self, now: float) -> Iterable[tuple[Whose, Reply]]:
        """Wake all whose time has come; those that are over by that."""
        if now < self._look_at:
            return
        self._look_at = now + _LOOK_EVERY
        for whose, (talk, _) in list(self._running.items()):
            if talk.wake_at <= now:
                reply = self._go_on(whose, talk.wake(now))
                if reply:
                    yield whose, reply

    def end(self, whose: Whose) -> None:
        """Whether it is over or not: forget it, and close what it has opened."""
        if whose in self._running:
            talk, watched = self._running.pop(whose)
            for descriptor in watched:
                self._selector.unregister(descriptor)
            talk.close()

    def _go_on(self, whose: Whose, reply: Reply | None) -> Reply | None:
        if reply:
            self.end(whose)
        else:
            self._watch(whose)
        return reply

    def _watch(self, whose: Whose) -> None:
        talk, watched = self._running[whose]
        wanted = talk.watches
        if wanted == watched:
            return
        for descriptor in watched.keys() - wanted.keys():
            self._selector.unregister(descriptor)
        for descriptor, events in wanted.items():
            if descriptor not in watched:
                self._selector.register(descriptor, events, whose)
            elif watched[descriptor] != events:
                self._selector.modify(descriptor, events, whose)
        self._running[whose] = talk, dict(wanted)
