"""The form of a sheet for each kind of path, with its steps, its connection and its places."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from opsboard.board.reading import read_board
from opsboard.board.sources import decode
from opsboard.people.models import AuditEntry
from opsboard.services.models import SECOND, CriticalPath, Environment, Service
from tests.board.files import run
from tests.far_side import FarSide, answer
from tests.web.test_path_form import EDIT, GOOD, NEW, ODD, SAFE, TYPED, errors

SignIn = Callable[[Any], Client]
COMMON = {
    name: GOOD[name]
    for name in ("name", "slug", "owner", "user_notices", "slow_query_or_command", "patience")
}
TIMES = {"interval": "30 s", "timeout": "10 s"}
STEPS = {
    "step-TOTAL_FORMS": "3",
    "step-INITIAL_FORMS": "0",
    "step-0-name": "Ask for a quote",
    "step-0-method": "POST",
    "step-0-route": "/quotes",
    "step-0-body": '{"to": "SK2"}',
    "step-0-expect": "status == 201",
    "step-0-take": "quote = json $.id\nplace = header Location",
    "step-1-name": "Book it",
    "step-1-method": "POST",
    "step-1-route": "/bookings/{{ quote }}",
    "step-1-form_fields": "seats=2",
    "step-2-name": "Cancel",
    "step-2-method": "DELETE",
    "step-2-route": "/bookings/{{ quote }}",
    "step-2-always": "on",
}
BOOK = COMMON | TIMES | STEPS | {"kind": "http", "expected_result": "time < 2 s"}


@pytest.fixture
def client(client_of: SignIn, environment: Environment) -> Client:
    return client_of("editor")


@pytest.fixture
def machine(environment: Environment) -> Iterator[FarSide]:
    with FarSide(answer(201, ("Location", "/q-7"), body=b'{"id": "q-7"}')) as machine:
        Environment.objects.update(base_url=machine.url(""))
        yield machine


def in_steps(page: Any) -> dict[str, str]:
    rows = page.context["form"].rows
    return {
        f"{number}.{field}": " ".join(said)
        for number, row in enumerate(rows.forms)
        for field, said in row.errors.items()
    }


def names_on(page: Any) -> set[str]:
    """The inputs that a person sees."""
    inputs = re.findall(r"<(?:input|textarea|select)[^>]*>", page.text)
    seen = [one for one in inputs if 'type="hidden"' not in one]
    return {found[1] for one in seen if (found := re.search(r'name="([^"]+)"', one))}


KINDS: dict[str, dict[str, Any]] = {
    "tcp": TIMES
    | {"route": "db.internal:5432", "body": "PING", "ip_version": "4"}
    | {"expected_result": 'body contains "PONG"'},
    "tls": TIMES
    | {"route": ":443", "server_name": "fares.example"}
    | {"expected_result": "certificate.days > 21"},
    "dns": TIMES | {"route": "fares.example AAAA @10.0.0.53", "expected_result": "time < 50 ms"},
    "heartbeat": {"cron": "0 2 * * *", "zone": "Europe/Oslo", "grace": "10 m", "longest": "1 h"}
    | {"expected_result": "exit in 0, 3"},
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_saved_and_shown_as_it_was_typed(client: Client, kind: str) -> None:
    typed = COMMON | {"kind": kind} | KINDS[kind]
    assert client.post(NEW, typed).status_code == 302
    path = CriticalPath.objects.get()
    assert (path.kind, path.expected_result) == (kind, typed["expected_result"])
    form = client.get(EDIT).context["form"]
    shown = {name: form[name].value() for name in typed if name in form.fields}
    prepared = {name: form.fields[name].prepare_value(value) for name, value in shown.items()}
    same = {name: value for name, value in typed.items() if name not in ("slug", "owner")}
    assert {name: str(prepared[name]) for name in same} == same


def test_what_a_kind_is_stored_as_is_what_the_engine_reads(client: Client) -> None:
    client.post(NEW, COMMON | {"kind": "heartbeat"} | KINDS["heartbeat"])
    minute = 60 * SECOND
    assert CriticalPath.objects.get().heartbeat == {
        "cron": "0 2 * * *",
        "zone": "Europe/Oslo",
        "grace": 10 * minute,
        "longest": 60 * minute,
    }


def test_a_kind_shows_its_own_fields_only(client: Client) -> None:
    assert {"method", "query", "bearer", "cache_mode"} <= names_on(client.get(NEW))
    tcp = names_on(client.get(f"{NEW}?kind=tcp"))
    assert {"route", "body", "ip_version"} <= tcp
    assert not tcp & {"method", "query", "headers", "bearer", "cache_mode", "every"}
    dns = names_on(client.get(f"{NEW}?kind=dns"))
    assert "route" in dns
    assert not dns & {"body", "ip_version"}
    heartbeat = names_on(client.get(f"{NEW}?kind=heartbeat"))
    assert {"every", "cron", "zone", "grace", "longest"} <= heartbeat
    assert not heartbeat & {"route", "interval", "timeout"}


def test_changing_the_kind_keeps_what_was_typed(client: Client) -> None:
    page = client.post(NEW, GOOD | {"name": "", "act": "kind-tcp"})
    assert page.status_code == 200
    form = page.context["form"]
    assert form.kind_now == "tcp"
    assert form["route"].value() == "/price"
    assert ("headers", "Accept: application/json") in form.kept
    assert 'name="headers" value="Accept: application/json"' in page.text
    assert not CriticalPath.objects.exists()
    back = client.post(NEW, GOOD | {"kind": "tcp", "act": "kind-http"}).context["form"]
    assert back["headers"].value() == "Accept: application/json"


def test_each_kind_begins_with_what_is_usual_for_it(client: Client) -> None:
    def begins_with(page: Any) -> str:
        return page.context["form"]["expected_result"].value()

    assert begins_with(client.get(NEW)) == "status == 200"
    assert begins_with(client.get(f"{NEW}?kind=tls")) == "certificate.days > 14"
    untouched = COMMON | TIMES | {"kind": "http", "expected_result": "status == 200"}
    assert begins_with(client.post(NEW, untouched | {"act": "kind-tls"})) == "certificate.days > 14"
    typed = untouched | {"expected_result": "time < 1 s", "act": "kind-tls"}
    assert begins_with(client.post(NEW, typed)) == "time < 1 s"


def test_what_was_typed_for_another_kind_is_not_saved(client: Client) -> None:
    typed = GOOD | {"kind": "dns", "route": "fares.example", "expected_result": "time < 1 s"}
    assert client.post(NEW, typed | {"headers": "not a header"}).status_code == 302
    path = CriticalPath.objects.get()
    assert (path.kind, path.method, path.headers, path.query, path.body) == (
        "dns",
        "GET",
        [],
        [],
        "",
    )


@pytest.mark.parametrize(
    ("kind", "change", "field", "says"),
    [
        ("ftp", {}, "kind", "Unknown kind `ftp`"),
        ("tcp", {"route": "db.internal"}, "route", "Write a host and a port"),
        ("tcp", {"route": ""}, "route", "Fill this in."),
        ("tcp", {"route": "169.254.169.254:80"}, "route", "In production: 169.254.169.254"),
        ("tcp", {"expected_result": "status == 200"}, "expected_result", "has no status"),
        ("tls", {"server_name": "a:1"}, "server_name", "without port"),
        ("tls", {"certificate": "x"}, "certificate", "in PEM"),
        ("dns", {"route": "fares.example AAA"}, "route", "did you mean `AAAA`?"),
        ("dns", {"route": "a.test A @169.254.169.254"}, "route", "In production: 169.254"),
        ("heartbeat", {"cron": "0 26 * * *"}, "cron", "The hour of this cron expression"),
        ("heartbeat", {"cron": ""}, "zone", "goes with cron only"),
        ("heartbeat", {"cron": "", "zone": ""}, "every", "Say when the job reports in"),
        ("heartbeat", {"every": "1 h"}, "cron", "every or cron"),
        ("heartbeat", {"zone": "Oslo"}, "zone", "Europe/Oslo"),
        ("heartbeat", {"grace": "0 s"}, "grace", "from 1 s to 31 d"),
        ("heartbeat", {"expected_result": "status == 200"}, "expected_result", "has no status"),
    ],
)
def test_a_mistake_is_told_beside_its_field(
    client: Client, kind: str, change: dict[str, str], field: str, says: str
) -> None:
    page = client.post(NEW, COMMON | {"kind": kind} | KINDS.get(kind, KINDS["tcp"]) | change)
    assert page.status_code == 422
    assert says in " ".join(errors(page)[field])
    assert not CriticalPath.objects.exists()


CONNECTION = {
    "http_version": "1.1",
    "ip_version": "6",
    "redirects": "0",
    "host_header": "fares.example",
    "server_name": "fares.example",
    "authority": "{{ CA }}",
    "certificate": "{{ CA }}",
    "certificate_key": "{{ CA }}",
    "basic_user": "prober",
    "basic_password": "{{ CA }}",
    "proxy": "http://127.0.0.1:3128",
    "max_body": "4 MB",
    "compressed": "on",
    "cache_mode": "cold query",
    "patience_to_recover": "5",
    "body": "",
    "form_fields": "a=b\na=c",
}


def test_a_connection_is_stored_as_the_engine_reads_it(
    client: Client, environment: Environment
) -> None:
    environment.variables.create(name="CA", value="x")
    assert client.post(NEW, GOOD | CONNECTION).status_code == 302
    path = CriticalPath.objects.get()
    assert path.connection == {
        "http": "1.1",
        "ip": 6,
        "redirects": 0,
        "host": "fares.example",
        "server_name": "fares.example",
        "authority": "{{ CA }}",
        "certificate": "{{ CA }}",
        "key": "{{ CA }}",
        "basic": {"user": "prober", "password": "{{ CA }}"},
        "proxy": "http://127.0.0.1:3128",
        "max_body": 4_000_000,
        "compressed": True,
        "form": [["a", "b"], ["a", "c"]],
    }
    assert (path.cache_mode, path.patience_to_recover) == ("cold query", 5)
    shown = client.get(EDIT).text
    assert 'value="http://127.0.0.1:3128"' in shown
    assert 'value="4 MB"' in shown
    assert "<details open><summary>Connection" in shown


def test_nothing_is_stored_of_a_connection_as_usual(client: Client) -> None:
    client.post(NEW, GOOD)
    path = CriticalPath.objects.get()
    assert (path.connection, path.steps, path.heartbeat) == ({}, [], {})
    assert (path.cache_mode, path.patience_to_recover, path.locations) == ("as is", None, [])


@pytest.mark.parametrize(
    ("change", "field", "says"),
    [
        ({"http_version": "3"}, "http_version", "valid choice"),
        ({"redirects": "21"}, "redirects", "from 0 to 20"),
        ({"redirects": "3", "follows_redirects": ""}, "redirects", "follows no redirects"),
        ({"max_body": "17 MB"}, "max_body", "16.777216 MB"),
        ({"max_body": "4"}, "max_body", "needs a unit"),
        ({"basic_user": "a", "basic_password": "geheim"}, "basic_password", "secret variable"),
        ({"basic_password": "{{ CA }}"}, "basic_user", "This is empty"),
        ({"bearer": "geheim"}, "bearer", "secret variable"),
        ({"bearer": "{{ NONE }}"}, "bearer", "{{ NONE }} is not set in production"),
        ({"proxy": "socks5://a"}, "proxy", "in plain HTTP"),
        ({"proxy": "http://169.254.169.254:80"}, "proxy", "In production: 169.254.169.254"),
        ({"form_fields": "a=b"}, "form_fields", "a body or a form"),
        ({"cache_mode": "hot"}, "cache_mode", "valid choice"),
        ({"patience_to_recover": "0"}, "patience_to_recover", "from 1 to 10"),
    ],
)
def test_a_mistake_in_a_connection_is_told_beside_its_field(
    client: Client, environment: Environment, change: dict[str, str], field: str, says: str
) -> None:
    environment.variables.create(name="CA", value="x")
    page = client.post(NEW, GOOD | change)
    assert page.status_code == 422
    assert says in " ".join(errors(page)[field])


def test_steps_are_stored_and_shown(client: Client) -> None:
    assert client.post(NEW, BOOK).status_code == 302
    path = CriticalPath.objects.get()
    assert (path.route, path.method, path.expected_result) == ("", "GET", "time < 2 s")
    assert path.steps == [
        {
            "name": "Ask for a quote",
            "method": "POST",
            "route": "/quotes",
            "body": '{"to": "SK2"}',
            "expect": ["status == 201"],
            "take": {"place": "header Location", "quote": "json $.id"},
        },
        {
            "name": "Book it",
            "method": "POST",
            "route": "/bookings/{{ quote }}",
            "form": [["seats", "2"]],
        },
        {"name": "Cancel", "method": "DELETE", "route": "/bookings/{{ quote }}", "always": True},
    ]
    page = client.get(EDIT)
    assert "quote = json $.id" in page.text
    assert 'value="Book it"' in page.text
    assert "method" not in page.context["form"].fields
    entry = AuditEntry.objects.latest("pk")
    assert "1. Ask for a quote: POST /quotes" in str(entry.changes)


@pytest.mark.parametrize(
    ("change", "at", "says"),
    [
        ({"step-0-name": ""}, "0.name", "Fill this in."),
        ({"step-0-route": ""}, "0.route", "Fill this in."),
        ({"step-0-route": "quotes"}, "0.route", "Begin with /"),
        ({"step-1-name": "Ask for a quote"}, "1.name", "Step 1 is called Ask for a quote too"),
        ({"step-0-method": "GETT"}, "0.method", "valid choice"),
        ({"step-0-expect": "ok\ntme < 1 s"}, "0.expect", "Line 2, column 1: Unknown fact `tme`"),
        ({"step-0-expect": "errors < 1 % over 15 m"}, "0.expect", "Line 1: `errors"),
        ({"step-0-take": "quote"}, "0.take", "Line 1: Write name = json $.path"),
        ({"step-0-take": "quote = jsn $.a"}, "0.take", "did you mean `json`?"),
        ({"step-0-take": "Quote = json $.id"}, "0.take", "small letters"),
        ({"step-0-take": ""}, "1.route", "No step before this takes {{ quote }}"),
        ({"step-0-headers": "Host: a"}, "0.headers", "Leave out Host"),
        ({"step-1-body": "x"}, "1.form_fields", "a body or a form"),
        ({"step-2-body": "{{ NONE }}"}, "2.body", "{{ NONE }} is not set in production"),
        ({"step-1-route": "http://169.254.169.254/"}, "1.route", "In production: 169.254.169.254"),
    ],
)
def test_a_mistake_in_a_step_is_told_in_its_row(
    client: Client, change: dict[str, str], at: str, says: str
) -> None:
    page = client.post(NEW, BOOK | change)
    assert page.status_code == 422
    assert says in in_steps(page)[at]
    assert "to fix first" in page.text
    assert not CriticalPath.objects.exists()


def test_a_clause_about_one_reply_belongs_into_a_step(client: Client) -> None:
    page = client.post(NEW, BOOK | {"expected_result": "time < 1 s\nstatus == 200"})
    assert errors(page)["expected_result"][0].startswith(
        "Line 2: `status == 200` is about one reply"
    )


def test_one_request_becomes_the_first_of_several_steps(client: Client) -> None:
    typed = GOOD | {"expected_result": "status == 201\nerrors < 1 % over 15 m"}
    page = client.post(NEW, typed | {"act": "add-step"})
    assert page.status_code == 200
    form = page.context["form"]
    first, second = form.rows.forms
    assert (first["method"].value(), first["route"].value()) == ("POST", "/price")
    assert first["headers"].value() == "Accept: application/json"
    assert first["expect"].value() == "status == 201"
    assert form["expected_result"].value() == "errors < 1 % over 15 m"
    assert not second["route"].value()
    assert 'class="err"' not in page.text


def test_steps_are_added_moved_and_taken_out_by_buttons_and_keep_what_was_typed(
    client: Client,
) -> None:
    def after(act: str, typed: dict[str, str]) -> list[str]:
        page = client.post(NEW, typed | {"act": act, "step-1-expect": "half a clau"})
        assert page.status_code == 200
        rows = page.context["form"].rows.forms
        assert any(row["expect"].value() == "half a clau" for row in rows) or "remove" in act
        return [row["name"].value() or "" for row in rows]

    quote, book, cancel = "Ask for a quote", "Book it", "Cancel"
    assert after("add-step", BOOK) == [quote, book, cancel, ""]
    assert after("up-step-1", BOOK) == [book, quote, cancel]
    assert after("up-step-0", BOOK) == [quote, book, cancel]
    assert after("down-step-1", BOOK) == [quote, cancel, book]
    assert after("remove-step-1", BOOK) == [quote, cancel]
    assert after("remove-step-9", BOOK) == [quote, book, cancel]
    assert not CriticalPath.objects.exists()


def test_the_last_step_taken_out_is_one_request_again(client: Client) -> None:
    one = BOOK | {"step-TOTAL_FORMS": "1", "act": "remove-step-0"}
    form = client.post(NEW, one).context["form"]
    assert not form.rows.forms
    assert (form["method"].value(), form["route"].value()) == ("POST", "/quotes")
    assert form["expected_result"].value() == "status == 201\ntime < 2 s"


def test_steps_wait_while_another_kind_is_looked_at(client: Client) -> None:
    page = client.post(NEW, BOOK | {"act": "kind-tcp"})
    assert 'name="step-0-name" value="Ask for a quote"' in page.text
    back = client.post(NEW, BOOK | {"kind": "tcp", "act": "kind-http"}).context["form"]
    assert [row["name"].value() for row in back.rows.forms] == [
        "Ask for a quote",
        "Book it",
        "Cancel",
    ]


def test_an_empty_step_is_left_out(client: Client) -> None:
    client.post(
        NEW, BOOK | {"step-TOTAL_FORMS": "5", "step-3-method": "GET", "step-4-method": "GET"}
    )
    assert len(CriticalPath.objects.get().steps) == 3


def test_more_steps_than_twenty_are_refused(client: Client) -> None:
    many = {
        f"step-{number}-{name}": value
        for number in range(21)
        for name, value in (("name", f"S{number}"), ("route", "/"))
    }
    page = client.post(NEW, COMMON | TIMES | many | {"kind": "http", "step-TOTAL_FORMS": "21"})
    assert page.status_code == 422
    assert "At most 20 steps go here" in page.text


def test_two_people_editing_steps_see_both(client: Client) -> None:
    client.post(NEW, BOOK)
    shown = client.get(EDIT).context["form"]["shown"].value()
    path = CriticalPath.objects.get()
    path.steps[0]["route"] = "/theirs"
    path.save()
    page = client.post(EDIT, BOOK | {"shown": shown})
    assert page.status_code == 422
    (both,) = [row for row in page.context["form"].differences if row.label == "Steps"]
    assert "POST /theirs" in both.theirs
    assert "POST /quotes" in both.yours


def test_steps_are_asked_now_as_they_stand_in_the_form(client: Client, machine: FarSide) -> None:
    page = client.post(NEW, BOOK | {"act": "ask", "name": ""})
    assert page.status_code == 200
    assert [(one.method, one.path) for one in machine.requests] == [
        ("POST", "/quotes"),
        ("POST", "/bookings/q-7"),
        ("DELETE", "/bookings/q-7"),
    ]
    told = [(one.name, one.words, one.status) for one in page.context["asked"].steps]
    assert page.context["asked"].sentence.startswith("All steps passed in ")
    assert told == [
        ("Ask for a quote", "Passing", "201"),
        ("Book it", "Passing", "201"),
        ("Cancel", "Passing", "201"),
    ]
    assert not CriticalPath.objects.exists()


def test_asking_now_says_which_step_broke(client: Client, machine: FarSide) -> None:
    page = client.post(NEW, BOOK | {"act": "ask", "step-1-expect": "status == 200"})
    asked = page.context["asked"]
    assert asked.sentence == "Step 2, Book it: status is 201, expected 200."
    assert [one.words for one in asked.steps] == ["Passing", "Failing", "Passing"]


def test_asking_now_tells_what_is_wrong_with_a_step(client: Client, machine: FarSide) -> None:
    page = client.post(NEW, BOOK | {"act": "ask", "step-1-route": "nonsense"})
    assert page.status_code == 422
    assert "It cannot be asked yet" in page.text
    assert not machine.requests


def test_a_path_may_be_asked_from_the_locations_of_this_board(
    client: Client, settings: Any
) -> None:
    assert "locations" not in client.get(NEW).context["form"].fields
    settings.LOCATIONS, settings.HOME_LOCATION = ["oslo", "bergen"], "oslo"
    assert 'value="bergen"' in client.get(NEW).text
    wrong = client.post(NEW, GOOD | {"locations": ["olso"]})
    assert "olso is no location of this board" in errors(wrong)["locations"][0]
    assert client.post(NEW, GOOD | {"locations": ["bergen"]}).status_code == 302
    path = CriticalPath.objects.get()
    assert path.locations == ["bergen"]
    assert [probe.location for probe in path.probes.all()] == ["bergen"]


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"kind": "tcp", "expected_result": "status == 200"}, "A TCP path has no status"),
        ({"of": "step-0-expect", "step-0-expect": "errors < 1 % over 15 m"}, "move it to"),
        ({"of": "step-0-expect", "step-0-expect": "tme < 1 s"}, "did you mean `time`?"),
        ({"step-TOTAL_FORMS": "1", "expected_result": "status == 200"}, "move it to the step"),
    ],
)
def test_clauses_are_checked_as_they_are_typed(
    client: Client, typed: dict[str, str], says: str
) -> None:
    assert says in client.post(NEW, {"act": "check", "interval": "30 s"} | typed).text


def test_an_environment_keeps_the_variables_that_steps_and_connections_need(
    client: Client, service: Service, environment: Environment
) -> None:
    environment.variables.create(name="TOKEN", value="x")
    client.post(NEW, BOOK | {"step-0-headers": "A: {{ TOKEN }}"})
    address = f"/services/{service.slug}/environments/{environment.slug}/edit"
    page = client.post(
        address,
        {
            "slug": environment.slug,
            "base_url": environment.base_url,
            "variable-TOTAL_FORMS": "0",
            "variable-INITIAL_FORMS": "0",
        },
    )
    assert page.status_code == 422
    assert "TOKEN" in page.text


ANY_FIELD = sorted({*GOOD, *BOOK, *CONNECTION, "kind", "every", "cron", "zone", "grace", "longest"})
ACTS = ["save", "ask", "add-step", "up-step-1", "remove-step-0", "kind-tcp", "kind-x", "check", "?"]
VALUES = st.one_of(
    TYPED, ODD, st.sampled_from(["tcp", "tls", "dns", "heartbeat", "0 2 * * *", "-1", "²", ":1"])
)


@SAFE
@given(
    fields=st.dictionaries(st.sampled_from(ANY_FIELD), VALUES, max_size=6),
    act=st.sampled_from(ACTS),
)
def test_whatever_is_typed_is_saved_or_told_or_shown_again(
    client: Client, fields: dict[str, str], act: str
) -> None:
    CriticalPath.objects.all().delete()
    page = client.post(NEW, BOOK | {"act": act} | fields)
    assert page.status_code in (200, 302, 422)
    is_saved = CriticalPath.objects.exists()
    assert is_saved == (page.status_code == 302)
    if page.status_code == 422:
        assert errors(page) or in_steps(page) or page.context["form"].rows.non_form_errors()
    if is_saved:
        assert client.get(f"/services/fares-api/{CriticalPath.objects.get().slug}/edit").status_code
        exported = run("export").out
        again = read_board([decode("board.yaml", exported.encode())])
        assert not again.errors


def test_a_tcp_path_is_asked_now(client: Client, machine: FarSide) -> None:
    port = machine.url("").rpartition(":")[2].strip("/")
    typed = COMMON | TIMES | {"kind": "tcp", "route": f":{port}", "expected_result": "time < 5 s"}
    page = client.post(NEW, typed | {"act": "ask"})
    assert page.status_code == 200
    (clause,) = page.context["asked"].clauses
    assert (clause.text, clause.state) == ("time < 5 s", "passing")
    assert not CriticalPath.objects.exists()
