"""Whether it is we who cannot see: counts and looks in, an opinion out."""

import pytest

from opsboard.outbound.looked import Looked
from opsboard.outbound.reply import Failure
from opsboard.probes.blindness import Cause, Seen, explains, opinion, reason

WELL = Looked()
SILENT_CANARY = Looked(names_canaries=True)
REFUSED = frozenset({Failure.REFUSED})
DNS = frozenset({Failure.DNS})


def seen(asked: int, failed: int, watched: int = 300) -> Seen:
    return Seen(asked=asked, failed=failed, watched=watched)


@pytest.mark.parametrize(
    ("asked", "failed", "watched", "cause"),
    [
        (20, 5, 300, Cause.NO_CANARY),
        (20, 4, 300, None),  # a fifth is not more than a fifth
        (4, 4, 300, None),  # four are no handful
        (5, 2, 300, Cause.NO_CANARY),
        (3, 1, 3, Cause.NO_CANARY),  # all that there are
        (3, 0, 3, None),
    ],
)
def test_without_a_canary_more_than_a_fifth_of_a_handful_has_to_fail(
    asked: int, failed: int, watched: int, cause: Cause | None
):
    assert opinion(REFUSED, seen(asked, failed, watched), SILENT_CANARY) is cause


def test_while_a_canary_answers_every_probe_may_fail():
    answers = Looked(names_canaries=True, canary_answers=True, has_way_out=False)
    assert opinion(REFUSED, seen(300, 300), answers) is None


def test_without_canaries_a_machine_with_a_network_believes_what_fails():
    assert opinion(REFUSED, seen(300, 300), WELL) is None


def test_a_machine_without_any_network_is_blind_at_the_first_failure():
    assert opinion(REFUSED, seen(1, 1), Looked(has_way_out=False)) is Cause.NO_WAY_OUT


def test_no_route_to_somewhere_is_ours_only_without_a_default_route():
    unreachable = frozenset({Failure.UNREACHABLE})
    assert opinion(unreachable, seen(9, 9), Looked(has_default_route=False)) is Cause.NO_ROUTE
    assert opinion(unreachable, seen(9, 9), WELL) is None
    assert opinion(REFUSED, seen(9, 9), Looked(has_default_route=False)) is None


def test_silent_name_servers_explain_names_that_are_not_found_and_nothing_else():
    silent = Looked(names_canaries=True, canary_answers=True, resolver_answers=False)
    assert opinion(DNS, seen(9, 1), silent) is Cause.NO_RESOLVER
    assert opinion(REFUSED, seen(9, 9), silent) is None
    assert explains(Cause.NO_RESOLVER, Failure.DNS)
    assert not explains(Cause.NO_RESOLVER, Failure.TIMEOUT)


@pytest.mark.parametrize("cause", list(Cause))
def test_no_cause_explains_what_a_far_side_said(cause: Cause):
    for said in (Failure.RESET, Failure.PROTOCOL, Failure.TLS_EXPIRED, Failure.TOO_LARGE):
        assert not explains(cause, said)


@pytest.mark.parametrize("cause", list(Cause))
def test_the_reason_is_one_plain_sentence_with_the_place_and_what_to_look_at(cause: Cause):
    said = reason(cause, "oslo")
    assert "in the location oslo" in said and "look at" in said
    assert said.endswith(".") and said.count(".") <= 2 and len(said) < 250
