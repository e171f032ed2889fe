"""What became of releases: said of what was observed while each ran, and never of what was not."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from opsboard.incidents.models import Incident
from opsboard.probes.models import HourlyRollup, Probe, StateChange, microseconds
from opsboard.probes.rules import Verdict
from opsboard.releases.aftermath import Aftermath, read_aftermath
from opsboard.releases.models import Decision, Release
from opsboard.services.models import CriticalPath, Service
from tests.company import NOON, a_path, a_service
from tests.incidents.failing import at, observe, stand
from tests.releases.going_out import a_release

pytestmark = pytest.mark.django_db

NOW = at(60)


@pytest.fixture
def path() -> CriticalPath:
    """Passing since long before, asked every minute and heard of just now."""
    path = a_path(a_service("fares-api"), interval=60_000_000)
    stand(path, "passing", minute=-100)
    return heard(path, minute=60)


def heard(path: CriticalPath, *, minute: float) -> CriticalPath:
    Probe.objects.filter(path=path).update(observed_at=microseconds(at(minute)))
    return path


def went_out(service: Service, version: str, *, minute: float) -> Release:
    release = a_release(service, version, version.zfill(40))
    Release.objects.filter(pk=release.pk).update(released_at=at(minute))
    decided(release, "released", minute=minute)
    return Release.objects.select_related("service__team").get(pk=release.pk)


def decided(release: Release, kind: str, *, minute: float) -> None:
    release.decisions.create(kind=kind, environment_slug="production", at=at(minute))


def change(path: CriticalPath, before: str, after: str, *, minute: float) -> None:
    probe = Probe.objects.get(path=path)
    StateChange.objects.create(probe=probe, at=microseconds(at(minute)), before=before, after=after)


def became(release: Release) -> Aftermath:
    return read_aftermath([release], now=NOW)[release.pk]


def said(release: Release) -> tuple[str, str]:
    found = became(release)
    return found.words, found.state.value


def test_what_runs_and_passes_is_passing(path):
    assert said(went_out(path.service, "1", minute=0)) == ("Passing", "passing")


def test_what_has_not_gone_out_has_no_aftermath(path):
    assert read_aftermath([a_release(path.service)], now=NOW) == {}


def test_it_fails_since_its_first_failing_observation_not_since_that_was_confirmed(path):
    release = went_out(path.service, "1", minute=0)
    observe(path, Verdict.PASSING, minute=2)
    observe(path, Verdict.FAILING, minute=3)
    observe(path, Verdict.FAILING, minute=4)
    change(path, "passing", "failing", minute=4.1)
    change(path, "failing", "passing", minute=30)
    found = became(release)
    assert (found.words, found.state.value) == ("Failing 3 min later", "failing")
    assert found.failing_at == at(3) + timedelta(milliseconds=50)
    assert found.incident is None


def test_a_single_failing_observation_that_was_never_confirmed_is_no_failure(path):
    release = went_out(path.service, "1", minute=0)
    observe(path, Verdict.FAILING, minute=3)
    assert said(release) == ("Passing", "passing")


def test_where_observations_are_pruned_the_confirmation_tells(path):
    release = went_out(path.service, "1", minute=0)
    change(path, "passing", "failing", minute=5)
    assert said(release) == ("Failing 5 min later", "failing")


def test_a_failure_before_it_or_after_the_next_one_is_not_its_own(path):
    change(path, "passing", "failing", minute=-10)
    change(path, "failing", "passing", minute=-5)
    first = went_out(path.service, "1", minute=0)
    second = went_out(path.service, "2", minute=20)
    observe(path, Verdict.PASSING, minute=10)
    observe(path, Verdict.FAILING, minute=25)
    change(path, "passing", "failing", minute=25)
    found = read_aftermath([first, second], now=NOW)
    assert [found[one.pk].words for one in (first, second)] == [
        "Passing until 12:20 today",
        "Failing 5 min later",
    ]


def test_what_failed_already_is_not_blamed_on_it_and_not_green(path):
    change(path, "passing", "failing", minute=-10)
    release = went_out(path.service, "1", minute=0)
    change(path, "failing", "passing", minute=5)
    assert said(release) == ("Failing since before it", "failing")


def test_the_first_incident_that_began_under_it_is_its_own(path):
    release = went_out(path.service, "1", minute=0)
    place = path.service.environments.get()
    for minute in (-5, 7, 9):
        Incident.objects.create(
            service=path.service, environment=place, title=f"At {minute}",
            opened_at=at(minute), resolved_at=at(minute + 1),
        )  # fmt: skip
    found = became(release)
    assert found.incident is not None
    assert (found.incident.title, found.words) == ("At 7", "Incident 7 min later")


def test_rolled_back_says_when_and_is_not_green(path):
    release = went_out(path.service, "1", minute=0)
    decided(release, "rolled back", minute=12)
    change(path, "passing", "failing", minute=40)
    assert said(release) == ("Rolled back 12 min later", "warning")
    assert became(release).failing_at is None


def test_no_data_is_not_passing(path):
    heard(path, minute=10)
    assert said(went_out(path.service, "1", minute=0)) == ("No data since 12:10 today", "no_data")


def test_what_was_heard_before_it_says_nothing_of_it(path):
    heard(path, minute=59.5)
    release = went_out(path.service, "1", minute=59.9)
    assert said(release) == ("No data since 12:59 today", "no_data")


def test_a_service_without_paths_has_no_data(path):
    release = went_out(a_service("notify"), "1", minute=0)
    assert said(release) == ("No data since 12:00 today", "no_data")


def test_one_silent_path_of_two_is_no_data(path):
    second = a_path(path.service, interval=60_000_000)
    stand(second, "passing", minute=-100)
    Probe.objects.filter(path=second).update(observed_at=None)
    assert said(went_out(path.service, "1", minute=0))[1] == "no_data"


def test_an_earlier_one_that_nobody_observed_has_no_data(path):
    first = went_out(path.service, "1", minute=0)
    went_out(path.service, "2", minute=20)
    assert said(first) == ("No data until 12:20 today", "no_data")


def test_an_hour_that_was_counted_tells_of_pruned_observations(path):
    first = went_out(path.service, "1", minute=-150)
    went_out(path.service, "2", minute=20)
    Probe.objects.update(began_at=microseconds(at(-300)))
    counted = {
        field.name: 0
        for field in HourlyRollup._meta.concrete_fields
        if field.name not in ("probe", "times", "is_example")
    }
    HourlyRollup.objects.create(
        probe=Probe.objects.get(path=path),
        **counted | {"hour_at": microseconds(at(-120)), "observations": 60},
        times=b"",
    )
    assert said(first) == ("Passing until 12:20 today", "passing")


@pytest.mark.parametrize(
    ("end", "words"),
    [
        (20, "12:20 GMT today"),
        (-24 * 60, "Sun 12:00 GMT"),
        (-30 * 24 * 60, "24 Oct 13:00 BST"),
    ],
    ids=["today", "within a week", "long ago, with summer time"],
)
def test_times_are_said_in_the_zone_of_the_team_which_is_named(path, end, words):
    zone = "Europe/London"
    path.service.team.zone = zone
    path.service.team.save()
    first = went_out(path.service, "1", minute=end - 10)
    went_out(path.service, "2", minute=end)
    assert became(first).words == f"No data until {words}"


def test_500_releases_take_as_many_queries_as_one():
    services = [a_service() for _ in range(20)]
    for service in services:
        stand(a_path(service), "passing", minute=-100)
    releases = Release.objects.bulk_create(
        Release(
            service=services[n % 20], version=f"v{n}", commit=f"{n:040x}",
            named_at=NOON, released_at=at(-n),
        )
        for n in range(500)
    )  # fmt: skip
    Decision.objects.bulk_create(
        Decision(release=one, kind="released", environment_slug="production", at=one.released_at)
        for one in releases
    )
    found = list(Release.objects.select_related("service__team"))
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert len(read_aftermath(found, now=NOW)) == 500
    assert len(queries) <= 3
