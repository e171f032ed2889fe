"""Servers for the fault tests, and the run that lasts longest, started first and looked at last."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from tests.faults.boards import need_redis_server
from tests.faults.embedded_rows import one_in_five
from tests.faults.postgres import NotHereError, Server, shared_server
from tests.faults.report import Outcome
from tests.faults.rows import one_in_five_lasting


@pytest.fixture(scope="session")
def server() -> Server:
    try:
        need_redis_server()
        return shared_server()
    except NotHereError as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="session", autouse=True)
def _one_in_five(request: pytest.FixtureRequest) -> Iterator[Future[Outcome] | None]:
    """Begun beside the first fault test, since it takes longer than all the others."""
    items = request.session.items
    wanted = any("one_in_five_outcome" in getattr(item, "fixturenames", ()) for item in items)
    with ThreadPoolExecutor(max_workers=1) as pool:
        yield pool.submit(one_in_five, one_in_five_lasting(100)) if wanted else None


@pytest.fixture
def one_in_five_outcome(_one_in_five: Future[Outcome]) -> Outcome:
    return _one_in_five.result()
