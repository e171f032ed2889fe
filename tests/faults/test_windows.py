"""A clause over a window, against a far side that fails now and then."""

import pytest

from tests.faults.report import Outcome

pytestmark = pytest.mark.servers


def test_one_failure_in_five_is_failing_within_90_s_and_one_alert_and_does_not_flap(
    one_in_five_outcome: Outcome,
) -> None:
    assert not one_in_five_outcome.broken, one_in_five_outcome.line()
