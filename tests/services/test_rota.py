"""Whose turn it is: by the local clock, one person at a time, with covers and people who left."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from hypothesis import given
from hypothesis import strategies as st

from opsboard.people import joining
from opsboard.services.models import Rota, Team
from opsboard.services.rota import on_duty, read_rotas
from opsboard.services.turns import Cover, Order, turn_at, turns_from

BERLIN = ZoneInfo("Europe/Berlin")
IDA, OLE, ANN = 1, 2, 3
# Monday.
FIRST = date(2026, 3, 2)
ORDER = Order(
    people=(IDA, OLE, ANN),
    starts_on=FIRST,
    hand_over_at=time(9),
    days=7,
    zone="Europe/Berlin",
)


def berlin(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


def who(order: Order, text: str) -> int | None:
    turn = turn_at(order, berlin(text))
    return turn.person if turn else None


def changed(**fields: object) -> Order:
    names = ("people", "passed_over", "starts_on", "hand_over_at", "days", "zone", "covers")
    return Order(**{name: getattr(ORDER, name) for name in names} | fields)


@pytest.mark.parametrize(
    ("local", "person"),
    [
        ("2026-03-02 08:59", None),
        ("2026-03-02 09:00", IDA),
        ("2026-03-09 08:59", IDA),
        ("2026-03-09 09:00", OLE),
        ("2026-03-16 09:00", ANN),
        ("2026-03-23 09:00", IDA),
        ("2027-03-01 08:59", IDA),
        ("2027-03-01 09:00", OLE),
    ],
)
def test_turns_go_round_and_nobody_is_on_duty_before_the_first(
    local: str, person: int | None
) -> None:
    assert who(ORDER, local) == person


@pytest.mark.parametrize(
    ("before", "after", "hours"),
    [
        # The clocks go forward on 29 March, and back on 25 October.
        ("2026-03-28 09:00", "2026-03-29 09:00", 23),
        ("2026-10-24 09:00", "2026-10-25 09:00", 25),
        ("2026-07-01 09:00", "2026-07-02 09:00", 24),
    ],
)
def test_nine_stays_nine_when_the_clocks_change(before: str, after: str, hours: int) -> None:
    daily = changed(days=1)
    turn = turn_at(daily, berlin(before))
    assert turn is not None
    assert (turn.starts, turn.ends) == (berlin(before), berlin(after))
    # Aware times of one zone are taken apart by the wall: only UTC tells how long it was.
    assert turn.ends.astimezone(UTC) - turn.starts.astimezone(UTC) == timedelta(hours=hours)


def test_a_hand_over_in_the_hour_that_does_not_exist_or_exists_twice_is_once() -> None:
    night = changed(days=1, hand_over_at=time(2, 30))
    for day in ("2026-03-29", "2026-10-25"):
        noon = berlin(f"{day} 12:00")
        turns = list(islice(turns_from(night, noon - timedelta(days=2)), 4))
        assert all(before.ends == after.starts for before, after in pairwise(turns))
        assert len({turn.person for turn in turns[:3]}) == 3


def test_a_cover_is_on_duty_whatever_the_order_says_and_then_the_order_goes_on() -> None:
    cover = Cover(ANN, berlin("2026-03-04 12:00"), berlin("2026-03-05 12:00"))
    order = changed(covers=(cover,))
    assert who(order, "2026-03-04 11:59") == IDA
    assert who(order, "2026-03-04 12:00") == ANN
    assert who(order, "2026-03-05 12:00") == IDA
    assert who(order, "2026-03-09 09:00") == OLE


def test_of_two_covers_the_one_that_began_later_counts() -> None:
    long = Cover(ANN, berlin("2026-03-03 00:00"), berlin("2026-03-08 00:00"))
    short = Cover(OLE, berlin("2026-03-04 00:00"), berlin("2026-03-05 00:00"))
    order = changed(covers=(short, long))
    assert [who(order, f"2026-03-0{day} 12:00") for day in (3, 4, 5, 8)] == [ANN, OLE, ANN, IDA]


def test_who_may_not_sign_in_is_passed_over_and_so_are_their_covers() -> None:
    order = changed(passed_over=frozenset({OLE}))
    assert who(order, "2026-03-09 09:00") == ANN
    cover = Cover(OLE, berlin("2026-03-03 00:00"), berlin("2026-03-08 00:00"))
    assert who(changed(passed_over=frozenset({OLE}), covers=(cover,)), "2026-03-04 00:00") == IDA
    assert who(changed(passed_over=frozenset({IDA, OLE, ANN})), "2026-03-04 00:00") is None


ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"]
INSTANTS = st.datetimes(
    datetime(2009, 1, 1),  # noqa: DTZ001
    datetime(2030, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
COVERS = st.builds(
    lambda person, starts, hours: Cover(person, starts, starts + timedelta(hours=hours)),
    st.sampled_from([IDA, OLE, ANN, 4]),
    INSTANTS,
    st.integers(1, 2000),
)


@given(
    people=st.lists(st.sampled_from([IDA, OLE, ANN]), min_size=1, max_size=4),
    starts_on=st.dates(date(2009, 1, 1), date(2012, 1, 1)),
    hand_over_at=st.times(),
    days=st.integers(1, 28),
    zone=st.sampled_from(ZONES),
    covers=st.lists(COVERS, max_size=3),
    at=INSTANTS,
)
def test_at_any_moment_one_person_is_on_duty_and_turns_abut(
    people, starts_on, hand_over_at, days, zone, covers, at
) -> None:
    order = Order(
        people=tuple(people),
        starts_on=starts_on,
        hand_over_at=hand_over_at.replace(microsecond=0),
        days=days,
        zone=zone,
        covers=tuple(covers),
    )
    at = max(at, order.begins)
    turns = list(islice(turns_from(order, at), 6))
    assert turns[0].starts <= at < turns[0].ends
    for before, after in pairwise(turns):
        assert before.starts < before.ends == after.starts
    for turn in turns:
        last = turn.ends - timedelta(microseconds=1)
        assert turn_at(order, turn.starts) == turn_at(order, last) == turn


# As it is stored

NOW = berlin("2026-03-04 12:00")


@pytest.fixture
def ida(db: None) -> User:
    return joining.add("Ida Berg", "editor", password="correct horse battery")


@pytest.fixture
def ole(db: None) -> User:
    return joining.add("Ole Dahl", "editor", password="correct horse battery")


def a_rota(team: Team, *people: User) -> Rota:
    Team.objects.filter(pk=team.pk).update(zone="Europe/Berlin")
    rota = Rota.objects.create(team=team, starts_on=FIRST, hand_over_at=time(9))
    for position, person in enumerate(people, start=1):
        rota.turns.create(position=position, person=person)
    return rota


def test_a_team_says_who_is_on_duty_and_who_is_next(team: Team, ida: User, ole: User) -> None:
    assert on_duty(team, NOW) is None
    a_rota(team, ida, ole)
    now = on_duty(team, NOW)
    assert now is not None
    assert (now.person, now.until) == (ida, berlin("2026-03-09 09:00"))
    assert (now.next_person, now.next_from) == (ole, now.until)
    assert on_duty(team, berlin("2026-03-02 08:00")) is None


def test_the_only_one_is_on_duty_without_an_end(team: Team, ida: User) -> None:
    a_rota(team, ida)
    now = on_duty(team, NOW)
    assert now is not None
    assert (now.person, now.until, now.next_person) == (ida, None, None)


def test_a_cover_is_next_when_it_comes_first(team: Team, ida: User, ole: User) -> None:
    rota = a_rota(team, ida)
    starts, ends = berlin("2026-03-05 00:00"), berlin("2026-03-06 00:00")
    rota.covers.create(person=ole, starts_at=starts, ends_at=ends)
    now = on_duty(team, NOW)
    assert now is not None
    assert (now.person, now.next_person, now.next_from) == (ida, ole, starts)
    now = on_duty(team, starts)
    assert now is not None
    assert (now.person, now.until, now.is_cover) == (ole, ends, True)


def test_a_disabled_account_is_passed_over(team: Team, ida: User, ole: User) -> None:
    a_rota(team, ida, ole)
    ida.is_active = False
    ida.save()
    now = on_duty(team, NOW)
    assert now is not None and now.person == ole
    ole.is_active = False
    ole.save()
    assert on_duty(team, NOW) is None


def test_all_rotas_are_read_in_few_queries(
    team: Team, ida: User, ole: User, django_assert_max_num_queries
) -> None:
    a_rota(team, ida, ole)
    for number in range(20):
        a_rota(Team.objects.create(slug=f"team-{number}", name="T"), ole, ida)
    with django_assert_max_num_queries(5):
        assert all(reading.on_duty(NOW) for reading in read_rotas().values())
