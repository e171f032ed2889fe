"""The likely cause: what was released before a failure, and what moved with it."""

from datetime import timedelta

import pytest

from opsboard.incidents.cause import NOTHING, Known, Seen, moved, newest_before, sentence_of, short
from opsboard.incidents.models import Incident
from opsboard.incidents.suspecting import suspect_again
from opsboard.services.models import CriticalPath, Deploy
from tests.company import a_path, a_service, production
from tests.incidents.failing import at, become, observe, stand, two_services

pytestmark = pytest.mark.django_db

FAILING = 2
HIT, MISS = 1, 2
MINUTES = timedelta(minutes=1)


# Pure ------------------------------------------------------------------------------------------


def known(minute: float, name: str = "2026.11.3", **fields: object) -> Known:
    values: dict[str, object] = {"kind": "Release", "service": "fares-api"}
    return Known(name=name, at=at(minute), **(values | fields))


@pytest.mark.parametrize(
    ("deploys", "found"),
    [
        ([], None),
        ([known(-3)], "2026.11.3"),
        ([known(-3, "new"), known(-90, "old")], "new"),
        ([known(-1440, "a day ago")], "a day ago"),
        ([known(-1441)], None),
        # What came after it is not its cause.
        ([known(0)], None),
        ([known(1, "later"), known(-3, "before")], "before"),
        # Seen at the next look: it may have begun to run before.
        ([known(0.5, "seen", seen_within=MINUTES)], "seen"),
        ([known(1, seen_within=MINUTES)], None),
        # What was found running at the first look was not released then.
        ([known(-3, "first", is_first_seen=True)], None),
        ([known(-3, "first", is_first_seen=True), known(-9, "told")], "told"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_newest_before_the_first_failure_is_suspected(deploys, found):
    newest = newest_before(deploys, at(0))
    assert (newest.name if newest else None) == found


def test_the_sentence_says_what_and_how_long_before():
    assert sentence_of(known(-3), at(0), blind=[]) == (
        "Release 2026.11.3 of fares-api, 3 min before the first failure."
    )
    seen = known(0.5, "4" * 40, kind="Deploy", seen_within=MINUTES)
    assert sentence_of(seen, at(0), blind=[]) == (
        "Deploy 4444444 of fares-api, first seen 30 s after the first failure."
    )


def test_without_any_it_says_that_going_back_may_not_help():
    assert NOTHING == "Nothing was released in 24 h; going back may not help."
    assert sentence_of(None, at(0), blind=[]) == NOTHING
    assert sentence_of(None, at(0), blind=["fares-api"]) == (
        f"{NOTHING} Opsboard cannot see releases of fares-api: "
        "give its environment a version route."
    )


@pytest.mark.parametrize(
    ("name", "said"), [("ab" * 20, "abababa"), ("2026.11.3", "2026.11.3"), ("cafe", "cafe")]
)
def test_a_commit_is_shortened(name, said):
    assert short(name) == said


USUAL = Seen(
    answered=120, connect=120_000, first_byte=120 * 180_000, transfer=120_000,
    cache_hits=110, cache_known=120, calls=720, calls_reported=120,
)  # fmt: skip
SLOW = Seen(
    answered=10, connect=10_000, first_byte=10 * 2_400_000, transfer=10_000,
    cache_hits=3, cache_known=10, calls=1480, calls_reported=10,
)  # fmt: skip


def test_what_moved_is_said_with_both_values():
    assert moved(USUAL, SLOW) == [
        "First byte took 2.4 s, against 180 ms before",
        "148 database calls against 6",
        "Cache hits 3 of 10 against 92%",
    ]


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (USUAL, USUAL),
        (USUAL, Seen()),
        (Seen(), SLOW),
        (Seen(answered=4, first_byte=4, calls=4, calls_reported=4, cache_known=4), SLOW),
        # Ten times as long, but nobody notices.
        (Seen(answered=9, first_byte=9_000), Seen(answered=9, first_byte=90_000)),
        (Seen(calls=9, calls_reported=9), Seen(calls=18, calls_reported=9)),
    ],
    ids=["as usual", "nothing now", "nothing before", "hardly any before", "tiny", "one call"],
)
def test_what_has_not_moved_or_is_not_known_is_not_said(before, now):
    assert moved(before, now) == []


# Read from what was seen -----------------------------------------------------------------------


@pytest.fixture
def path() -> CriticalPath:
    return a_path(a_service("fares-api"), name="Price a crossing")


def cause_of(path: CriticalPath) -> dict[str, object]:
    return Incident.objects.get(service=path.service).cause


def deployed(path: CriticalPath, name: str, *, minute: float, kind: str = "release") -> Deploy:
    place = production(path.service)
    return Deploy.objects.create(environment=place, kind=kind, name=name, at=at(minute))


def test_a_release_before_it_is_the_likely_cause(path):
    deployed(path, "2026.11.3", minute=-3)
    become(path, "failing", minute=0)
    cause = cause_of(path)
    assert cause["sentence"] == "Release 2026.11.3 of fares-api, 3 min before the first failure."
    assert cause["deploy"] == {
        "kind": "Release",
        "name": "2026.11.3",
        "service": "fares-api",
        "url": "",
        "at": at(-3).isoformat(),
    }


def test_a_release_of_a_service_below_counts_as_well():
    below, above = two_services()
    deployed(below, "2026.11.3", minute=-3)
    deployed(below, "elsewhere", minute=-1).environment.service.environments.create(slug="staging")
    Deploy.objects.filter(name="elsewhere").update(
        environment=below.service.environments.get(slug="staging")
    )
    become(above, "failing", minute=0)
    assert cause_of(above)["sentence"].startswith("Release 2026.11.3 of fares-api")


def test_the_first_version_ever_seen_is_not_called_a_release(path):
    place = production(path.service)
    place.version_route, place.version_commit = "GET /version", "json $.commit"
    place.save()
    deployed(path, "first", minute=-3, kind="seen")
    become(path, "failing", minute=0)
    assert (cause_of(path)["sentence"], cause_of(path)["deploy"]) == (NOTHING, None)


def test_the_second_is(path):
    deployed(path, "first", minute=-600, kind="seen")
    deployed(path, "second", minute=-3, kind="seen")
    become(path, "failing", minute=0)
    assert cause_of(path)["sentence"].startswith("Deploy second of fares-api, 3 min before")


def test_a_service_whose_releases_cannot_be_seen_is_named(path):
    become(path, "failing", minute=0)
    assert "Opsboard cannot see releases of fares-api" in cause_of(path)["sentence"]


def test_what_moved_is_read_from_the_hour_before_and_since_the_first_failure(path):
    stand(path, "passing", minute=-60)
    usual = {"first_byte": 180_000, "db_calls": 6, "cache": HIT}
    for minute in range(-59, 0):
        observe(path, 0, minute=minute, **usual)
    slow = {"first_byte": 2_400_000, "db_calls": 148, "cache": MISS}
    observe(path, FAILING, minute=0, **slow)
    observe(path, FAILING, minute=1, **slow)
    become(path, "failing", minute=1.01)
    assert cause_of(path)["moved"] == [
        "First byte took 2.4 s, against 180 ms before",
        "148 database calls against 6",
        "Cache hits 0 of 2 against 100%",
    ]


def test_it_is_looked_at_again_once_a_minute_for_ten_minutes(path):
    become(path, "failing", minute=0)
    deployed(path, "told late", minute=-3)
    suspect_again(now=at(0.5))
    assert cause_of(path)["deploy"] is None
    suspect_again(now=at(1))
    assert cause_of(path)["deploy"]["name"] == "told late"
    Deploy.objects.all().delete()
    suspect_again(now=at(10))
    assert cause_of(path)["deploy"]["name"] == "told late"


def test_going_back_is_not_the_cause_of_what_it_mends(path):
    deployed(path, "2026.11.3", minute=-3)
    become(path, "failing", minute=0)
    deployed(path, "2026.11.2", minute=4)
    suspect_again(now=at(5))
    assert cause_of(path)["deploy"]["name"] == "2026.11.3"
