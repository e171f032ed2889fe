"""What is removed is nowhere, and can be brought back: row B48 of the hardening list."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from opsboard.alerts.models import Channel, Delivery
from opsboard.alerts.telling import content_of
from opsboard.board import removing
from opsboard.incidents.models import Incident
from opsboard.people.models import AuditEntry
from opsboard.probes import history
from opsboard.probes.models import Probe, ServiceDay
from opsboard.probes.rules import State
from opsboard.rollbacks.models import RollbackNote
from opsboard.services.models import CriticalPath, Environment, Service, Team
from tests.web.standing import a_path, a_service, stands, text_of

F = State.FAILING
HERE = "/services/fares-api"


@pytest.fixture
def client(client_of) -> Any:
    return client_of("editor")


@pytest.fixture
def fares(db: None) -> Service:
    return a_service("fares-api", environments=2)


@pytest.fixture
def price(fares: Service) -> CriticalPath:
    return a_path(fares)


def hurts(path: CriticalPath) -> Incident:
    stands(path, F)
    incident = Incident.objects.create(
        service=path.service,
        environment=path.service.environments.get(slug="production"),
        title="Price a crossing is failing",
        opened_at=datetime.now(UTC),
    )
    incident.paths.create(path=path, joined_at=incident.opened_at)
    return incident


def entries() -> list[tuple[str, str, str]]:
    rows = AuditEntry.objects.order_by("pk").values_list("act", "kind", "subject")
    return list(rows)


def test_b48_the_page_says_what_goes_with_a_service(client, fares, price):
    incident = hurts(price)
    ServiceDay.objects.create(
        environment=incident.environment, day=datetime.now(UTC).date(), passing=1, worst="passing"
    )
    note = RollbackNote.objects.create(service=fares)
    note.write(
        title="Back", use_when="", does_not_undo="", minutes=4, steps=[], reason="", by=None,
        now=datetime.now(UTC),
    )  # fmt: skip
    a_service("booking").depends_on.add(fares)
    page = text_of(client.get(f"{HERE}/removal").text)
    assert "Remove fares-api?" in page
    assert f"Open incident {incident}: its failing paths leave, and it ends." in page
    assert "Critical paths 1 is not asked any more: Price a crossing." in page
    assert "Environments 2 with their variables: production, staging." in page
    assert "History 1 day measured." in page
    assert "Rollback notes 1 note, with all versions." in page
    assert "Who calls it 1 calls it: booking." in page
    fares.refresh_from_db()
    assert fares.removed_at is None


def test_a_removed_service_is_nowhere(client, fares, price, editor, capsys):
    incident = hurts(price)
    other = a_service("booking")
    other.depends_on.add(fares)
    answered = client.post(f"{HERE}/removal")
    assert answered["Location"] == "/"
    fares.refresh_from_db()
    assert (fares.removed_by, fares.removed_at is not None) == (editor, True)
    assert not Probe.objects.active().filter(path=price).exists()
    incident.refresh_from_db()
    assert incident.resolved_at is not None
    client.get("/")  # The message, with its Undo, is shown once.
    for address in ("/", "/search?q=fares", "/rollback-notes", "/alerts", "/teams/pricing", "/add"):
        assert "fares-api" not in client.get(address).text.replace("fares-api was", ""), address
    assert "stands nowhere" in client.get("/search?q=price").text
    assert 'id="service-fares' not in client.get("/?q=price").text
    assert "Called by" not in client.get("/services/booking").text
    assert "fares-api" not in client.get("/services/booking").text
    assert "INC-" not in client.get("/incidents").text
    gone = [
        HERE, f"{HERE}/edit", f"{HERE}/paths/new", f"{HERE}/rollback-note",
        f"{HERE}/price-a-crossing", f"{HERE}/price-a-crossing/edit",
        f"{HERE}/environments/production/edit", f"/incidents/{incident.pk}",
    ]  # fmt: skip
    for address in gone:
        page = client.get(address)
        assert page.status_code == 404, address
        assert "fares-api was removed" in page.text, address
        assert "Bring it back" in page.text, address
    with pytest.raises(SystemExit):
        call_command("probe", "fares-api/price-a-crossing")
    assert "There is no service fares-api" in capsys.readouterr().err


def test_a_viewer_is_told_and_not_offered_to_bring_it_back(client, client_of, fares):
    client.post(f"{HERE}/removal")
    page = client_of("viewer").get(HERE)
    assert page.status_code == 404
    assert "Edith Moe removed this service today" in text_of(page.text)
    assert "Bring it back" not in page.text


def test_undo_stands_beside_the_message_and_brings_it_back(client, fares, price):
    stands(price)
    page = client.post(f"{HERE}/removal", follow=True).text
    assert f'form="undo" formaction="/removed/service/{fares.pk}"' in page
    assert '<form id="undo" method="post" hidden>' in page
    answered = client.post(f"/removed/service/{fares.pk}", follow=True)
    assert "fares-api is back on the board." in answered.text
    assert Probe.objects.active().filter(path=price).count() == 2
    assert entries() == [("removed", "service", "fares-api"), ("restored", "service", "fares-api")]
    again = client.post(f"/removed/service/{fares.pk}", follow=True)
    assert "This is not removed any more" in again.text
    assert len(entries()) == 2


def test_what_comes_back_is_not_believed_for_what_it_said(client, fares, price):
    hurts(price)
    client.post(f"{HERE}/removal")
    client.post(f"/removed/service/{fares.pk}")
    assert set(Probe.objects.values_list("state", flat=True)) == {State.NO_DATA}
    assert not Incident.objects.open().exists()


def test_what_did_not_come_back_is_said(client, fares, price, editor):
    now = datetime.now(UTC)
    price.pause(by=editor, now=now)
    a_path(fares, "Hold a fare").remove(by=editor, now=now)
    client.post(f"{HERE}/removal")
    said = client.post(f"/removed/service/{fares.pk}", follow=True).text
    assert "Price a crossing stays paused." in said
    assert "Hold a fare was removed before, and stays removed." in said


def test_the_list_says_who_when_and_until_when(client, fares, price):
    client.post(f"{HERE}/price-a-crossing/removal")
    row = text_of(client.get("/removed").text.partition("<tbody")[2])
    goes = datetime.now(UTC) + timedelta(days=30)
    assert "Price a crossing fares-api Critical path today" in row
    assert f"Edith Moe {goes.day} {goes:%b}" in row


def test_an_environment_takes_the_paths_along_that_are_asked_only_there(client, fares, price):
    staging = fares.environments.get(slug="staging")
    only = a_path(fares, "Load test")
    only.environments.add(staging)
    stands(only, environment="staging"), stands(price)
    url = f"{HERE}/environments/staging/removal"
    assert "1 is asked only here, and goes too: Load test." in text_of(client.get(url).text)
    client.post(url)
    assert set(CriticalPath.objects.standing()) == {price}
    assert "Staging" not in client.get(HERE).text
    assert "taging" not in client.get("/").text.partition("<main")[2].replace("staging of", "")
    refused = client.post(f"/removed/path/{only.pk}", follow=True).text
    assert "Load test is asked in staging only, which is removed: restore that first." in refused
    said = client.post(f"/removed/environment/{staging.pk}", follow=True).text
    assert "Load test came back with it." in said
    assert Probe.objects.active().get(path=only).environment == staging


def test_a_path_that_was_also_asked_there_keeps_its_place_for_the_return(client, fares, price):
    staging = fares.environments.get(slug="staging")
    price.environments.set(fares.environments.all())
    stands(price)
    client.post(f"{HERE}/environments/staging/removal")
    form = client.get(f"{HERE}/price-a-crossing/edit").context["form"]
    typed = {name: form[name].value() for name in form.fields if form[name].value() is not None}
    assert len(typed["environments"]) == 1
    assert client.post(f"{HERE}/price-a-crossing/edit", typed).status_code == 302
    assert Probe.objects.active().filter(path=price).count() == 1
    client.post(f"/removed/environment/{staging.pk}")
    assert Probe.objects.active().filter(path=price).count() == 2


def test_a_part_does_not_come_back_before_the_whole(client, fares, price):
    client.post(f"{HERE}/price-a-crossing/removal")
    client.post(f"{HERE}/removal")
    said = client.post(f"/removed/path/{price.pk}", follow=True).text
    assert "fares-api is removed too: restore it first." in said


def test_a_team_that_owns_something_stays(client, fares):
    page = client.get("/teams/pricing/removal").text
    assert "Pricing owns fares-api: give that to another team first." in page
    assert client.post("/teams/pricing/removal").status_code == 422
    assert Team.objects.standing().exists()


def test_a_team_goes_with_its_channels_and_comes_back_with_its_service(client, fares, editor):
    fares.team.members.add(editor)
    channel = Channel.objects.create(name="On call", kind="email", address="", team=fares.team)
    client.post(f"{HERE}/removal")
    page = text_of(client.get("/teams/pricing/removal").text)
    assert "Members 1 leaves it: Edith Moe." in page
    assert "Channels 1 hears about it only: On call." in page
    client.post("/teams/pricing/removal")
    assert client.get("/teams/pricing").status_code == 404
    assert "Pricing" not in client.get("/services/new").text
    channel.refresh_from_db()
    assert channel.removed_at is not None
    said = client.post(f"/removed/service/{fares.pk}", follow=True).text
    assert "Its team Pricing came back with it." in said
    channel.refresh_from_db()
    assert channel.removed_at is None


def test_opsboard_itself_stays(client, fares):
    Service.objects.update(is_built_in=True)
    assert client.post(f"{HERE}/removal").status_code == 422
    assert client.post(f"{HERE}/environments/production/removal").status_code == 422
    assert "Remove this service" not in client.get(HERE).text
    assert Service.objects.standing().exists()


NEW_SERVICE = {
    "name": "fares-api", "tier": "1", "team": "Crossings", "base_url": "http://127.0.0.1:9",
    "health_route": "/health",
}  # fmt: skip


def test_a_name_that_was_removed_offers_to_bring_it_back(client, fares, price):
    client.post(f"{HERE}/removal")
    page = client.post("/services/new", NEW_SERVICE)
    assert page.status_code == 422
    assert "fares-api was removed and still has this name" in page.text
    assert f'<a href="/removed#service-{fares.pk}">restore it</a>' in page.text
    client.post("/teams/pricing/removal")
    page = client.post("/teams/new", {"name": "Pricing", "zone": "UTC"})
    assert "Pricing was removed and still has this name" in page.text
    page = client.post("/services/new", NEW_SERVICE | {"name": "other", "team": "Pricing"})
    assert "Pricing was removed and still has this name" in page.text


def test_the_name_of_a_removed_environment_offers_to_bring_it_back(client, fares):
    client.post(f"{HERE}/environments/staging/removal")
    typed = {
        "slug": "staging", "base_url": "http://127.0.0.1:9", "variable-TOTAL_FORMS": "0",
        "variable-INITIAL_FORMS": "0",
    }  # fmt: skip
    page = client.post(f"{HERE}/environments/new", typed)
    assert "staging was removed and still has this name" in page.text


def test_the_first_run_offers_to_bring_back_what_it_would_make_anew(client, price, fares, editor):
    a_path(fares, "Health").remove(by=editor, now=datetime.now(UTC))
    typed = {
        "act": "save", "pasted": "http://127.0.0.1:9/price", "service": "fares-api", "owner": "",
        "name": "Price", "expected_result": "status == 200",
    }  # fmt: skip
    for place in fares.environments.all():
        place.remove(by=editor, now=datetime.now(UTC))
    page = client.post("/add", typed)
    assert page.status_code == 422
    assert "production was removed and still has this name" in page.text
    page = client.post("/add", typed | {"name": "Price a crossing"})
    assert "already: choose another" in page.text
    for place in fares.environments.all():
        place.restore()
    assert client.post("/add", typed).status_code == 302
    assert not fares.paths.standing().filter(slug="health").exists()


def test_an_end_by_removal_is_not_told_as_a_recovery(client, fares, price):
    channel = Channel(name="Everybody", kind="email")
    channel.keep(address="everybody@skerry.example")
    channel.save()
    incident = hurts(price)
    Delivery.objects.create(
        channel=channel, incident=incident, event="failing", wanted_at=1,
        created_at=datetime.now(UTC),
    )  # fmt: skip
    client.post(f"{HERE}/removal")
    ended = Delivery.objects.get(event="resolved")
    text = content_of([ended], channel, now=datetime.now(UTC))["text"]
    assert "of fares-api in production is not watched any more where it failed" in text
    assert "recovered" not in text


def test_days_of_what_was_removed_are_not_counted_on(client, fares, price):
    stands(price)
    client.post(f"{HERE}/removal")
    ServiceDay.objects.all().delete()
    history.count_days(now=datetime.now(UTC))
    assert not ServiceDay.objects.exists()


def test_after_30_days_it_is_gone_for_good(client, fares, price):
    stands(price)
    client.post(f"{HERE}/removal")
    client.post("/teams/pricing/removal")
    now = datetime.now(UTC)
    removing.purge(now=now + timedelta(days=29, hours=23))
    assert Service.objects.exists()
    removing.purge(now=now + timedelta(days=30, minutes=1))
    assert not Service.objects.exists()
    assert not Environment.objects.exists()
    assert not Probe.objects.exists()
    assert not Team.objects.exists()
    purged = AuditEntry.objects.filter(act="purged")
    assert {(one.who, one.via, one.subject) for one in purged} == {
        ("Opsboard", "board", "fares-api"),
        ("Opsboard", "board", "pricing"),
    }
    assert client.get("/removed").status_code == 200


def test_what_is_older_cannot_be_brought_back(client, fares):
    client.post(f"{HERE}/removal")
    Service.objects.update(removed_at=datetime.now(UTC) - timedelta(days=31))
    assert "Bring it back" not in client.get(HERE).text
    said = client.post(f"/removed/service/{fares.pk}", follow=True).text
    assert "gone for good" in said
    fares.refresh_from_db()
    assert fares.removed_at is not None


def test_nothing_of_another_kind_is_brought_back(client, db):
    assert client.post("/removed/person/1").status_code == 404


def test_the_queries_of_the_list_do_not_grow(client, editor, db):
    def add(count: int) -> int:
        for _ in range(count):
            service = a_service(environments=2)
            a_path(service).remove(by=editor, now=datetime.now(UTC))
            service.environments.first().remove(by=editor, now=datetime.now(UTC))
            service.remove(by=editor, now=datetime.now(UTC))
        with CaptureQueriesContext(connection) as captured:
            assert client.get("/removed").status_code == 200
        return len(captured)

    assert add(1) == add(5)
