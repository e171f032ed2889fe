"""PostgreSQL is restarted while programs give evidence: none of it is lost, and none kept twice."""

import pytest

from tests.faults.evidence_rows import evidence_while_the_database_restarts
from tests.faults.postgres import NotHereError, own_cluster
from tests.faults.rig import Scale

pytestmark = pytest.mark.servers


def test_evidence_is_kept_once_though_the_database_restarts_under_its_programs() -> None:
    try:
        with own_cluster() as cluster:
            outcome = evidence_while_the_database_restarts(cluster, Scale(probes=0, times=2))
    except NotHereError as reason:
        pytest.skip(str(reason))
    assert not outcome.broken, outcome.line()
