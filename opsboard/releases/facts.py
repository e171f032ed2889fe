"""Everything that the readiness of one release is computed from, as plain values. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from opsboard.releases.rules import OverrideSeen, Stop
from opsboard.rollbacks.rules import Ages as NoteAges
from opsboard.rollbacks.rules import RehearsalSeen
from opsboard.services.commits import is_same

STAGING = "staging"
GREEN = ("passing", "warning")
FAILING = "failing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ages:
    """How long an answer lasts where a team has not chosen otherwise."""

    integration: timedelta = timedelta(hours=24)
    # Where the running config root is not observed.
    config: timedelta = timedelta(hours=4)
    green_for: timedelta = timedelta(minutes=10)
    rehearsal: timedelta = timedelta(days=90)
    # How long what an environment said of itself is believed.
    running: timedelta = timedelta(minutes=5)
    note: NoteAges = field(default_factory=NoteAges)
    # A baseline that was not applied on.
    baseline: timedelta = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseSeen:
    version: str
    commit: str
    # "": none was named yet.
    tag: str = ""
    migrations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentSeen:
    number: int
    title: str
    opened_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSeen:
    slug: str
    tier: int
    # The team that owns it, by its name.
    team: str
    has_config_keys: bool = False
    has_paths: bool = False
    # A critical path without an expected result, by its name; "": every one has one.
    unwritten_path: str = ""
    # The newest open one. None: there is none.
    incident: IncidentSeen | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What the service, or else its team, wants of a gate."""

    need: str
    # The words of a gate of their own; "": one that Opsboard knows.
    words: str = ""
    lasts: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceSeen:
    """An environment, and what is known to run there."""

    slug: str
    # "": it never told, and nothing was announced.
    commit: str = ""
    commit_since: datetime | None = None
    config_root: str = ""
    told_at: datetime | None = None
    # A release announced it: known until another is told.
    is_announced: bool = False

    def is_known(self, now: datetime, ages: Ages) -> bool:
        """Whether what it told is young enough to be believed."""
        if not self.commit or self.told_at is None:
            return False
        return self.is_announced or now < self.told_at + ages.running

    def runs(self, commit: str) -> bool:
        """Whether what it told is this commit; a short form of it will do."""
        return is_same(self.commit, commit)


@dataclass(frozen=True, slots=True, kw_only=True)
class PathSeen:
    """A critical path as it stands where it is asked on staging."""

    name: str
    # As opsboard.probes.rules.State writes it.
    state: str
    # Since when it is passing or warning without a break; of any other state, since when that is.
    since: datetime
    # The first observation made while the environment told the commit it runs. None: there is none.
    first_seen_at: datetime | None
    # The newest observation. None: never observed.
    observed_at: datetime | None
    interval: timedelta
    is_paused: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteSeen:
    """The newest version of the service's rollback note."""

    number: int
    steps_digest: str
    # None: nobody has reviewed it.
    checked_at: datetime | None
    checked_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DutySeen:
    """A team's rota; who is on duty by it, "": nobody."""

    person: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceSeen:
    """A row of Evidence as the rules read it."""

    evidence_id: int
    gate: str
    outcome: str
    commit: str
    environment: str
    started_at: datetime
    finished_at: datetime | None
    received_at: datetime
    command: str = ""
    exit_code: int | None = None
    counts: Mapping[str, Any] = field(default_factory=dict)
    tool: str = ""
    url: str = ""
    by: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def answered_at(self) -> datetime:
        return self.finished_at or self.started_at

    @property
    def aged_from(self) -> datetime:
        """What it saw is as old as its start; a clock that is ahead makes nothing younger."""
        return min(self.started_at, self.received_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeSeen:
    """A change that goes out with the release, and its newest attempt."""

    number: int
    # "improve" or "keep".
    aim: str
    # How many are wanted on each side.
    samples: int
    # From 1; 0: no baseline was ever opened.
    attempt: int = 0
    # The last sample before it, which the baseline is as old as, and when that was sealed.
    measured_at: datetime | None = None
    sealed_at: datetime | None = None
    applied_at: datetime | None = None
    # When the after window got all it was given.
    collected_at: datetime | None = None
    judged_at: datetime | None = None
    is_given_up: bool = False
    # False: it was applied, and then withdrawn or its path removed. It may be in the release still.
    is_standing: bool = True
    # How many the window that collects has. None: it reads the path's probes, which nobody counts
    # for this.
    collected: int | None = None
    # "" until it is judged; then with the first of its sentences.
    verdict: str = ""
    because: str = ""

    def __str__(self) -> str:
        return f"CHG-{self.number:04d}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    release: ReleaseSeen
    service: ServiceSeen
    choices: Mapping[str, Chosen] = field(default_factory=dict)
    # By the name in addresses.
    places: Mapping[str, PlaceSeen] = field(default_factory=dict)
    # At least the newest of each gate; of the tag, also those before it.
    evidence: Sequence[EvidenceSeen] = ()
    # Those asked on staging.
    paths: Sequence[PathSeen] = ()
    # None: there is no rollback note.
    note: NoteSeen | None = None
    rehearsals: Sequence[RehearsalSeen] = ()
    # Those of the service that have the release's version or commit, and were not withdrawn.
    changes: Sequence[ChangeSeen] = ()
    # None: the team has no rota.
    duty: DutySeen | None = None
    overrides: Sequence[OverrideSeen] = ()
    stops: Sequence[Stop] = ()
    ages: Ages = field(default_factory=Ages)

    @property
    def staging(self) -> PlaceSeen | None:
        return self.places.get(STAGING)

    @property
    def ci(self) -> str:
        return f"CI of {self.service.slug}"
