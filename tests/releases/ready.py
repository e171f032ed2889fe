"""A release that is ready, as plain values; tests take away or spoil one thing."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from opsboard.releases.assessing import assess
from opsboard.releases.facts import (
    ChangeSeen,
    Chosen,
    EvidenceSeen,
    Facts,
    NoteSeen,
    PathSeen,
    PlaceSeen,
    ReleaseSeen,
    ServiceSeen,
)
from opsboard.releases.rules import GateState, OverrideSeen, Stop
from opsboard.rollbacks.rules import RehearsalSeen
from tests.company import NOON

COMMIT = "9f3c1ab" + "0" * 33
OTHER = "1a2b3c4" + "0" * 33
MOMENT = timedelta(microseconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
COUNTS = {"collected": 12, "passed": 11, "failed": 0, "skipped": 1}


def evidence(gate: str, **fields: Any) -> EvidenceSeen:
    values: dict[str, Any] = {
        "evidence_id": 1, "gate": gate, "outcome": "passed", "commit": COMMIT, "environment": "",
        "started_at": NOON - HOUR, "finished_at": NOON - HOUR + MINUTE,
        "received_at": NOON - HOUR + MINUTE, "counts": COUNTS, "by": "CI run 18204",
    }  # fmt: skip
    if gate in ("integration", "config"):
        values["environment"] = "staging"
    if gate == "config":
        values |= {"facts": {"root": "r1"}, "counts": {}}
    if gate == "tag":
        values |= {"facts": {"tag": "v4", "object": COMMIT}, "counts": {}}
    return EvidenceSeen(**(values | fields))


def path(name: str = "Price a crossing", **fields: Any) -> PathSeen:
    values: dict[str, Any] = {
        "name": name, "state": "passing", "since": NOON - 30 * MINUTE,
        "first_seen_at": NOON - 20 * MINUTE, "observed_at": NOON,
        "interval": timedelta(seconds=30),
    }  # fmt: skip
    return PathSeen(**(values | fields))


def rehearsal(**fields: Any) -> RehearsalSeen:
    values: dict[str, Any] = {
        "rehearsal_id": 1, "at": NOON - DAY, "steps_digest": "steps", "worked": True,
        "seconds": 300, "environment": "staging", "migrations": ("0147",),
    }  # fmt: skip
    return RehearsalSeen(**(values | fields))


def change(**fields: Any) -> ChangeSeen:
    """One that improved, as it was meant to."""
    values: dict[str, Any] = {
        "number": 198, "aim": "improve", "samples": 200, "attempt": 1,
        "sealed_at": NOON - 5 * HOUR, "applied_at": NOON - 4 * HOUR,
        "collected_at": NOON - 2 * HOUR, "judged_at": NOON - 2 * HOUR, "verdict": "improved",
        "because": "Requests got 34% faster.",
    }  # fmt: skip
    return ChangeSeen(**(values | fields))


STAGING = PlaceSeen(
    slug="staging",
    commit=COMMIT,
    commit_since=NOON - 25 * MINUTE,
    config_root="r1",
    told_at=NOON,
)
READY = Facts(
    release=ReleaseSeen(version="2026.11.4", commit=COMMIT, tag="v4", migrations=("0147",)),
    service=ServiceSeen(
        slug="fares-api", tier=1, team="Pricing", has_config_keys=True, has_paths=True
    ),
    places={"staging": STAGING},
    evidence=tuple(evidence(gate) for gate in ("lint", "unit", "integration", "config", "tag")),
    paths=(path(),),
    note=NoteSeen(number=6, steps_digest="steps", checked_at=NOON - DAY, checked_by="Edith Moe"),
    rehearsals=(rehearsal(),),
)


def with_evidence(gate: str, facts: Facts = READY, /, **fields: Any) -> Facts:
    """With this as the only evidence of its gate."""
    others = tuple(one for one in facts.evidence if one.gate != gate)
    return replace(facts, evidence=(*others, evidence(gate, **fields)))


def without(gate: str, facts: Facts = READY) -> Facts:
    return replace(facts, evidence=tuple(one for one in facts.evidence if one.gate != gate))


def with_staging(**fields: Any) -> Facts:
    return replace(READY, places={"staging": replace(STAGING, **fields)})


def with_paths(*paths: PathSeen) -> Facts:
    return replace(READY, paths=paths)


def with_choice(gate: str, facts: Facts = READY, /, **fields: Any) -> Facts:
    chosen = Chosen(**({"need": "required"} | fields))
    return replace(facts, choices={**facts.choices, gate: chosen})


def override(*gates: str, **fields: Any) -> OverrideSeen:
    values: dict[str, Any] = {
        "override_id": 1, "gates": gates, "by": "Edith Moe", "accepted_by": "Layla Haddad",
        "is_alone": False, "reason": "Known, and harmless", "at": NOON - HOUR,
        "ends_at": NOON + HOUR, "covers_not_met": True,
    }  # fmt: skip
    return OverrideSeen(**(values | fields))


def freeze(**fields: Any) -> Stop:
    values: dict[str, Any] = {
        "kind": "freeze", "reason": "Peak days", "by": "Edith Moe", "since": NOON - HOUR,
        "until": NOON + HOUR,
    }  # fmt: skip
    return Stop(**(values | fields))


def gate_of(gate: str, facts: Facts, *, now=NOON) -> GateState:
    return next(one for one in assess(facts, now=now).gates if one.gate == gate)


def answer(gate: str, facts: Facts, *, now=NOON) -> tuple[str, str]:
    """Its word and its reason."""
    state = gate_of(gate, facts, now=now)
    return str(state.word), state.reason
