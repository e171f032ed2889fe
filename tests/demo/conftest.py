"""The sample services as the board starts them, once for all tests of a module."""

from collections.abc import Iterator

import pytest

from opsboard.demo.running import SampleServices


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SampleServices]:
    services = SampleServices(tmp_path_factory.mktemp("demo"))
    services.start()
    try:
        services.wait()
        yield services
    finally:
        services.stop()
