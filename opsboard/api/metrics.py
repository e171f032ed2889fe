"""What Prometheus reads at /metrics, by a token that may read: all of it from the database.

Nothing is kept in the memory of a process: any of them answers the same. Counters are those of the
rows that probes count in, which only grow: pruning observations lowers none of them. A probe that
is removed takes its series along.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from importlib.metadata import PackageNotFoundError, version

from django.db.models import Count, Min, Q
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    Metric,
    SummaryMetricFamily,
)
from prometheus_client.exposition import choose_encoder

from opsboard.alerts.models import Delivery
from opsboard.api.document import Described
from opsboard.api.door import behind_the_door, require
from opsboard.api.problems import problem
from opsboard.incidents.models import Incident
from opsboard.people.tokens import READ
from opsboard.probes.models import Probe
from opsboard.probes.path_states import shown_probes
from opsboard.probes.rules import State
from opsboard.releases.models import Release
from opsboard.releases.reading import read_readiness

PLACE = ("service", "path", "environment", "location")
MOST_RELEASES = 50
# Deliveries that are done count as long; those that wait count until they are sent.
DONE_FOR = timedelta(hours=24)
OUTCOMES = ("waiting", "trying again", "held", "given up", "delivered")
_READ = (
    *("location", "interval", "timeout", "ended_at", "state", "state_since", "observed_at"),
    *("latest", "counted_passing", "counted_warning", "counted_failing", "counted_errors"),
    *("lateness_sum", "leases_lost", "path__slug", "path__service__slug", "environment__slug"),
)


def _metrics(request: HttpRequest) -> HttpResponse:
    if require(request, READ).services:
        raise problem(
            403, "forbidden", "The metrics are of every service: this token is for some of them."
        )
    registry = CollectorRegistry()
    registry.register(Board(now=timezone.now()))
    write, content_type = choose_encoder(request.headers.get("Accept", ""))
    return HttpResponse(write(registry), content_type=content_type)


_DESCRIBED = Described({"paths": {"/metrics": {"get": {}}}})
metrics: Callable[..., HttpResponse] = behind_the_door(_metrics, lambda: _DESCRIBED)


class Board:
    """The whole board as it stands now. Four queries, and those of `read_readiness`."""

    def __init__(self, *, now: datetime) -> None:
        self._now = now

    def describe(self) -> list[Metric]:
        # Without it the registry would read the board once more, only for the names.
        return []

    def collect(self) -> Iterator[Metric]:
        yield _build()
        yield from _of_probes(_probes(), now=self._now)
        yield from _of_deliveries(now=self._now)
        yield _of_incidents()
        yield from _of_releases(now=self._now)


def _build() -> Metric:
    info = GaugeMetricFamily("opsboard_build_info", "The version that runs.", labels=["version"])
    try:
        info.add_metric([version("opsboard")], 1)
    except PackageNotFoundError:
        info.add_metric(["unknown"], 1)
    return info


# Probes ----------------------------------------------------------------------------------------


def _probes() -> Iterable[Probe]:
    found = shown_probes().select_related("path__service", "environment")
    return found.only(*_READ, "path__service_id", "path_id", "environment_id")


def _of_probes(probes: Iterable[Probe], *, now: datetime) -> list[Metric]:
    standing = GaugeMetricFamily(
        "opsboard_probe_standing",
        "1 for the state that the path has now, 0 for every other.",
        labels=[*PLACE, "state"],
    )
    observed = GaugeMetricFamily(
        "opsboard_probe_last_observation_timestamp_seconds",
        "When it was last observed, in seconds since 1970.",
        labels=PLACE,
    )
    took = GaugeMetricFamily(
        "opsboard_probe_time_seconds", "How long the newest observation took.", labels=PLACE
    )
    late = GaugeMetricFamily(
        "opsboard_probe_last_lateness_seconds",
        "How long after its slot the newest observation was begun.",
        labels=PLACE,
    )
    counted = CounterMetricFamily(
        "opsboard_observations",
        "Observations recorded, by verdict.",
        labels=[*PLACE, "verdict"],
    )
    lateness = SummaryMetricFamily(
        "opsboard_probe_lateness_seconds",
        "How long after their slots observations were begun.",
        labels=PLACE,
    )
    for probe in probes:
        place = [
            probe.path.service.slug, probe.path.slug, probe.environment.slug, probe.location,
        ]  # fmt: skip
        state = probe.state_at(now)
        for one in State:
            standing.add_metric([*place, one.value], float(one is state))
        counts = _counts(probe)
        for verdict, count in counts.items():
            counted.add_metric([*place, verdict], count)
        lateness.add_metric(place, sum(counts.values()), probe.lateness_sum / 1e6)
        if probe.observed_at is not None:
            facts = probe.facts
            observed.add_metric(place, probe.observed_at / 1e6)
            took.add_metric(place, facts.get("total", 0) / 1e6)
            late.add_metric(place, facts.get("lateness", 0) / 1e6)
    return [standing, observed, took, late, counted, lateness]


def _counts(probe: Probe) -> dict[str, int]:
    return {
        "passing": probe.counted_passing,
        "warning": probe.counted_warning,
        "failing": probe.counted_failing,
        "error": probe.counted_errors,
    }


# Alerts and incidents --------------------------------------------------------------------------


def _of_deliveries(*, now: datetime) -> list[Metric]:
    under_way = Q(message__delivered_at=None, message__dead_at=None, held_at=None)
    tried = Q(message__attempts__gt=0)
    chosen = {
        "waiting": under_way & ~tried,
        "trying again": under_way & tried,
        "held": Q(held_at__isnull=False),
        "given up": Q(held_at=None, message__dead_at__isnull=False),
        "delivered": Q(held_at=None, message__delivered_at__isnull=False),
    }
    counts = {outcome.replace(" ", "_"): Count("pk", q) for outcome, q in chosen.items()}
    recent = Delivery.objects.filter(under_way | Q(created_at__gt=now - DONE_FOR))
    found = recent.aggregate(**counts, oldest=Min("created_at", filter=under_way))
    deliveries = GaugeMetricFamily(
        "opsboard_deliveries",
        "Alerts to channels that are under way, and those of the last 24 hours that are done.",
        labels=["state"],
    )
    for outcome in OUTCOMES:
        word = outcome.replace(" ", "_")
        deliveries.add_metric([word], found[word])
    waited = (now - found["oldest"]).total_seconds() if found["oldest"] else 0
    oldest = GaugeMetricFamily(
        "opsboard_delivery_oldest_waiting_seconds",
        "How long the oldest alert that is under way has waited; 0: none is.",
        value=max(0.0, waited),
    )
    return [deliveries, oldest]


def _of_incidents() -> Metric:
    return GaugeMetricFamily(
        "opsboard_incidents_open",
        "Incidents that are not resolved.",
        value=Incident.objects.standing().open().count(),
    )


# Releases --------------------------------------------------------------------------------------


def _of_releases(*, now: datetime) -> list[Metric]:
    """The newest that wait to be released."""
    gates = GaugeMetricFamily(
        "opsboard_gates",
        "1 for the word of each gate of a release that waits.",
        labels=["service", "release", "gate", "word"],
    )
    wholes = GaugeMetricFamily(
        "opsboard_release_readiness",
        "1 for the readiness of a release that waits.",
        labels=["service", "release", "readiness"],
    )
    waiting = Release.objects.waiting().select_related("service__team")
    releases = list(waiting.order_by("-named_at", "-pk")[:MOST_RELEASES])
    found = read_readiness(releases, now=now) if releases else {}
    for release in releases:
        readiness, names = found[release.pk], [release.service.slug, release.version]
        wholes.add_metric([*names, readiness.whole.value], 1)
        for gate in readiness.gates:
            gates.add_metric([*names, gate.gate, gate.word.value], 1)
    return [gates, wholes]
