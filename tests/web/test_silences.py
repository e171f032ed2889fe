"""Silences are made with a reason and an end, said wherever they hold, and ended by editors."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from opsboard.alerts.models import Channel, Delivery, Silence
from opsboard.alerts.planning import react
from opsboard.incidents.models import Incident
from opsboard.people.models import AuditEntry
from opsboard.probes.rules import State
from opsboard.services.models import CriticalPath, Service, Team
from tests.company import a_service, production
from tests.web.standing import stands, text_of

SignIn = Callable[[Any], Client]
HERE = "/alerts/silences"
GOOD = {"reason": "loading new fares", "lasts": "1h"}
HOUR = timedelta(hours=1)


@pytest.fixture
def client(client_of: SignIn) -> Client:
    return client_of("editor")


@pytest.fixture
def failing(path: CriticalPath) -> CriticalPath:
    """A path that fails, of which a channel waits to be told."""
    channel = Channel(name="Everybody", kind=Channel.Kind.EMAIL)
    channel.keep(address="everybody@skerry.example")
    channel.save()
    stands(path, State.FAILING)
    react(path.pk, production(path.service).pk, now=datetime.now(UTC))
    return path


def a_silence(**fields: object) -> Silence:
    now = datetime.now(UTC)
    values: dict[str, object] = {
        "reason": "loading new fares",
        "starts_at": now - HOUR,
        "ends_at": now + HOUR,
    }
    return Silence.objects.create(**(values | fields))


def test_a_silence_holds_what_waits_at_once(client, failing, service, editor):
    assert client.post(f"{HERE}/new", GOOD | {"service": service.pk}).status_code == 302
    silence = Silence.objects.get()
    assert (silence.service, silence.reason, silence.by) == (service, "loading new fares", editor)
    assert silence.ends_at - silence.starts_at == HOUR
    assert Delivery.objects.get().reason.startswith("Silenced by Edith Moe until ")


def test_ended_it_holds_nothing_more(client, failing, service):
    client.post(f"{HERE}/new", GOOD | {"service": service.pk})
    silence = Silence.objects.get()
    assert client.post(f"{HERE}/{silence.pk}/end").status_code == 302
    silence.refresh_from_db()
    assert silence.ends_at <= datetime.now(UTC)
    assert Delivery.objects.get().outcome() == "waiting"
    client.post(f"{HERE}/{silence.pk}/end")
    acts = AuditEntry.objects.order_by("pk").values_list("act", "kind", "subject")
    assert list(acts) == [("added", "silence", "Fares API"), ("ended", "silence", "Fares API")]


def test_called_off_before_it_begins_it_was_never_in_force(client, path):
    now = datetime.now(UTC)
    silence = a_silence(starts_at=now + HOUR, ends_at=now + 2 * HOUR)
    assert "Call off" in client.get(HERE).text
    client.post(f"{HERE}/{silence.pk}/end")
    silence.refresh_from_db()
    assert silence.ends_at == silence.starts_at
    assert "called off" in client.get(HERE).text


def test_tomorrow_at_nine_is_the_next_day_in_utc(client, path):
    client.post(f"{HERE}/new", GOOD | {"lasts": "tomorrow"})
    ends_at = Silence.objects.get().ends_at
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    assert (ends_at.date(), f"{ends_at:%H:%M:%S}") == (tomorrow, "09:00:00")


def test_a_silence_of_a_path_from_a_time_to_a_time(client, path):
    begins = datetime.now(UTC).replace(second=0, microsecond=0) + 2 * HOUR
    typed = {
        "path": "fares-api/price-a-crossing",
        "environment": "production",
        "lasts": "until",
        "begins": f"{begins:%Y-%m-%d %H:%M}",
        "until": f"{begins + HOUR:%Y-%m-%dT%H:%M}",
    }
    client.post(f"{HERE}/new", GOOD | typed)
    silence = Silence.objects.get()
    assert (silence.path, silence.service, silence.environment_slug) == (
        path,
        path.service,
        "production",
    )
    assert (silence.starts_at, silence.ends_at) == (begins, begins + HOUR)


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("reason", "", "Fill this in."),
        ("reason", "x" * 301, "At most 300"),
        ("lasts", "ever", "Select a valid choice"),
        ("until", "", "a silence always ends"),
        ("until", "tomorrow", "as in 2026-12-03 15:00"),
        ("until", "2026-02-30 10:00", "as in 2026-12-03 15:00"),
        ("until", "2020-01-01 10:00", "write a later time"),
        ("until", "2999-01-01 10:00", "30 days at most"),
        ("begins", "2020-01-01 10:00", "This is past"),
        ("path", "fares-api/nothing", "as in fares-api/health"),
        ("path", "nothing", "as in fares-api/health"),
        ("service", "999999", "Select a valid choice"),
        ("environment", "nowhere", "Select a valid choice"),
    ],
)
def test_a_mistake_is_told_beside_its_field(client, path, field, value, says):
    page = client.post(f"{HERE}/new", {"reason": "why", "lasts": "until"} | {field: value})
    assert page.status_code == 422
    assert says in page.context["form"].errors[field][0]
    assert not Silence.objects.exists()


def test_nothing_typed_is_lost(client, path):
    typed = {"reason": "loading & more", "lasts": "until", "until": "soon", "path": "a/b"}
    page = client.post(f"{HERE}/new", typed).text
    assert 'value="loading &amp; more"' in page
    assert 'value="soon"' in page
    assert 'value="a/b"' in page
    assert 'value="until" aria-describedby' in page or 'value="until"' in page


def test_a_path_of_another_service_is_refused(client, path):
    other = a_service("fares-db")
    typed = {"path": "fares-api/price-a-crossing", "service": other.pk}
    page = client.post(f"{HERE}/new", GOOD | typed)
    assert page.context["form"].errors["path"] == [
        "This is a path of Fares API: choose Fares API, or no service."
    ]


def test_what_is_nothing_on_the_board_is_refused(client, path):
    other = Team.objects.create(slug="crossings", name="Crossings")
    typed = {"team": other.pk, "path": "fares-api/price-a-crossing"}
    page = client.post(f"{HERE}/new", GOOD | typed)
    assert page.status_code == 422
    assert "Nothing on the board is all of this together" in page.text


def test_the_button_of_a_page_fills_in_what_it_is_about(client, path):
    asked = "?service=fares-api&path=price-a-crossing&environment=production"
    for address in ("/services/fares-api/price-a-crossing", "/services/fares-api"):
        stands(path)
        assert 'href="/alerts/silences/new?service=fares-api&amp;' in client.get(address).text
    form = client.get(f"{HERE}/new{asked}").context["form"]
    assert form["service"].value() == path.service.pk
    assert form["environment"].value() == "production"
    assert 'value="fares-api/price-a-crossing"' in str(form["path"])
    assert client.get(f"{HERE}/new?service=nothing").status_code == 404


def test_a_viewer_sees_silences_and_no_buttons(client_of, path):
    a_silence(service=path.service)
    page = client_of("viewer").get(HERE).text
    assert "Loading new fares." in page
    assert "End now" not in page
    assert "silences/new" not in page
    stands(path)
    assert "silences/new" not in client_of("viewer").get("/services/fares-api").text


def test_the_page_has_in_force_coming_and_ended_ones(client, path):
    now = datetime.now(UTC)
    a_silence(path=path, service=path.service, environment_slug="production")
    a_silence(reason="next week", starts_at=now + 24 * HOUR, ends_at=now + 25 * HOUR)
    a_silence(reason="last week", starts_at=now - 170 * HOUR, ends_at=now - 168 * HOUR)
    a_silence(reason="of long ago", starts_at=now - 900 * HOUR, ends_at=now - 899 * HOUR)
    page = client.get(HERE)
    assert [len(page.context[name]) for name in ("in_force", "coming", "ended")] == [1, 1, 1]
    text = text_of(page.text)
    assert "1 silence is in force" in text
    assert "Price a crossing of Fares API in production" in text
    assert "of long ago" not in text


def test_what_is_silenced_says_so_on_its_pages(client, failing, django_user_model):
    a_silence(path=failing, by=User.objects.get(username="Edith Moe"))
    number = Incident.objects.get().pk
    for address in ("/services/fares-api/price-a-crossing", f"/incidents/{number}"):
        text = text_of(client.get(address).text)
        assert "Silenced by Edith Moe until" in text
        assert "Nobody is told; observing goes on." in text
    assert "1 path silenced" in text_of(client.get("/").text)
    assert "Silenced by" not in client.get("/services/fares-api").text


def test_the_board_says_that_a_service_is_silenced(client, failing):
    a_silence(service=failing.service)
    text = text_of(client.get("/").text)
    assert "Silenced until" in text
    assert "path silenced" not in text
    assert "Silenced by somebody unknown" in text_of(client.get("/services/fares-api").text)


def test_the_queries_of_the_list_do_not_grow(client, path):
    def count(more: int) -> int:
        for _ in range(more):
            a_silence(path=path, service=path.service, by=User.objects.first())
        with CaptureQueriesContext(connection) as captured:
            client.get(HERE)
        return len(captured)

    assert count(1) == count(5)


def test_one_of_a_removed_service_is_still_told(client, path):
    a_silence(service=path.service)
    Service.objects.update(removed_at=datetime.now(UTC))
    assert "Fares API" in client.get(HERE).text
