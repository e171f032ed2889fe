"""Maintenance windows: local times that are open once a day, whatever the clocks do."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsboard.services.models import MaintenanceWindow
from opsboard.services.windows import (
    begin_of,
    first_begin,
    has_begun,
    is_over,
    joined,
    next_occurrences,
    occurrences,
    open_at,
    spans_of,
    touching,
)
from tests.company import a_service, production

PLANNED = datetime(2026, 1, 1, tzinfo=UTC)
# Clocks of Oslo: an hour forward on 29 March 2026 at 01:00 UTC, back on 25 October at 01:00 UTC.
OSLO = "Europe/Oslo"
ZONES = ["UTC", OSLO, "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kathmandu"]


def a_window(**fields: object) -> MaintenanceWindow:
    values: dict[str, object] = {
        "name": "nightly import",
        "zone": OSLO,
        "starts_on": date(2026, 3, 1),
        "starts_at": time(2, 30),
        "minutes": 60,
        "repeats": "daily",
        "until": date(2026, 12, 31),
        "planned_at": PLANNED,
    }
    return MaintenanceWindow(**(values | fields))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def of_day(window: MaintenanceWindow, day: str) -> list[tuple[datetime, datetime]]:
    """What begins on a day of UTC."""
    start = at(day)
    found = occurrences(window, start, start + timedelta(days=1))
    return [span for span in found if span[0] >= start]


def test_a_nightly_window_exists_once_on_the_day_without_its_hour():
    assert of_day(a_window(), "2026-03-28") == [(at("2026-03-28 01:30"), at("2026-03-28 02:30"))]
    assert of_day(a_window(), "2026-03-29") == [(at("2026-03-29 01:30"), at("2026-03-29 02:30"))]
    assert of_day(a_window(), "2026-03-30") == [(at("2026-03-30 00:30"), at("2026-03-30 01:30"))]


def test_a_nightly_window_exists_once_on_the_day_that_has_its_hour_twice():
    assert of_day(a_window(), "2026-10-25") == [(at("2026-10-25 00:30"), at("2026-10-25 01:30"))]
    assert of_day(a_window(), "2026-10-26") == [(at("2026-10-26 01:30"), at("2026-10-26 02:30"))]


@pytest.mark.parametrize(
    ("day", "begin"), [("2026-03-28", "2026-03-28 22:00"), ("2026-10-24", "2026-10-24 21:00")]
)
def test_a_window_over_midnight_and_a_change_of_clocks_lasts_its_minutes(day: str, begin: str):
    window = a_window(starts_at=time(23), minutes=300)
    assert of_day(window, day) == [(at(begin), at(begin) + timedelta(hours=5))]


def test_a_window_that_is_open_once_is_open_on_no_other_day():
    window = a_window(repeats="once", until=None, starts_on=date(2026, 6, 1))
    found = occurrences(window, PLANNED, at("2027-01-01"))
    assert found == [(at("2026-06-01 00:30"), at("2026-06-01 01:30"))]


def test_a_weekly_window_begins_on_its_weekdays_of_the_zone():
    # 23:30 of Sunday in New York is Monday in UTC.
    window = a_window(
        zone="America/New_York", repeats="weekly", weekdays=[6], starts_at=time(23, 30)
    )
    begins = [begin for begin, _ in next_occurrences(window, at("2026-06-01 12:00"), count=3)]
    assert begins == [at("2026-06-08 03:30"), at("2026-06-15 03:30"), at("2026-06-22 03:30")]


def test_it_begins_on_its_last_day_and_never_after():
    window = a_window(zone="UTC", until=date(2026, 3, 2))
    assert [begin for begin, _ in occurrences(window, PLANNED, at("2027-01-01"))] == [
        at("2026-03-01 02:30"),
        at("2026-03-02 02:30"),
    ]
    assert is_over(window, at("2026-03-02 03:30"))
    assert not is_over(window, at("2026-03-02 03:29"))


def test_it_is_open_from_its_first_moment_until_before_its_last():
    window = a_window(zone="UTC")
    begin = at("2026-03-05 02:30")
    assert open_at(window, begin - timedelta(microseconds=1)) is None
    assert open_at(window, begin) == (begin, begin + timedelta(hours=1))
    assert open_at(window, begin + timedelta(hours=1)) is None


def test_ended_early_it_was_open_until_then_and_never_after():
    window = a_window(zone="UTC", removed_at=at("2026-03-05 02:45"))
    assert open_at(window, at("2026-03-05 02:44")) == (at("2026-03-05 02:30"), window.removed_at)
    assert open_at(window, at("2026-03-05 02:45")) is None
    assert occurrences(window, at("2026-03-06"), at("2027-01-01")) == []
    assert len(occurrences(window, PLANNED, at("2027-01-01"))) == 5
    assert next_occurrences(window, at("2026-03-05 03:00")) == []


def test_called_off_before_it_began_it_was_never_open():
    window = a_window(removed_at=at("2026-02-01"))
    assert occurrences(window, PLANNED, at("2027-01-01")) == []
    assert not has_begun(a_window(), at("2026-02-01"))
    assert has_begun(a_window(), at("2026-03-01 01:30"))


def test_planned_in_the_minute_in_which_it_begins_it_begins_then():
    window = a_window(zone="UTC", planned_at=at("2026-03-01 02:30:20"))
    assert open_at(window, at("2026-03-01 02:30:10")) is None
    assert open_at(window, at("2026-03-01 02:31")) == (
        at("2026-03-01 02:30:20"),
        at("2026-03-01 03:30"),
    )


def test_a_weekly_window_without_one_of_its_weekdays_never_begins():
    window = a_window(repeats="weekly", weekdays=[0], until=date(2026, 3, 1))
    assert first_begin(window) is None
    assert is_over(window, PLANNED)


def minutes_after(number: int) -> datetime:
    return PLANNED + timedelta(minutes=number)


windows = st.builds(
    a_window,
    zone=st.sampled_from(ZONES),
    starts_on=st.dates(date(2026, 1, 3), date(2026, 6, 30)),
    starts_at=st.times().map(lambda one: one.replace(second=0, microsecond=0)),
    minutes=st.integers(5, 7 * 24 * 60),
    repeats=st.just("weekly"),
    weekdays=st.lists(st.integers(0, 6), min_size=1, unique=True),
    until=st.dates(date(2026, 7, 1), date(2026, 12, 31)),
    removed_at=st.none() | st.integers(0, 365 * 24 * 60).map(minutes_after),
)
moments = st.integers(0, 395 * 24 * 60).map(minutes_after)


@given(window=windows)
def test_each_chosen_day_has_one_beginning_and_each_lasts_its_minutes(window: MaintenanceWindow):
    window.removed_at = None
    found = occurrences(window, at("2025-12-01"), at("2027-03-01"))
    days = (window.until - window.starts_on).days + 1
    wanted = [window.starts_on + timedelta(days=number) for number in range(days)]
    begins = [begin_of(window, day) for day in wanted if day.weekday() in window.weekdays]
    assert [begin for begin, _ in found] == [max(one, PLANNED) for one in begins]
    length = timedelta(minutes=window.minutes)
    assert all(end - begin == length for begin, end in found if begin > PLANNED)
    assert sorted(set(begins)) == begins


@given(window=windows, moment=moments)
def test_it_is_open_exactly_within_its_occurrences(window: MaintenanceWindow, moment: datetime):
    everything = occurrences(window, at("2025-12-01"), at("2027-03-01"))
    around = [(begin, end) for begin, end in everything if begin <= moment < end]
    assert (open_at(window, moment) is not None) == bool(around)
    if window.removed_at is not None:
        assert all(end <= window.removed_at for _, end in everything)


@given(window=windows, start=moments, hours=st.integers(0, 500))
def test_what_touches_a_stretch_is_the_same_however_it_is_cut(
    window: MaintenanceWindow, start: datetime, hours: int
):
    end = start + timedelta(hours=hours)
    middle = start + (end - start) / 2
    whole = set(occurrences(window, start, end))
    assert whole == {*occurrences(window, start, middle), *occurrences(window, middle, end)}
    everything = occurrences(window, at("2025-12-01"), at("2027-03-01"))
    assert whole == {(a, b) for a, b in everything if a < end and b > start}


@given(window=windows, moment=moments)
def test_the_next_one_is_the_first_that_begins_after(window: MaintenanceWindow, moment: datetime):
    everything = occurrences(window, at("2025-12-01"), at("2027-03-01"))
    after = [span for span in everything if span[0] > moment]
    assert next_occurrences(window, moment, count=2) == after[:2]


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 20)), max_size=8))
def test_joined_spans_cover_the_same_minutes_and_none_twice(rows: list[tuple[int, int]]):
    def minute(number: int) -> datetime:
        return PLANNED + timedelta(minutes=number)

    spans = joined((minute(begin), minute(begin + length)) for begin, length in rows)
    covered = {one for begin, length in rows for one in range(begin, begin + length)}
    assert sum((b - a for a, b in spans), timedelta()) == timedelta(minutes=len(covered))
    assert all(one[1] < other[0] for one, other in pairwise(spans))


@pytest.mark.django_db
def test_maintenance_of_an_environment_is_what_its_windows_are_about():
    service, other = a_service(), a_service()
    staging = service.environments.create(slug="staging", base_url="http://127.0.0.1:9")
    once = {"zone": "UTC", "repeats": "once", "until": None}
    a_window(**once, service=service, environment_slug="production").save()
    a_window(**once, team=service.team, minutes=30, starts_at=time(3)).save()
    a_window(**once, service=other, starts_at=time(5)).save()
    places = [production(service), staging, production(other)]
    start, end = at("2026-03-01"), at("2026-03-01 05:15")
    found = spans_of(touching(start, end), places, start, end)
    early, late = at("2026-03-01 02:30"), at("2026-03-01 03:00")
    assert found == {
        # Two that overlap count once.
        places[0].pk: [(early, at("2026-03-01 03:30"))],
        places[1].pk: [(late, at("2026-03-01 03:30"))],
        places[2].pk: [
            (late, at("2026-03-01 03:30")),
            (at("2026-03-01 05:00"), at("2026-03-01 05:15")),
        ],
    }
