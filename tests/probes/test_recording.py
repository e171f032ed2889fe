"""Recording: under the claim it was asked under, all of a change or nothing of it."""

from datetime import UTC, datetime

import pytest
from django.db import transaction

from opsboard.outbound.reply import Failure, Phases, Reply
from opsboard.probes.models import (
    Exchange,
    Gap,
    Kind,
    Observation,
    Probe,
    StateChange,
    stand_up,
)
from opsboard.probes.recording import record
from opsboard.probes.results import Result
from opsboard.probes.schedule import database_now
from tests.company import (
    BAD,
    GOOD,
    SECOND,
    a_path,
    a_probe,
    claims,
    make_due,
    production,
    result_of,
)

pytestmark = pytest.mark.django_db


def quiet(_: Result) -> None:
    pass


def turn(probe: Probe, reply: Reply) -> None:
    make_due(probe)
    [taken] = [one for one in claims() if one.probe_id == probe.pk]
    assert record([result_of(taken, reply)], now=database_now(), react=quiet) == 0
    Probe.objects.filter(pk=probe.pk).update(ask_now_at=None)
    probe.refresh_from_db()


def test_an_observation_is_stored_and_the_schedule_moves_on():
    probe = a_probe()
    turn(probe, GOOD)
    observation = Observation.objects.get(probe=probe)
    assert (observation.status, observation.total, observation.kind) == (200, 20_000, 0)
    assert probe.state == "passing"
    assert probe.claim_id is None
    assert database_now() < probe.slot_at <= database_now() + probe.interval


def test_a_worker_that_comes_back_late_changes_nothing():
    probe = a_probe()
    [late] = claims()
    Probe.objects.filter(pk=probe.pk).update(leased_until=database_now() - 1)
    [second] = claims()
    assert record([result_of(second, GOOD)], now=database_now(), react=quiet) == 0
    assert record([result_of(late, BAD)], now=database_now(), react=quiet) == 1
    probe.refresh_from_db()
    assert probe.state == "passing"
    assert Observation.objects.count() == 1


def test_a_late_change_is_dropped_as_well():
    probe = a_probe(a_path(patience=1))
    [late] = claims()
    stand_up(probe.path.service, now=datetime.now(UTC), location="default")
    assert record([result_of(late, BAD)], now=database_now(), react=quiet) == 1
    assert not StateChange.objects.exists()
    assert not Observation.objects.exists()


def test_a_result_written_twice_is_one_observation():
    a_probe()
    [taken] = claims()
    result = result_of(taken, GOOD)
    record([result], now=database_now(), react=quiet)
    record([result], now=database_now(), react=quiet)
    assert Observation.objects.count() == 1


def test_a_change_whose_reaction_breaks_leaves_nothing_behind():
    probe = a_probe(a_path(patience=1))
    [taken] = claims()

    def break_down(_: Result) -> None:
        raise RuntimeError

    with pytest.raises(RuntimeError), transaction.atomic():
        record([result_of(taken, BAD)], now=database_now(), react=break_down)
    probe.refresh_from_db()
    assert probe.state == "no_data"
    assert probe.claim_id == taken.claim_id
    assert not Observation.objects.exists()


def test_a_first_disagreement_is_asked_again_in_seconds_as_its_own_kind():
    probe = a_probe()
    turn(probe, GOOD)
    make_due(probe)
    [taken] = claims()
    record([result_of(taken, BAD)], now=database_now(), react=quiet)
    probe.refresh_from_db()
    assert probe.ask_now_at is not None
    assert probe.ask_now_kind == Kind.ASKED_AGAIN
    assert 2 * SECOND < probe.ask_now_at - database_now() < 4 * SECOND


def test_a_re_ask_confirms_and_leaves_the_grid_where_it_was():
    probe = a_probe()
    turn(probe, GOOD)
    turn(probe, BAD)
    # Not so near that a claim would take it in the same turn.
    grid = database_now() + 10 * SECOND
    Probe.objects.filter(pk=probe.pk).update(
        slot_at=grid, ask_now_at=database_now() - 1, ask_now_kind=Kind.ASKED_AGAIN
    )
    [taken] = claims()
    record([result_of(taken, BAD)], now=database_now(), react=quiet)
    probe.refresh_from_db()
    assert (probe.state, probe.slot_at) == ("failing", grid)
    kinds = [one.kind for one in Observation.objects.order_by("slot_at")]
    assert kinds == [Kind.SCHEDULED, Kind.SCHEDULED, Kind.ASKED_AGAIN]


def test_slots_that_pass_while_a_probe_is_in_flight_are_missed():
    probe = a_probe(a_path(interval=SECOND, timeout=10 * SECOND))
    make_due(probe)
    [taken] = claims()
    record([result_of(taken, GOOD)], now=taken.slot_at + 5 * SECOND, react=quiet)
    assert Gap.objects.get(probe=probe).slots in (4, 5)


def test_an_error_of_our_own_is_recorded_as_such_with_its_reason():
    probe = a_probe()
    turn(probe, GOOD)
    refusal = Reply(
        failure=Failure.EGRESS_DENIED, detail="127.0.0.1 is blocked: rule loopback.", is_ours=True
    )
    turn(probe, refusal)
    assert probe.state == "no_data"
    assert probe.reason == "127.0.0.1 is blocked: rule loopback."


def test_the_reply_of_a_failing_path_is_kept_with_its_secrets_masked():
    path = a_path()
    variable = production(path.service).variables.create(name="TOKEN", is_secret=True)
    variable.keep("s3cr3t-t0ken/+")
    variable.save()
    path.headers = [["Authorization", "Bearer {{ TOKEN }}"]]
    path.save()
    probe = a_probe(path)
    turn(
        probe,
        Reply(
            status=500,
            headers=(("X-Echo", "Bearer s3cr3t-t0ken/+"), ("Set-Cookie", "a=b")),
            body=b"you sent s3cr3t-t0ken/+ and s3cr3t-t0ken%2F%2B\x00\x07" + b"x" * 9000,
            phases=Phases(total=1000),
        ),
    )
    kept = Exchange.objects.get(probe=probe)
    assert kept.headers == [["X-Echo", "Bearer [secret]"], ["Set-Cookie", "[hidden]"]]
    assert kept.excerpt.startswith("you sent [secret] and [secret]��xxx")
    assert len(kept.excerpt.encode()) <= 4096


def test_a_variable_that_is_not_set_is_our_own_error_and_says_which():
    probe = a_probe(a_path(headers=[["Authorization", "Bearer {{ TOKEN }}"]]))
    [taken] = claims()
    from opsboard.probes.orders import compile_order

    order = compile_order(probe)
    assert "TOKEN" in order.problem
    assert "production" in order.problem
    assert order.refusal().is_ours
    assert taken.probe_id == probe.pk


def test_hostile_text_is_stored_without_its_control_characters():
    probe = a_probe(a_path(expected_result='body contains "x"', patience=1))
    turn(probe, Reply(status=200, body=b"\x00\x1b[31mred", phases=Phases(total=10)))
    observation = Observation.objects.get(probe=probe)
    assert "\x00" not in observation.reason
    assert "\x1b" not in observation.reason


def test_a_wave_of_many_results_is_recorded_as_one():
    probes = [a_probe() for _ in range(40)]
    taken = claims()
    record([result_of(one, GOOD) for one in taken], now=database_now(), react=quiet)
    assert Observation.objects.count() == len(probes)
    assert Probe.objects.filter(state="passing", claim_id=None).count() == len(probes)
