"""Naming a release: one version of a service stands for one commit, for ever."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from opsboard.people import audit
from opsboard.people.audit import Actor
from opsboard.releases.models import Release
from opsboard.releases.refusing import Refused
from opsboard.services.models import CriticalPath, Environment, Service

# A version stands in addresses, file names and commands.
VERSION = r"[0-9A-Za-z][0-9A-Za-z._+~-]{0,99}"
COMMIT = r"[0-9a-f]{7,64}"
LONGEST_TAG, LONGEST_SUMMARY, LONGEST_MIGRATION, MOST_MIGRATIONS = 200, 300, 200, 500
MOST_COUNTED = 2_147_483_647
# What may be said, and is kept as it is said.
_VALUES = ("tag", "environment_slug", "planned_at", "summary", "commits", "files", "lines")


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """What may be said of a release when it is named; None and "" leave what is known as it is."""

    version: str
    commit: str
    tag: str = ""
    environment_slug: str = ""
    planned_at: datetime | None = None
    summary: str = ""
    migrations: Sequence[str] | None = None
    commits: int | None = None
    files: int | None = None
    lines: int | None = None
    paths: Sequence[CriticalPath] | None = None


@transaction.atomic
def name_release(
    service: Service, named: Named, *, by: Actor, now: datetime
) -> tuple[Release, bool]:
    """The release, and whether it is new. Raises Refused when its version has another commit.

    Named again, it keeps what is not said anew.
    """
    commit = commit_of(named.commit)
    _check(service, named)
    # Two at once with the same version: the second waits here, and finds the first one's.
    Service.objects.select_for_update().get(pk=service.pk)
    known = Release.objects.filter(service=service, version=named.version).first()
    if known is None:
        return _begin(service, named, commit, by=by, now=now), True
    _check_same(known, commit)
    _change(known, named, by=by, now=now)
    return known, False


def commit_of(written: str) -> str:
    """A commit as it is kept. Raises Refused."""
    commit = written.strip().lower()
    if not re.fullmatch(COMMIT, commit):
        raise Refused("A commit is written in 7 to 64 hexadecimal digits.")
    return commit


@transaction.atomic
def withdraw(release: Release, *, by: Actor, now: datetime) -> None:
    """It will not go out. Raises Refused when it has."""
    held = Release.objects.select_for_update().get(pk=release.pk)
    if held.released_at is not None:
        raise Refused(f"{held} went out at {held.released_at:%F %H:%M} UTC: roll it back instead.")
    if held.withdrawn_at is None:
        Release.objects.filter(pk=held.pk).update(withdrawn_at=now, withdrawn_by=by.person)
        audit.record(by, "withdrew", "release", subject_of(held), now=now)
    release.refresh_from_db(fields=["withdrawn_at", "withdrawn_by"])


def subject_of(release: Release) -> str:
    """How the audit log names it."""
    return f"{release.service.slug}/{release.version}"


def _check(service: Service, named: Named) -> None:
    if not re.fullmatch(VERSION, named.version):
        raise Refused(
            "A version has at most 100 letters, digits and . _ + ~ -, "
            "and begins with a letter or digit."
        )
    _check_line("A tag", named.tag, LONGEST_TAG)
    _check_line("A summary", named.summary, LONGEST_SUMMARY)
    if len(named.migrations or ()) > MOST_MIGRATIONS:
        raise Refused(f"A release names at most {MOST_MIGRATIONS} migrations.")
    for migration in named.migrations or ():
        _check_line("The name of a migration", migration, LONGEST_MIGRATION)
    for number in (named.commits, named.files, named.lines):
        if number is not None and not 0 <= number <= MOST_COUNTED:
            raise Refused(f"Commits, files and lines are counted from 0 to {MOST_COUNTED}.")
    check_environment(service, named.environment_slug)
    if any(path.service_id != service.pk for path in named.paths or ()):
        raise Refused(f"A path that {service.slug} touches has to be one of its own.")


def _check_line(what: str, text: str, longest: int) -> None:
    if len(text) > longest or not text.isprintable():
        raise Refused(f"{what} is one line of at most {longest} characters.")


def check_environment(service: Service, slug: str) -> None:
    """Raises Refused. "" names none, and is let through."""
    places = Environment.objects.standing().filter(service=service)
    if slug and not places.filter(slug=slug).exists():
        raise Refused(f"{service.slug} has no environment {slug}.")


def _check_same(known: Release, commit: str) -> None:
    if known.commit != commit:
        # A short form is not taken for the long one: it may stand for another commit some day.
        is_same = known.commit.startswith(commit) or commit.startswith(known.commit)
        ask = "write it in that form" if is_same else "give the other commit a version of its own"
        raise Refused(f"{known} was named with the commit {known.commit}: {ask}.")
    if known.withdrawn_at is not None:
        raise Refused(
            f"{known} was withdrawn at {known.withdrawn_at:%F %H:%M} UTC: take another version."
        )


def _begin(service: Service, named: Named, commit: str, *, by: Actor, now: datetime) -> Release:
    release = Release(
        service=service, version=named.version, commit=commit,
        named_at=now, named_by=by.person, named_as=by.who[:120],
    )  # fmt: skip
    for name, value in _said(named).items():
        setattr(release, name, value)
    release.save()
    if named.paths:
        release.paths.set(named.paths)
    audit.record(by, "added", "release", subject_of(release), now=now, after=_as_known(release))
    return release


def _change(known: Release, named: Named, *, by: Actor, now: datetime) -> None:
    before = _as_known(known)
    said = _said(named)
    for name, value in said.items():
        setattr(known, name, value)
    known.save(update_fields=list(said)) if said else None
    if named.paths is not None:
        known.paths.set(named.paths)
    after = _as_known(known)
    if audit.differences(before, after):
        audit.record(
            by, "changed", "release", subject_of(known), now=now, before=before, after=after
        )


def _said(named: Named) -> dict[str, Any]:
    said = {name: getattr(named, name) for name in _VALUES}
    said = {name: value for name, value in said.items() if value not in (None, "")}
    if named.migrations is not None:
        said["migrations"] = list(named.migrations)
    return said


def _as_known(release: Release) -> dict[str, object]:
    """Its fields, in the words of the pages."""
    return {
        "commit": release.commit,
        "tag": release.tag,
        "environment": release.environment_slug,
        "planned": release.planned_at,
        "summary": release.summary,
        "migrations": release.migrations,
        "commits": release.commits,
        "files": release.files,
        "lines": release.lines,
        "paths": sorted(path.slug for path in release.paths.all()),
    }
