"""The same value reads the same on every page."""

from datetime import UTC, datetime, timedelta

import pytest

from opsboard.web import words

NOW = datetime(2026, 11, 17, 14, 32, tzinfo=UTC)
SECOND = 1_000_000


def plain(text: str) -> str:
    return text.replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("microseconds", "text"),
    [
        (0, "0 ms"),
        (49, "0 ms"),
        (50, "0.1 ms"),
        (400, "0.4 ms"),
        (1_000, "1 ms"),
        (9_940, "9.9 ms"),
        (9_950, "10 ms"),
        (400_000, "400 ms"),
        (999_499, "999 ms"),
        (999_500, "1 s"),
        (2_840_000, "2.84 s"),
        (2_800_000, "2.8 s"),
        (9_994_999, "9.99 s"),
        (9_995_000, "10 s"),
        (12_400_000, "12.4 s"),
        (30 * SECOND, "30 s"),
        (59_949_999, "59.9 s"),
        (59_950_000, "1 min"),
        (65 * SECOND, "1 min 5 s"),
        (230 * SECOND, "3 min 50 s"),
        (23 * 60 * SECOND, "23 min"),
        (3_599_500_000, "1 h"),
        (11_100 * SECOND, "3 h 5 min"),
        (86_400 * SECOND, "1 day"),
        (187_200 * SECOND, "2 days 4 h"),
        (-400_000, "\u2212400 ms"),
    ],
)
def test_a_duration(microseconds, text):
    assert plain(words.duration(microseconds)) == text


def test_a_unit_never_stands_on_a_line_of_its_own():
    assert words.duration(65 * SECOND) == "1\u00a0min 5\u00a0s"


@pytest.mark.parametrize(
    ("gone", "text"),
    [
        (timedelta(seconds=-5), "0 s"),
        (timedelta(seconds=12.9), "12 s"),
        (timedelta(seconds=59.9), "59 s"),
        (timedelta(minutes=1, seconds=59), "1 min"),
        (timedelta(minutes=23), "23 min"),
        (timedelta(hours=3, minutes=5, seconds=50), "3 h 5 min"),
        (timedelta(days=2, hours=4), "2 days 4 h"),
        (timedelta(days=41), "41 days"),
    ],
)
def test_how_long_ago(gone, text):
    assert plain(words.ago(NOW - gone, NOW)) == text


@pytest.mark.parametrize(
    ("then", "clock", "when"),
    [
        (datetime(2026, 11, 17, 14, 9, tzinfo=UTC), "14:09", "today 14:09"),
        (datetime(2026, 11, 17, 16, 30, tzinfo=UTC), "16:30", "today 16:30"),
        (datetime(2026, 11, 16, 11, 20, tzinfo=UTC), "Mon 11:20", "Mon 11:20"),
        (datetime(2026, 11, 18, 6, 0, tzinfo=UTC), "Wed 06:00", "Wed 06:00"),
        (datetime(2026, 11, 11, 23, 59, tzinfo=UTC), "Wed 23:59", "Wed 23:59"),
        (datetime(2026, 11, 10, 14, 32, tzinfo=UTC), "10 Nov", "10 Nov"),
        (datetime(2026, 11, 8, 9, 0, tzinfo=UTC), "8 Nov", "8 Nov"),
        (datetime(2025, 11, 8, 9, 0, tzinfo=UTC), "8 Nov 2025", "8 Nov 2025"),
    ],
)
def test_a_time(then, clock, when):
    assert words.clock(then, NOW) == clock
    assert words.when(then, NOW) == when


@pytest.mark.parametrize(
    ("percent", "text"),
    [
        (99.998, "99.99%"),
        (99.99, "99.99%"),
        (99.999999, "99.99%"),
        (99.9, "99.90%"),
        (100, "100%"),
        (100.0, "100%"),
        (0, "0%"),
        (0.001, "0.00%"),
        (57.29, "57.29%"),
    ],
)
def test_a_percentage_is_never_rounded_up(percent, text):
    assert words.percent_down(percent) == text


@pytest.mark.parametrize(
    ("up", "measured", "text"),
    [(86_400, 86_400, "100%"), (86_399, 86_400, "99.99%"), (0, 60, "0%"), (0, 0, "no data")],
)
def test_availability(up, measured, text):
    assert words.availability(up, measured) == text


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [
        (2, 10, "2 of 10"),
        (19, 19, "19 of 19"),
        (0, 0, "0 of 0"),
        (118, 1000, "11.8%"),
        (5, 20, "25%"),
        (1, 100_000, "under 0.1%"),
        (0, 100_000, "0%"),
        (99_999, 100_000, "99.9%"),
    ],
)
def test_a_share_of_few_is_counted(part, whole, text):
    assert plain(words.share(part, whole)) == text


@pytest.mark.parametrize(
    ("value", "text"), [(2841, "2,841"), (0, "0"), (-3, "\u22123"), (1_234_567, "1,234,567")]
)
def test_a_number(value, text):
    assert words.number(value) == text


@pytest.mark.parametrize(
    ("octets", "text"),
    [(812, "812 B"), (4200, "4.2 kB"), (999_949, "999.9 kB"), (999_950, "1.0 MB")],
)
def test_a_size(octets, text):
    assert plain(words.size(octets)) == text


def test_what_is_counted_agrees_with_its_number():
    counts = [
        words.counted(1, "path"),
        words.counted(2, "path"),
        words.counted(2, "person", "people"),
    ]
    assert [plain(text) for text in counts] == ["1 path", "2 paths", "2 people"]


@pytest.mark.parametrize(
    ("zone", "text"),
    [
        ("UTC", "Mon 26 Oct 23:30 UTC"),
        ("Europe/London", "Mon 26 Oct 23:30 UTC"),
        ("America/New_York", "Mon 26 Oct 19:30 in America/New_York, 23:30 UTC"),
        ("Europe/Oslo", "Tue 27 Oct 00:30 in Europe/Oslo, Mon 26 Oct 23:30 UTC"),
    ],
)
def test_a_time_in_a_teams_zone_has_utc_beside_it(zone, text):
    assert words.in_zone(datetime(2026, 10, 26, 23, 30, tzinfo=UTC), zone) == text


def test_both_ends_of_a_stretch_are_said_as_short_as_they_are_clear():
    start = NOW.replace(hour=9, minute=0, second=2)
    assert words.from_to(start, start + timedelta(seconds=40), NOW) == (
        "today 09:00:02",
        "09:00:42",
    )
    assert words.from_to(start, start + timedelta(hours=3), NOW) == ("today 09:00", "12:00")
    before = start - timedelta(days=1)
    assert words.from_to(before, start, NOW)[1] == "today 09:00"


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        (
            "db.calls is 143, expected at most 4; cache is miss, expected hit",
            "The number of database calls is 143, expected at most 4; cache is miss, expected hit.",
        ),
        (
            "p95 db.calls is 148 over 1 h, expected at most 12",
            "p95 of the number of database calls is 148 over 1 h, expected at most 12.",
        ),
        (
            "time is 2 s, expected under 1 s; certificate.days is 9, expected over 14",
            "Time is 2 s, expected under 1 s; the number of days the certificate is valid is 9, "
            "expected over 14.",
        ),
        # Written by a far side: it stays as it is.
        ('json $.a is "db.calls is 1", expected "x"', 'Json $.a is "db.calls is 1", expected "x".'),
        ("", ""),
    ],
)
def test_a_reason_is_said_with_the_words_of_facts(reason, said):
    assert words.reason_sentence(reason) == said
