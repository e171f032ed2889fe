"""Giving evidence: an answer to a gate, checked against itself before it is kept."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from opsboard.people import audit
from opsboard.people.audit import Actor
from opsboard.releases import rules
from opsboard.releases.models import Evidence, GateChoice, Release
from opsboard.releases.naming import check_environment, commit_of, subject_of
from opsboard.releases.refusing import Refused

COUNTS = ("collected", "passed", "failed", "skipped")
# What these are bound to: an answer that does not say where it was found answers nothing.
_OF_A_PLACE = (rules.INTEGRATION, rules.CONFIG)
# They are shown by what they found, not by a program's exit code.
_BY_FACTS: Mapping[str, tuple[str, ...]] = {
    rules.TAG: ("tag", "object"),
    rules.CONFIG: ("root",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    gate: str
    outcome: str
    commit: str
    started_at: datetime
    finished_at: datetime | None = None
    environment_slug: str = ""
    command: str = ""
    exit_code: int | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    tool: str = ""
    url: str = ""
    log_tail: str = ""
    assumptions: Sequence[str] = ()
    metrics: Mapping[str, float] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)


def contradictions(given: Given) -> dict[str, str]:
    """What contradicts what, by field: an outcome "passed" with exit code 1. Pure.

    A field within another is written "counts/failed". The first sentence about a field stands.
    """
    found: dict[str, str] = {}
    for place, sentence in _contradictions(given):
        found.setdefault(place, sentence)
    return found


def _contradictions(given: Given) -> Iterator[tuple[str, str]]:
    if given.outcome not in rules.OUTCOMES:
        yield "outcome", f"An outcome is one of {', '.join(rules.OUTCOMES)}."
    yield from _of_times(given)
    yield from _of_exit_code(given)
    yield from _of_counts(given)
    if given.gate in _OF_A_PLACE and not given.environment_slug:
        yield "environment", "Say in which environment it was checked."
    for name in _BY_FACTS.get(given.gate, ()):
        if not given.facts.get(name):
            yield f"facts/{name}", f"Evidence for the gate {given.gate} needs the {name} it found."


def _of_times(given: Given) -> Iterator[tuple[str, str]]:
    if given.outcome == "running":
        if given.finished_at is not None:
            yield "finished_at", "What is running still has not finished: leave it out."
    elif given.finished_at is None:
        yield "finished_at", f'The outcome "{given.outcome}" needs the time at which it finished.'
    if given.finished_at is not None and given.finished_at < given.started_at:
        yield "finished_at", "It cannot have finished before it started."


def _of_exit_code(given: Given) -> Iterator[tuple[str, str]]:
    code = given.exit_code
    if given.outcome == "running" and code is not None:
        yield "exit_code", "What is running still has no exit code: leave it out."
    if given.outcome == "passed" and code is None and given.gate not in _BY_FACTS:
        yield "exit_code", 'The outcome "passed" needs the exit code: nothing else shows it.'
    if given.outcome == "passed" and code not in (None, 0):
        yield "exit_code", f'The outcome "passed" contradicts exit code {code}.'
    if given.outcome == "failed" and code == 0:
        yield (
            "exit_code",
            'The outcome "failed" contradicts exit code 0: if tests failed all the same, '
            'say "inconclusive".',
        )


def _of_counts(given: Given) -> Iterator[tuple[str, str]]:
    counts = given.counts
    for name, count in counts.items():
        if name not in COUNTS:
            yield f"counts/{name}", f"Counts are {', '.join(COUNTS)}."
        elif count < 0:
            yield f"counts/{name}", "A count is 0 or more."
    if given.outcome == "passed" and counts.get("failed", 0) > 0:
        yield "counts/failed", f'The outcome "passed" contradicts {counts["failed"]} failed.'
    if counts and "collected" not in counts:
        yield "counts/collected", "Say how many were collected: the others are parts of it."
    elif counts and given.outcome != "running":
        yield from _of_sum(counts)


def _of_sum(counts: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    parts = [counts[name] for name in COUNTS[1:] if name in counts]
    total, collected = sum(parts), counts["collected"]
    if total > collected or (len(parts) == len(COUNTS) - 1 and total != collected):
        yield (
            "counts",
            f"Passed, failed and skipped add up to {total}, and {collected} were collected.",
        )


@transaction.atomic
def give(release: Release, given: Given, *, by: Actor, now: datetime) -> Evidence:
    """Keep it. Raises Refused when its commit is not this release's."""
    if wrong := contradictions(given):
        raise Refused(" ".join(wrong.values()))
    commit = commit_of(given.commit)
    if commit != release.commit:
        raise Refused(f"This is of the commit {commit}, and {release} is {release.commit}.")
    check_gate(release, given.gate)
    check_environment(release.service, given.environment_slug)
    if given.gate == rules.TAG:
        _tag(release, given)
    evidence = _keep(release, given, by=by, now=now)
    after = {"gate": given.gate, "outcome": given.outcome, "environment": given.environment_slug}
    audit.record(by, "gave evidence", "release", subject_of(release), now=now, after=after)
    return evidence


def check_gate(release: Release, gate: str) -> None:
    """Raises Refused for a gate that Opsboard answers itself, or that nobody has asked for."""
    if gate in rules.BY_PROGRAMS:
        return
    if gate in rules.GATES:
        raise Refused(f"Opsboard answers the gate {gate} itself: no evidence is taken for it.")
    if gate not in own_gates(release):
        raise Refused(f"{release.service.slug} has no gate {gate}.")


def own_gates(release: Release) -> set[str]:
    """The gates of their own that the service or its team wants. A service's choice beats."""
    service = release.service
    choices = GateChoice.objects.filter(Q(service=service) | Q(team=service.team_id))
    # Those of the service come last, and win.
    chosen = {one.gate: one.need for one in sorted(choices, key=lambda one: bool(one.service_id))}
    return {gate for gate, need in chosen.items() if need != "dropped" and gate not in rules.GATES}


def _tag(release: Release, given: Given) -> None:
    """The first tag told is the release's; another one is not taken. Raises Refused."""
    tag, found = str(given.facts["tag"]), str(given.facts["object"])
    if not re.fullmatch(r"[0-9a-f]{7,64}", found):
        raise Refused("The object that a tag points to is written in 7 to 64 hexadecimal digits.")
    held = Release.objects.select_for_update().get(pk=release.pk)
    if held.tag and held.tag != tag:
        raise Refused(f"{release} is tagged {held.tag}, not {tag}.")
    if not held.tag:
        Release.objects.filter(pk=release.pk).update(tag=tag)
    release.tag = tag


def _keep(release: Release, given: Given, *, by: Actor, now: datetime) -> Evidence:
    # By a clock that is ahead it would win over what is found out after it: it has begun by now.
    return Evidence.objects.create(
        release=release,
        gate=given.gate,
        outcome=given.outcome,
        commit=release.commit,
        environment_slug=given.environment_slug,
        started_at=min(given.started_at, now),
        finished_at=min(given.finished_at, now) if given.finished_at else None,
        received_at=now,
        command=given.command,
        exit_code=given.exit_code,
        counts=dict(given.counts),
        tool=given.tool,
        url=given.url,
        log_tail=given.log_tail,
        assumptions=list(given.assumptions),
        metrics=dict(given.metrics),
        facts=dict(given.facts),
        by=by.person,
        by_name=by.who[:120],
    )
