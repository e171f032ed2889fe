"""Before and after whatever was put into service: a day on each side, honest about what lacks."""

from datetime import timedelta

import pytest

from opsboard.probes.history import roll_up
from opsboard.probes.models import HourlyRollup, Kind, Observation, Probe
from opsboard.probes.rules import Verdict
from opsboard.releases.before_after import deploys_of, read_before_after, together
from opsboard.services.models import Deploy
from tests.changes.measuring import a_measured_path, every_half_minute, minutes, observe
from tests.company import NOON, production

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
NOW = NOON + 3 * HOUR


@pytest.fixture
def path():
    return a_measured_path()


def deploy(path, at=NOON, name="2026.11.4", kind=Deploy.Kind.RELEASE):
    return production(path.service).deploys.create(at=at, name=name, kind=kind)


def steps(path, now=NOW):
    probes = list(Probe.objects.filter(path=path))
    deploys = deploys_of(production(path.service).pk, now=now)
    return read_before_after(deploys, probes, now=now)


def test_both_sides_of_a_release_are_told_by_their_own_requests(path):
    deploy(path)
    observe(path, every_half_minute(NOON - HOUR, 120), milliseconds=200, db_calls=12, cache="miss")
    observe(path, every_half_minute(NOON, 100), milliseconds=100, db_calls=3)

    (step,) = steps(path)

    assert (step.before.asked, step.after.asked) == (120, 100)
    assert 170_000 < step.before.p50 < 230_000
    assert 85_000 < step.after.p50 < 115_000
    assert step.before.p95 > step.before.p50
    assert (step.before.calls_mean, step.after.calls_mean) == (12, 3)
    assert (step.before.cache_hits, step.after.cache_hits) == (0, 100)


def test_roll_ups_tell_the_same_as_the_observations_they_outlive(path):
    deploy(path, NOON - 4 * HOUR)
    observe(path, every_half_minute(NOON - 7 * HOUR, 720))
    (seen,) = steps(path)

    roll_up(now=NOON + HOUR)
    Observation.objects.all().delete()
    (kept,) = steps(path)

    assert HourlyRollup.objects.count() == 6
    assert (kept.before, kept.after) == (seen.before, seen.after)
    assert (kept.before.asked, kept.after.asked) == (360, 360)


def test_an_hour_that_something_cut_is_told_only_by_observations(path):
    deploy(path, minutes(-90))
    observe(path, every_half_minute(NOON - 3 * HOUR, 360), db_calls=5)
    roll_up(now=NOON + HOUR)

    (step,) = steps(path)
    assert (step.before.asked, step.after.asked) == (180, 180)

    Observation.objects.all().delete()
    (step,) = steps(path)
    assert (step.before.asked, step.after.asked) == (120, 120)


def test_a_side_ends_where_the_next_one_begins(path):
    observe(path, every_half_minute(NOON - 2 * HOUR, 360))
    deploy(path, NOON - HOUR, "2026.11.4")
    deploy(path, NOON, "2026.11.5")

    newest, older = steps(path)

    assert (newest.before.asked, newest.after.asked) == (120, 120)
    assert (older.before.asked, older.after.asked) == (120, 120)
    assert [one.deploys[0].name for one in (newest, older)] == ["2026.11.5", "2026.11.4"]


def test_a_side_is_a_day_at_most(path):
    deploy(path)
    observe(path, [NOON - timedelta(hours=24), NOON - timedelta(hours=24, seconds=1)])

    (step,) = steps(path)

    assert step.before.asked == 1


def test_only_the_newest_side_still_grows(path):
    deploy(path, NOON - HOUR)
    deploy(path)

    assert [one.is_growing for one in steps(path)] == [True, False]
    assert [one.is_growing for one in steps(path, NOON + 30 * HOUR)] == [False, False]


def test_a_release_and_its_commit_that_is_seen_soon_after_are_one(path):
    deploy(path, NOON)
    deploy(path, minutes(4), "9f3c1ab", Deploy.Kind.SEEN)
    observe(path, every_half_minute(NOON - HOUR, 240))

    (step,) = steps(path)

    assert [one.name for one in step.deploys] == ["2026.11.4", "9f3c1ab"]
    assert step.at == NOON
    # What was asked between them is of neither side.
    assert (step.before.asked, step.after.asked) == (120, 112)


def test_what_is_too_few_has_no_percentile(path):
    deploy(path)
    observe(path, every_half_minute(NOON - HOUR, 19))
    observe(path, every_half_minute(NOON, 59))

    (step,) = steps(path)

    assert (step.before.timed, step.before.p50) == (19, None)
    assert step.after.p50 is not None
    assert step.after.p95 is None


def test_what_nobody_reported_is_not_nought(path):
    deploy(path)
    observe(path, every_half_minute(NOON, 60), cache="unknown", db_calls=None)

    (step,) = steps(path)

    assert (step.after.calls_mean, step.after.cache_known) == (None, 0)
    assert step.before.asked == 0


def test_wrong_answers_count_and_their_times_do_not(path):
    deploy(path)
    observe(path, every_half_minute(NOON, 60))
    observe(
        path, every_half_minute(NOON + HOUR, 10), verdict=Verdict.FAILING, is_wrong=True,
        milliseconds=1,
    )  # fmt: skip

    (step,) = steps(path)

    assert (step.after.asked, step.after.wrong, step.after.timed) == (70, 10, 60)


def test_errors_of_our_own_and_requests_out_of_turn_are_left_out(path):
    deploy(path)
    observe(path, every_half_minute(NOON, 60))
    observe(path, every_half_minute(NOON + HOUR, 5), verdict=Verdict.ERROR)
    observe(path, every_half_minute(NOON + 2 * HOUR, 5), kind=Kind.ASKED_AGAIN)

    (step,) = steps(path)

    assert step.after.asked == 60


def test_made_up_hours_are_nobodys_figures(path):
    deploy(path)
    observe(path, every_half_minute(NOON - HOUR, 120))
    roll_up(now=NOON + HOUR)
    HourlyRollup.objects.update(is_example=True)
    Observation.objects.all().delete()

    assert steps(path)[0].before.asked == 0


def test_ten_are_shown_and_what_is_to_come_is_not(path):
    for number in range(13):
        deploy(path, NOON - number * HOUR, f"2026.11.{number}")
    deploy(path, NOW + HOUR, "tomorrow")

    found = steps(path)

    assert len(found) == 10
    assert found[0].deploys[0].name == "2026.11.0"


def test_without_a_deploy_or_a_probe_there_is_nothing(path):
    assert steps(path) == []
    deploy(path)
    Probe.objects.all().delete()
    assert steps(path) == []


def test_it_takes_three_queries_however_many_there_are(path, django_assert_num_queries):
    for number in range(10):
        deploy(path, NOON - number * HOUR, f"2026.11.{number}")
    observe(path, every_half_minute(NOON - HOUR, 120))
    place, probes = production(path.service), list(Probe.objects.filter(path=path))

    with django_assert_num_queries(3):
        read_before_after(deploys_of(place.pk, now=NOW), probes, now=NOW)


def test_those_further_apart_than_ten_minutes_are_two(path):
    first, second = deploy(path, NOON), deploy(path, minutes(10))

    assert together([first, second]) == [[first], [second]]
