"""Where a service runs. A stored secret is never shown, and kept when its field is left empty."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from opsboard.probes.models import Probe
from opsboard.services.models import CriticalPath, Environment, Service, Variable

SignIn = Callable[[Any], Client]
NEW = "/services/fares-api/environments/new"
EDIT = "/services/fares-api/environments/production/edit"


@pytest.fixture
def client(client_of: SignIn, service: Service) -> Client:
    return client_of("editor")


@pytest.fixture
def secret(environment: Environment) -> Variable:
    variable = Variable(environment=environment, name="TOKEN", is_secret=True)
    variable.keep("sesame-42")
    variable.save()
    return variable


def filled(*rows: tuple[str, str, bool], **fields: str) -> dict[str, str]:
    """What a browser sends for these rows of name, value and secret."""
    data = {"slug": "production", "base_url": "http://127.0.0.1:9"}
    data |= {"variable-TOTAL_FORMS": str(len(rows)), "variable-INITIAL_FORMS": "0"}
    for number, (name, value, is_secret) in enumerate(rows):
        data |= {f"variable-{number}-name": name, f"variable-{number}-value": value}
        data |= {f"variable-{number}-is_secret": "on"} if is_secret else {}
    return data | fields


def shown(client: Client) -> str:
    return client.get(EDIT).context["form"]["shown"].value()  # type: ignore[no-any-return]


def test_an_environment_is_added_with_its_variables_and_probed(
    client: Client, path: CriticalPath
) -> None:
    rows = [("REGION", "north", False), ("", "", False), ("TOKEN", "sesame-42", True)]
    typed = filled(*rows, slug="staging", version_route="/version", version_commit="json $.commit")
    assert client.post(NEW, typed)["Location"] == "/services/fares-api"
    staging = Environment.objects.get(slug="staging")
    assert (staging.version_route, staging.version_commit) == ("GET /version", "json $.commit")
    assert staging.values() == {"REGION": "north", "TOKEN": "sesame-42"}
    stored = staging.variables.get(name="TOKEN")
    assert stored.is_secret
    assert "sesame" not in stored.value
    assert Probe.objects.filter(path=path, environment=staging).exists()


def test_a_stored_secret_is_never_shown(client: Client, secret: Variable) -> None:
    page = client.get(EDIT).text
    assert "sesame-42" not in page
    assert secret.value not in page
    assert "Set. Leave empty to keep it." in page


def test_an_empty_value_keeps_the_secret(client: Client, secret: Variable) -> None:
    answered = client.post(EDIT, filled(("TOKEN", "", True), shown=shown(client)))
    assert answered.status_code == 302
    assert Variable.objects.get().reveal() == "sesame-42"


def test_a_new_value_replaces_the_secret(client: Client, secret: Variable) -> None:
    client.post(EDIT, filled(("TOKEN", "other", True), shown=shown(client)))
    assert Variable.objects.get().reveal() == "other"


def test_a_row_that_was_emptied_is_removed(client: Client, secret: Variable) -> None:
    client.post(EDIT, filled(("", "", False), shown=shown(client)))
    assert not Variable.objects.exists()


def test_a_secret_is_not_made_readable_without_its_value(client: Client, secret: Variable) -> None:
    page = client.post(EDIT, filled(("TOKEN", "", False), shown=shown(client)))
    assert page.status_code == 422
    assert "never shown" in page.text
    assert Variable.objects.get().is_secret


def test_every_edit_of_a_variable_gives_its_probes_a_new_order(
    client: Client, secret: Variable, path: CriticalPath
) -> None:
    client.post(EDIT, filled(("TOKEN", "", True), shown=shown(client)))
    before = Probe.objects.get().order_version
    client.post(EDIT, filled(("TOKEN", "other", True), shown=shown(client)))
    assert Probe.objects.get().order_version > before


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (("token", "x", False), "capital letters"),
        (("1A", "x", False), "capital letters"),
        (("", "x", False), "Fill this in."),
        (("A", "", True), "Write the value of this secret."),
        (("A", "a\nb", False), "control characters"),
    ],
)
def test_a_wrong_row_is_told(client: Client, row: tuple[str, str, bool], says: str) -> None:
    page = client.post(NEW, filled(row, slug="staging"))
    assert page.status_code == 422
    assert says in page.text
    assert "1\N{NO-BREAK SPACE}thing to fix first" in page.text
    assert not Environment.objects.exists()


def test_a_name_that_stands_twice_is_told(client: Client) -> None:
    page = client.post(NEW, filled(("A", "1", False), ("A", "2", False), slug="staging"))
    assert "A stands here twice" in page.text


def test_a_variable_that_a_sheet_uses_cannot_be_taken_out(
    client: Client, secret: Variable, path: CriticalPath
) -> None:
    CriticalPath.objects.update(headers=[["Authorization", "{{ TOKEN }}"]])
    page = client.post(EDIT, filled(shown=shown(client)))
    assert page.status_code == 422
    assert "Price a crossing uses {{ TOKEN }}" in page.text
    assert Variable.objects.exists()


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("slug", "new", "word of the board"),
        ("slug", "", "Fill this in."),
        ("base_url", "http://a.test:0", "from 1 to 65535"),
        ("base_url", "http://a.test/?x", "Leave out ?"),
        ("base_url", "http://169.254.169.254", "metadata service"),
        ("version_route", "version", "begins with /"),
        ("version_commit", "$.commit", "json $.commit"),
        ("version_commit", "json $.[", "not a JSON path"),
    ],
)
def test_a_mistake_is_told_beside_its_field(
    client: Client, field: str, value: str, says: str
) -> None:
    both = {"version_route": "/version", "version_commit": "json $.commit", "slug": "staging"}
    page = client.post(NEW, filled(**both | {field: value}))
    assert page.status_code == 422
    assert says in page.context["form"].errors[field][0]


def test_route_and_commit_of_the_version_need_each_other(client: Client) -> None:
    page = client.post(NEW, filled(slug="staging", version_route="/version"))
    assert "version_commit" in page.context["form"].errors


def test_more_rows_are_given_without_judging_what_was_typed(client: Client) -> None:
    page = client.post(NEW, filled(("token", "x", True), base_url="nonsense", act="rows"))
    assert page.status_code == 200
    assert 'value="nonsense"' in page.text
    assert 'value="token"' in page.text
    assert page.text.count('-name"') >= 4
    assert "aria-invalid" not in page.text


def test_two_people_editing_see_both_versions(client: Client, secret: Variable) -> None:
    before = shown(client)
    secret.keep("changed meanwhile")
    secret.save()
    page = client.post(EDIT, filled(("A", "1", False), shown=before))
    assert page.status_code == 422
    assert "Somebody else has saved this" in page.text
    assert "A=1" in page.text
    assert "TOKEN=secret" in page.text
    assert Variable.objects.get().reveal() == "changed meanwhile"


def test_the_boards_own_address_is_not_typed(client: Client, service: Service) -> None:
    Service.objects.update(is_built_in=True)
    service.environments.create(slug="production", base_url="http://127.0.0.1:8000")
    client.post(EDIT, filled(base_url="http://127.0.0.1:1", shown=shown(client)))
    assert Environment.objects.get().base_url == "http://127.0.0.1:8000"


def test_rows_that_no_browser_sends_are_refused_in_words(client: Client) -> None:
    page = client.post(NEW, {"slug": "staging", "base_url": "http://a.test"})
    assert page.status_code == 422


def test_more_variables_than_the_form_takes_are_refused_and_none_is_lost(
    client: Client, environment: Environment
) -> None:
    for number in range(61):
        environment.variables.create(name=f"A{number}", value="x")
    rows = [(f"A{number}", "x", False) for number in range(61)]
    page = client.post(EDIT, filled(*rows, shown=shown(client)))
    assert page.status_code == 422
    assert "At most 60 variables go here" in page.text
    assert environment.variables.count() == 61
