"""What runs out soon, with the gates of releases that wait."""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime

from opsboard.releases.deciding import address_of
from opsboard.releases.models import Release
from opsboard.releases.reading import read_readiness
from opsboard.releases.rules import NOTE, REHEARSAL
from opsboard.rollbacks import running_out as of_notes
from opsboard.rollbacks.rules import SOON
from opsboard.rollbacks.running_out import RunsOut

# The newest: what waits for longer is not looked at.
MOST_RELEASES = 200


def running_out(team_ids: Collection[int], *, now: datetime) -> dict[int, list[RunsOut]]:
    """By team, the first to run out first. A bounded number of queries, however many teams."""
    found: dict[int, list[RunsOut]] = defaultdict(list)
    for of_teams in (of_notes.running_out(team_ids, now=now), _gates(team_ids, now)):
        for team, rows in of_teams.items():
            found[team] += rows
    return {team: sorted(rows) for team, rows in found.items()}


def _gates(team_ids: Collection[int], now: datetime) -> dict[int, list[RunsOut]]:
    """Of required gates that are met. Notes and rehearsals are told of by themselves."""
    waiting = Release.objects.waiting().filter(service__team__in=team_ids)
    releases = list(waiting.select_related("service").order_by("-named_at")[:MOST_RELEASES])
    readiness = read_readiness(releases, now=now)
    found: dict[int, list[RunsOut]] = defaultdict(list)
    for release in releases:
        for gate in readiness[release.pk].required:
            until = gate.runs_out_at
            if not gate.is_met or until is None or gate.gate in (NOTE, REHEARSAL):
                continue
            if now < until <= now + SOON:
                what = f"{gate.name} of {release.version}"
                row = RunsOut(until, what, release.service.name, address_of(release))
                found[release.service.team_id].append(row)
    return found
