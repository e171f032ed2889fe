"""Which version runs: asked of each environment that tells, written down when it changes."""

import json
from datetime import timedelta

import pytest

from opsboard.probes.versions import see_versions
from opsboard.services.models import Deploy, Environment
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


def test_going_back_is_a_version_that_changes():
    with saying({"commit": "aaa"}) as machine:
        place = telling(machine)
        look(2)
        Deploy.objects.create(environment=place, name="bbb", at=NOON + timedelta(minutes=3))
        assert look(4) == 1
    assert names() == ["aaa", "bbb", "aaa"]


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
