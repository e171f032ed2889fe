"""What board files declare, and nobody would be told of: one warning a path, of the first few."""

from collections.abc import Iterator, Mapping
from typing import Any

from opsboard.alerts.hearing import Audience
from opsboard.alerts.models import AlertKind
from opsboard.board.checking import place_of
from opsboard.board.declared import Declared
from opsboard.board.sources import Wrong
from opsboard.board.stored import Stored
from opsboard.board.things import ENVIRONMENT, PATH, SERVICE, TEAM, Thing

MOST_WARNINGS = 20


def unheard_paths(declared: Declared, stored: Stored, audience: Audience) -> list[Wrong]:
    """As the board would be after the apply, with the channels and routes that there are now."""
    unheard = list(_unheard(declared, stored, audience))
    warnings = [place_of(declared, thing).wrong(text) for thing, text in unheard[:MOST_WARNINGS]]
    if (more := len(unheard) - MOST_WARNINGS) > 0:
        text = f"Nobody would be told of {more:,} more path{'s' if more > 1 else ''} either."
        warnings.append(place_of(declared, unheard[MOST_WARNINGS][0]).wrong(text))
    return warnings


def _unheard(declared: Declared, stored: Stored, audience: Audience) -> Iterator[tuple[Thing, str]]:
    there: dict[str, list[str]] = {}
    for thing in {**stored.things, **declared.things}:
        if thing[0] == ENVIRONMENT:
            there.setdefault(thing[1], []).append(thing[2])
    for thing, fields in declared.things.items():
        if thing[0] != PATH or fields.get("paused"):
            continue
        service = declared.things[SERVICE, thing[1]]
        why = {
            slug: _why(stored, service, fields, slug, audience)
            for slug in fields["environments"] or there.get(thing[1], [])
        }
        if silent := [slug for slug, reason in why.items() if reason]:
            places = "" if len(silent) == len(why) else f" in {' and '.join(silent)}"
            yield (
                thing,
                f"Nobody would be told when {fields['name']} of {thing[1]} fails{places}: "
                f"{why[silent[0]]}.",
            )


def _why(
    stored: Stored,
    service: Mapping[str, Any],
    path: Mapping[str, Any],
    environment: str,
    audience: Audience,
) -> str:
    owners = [service["owner"], path["owner"] or service["owner"]]
    # None: a team that this apply adds. It has no channel of its own yet.
    teams = [getattr(stored.rows.get((TEAM, owner)), "pk", None) for owner in owners]
    heard = audience.of(teams, tier=service["tier"], environment=environment, kind=AlertKind.PAGE)
    return heard.why
