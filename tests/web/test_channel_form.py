"""Where alerts go. A stored address is shown only as its kind and host."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from opsboard.alerts.models import Channel
from opsboard.services.models import Team

SignIn = Callable[[Any], Client]
NEW = "/alerts/channels/new"
MAIL = {"name": "On call", "kind": "email", "address": "ana@skerry.example", "team": ""}
HOOK = {"name": "Chat", "kind": "webhook", "address": "https://hooks.example/T0/s3cret", "team": ""}


@pytest.fixture
def client(client_of: SignIn, db: None) -> Client:
    return client_of("editor")


@pytest.fixture
def hook(client: Client) -> Channel:
    client.post(NEW, HOOK)
    return Channel.objects.get()


def edit_url(channel: Channel) -> str:
    return f"/alerts/channels/{channel.pk}/edit"


def shown(client: Client, channel: Channel) -> str:
    return client.get(edit_url(channel)).context["form"]["shown"].value()  # type: ignore[no-any-return]


def test_an_email_channel_is_added_encrypted(client: Client, team: Team) -> None:
    answered = client.post(
        NEW, MAIL | {"address": "ana@skerry.example\nbo@skerry.example", "team": str(team.pk)}
    )
    channel = Channel.objects.get()
    assert answered["Location"] == f"/alerts/channels/{channel.pk}"
    assert channel.team == team
    assert "skerry" not in channel.address
    assert channel.reveal_address() == "ana@skerry.example, bo@skerry.example"
    assert channel.signing_secret == ""


def test_a_webhook_gets_a_signing_secret_that_is_shown_once(client: Client) -> None:
    page = client.post(NEW, HOOK)
    channel = Channel.objects.get()
    secret = channel.reveal_secret()
    assert secret.startswith("whsec_")
    assert len(secret) == 50
    assert secret in page.text
    assert "no-store" in page["Cache-Control"]
    again = client.get(edit_url(channel)).text
    assert secret not in again
    assert channel.signing_secret not in again


def test_a_stored_address_is_shown_as_its_kind_and_host(client: Client, hook: Channel) -> None:
    page = client.get(edit_url(hook)).text
    assert "Set: a webhook at hooks.example." in page
    assert "s3cret" not in page
    client.post(NEW, MAIL)
    mail = Channel.objects.get(kind="email")
    page = client.get(edit_url(mail)).text
    assert "e-mail to 1\N{NO-BREAK SPACE}address at skerry.example" in page
    assert "ana@" not in page


def test_an_empty_address_keeps_it_and_the_secret(client: Client, hook: Channel) -> None:
    secret = hook.reveal_secret()
    client.post(edit_url(hook), HOOK | {"address": "", "name": "B", "shown": shown(client, hook)})
    hook.refresh_from_db()
    assert (hook.name, hook.reveal_address()) == ("B", "https://hooks.example/T0/s3cret")
    assert hook.reveal_secret() == secret


def test_a_new_address_keeps_the_secret_and_forgets_old_trouble(
    client: Client, hook: Channel
) -> None:
    Channel.objects.update(last_error="refused")
    secret = hook.reveal_secret()
    typed = HOOK | {"address": "https://other.example/x", "shown": shown(client, hook)}
    client.post(edit_url(hook), typed)
    hook.refresh_from_db()
    assert (hook.reveal_address(), hook.last_error) == ("https://other.example/x", "")
    assert hook.reveal_secret() == secret


def test_a_new_signing_secret_is_made_on_demand(client: Client, hook: Channel) -> None:
    old = hook.reveal_secret()
    typed = HOOK | {"address": "", "new_secret": "on", "shown": shown(client, hook)}
    page = client.post(edit_url(hook), typed)
    hook.refresh_from_db()
    assert hook.reveal_secret() != old
    assert hook.reveal_secret() in page.text
    assert hook.reveal_address() == HOOK["address"]


def test_the_kind_stays(client: Client, hook: Channel) -> None:
    typed = HOOK | {"kind": "email", "address": "", "shown": shown(client, hook)}
    client.post(edit_url(hook), typed)
    hook.refresh_from_db()
    assert hook.kind == "webhook"


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        (MAIL | {"address": ""}, "Fill this in."),
        (MAIL | {"address": "ana@skerry.example, nonsense"}, "nonsense is not an e-mail address."),
        (MAIL | {"address": ", ,"}, "from 1 to 20"),
        (MAIL | {"address": "\n".join(f"a{n}@b.example" for n in range(21))}, "from 1 to 20"),
        (MAIL | {"address": "a@b.example\r\nBcc: c@d.example"}, "not an e-mail address"),
        (HOOK | {"address": "ftp://a.test"}, "Only http:// or https://"),
        (HOOK | {"address": "http://169.254.169.254/"}, "metadata service"),
        (HOOK | {"address": "http://ana:pw@a.test/"}, "Take user and password out"),
    ],
)
def test_a_wrong_address_is_told(client: Client, typed: dict[str, str], says: str) -> None:
    page = client.post(NEW, typed)
    assert page.status_code == 422
    assert says in " ".join(page.context["form"].errors["address"])
    assert not Channel.objects.exists()


@pytest.mark.parametrize("field", ["name", "kind", "team"])
def test_other_mistakes_are_told(client: Client, field: str) -> None:
    page = client.post(NEW, MAIL | {field: "" if field != "team" else "99"})
    assert page.status_code == 422
    assert field in page.context["form"].errors


def test_an_address_whose_key_is_lost_is_asked_for_again(client: Client, hook: Channel) -> None:
    Channel.objects.update(address="lost", signing_secret="lost")
    page = client.get(edit_url(hook))
    assert "cannot be decrypted: write it again" in page.text
    before = page.context["form"]["shown"].value()
    page = client.post(edit_url(hook), HOOK | {"address": "", "shown": before})
    assert page.context["form"].errors["address"] == ["Fill this in."]
    client.post(edit_url(hook), HOOK | {"shown": before})
    hook.refresh_from_db()
    assert hook.reveal_address() == HOOK["address"]
    assert hook.reveal_secret().startswith("whsec_")


def test_two_people_editing_lose_nothing(client: Client, hook: Channel) -> None:
    before = shown(client, hook)
    Channel.objects.update(name="Theirs")
    page = client.post(edit_url(hook), HOOK | {"address": "", "name": "Mine", "shown": before})
    assert page.status_code == 422
    assert "Theirs" in page.text
    hook.refresh_from_db()
    assert hook.name == "Theirs"


def test_a_removed_channel_cannot_be_edited(client: Client, hook: Channel) -> None:
    Channel.objects.update(removed_at="2026-11-01T00:00Z")
    assert client.get(edit_url(hook)).status_code == 404


def test_viewers_may_not(client_of: SignIn) -> None:
    assert client_of("viewer").get(NEW).status_code == 403


KEY = "R0123456789abcdefghijklmnopqrstu"


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        (HOOK | {"kind": "slack", "address": "hooks.slack.com/x"}, "Only http:// or https://"),
        (HOOK | {"kind": "teams", "address": "http://169.254.169.254/"}, "metadata service"),
        (HOOK | {"kind": "pagerduty", "address": "short"}, "32 letters and digits"),
        (HOOK | {"kind": "apprise", "address": "nothing://x"}, "Apprise knows no nothing://"),
        (HOOK | {"kind": "apprise", "address": "file:///etc/passwd"}, "knows no file://"),
        (HOOK | {"kind": "apprise", "address": "syslog://"}, "not spoken to over HTTP"),
        (HOOK | {"kind": "apprise", "address": "json://"}, "a part of it is missing"),
        (HOOK | {"kind": "apprise", "address": "json://169.254.169.254/"}, "metadata service"),
        (HOOK | {"kind": "apprise", "address": "json://a.test\nnone://b"}, "Address 2: Apprise"),
    ],
)
def test_a_wrong_address_of_any_kind_is_told(
    client: Client, typed: dict[str, str], says: str
) -> None:
    page = client.post(NEW, typed)
    assert page.status_code == 422
    assert says in " ".join(page.context["form"].errors["address"])
    assert not Channel.objects.exists()


@pytest.mark.parametrize(
    ("kind", "address", "shown_as"),
    [
        ("slack", "https://hooks.slack.com/services/T0/s3cret", "Slack at hooks.slack.com"),
        ("pagerduty", KEY, "PagerDuty, by a routing key"),
        ("apprise", "json://a.test/s3cret", "Json through Apprise, best effort"),
    ],
)
def test_every_kind_is_added_and_shows_no_more_than_its_host(
    client: Client, kind: str, address: str, shown_as: str
) -> None:
    page = client.post(NEW, HOOK | {"kind": kind, "address": address}, follow=True)
    assert Channel.objects.get().reveal_address() == address
    assert shown_as in page.text
    assert "s3cret" not in page.text
    assert KEY not in page.text


def test_an_unusual_host_of_a_chat_is_a_hint_and_no_error(client: Client) -> None:
    page = client.post(NEW, HOOK | {"kind": "slack"}, follow=True)
    assert "Slack takes messages at hooks.slack.com" in page.text
    assert Channel.objects.exists()


def test_who_is_on_duty_needs_a_team_and_no_address(client: Client, team: Team) -> None:
    typed = HOOK | {"kind": "duty", "address": ""}
    page = client.post(NEW, typed)
    assert page.context["form"].errors["team"] == [
        "Choose the team whose rota says who is on duty."
    ]
    client.post(NEW, typed | {"team": str(team.pk)})
    assert Channel.objects.get().team == team


def test_the_administrators_are_no_kind_that_can_be_added(client: Client) -> None:
    page = client.post(NEW, HOOK | {"kind": "admins", "address": ""})
    assert "kind" in page.context["form"].errors


def test_an_unknown_name_in_a_first_line_is_told_the_known_ones(client: Client) -> None:
    page = client.post(NEW, MAIL | {"subject_template": "{{ severity }}: {{ path }}"})
    assert page.status_code == 422
    [error] = page.context["form"].errors["subject_template"]
    assert error.startswith("{{ severity }} is not known here: write one of {{ event }},")
    client.post(NEW, MAIL | {"subject_template": "{{ tier }} {{ path }}"})
    assert Channel.objects.get().subject_template == "{{ tier }} {{ path }}"


def test_the_old_secret_signs_for_a_day_and_can_be_stopped(client: Client, hook: Channel) -> None:
    old = hook.reveal_secret()
    renew = HOOK | {"address": "", "new_secret": "on", "shown": shown(client, hook)}
    assert "goes on signing beside it until" in client.post(edit_url(hook), renew).text
    hook.refresh_from_db()
    now = datetime.now(UTC)
    assert hook.reveal_secrets(now=now) == [hook.reveal_secret(), old]
    assert hook.reveal_secrets(now=now + timedelta(hours=25)) == [hook.reveal_secret()]
    assert (
        "signed with the new secret and the one before it"
        in client.get(f"/alerts/channels/{hook.pk}").text
    )
    stop = HOOK | {"address": "", "stop_old": "on", "shown": shown(client, hook)}
    client.post(edit_url(hook), stop)
    hook.refresh_from_db()
    assert hook.reveal_secrets(now=now) == [hook.reveal_secret()]
