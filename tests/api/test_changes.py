"""Changes over the API: declared, listed and read; nothing of the samples before the verdict."""

import hashlib
import zlib
from datetime import timedelta

import pytest
from django.utils import timezone

from opsboard.changes.models import Change
from opsboard.people.models import AuditEntry
from opsboard.services.models import Service
from tests.api.changes import CHANGES, FIGURES, declare, declared, done, judged, watched
from tests.api.ci import get, places, post
from tests.changes import verdicts
from tests.company import a_path, a_service

pytestmark = pytest.mark.django_db


def test_a_change_is_declared_and_read_by_its_number_and_its_name(ask, path):
    other = path.service.paths.create(slug="health", name="Health", route="/health")
    more = {
        "goal": 0.3,
        "control": "health",
        "guardrails": ["db calls", "p95"],
        "assumptions": ["Traffic is as usual."],
        "commit": "ABCDEF0",
        "version": "2026.11.4",
        "sampling": "burst",
        "mode": "hit and miss",
    }
    status, made = post(ask, CHANGES, declared(**more))
    assert status == 201
    change = Change.objects.get()
    assert made["name"] == str(change)
    assert (made["stage"], made["verdict"], made["attempt"]) == ("declared", "collecting", None)
    assert (made["commit"], made["version"]) == ("abcdef0", "2026.11.4")
    assert made["settings"]["control"] == "health"
    assert made["settings"]["mode"] == "hit and miss"
    assert made["declared_by"].startswith("CI")
    assert made["url"].endswith(f"/changes/{change.pk}")
    assert change.control == other
    for name in (str(change.pk), str(change), str(change).lower()):
        assert get(ask, f"{CHANGES}/{name}") == (200, made)
    entry = AuditEntry.objects.get(kind="change")
    assert (entry.act, entry.subject, entry.via) == ("added", str(change), "api")


def test_every_mistake_is_named_at_its_field(ask, path):
    wrong = {
        "title": "",
        "variables": ["luck"],
        "samples": 59,
        "margin": 0,
        "goal": 1,
        "mode": "warm",
        "zzz": 1,
    }
    status, answer = post(ask, CHANGES, declared(**wrong))
    assert status == 422
    assert places(answer) == sorted(
        ["/title", "/variables/0", "/samples", "/margin", "/goal", "/mode", "/zzz"]
    )
    assert not Change.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        ({"service": "nothing"}, "/service"),
        ({"path": "nothing"}, "/path"),
        ({"control": "nothing"}, "/control"),
        ({"environment": "nothing"}, "/environment"),
        ({"control": "price-a-crossing"}, "/control"),
        ({"guardrails": ["luck"]}, "/guardrails"),
        ({"equivalence": 0.05}, "/equivalence"),
        ({"mode": "misses"}, "/mode"),
        ({"variables": []}, "/variables"),
        ({"commands": ["a\0b"]}, "/commands/0"),
    ],
)
def test_what_does_not_fit_together_is_named_too(ask, path, wrong, place):
    status, answer = post(ask, CHANGES, declared(**wrong))
    assert status in (400, 422)
    assert places(answer) == [place]
    assert all(one["message"].endswith((".", "?")) for one in answer["errors"])


def test_more_than_one_variable_can_be_declared(ask, path):
    address = declare(ask, variables=["query", "cache", "query"])
    assert get(ask, address)[1]["variables"] == ["query", "cache"]


def test_the_same_request_declares_once(ask, path):
    first = post(ask, CHANGES, declared(), **{"Idempotency-Key": "run-1"})
    again = post(ask, CHANGES, declared(), **{"Idempotency-Key": "run-1"})
    other = post(ask, CHANGES, declared(title="x"), **{"Idempotency-Key": "run-1"})
    assert (first[0], again[0], other[0]) == (201, 200, 409)
    assert again[1] == first[1]
    assert Change.objects.count() == 1


def test_nothing_of_the_samples_is_told_before_the_verdict(ask, path):
    address = declare(ask)
    watched(path, count=37)
    done(ask, address, "baseline")
    said = get(ask, address)[1]
    progress = said["progress"]
    assert (said["stage"], said["verdict"]) == ("baseline", "collecting")
    assert (progress["side"], progress["count"], progress["of"]) == ("before", 37, 60)
    assert (said["result"], said["reasons"], said["sentences"]) == (None, [], [])
    assert (said["settle"], said["reason"]) == ("", "")


def test_a_verdict_is_told_with_its_figures(ask, path):
    address = declare(ask)
    watched(path)
    done(ask, address, "baseline", "baseline/seal", "applied")
    judged(Change.objects.get().pk)
    said = get(ask, address)[1]
    assert (said["stage"], said["verdict"], said["result"]) == ("judged", "improved", FIGURES)
    assert said["attempts"][0]["verdict"] == "improved"
    assert said["progress"] is None
    assert len(said["sentences"]) == 2
    assert said["reasons"][:2] == said["sentences"]
    assert "Price a crossing" in said["sentences"][0]
    one = get(ask, f"{address}/attempts/1")[1]
    assert (one["verdict"], one["result"]) == ("improved", FIGURES)
    assert one["sentences"] == said["sentences"]
    assert one["url"].endswith("/attempts/1")


def test_what_would_settle_it_is_told(ask, path):
    address = declare(ask)
    watched(path)
    done(ask, address, "baseline", "baseline/seal", "applied")
    settle = {"samples": 400, "stratum": "miss", "by": "more"}
    figures = verdicts.judged("inconclusive", "stratum=miss", settle=settle)
    judged(Change.objects.get().pk, verdict="inconclusive", reason="stratum=miss", result=figures)
    said = get(ask, address)[1]
    assert (said["verdict"], said["reason"]) == ("inconclusive", "stratum=miss")
    assert "400" in said["settle"]


def test_figures_that_cannot_be_read_do_not_hide_the_verdict(ask, path):
    address = declare(ask)
    watched(path)
    done(ask, address, "baseline", "baseline/seal", "applied")
    judged(Change.objects.get().pk, verdict="invalid", reason="not_the_same_question", result={})
    said = get(ask, address)[1]
    assert (said["verdict"], said["reasons"]) == ("invalid", ["not_the_same_question"])
    assert said["sentences"] == []


def test_a_new_attempt_collects_and_the_one_before_stays(ask, path):
    address = declare(ask)
    watched(path)
    done(ask, address, "baseline", "baseline/seal", "applied")
    judged(Change.objects.get().pk, verdict="inconclusive", reason="too_few_samples")
    said = done(ask, address, "attempts")
    assert (said["attempt"], said["verdict"], said["result"]) == (2, "collecting", None)
    verdicts = [(one["number"], one["verdict"], one["reason"]) for one in said["attempts"]]
    assert verdicts == [(2, "collecting", ""), (1, "inconclusive", "too_few_samples")]
    assert get(ask, f"{address}/attempts/1")[1]["result"] == FIGURES
    assert get(ask, f"{address}/attempts/3")[0] == 404
    assert get(ask, f"{address}/attempts/99999999999999999999")[0] == 404


def test_changes_are_listed_newest_first_and_by_what_they_are_of(
    ask, path, django_assert_max_num_queries
):
    numbers = [declare(ask).rpartition("/")[2] for _ in range(3)]
    watched(path)
    done(ask, f"{CHANGES}/{numbers[0]}", "baseline")
    other = a_path(a_service("mail"), slug="send")
    declare(ask, service="mail", path=other.slug)
    with django_assert_max_num_queries(16):
        status, answer = get(ask, f"{CHANGES}?service=fares-api&limit=2")
    assert status == 200
    assert [str(one["number"]) for one in answer["items"]] == numbers[:0:-1]
    last = get(ask, f"{CHANGES}?service=fares-api&limit=2&cursor={answer['next']}")[1]
    assert [one["stage"] for one in last["items"]] == ["baseline"]
    assert last["next"] is None
    assert len(get(ask, f"{CHANGES}?path=send")[1]["items"]) == 1
    assert get(ask, f"{CHANGES}?version=1.0")[1]["items"] == []
    assert get(ask, f"{CHANGES}?servise=mail")[0] == 400


@pytest.mark.parametrize(
    "name", ["0", "CHG-", "CHG-9999", "chg-x", "9" * 30, "-1", "1.0", "INC-1", "%D9%A1", "%00"]
)
def test_what_is_no_change_is_not_found(ask, path, name):
    declare(ask)
    assert get(ask, f"{CHANGES}/{name}")[0] in (400, 404)


def test_a_change_of_a_removed_service_is_not_found(ask, path):
    address = declare(ask)
    Service.objects.update(removed_at=timezone.now())
    assert get(ask, address)[0] == 404
    assert get(ask, CHANGES)[1]["items"] == []


def test_a_withdrawn_change_stays(ask, path):
    address = declare(ask)
    Change.objects.update(withdrawn_at=timezone.now())
    assert get(ask, address)[1]["stage"] == "withdrawn"
    status, answer = post(ask, f"{address}/baseline", {})
    assert (status, answer["errors"][0]["code"]) == (409, "refused")


# Tokens -----------------------------------------------------------------------------------------


def test_a_token_that_reads_declares_nothing(ask, ask_with, make_token, path):
    address = declare(ask)
    reading = ask_with(make_token(["read"])[1])
    assert get(reading, address)[0] == 200
    assert post(reading, CHANGES, declared())[0] == 403
    for act in ("baseline", "baseline/seal", "attempts"):
        assert post(reading, f"{address}/{act}", {})[0] == 403
    assert post(reading, f"{address}/applied", {})[0] == 403
    assert post(reading, f"{address}/cleared", {"what": "key", "pattern": "a"})[0] == 403
    assert Change.objects.count() == 1


def test_a_token_that_releases_reads_too(ask_with, make_token, path):
    releasing = ask_with(make_token(["release"])[1])
    assert get(releasing, declare(releasing))[0] == 200
    assert get(releasing, CHANGES)[0] == 200


def test_a_token_for_another_service_sees_and_does_nothing(ask, ask_with, make_token, path):
    address = declare(ask)
    other = ask_with(make_token(["read", "release"], services=["mail"])[1])
    assert get(other, address)[0] == 403
    assert get(other, CHANGES)[1]["items"] == []
    assert get(other, f"{CHANGES}?service=fares-api")[0] == 403
    assert post(other, f"{address}/baseline", {})[0] == 403
    assert post(other, CHANGES, declared())[0] == 403


def test_a_token_without_a_scope_learns_no_numbers(ask, ask_with, make_token, path):
    address = declare(ask)
    nobody = ask_with(make_token(["silence"])[1])
    assert get(nobody, address)[0] == get(nobody, f"{CHANGES}/999999")[0] == 403


# Samples ----------------------------------------------------------------------------------------


def test_sealed_samples_are_told_as_the_text_that_was_hashed(ask, path):
    address = declare(ask)
    watched(path)
    done(ask, address, "baseline")
    samples = f"{address}/attempts/1/samples.csv"
    assert get(ask, samples)[0] == 409
    said = done(ask, address, "baseline/seal")
    answer = ask.get(f"{samples}?side=before")
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/csv; charset=utf-8")
    sealed = said["attempts"][0]["before"]["sealed"]
    assert sealed["count"] == 60
    assert sealed["sha256"] == hashlib.sha256(answer.content).hexdigest()
    assert ask.get(samples).content == answer.content
    assert get(ask, f"{samples}?side=after")[0] == 409
    assert get(ask, f"{samples}?side=beside")[0] == 422
    assert ask.head(samples).content == b""


def test_both_sides_are_one_table(ask, path):
    address = declare(ask, warm_up_seconds=0, warm_up_samples=0)
    watched(path)
    done(ask, address, "baseline", "baseline/seal", "applied")
    one = Change.objects.get().comparisons.get()
    before = one.windows.get(side="before")
    text = before.text.replace("before,", "after,")
    after = one.windows.get(side="after")
    after.content, after.count = before.content, 60
    after.content = zlib.compress(text.encode())
    after.sealed_at = timezone.now() + timedelta(seconds=1)
    after.save()
    lines = ask.get(f"{address}/attempts/1/samples.csv").content.decode().splitlines()
    assert lines[0].startswith("side,i,latency_us,cache,ok,db_calls")
    assert [line.split(",")[0] for line in lines[1:]] == ["before"] * 60 + ["after"] * 60
