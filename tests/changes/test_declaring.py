"""A change is declared whole, and its settings are locked before anything is measured."""

import math
from contextlib import suppress
from dataclasses import replace

import pytest

from opsboard.changes.baselines import open_baseline
from opsboard.changes.declaring import Wanted, check, declare, edit, wanted_of, withdraw
from opsboard.changes.models import Change, Comparison
from opsboard.changes.refusing import Refused
from opsboard.people.models import AuditEntry
from opsboard.probes.models import stand_up
from opsboard.services.models import CriticalPath
from tests.changes.measuring import (
    CI,
    LONG_AGO,
    a_baseline,
    a_change,
    a_measured_path,
    a_sealed_baseline,
    an_applied_change,
    minutes,
    wanted,
)
from tests.company import NOON, a_path, a_service, production
from tests.incidents.test_at_the_same_time import side_by_side

pytestmark = pytest.mark.django_db


@pytest.fixture
def path(db: None) -> CriticalPath:
    return a_measured_path()


def beside(path: CriticalPath, **fields: object) -> CriticalPath:
    """Another path of its service."""
    other = a_path(path.service, **fields)
    stand_up(path.service, now=LONG_AGO, location="default")
    return other


def test_it_is_kept_as_it_was_declared(path, editor):
    made = wanted(
        path,
        title="  Ask for all fares at once ",
        commit="9FCEB02D",
        variables=["query", "query"],
        assumptions=["The load stays as it is.", ""],
        commands=["make deploy"],
        guardrails=["p95"],
        goal=0.3,
    )
    assert check(made) == {}
    change = declare(made, by=CI, now=NOON)
    assert str(change) == f"CHG-{change.pk:04d}"
    assert (change.title, change.commit) == ("Ask for all fares at once", "9fceb02d")
    assert (change.variables, change.assumptions) == (["query"], ["The load stays as it is."])
    assert (change.declared_at, change.declared_as) == (NOON, CI.who)
    entry = AuditEntry.objects.get(kind="change")
    assert (entry.act, entry.subject) == ("added", str(change))


def test_more_than_one_variable_can_be_declared(path):
    assert check(wanted(path, variables=["query", "config"])) == {}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", ""),
        ("title", "x" * 201),
        ("title", "two\nlines"),
        ("purpose", "x" * 301),
        ("variables", []),
        ("variables", ["luck"]),
        ("commit", "9fceb0"),
        ("commit", "not hexadecimal"),
        ("commit", "a" * 65),
        ("version", "-1"),
        ("assumptions", ["x"] * 21),
        ("assumptions", ["x" * 501]),
        ("commands", ["rm\0"]),
        ("metric", "happiness"),
        ("aim", "win"),
        ("sampling", "luck"),
        ("mode", "warm"),
        ("samples", 59),
        ("samples", 100_001),
        ("margin", 0.009),
        ("margin", 1.01),
        ("margin", math.nan),
        ("margin", math.inf),
        ("equivalence", 0.05),
        ("equivalence", math.nan),
        ("rate", 0.09),
        ("rate", 10.1),
        ("warm_up_seconds", -1),
        ("warm_up_seconds", 3601),
        ("warm_up_samples", -1),
        ("lasts", 0),
        ("lasts", 169),
        ("goal", -0.1),
        ("goal", 1.0),
        ("guardrails", ["p99"]),
        ("guardrails", ["time"]),
        ("guardrails", ["path:nowhere"]),
        ("guardrails", ["p95"] * 2 + [f"path:{n}" for n in range(20)]),
        ("location", "oslo-1"),
        ("mode", "misses"),
    ],
)
def test_what_is_wrong_is_said_by_its_field(path, field, value):
    problems = check(wanted(path, **{field: value}))
    assert list(problems) == [field]
    assert problems[field].endswith(".")
    with pytest.raises(Refused):
        declare(wanted(path, **{field: value}), by=CI, now=NOON)
    assert not Change.objects.exists()


@pytest.mark.parametrize(
    "more",
    [
        {"samples": 60}, {"samples": 100_000}, {"margin": 0.01}, {"margin": 1.0},
        {"equivalence": 0.1}, {"equivalence": 0.2}, {"rate": 0.1}, {"rate": 10.0},
        {"warm_up_seconds": 0}, {"warm_up_seconds": 3600}, {"lasts": 1}, {"lasts": 168},
        {"goal": 0.0}, {"goal": 0.99}, {"commit": "a" * 7}, {"commit": "a" * 64},
        {"sampling": "burst", "mode": "misses"}, {"sampling": "burst", "mode": "hit and miss"},
        {"sampling": "sent"}, {"metric": "db calls", "guardrails": ["time", "p95"]},
    ],
)  # fmt: skip
def test_the_ends_of_what_is_allowed_are_allowed(path, more):
    assert check(wanted(path, **more)) == {}


def test_the_path_is_one_of_the_service_that_is_asked_there(path):
    staging = path.service.environments.create(slug="staging", base_url="http://127.0.0.1:9")
    path.environments.set([staging])
    assert list(check(wanted(path))) == ["path"]
    assert list(check(replace(wanted(path), path=a_measured_path()))) == ["path"]
    assert check(wanted(path, environment=staging)) == {}


def test_the_environment_is_one_of_the_service(path):
    assert list(check(wanted(path, environment=production(a_service())))) == ["environment"]


@pytest.mark.parametrize("what", ["service", "path", "environment"])
def test_nothing_of_it_was_removed(path, what):
    made = wanted(path)
    getattr(made, what).remove(by=None, now=NOON)
    assert list(check(made)) == [what]


def test_the_control_is_another_path_of_the_service_asked_there(path):
    other = beside(path)
    assert check(wanted(path, control=other)) == {}
    assert list(check(wanted(path, control=path))) == ["control"]
    assert list(check(wanted(path, control=a_measured_path()))) == ["control"]
    other.environments.set(
        [path.service.environments.create(slug="staging", base_url="http://127.0.0.1:9")]
    )
    assert list(check(wanted(path, control=other))) == ["control"]


def test_a_guarded_path_is_another_one_of_the_service(path):
    other = beside(path)
    assert check(wanted(path, guardrails=[f"path:{other.slug}"])) == {}
    assert list(check(wanted(path, guardrails=[f"path:{path.slug}"]))) == ["guardrails"]
    assert list(check(wanted(path, guardrails=[f"path:{a_path().slug}"]))) == ["guardrails"]


@pytest.mark.parametrize(
    ("kind", "more", "fields"),
    [
        ("heartbeat", {}, ["path"]),
        ("tcp", {}, []),
        ("tcp", {"metric": "db calls"}, ["metric"]),
        ("dns", {"guardrails": ["db calls"]}, ["guardrails"]),
        ("tls", {"sampling": "burst"}, ["sampling"]),
    ],
)
def test_a_kind_of_path_that_cannot_be_compared_so_is_told(path, kind, more, fields):
    path.kind = kind
    path.save()
    assert list(check(wanted(path, **more))) == fields


@pytest.mark.parametrize(
    ("fields", "can"),
    [
        ({"method": "GET"}, True),
        ({"method": "HEAD"}, True),
        ({"method": "POST"}, False),
        ({"steps": [{"name": "one", "method": "POST"}]}, True),
        ({"steps": [{"name": "one"}, {"name": "two"}]}, False),
    ],
)
def test_misses_are_asked_of_what_can_be_asked_past_a_cache(fields, can):
    path = a_measured_path(**fields)
    problems = check(wanted(path, sampling="burst", mode="misses"))
    assert list(problems) == ([] if can else ["mode"])


# Editing ---------------------------------------------------------------------------------------


def other(change: Change, **more: object) -> Wanted:
    """As it is, with something else."""
    return replace(wanted_of(change), **more)  # type: ignore[arg-type]


def test_all_of_it_can_be_edited_before_anything_is_measured():
    change = a_change()
    edit(change, other(change, samples=300, variables=["index"], title="T"), by=CI, now=NOON)
    assert (change.samples, change.variables, change.title) == (300, ["index"], "T")
    entry = AuditEntry.objects.get(act="changed")
    assert [one["field"] for one in entry.changes] == ["title", "variables", "samples"]


@pytest.mark.parametrize(
    "more",
    [
        {"samples": 300}, {"margin": 0.2}, {"variables": ["index"]}, {"metric": "db calls"},
        {"aim": "keep"}, {"goal": 0.2}, {"guardrails": ["p95"]}, {"sampling": "sent"},
        {"equivalence": 0.2}, {"rate": 1.0}, {"warm_up_seconds": 0}, {"lasts": 2},
    ],
)  # fmt: skip
def test_settings_are_locked_once_a_baseline_was_opened(more):
    change = a_change()
    comparison = a_baseline(change)
    with pytest.raises(Refused, match="cannot be edited any more"):
        edit(change, other(change, **more), by=CI, now=minutes(1))
    Comparison.objects.filter(pk=comparison.pk).update(given_up_at=minutes(1))
    with pytest.raises(Refused, match="cannot be edited any more"):
        edit(change, other(change, **more), by=CI, now=minutes(2))


def test_what_is_said_of_it_can_be_edited_until_it_is_applied():
    change = a_change()
    a_sealed_baseline(change)
    more = {
        "title": "T", "purpose": "P", "version": "2", "commit": "a" * 40,
        "assumptions": ["A"], "commands": ["C"],
    }  # fmt: skip
    edit(change, other(change, **more), by=CI, now=minutes(1))
    assert (change.title, change.commands) == ("T", ["C"])


def test_nothing_of_it_can_be_edited_when_it_was_applied():
    change = a_change()
    an_applied_change(change)
    with pytest.raises(Refused, match="was applied"):
        edit(change, other(change, commit="a" * 40), by=CI, now=minutes(3))
    assert Change.objects.get().commit == ""


def test_edited_to_what_it_is_it_leaves_no_trace():
    change = a_change()
    edit(change, wanted_of(change), by=CI, now=NOON)
    assert not AuditEntry.objects.filter(act="changed").exists()


def test_it_is_edited_as_it_is_now_and_not_as_it_was_read():
    change = a_change()
    read_before = Change.objects.get()
    withdraw(change, by=CI, now=minutes(1))
    with pytest.raises(Refused, match="was withdrawn"):
        edit(read_before, other(read_before, title="T"), by=CI, now=minutes(2))


@pytest.mark.django_db(transaction=True)
def test_edited_beside_its_baseline_it_is_edited_before_or_not_at_all():
    change = a_change()
    wanted = other(change, samples=300)

    def editing() -> None:
        with suppress(Refused):
            edit(Change.objects.get(), wanted, by=CI, now=NOON)

    side_by_side([editing, lambda: open_baseline(change, by=CI, now=NOON)])
    acts = AuditEntry.objects.filter(kind="change").order_by("pk").values_list("act", flat=True)
    is_edited = Change.objects.get().samples == 300
    ours = [act for act in acts if act in ("changed", "opened a baseline")]
    assert ours == ["changed", "opened a baseline"][0 if is_edited else 1 :]


# Withdrawing -----------------------------------------------------------------------------------


def test_a_withdrawn_change_keeps_its_attempts_and_goes_no_further(editor):
    change = a_change()
    comparison = a_sealed_baseline(change)
    withdraw(change, by=CI, now=minutes(2))
    withdraw(change, by=CI, now=minutes(3))
    comparison.refresh_from_db()
    assert (change.withdrawn_at, comparison.given_up_at) == (minutes(2), minutes(2))
    assert AuditEntry.objects.filter(act="withdrew").count() == 1
    with pytest.raises(Refused, match="was withdrawn"):
        open_baseline(change, by=CI, now=minutes(4))
    with pytest.raises(Refused, match="was withdrawn"):
        edit(change, other(change, title="T"), by=CI, now=minutes(4))
