"""The config check through the door: fingerprints come in, a few words go out, no value ever."""

import json
import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.test import Client
from django.utils import timezone

from opsboard.instrument import config
from opsboard.people.models import AuditEntry
from opsboard.releases import config_reports
from opsboard.releases.models import ConfigReport, Evidence, Release
from opsboard.services.models import ConfigKey, Service

K = "0f" * 32
# 53 letters: neither they nor their number may be found anywhere.
PLANTED = "postgres://fares:h0rse-battery-staple@db.internal/far"
ELSEWHERE = "postgres://fares:another-pass-phrase@db.production/fa"
RULES = {"DEBUG": {"equals": "false"}, "SITE": {"matches": "^https://"}}
STAGING = {"DATABASE_URL": PLANTED, "DEBUG": "false", "SITE": "https://a.example", "ZONE": "UTC"}
PRODUCTION = STAGING | {"DATABASE_URL": ELSEWHERE}


@pytest.fixture
def fares(service: Service) -> Service:
    for slug in ("production", "staging"):
        service.environments.get_or_create(
            slug=slug, defaults={"base_url": f"https://{slug}.example"}
        )
    for name, rules in {
        "DATABASE_URL": {"across": "differ"},
        "DEBUG": {"equals": "false"},
        "OLD_FLAG": {"presence": "absent"},
        "SITE": {"matches": "^https://"},
        "ZONE": {"across": "equal"},
    }.items():
        ConfigKey.objects.create(service=service, name=name, **rules)
    return service


def a_release(service: Service, version: str = "2026.11.4", **fields: Any) -> Release:
    named_at = fields.pop("named_at", timezone.now())
    values = {"version": version, "commit": "ab" * 20, "named_at": named_at}
    return Release.objects.create(service=service, **(values | fields))


def body_of(values: Mapping[str, str], *, key: str = K, **more: Any) -> dict[str, Any]:
    names = ["DATABASE_URL", "DEBUG", "OLD_FLAG", "SITE", "ZONE"]
    return config.report(key, names, values, RULES) | more


def send(ask: Client, service: Service, environment: str, body: Mapping[str, Any]) -> Any:
    address = f"/api/v1/services/{service.slug}/environments/{environment}/config"
    return ask.post(address, json.dumps(body), content_type="application/json")


def reported(ask: Client, service: Service, environment: str, values: Mapping[str, str]) -> Any:
    answer = send(ask, service, environment, body_of(values))
    assert answer.status_code == 201, answer.content
    return answer.json()


def test_the_declared_keys_are_told_with_their_rules(ask, fares):
    told = ask.get(f"/api/v1/services/{fares.slug}/config-keys").json()
    assert [key["name"] for key in told["items"]] == [
        "DATABASE_URL", "DEBUG", "OLD_FLAG", "SITE", "ZONE",
    ]  # fmt: skip
    assert told["items"][0] == {
        "name": "DATABASE_URL", "is": "set", "across": "differ", "equals": "", "matches": "",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("scopes", "status"),
    [(["read"], 200), (["release"], 200), (["read", "release"], 200), (["note"], 403)],
)
def test_reading_the_keys_takes_one_of_two_scopes(make_token, ask_with, fares, scopes, status):
    asking = ask_with(make_token(scopes)[1])
    assert asking.get(f"/api/v1/services/{fares.slug}/config-keys").status_code == status


@pytest.mark.parametrize(
    ("more", "status"),
    [
        pytest.param({"scopes": ["read"]}, 403, id="may only read"),
        pytest.param({"gates": ["lint"]}, 403, id="another gate"),
        pytest.param({"services": ["other"]}, 403, id="another service"),
        pytest.param({"gates": ["config"]}, 201, id="this gate"),
    ],
)
def test_reporting_takes_the_scope_the_service_and_the_gate(
    make_token, ask_with, fares, more, status
):
    asking = ask_with(make_token(**more)[1])
    answer = send(asking, fares, "staging", body_of(STAGING))
    assert answer.status_code == status
    assert ConfigReport.objects.count() == (status == 201)


def test_a_report_of_staging_is_evidence_for_the_newest_release_that_waits(ask, fares):
    a_release(fares, "2026.11.3", released_at=timezone.now())
    a_release(fares, "2026.11.2", named_at=timezone.now() - timedelta(days=1))
    release = a_release(fares)
    reported(ask, fares, "production", PRODUCTION)
    told = reported(ask, fares, "staging", STAGING)
    assert (told["outcome"], told["gate"], told["release"]) == ("passed", "config", "2026.11.4")
    given = Evidence.objects.get()
    assert (given.release, given.gate, given.outcome) == (release, "config", "passed")
    assert (given.commit, given.environment_slug) == (release.commit, "staging")
    report = ConfigReport.objects.get(environment__slug="staging")
    production = ConfigReport.objects.get(environment__slug="production")
    assert given.facts == {
        "root": report.root,
        "report": report.pk,
        "differences": [],
        "unknown": [],
        "compared_with": {"production": production.at.isoformat()},
    }
    assert given.started_at == given.finished_at == report.at


def test_a_report_may_name_its_release(ask, fares):
    older = a_release(fares, "2026.11.2", named_at=timezone.now() - timedelta(days=1))
    a_release(fares)
    send(ask, fares, "staging", body_of(STAGING, release="2026.11.2"))
    assert Evidence.objects.get().release == older
    answer = send(ask, fares, "staging", body_of(STAGING, release="2026.9"))
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/release"
    assert ConfigReport.objects.count() == 1


def test_a_report_of_production_is_kept_and_is_no_evidence(ask, fares):
    a_release(fares)
    told = reported(ask, fares, "production", PRODUCTION)
    assert told["gate"] is None
    assert told["note"] == "Kept to be compared with: the gate is answered on staging."
    assert not Evidence.objects.exists()


def test_without_a_release_a_report_is_kept(ask, fares):
    told = reported(ask, fares, "staging", STAGING)
    assert told["release"] is None
    assert told["note"] == "Kept, and evidence for no release: none waits to go out."
    assert ConfigReport.objects.count() == 1


def test_until_production_reports_nothing_that_is_compared_can_pass(ask, fares):
    a_release(fares)
    told = reported(ask, fares, "staging", STAGING)
    assert told["outcome"] == "inconclusive"
    assert told["unknown"] == [
        "production has never reported its configuration: run opsboard config there too."
    ]
    assert Evidence.objects.get().outcome == "inconclusive"


def test_what_is_wrong_is_said_in_a_few_words(ask, fares):
    a_release(fares)
    reported(ask, fares, "production", PRODUCTION)
    wrong = {"DATABASE_URL": ELSEWHERE, "DEBUG": "true", "OLD_FLAG": "1", "ZONE": "Asia/Tokyo"}
    told = reported(ask, fares, "staging", wrong)
    assert told["outcome"] == "failed"
    assert told["differences"] == [
        {"key": "DATABASE_URL", "what": "equal, and must differ", "environment": "production"},
        {"key": "DEBUG", "what": "rule failed"},
        {"key": "OLD_FLAG", "what": "set, and must be absent"},
        {"key": "SITE", "what": "not set"},
        {"key": "ZONE", "what": "differs", "environment": "production"},
    ]
    assert Evidence.objects.get().facts["differences"] == told["differences"]


def test_a_removed_environment_is_compared_with_no_more(ask, fares, editor):
    a_release(fares)
    reported(ask, fares, "production", PRODUCTION)
    qa = fares.environments.create(slug="qa", base_url="https://qa.example")
    assert reported(ask, fares, "staging", STAGING)["outcome"] == "inconclusive"
    qa.remove(by=editor, now=timezone.now())
    assert reported(ask, fares, "staging", STAGING)["outcome"] == "passed"


def test_everything_that_does_not_fit_the_declared_keys_is_told_at_once(ask, fares):
    body = body_of(STAGING)
    body["fingerprints"]["UNDECLARED"] = "0" * 16
    del body["fingerprints"]["ZONE"]
    body["rules"] = {"DEBUG": True, "ZONE": True}
    answer = send(ask, fares, "staging", body)
    assert answer.status_code == 422
    assert {(one["code"], one["pointer"]) for one in answer.json()["errors"]} == {
        ("unknown_key", "/fingerprints/UNDECLARED"),
        ("missing_key", "/fingerprints/ZONE"),
        ("unknown_key", "/rules/ZONE"),
        ("missing_key", "/rules/SITE"),
    }


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        pytest.param({"root": "0" * 64}, "/root", id="not the root of these"),
        pytest.param({"root": "0"}, "/root", id="no root"),
        pytest.param({"made_with": ""}, "/made_with", id="no mark"),
        pytest.param(
            {"fingerprints": {"DEBUG": PLANTED}}, "/fingerprints/DEBUG", id="a value by mistake"
        ),
        pytest.param({"values": STAGING}, "/values", id="values beside"),
        pytest.param({"rules": {"DEBUG": "yes"}}, "/rules/DEBUG", id="no yes or no"),
        pytest.param({"at": "yesterday"}, "/at", id="no time"),
    ],
)
def test_a_report_that_is_none_is_refused_and_repeats_nothing(ask, fares, wrong, pointer):
    answer = send(ask, fares, "staging", body_of(STAGING) | wrong)
    assert answer.status_code == 422
    assert pointer in {one.get("pointer") for one in answer.json()["errors"]}
    assert PLANTED not in answer.content.decode()
    assert not ConfigReport.objects.exists()


def test_a_report_of_a_time_to_come_is_refused(ask, fares):
    later = (timezone.now() + timedelta(hours=1)).isoformat()
    answer = send(ask, fares, "staging", body_of(STAGING, at=later))
    assert answer.status_code == 409
    assert "clock" in answer.json()["errors"][0]["message"]


def test_a_service_without_declared_keys_has_nothing_to_check(ask, service, environment):
    body = config.report(K, [], {}, {})
    answer = send(ask, service, environment.slug, body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["code"] == "no_keys"


def test_old_reports_are_let_go(ask, fares, monkeypatch):
    monkeypatch.setattr(config_reports, "KEPT", 3)
    for _ in range(6):
        reported(ask, fares, "staging", STAGING)
    assert ConfigReport.objects.count() == 3


def test_with_another_key_nothing_is_compared(ask, fares):
    """Else whatever has to differ would, and pass."""
    reported(ask, fares, "production", STAGING)
    answer = send(ask, fares, "staging", body_of(STAGING, key="another-key-" * 4)).json()
    assert answer["outcome"] == "inconclusive"
    assert "another OPSBOARD_CONFIG_KEY" in answer["unknown"][0]


def everything_stored() -> str:
    """Every row of every table, as text."""
    return "\n".join(
        repr(row)
        for model in apps.get_models(include_auto_created=True)
        for row in model._base_manager.values_list()
    )


def test_neither_a_value_nor_its_length_is_sent_stored_logged_or_shown(
    ask, client_of, fares, caplog
):
    caplog.set_level(logging.DEBUG)
    a_release(fares)
    bodies = [body_of(PRODUCTION), body_of(STAGING), body_of(STAGING | {"ZONE": PLANTED})]
    sent = [json.dumps(body) for body in bodies]
    answers = [
        send(ask, fares, slug, body).content.decode()
        for slug, body in zip(("production", "staging", "staging"), bodies, strict=True)
    ]
    pages = []
    here = f"/services/{fares.slug}"
    for address in (here, f"{here}/config-keys", f"{here}/config-keys/edit", "/audit"):
        page = client_of("administrator").get(address)
        assert page.status_code == 200
        pages.append(page.content.decode())
    assert ConfigReport.objects.count() == 3
    assert AuditEntry.objects.filter(kind="configuration").count() == 3
    said = "\n".join([*sent, *answers, *pages, everything_stored(), caplog.text])
    for part in (PLANTED, "h0rse-battery-staple", "db.internal", ELSEWHERE, K):
        assert part not in said, part
    length = len(PLANTED)
    for form in (f'"length": {length}', f": {length},", f" {length} ", f"({length})", f"={length}"):
        assert form not in "\n".join([*sent, *answers])
    # The same for a value of another length: nothing that is sent grows with it.
    longer = json.dumps(body_of(STAGING | {"DATABASE_URL": PLANTED * 40}))
    assert len(longer) == len(sent[1])
