"""What people do leaves an entry, in the transaction in which it is done."""

from datetime import UTC, datetime

import pytest
from django.test import Client
from django.utils import timezone

from opsboard.alerts.models import Channel
from opsboard.incidents.models import Incident
from opsboard.people import joining
from opsboard.people.links import first_administrator_link, make_link
from opsboard.people.models import AuditEntry
from opsboard.rollbacks.models import NoteVersion
from tests.company import BY
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db


def entry(**which) -> AuditEntry:
    return AuditEntry.objects.get(**which)


def changes(one: AuditEntry) -> dict[str, tuple[str, str]]:
    return {change["field"]: (change["old"], change["new"]) for change in one.changes}


def summary() -> list[tuple[str, str, str, str]]:
    return list(AuditEntry.objects.order_by("pk").values_list("who", "act", "kind", "subject"))


def test_adding_a_person(client_of, administrator):
    form = {"name": "Tomasz Wilk", "email": "", "role": "editor"}
    client_of("administrator").post("/people/new", form, REMOTE_ADDR="192.0.2.7")
    assert summary() == [
        ("Layla Haddad", "added", "person", "Tomasz Wilk"),
        ("Layla Haddad", "made a link", "person", "Tomasz Wilk"),
    ]
    added = entry(act="added")
    assert (added.person, added.address, added.via) == (administrator, "192.0.2.7", "pages")
    assert changes(added)["role"] == ("", "editor")


def test_changing_disabling_and_enabling_one(client_of, viewer):
    client = client_of("administrator")
    edit = f"/people/{viewer.pk}/edit"
    client.post(edit, {"role": "editor", "email": "v@skerry.example", "may_sign_in": "on"})
    client.post(edit, {"role": "editor", "email": "v@skerry.example"})
    client.post(edit, {"role": "editor", "email": "v@skerry.example", "may_sign_in": "on"})
    client.post(edit, {"role": "editor", "email": "v@skerry.example", "may_sign_in": "on"})
    assert [row[1] for row in summary()] == ["changed", "disabled", "enabled"]
    assert changes(entry(act="changed")) == {
        "role": ("viewer", "editor"),
        "e-mail": ("", "v@skerry.example"),
    }
    assert changes(entry(act="disabled")) == {"may sign in": ("yes", "no")}


def test_what_is_refused_leaves_no_entry(client_of, administrator):
    edit = f"/people/{administrator.pk}/edit"
    client_of("administrator").post(edit, {"role": "viewer", "may_sign_in": "on"})
    assert summary() == []


def test_an_entry_that_cannot_be_written_undoes_the_act(viewer, monkeypatch):
    monkeypatch.setattr("opsboard.people.audit.differences", lambda *_: {}["broken"])
    with pytest.raises(KeyError):
        joining.change(viewer, role="editor", may_sign_in=True, by=BY, now=timezone.now())
    viewer.role.refresh_from_db()
    assert viewer.role.name == "viewer"


def test_the_first_administrator(db):
    path = first_administrator_link(now=timezone.now())
    form = {"name": "Layla Haddad", "password": PASSWORD, "again": PASSWORD}
    Client().post(path, form)
    assert summary() == [
        ("somebody", "added", "person", "Layla Haddad"),
        ("Layla Haddad", "signed in", "person", "Layla Haddad"),
    ]
    assert path.rsplit("/", 1)[1] not in str(AuditEntry.objects.values())


def test_coming_in_by_a_link_and_choosing_a_password(viewer):
    client = Client()
    client.post(make_link(viewer, by=BY, now=timezone.now()))
    client.post("/account", {"password": "eight crossings", "again": "eight crossings"})
    assert summary()[1:] == [
        ("Vera Lind", "signed in", "person", "Vera Lind"),
        ("Vera Lind", "changed", "person", "Vera Lind"),
    ]
    assert changes(entry(act="changed")) == {"password": ("", "a new password")}
    assert "crossings" not in str(AuditEntry.objects.values())


def test_a_channel_with_its_address_masked(client_of):
    client = client_of("editor")
    form = {"name": "Everybody", "kind": "webhook", "address": "https://hooks.example/s3cr3t"}
    page = client.post("/alerts/channels/new", form)
    assert page.status_code == 200
    added = changes(entry(act="added"))
    assert added["address"] == ("", "a webhook at hooks.example")
    assert added["signing secret"] == ("", "a new secret")
    channel = Channel.objects.get()
    edit = client.get(f"/alerts/channels/{channel.pk}/edit")
    shown = edit.context["form"]["shown"].value()
    again = form | {"address": "https://hooks.example/0ther", "shown": shown}
    assert client.post(f"/alerts/channels/{channel.pk}/edit", again).status_code == 302
    assert changes(entry(act="changed")) == {"written anew": ("", "the address")}
    client.post(f"/alerts/channels/{channel.pk}/test")
    client.post(f"/alerts/channels/{channel.pk}/removal")
    assert [row[1:] for row in summary()][2:] == [
        ("sent a test to", "alert channel", "Everybody"),
        ("removed", "alert channel", "Everybody"),
    ]
    stored = str(list(AuditEntry.objects.values()))
    assert "s3cr3t" not in stored
    assert "0ther" not in stored
    assert "whsec" not in stored


def test_a_version_of_a_rollback_note(client_of, path):
    client = client_of("editor")
    edit = "/services/fares-api/price-a-crossing/rollback-note/edit"
    rows = {"step-TOTAL_FORMS": "1", "step-INITIAL_FORMS": "0", "act": "save"}
    form = rows | {"title": "Go back", "step-0-do": "Hold releases", "base": "0"}
    client.post(edit, form)
    client.post(edit, form | {"title": "Go back further", "base": "1"})
    client.post(edit, form | {"title": "Too late", "base": "1"})
    assert NoteVersion.objects.count() == 2
    assert summary() == [
        ("Edith Moe", "added", "rollback note", "fares-api/price-a-crossing"),
        ("Edith Moe", "changed", "rollback note", "fares-api/price-a-crossing"),
    ]
    assert changes(entry(act="added"))["steps"] == ("", "1. Hold releases")
    assert changes(entry(act="changed")) == {
        "version": ("1", "2"),
        "title": ("Go back", "Go back further"),
    }


def test_acknowledging_an_incident_once(client_of, service, environment):
    incident = Incident.objects.create(
        service=service, environment=environment, title="x", opened_at=datetime.now(UTC)
    )
    for _ in range(2):
        client_of("editor").post(f"/incidents/{incident.pk}/acknowledgement")
    assert summary() == [("Edith Moe", "acknowledged", "incident", str(incident))]
