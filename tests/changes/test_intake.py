"""Samples that a program sends: each is looked at, and all of them are taken or none."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from opsboard.changes import intake
from opsboard.changes.intake import Sent, Taken, take
from opsboard.changes.models import Change, Comparison, Sample
from opsboard.changes.refusing import Refused
from opsboard.people.models import AuditEntry
from opsboard.probes.models import microseconds
from opsboard.services.models import Deploy
from tests.changes.measured import a_change, applied, collecting, now, opened
from tests.company import BY

pytestmark = pytest.mark.django_db


def a_sample(**fields: object) -> Sent:
    return replace(Sent(at=now(), latency_us=12_600), **fields)


def sent(change: Change | None = None) -> Comparison:
    return opened(change or a_change(sampling="sent"))


def test_samples_are_kept_as_they_were_sent():
    comparison = sent(a_change(sampling="sent", control=True))
    at = now()
    told = [
        a_sample(at=at, cache="stale", ok=False, db_calls=12),
        a_sample(at=at, is_control=True),
    ]
    assert take(comparison, told, by=BY, now=now()) == Taken(1, 60)
    first, second = Sample.objects.order_by("pk")
    assert (first.at, first.latency, first.cache) == (microseconds(at), 12_600, 3)
    assert (first.is_ok, first.db_calls, first.is_control) == (False, 12, False)
    assert (second.is_ok, second.db_calls, second.is_control) == (True, None, True)
    entry = AuditEntry.objects.get(kind="change", act="sent samples to")
    assert entry.changes[0]["new"] == "2 sent, before"


def test_a_call_that_is_repeated_adds_its_samples_again():
    comparison = sent()
    told = [a_sample()]
    take(comparison, told, by=BY, now=now())
    assert take(comparison, told, by=BY, now=now()).count == 2


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"at": datetime(2026, 11, 28, 12)}, "its time needs an offset"),  # noqa: DTZ001
        ({"at": now() - timedelta(days=8)}, "its time is before"),
        ({"at": now() + timedelta(hours=6)}, "its time is in the future"),
        ({"latency_us": 0}, "its latency is a whole number of microseconds from 1 to 2147483647"),
        ({"latency_us": -5}, "its latency"),
        ({"latency_us": 2**31}, "its latency"),
        ({"latency_us": 1.5}, "its latency"),
        ({"latency_us": True}, "its latency"),
        ({"cache": "HIT"}, "its cache result is none of unknown, hit, miss, stale, bypass"),
        ({"db_calls": -1}, "its database calls"),
        ({"db_calls": 2.5}, "its database calls"),
        ({"is_control": True}, "it is of the control path, and CHG-"),
    ],
)
def test_a_wrong_one_is_named_and_leaves_all_of_them_out(fields: dict[str, object], words: str):
    with pytest.raises(Refused, match=f"^Sample 2: {words}"):
        take(sent(), [a_sample(), a_sample(), a_sample(**fields)], by=BY, now=now())
    assert not Sample.objects.exists()
    assert not AuditEntry.objects.filter(act="sent samples to").exists()


def test_a_baseline_may_be_of_the_seven_days_before_it_but_not_of_the_version_before():
    assert take(sent(), [a_sample(at=now() - timedelta(days=6.9))], by=BY, now=now()).count == 1
    change = a_change(sampling="sent")
    Deploy.objects.create(environment=change.environment, name="v1", at=now() - timedelta(hours=2))
    with pytest.raises(Refused, match=r"^Sample 0: its time is before"):
        take(sent(change), [a_sample(at=now() - timedelta(hours=3))], by=BY, now=now())


def test_after_the_change_nothing_counts_that_was_measured_before_it():
    comparison = applied(a_change(sampling="sent", warm_up_samples=0, warm_up_seconds=0))
    assert comparison.applied_at is not None
    early = comparison.applied_at - timedelta(seconds=1)
    with pytest.raises(Refused, match=r"^Sample 0: its time is before"):
        take(comparison, [a_sample(at=early)], by=BY, now=now())
    assert take(comparison, [a_sample(at=comparison.applied_at)], by=BY, now=now()).count == 1
    assert Sample.objects.get().window.side == "after"


def test_only_the_side_that_collects_is_sent_to():
    comparison = sent()
    with pytest.raises(Refused, match="collects before, not after"):
        take(comparison, [a_sample()], by=BY, now=now(), side="after")
    take(comparison, [a_sample()], by=BY, now=now(), side="before")
    window = collecting(comparison)
    window.sealed_at = now()
    window.save()
    with pytest.raises(Refused, match="The baseline is sealed: nothing is added"):
        take(comparison, [a_sample()], by=BY, now=now())


@pytest.mark.parametrize("sampling", ["probes", "burst"])
def test_a_change_that_is_measured_otherwise_takes_none(sampling: str):
    with pytest.raises(Refused, match="it takes no samples that are sent"):
        take(sent(a_change(sampling=sampling)), [a_sample()], by=BY, now=now())


def test_a_call_has_from_one_to_ten_thousand():
    with pytest.raises(Refused, match="Send at least one sample"):
        take(sent(), [], by=BY, now=now())
    with pytest.raises(Refused, match="At most 10,000 samples go in one call"):
        take(sent(), [a_sample()] * 10_001, by=BY, now=now())


def test_a_side_holds_no_more_than_a_comparison_takes(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(intake, "MOST_SAMPLES", 5)
    comparison = sent(a_change(sampling="sent", control=True))
    take(comparison, [a_sample()] * 4, by=BY, now=now())
    with pytest.raises(Refused, match="has 4: send at most 1 more"):
        take(comparison, [a_sample()] * 2, by=BY, now=now())
    # The control path's are counted by themselves.
    controls = [a_sample(is_control=True)] * 5
    assert take(comparison, [a_sample(), *controls], by=BY, now=now()).count == 5
