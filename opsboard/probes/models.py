"""What is due, what was seen, and what has been confirmed.

All times of the schedule and of observations are whole microseconds since 1970 UTC: one number on
both databases, 8 bytes, and arithmetic that needs no dialect.
"""

import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Least

from opsboard.probes import heartbeats, narrow
from opsboard.probes.rules import SPREAD_KEY, State, grid_after
from opsboard.services.models import CriticalPath, Environment, Service


def moment(microseconds: int) -> datetime:
    return datetime.fromtimestamp(microseconds / 1e6, tz=UTC)


def microseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1_000_000)


STATES = [(state.value, state.words) for state in State]
# A probe that lost more leases than this, one after another, is set aside: not asked any more.
MOST_LEASES_LOST = 5


class Kind(models.IntegerChoices):
    """Why a probe was asked. Only scheduled observations count for availability and windows."""

    SCHEDULED = 0
    ASKED_AGAIN = 1
    ASKED_NOW = 2
    # A heartbeat that was looked at because its job had reported.
    REPORTED = 3


class ProbeQuerySet(models.QuerySet["Probe"]):
    def active(self) -> "ProbeQuerySet":
        return self.filter(ended_at=None)

    def for_pages(self) -> "ProbeQuerySet":
        return self.select_related("path__service__team", "path__owner", "environment")


class Probe(models.Model):
    """A standing order: ask one critical path in one environment from one location every interval.

    `state` and its neighbours are the standing: what has been confirmed so far.
    """

    path = models.ForeignKey(CriticalPath, on_delete=models.CASCADE, related_name="probes")
    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="probes")
    location = models.CharField(max_length=40, default="default")

    began_at = models.BigIntegerField()
    # Copied from the path, so that a claim reads one table.
    interval = models.BigIntegerField()
    timeout = models.BigIntegerField()
    # Raised whenever the sheet, the environment or a variable changes: workers compile it anew.
    order_version = models.PositiveIntegerField(default=1)
    # When it last was. None: before that was written down.
    ordered_at = models.BigIntegerField(null=True)

    # The schedule.
    slot_at = models.BigIntegerField()
    ask_now_at = models.BigIntegerField(null=True)
    ask_now_kind = models.PositiveSmallIntegerField(choices=Kind, null=True)
    leased_until = models.BigIntegerField(null=True)
    claim_id = models.BigIntegerField(null=True)
    # Paused or removed: not asked, and its standing says nothing.
    ended_at = models.DateTimeField(null=True, blank=True)

    # The standing.
    state = models.CharField(max_length=8, choices=STATES, default=State.NO_DATA)
    state_since = models.BigIntegerField()
    # The streak machine's own state, which a broken window may make worse, never better.
    streak_state = models.CharField(max_length=8, choices=STATES, default=State.NO_DATA)
    # The newest verdicts, oldest first, one letter each: as many as either patience asks for.
    recent = models.CharField(max_length=10, blank=True)
    reason = models.TextField(blank=True)
    # Per-minute counters for the windowed clauses, as opsboard.expectations.tally writes them.
    windows = models.TextField(blank=True)
    # None: never observed.
    observed_at = models.BigIntegerField(null=True)
    # Facts of the newest observation, for pages: no second query a row.
    latest = models.TextField(default="{}", blank=True)

    # Leases that ran out one after another without a result: see opsboard.probes.suspects.
    leases_lost = models.PositiveSmallIntegerField(default=0, db_default=0)

    # Observations ever recorded by verdict, and their lateness summed. They only grow: what was
    # observed is pruned, and what counts it must not fall.
    counted_passing = models.BigIntegerField(default=0, db_default=0)
    counted_warning = models.BigIntegerField(default=0, db_default=0)
    counted_failing = models.BigIntegerField(default=0, db_default=0)
    counted_errors = models.BigIntegerField(default=0, db_default=0)
    lateness_sum = models.BigIntegerField(default=0, db_default=0)

    objects = ProbeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["path", "environment", "location"], name="one_probe_of_a_place"
            )
        ]
        indexes = [
            models.Index(
                fields=["location", "slot_at"], condition=Q(ended_at=None), name="probe_due"
            )
        ]

    def __str__(self) -> str:
        return f"{self.path} in {self.environment.slug} from {self.location}"

    @property
    def spread_key(self) -> str:
        return SPREAD_KEY.format(
            path=self.path_id, environment=self.environment_id, location=self.location
        )

    def state_at(self, now: datetime) -> State:
        """The standing as it may be shown: a silent probe has no data, whatever it last said."""
        if self.ended_at is not None:
            return State.PAUSED
        silent = self.observed_at is None or microseconds(now) > self.silent_at
        return State.NO_DATA if silent else State(self.state)

    @property
    def is_set_aside(self) -> bool:
        """It ended its workers too often, and is not asked any more."""
        return self.leases_lost > MOST_LEASES_LOST

    @property
    def silent_at(self) -> int:
        """When nothing heard means no data: two intervals and the timeout after the last one."""
        return (self.observed_at or self.state_since) + 2 * self.interval + self.timeout

    @property
    def facts(self) -> dict[str, Any]:
        """The newest observation: total, status, cache, db_calls, clauses with what they got."""
        facts: dict[str, Any] = json.loads(self.latest)
        return facts

    def ask_now(self, now: datetime) -> None:
        """Ask as soon as the lease is free. Needs no broker: the next claim sees it.

        One that was set aside is tried once more, alone.
        """
        Probe.objects.filter(pk=self.pk).update(
            ask_now_at=microseconds(now),
            ask_now_kind=Kind.ASKED_NOW,
            leases_lost=Least(F("leases_lost"), MOST_LEASES_LOST),
        )


class Observation(models.Model):
    """The stored facts of one probe turn, without an id of its own. Durations in microseconds.

    Fields in the order of their sizes, so that PostgreSQL puts no empty bytes between them. See
    opsboard.probes.narrow.
    """

    pk = models.CompositePrimaryKey("probe_id", "slot_at")
    # The grid point it was due at; for a probe asked again or now, when that was due.
    slot_at = models.BigIntegerField()
    # No constraint in the database: a check a row would double the price of recording.
    probe = narrow.KeyOfProbe(
        Probe, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    total = models.IntegerField()
    dns = models.IntegerField()
    connect = models.IntegerField()
    tls = models.IntegerField()
    first_byte = models.IntegerField()
    transfer = models.IntegerField()
    # Start minus slot.
    lateness = models.IntegerField()
    size = models.IntegerField()
    # None: the far side reported none.
    db_time = narrow.IntegerOrNone(null=True)
    db_calls = narrow.SmallIntegerOrNone(null=True)
    # None: no status line came.
    status = narrow.SmallIntegerOrNone(null=True)
    flags = models.SmallIntegerField(default=0)
    # "" when there was a whole reply.
    failure = models.CharField(max_length=20, blank=True)
    # The reason, and of a path of several steps what each did: see narrow.join_told.
    told = models.TextField(blank=True)

    # Of the flags: a Kind, a Verdict, and the place in opsboard.probes.stored.CACHE.
    kind = narrow.KIND.as_property()
    verdict = narrow.VERDICT.as_property()
    cache = narrow.CACHED.as_property()
    # A wrong answer as opsboard.expectations defines it: time and cache never make one.
    is_wrong = narrow.IS_WRONG.as_property()
    # Our own loop kept it waiting: its time clauses were not judged.
    is_delayed = narrow.IS_DELAYED.as_property()

    def __str__(self) -> str:
        return f"probe {self.probe_id} at {moment(self.slot_at):%F %T}"

    @property
    def reason(self) -> str:
        return narrow.split_told(self.told)[0]

    @reason.setter
    def reason(self, reason: str) -> None:
        self.told = narrow.join_told(reason, self.steps)

    @property
    def steps(self) -> str | None:
        """Of a path of several steps: what each did, as opsboard.probes.step_facts writes it."""
        return narrow.split_told(self.told)[1]


class Gap(models.Model):
    """Slots that passed unprobed. Silence is written down, and never looks like passing."""

    probe = models.ForeignKey(Probe, on_delete=models.CASCADE, related_name="gaps")
    first_slot_at = models.BigIntegerField()
    last_slot_at = models.BigIntegerField()
    slots = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["probe", "first_slot_at"], name="one_gap_at_a_slot")
        ]

    def __str__(self) -> str:
        return f"{self.slots} slots of probe {self.probe_id} missed"


class Exchange(models.Model):
    """The newest replies of a path that fails: headers and the first 4 KiB, secrets masked."""

    probe = models.ForeignKey(Probe, on_delete=models.CASCADE, related_name="exchanges")
    slot_at = models.BigIntegerField()
    status = models.SmallIntegerField(null=True)
    headers = models.JSONField(default=list)
    excerpt = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["probe", "slot_at"], name="one_exchange_at_a_slot")
        ]

    def __str__(self) -> str:
        return f"reply to probe {self.probe_id} at {moment(self.slot_at):%F %T}"


class StateChange(models.Model):
    """A confirmed change of a probe's standing. Never altered."""

    probe = models.ForeignKey(Probe, on_delete=models.CASCADE, related_name="changes")
    at = models.BigIntegerField()
    before = models.CharField(max_length=8, choices=STATES)
    after = models.CharField(max_length=8, choices=STATES)
    reason = models.TextField(blank=True)

    class Meta:
        indexes = [models.Index(fields=["probe", "at"], name="change_by_time")]

    def __str__(self) -> str:
        return f"{self.before} to {self.after} at {moment(self.at):%F %T}"


class HourlyRollup(models.Model):
    """One probe's scheduled observations of one hour: what survives when they are pruned."""

    pk = models.CompositePrimaryKey("probe_id", "hour_at")
    probe = models.ForeignKey(
        Probe, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    hour_at = models.BigIntegerField()
    observations = models.IntegerField()
    wrong = models.IntegerField()
    passing = models.IntegerField()
    warning = models.IntegerField()
    failing = models.IntegerField()
    errors_of_ours = models.IntegerField()
    missed = models.IntegerField()
    cache_hits = models.IntegerField()
    cache_known = models.IntegerField()
    # Sums and how many reported, so that a mean never pretends about those that did not.
    db_calls_sum = models.BigIntegerField()
    db_calls_reported = models.IntegerField()
    db_time_sum = models.BigIntegerField()
    dns_sum = models.BigIntegerField()
    connect_sum = models.BigIntegerField()
    tls_sum = models.BigIntegerField()
    first_byte_sum = models.BigIntegerField()
    transfer_sum = models.BigIntegerField()
    answered = models.IntegerField()
    # Latency histogram of answered observations, as Histogram.to_bytes writes it.
    times = models.BinaryField()
    # Made up for a demonstration: pages that show it say so.
    is_example = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"probe {self.probe_id}, hour of {moment(self.hour_at):%F %H:00}"


class ServiceDay(models.Model):
    """Seconds in each state of one service in one environment on one UTC day.

    Strips and availability read only this. Written from state changes; never from observations.
    """

    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="days")
    day = models.DateField()
    passing = models.PositiveIntegerField(default=0)
    warning = models.PositiveIntegerField(default=0)
    failing = models.PositiveIntegerField(default=0)
    no_data = models.PositiveIntegerField(default=0)
    paused = models.PositiveIntegerField(default=0)
    # Seconds within maintenance windows; they are in none of the others.
    maintenance = models.PositiveIntegerField(default=0)
    worst = models.CharField(max_length=8, choices=STATES)
    # Made up for a demonstration: pages that show it say so.
    is_example = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["environment", "day"], name="one_row_a_day")]

    def __str__(self) -> str:
        return f"{self.environment} on {self.day}"


class Shift(models.Model):
    """One worker process on one duty, and when it last took work. A hint, never the truth.

    `bell` rows say when beat last rang, and since when without a break; `drain:` rows who is at
    work; `claim:drain:` and `deliver` rows when anybody last did that.
    """

    duty = models.CharField(max_length=60)
    instance = models.CharField(max_length=120)
    began_at = models.BigIntegerField()
    claimed_at = models.BigIntegerField()
    # Of the newest minutes: how many replies were judged, and how many our own loop delayed.
    judged = models.PositiveIntegerField(default=0)
    delayed = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["duty", "instance"], name="one_shift_of_an_instance")
        ]

    def __str__(self) -> str:
        return f"{self.instance} on {self.duty}"


def stand_up(service: Service, *, now: datetime, location: str) -> None:
    """Make the probes of a service match its sheets: one a path, environment and location.

    Others are ended. `location` is where a path is asked from that names none. Called after any
    edit of the service. Every probe it touches gets a new order version, and loses its claim: a
    reply to the old sheet that comes back late changes nothing.
    """
    stand_up_all([service.pk], now=now, location=location)


@transaction.atomic
def stand_up_all(services: Sequence[int], *, now: datetime, location: str) -> None:
    """Like stand_up, for many services in few statements."""
    list(Service.objects.select_for_update().filter(pk__in=services).order_by("pk"))
    wanted = _wanted(services, location)
    probes = Probe.objects.filter(path__service__in=services)
    existing = {
        (probe.path_id, probe.environment_id, probe.location): probe
        for probe in probes.select_related("path").select_for_update(of=("self",))
    }
    touched: list[Probe] = []
    changes: list[StateChange] = []
    resumed = [key[:2] for key, probe in existing.items() if key in wanted and probe.ended_at]
    heartbeats.bring_in_line(wanted.values(), resumed, at=microseconds(now))
    for key, (path, environment) in wanted.items():
        probe = existing.get(key) or _new_probe(path, environment, key[2], microseconds(now))
        changes += _bring_in_line(probe, path, now=now, ended_at=path.paused_at)
        touched.append(probe)
    for key, probe in existing.items():
        if key not in wanted and probe.ended_at is None:
            changes += _bring_in_line(probe, probe.path, now=now, ended_at=now)
            touched.append(probe)
    _save_probes(touched)
    StateChange.objects.bulk_create(changes, batch_size=500)


def _wanted(
    services: Sequence[int], location: str
) -> dict[tuple[int, int, str], tuple[CriticalPath, Environment]]:
    """What is to be asked, by path, environment and location."""
    places: dict[int, list[Environment]] = defaultdict(list)
    for environment in Environment.objects.standing().filter(service__in=services):
        places[environment.service_id].append(environment)
    paths = CriticalPath.objects.standing().filter(service__in=services)
    return {
        (path.pk, environment.pk, where): (path, environment)
        for path in paths.prefetch_related("environments")
        for environment in path.asked_in(places[path.service_id])
        for where in _locations(path) or [location]
    }


def _locations(path: CriticalPath) -> list[str]:
    # A job reports in to the board: from where that is read makes no difference.
    return [] if path.kind == CriticalPath.Kind.HEARTBEAT else path.locations


def _save_probes(probes: list[Probe]) -> None:
    old = [probe for probe in probes if probe.pk]
    Probe.objects.bulk_create([probe for probe in probes if not probe.pk], batch_size=500)
    Probe.objects.bulk_create(
        old, batch_size=500, update_conflicts=True, unique_fields=["id"], update_fields=_IN_LINE
    )


def _new_probe(path: CriticalPath, environment: Environment, location: str, at: int) -> Probe:
    # Asked at once; from then on it keeps to its grid.
    return Probe(
        path=path,
        environment=environment,
        location=location,
        interval=path.interval,
        slot_at=at,
        began_at=at,
        ordered_at=at,
        state_since=at,
    )


# What an edit may change of a probe that is there.
_IN_LINE = [
    *("interval", "timeout", "order_version", "ordered_at", "slot_at", "ask_now_at"),
    "ask_now_kind",
    *("leased_until", "claim_id", "ended_at", "state", "state_since", "streak_state"),
    *("recent", "reason", "windows", "leases_lost"),
]


def _bring_in_line(
    probe: Probe, path: CriticalPath, *, now: datetime, ended_at: datetime | None
) -> list[StateChange]:
    """Change the probe, and return the changes of its standing. Saves neither."""
    at = microseconds(now)
    resumes = probe.ended_at is not None and ended_at is None
    ends = probe.ended_at is None and ended_at is not None
    if resumes or probe.interval != path.interval:
        probe.slot_at = grid_after(at, path.interval, probe.spread_key)
        probe.ask_now_at, probe.ask_now_kind = at, Kind.ASKED_NOW
    probe.interval, probe.timeout = path.interval, path.timeout
    probe.order_version += 1
    probe.ordered_at = at
    before = State.PAUSED if probe.ended_at else State(probe.state)
    probe.ended_at = ended_at
    probe.claim_id = probe.leased_until = None
    # An edited sheet may be what mends a probe that ended its workers: it is tried once more.
    probe.leases_lost = min(probe.leases_lost, MOST_LEASES_LOST)
    if resumes:
        # What it last said is too old to be believed.
        probe.state = probe.streak_state = State.NO_DATA
        probe.recent = probe.windows = probe.reason = ""
    if resumes or ends:
        probe.state_since = at
    changes = []
    if ends and probe.pk and before is not State.PAUSED:
        changes.append(StateChange(probe=probe, at=at, before=before, after=State.PAUSED))
    if resumes:
        changes.append(StateChange(probe=probe, at=at, before=State.PAUSED, after=State.NO_DATA))
    return changes
