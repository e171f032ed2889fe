"""Paths of every kind in board files: read, refused with their place, planned and written back."""

import jsonschema
import pytest
import yaml

from opsboard.board.describing import schema
from opsboard.services.models import SECOND, CriticalPath
from tests.board.files import apply_text, errors_of, run
from tests.board.test_errors import HEAD, with_path

pytestmark = pytest.mark.django_db

EVERY_KIND = """\
teams: {pricing: {}}
services:
  fares-api:
    owner: pricing
    environments:
      production:
        base_url: "https://fares.internal"
        variables: {TOKEN: "${FARES_TOKEN}", USER: prober, CA: x, KEY: "${FARES_KEY}"}
    paths:
      book:
        steps:
          - name: Ask for a quote
            route: POST /v2/quotes
            input: {json: {from: LEI, to: STN}, headers: {Authorization: "Bearer {{ TOKEN }}"}}
            expect: ["status == 201", "time < 400 ms"]
            take: {quote: json $.id, place: header Location}
          - name: Book it
            route: POST /v2/bookings
            input: {form: {quote: "{{ quote }}", seats: "2"}}
            take: {booking: json $.id}
          - {name: Look at the quote, route: "{{ place }}?full=1"}
          - {name: Cancel, route: "DELETE /v2/bookings/{{ booking }}", always: true}
        expect: ["time < 2 s", "errors < 1 % over 15 m"]
        patience_to_recover: 4
      cold:
        route: GET /price
        cache_mode: cold query
        locations: [default]
      options:
        route: POST /session
        input: {form: {user: x}}
        connection:
          http: "1.1"
          ip: 4
          redirects: 0
          server_name: fares.example
          host: fares.example:8443
          authority: "{{ CA }}"
          certificate: "{{ CA }}"
          key: "{{ KEY }}"
          basic: {user: "{{ USER }}", password: "{{ TOKEN }}"}
          proxy: http://127.0.0.1:3128
          compressed: true
          max_body: 4 MB
      database: {kind: tcp, route: "db.internal:5432", input: {body: "\\n"}, expect: [time < 1 s]}
      certificate: {kind: tls, route: ":443", expect: ["warn certificate.days > 21"]}
      name: {kind: dns, route: fares.example AAAA @10.0.0.53}
      nightly: {kind: heartbeat, heartbeat: {cron: 0 2 * * *, zone: Europe/Oslo, longest: 1 h}}
      hourly: {kind: heartbeat, heartbeat: {every: 1 h, grace: 10 m}}
"""


def stored(slug: str) -> CriticalPath:
    return CriticalPath.objects.get(slug=slug)


def test_each_is_stored_as_the_engine_reads_it(tmp_path):
    ran = apply_text(tmp_path, EVERY_KIND)
    assert (ran.code, ran.err) == (0, "")
    book = stored("book")
    assert (book.kind, book.route, book.patience_to_recover) == ("http", "", 4)
    assert book.expected_result == "time < 2 s\nerrors < 1 % over 15 m"
    assert book.steps == [
        {
            "name": "Ask for a quote",
            "method": "POST",
            "route": "/v2/quotes",
            "headers": [["Authorization", "Bearer {{ TOKEN }}"]],
            "body": '{"from": "LEI", "to": "STN"}',
            "expect": ["status == 201", "time < 400 ms"],
            "take": {"place": "header Location", "quote": "json $.id"},
        },
        {
            "name": "Book it",
            "method": "POST",
            "route": "/v2/bookings",
            "form": [["quote", "{{ quote }}"], ["seats", "2"]],
            "take": {"booking": "json $.id"},
        },
        {"name": "Look at the quote", "route": "{{ place }}?full=1"},
        {
            "name": "Cancel",
            "method": "DELETE",
            "route": "/v2/bookings/{{ booking }}",
            "always": True,
        },
    ]
    assert (stored("cold").cache_mode, stored("cold").locations) == ("cold query", ["default"])
    assert stored("options").connection == {
        "http": "1.1",
        "ip": 4,
        "redirects": 0,
        "server_name": "fares.example",
        "host": "fares.example:8443",
        "authority": "{{ CA }}",
        "certificate": "{{ CA }}",
        "key": "{{ KEY }}",
        "basic": {"user": "{{ USER }}", "password": "{{ TOKEN }}"},
        "proxy": "http://127.0.0.1:3128",
        "compressed": True,
        "max_body": 4_000_000,
        "form": [["user", "x"]],
    }
    database = stored("database")
    assert (database.kind, database.method, database.route) == ("tcp", "GET", "db.internal:5432")
    assert database.body == "\n"
    assert (stored("certificate").kind, stored("certificate").route) == ("tls", ":443")
    assert stored("name").route == "fares.example AAAA @10.0.0.53"
    minute = 60 * SECOND
    assert stored("nightly").heartbeat == {
        "cron": "0 2 * * *",
        "zone": "Europe/Oslo",
        "grace": 5 * minute,
        "longest": 60 * minute,
    }
    assert stored("hourly").heartbeat == {"every": 60 * minute, "grace": 10 * minute}


def test_an_export_gives_the_same_board_to_the_byte(tmp_path):
    apply_text(tmp_path, EVERY_KIND)
    exported = run("export").out
    again = apply_text(tmp_path, exported)
    assert (again.code, again.err) == (0, "")
    assert "to change" not in again.out
    assert run("export").out == exported
    jsonschema.validate(yaml.safe_load(exported), schema())
    jsonschema.validate(yaml.safe_load(EVERY_KIND), schema())


def test_what_a_file_of_before_does_not_say_stays_as_usual(tmp_path):
    apply_text(tmp_path, with_path("route: GET /"))
    path = stored("price")
    assert (path.kind, path.cache_mode, path.connection, path.steps) == ("http", "as is", {}, [])
    assert (path.heartbeat, path.locations, path.patience_to_recover) == ({}, [], None)
    said = "kind:", "connection:", "cache_mode:", "steps:", "heartbeat:", "locations:", "recover"
    assert not any(word in run("export").out for word in said)


def test_a_plan_tells_what_changes_of_steps_and_of_a_connection(tmp_path):
    apply_text(tmp_path, EVERY_KIND)
    changed = EVERY_KIND.replace('"status == 201"', '"status == 200"').replace("ip: 4", "ip: 6")
    changed = changed.replace("cache_mode: cold query", "cache_mode: warm")
    out = apply_text(tmp_path, changed, "--dry-run").out
    assert "-    expect status == 201" in out
    assert "+    expect status == 200" in out
    assert "- ip version: 4" in out
    assert "+ ip version: 6" in out
    assert "cache mode: cold query → warm" in out


def test_a_path_that_becomes_another_kind_keeps_nothing_of_the_first(tmp_path):
    apply_text(tmp_path, with_path("route: POST /", "input: {body: x}"))
    apply_text(tmp_path, with_path("kind: tls", 'route: ":443"'))
    path = stored("price")
    assert (path.kind, path.method, path.route, path.body) == ("tls", "GET", ":443", "")


STEP = "- {name: One, route: GET /"
WRONG = {
    "a kind": (
        with_path("kind: htp", "route: GET /"),
        "8:15: Write one of http, tcp, tls, dns, heartbeat.",
    ),
    "an unknown key of a connection": (
        with_path("route: GET /", "connection: {prxy: x}"),
        "9:22: Unknown key `prxy` of connection; did you mean `proxy`?",
    ),
    "a version of HTTP": (
        with_path("route: GET /", "connection: {http: 3}"),
        "9:28: Write one of 1.1, 2.",
    ),
    "a size": (
        with_path("route: GET /", "connection: {max_body: 4 MiB}"),
        "9:32: Unknown unit `MiB`; did you mean `MB`?",
    ),
    "a size that is too large": (
        with_path("route: GET /", "connection: {max_body: 17 MB}"),
        "9:32: This may be from 1 B to 16.777216 MB.",
    ),
    "a password in the open": (
        with_path("route: GET /", "connection: {basic: {user: a, password: geheim}}"),
        "9:49: A sheet is read by everybody: make this a secret variable",
    ),
    "a password of the one who applies": (
        with_path("route: GET /", 'connection: {bearer: "${TOKEN}"}'),
        "9:30: ${NAME} is allowed in variables only",
    ),
    "a proxy that is refused": (
        with_path("route: GET /", "connection: {proxy: http://169.254.169.254:80}"),
        "9:29: In production: 169.254.169.254 is",
    ),
    "a TCP address that is refused": (
        with_path("kind: tcp", "route: 169.254.169.254:80"),
        "9:16: In production: 169.254.169.254 is",
    ),
    "a name server that is refused": (
        with_path("kind: dns", 'route: "a.test A @169.254.169.254"'),
        "9:16: In production: 169.254.169.254 is",
    ),
    "a step that is refused": (
        with_path("steps:", STEP + "}", "- {name: Two, route: GET http://169.254.169.254/}"),
        "10:30: In production: 169.254.169.254 is",
    ),
    "form and body": (
        with_path("route: GET /", "input: {body: x, form: {a: b}}"),
        "9:32: Write a form or a body, not both.",
    ),
    "an unknown key of a step": (
        with_path("steps:", STEP + ", expct: []}"),
        "9:37: Unknown key `expct` of step of a path; did you mean `expect`?",
    ),
    "a step without a name": (
        with_path("steps:", "- {route: GET /}"),
        "9:11: Step of a path needs name: What is done here.",
    ),
    "a method of a step": (
        with_path("steps:", "- {name: One, route: GETT /}"),
        "9:30: Write a method and a route",
    ),
    "a route of a step": (
        with_path("steps:", "- {name: One, route: GET quotes}"),
        "9:30: Begin with /",
    ),
    "a clause of a step": (
        with_path("steps:", STEP + ', expect: [status == 200, "tme < 1 s"]}'),
        "9:62: Unknown fact `tme`; did you mean `time`?",
    ),
    "a window in a step": (
        with_path("steps:", STEP + ', expect: ["errors < 1 % over 15 m"]}'),
        "9:46: `errors < 1 % over 15 m` is about many observations",
    ),
    "a clause about one reply beside steps": (
        with_path("steps: [{name: One, route: GET /}]", 'expect: ["status == 200"]'),
        "9:18: `status == 200` is about one reply: move it to the step",
    ),
    "a route beside steps": (
        with_path("steps: [{name: One, route: GET /}]", "route: GET /x"),
        "9:16: This path has steps, and each has its own route",
    ),
    "a name that is taken with capitals": (
        with_path("steps:", STEP + ", take: {Token: json $.a}}"),
        "9:44: Name what is taken with small letters",
    ),
    "a place that nothing is taken from": (
        with_path("steps:", STEP + ", take: {token: jsn $.a}}"),
        "9:51: Nothing is taken from `jsn`; did you mean `json`?",
    ),
    "a value that is used before it is taken": (
        with_path(
            *("steps:", "- {name: One, route: 'GET /{{ token }}'}"),
            "- {name: Two, route: GET /, take: {token: json $.a}}",
        ),
        "9:30: {{ token }} is taken only by step 2",
    ),
    "a value that nobody takes": (
        with_path(
            *("steps:", "- {name: One, route: GET /, take: {token: json $.a}}"),
            '- {name: Two, route: GET /, input: {body: "{{ tokn }}"}}',
        ),
        "10:51: No step before this takes {{ tokn }}; did you mean `token`?",
    ),
    "a name that stands twice": (
        with_path("steps:", STEP + "}", STEP + "}"),
        "10:18: Step 1 is called One too",
    ),
    "twenty-one steps": (
        with_path("steps:", *(f"- {{name: S{number}, route: GET /}}" for number in range(21))),
        "29:11: At most 20 go here",
    ),
    "a route of TCP": (
        with_path("kind: tcp", "route: db.internal"),
        "9:16: Write a host and a port",
    ),
    "a route of DNS": (
        with_path("kind: dns", "route: fares.example AAA"),
        "9:16: Unknown record `AAA`; did you mean `AAAA`?",
    ),
    "a TLS path without a route": (with_path("kind: tls"), "7:7: Path needs route:"),
    "headers of a DNS path": (
        with_path("kind: dns", "route: a.test", "input: {headers: {A: b}}"),
        "10:26: A DNS path sends no headers: take them out.",
    ),
    "a status of a TCP path": (
        with_path("kind: tcp", 'route: ":1"', 'expect: ["status == 200"]'),
        "10:18: A TCP path has no status; it has",
    ),
    "steps of a TLS path": (
        with_path("kind: tls", 'route: ":1"', "steps: [{name: One, route: GET /}]"),
        "10:16: A TLS path has no steps",
    ),
    "a proxy of a TLS path": (
        with_path("kind: tls", 'route: ":1"', "connection: {proxy: http://a.test:1}"),
        "10:29: A path of the kind tls has no proxy",
    ),
    "a heartbeat that is asked": (
        with_path("kind: heartbeat", "route: GET /", "heartbeat: {every: 1 h}"),
        "9:16: A heartbeat is asked nothing",
    ),
    "a heartbeat that never comes": (
        with_path("kind: heartbeat", "heartbeat: {grace: 1 m}"),
        "9:20: Say when the job reports in",
    ),
    "a cron expression": (
        with_path("kind: heartbeat", 'heartbeat: {cron: "0 26 * * *"}'),
        "9:30: The hour of this cron expression cannot be read.",
    ),
    "a zone of a heartbeat": (
        with_path("kind: heartbeat", "heartbeat: {cron: 0 2 * * *, zone: Oslo}"),
        "9:44: Write the zone as the IANA names it",
    ),
    "a cache mode": (
        with_path("route: GET /", "cache_mode: hot"),
        "9:21: Write one of as is, warm, cold query, cold header.",
    ),
    "a cache mode that would do something twice": (
        with_path("route: POST /", "cache_mode: warm"),
        "9:21: Warm asks twice, and what POST does may not be done twice",
    ),
    "a location": (
        with_path("route: GET /", "locations: [olso]"),
        "9:21: Unknown location olso; known are default.",
    ),
    "patience to recover": (
        with_path("route: GET /", "patience_to_recover: 0"),
        "9:30: Write a whole number from 1 to 10.",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_told_with_its_place(name, tmp_path):
    text, sentence = WRONG[name]
    errors = errors_of(tmp_path, text)
    assert len(errors) == 1, errors
    assert errors[0].startswith(sentence), errors[0]


def test_other_kinds_ask_the_ports_of_their_own_protocols(tmp_path):
    (error,) = errors_of(tmp_path, with_path("route: GET http://10.0.0.9:25/"))
    assert error.startswith("8:16: In production:")
    assert apply_text(tmp_path, with_path("kind: tcp", "route: mail.internal:25")).code == 0
    for route in ("mail.internal:25", ":22"):
        assert apply_text(tmp_path, with_path("kind: tcp", f'route: "{route}"')).code == 0


def test_a_location_of_this_board_is_known(tmp_path, settings):
    settings.LOCATIONS = ["oslo", "bergen"]
    (error,) = errors_of(tmp_path, with_path("route: GET /", "locations: [olso]"))
    assert error == "9:21: Unknown location olso; did you mean `oslo`?"
    assert apply_text(tmp_path, with_path("route: GET /", "locations: [bergen, oslo]")).code == 0


def test_variables_of_steps_and_of_a_connection_that_are_not_set_are_told(tmp_path):
    text = with_path(
        *("steps: [{name: One, route: 'GET /{{ A }}'}]", "connection: {bearer: '{{ B }}'}")
    )
    out = apply_text(tmp_path, text).out
    assert "{{ A }} is not set in production" in out
    assert "{{ B }} is not set in production" in out
    assert HEAD in text
