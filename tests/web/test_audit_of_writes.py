"""Every write of services, paths, environments and teams says who did what, and what changed."""

from typing import Any

import pytest
from django.test import Client

from opsboard.people.models import AuditEntry
from opsboard.services.models import CriticalPath, Environment, Service, Team
from tests.web.test_path_form import GOOD as SHEET

HERE = "/services/fares-api"
PRICE = f"{HERE}/price-a-crossing"


@pytest.fixture
def client(client_of) -> Client:
    return client_of("editor")


def newest() -> AuditEntry:
    return AuditEntry.objects.order_by("-pk")[0]


def log() -> list[tuple[str, str, str]]:
    return list(AuditEntry.objects.order_by("pk").values_list("act", "kind", "subject"))


def changes(entry: AuditEntry) -> dict[str, tuple[str, str]]:
    return {one["field"]: (one["old"], one["new"]) for one in entry.changes}


def typed_of(client: Client, address: str) -> dict[str, Any]:
    form = client.get(address).context["form"]
    return {name: form[name].value() for name in form.fields if form[name].value() is not None}


def test_a_new_service_with_its_team_place_and_path(client, editor):
    typed = {
        "name": "Fares API", "tier": "1", "team": "Pricing", "base_url": "http://127.0.0.1:9",
        "health_route": "/health", "tags": "booking", "facts": "Data class: internal",
    }  # fmt: skip
    client.post("/services/new", typed)
    assert log() == [
        ("added", "team", "pricing"),
        ("added", "service", "fares-api"),
        ("added", "environment", "fares-api/production"),
        ("added", "path", "fares-api/health"),
    ]
    entry = AuditEntry.objects.get(kind="service")
    assert (entry.person, entry.who, entry.via, entry.address) == (
        editor, "Edith Moe", "pages", "127.0.0.1",
    )  # fmt: skip
    assert changes(entry)["facts"] == ("", "Data class: internal")


def test_a_changed_service_says_old_and_new_of_what_changed(client, service):
    typed = typed_of(client, f"{HERE}/edit") | {"tier": "3", "facts": "Regions:\n- oslo"}
    assert client.post(f"{HERE}/edit", typed).status_code == 302
    assert log() == [("changed", "service", "fares-api")]
    assert changes(newest()) == {
        "tier": ("Tier 1", "Tier 3"),
        "facts": ("", "Regions:\n- oslo"),
    }


def test_a_form_that_is_refused_leaves_no_entry(client, service):
    client.post(f"{HERE}/edit", typed_of(client, f"{HERE}/edit") | {"name": ""})
    assert log() == []


def test_a_path_is_added_and_changed(client, environment):
    client.post(f"{HERE}/paths/new", SHEET)
    assert newest().act == "added"
    client.post(f"{PRICE}/edit", typed_of(client, f"{PRICE}/edit") | {"interval": "60 s"})
    assert log()[-1] == ("changed", "path", "fares-api/price-a-crossing")
    assert changes(newest()) == {"interval": ("30 s", "1 m")}


def test_asking_pausing_resuming_and_reviewing(client, path):
    client.post(f"{PRICE}/probe")
    client.post(f"{PRICE}/pause")
    client.post(f"{PRICE}/pause")
    client.post(f"{PRICE}/pause", {"paused": "no"})
    client.post(f"{PRICE}/pause", {"paused": "no"})
    client.post(f"{PRICE}/review")
    assert [act for act, _, _ in log()] == ["asked now", "paused", "resumed", "checked"]


def variables(*rows: tuple[str, str, bool]) -> dict[str, Any]:
    typed: dict[str, Any] = {"variable-TOTAL_FORMS": len(rows), "variable-INITIAL_FORMS": 0}
    for number, (name, value, is_secret) in enumerate(rows):
        typed |= {f"variable-{number}-name": name, f"variable-{number}-value": value}
        if is_secret:
            typed[f"variable-{number}-is_secret"] = "on"
    return typed


def test_secrets_of_an_environment_are_masked(client, environment):
    address = f"{HERE}/environments/production/edit"
    rows = [("TOKEN", "sesame-42", True), ("REGION", "oslo", False)]
    client.post(address, typed_of(client, address) | variables(*rows))
    assert changes(newest()) == {
        "variable REGION": ("", "oslo"),
        "variable TOKEN": ("", "a new secret"),
    }
    again = [("TOKEN", "", True), ("REGION", "bergen", False)]
    client.post(address, typed_of(client, address) | variables(*again))
    assert changes(newest()) == {"variable REGION": ("oslo", "bergen")}
    anew = [("TOKEN", "sesame-43", True), ("REGION", "bergen", False)]
    client.post(address, typed_of(client, address) | variables(*anew))
    assert changes(newest()) == {"variable TOKEN": ("a secret", "a new secret")}
    client.post(address, typed_of(client, address) | variables(("REGION", "bergen", False)))
    assert changes(newest()) == {"variable TOKEN": ("a secret", "")}
    assert "sesame" not in str(list(AuditEntry.objects.values()))


def test_a_team_says_who_came_and_who_left(client, team, viewer):
    typed = typed_of(client, "/teams/pricing/edit") | {"members": [viewer.pk]}
    client.post("/teams/pricing/edit", typed)
    assert changes(newest()) == {"members": ("", "Vera Lind")}
    client.post("/teams/new", {"name": "Crossings", "zone": "UTC"})
    assert log()[-1] == ("added", "team", "crossings")


def test_the_first_run_records_all_that_it_makes(client):
    typed = {
        "act": "save", "pasted": "curl http://127.0.0.1:9/price -H 'Authorization: Bearer sesame42'",  # noqa: E501
        "service": "Fares", "owner": "Pricing", "name": "Price", "expected_result": "status == 200",
    }  # fmt: skip
    assert client.post("/add", typed).status_code == 302
    assert log() == [
        ("added", "team", "pricing"),
        ("added", "service", "fares"),
        ("added", "environment", "fares/production"),
        ("added", "path", "fares/price"),
        ("added", "path", "fares/health"),
    ]
    assert "sesame42" not in str(list(AuditEntry.objects.values()))
    assert "a new secret" in str(AuditEntry.objects.get(kind="environment").changes)


def test_removal_and_return_are_recorded(client, service, environment, path):
    client.post(f"{PRICE}/removal")
    client.post(f"/removed/path/{path.pk}")
    assert log() == [
        ("removed", "path", "fares-api/price-a-crossing"),
        ("restored", "path", "fares-api/price-a-crossing"),
    ]


@pytest.mark.parametrize("model", [Service, Environment, CriticalPath, Team])
def test_an_entry_that_cannot_be_written_undoes_the_write(model, client, path, monkeypatch):
    address = {
        Service: f"{HERE}/edit",
        Environment: f"{HERE}/environments/production/edit",
        CriticalPath: f"{PRICE}/edit",
        Team: "/teams/pricing/edit",
    }[model]
    field = {Environment: "base_url", CriticalPath: "user_notices"}.get(model, "name")
    typed = typed_of(client, address) | variables() | {field: "http://127.0.0.1:8"}

    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("the log is full")

    before = list(model.objects.values())
    monkeypatch.setattr(AuditEntry, "save", fails)
    with pytest.raises(RuntimeError):
        client.post(address, typed)
    assert list(model.objects.values()) == before
