"""The demo beside the embedded board. Without one in the data directory, nothing of it is read."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils import timezone

from opsboard.management.first_look import CannotStartError

if TYPE_CHECKING:
    from opsboard.demo.running import SampleServices

log = logging.getLogger(__name__)
DIRECTORY = "demo"


class Beside:
    """Nothing beside the board."""

    lines: tuple[str, ...] = ()

    def put_on_board(self, *, now: datetime) -> None:
        pass

    def look(self) -> None:
        pass


class Resting(Beside):
    """The demo was put on this board before, and its sample services are not started now."""

    def put_on_board(self, *, now: datetime) -> None:
        from opsboard.demo.loading import names, rest

        if not names("service"):
            return
        rest(location=settings.HOME_LOCATION, now=now)
        self.lines = (
            "The sample services of the demo are not running, so its paths are paused: "
            "start with --demo to go on, or take the demo off with script/up --remove-demo.",
        )


class Demo(Beside):
    def __init__(self, samples: "SampleServices") -> None:
        self._samples = samples
        self._said = False

    def put_on_board(self, *, now: datetime) -> None:
        from opsboard.demo.loading import CannotLoad, begin, load
        from opsboard.demo.running import DidNotStart

        try:
            load(
                self._samples.directory,
                self._samples.sites,
                location=settings.HOME_LOCATION,
                now=now,
            )
            self._samples.wait()
            begin(now=timezone.now())
        except (CannotLoad, DidNotStart) as refusal:
            raise CannotStartError(str(refusal)) from None
        self.lines = (f"Sample services: {self._samples.sites['fastapi']}/__switch/",)

    def look(self) -> None:
        if (part := self._samples.ended()) and not self._said:
            log.critical("The sample services in %s ended by themselves. Start again.", part)
            self._said = True


@contextmanager
def demo_beside(data: Path, *, wanted: bool) -> Iterator[Beside]:
    directory = data / DIRECTORY
    if not wanted:
        yield Resting() if directory.exists() else Beside()
        return
    try:
        from opsboard.demo.running import SampleServices
    except ImportError as error:
        raise CannotStartError(f"The demo lacks {error.name}: start it with script/up.") from None
    samples = SampleServices(directory)
    samples.start()
    try:
        yield Demo(samples)
    finally:
        samples.stop()
