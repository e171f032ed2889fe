"""What one person's teams own and what of it wants a look, as rows that each name one act."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import FETCH_RAISE, Q
from django.urls import reverse

from opsboard.alerts.models import Channel
from opsboard.rollbacks.rehearsing import rehearsals_of, state_of
from opsboard.rollbacks.rules import Freshness, RehearsalState, Rehearsed
from opsboard.rollbacks.saying import rehearsed_words
from opsboard.services.models import CriticalPath, Environment, Service, Team
from opsboard.web.notes_for import Notes, WayBack
from opsboard.web.sentences import counted
from opsboard.web.trust import Trust, trust_of
from opsboard.web.words import day, person_name

ROWS_SHOWN = 50


def teams_of(person: User) -> list[Team]:
    return list(Team.objects.filter(members=person, removed_at=None).order_by("name"))


def ids_of_mine(person: User) -> set[int] | None:
    """The services that a person's teams own, or own a path of; None: they are in no team."""
    teams = [team.pk for team in teams_of(person)]
    if not teams:
        return None
    owned = Service.objects.filter(
        Q(team__in=teams) | Q(paths__owner__in=teams, paths__removed_at=None)
    )
    return set(owned.values_list("pk", flat=True))


@dataclass(frozen=True, slots=True)
class Act:
    words: str
    url: str
    # A form that is sent, and not a page that is opened.
    is_form: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    url: str
    # Where the thing belongs: the service of a path.
    place: str
    why: str
    act: Act


@dataclass(frozen=True, slots=True)
class Section:
    """Rows of one kind, the most pressing first. `note` says how they are chosen."""

    slug: str
    heading: str
    note: str
    rows: Sequence[Row]

    @property
    def shown(self) -> Sequence[Row]:
        return self.rows[:ROWS_SHOWN]

    @property
    def more(self) -> int:
        return len(self.rows) - len(self.shown)


@dataclass(frozen=True, slots=True)
class Owned:
    """All that some teams own, and the notes and channels around it."""

    teams: list[Team]
    services: list[Service]
    paths: list[CriticalPath]
    environments: list[Environment]
    notes: Notes
    # The teams that a channel hears about; None among them: every team.
    heard: set[int | None]
    own: set[int] = field(default_factory=set)


def read_mine(person: User, *, now: datetime) -> dict[str, Any]:
    """Eight queries, however much there is."""
    owned = _owned(teams_of(person))
    sections = [
        Section(
            "unheard", "Nobody would be told", "One channel a team is enough", [*_unheard(owned)]
        ),
        Section("no-note", "Without a rollback note", "By tier", [*_without_note(owned)]),
        Section("notes", "Rollback notes", "The first to run out first", _notes(owned, now)),
        Section("rehearsals", "Rehearsals", "By tier", _rehearsals(owned, now)),
        Section("review", "Sheets to review", "Never reviewed first", _reviews(owned, now)),
        Section("missing", "Sheets with something missing", "By service", [*_missing(owned)]),
        Section("version", "Running version unknown", "By service", [*_versionless(owned)]),
    ]
    sections = [section for section in sections if section.rows]
    return {
        "teams": owned.teams,
        "sections": sections,
        "head": _head(sum(len(section.rows) for section in sections), owned),
        "sub": _sub(owned),
    }


def _owned(teams: list[Team]) -> Owned:
    ids = {team.pk for team in teams}
    services = Service.objects.filter(removed_at=None, team__in=ids).select_related("team")
    paths = (
        CriticalPath.objects.standing()
        .filter(Q(owner__in=ids) | Q(owner=None, service__team__in=ids), service__removed_at=None)
        .select_related("service__team", "checked_by")
        .order_by("service__tier", "service__name", "name")
    )
    places = Environment.objects.filter(removed_at=None, service__in=services)
    kept = list(services.order_by("tier", "name").fetch_mode(FETCH_RAISE))
    own_paths = list(paths.fetch_mode(FETCH_RAISE))
    return Owned(
        teams,
        kept,
        own_paths,
        list(places.select_related("service").order_by("service__name", "slug")),
        Notes([*(one.pk for one in kept), *(path.service_id for path in own_paths)]),
        set(Channel.objects.filter(removed_at=None).values_list("team_id", flat=True)),
        {service.pk for service in kept},
    )


def _head(count: int, owned: Owned) -> str:
    if not owned.teams:
        return "You are in no team"
    if not count:
        return "Nothing you own wants a look"
    return f"{counted(count, 'thing')} you own {'wants' if count == 1 else 'want'} a look"


def _sub(owned: Owned) -> str:
    names = ", ".join(team.name for team in owned.teams)
    services, paths = (
        counted(len(owned.services), "service"),
        counted(len(owned.paths), "critical path"),
    )
    return f"{names}: {services}, {paths}."


# The rows ----------------------------------------------------------------------------------


def _unheard(owned: Owned) -> Iterator[Row]:
    """One row for each team, however many paths: one channel mends them all."""
    if None in owned.heard:
        return
    silent: dict[Team, list[CriticalPath]] = defaultdict(list)
    for path in owned.paths:
        if path.service.team_id not in owned.heard:
            silent[path.service.team].append(path)
    for team, paths in silent.items():
        first = paths[0].name + (f" or one of {len(paths) - 1} more" if len(paths) > 1 else "")
        why = f"When {first} fails, no channel hears of it."
        yield Row(
            team.name, reverse("alerts"), "", why, Act("Add a channel", reverse("channel-new"))
        )


def _without_note(owned: Owned) -> Iterator[Row]:
    for service in owned.services:
        if owned.notes.of_service(service.pk) is None:
            yield Row(
                service.name,
                reverse("service", args=[service.slug]),
                "",
                "Nobody wrote the way back.",
                Act("Write one", reverse("note-edit", args=[service.slug])),
            )


def _notes(owned: Owned, now: datetime) -> list[Row]:
    """Those that ran out, were never reviewed, or run out soon."""
    trusted = [
        (way, trust_of(way.version, tier=way.note.service.tier, now=now)) for way in _ways(owned)
    ]
    wanting = [pair for pair in trusted if pair[1].freshness is not Freshness.FRESH]
    wanting.sort(key=lambda pair: (pair[1].until is not None, pair[1].until or now, pair[0].title))
    return [_note(way, trust, now) for way, trust in wanting]


def _ways(owned: Owned) -> Iterable[WayBack]:
    """Each note once: of the services owned, and of the paths."""
    ways = [owned.notes.of_service(service.pk) for service in owned.services]
    ways += [owned.notes.of_path(path) for path in owned.paths]
    return {
        way.note.pk: way
        for way in ways
        if way is not None and (way.note.path_id or way.note.service_id in owned.own)
    }.values()


def _note(way: WayBack, trust: Trust, now: datetime) -> Row:
    path = way.note.path
    where = f"{path.name}, {way.note.service.name}" if path else way.note.service.name
    return Row(way.title, way.url, where, _note_why(way, trust, now), Act("Open note", way.url))


def _note_why(way: WayBack, trust: Trust, now: datetime) -> str:
    checked_at = way.version.checked_at
    if trust.until is None or checked_at is None:
        return "Not reviewed yet."
    if trust.freshness is Freshness.OUT_OF_DATE:
        return f"{trust.words}: last checked {day(checked_at, now)}."
    left = max((trust.until - now).days, 0)
    return f"{trust.words}, in {counted(left, 'day')}." if left else f"{trust.words}, within a day."


def _rehearsals(owned: Owned, now: datetime) -> list[Row]:
    """Of notes that were rehearsed once, or have to be: tier 1 services cannot do without."""
    ways = sorted(_ways(owned), key=lambda way: (way.note.service.tier, way.title))
    rehearsals = rehearsals_of([way.note.pk for way in ways])
    rows = []
    for way in ways:
        state = state_of(way.version, rehearsals[way.note.pk], now=now)
        is_wanted = way.note.service.tier == 1 or state.word is not Rehearsed.NEVER
        if is_wanted and (not state.is_fresh or state.runs_out_soon(now=now)):
            rows.append(_rehearsal(way, state, now))
    return rows


def _rehearsal(way: WayBack, state: RehearsalState, now: datetime) -> Row:
    path = way.note.path
    where = f"{path.name}, {way.note.service.name}" if path else way.note.service.name
    why = f"{rehearsed_words(state, now=now)}."
    if state.is_fresh and state.until:
        why = f"{why} Runs out {day(state.until, now)}."
    return Row(way.title, way.url, where, why, Act("Rehearse", f"{way.url}/rehearsals/new"))


def _reviews(owned: Owned, now: datetime) -> list[Row]:
    oldest = now - timedelta(days=settings.SHEET_LASTS_DAYS)
    wanting = [path for path in owned.paths if not path.checked_at or path.checked_at <= oldest]
    wanting.sort(key=lambda path: (path.checked_at is not None, path.checked_at or now))
    return [_review(path, now) for path in wanting]


def _review(path: CriticalPath, now: datetime) -> Row:
    url = reverse("path", args=[path.service.slug, path.slug])
    if path.checked_at is None:
        # What nobody has read is not ticked off from a list.
        return Row(path.name, url, path.service.name, "Not reviewed yet.", Act("Review it", url))
    why = f"Last checked by {person_name(path.checked_by)}, {day(path.checked_at, now)}."
    still_true = reverse("path-still-true", args=[path.service.slug, path.slug])
    return Row(path.name, url, path.service.name, why, Act("Still true", still_true, is_form=True))


def _missing(owned: Owned) -> Iterator[Row]:
    for path in owned.paths:
        if missing := path.missing:
            address = [path.service.slug, path.slug]
            why = f"Not written down: {_and(missing)}."
            act = Act("Edit sheet", reverse("path-edit", args=address))
            yield Row(path.name, reverse("path", args=address), path.service.name, why, act)


def _and(words: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def _versionless(owned: Owned) -> Iterator[Row]:
    """A release can be judged only where the running commit is told."""
    for place in owned.environments:
        if not place.version_route and not place.service.is_built_in:
            edit = reverse("environment-edit", args=[place.service.slug, place.slug])
            why = "It names no version address: which commit runs there is unknown."
            name = f"{place.service.name} in {place.slug}"
            yield Row(name, edit, "", why, Act("Say where", edit))
