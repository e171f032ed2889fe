"""The page that declares a service's config keys, and says how each environment stands."""

import pytest
from django.test import Client
from django.utils import timezone

from opsboard.people.models import AuditEntry
from opsboard.releases.models import ConfigReport
from opsboard.services.models import ConfigKey, Service
from tests.web.standing import text_of

FIELDS = ("name", "presence", "across", "equals", "matches")


@pytest.fixture
def client(client_of) -> Client:
    return client_of("editor")


@pytest.fixture
def here(service: Service) -> str:
    return f"/services/{service.slug}/config-keys"


def rows(*keys: dict[str, str], extra: int = 3) -> dict[str, str]:
    """What the form sends: the keys, and empty rows as it shows them."""
    usual = {"name": "", "presence": "set", "across": "", "equals": "", "matches": ""}
    sent = [usual | key for key in keys] + [usual] * extra
    data = {f"key-{n}-{field}": row[field] for n, row in enumerate(sent) for field in FIELDS}
    return data | {
        "key-TOTAL_FORMS": str(len(sent)), "key-INITIAL_FORMS": "0", "act": "save",
    }  # fmt: skip


def shown(client: Client, here: str) -> str:
    version: str = client.get(f"{here}/edit").context["form"]["shown"].value()
    return version


def save(client: Client, here: str, *keys: dict[str, str], **more: str):
    return client.post(f"{here}/edit", rows(*keys) | {"shown": shown(client, here)} | more)


def test_keys_are_declared_changed_and_taken_out(client, service, here):
    answer = save(
        client, here,
        {"name": "DATABASE_URL", "across": "differ"},
        {"name": "DEBUG", "equals": "false"},
        {"name": "OLD_FLAG", "presence": "absent"},
    )  # fmt: skip
    assert answer.status_code == 302
    assert [str(key) for key in service.config_keys.order_by("name")] == [
        "DATABASE_URL", "DEBUG", "OLD_FLAG",
    ]  # fmt: skip
    page = text_of(client.get(here).content.decode())
    assert "DATABASE_URL Must be set, differs across environments" in page
    assert "DEBUG Must be set, equals false" in page
    assert "OLD_FLAG Must be absent" in page
    save(client, here, {"name": "", "across": "differ"}, {"name": "DEBUG", "matches": "^f"})
    assert [key.matches for key in service.config_keys.all()] == ["^f"]
    entry = AuditEntry.objects.filter(kind="service").latest("pk")
    assert entry.changes == [
        {
            "field": "config keys",
            "old": "DATABASE_URL: must be set, differs across environments\n"
            "DEBUG: must be set, equals false\nOLD_FLAG: must be absent",
            "new": "DEBUG: must be set, matches ^f",
        }
    ]


def test_an_untouched_form_changes_nothing(client, service, here):
    ConfigKey.objects.create(service=service, name="DEBUG", equals="false")
    form = client.get(f"{here}/edit")
    data = {
        f"key-{n}-{field}": row[field].value() or ""
        for n, row in enumerate(form.context["rows"].forms)
        for field in FIELDS
    }
    data |= {"key-TOTAL_FORMS": str(len(form.context["rows"].forms)), "key-INITIAL_FORMS": "1"}
    data |= {"shown": form.context["form"]["shown"].value()}
    assert client.post(f"{here}/edit", data).status_code == 302
    assert service.config_keys.get().equals == "false"


@pytest.mark.parametrize(
    ("key", "field", "sentence"),
    [
        ({"name": "A B"}, "name", "Use letters, digits"),
        ({"name": "1A"}, "name", "Use letters, digits"),
        ({"name": "A", "equals": "sk_live_51H8abcdefGHIJKLmnop99"}, "equals", "like a secret"),
        ({"name": "URL", "equals": "postgres://a:b@db/x"}, "equals", "like a secret"),
        ({"name": "SECRET_KEY", "equals": "hunter2"}, "equals", "like a secret"),
        ({"name": "API_TOKEN", "matches": "^.{40}$"}, "matches", "named like a secret"),
        ({"name": "A", "matches": "("}, "matches", "not valid RE2"),
        ({"name": "A", "matches": r"a\pN"}, "matches", "Python"),
        ({"name": "A", "matches": "^sk_live_51H8abcdefGHIJKLmnop99$"}, "matches", "a secret"),
        ({"name": "A", "presence": "absent", "equals": "x"}, "equals", "no other rule"),
        ({"name": "A", "across": "differ", "equals": "x"}, "equals", "one text everywhere"),
        ({"name": "A", "presence": "maybe"}, "presence", "valid choice"),
    ],
)
def test_what_cannot_be_is_refused_beside_its_field(client, service, here, key, field, sentence):
    answer = save(client, here, key)
    assert answer.status_code == 422
    assert sentence in " ".join(answer.context["rows"].forms[0].errors[field])
    assert not service.config_keys.exists()


def test_plain_words_may_be_asked_of_a_key_that_is_named_like_a_secret(client, service, here):
    assert (
        save(client, here, {"name": "SESSION_COOKIE_SECURE", "equals": "True"}).status_code == 302
    )


def test_a_key_stands_once(client, here):
    answer = save(client, here, {"name": "A"}, {"name": "A"})
    assert "A stands here twice" in str(answer.context["rows"].errors)


def test_rows_are_added_without_losing_what_was_typed(client, here):
    answer = save(client, here, {"name": "A B", "equals": "x"}, act="rows")
    assert answer.status_code == 200
    forms = answer.context["rows"].forms
    assert (forms[0]["name"].value(), forms[0]["equals"].value()) == ("A B", "x")
    assert len(forms) == 7


def test_nobody_overwrites_what_they_have_not_seen(client, service, here):
    before = shown(client, here)
    ConfigKey.objects.create(service=service, name="THEIRS")
    answer = client.post(f"{here}/edit", rows({"name": "MINE"}) | {"shown": before})
    assert answer.status_code == 422
    assert "THEIRS: must be set" in answer.content.decode()
    assert [str(key) for key in service.config_keys.all()] == ["THEIRS"]


def test_viewers_read_and_do_not_edit(client_of, here):
    assert client_of("viewer").get(here).status_code == 200
    assert client_of("viewer").get(f"{here}/edit").status_code == 403


def test_a_service_without_keys_says_so(client, service, here):
    page = client.get(here).content.decode()
    assert f"{service.name} declares no config keys" in page
    assert f'href="{here}"' in client.get(f"/services/{service.slug}").content.decode()


def reported(service: Service, slug: str, **fingerprints: str | None) -> None:
    environment, _ = service.environments.get_or_create(
        slug=slug, defaults={"base_url": f"https://{slug}.example"}
    )
    ConfigReport.objects.create(
        environment=environment, root="0" * 64, at=timezone.now(), fingerprints=fingerprints,
        made_with="a" * 16,
    )  # fmt: skip


def test_the_page_says_how_each_environment_stands(client, service, environment, here):
    ConfigKey.objects.create(service=service, name="A", across="equal")
    assert "is not known in production" in client.get(here).content.decode()
    reported(service, "production", A="1" * 16)
    reported(service, "staging", A="2" * 16)
    page = text_of(client.get(here).content.decode())
    assert f"production, staging do not keep the config rules of {service.name}" in page
    assert "A: differs from production" in page
    reported(service, "staging", A="1" * 16)
    page = text_of(client.get(here).content.decode())
    assert f"{service.name} keeps the rules of its 1 config key" in page


def test_the_place_of_the_config_root_is_written_on_the_environment(client, service, environment):
    address = f"/services/{service.slug}/environments/{environment.slug}/edit"
    form = client.get(address).context["form"]
    data = {
        "slug": environment.slug, "base_url": environment.base_url,
        "shown": form["shown"].value(), "version_config_root": "$.config_root",
        "variable-TOTAL_FORMS": "0", "variable-INITIAL_FORMS": "0", "act": "save",
    }  # fmt: skip
    assert "as in json $.config_root" in client.post(address, data).content.decode()
    data |= {"version_config_root": "json $.config_root"}
    assert "Write the route" in client.post(address, data).content.decode()
    data |= {"version_route": "/version", "version_commit": "json $.commit"}
    assert client.post(address, data).status_code == 302
    environment.refresh_from_db()
    assert environment.version_config_root == "json $.config_root"
