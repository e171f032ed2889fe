"""A path's own patience to recover, from its sheet to what is stored."""

import pytest

from opsboard.outbound.reply import Reply
from opsboard.probes.models import Probe, StateChange
from opsboard.probes.recording import record
from opsboard.probes.schedule import database_now
from tests.company import BAD, GOOD, a_path, a_probe, claims, make_due, result_of

pytestmark = pytest.mark.django_db


def gets(probe: Probe, *replies: Reply) -> list[str]:
    states = []
    for reply in replies:
        make_due(probe)
        [taken] = claims()
        record([result_of(taken, reply)], now=database_now(), react=lambda _: None)
        probe.refresh_from_db()
        states.append(probe.state)
    return states


@pytest.mark.parametrize(
    ("patience", "to_recover", "replies", "states"),
    [
        (1, 3, [GOOD, BAD, GOOD, GOOD, GOOD], "pfffp"),
        (1, None, [GOOD, BAD, GOOD], "pfp"),
        (3, 1, [GOOD, BAD, BAD, BAD, GOOD], "pppfp"),
    ],
)
def test_what_is_stored_between_two_turns_is_long_enough_for_both(
    patience: int, to_recover: int | None, replies: list[Reply], states: str
):
    probe = a_probe(a_path(patience=patience, patience_to_recover=to_recover))
    found = gets(probe, *replies)
    assert "".join(state[0] for state in found) == states
    assert StateChange.objects.filter(probe=probe).count() == 3
