"""A day of single failures, recorded as workers record them, and nobody is woken."""

import random

import pytest

from opsboard.alerts.models import Channel, Delivery
from opsboard.alerts.planning import react
from opsboard.incidents.models import Incident
from opsboard.outbound.reply import Reply
from opsboard.probes.models import Kind, Observation, Probe, StateChange, microseconds, moment
from opsboard.probes.orders import Order, compile_order
from opsboard.probes.recording import record
from opsboard.probes.results import Result, judge_result
from opsboard.probes.rules import Standing, State
from opsboard.probes.schedule import Claim
from tests.company import BAD, GOOD, NOON, SECOND, a_path, a_probe, a_service

pytestmark = pytest.mark.django_db

MINUTE = 60 * SECOND
TURNS = 24 * 60
ONE_IN = 100


class Day:
    """One probe's day on a clock of its own: each turn is claimed, judged and recorded."""

    def __init__(self, patience: int) -> None:
        path = a_path(a_service(), interval=MINUTE, patience=patience)
        probe = a_probe(path, now=NOON)
        for_pages = Probe.objects.for_pages().prefetch_related("environment__variables")
        self.order: Order = compile_order(for_pages.get(pk=probe.pk))
        self.standing = Standing(since=microseconds(NOON))
        self.at = microseconds(NOON)

    def ask(self, reply: Reply, kind: Kind = Kind.SCHEDULED) -> bool:
        """One turn; whether it is to be asked again at once."""
        self.at += MINUTE if kind is Kind.SCHEDULED else 3 * SECOND
        claim = Claim(
            probe_id=self.order.probe_id,
            claim_id=1,
            order_version=1,
            interval=MINUTE,
            timeout=10 * SECOND,
            slot_at=self.at,
            grid_at=self.at,
            kind=kind,
            spread_key="",
            standing=self.standing,
        )
        Probe.objects.filter(pk=self.order.probe_id).update(claim_id=1)
        result = judge_result(claim, self.order, reply, asked_at=self.at)
        assert record([result], now=self.at, react=told) == 0
        self.standing = result.turn.standing
        return result.turn.asks_again


def told(result: Result) -> None:
    order = result.order
    react(order.path_id, order.environment_id, now=moment(result.asked_at))


def a_channel() -> None:
    channel = Channel(name="everybody", kind=Channel.Kind.EMAIL)
    channel.keep(address="ops@example.com")
    channel.save()


def test_a_day_in_which_one_reply_in_a_hundred_fails_alone_pages_nobody():
    a_channel()
    days = [Day(patience) for patience in (2, 3)]
    chance = random.Random(4)
    failed = 0
    for _ in range(TURNS):
        for day in days:
            is_bad = chance.randrange(ONE_IN) == 0
            failed += is_bad
            if day.ask(BAD if is_bad else GOOD):
                day.ask(GOOD, Kind.ASKED_AGAIN)
    assert failed > TURNS / ONE_IN
    assert Observation.objects.count() == 2 * TURNS + failed
    assert not StateChange.objects.filter(after=State.FAILING).exists()
    assert not Incident.objects.exists()
    assert not Delivery.objects.exists()


def test_two_failures_in_a_row_on_such_a_day_do_page():
    a_channel()
    day = Day(patience=2)
    day.ask(GOOD)
    assert day.ask(BAD)
    day.ask(BAD, Kind.ASKED_AGAIN)
    assert Delivery.objects.get().event == Delivery.Event.FAILING
