"""Example history: made up, said to be, never for today, and never in the way of what is real."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from opsboard.demo.history import fill_examples
from opsboard.demo.loading import load
from opsboard.probes import history
from opsboard.probes.models import HourlyRollup, ServiceDay, microseconds
from tests.company import SECOND, a_path, a_probe, a_service
from tests.probes.test_history import observe

pytestmark = pytest.mark.django_db
HOUR = 3600 * SECOND
# The pages read the clock: the examples end yesterday, whatever today is.
NOW = datetime.now(UTC)
TODAY = NOW.date()
SENTENCE = f"Days before {TODAY.day} {TODAY:%b} are examples."
SITES = dict.fromkeys(("fastapi", "django", "flask"), "http://127.0.0.1:9")


@pytest.fixture
def fares():
    """The service fares-api with one path, and example history."""
    service = a_service("fares-api")
    path = a_path(service, slug="price-a-crossing", expected_result="time < 400 ms")
    a_probe(path, now=NOW)
    fill_examples(["fares-api"], now=NOW)
    return service


def stored() -> list[object]:
    days = ServiceDay.objects.order_by("day").values_list("day", "failing", "warning", "worst")
    hours = HourlyRollup.objects.order_by("hour_at")
    return [*days, *hours.values_list("hour_at", "wrong", "observations", "cache_hits")]


def test_ninety_days_end_yesterday_and_are_marked(fares):
    days = ServiceDay.objects.order_by("day")
    assert days.count() == 89
    assert days.last().day == TODAY - timedelta(days=1)
    assert not days.filter(is_example=False).exists()
    assert not HourlyRollup.objects.filter(is_example=False).exists()
    midnight = history.day_start(TODAY)
    assert not HourlyRollup.objects.filter(hour_at__gte=midnight).exists()
    assert HourlyRollup.objects.filter(hour_at__lt=midnight).count() == 30 * 24


def test_most_of_it_passes_and_a_few_minutes_fail_as_drawn(fares):
    troubled = ServiceDay.objects.exclude(worst="passing").order_by("day")
    assert [day.worst for day in troubled] == [
        "failing", "warning", "warning", "failing", "warning",
    ]  # fmt: skip
    assert [day.failing // 60 for day in troubled] == [48, 0, 0, 9, 0]
    sums = {
        day.passing + day.warning + day.failing + day.no_data for day in ServiceDay.objects.all()
    }
    assert sums == {86_400}
    assert 0 < HourlyRollup.objects.filter(wrong__gt=0).count() < 5


def test_the_same_every_time(fares):
    before = stored()
    ServiceDay.objects.all().delete()
    HourlyRollup.objects.all().delete()
    fill_examples(["fares-api"], now=NOW)
    assert stored() == before


def test_a_second_filling_adds_nothing(fares):
    before = stored()
    fill_examples(["fares-api"], now=NOW + timedelta(days=3))
    assert stored() == before


def test_an_example_takes_no_measured_days_place(db):
    service = a_service("fares-api")
    day = TODAY - timedelta(days=5)
    environment = service.environments.get()
    ServiceDay.objects.create(environment=environment, day=day, failing=60, worst="failing")
    fill_examples(["fares-api"], now=NOW)
    kept = ServiceDay.objects.get(day=day)
    assert (kept.failing, kept.is_example) == (60, False)


def test_days_measured_before_the_examples_came_are_still_counted(db):
    """The board was off for three days, then started with the demo."""
    own = a_probe(now=NOW - timedelta(days=3))
    own.observed_at, own.state = microseconds(NOW) - SECOND, "passing"
    own.save()
    a_probe(a_path(a_service("fares-api")), now=NOW)
    fill_examples(["fares-api"], now=NOW)
    history.count_days(now=NOW)
    counted = ServiceDay.objects.filter(environment=own.environment)
    assert counted.count() >= 3
    assert not counted.filter(is_example=True).exists()


def test_a_measured_day_takes_the_place_of_an_example(fares):
    probe = a_probe(fares.paths.get(), now=NOW)
    environment = fares.environments.get()
    ServiceDay.objects.create(
        environment=environment, day=TODAY, passing=86_400, worst="passing", is_example=True
    )
    later = NOW + timedelta(hours=1)
    probe.observed_at = microseconds(later)
    probe.save()
    history.count_days(now=later)
    assert not ServiceDay.objects.get(day=TODAY).is_example


def test_hours_measured_before_the_examples_end_are_still_rolled_up(fares):
    own = a_probe(now=NOW - timedelta(days=2))
    observe(own, NOW - timedelta(days=2))
    history.roll_up(now=NOW)
    assert HourlyRollup.objects.filter(probe_id=own.pk, is_example=False).count() == 1


@pytest.mark.parametrize("address", ["/", "/services/fares-api"])
def test_pages_with_example_days_say_so(fares, client_of, address):
    page = client_of("viewer").get(address).text
    assert f"<b>{SENTENCE}</b>" in page
    # The strip's own words too, for those who do not see it.
    assert re.search(rf'aria-label="[^"]*\. {SENTENCE}"', page)


def test_availability_on_the_board_is_marked_as_an_example(fares, client_of):
    page = client_of("viewer").get("/").text
    assert '<span class="meta">example</span>' in page


@pytest.mark.parametrize(("chosen", "is_said"), [("7d", True), ("90d", True), ("3h", False)])
def test_charts_with_example_hours_say_so(fares, client_of, chosen, is_said):
    page = client_of("viewer").get(f"/services/fares-api/price-a-crossing?range={chosen}").text
    assert (f"Hours before {TODAY.day} {TODAY:%b} are examples." in page) == is_said


@pytest.mark.parametrize("address", ["/", "/services/fares-api"])
def test_pages_without_examples_say_nothing_of_them(client_of, address):
    a_probe(a_path(a_service("fares-api")), now=NOW)
    assert "example" not in client_of("viewer").get(address).text


def test_examples_leave_with_age_like_all_else(fares):
    history.prune(now=NOW + timedelta(days=731), observations_days=30, rollups_days=730)
    assert not HourlyRollup.objects.exists()


def test_the_whole_company_gets_its_history(tmp_path: Path):
    load(tmp_path, SITES, location="default", now=NOW)
    environments = ServiceDay.objects.values("environment").distinct().count()
    assert ServiceDay.objects.count() == 89 * environments == 89 * 21
