"""A critical path in one of the environments it is probed in."""

from collections import defaultdict
from dataclasses import dataclass

from opsboard.probes.models import Probe
from opsboard.probes.path_states import shown_probes
from opsboard.services.models import CriticalPath, Environment
from opsboard.web.overview import PRODUCTION

# Whoever its sheet names.
PEOPLE = ("service__team", "owner", "checked_by", "paused_by")


@dataclass(frozen=True, slots=True)
class Place:
    """A path in one of the environments it is probed in."""

    path: CriticalPath
    environment: Environment
    # One for each location.
    probes: list[Probe]
    # All environments it is probed in, production first.
    environments: list[str]


def find_place(service: str, path: str, environment: str | None) -> Place | None:
    """By its slugs, with its people; without a name in its first environment. One query.

    None when the path is not probed there, or there is no such path.
    """
    by_slug = _probes_of(service, path)
    slugs = sorted(by_slug, key=lambda slug: (slug != PRODUCTION, slug))
    chosen = environment or (slugs[0] if slugs else "")
    if chosen not in by_slug:
        return None
    probes = by_slug[chosen]
    return Place(probes[0].path, probes[0].environment, probes, slugs)


def _probes_of(service: str, path: str) -> dict[str, list[Probe]]:
    """By environment: those that are asked, and those that are only paused."""
    probes = (
        shown_probes()
        .filter(path__service__slug=service, path__slug=path)
        .select_related("environment", *(f"path__{name}" for name in PEOPLE))
    )
    by_slug: dict[str, list[Probe]] = defaultdict(list)
    sheet: CriticalPath | None = None
    for probe in probes:
        # The very same sheet, with all that is read of it.
        sheet = sheet or probe.path
        probe.path, probe.environment.service = sheet, sheet.service
        by_slug[probe.environment.slug].append(probe)
    return by_slug
