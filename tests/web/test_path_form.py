"""The whole sheet of a critical path, as a form: rows B35 to B46 of the hardening list."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opsboard.probes.models import Probe
from opsboard.services.models import SECOND, CriticalPath, Environment, Service
from tests.far_side import FarSide, answer

SignIn = Callable[[Any], Client]
NEW = "/services/fares-api/paths/new"
EDIT = "/services/fares-api/price-a-crossing/edit"
GOOD = {
    "name": "Price a crossing",
    "slug": "",
    "owner": "",
    "method": "POST",
    "route": "/price",
    "query": "from=SK1",
    "headers": "Accept: application/json",
    "body": '{"to": "SK2"}',
    "follows_redirects": "on",
    "expected_result": "status == 201\ntime < 800 ms",
    "user_notices": "Step 2 of booking",
    "slow_query_or_command": "SELECT 1",
    "interval": "30 s",
    "timeout": "10 s",
    "patience": "2",
}


@pytest.fixture
def client(client_of: SignIn, environment: Environment) -> Client:
    return client_of("editor")


@pytest.fixture
def machine(environment: Environment) -> Iterator[FarSide]:
    with FarSide(answer(201, body=b'{"price": 12}')) as machine:
        Environment.objects.update(base_url=machine.url(""))
        yield machine


def errors(page: Any) -> dict[str, list[str]]:
    return {field: list(said) for field, said in page.context["form"].errors.items()}


def test_a_whole_sheet_is_stored_and_probed(client: Client, service: Service) -> None:
    answered = client.post(NEW, GOOD)
    assert answered["Location"] == "/services/fares-api/price-a-crossing"
    path = CriticalPath.objects.get()
    assert (path.slug, path.method, path.route) == ("price-a-crossing", "POST", "/price")
    assert path.query == [["from", "SK1"]]
    assert path.headers == [["Accept", "application/json"]]
    assert path.body == '{"to": "SK2"}'
    assert (path.interval, path.timeout, path.patience) == (30 * SECOND, 10 * SECOND, 2)
    assert path.follows_redirects
    assert path.missing == []
    assert path.checked_by is not None
    assert Probe.objects.filter(path=path).count() == 1


def test_the_form_shows_what_is_stored(client: Client) -> None:
    client.post(NEW, GOOD)
    form = client.get(EDIT).context["form"]
    shown = {name: form[name].value() for name in GOOD if name not in ("slug", "owner")}
    assert shown == {
        **{name: value for name, value in GOOD.items() if name not in ("slug", "owner")},
        "follows_redirects": True,
        "patience": 2,
    }


def test_saving_what_is_shown_changes_nothing_but_the_check(client: Client) -> None:
    client.post(NEW, GOOD)
    before = CriticalPath.objects.values().get()
    form = client.get(EDIT).context["form"]
    typed = {name: form[name].value() for name in form.fields if form[name].value() is not None}
    assert client.post(EDIT, typed).status_code == 302
    after = CriticalPath.objects.values().get()
    assert before.pop("checked_at") < after.pop("checked_at")
    assert before == after


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("name", "x" * 10_000, "At most 120"),
        ("name", "a\u202eb", "reverses the direction"),
        ("slug", "rollback-note", "word of the board"),
        ("slug", "Price It", "small letters"),
        ("route", "price", "Begin with /"),
        ("route", "javascript:alert(1)", "Begin with /"),
        ("route", "ftp://a.test/x", "Only http:// or https://"),
        ("route", "file:///etc/passwd", "Only http:// or https://"),
        ("route", "http://ana:pw@a.test/", "Take user and password out"),
        ("route", "http://2130706433/", "a.b.c.d"),
        ("route", "http://169.254.169.254/latest", "metadata service"),
        ("route", "http://203.0.113.5/", "set OPSBOARD_EGRESS_ALLOW=203.0.113.5/32"),
        ("route", "/a b", "a space"),
        ("route", "/{{ TOKEN }}", "{{ TOKEN }} is not set in production"),
        ("headers", "Host: a", "Leave out Host"),
        ("headers", "Authorization: Bearer {{ TOKEN }}", "{{ TOKEN }} is not set in production"),
        ("headers", "\n".join(f"A{n}: b" for n in range(100)), "at most 50"),
        ("query", "from", "Write name=value."),
        ("query", "a={{ A }}\nb={{ B }}", "{{ A }}, {{ B }} are not set in production"),
        ("body", "a\0b", "Null characters"),
        ("body", "{{ TOKEN }}", "{{ TOKEN }} is not set in production"),
        ("expected_result", "json $.ok == (", "Line 1, column 14"),
        ("expected_result", r"body matches /(a)\1/", "Back-references are not supported"),
        ("expected_result", "errors < 1 % over 1 m", "needs 20 observations"),
        ("interval", "0", "from 1 s to 1 d"),
        ("interval", "-1", "from 1 s to 1 d"),
        ("interval", "1e9", "from 1 s to 1 d"),
        ("interval", "NaN", "from 1 s to 1 d"),
        ("interval", "１０ s", "from 1 s to 1 d"),
        ("interval", "30", "needs a unit"),
        ("interval", "100 ms", "from 1 s to 1 d"),
        ("interval", "2 d", "from 1 s to 1 d"),
        ("timeout", "50 ms", "from 100 ms to 1 m"),
        ("timeout", "30 s", "shorter than the interval"),
        ("patience", "0", "from 1 to 10"),
        ("patience", "１", "from 1 to 10"),
        ("patience", "", "Fill this in."),
        ("method", "PURGE", "valid choice"),
    ],
)
def test_a_mistake_is_told_beside_its_field(
    client: Client, field: str, value: str, says: str
) -> None:
    page = client.post(NEW, GOOD | {field: value})
    assert page.status_code == 422
    assert says in " ".join(errors(page)[field])
    assert f'aria-describedby="id_{field}_' in page.text
    assert not CriticalPath.objects.exists()


def test_every_wrong_clause_is_told_with_its_place_and_the_nearest_word(client: Client) -> None:
    page = client.post(NEW, GOOD | {"expected_result": "status == 200\nlatency < 1 s\nsize < 2"})
    first, second = errors(page)["expected_result"]
    assert first.startswith("Line 2, column 1: Unknown fact `latency`; did you mean `time`?")
    assert second.startswith("Line 3, column 8: ")
    assert "latency &lt; 1 s" in page.text


def test_all_mistakes_are_told_at_once_and_counted(client: Client) -> None:
    page = client.post(NEW, GOOD | {"name": "", "interval": "x", "headers": "Host: a"})
    assert set(errors(page)) >= {"name", "interval", "headers"}
    assert "to fix first" in page.text


def test_a_variable_of_the_environment_may_be_used(
    client: Client, environment: Environment
) -> None:
    variable = environment.variables.model(environment=environment, name="TOKEN", is_secret=True)
    variable.keep("sesame-42")
    variable.save()
    answered = client.post(NEW, GOOD | {"headers": "Authorization: Bearer {{ TOKEN }}"})
    assert answered.status_code == 302


def test_a_variable_is_needed_in_the_chosen_environments_only(
    client: Client, service: Service, environment: Environment
) -> None:
    staging = service.environments.create(slug="staging", base_url="http://127.0.0.1:8")
    staging.variables.create(name="TOKEN", value="t")
    typed = GOOD | {"body": "{{ TOKEN }}"}
    assert "production" in errors(client.post(NEW, typed))["body"][0]
    assert client.post(NEW, typed | {"environments": [staging.pk]}).status_code == 302
    assert Probe.objects.get().environment == staging


def test_a_name_that_is_taken_or_was_removed_is_refused(client: Client, path: CriticalPath) -> None:
    assert "has this name" in errors(client.post(NEW, GOOD))["slug"][0]
    CriticalPath.objects.update(removed_at="2026-11-01T00:00Z")
    assert "was removed and still has this name" in errors(client.post(NEW, GOOD))["slug"][0]


def test_the_name_in_addresses_stays(client: Client, path: CriticalPath) -> None:
    shown = client.get(EDIT).context["form"]["shown"].value()
    client.post(EDIT, GOOD | {"slug": "other", "name": "Another", "shown": shown})
    path.refresh_from_db()
    assert (path.slug, path.name) == ("price-a-crossing", "Another")


def test_two_people_editing_see_both_versions_and_nothing_is_lost(
    client: Client, path: CriticalPath
) -> None:
    shown = client.get(EDIT).context["form"]["shown"].value()
    CriticalPath.objects.update(route="/theirs", interval=60 * SECOND)
    typed = GOOD | {"method": "GET", "headers": "", "query": "", "body": "", "route": "/mine"}
    page = client.post(EDIT, typed | {"shown": shown})
    assert page.status_code == 422
    rows = {row.label: (row.theirs, row.yours) for row in page.context["form"].differences}
    assert rows["Route"] == ("/theirs", "/mine")
    assert rows["Ask every"] == ("1 m", "30 s")
    assert "/theirs" in page.text
    path.refresh_from_db()
    assert path.route == "/theirs"
    again = page.context["form"]["shown"].value()
    assert client.post(EDIT, typed | {"shown": again}).status_code == 302
    path.refresh_from_db()
    assert path.route == "/mine"


def test_asking_now_shows_reply_and_clauses_and_saves_nothing(
    client: Client, machine: FarSide
) -> None:
    page = client.post(NEW, GOOD | {"act": "ask", "expected_result": "status == 200\nsize < 1 kB"})
    assert page.status_code == 200
    request = machine.requests[0]
    assert (request.method, request.path) == ("POST", "/price?from=SK1")
    assert request.header("Accept") == "application/json"
    assert request.body == b'{"to": "SK2"}'
    lines = [(line.text, line.state, line.got) for line in page.context["asked"].clauses]
    assert lines == [("status == 200", "failing", "201"), ("size < 1 kB", "passing", "13 B")]
    assert "Answered 201 in" in page.text
    assert "{&quot;price&quot;: 12}" in page.text
    assert not CriticalPath.objects.exists()


def test_asking_now_uses_the_form_and_not_what_is_stored(
    client: Client, machine: FarSide, path: CriticalPath
) -> None:
    client.post(EDIT, GOOD | {"act": "ask", "route": "/typed"})
    assert machine.requests[0].path == "/typed?from=SK1"
    path.refresh_from_db()
    assert path.route == "/price"


def test_asking_now_works_while_the_rest_is_unfinished(client: Client, machine: FarSide) -> None:
    page = client.post(NEW, GOOD | {"act": "ask", "name": ""})
    assert page.status_code == 200
    assert page.context["asked"].sentence.startswith("Answered 201")


def test_asking_now_is_refused_when_the_request_cannot_be_made(client: Client) -> None:
    page = client.post(NEW, GOOD | {"act": "ask", "route": "nonsense"})
    assert page.status_code == 422
    assert "asked" not in page.context


def test_secrets_are_masked_in_what_came_back(
    client: Client, machine: FarSide, environment: Environment
) -> None:
    variable = environment.variables.model(environment=environment, name="TOKEN", is_secret=True)
    variable.keep("sesame-42")
    variable.save()
    machine.behaviour = answer(200, ("X-Said", "sesame-42"), body=b"\x1b[2J sesame-42")
    page = client.post(NEW, GOOD | {"act": "ask", "headers": "Authorization: {{ TOKEN }}"})
    assert machine.requests[0].header("Authorization") == "sesame-42"
    assert "sesame-42" not in page.text
    assert "X-Said: [secret]" in page.text
    assert "\x1b" not in page.text


def test_without_an_environment_the_form_says_so(client_of: SignIn, service: Service) -> None:
    page = client_of("editor").post(NEW, GOOD)
    assert "runs nowhere yet" in errors(page)["__all__"][0]


def test_a_removed_path_cannot_be_edited(client: Client, path: CriticalPath) -> None:
    CriticalPath.objects.update(removed_at="2026-11-01T00:00Z")
    assert client.get(EDIT).status_code == 404


TYPED = st.text(st.characters(codec="utf-8"), max_size=60)
ODD = st.sampled_from(
    ["{{ A }}", "/{{", "http://[", "Host: a", "=", "1e9", "p95", "\x00", "\u202e", "\uff11 s"]
)
SAFE = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(fields=st.dictionaries(st.sampled_from(sorted(GOOD)), st.one_of(TYPED, ODD), max_size=4))
def test_whatever_is_typed_is_saved_or_told(client: Client, fields: dict[str, str]) -> None:
    CriticalPath.objects.all().delete()
    page = client.post(NEW, GOOD | fields)
    assert page.status_code in (302, 422)
    assert page.status_code == 302 or all(errors(page).values())
    assert CriticalPath.objects.exists() == (page.status_code == 302)
