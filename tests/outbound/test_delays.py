"""What our own loop kept a request waiting is told as if each delay had been written down at it."""

from hypothesis import given
from hypothesis import strategies as st

from opsboard.outbound.delays import Delays


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 30))), st.integers(0, 400))
def test_the_worst_delay_since_a_start_is_that_of_all_that_happened(
    happened: list[tuple[int, int]], start: int
):
    delays, end, worst = Delays(), 0, 0.0
    for pause, length in happened:
        end += pause
        delays.happened(length, end)
        if end > start:
            worst = max(worst, min(length, end - start))
    assert delays.worst_since(start) == worst


def test_what_lies_long_back_is_forgotten():
    delays = Delays()
    for length, end in ((1_000, 0), (10, 500), (1, 501)):
        delays.happened(length, end)
    assert delays.worst_since(-1) == 10
