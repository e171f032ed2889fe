"""The link in a message: opening it changes nothing, its one button acknowledges."""

from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from django.core import signing
from django.test import Client

from opsboard.alerts import acknowledging
from opsboard.alerts.models import Channel
from opsboard.incidents.models import Incident
from opsboard.people.models import AuditEntry
from opsboard.rollbacks.models import RollbackNote
from opsboard.services.models import Rota
from tests.web.standing import text_of

# What follows links by itself: previews of chats, scanners of mail, browsers that read ahead.
FOLLOWERS = {
    "Slack": {"User-Agent": "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)"},
    "Teams": {"User-Agent": "SkypeUriPreview Preview/0.5 skype-url-preview@microsoft.com"},
    "SafeLinks": {"User-Agent": "Mozilla/5.0 (Windows NT 10.0) Microsoft Office/16.0 Outlook"},
    "prefetch": {"Sec-Purpose": "prefetch;prerender", "Purpose": "prefetch"},
}


@pytest.fixture
def incident(path, environment) -> Incident:
    """Open for 23 minutes, with one failing path."""
    opened = datetime.now(UTC) - timedelta(minutes=23)
    made = Incident.objects.create(
        service=path.service,
        environment=environment,
        title="Price a crossing is failing",
        opened_at=opened,
    )
    made.paths.create(path=path, joined_at=opened, reason="status is 503, expected 200")
    return made


def a_channel(address: str, kind: str = Channel.Kind.EMAIL) -> Channel:
    channel = Channel(name="Pricing on call", kind=kind)
    channel.keep(address=address)
    channel.save()
    return channel


@pytest.fixture
def channel(db) -> Channel:
    """An address that is of nobody's account."""
    return a_channel("on-call@skerry.example")


@pytest.fixture
def edith(editor):
    editor.email = "Edith@skerry.example"
    editor.save()
    return editor


def link_of(incident: Incident, channel: Channel) -> str:
    return acknowledging.link(incident.pk, channel.pk).removeprefix(settings.URL)


@pytest.fixture
def url(incident, channel) -> str:
    return link_of(incident, channel)


def holder_of(incident: Incident) -> tuple[object, str]:
    incident.refresh_from_db()
    return incident.acknowledged_by, incident.acknowledged_as


def is_free(incident: Incident) -> bool:
    incident.refresh_from_db()
    return incident.acknowledged_at is None and not AuditEntry.objects.exists()


@pytest.mark.parametrize("method", ["get", "head"])
@pytest.mark.parametrize("follower", sorted(FOLLOWERS))
def test_whatever_follows_the_link_acknowledges_nothing(method, follower, url, incident):
    client = Client(headers=FOLLOWERS[follower])
    for _ in range(3):
        assert getattr(client, method)(url).status_code == 200
    assert is_free(incident)


@pytest.mark.parametrize("method", ["put", "patch", "delete", "options", "trace"])
def test_no_other_method_does_anything(method, url, incident):
    assert getattr(Client(), method)(url).status_code == 405
    assert is_free(incident)


def test_a_form_from_elsewhere_is_refused(url, incident):
    assert Client(enforce_csrf_checks=True).post(url, {"name": "Mallory"}).status_code == 403
    assert is_free(incident)


def test_a_plain_browser_without_scripts_acknowledges(url, incident):
    client = Client(enforce_csrf_checks=True)
    page = client.get(url)
    token = page.text.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
    answer = client.post(url, {"csrfmiddlewaretoken": token, "name": "Ingrid"}, follow=True)
    assert answer.redirect_chain == [(url, 302)]
    assert holder_of(incident) == (None, "Ingrid")
    assert "Who has it Ingrid, since" in text_of(answer.text)


def test_the_page_says_what_fails_who_has_it_and_the_way_back(url, incident, service):
    note = RollbackNote.objects.create(service=service)
    note.write(
        title="Go back one release", use_when="", does_not_undo="", minutes=4, steps=[],
        reason="", by=None, now=datetime.now(UTC),
    )  # fmt: skip
    page = text_of(Client().get(url).text)
    assert "Price a crossing is failing" in page
    assert "Open for 23 min" in page
    assert "Who has it Nobody yet" in page
    assert "Status is 503, expected 200." in page
    assert "Rollback note Go back one release" in page
    assert f"Acknowledge {incident}" in page


def test_the_page_is_listed_nowhere_kept_nowhere_and_its_address_stays_here(url):
    answer = Client().get(url)
    assert answer["X-Robots-Tag"] == "noindex, nofollow"
    assert "no-store" in answer["Cache-Control"]
    assert answer["Referrer-Policy"] == "strict-origin"


def test_of_one_known_address_that_person_has_it(incident, edith):
    url = link_of(incident, a_channel("edith@skerry.example"))
    page = text_of(Client().get(url).text)
    assert f"Acknowledge {incident} as Edith Moe" in page
    Client().post(url)
    assert holder_of(incident) == (edith, "")
    entry = AuditEntry.objects.get()
    assert (entry.person, entry.who, entry.act) == (
        None, "Edith Moe, by a link", "acknowledged",
    )  # fmt: skip
    assert "Pricing on call" in str(entry.changes)


def test_of_several_known_addresses_they_say_who_they_are(incident, edith, viewer):
    viewer.email = "vera@skerry.example"
    viewer.save()
    url = link_of(incident, a_channel("edith@skerry.example, vera@skerry.example"))
    refused = Client().post(url)
    assert refused.status_code == 422
    assert "Choose who you are." in refused.text
    assert "Somebody else" not in refused.text
    assert is_free(incident)
    Client().post(url, {"person": viewer.pk})
    assert holder_of(incident) == (viewer, "")


def test_nobody_becomes_a_person_whom_the_message_did_not_reach(incident, edith, administrator):
    url = link_of(incident, a_channel("edith@skerry.example, list@skerry.example"))
    assert Client().post(url, {"person": administrator.pk}).status_code == 422
    assert is_free(incident)
    Client().post(url, {"person": "else"})
    assert holder_of(incident) == (None, "Somebody at Pricing on call")


def test_of_a_channel_without_known_people_the_name_is_what_they_write(incident):
    url = link_of(incident, a_channel("https://hooks.example/1", Channel.Kind.WEBHOOK))
    assert 'value="Somebody at Pricing on call"' in Client().get(url).text
    Client().post(url, {"name": " "})
    assert holder_of(incident) == (None, "Somebody at Pricing on call")
    assert incident.timeline.get().by_name == "Somebody at Pricing on call"


def test_a_name_that_cannot_be_shown_is_refused_and_kept(url, incident):
    answer = Client().post(url, {"name": "Ingrid\u202e"})
    assert answer.status_code == 422
    assert "Ingrid" in answer.text
    assert is_free(incident)


@pytest.fixture
def duty(team) -> Channel:
    """A channel to who is on duty: there is a rota, with nobody in it yet."""
    Rota.objects.create(
        team=team, starts_on=datetime.now(UTC).date() - timedelta(days=1), hand_over_at="00:00"
    )
    return Channel.objects.create(name="On duty", kind=Channel.Kind.DUTY, team=team)


def test_of_a_duty_channel_it_is_who_is_in_the_rota(incident, edith, team, duty):
    team.rota.turns.create(position=0, person=edith)
    Client().post(link_of(incident, duty))
    assert holder_of(incident) == (edith, "")


def test_of_several_in_the_rota_who_is_on_duty_is_chosen_and_another_can_say_so(
    incident, edith, viewer, team, duty
):
    team.rota.turns.create(position=0, person=viewer)
    team.rota.turns.create(position=1, person=edith)
    url = link_of(incident, duty)
    assert f'<option value="{viewer.pk}" selected>Vera Lind' in Client().get(url).text
    Client().post(url, {"person": edith.pk})
    assert holder_of(incident) == (edith, "")


def test_who_is_signed_in_has_it_whoever_was_told(incident, edith, viewer, client_of):
    url = link_of(incident, a_channel("edith@skerry.example"))
    client = client_of("viewer")
    assert f"Acknowledge {incident} as Vera Lind" in text_of(client.get(url).text)
    client.post(url)
    assert holder_of(incident) == (viewer, "")
    assert AuditEntry.objects.get(act="acknowledged").person == viewer


def test_the_second_person_reads_who_has_it(url, incident, editor):
    incident.acknowledge(by=editor, now=datetime.now(UTC))
    answer = Client().post(url, {"name": "Ingrid"})
    assert answer.status_code == 200
    assert "Who has it Edith Moe, since" in text_of(answer.text)
    assert "<form class" not in answer.text
    assert holder_of(incident) == (editor, "")


def test_a_resolved_incident_says_so(url, incident):
    incident.resolved_at = datetime.now(UTC)
    incident.save()
    for answer in (Client().get(url), Client().post(url, {"name": "Ingrid"})):
        assert answer.status_code == 410
        assert f"{incident} is resolved" in answer.text
    assert is_free(incident)


def test_a_link_works_for_seven_days(url, monkeypatch):
    week = acknowledging.LASTS.total_seconds()
    token, made = url.rpartition("/")[2], datetime.now(UTC).timestamp()
    monkeypatch.setattr(signing.time, "time", lambda: made + week - 60)
    assert acknowledging.read(token)
    monkeypatch.setattr(signing.time, "time", lambda: made + week + 60)
    assert acknowledging.read(token) is None


@pytest.mark.parametrize("change", ["cut", "other", "nothing", "words", "of another use"])
def test_a_token_that_this_board_did_not_make_says_one_sentence(change, url, incident, channel):
    token = url.rpartition("/")[2]
    first, _, rest = token.partition(".")
    wrong = {
        "cut": token[:-1],
        "other": f"{incident.pk + 1}-{channel.pk}.{rest}",
        "nothing": first,
        "words": "hello",
        "of another use": signing.TimestampSigner(sep=".").sign(first),
    }[change]
    for answer in (Client().get(f"/acknowledge/{wrong}"), Client().post(f"/acknowledge/{wrong}")):
        assert answer.status_code == 404
        assert "This link does not work." in answer.text
        assert "Price a crossing" not in answer.text
    assert is_free(incident)


@pytest.mark.parametrize("gone", ["incident", "service", "environment", "channel"])
def test_of_what_was_removed_nothing_is_said(gone, url, incident, channel):
    now = datetime.now(UTC)
    if gone == "incident":
        incident.delete()
    else:
        thing = channel if gone == "channel" else getattr(incident, gone)
        thing.removed_at = now
        thing.save()
    answer = Client().post(url, {"name": "Ingrid"})
    assert answer.status_code == 410
    assert ("was removed" if gone == "channel" else "not on the board any more") in answer.text
    assert "Price a crossing" not in answer.text


def test_tokens_go_through_plain_text_whole(incident, channel):
    token = acknowledging.link(incident.pk, channel.pk).rpartition("/")[2]
    assert all(sign.isalnum() or sign in "-_." for sign in token)
    assert token[-1].isalnum()


def test_what_people_wrote_is_never_markup(url, incident):
    incident.title = "<script>alert(1)</script>"
    incident.save()
    assert "<script>alert(1)" not in Client().get(url).text
