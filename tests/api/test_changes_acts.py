"""What programs do with a change: its baseline, that it was applied, what was cleared."""

from datetime import timedelta

import pytest
from django.utils import timezone

from opsboard.changes.models import Act, Change
from tests.api.changes import declare, done, judged, watched
from tests.api.ci import ago, get, places, post

pytestmark = pytest.mark.django_db


def test_a_baseline_is_opened_once_and_then_repeated_only_after_its_end(ask, path):
    watched(path, count=30)
    address = declare(ask)
    assert post(ask, f"{address}/attempts", {})[0] == 409
    assert post(ask, f"{address}/baseline/seal", {})[0] == 409
    said = done(ask, address, "baseline")
    assert (said["stage"], said["attempt"]) == ("baseline", 1)
    again, repeated = post(ask, f"{address}/baseline", {}), post(ask, f"{address}/attempts", {})
    assert (again[0], repeated[0]) == (409, 409)
    assert "still open" in repeated[1]["errors"][0]["message"]


def test_too_small_a_baseline_is_not_sealed_and_then_nothing_is_applied(ask, path):
    watched(path, count=59)
    address = declare(ask)
    done(ask, address, "baseline")
    status, answer = post(ask, f"{address}/baseline/seal", {})
    assert (status, answer["errors"][0]["code"]) == (409, "refused")
    assert "60" in answer["errors"][0]["message"]
    assert post(ask, f"{address}/applied", {})[0] == 409
    assert not Act.objects.exists()


def test_what_was_applied_is_recorded_as_it_is_told(ask, path):
    watched(path)
    address = declare(ask)
    done(ask, address, "baseline", "baseline/seal")
    told = {"command": "make deploy", "exit_code": 0, "remark": "By hand"}
    status, said = post(ask, f"{address}/applied", told)
    assert status == 201
    assert said["stage"] == "collecting"
    assert said["progress"]["side"] == "after"
    (act,) = said["attempts"][0]["acts"]
    assert act == act | told | {"kind": "applied", "what": None, "worked": None}
    assert act["by"].startswith("CI")
    assert said["attempts"][0]["applied_at"] == act["at"]
    assert post(ask, f"{address}/applied", told)[0] == 409


def test_a_key_and_a_prefix_are_cleared_and_everything_is_asked_for_twice(ask, path):
    watched(path)
    address = declare(ask)
    done(ask, address, "baseline", "baseline/seal")
    clear = f"{address}/cleared"
    assert post(ask, clear, {"what": "prefix", "pattern": "fares:", "count": 12})[0] == 201
    assert places(post(ask, clear, {"what": "everything"})[1]) == ["/sure"]
    assert places(post(ask, clear, {"what": "key", "pattern": " "})[1]) == ["/pattern"]
    assert places(post(ask, clear, {"what": "all"})[1]) == ["/what"]
    assert places(post(ask, clear, {})[1]) == ["/what"]
    assert post(ask, clear, {"what": "everything", "sure": True})[0] == 201
    acts = get(ask, address)[1]["attempts"][0]["acts"]
    assert [(act["what"], act["pattern"], act["count"]) for act in acts] == [
        ("prefix", "fares:", 12),
        ("everything", "", None),
    ]


@pytest.mark.parametrize(
    ("told", "place"),
    [
        ({"exit_code": 70_000}, "/exit_code"),
        ({"exit_code": True}, "/exit_code"),
        ({"at": "yesterday"}, "/at"),
        ({"at": "2026-11-28T12:00:00"}, "/at"),
        ({"remark": "two\nlines"}, "/remark"),
        ({"remark": "x" * 301}, "/remark"),
        ({"command": "x" * 4_001}, "/command"),
        ({"sure": True}, "/sure"),
    ],
)
def test_what_cannot_have_been_is_not_recorded(ask, path, told, place):
    watched(path)
    address = declare(ask)
    done(ask, address, "baseline", "baseline/seal")
    status, answer = post(ask, f"{address}/applied", told)
    assert (status, places(answer)) == (422, [place])
    assert not Act.objects.exists()


def test_a_time_before_the_seal_or_in_the_future_is_refused(ask, path):
    watched(path)
    address = declare(ask)
    done(ask, address, "baseline", "baseline/seal")
    late = (timezone.now() + timedelta(hours=1)).isoformat()
    for at in (ago(hours=1), late):
        status, answer = post(ask, f"{address}/applied", {"at": at})
        assert (status, answer["errors"][0]["code"]) == (409, "refused")
    assert not Act.objects.exists()


def test_an_act_with_a_key_is_recorded_once(ask, path):
    watched(path)
    address = declare(ask)
    done(ask, address, "baseline", "baseline/seal")
    key = {"Idempotency-Key": "run-2"}
    first = post(ask, f"{address}/applied", {}, **key)
    again = post(ask, f"{address}/applied", {}, **key)
    assert (first[0], again[0]) == (201, 200)
    assert first[1] == again[1]
    assert Act.objects.count() == 1


def test_a_body_that_none_takes_is_refused(ask, path):
    address = declare(ask)
    for act in ("baseline", "baseline/seal", "attempts"):
        assert post(ask, f"{address}/{act}", {"now": True})[0] == 422
    assert Change.objects.get().comparisons.count() == 0


def test_an_attempt_is_given_up_with_its_reason_and_repeated(ask, path):
    watched(path)
    address = declare(ask)
    assert post(ask, f"{address}/given-up", {"because": "Early."})[0] == 409
    done(ask, address, "baseline")
    for because in ("", "two\nlines", "x" * 301):
        assert places(post(ask, f"{address}/given-up", {"because": because})[1]) == ["/because"]
    status, said = post(ask, f"{address}/given-up", {"because": "A load test ran."})
    assert (status, said["stage"], said["verdict"]) == (201, "given_up", "collecting")
    assert said["attempts"][0]["given_up_because"] == "A load test ran."
    assert post(ask, f"{address}/given-up", {"because": "Again."})[0] == 409
    done(ask, address, "attempts")


def test_a_verdict_is_not_given_up(ask, path):
    watched(path)
    address = declare(ask)
    done(ask, address, "baseline")
    judged(Change.objects.get().pk, verdict="regressed")
    assert post(ask, f"{address}/given-up", {"because": "Not what we hoped."})[0] == 409
    said = post(ask, f"{address}/withdrawal", {})[1]
    assert (said["verdict"], said["stage"]) == ("regressed", "judged")
    assert said["withdrawn_at"]


def test_a_withdrawn_change_goes_no_further(ask, path):
    watched(path)
    address = declare(ask)
    done(ask, address, "baseline")
    status, said = post(ask, f"{address}/withdrawal", {})
    assert (status, said["stage"]) == (201, "withdrawn")
    assert said["attempts"][0]["given_up_at"]
    for act in ("attempts", "baseline/seal", "applied"):
        assert post(ask, f"{address}/{act}", {})[0] == 409


@pytest.mark.parametrize("act", ["given-up", "withdrawal", "burst/stop", "attempts", "applied"])
def test_a_token_of_another_service_ends_nothing(ask, ask_with, make_token, path, act):
    watched(path)
    address = declare(ask)
    done(ask, address, "baseline")
    for token in (make_token(["read"]), make_token(["release"], services=["routes-api"])):
        told = {"because": "Not mine."} if act == "given-up" else {}
        assert post(ask_with(token[1]), f"{address}/{act}", told)[0] == 403
    assert get(ask, address)[1]["stage"] == "baseline"
