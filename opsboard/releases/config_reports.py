"""Config reports: kept, judged, and given as evidence for the gate "config" of a release."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from opsboard.people import audit
from opsboard.people.audit import Actor
from opsboard.releases.config_rules import Judgement, KeyRule, Report, facts_of, judge
from opsboard.releases.giving import Given, give
from opsboard.releases.models import ConfigReport, Evidence, Release
from opsboard.releases.refusing import Refused
from opsboard.releases.rules import CONFIG
from opsboard.services.models import ConfigKey, Environment, Service

# The gate is of the place where a release is tried.
CHECKED_IN = "staging"
COMMAND = "opsboard config"
# Of each environment; older ones are let go.
KEPT = 200
# Clocks differ a little.
AHEAD_AT_MOST = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a program says of an environment's configuration."""

    root: str
    made_with: str
    fingerprints: Mapping[str, str | None]
    rules: Mapping[str, bool]
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    report: ConfigReport
    judgement: Judgement
    # None: there is no release to give it for, or it is not of the place that the gate is about.
    evidence: Evidence | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How an environment's newest report stands beside those of the others, now."""

    environment: str
    report: ConfigReport | None
    judgement: Judgement | None


def key_rules(service: Service) -> list[KeyRule]:
    return [_rule(key) for key in service.config_keys.order_by("name")]


def _rule(key: ConfigKey) -> KeyRule:
    return KeyRule(
        name=key.name,
        is_absent=key.presence == ConfigKey.Presence.ABSENT,
        across=key.across,
        has_rule=bool(key.equals or key.matches),
    )


def newest_reports(service: Service) -> dict[str, ConfigReport | None]:
    """By environment, in their order; None: it never reported. A query, and one an environment."""
    places = service.environments.standing().order_by("slug")
    return {place.slug: _newest(place) for place in places}


def _newest(place: Environment) -> ConfigReport | None:
    return place.config_reports.order_by("-at", "-pk").first()


def standings(service: Service) -> list[Standing]:
    keys, newest = key_rules(service), newest_reports(service)
    seen = {slug: seen_of(slug, report) for slug, report in newest.items()}
    return [
        Standing(
            environment=slug,
            report=report,
            judgement=_judged(keys, slug, seen) if keys else None,
        )
        for slug, report in newest.items()
    ]


def _judged(keys: list[KeyRule], slug: str, seen: Mapping[str, Report | None]) -> Judgement | None:
    here = seen[slug]
    others = {name: report for name, report in seen.items() if name != slug}
    return judge(keys, here, others) if here else None


def seen_of(slug: str, report: ConfigReport | None) -> Report | None:
    return None if report is None else _seen(slug, report)


def _seen(slug: str, report: ConfigReport) -> Report:
    return Report(
        environment=slug,
        fingerprints=report.fingerprints,
        rules=report.rules,
        made_with=report.made_with,
    )


def release_for(service: Service, version: str) -> Release | None:
    """The release of that version; "": the one that was named last and still waits, if any.

    Raises Refused.
    """
    releases = Release.objects.filter(service=service).select_related("service")
    if not version:
        return releases.waiting().order_by("-named_at", "-pk").first()
    found = releases.standing().filter(version=version).first()
    if found is None:
        raise Refused(f"{service.slug} has no release {version}: name it first.")
    return found


@transaction.atomic
def keep(
    environment: Environment, told: Told, *, release: Release | None, by: Actor, now: datetime
) -> Kept:
    """Keep a report, judge it, and give it as evidence for `release`. Raises Refused."""
    if told.at > now + AHEAD_AT_MOST:
        raise Refused("This report is of a time to come: set the clock where it was made.")
    report = _store(environment, told, by=by)
    others = _others(environment)
    # Itself, and not what its environment told last: a report may come late.
    here = _seen(environment.slug, report)
    seen = {slug: seen_of(slug, one) for slug, one in others.items()}
    judgement = judge(key_rules(environment.service), here, seen)
    subject = f"{environment.service.slug}/{environment.slug}"
    after = {"config root": told.root, "outcome": judgement.outcome}
    audit.record(by, "reported", "configuration", subject, now=now, after=after)
    evidence = None
    if release is not None and environment.slug == CHECKED_IN:
        facts = facts_of(judgement, root=report.root, report=report.pk)
        facts["compared_with"] = {slug: one.at.isoformat() for slug, one in others.items() if one}
        evidence = _give(release, report, judgement.outcome, facts, by=by, now=now)
    return Kept(report=report, judgement=judgement, evidence=evidence)


def _store(environment: Environment, told: Told, *, by: Actor) -> ConfigReport:
    report = ConfigReport.objects.create(
        environment=environment,
        root=told.root,
        at=told.at,
        fingerprints=dict(told.fingerprints),
        rules=dict(told.rules),
        made_with=told.made_with,
        by_name=by.who[:120],
    )
    reports = ConfigReport.objects.filter(environment=environment).order_by("-at", "-pk")
    if edge := list(reports.values_list("at", flat=True)[KEPT : KEPT + 1]):
        reports.filter(at__lte=edge[0]).exclude(pk=report.pk).delete()
    return report


def _others(environment: Environment) -> dict[str, ConfigReport | None]:
    newest = newest_reports(environment.service)
    return {slug: report for slug, report in newest.items() if slug != environment.slug}


def _give(
    release: Release,
    report: ConfigReport,
    outcome: str,
    facts: Mapping[str, Any],
    *,
    by: Actor,
    now: datetime,
) -> Evidence:
    given = Given(
        gate=CONFIG,
        outcome=outcome,
        commit=release.commit,
        environment_slug=report.environment.slug,
        started_at=report.at,
        finished_at=report.at,
        command=COMMAND,
        tool="config check",
        facts=facts,
    )
    return give(release, given, by=by, now=now)
