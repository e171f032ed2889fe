"""Machines that a test opens are closed after it, whatever became of the test."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from opsboard.outbound.http import Asker
from tests.far_side import FarSide


@pytest.fixture
def far_side() -> Iterator[Callable[..., FarSide]]:
    """`far_side(behaviour, address=…, tls=…, reads=…)` opens one more machine."""
    with ExitStack() as stack:
        yield lambda *behaviour, **options: stack.enter_context(FarSide(*behaviour, **options))


@pytest.fixture
def asker() -> Iterator[Asker]:
    asker = Asker()
    asker.start()
    yield asker
    asker.stop()
