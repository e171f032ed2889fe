"""/metrics: what Prometheus reads, from the database only."""

import shutil
import subprocess
import time
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from opsboard.alerts.models import Channel, Delivery
from opsboard.incidents.models import Incident
from opsboard.probes.history import prune
from opsboard.probes.models import Observation, Probe, stand_up_all
from opsboard.releases.models import Release
from opsboard.services.models import CriticalPath, Service
from tests.api.standing import observed
from tests.company import BAD, GOOD, NOON, a_path, a_probe, a_service, production

pytestmark = pytest.mark.django_db
PLACE = {"service": "fares-api", "path": "price", "environment": "production"}


def read(ask):
    """Every sample, by its name and labels."""
    answer = ask.get("/metrics")
    assert answer.status_code == 200, answer.content
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.content.decode())
        for sample in family.samples
    }


def value(samples, name, **labels):
    found = [
        number
        for (known, having), number in samples.items()
        if known == name and labels.items() <= dict(having).items()
    ]
    assert len(found) == 1, (name, labels, found)
    return found[0]


@pytest.fixture
def probe():
    return a_probe(a_path(a_service("fares-api"), slug="price", patience=1))


def a_release(service, version="1.4.0"):
    return Release.objects.create(
        service=service, version=version, commit="a" * 40, named_at=timezone.now()
    )


def test_a_standing_is_one_of_its_states(ask, probe):
    observed(probe, BAD)
    samples = read(ask)
    states = {
        state: value(samples, "opsboard_probe_standing", state=state, **PLACE)
        for state in ("passing", "warning", "failing", "no_data", "paused")
    }
    assert states == {"passing": 0, "warning": 0, "failing": 1, "no_data": 0, "paused": 0}
    assert value(samples, "opsboard_probe_time_seconds", **PLACE) == 0.02
    at = value(samples, "opsboard_probe_last_observation_timestamp_seconds", **PLACE)
    assert at == pytest.approx(probe.observed_at / 1e6)


def test_a_probe_that_was_never_observed_tells_no_time(ask, probe):
    samples = read(ask)
    assert value(samples, "opsboard_probe_standing", state="no_data", **PLACE) == 1
    assert not [name for name, _ in samples if name == "opsboard_probe_time_seconds"]


def test_observations_are_counted_by_verdict_and_never_fall(ask, probe):
    observed(probe, GOOD, GOOD, BAD)
    before = read(ask)
    assert value(before, "opsboard_observations_total", verdict="passing", **PLACE) == 2
    assert value(before, "opsboard_observations_total", verdict="failing", **PLACE) == 1
    assert value(before, "opsboard_probe_lateness_seconds_count", **PLACE) == 3
    assert value(before, "opsboard_probe_lateness_seconds_sum", **PLACE) >= 0
    later = timezone.now() + timedelta(days=900)
    prune(now=later, observations_days=1, rollups_days=1)
    assert Observation.objects.count() == 0
    after = read(ask)
    assert value(after, "opsboard_observations_total", verdict="passing", **PLACE) == 2


def test_incidents_deliveries_and_gates(ask, probe):
    service, now = probe.path.service, timezone.now()
    Incident.objects.create(
        service=service, environment=production(service), title="x", opened_at=NOON
    )
    channel = Channel.objects.create(name="Everybody", kind=Channel.Kind.EMAIL)
    Delivery.objects.create(
        channel=channel, event="test", created_at=now - timedelta(minutes=2), wanted_at=0
    )
    Delivery.objects.create(
        channel=channel, event="test", created_at=now, wanted_at=0, held_at=now, held_by="silence"
    )
    a_release(service)
    samples = read(ask)
    assert value(samples, "opsboard_incidents_open") == 1
    assert value(samples, "opsboard_deliveries", state="waiting") == 1
    assert value(samples, "opsboard_deliveries", state="held") == 1
    assert value(samples, "opsboard_deliveries", state="delivered") == 0
    assert value(samples, "opsboard_delivery_oldest_waiting_seconds") == pytest.approx(120, abs=20)
    gate = {"service": "fares-api", "release": "1.4.0", "gate": "unit"}
    assert value(samples, "opsboard_gates", **gate, word="no evidence") == 1
    assert value(samples, "opsboard_build_info") == 1


def test_a_released_one_has_no_gates_any_more(ask, probe):
    one = a_release(probe.path.service)
    Release.objects.filter(pk=one.pk).update(released_at=timezone.now())
    assert not [name for name, _ in read(ask) if name == "opsboard_gates"]


def test_promtool_finds_nothing_to_say(ask, probe):
    observed(probe, GOOD)
    a_release(probe.path.service)
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed: .ci/run sees to it")
    text = ask.get("/metrics").content
    ran = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True)
    assert (ran.returncode, ran.stdout.decode(), ran.stderr.decode()) == (0, "", "")


def test_openmetrics_is_answered_to_who_asks_for_it(ask, probe):
    answer = ask.get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
    assert answer["Content-Type"].startswith("application/openmetrics-text")
    assert answer.content.endswith(b"# EOF\n")


def test_a_thousand_probes_take_as_many_queries_as_one(ask):
    service = a_service("fares-api")
    services = [a_service() for _ in range(10)]
    CriticalPath.objects.bulk_create(
        CriticalPath(service=one, slug=f"path-{number}", name="P", route="/")
        for one in services
        for number in range(100)
    )
    stand_up_all([one.pk for one in services], now=timezone.now(), location="default")
    assert Probe.objects.count() == 1000
    for number in range(3):
        a_release(service, f"1.{number}.0")
    read(ask)
    with CaptureQueriesContext(connection) as captured:
        began = time.monotonic()
        ask.get("/metrics")
        took = time.monotonic() - began
    of_the_door = [one for one in captured if "people_" in one["sql"]]
    print(f"/metrics of 1,000 probes: {len(captured)} queries, {took * 1000:.0f} ms")
    assert len(captured) - len(of_the_door) <= 12
    assert took < 3
    assert Service.objects.count() == 11


def test_only_a_token_that_may_read_everything_is_let_in(ask_with, make_token, client, probe):
    assert client.get("/metrics").status_code == 401
    assert ask_with(make_token(["release"])[1]).get("/metrics").status_code == 403
    assert ask_with(make_token(services=["mail"])[1]).get("/metrics").status_code == 403


def test_it_is_read_and_not_written(ask, probe):
    assert ask.post("/metrics", data="", content_type="application/json").status_code == 405
    assert ask.get("/metrics?name=up").status_code == 400
