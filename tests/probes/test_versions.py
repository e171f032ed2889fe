"""Which version runs: asked of each environment that tells, written down when it changes."""

import json
from datetime import datetime, timedelta

import pytest

from opsboard.outbound.reply import Phases, Reply
from opsboard.probes.versions import keep, see_versions
from opsboard.services.models import Deploy, Environment, Running
from tests.company import NOON, a_service, production
from tests.far_side import FarSide, answer

pytestmark = pytest.mark.django_db


def telling(machine: FarSide, commit: str = "json $.commit") -> Environment:
    place = production(a_service())
    place.base_url = machine.url("").rstrip("/")
    place.version_route, place.version_commit = "GET /version", commit
    place.save()
    return place


def look(minutes: int = 0) -> int:
    return see_versions(now=NOON + timedelta(minutes=minutes), is_stopping=lambda: False)


def names() -> list[str]:
    return list(Deploy.objects.order_by("at", "pk").values_list("name", flat=True))


def saying(document: object) -> FarSide:
    return FarSide(answer(200, body=json.dumps(document).encode()))


def test_a_version_is_written_down_once_and_again_when_it_changes():
    with saying({"commit": "aaa"}) as machine:
        place = telling(machine)
        assert (look(0), look(1)) == (1, 0)
    with saying({"commit": "bbb"}) as machine:
        Environment.objects.filter(pk=place.pk).update(base_url=machine.url("").rstrip("/"))
        assert look(2) == 1
        assert machine.requests[0].path == "/version"
    deploys = Deploy.objects.order_by("at")
    assert [(one.name, one.at - NOON, one.kind) for one in deploys] == [
        ("aaa", timedelta(), "seen"),
        ("bbb", timedelta(minutes=2), "seen"),
    ]


def told_in_turn(place: Environment, *documents: dict[str, object], minutes: int = 1) -> list[int]:
    """Each document is told in one look, so many minutes apart. How many versions were new."""
    new = []
    for turn, document in enumerate(documents):
        with saying(document) as machine:
            Environment.objects.filter(pk=place.pk).update(base_url=machine.url("").rstrip("/"))
            new.append(look(turn * minutes))
    return new


def a_place(**fields: str) -> Environment:
    place = production(a_service())
    place.version_route, place.version_commit = "GET /version", "json $.commit"
    for name, value in fields.items():
        setattr(place, name, value)
    place.save()
    return place


def at(minutes: int) -> datetime:
    return NOON + timedelta(minutes=minutes)


def test_going_back_is_a_version_that_changes():
    place = a_place()
    assert told_in_turn(place, {"commit": "aaa"}, {"commit": "bbb"}, {"commit": "aaa"}) == [1, 1, 1]
    assert names() == ["aaa", "bbb", "aaa"]
    assert Running.objects.get().commit_since == at(2)


def test_what_runs_is_told_at_every_look_and_since_the_first():
    place = a_place()
    told_in_turn(place, {"commit": "aaa"}, {"commit": "aaa"}, {"commit": "aaa"})
    running = Running.objects.get(environment=place)
    assert (running.commit, running.commit_since, running.told_at) == ("aaa", at(0), at(2))
    assert (running.config_root, running.root_since) == ("", None)


def test_the_configuration_that_runs_is_told_beside_the_commit():
    place = a_place(version_config_root="json $.config")
    told_in_turn(
        place,
        {"commit": "aaa", "config": "r1"},
        {"commit": "aaa", "config": "r1"},
        {"commit": "aaa", "config": "r2"},
    )
    running = Running.objects.get()
    assert (running.config_root, running.root_since, running.commit_since) == ("r2", at(2), at(0))
    told_in_turn(place, {}, {}, {}, {"commit": "aaa"})
    running = Running.objects.get()
    assert (running.config_root, running.root_since, running.told_at) == ("", None, at(3))


@pytest.mark.parametrize(("minutes", "since"), [(4, 0), (5, 5)])
def test_after_a_time_unknown_it_is_counted_anew_since_when_it_runs(minutes, since):
    place = a_place()
    assert told_in_turn(place, {"commit": "aaa"}, {"commit": "aaa"}, minutes=minutes) == [1, 0]
    running = Running.objects.get()
    assert (running.commit_since, running.told_at) == (at(since), at(minutes))


def test_a_look_that_tells_nothing_leaves_what_was_told_as_it_is():
    place = a_place()
    told_in_turn(place, {"commit": "aaa"}, {"commit": None}, {"build": "bbb"})
    running = Running.objects.get()
    assert (running.commit, running.told_at) == ("aaa", at(0))


def test_a_look_that_comes_late_does_not_undo_a_newer_one():
    place = a_place()
    told_in_turn(place, {}, {}, {"commit": "bbb"})
    assert told_in_turn(place, {"commit": "aaa"}, {"commit": "bbb"}) == [0, 0]
    running = Running.objects.get()
    assert (running.commit, running.told_at) == ("bbb", at(2))
    assert names() == ["bbb"]


def test_what_it_tells_takes_the_place_of_what_was_announced():
    place = a_place()
    Running.objects.create(
        environment=place, commit="aaa", commit_since=at(-60), told_at=at(-60), is_announced=True
    )
    told_in_turn(place, {"commit": "aaa"})
    running = Running.objects.get()
    assert (running.commit_since, running.told_at) == (at(-60), at(0))
    assert not running.is_announced


def test_a_look_that_tells_what_is_known_is_one_statement(django_assert_num_queries):
    place = a_place()
    told_in_turn(place, {"commit": "aaa"})
    known = Environment.objects.prefetch_related("variables").get(pk=place.pk)
    reply = Reply(status=200, http_version="1.1", body=b'{"commit": "aaa"}', phases=Phases())
    with django_assert_num_queries(1):
        assert not keep(known, reply, now=at(1))


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (503, '{"commit": "aaa"}'),
        (200, "not JSON"),
        (200, "{}"),
        (200, '{"commit": null}'),
        (200, '{"commit": true}'),
        (200, '{"commit": {"id": "aaa"}}'),
        (200, '{"commit": ""}'),
        (200, '{"commit": "two\\nlines"}'),
        (200, json.dumps({"commit": "a" * 201})),
    ],
)
def test_an_answer_that_does_not_tell_it_changes_nothing(status, body):
    with FarSide(answer(status, body=body.encode())) as machine:
        place = telling(machine)
        Deploy.objects.create(environment=place, name="before", at=NOON)
        assert look(1) == 0
    assert names() == ["before"]


def test_a_machine_that_is_not_there_changes_nothing_for_the_others():
    with saying({"build": {"number": 412}}) as machine:
        gone = telling(machine)
        Environment.objects.filter(pk=gone.pk).update(base_url="http://127.0.0.1:9")
        told = telling(machine, "json $.build.number")
        assert look() == 1
    assert Deploy.objects.get().environment == told
    assert names() == ["412"]


def test_an_address_that_the_egress_rule_refuses_is_not_asked():
    with saying({"commit": "aaa"}) as machine:
        place = telling(machine)
        Environment.objects.filter(pk=place.pk).update(base_url="http://169.254.169.254")
        assert look() == 0
        assert not machine.requests


def test_its_variables_are_filled_in_and_a_secret_is_never_a_version():
    with saying({"commit": "hush-hush"}) as machine:
        place = telling(machine)
        place.version_route = "GET /version?key={{ KEY }}"
        place.save()
        variable = place.variables.model(environment=place, name="KEY", is_secret=True)
        variable.keep("hush-hush")
        variable.save()
        assert look() == 0
        assert machine.requests[0].path == "/version?key=hush-hush"


def test_a_variable_that_is_not_set_leaves_the_others_alone():
    with saying({"commit": "aaa"}) as machine:
        place = telling(machine)
        Environment.objects.filter(pk=place.pk).update(version_route="GET /{{ NOT_SET }}")
        telling(machine)
        assert look() == 1


def test_what_was_removed_is_not_asked():
    with saying({"commit": "aaa"}) as machine:
        telling(machine).remove(by=None, now=NOON)
        telling(machine).service.remove(by=None, now=NOON)
        assert look() == 0
        assert not machine.requests


def test_a_worker_that_stops_waits_for_no_answer():
    with saying({"commit": "aaa"}) as machine:
        telling(machine)
        assert see_versions(now=NOON, is_stopping=lambda: True) == 0
