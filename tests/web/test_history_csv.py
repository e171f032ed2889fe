"""What a chart and a strip show, as files for a spreadsheet: units named, nothing made up."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
from django.http import HttpResponse

from opsboard.probes.models import Probe, ServiceDay
from opsboard.probes.rules import State
from opsboard.probes.stored import CACHE
from opsboard.services.models import CriticalPath
from tests.web.standing import a_path, a_service, observed, stands

CHART = "/services/fares-api/price-a-crossing/chart.csv"
DAYS = "/services/fares-api/days.csv"


@pytest.fixture
def probe(db: None) -> Probe:
    return stands(a_path(a_service("fares-api", environments=2)))


def rows_in(response: HttpResponse) -> list[dict[str, str]]:
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(response.text, newline="")))


def test_each_step_of_the_chart_is_a_line_with_its_units(probe, client_of):
    observed(
        probe, [100] * 9 + [300], minutes_ago=20, step_seconds=1,
        cache=CACHE.index("hit"), db_calls=7, db_time=40_000,
    )  # fmt: skip
    response = client_of("viewer").get(f"{CHART}?range=24h&environment=production")
    rows = rows_in(response)
    assert len(rows) == 144
    assert "fares-api-price-a-crossing-production-24h-" in response.headers["Content-Disposition"]
    [row] = [row for row in rows if row["probes"]]
    at = datetime.strptime(row.pop("from (UTC)"), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert timedelta() < datetime.now(UTC) - at < timedelta(minutes=31)
    assert row == {
        "probes": "10", "wrong (probes)": "0",
        "p50 (ms)": "100.0", "p95 (ms)": "300.0", "p99 (ms)": "300.0",
        "mean database (ms)": "40.0", "mean application (ms)": "80.0", "mean connect (ms)": "0.0",
        "mean download (ms)": "0.0", "mean database calls": "7.0",
        "cache hits (requests)": "10", "cache reported (requests)": "10", "example": "",
    }  # fmt: skip


def test_what_was_not_measured_or_not_reported_is_empty_and_never_0(probe, client_of):
    observed(probe, [100] * 3, minutes_ago=20, step_seconds=1)
    rows = rows_in(client_of("viewer").get(f"{CHART}?range=24h"))
    empty = [set(row.values()) - {row["from (UTC)"]} for row in rows if not row["probes"]]
    assert empty == [{""}] * 143
    [row] = [row for row in rows if row["probes"]]
    told = [name for name in row if "database" in name or "cache" in name]
    assert {row[name] for name in told} == {""}
    assert row["mean application (ms)"] == "100.0"


@pytest.mark.parametrize("kind", ["tcp", "tls", "dns", "heartbeat"])
def test_kinds_that_cannot_report_it_have_no_column_for_cache_and_database(probe, client_of, kind):
    CriticalPath.objects.update(kind=kind, expected_result="")
    head = client_of("viewer").get(CHART).text.splitlines()[0]
    assert "p99" in head
    assert "cache" not in head
    assert "database" not in head


@pytest.mark.parametrize("wrong", ["range=2y", "environment=moon"])
def test_a_range_or_a_place_that_is_none_is_not_found(probe, client_of, wrong):
    assert client_of("viewer").get(f"{CHART}?{wrong}").status_code == 404


def test_the_days_of_a_service_are_a_line_each(probe, client_of):
    today = datetime.now(UTC).date()
    ServiceDay.objects.create(
        environment=probe.environment, day=today - timedelta(days=1), passing=86_000, failing=400,
        worst=State.FAILING, is_example=True,
    )  # fmt: skip
    rows = rows_in(client_of("viewer").get(DAYS))
    assert [row["day (UTC)"] for row in rows] == [
        f"{today - timedelta(days=back)}" for back in range(89, -1, -1)
    ]
    assert rows[-2] == {
        "day (UTC)": f"{today - timedelta(days=1)}", "worst": "failing", "passing (s)": "86000",
        "warning (s)": "0", "failing (s)": "400", "no data (s)": "0", "paused (s)": "0",
        "maintenance (s)": "0", "example": "yes",
    }  # fmt: skip
    assert set(rows[-1].values()) == {f"{today}", ""}


def test_the_pages_lead_to_the_files_of_what_they_show(probe, client_of):
    client = client_of("viewer")
    page = client.get("/services/fares-api/price-a-crossing?environment=staging&range=30d").text
    assert f'href="{CHART}?environment=staging&amp;range=30d"' in page
    page = client.get("/services/fares-api?environment=staging").text
    assert f'href="{DAYS}?environment=staging"' in page
    assert client.get(f"{DAYS}?environment=moon").status_code == 404
