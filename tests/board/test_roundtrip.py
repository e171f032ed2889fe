"""Property: any board that the forms can make survives export and apply."""

import json
from itertools import pairwise

import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opsboard.board import references
from opsboard.board.models import Declaration
from opsboard.board.nodes import read_nodes
from opsboard.board.path_fields import declared_of
from opsboard.board.readiness import write_config, write_gates
from opsboard.board.sheet_format import INPUT, PATH_STEP, stored_step
from opsboard.board.sources import decode
from opsboard.board.stored import read_stored
from opsboard.board.writing import Flow, yaml_of
from opsboard.people import joining
from opsboard.people.models import people as people_here
from opsboard.rollbacks.models import RollbackNote
from opsboard.services.about import check_fact, check_link
from opsboard.services.addresses import check_route, check_url
from opsboard.services.config_keys import check_rules
from opsboard.services.models import CriticalPath, Environment, Service, Team
from opsboard.services.rules import (
    METHODS,
    check_header,
    check_name,
    check_parameter,
    check_text,
)
from tests.board.files import apply_text, run
from tests.company import NOON

# Letters that a writer of YAML is most likely to stumble over come often.
nasty = st.sampled_from(
    [
        *"'\"\\:#&*!|>%@`{}[],?-=~ \t\n\u2028\u00e9\U0001f6a2$yn",
        *("${A}", "$${", "{{ TOKEN }}", "no", "null", "1:30", "017", "2024-01-01", "1e5", "<<"),
        *("---", "...", " #", ": ", "- ", "\u2029", "\ufffe", "\U0001fffe", "\u00a0", "\ufeff"),
    ]
)
texts = st.one_of(
    st.text(max_size=12),
    st.lists(st.sampled_from(["", " ", "a", " a", "\ta", "a ", "- b", "#"]), max_size=5).map(
        "\n".join
    ),
    st.lists(st.one_of(nasty, st.characters(exclude_categories=["Cs"])), max_size=8).map("".join),
)


def lines(most: int = 120):
    return texts.map(lambda text: text.replace("\n", " ").strip()).map(
        lambda text: "" if check_name(text, most) else text
    )


def names(most: int = 120):
    return lines(most).map(lambda text: text or "x: y")


def several_lines(text):
    return "" if check_text(text) else text


bodies = st.one_of(
    texts.map(several_lines),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | lines(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(lines(), inner, max_size=3),
        max_leaves=8,
    ).map(lambda value: json.dumps(value, ensure_ascii=False)),
)
paragraphs = texts.map(str.strip).map(several_lines)
slugs = st.sampled_from(["a", "no", "1", "a-b", "017", "2024-01-01", "yes", "null-x", "fares-api"])
headers = st.tuples(st.sampled_from(["A", "no", "X-Y", "a"]), lines()).map(
    lambda pair: ("A", "b") if check_header(*pair) else pair
)
parameters = st.tuples(names(), lines()).map(
    lambda pair: ("a", "b") if check_parameter(*pair) else pair
)
links = st.tuples(names(60), st.just("https://a.test/x")).map(
    lambda pair: ("Runbook", pair[1]) if check_link(*pair) else pair
)
facts = st.one_of(
    names(), st.lists(names(), max_size=3), st.dictionaries(names(60), names(), max_size=3)
)
routes = st.one_of(
    texts.map(lambda text: f"/{text.strip()}"),
    st.sampled_from(["https://b.test/{{ TOKEN }}", "/?a=${A}&b=$${"]),
).map(lambda route: "/" if check_route(route) else route)
clauses = st.sampled_from(
    [
        *("status == 200", "", "# why", "time < 800 ms", 'body contains "a: b #c"'),
        *("warn cache is hit", r"body matches /^pong\s*$/", "json $['a b'].x == null"),
        "errors < 1 % over 1 d",
    ]
)
steps = st.fixed_dictionaries(
    {"do": names(500), "run": lines(), "see": names(500), "call": lines(300)}
)
variables = st.dictionaries(
    st.sampled_from(["TOKEN", "_", "A__B", "N"]),
    st.tuples(
        texts.map(lambda text: text.replace("\n", " ")).map(
            lambda text: " a " if check_name(text, 8_000) else text
        ),
        st.booleans(),
    ),
    max_size=3,
)


config_names = st.sampled_from(["DEBUG", "no", "ON", "a.b", "A-B", "_", "null", "Y"])
config_rules = st.fixed_dictionaries(
    {
        "is": st.sampled_from(["set", "set", "absent"]),
        "across": st.sampled_from(["", "equal", "differ"]),
        "equals": lines(60),
        "matches": st.sampled_from(["", "^a: #b$", "[0-9]", "(?i)no"]),
    }
)
choices = st.fixed_dictionaries(
    {
        "need": st.sampled_from(["required", "advisory", "dropped"]),
        "words": names(60),
        "lasts": st.none() | st.integers(1, 31_536_000),
    }
)


def fitting(keys):
    """Those that the form lets pass."""
    return {name: rules for name, rules in keys.items() if not check_rules(name, rules)}


@given(value=texts.map(several_lines), key=names(60))
@settings(max_examples=500, deadline=None)
def test_any_text_is_read_as_it_was_written(value, key):
    written = yaml_of({key: value, "list": [value, {key: value}], "flow": Flow([key])})
    errors = []
    root = read_nodes(decode("board.yaml", written.encode()), errors)
    assert errors == []
    assert root.values[key].text == value
    assert [root.values[key].tag, root.values["flow"].items[0].tag] == ["str", "str"]
    first, second = root.values["list"].items
    assert (first.text, second.values[key].text) == (value, value)
    assert root.values["flow"].items[0].text == key


@given(body=bodies)
@settings(max_examples=500, deadline=None)
def test_any_body_is_sent_as_it_was_written(body):
    step = {"name": "One", "route": "/"} | ({"body": body} if body else {})
    fields = {"headers": [], "query": [], "body": body, "connection": {}, "steps": [step]}
    declared = declared_of(fields)
    written = yaml_of({"input": INPUT.write(declared["input"] or {"body": ""})})
    written += yaml_of({"step": PATH_STEP.write(declared["steps"][0])})
    errors = []
    root = read_nodes(decode("board.yaml", written.encode()), errors)
    read = INPUT.read(root.values["input"], errors)
    again = stored_step(PATH_STEP.read(root.values["step"], errors))
    assert errors == []
    assert (read["json"] or read["body"]) == body
    assert again == step


@given(value=texts)
@settings(max_examples=300, deadline=None)
def test_the_letters_of_a_reference_are_not_one(value):
    escaped = references.escape(value)
    assert references.names_of(escaped) == []
    assert references.plain(escaped) == value
    assert references.resolve(escaped, {}) == value


@st.composite
def boards(draw):
    """Rows as the forms store them."""
    team = Team.objects.create(
        slug=draw(slugs), name=draw(names()), contact=draw(lines(200)), zone="Asia/Tokyo"
    )
    members = people_here().filter(username__in=draw(st.sets(st.sampled_from(["Ana", "Ben"]))))
    team.members.set(members)
    own = draw(st.dictionaries(slugs, choices, max_size=2))
    write_gates([(team, own | {"lint": {"need": "dropped", "words": "", "lasts": None}})])
    services = [
        draw_service(draw, slug, team) for slug in draw(st.sets(slugs, min_size=1, max_size=3))
    ]
    for before, after in pairwise(services):
        after.depends_on.set([before])


def draw_service(draw, slug, team):
    service = Service.objects.create(
        slug=slug,
        name=draw(names()),
        summary=draw(lines(300)),
        team=team,
        tier=draw(st.integers(1, 3)),
        links=[{"name": n, "url": u} for n, u in draw(st.lists(links, max_size=3))],
        tags=draw(st.lists(st.sampled_from(["no", "booking", "a.b", "1"]), unique=True)),
        facts={
            name: fact
            for name, fact in draw(st.dictionaries(names(60), facts, max_size=3)).items()
            if not check_fact(name, fact)
        },
    )
    keys = draw(st.dictionaries(config_names, config_rules, max_size=3))
    write_config([(service, fitting(keys))])
    write_gates([(service, draw(st.dictionaries(slugs, choices, max_size=2)))])
    environments = [draw_environment(draw, service, slug) for slug in ("production", "no")]
    for slug in draw(st.sets(slugs, min_size=1, max_size=2)):
        draw_path(draw, service, slug, environments)
    if draw(st.booleans()):
        draw_note(draw, service, None)
    return service


def draw_environment(draw, service, slug):
    version = draw(
        st.sampled_from(
            [
                ("", "", ""),
                ("GET /version", "json $['a b']", ""),
                ("GET /version", "json $.commit", "json $['no']"),
            ]
        )
    )
    environment = Environment.objects.create(
        service=service,
        slug=slug,
        base_url=draw(st.sampled_from(["https://a.test", "http://127.0.0.1:9/x"])),
        version_route=version[0],
        version_commit=version[1],
        version_config_root=version[2],
    )
    for name, (value, is_secret) in draw(variables).items():
        if value or not is_secret:
            variable = environment.variables.model(
                environment=environment, name=name, is_secret=is_secret
            )
            variable.keep(value)
            variable.save()
    return environment


def askable(route, environments):
    """The forms refuse a whole address that a variable makes one that cannot be asked."""
    if "{{ TOKEN }}" not in route:
        return route
    tokens = [env.values().get("TOKEN", "") for env in environments]
    filled = [route.replace("{{ TOKEN }}", token) for token in tokens]
    return "/" if any(check_url(url) for url in filled) else route


path_steps = st.lists(
    st.fixed_dictionaries(
        {"name": names(60), "route": st.just("/a?b=${A}"), "expect": st.just(["status == 200"])},
        optional={
            "method": st.sampled_from(METHODS[1:]),
            "headers": st.lists(headers.map(list), min_size=1, max_size=2),
            "query": st.lists(parameters.map(list), min_size=1, max_size=2),
            "body": bodies.filter(bool),
            "always": st.just(True),
            "take": st.just({"token": "json $['a b']", "no": "header Location"}),
        },
    ),
    min_size=1,
    max_size=1,
)
ways_to_ask = st.one_of(
    st.just({}),
    st.fixed_dictionaries(
        {
            "connection": st.sampled_from(
                [
                    {"redirects": 0, "http": "2", "ip": 6, "compressed": True, "max_body": 1},
                    {"basic": {"user": "no", "password": "{{ TOKEN }}"}},
                    {"form": [["a", "b"], ["a", "${A}"]], "host": "a.test:1"},
                ]
            ),
            "body": st.just(""),
            "follows_redirects": st.just(True),
            "cache_mode": st.sampled_from(["as is", "cold query", "cold header"]),
            "locations": st.sampled_from([[], ["default"]]),
            "patience_to_recover": st.none() | st.integers(1, 10),
        }
    ),
    path_steps.map(
        lambda drawn: (
            {"steps": drawn, "route": "", "headers": [], "query": [], "body": ""}
            | {"method": "GET", "expected_result": "time < 1 s"}
        )
    ),
    st.sampled_from(
        [
            {"kind": "tcp", "route": "a.test:1"},
            {"kind": "tls", "route": ":443", "connection": {"server_name": "a.test"}},
            {"kind": "dns", "route": "a.test AAAA @10.0.0.53"},
            {"kind": "heartbeat", "route": "", "heartbeat": {"every": 10**7, "grace": 10**6}}
            | {"interval": 30_000_000, "timeout": 10_000_000},
            {
                "kind": "heartbeat",
                "route": "",
                "heartbeat": {"cron": "0 2 * * *", "zone": "UTC", "grace": 3 * 10**8},
            }
            | {"interval": 30_000_000, "timeout": 10_000_000},
        ]
    ).map(lambda given: EMPTY | given),
)
EMPTY = {
    "method": "GET",
    "headers": [],
    "query": [],
    "body": "",
    "follows_redirects": True,
    "expected_result": "",
}


def draw_path(draw, service, slug, environments):
    timeout = draw(st.integers(100_000, 60_000_000))
    path = CriticalPath(
        service=service,
        slug=slug,
        name=draw(names()),
        owner=draw(st.sampled_from([None, service.team])),
        method=draw(st.sampled_from(METHODS)),
        route=askable(draw(routes), environments),
        headers=draw(st.lists(headers, max_size=3)),
        query=draw(st.lists(parameters, max_size=3)),
        body=draw(bodies),
        follows_redirects=draw(st.booleans()),
        expected_result="\n".join(draw(st.lists(clauses, max_size=4))).strip(),
        user_notices=draw(paragraphs),
        slow_query_or_command=draw(paragraphs),
        interval=draw(st.integers(60_000_001, 3_600_000_000)),
        timeout=timeout,
        patience=draw(st.integers(1, 10)),
        paused_at=draw(st.sampled_from([None, NOON])),
    )
    for name, value in draw(ways_to_ask).items():
        setattr(path, name, value)
    path.save()
    path.environments.set(draw(st.sampled_from([[], environments[:1], environments])))
    if draw(st.booleans()):
        draw_note(draw, service, path)


def without_braces(text):
    """The form of a note refuses words that nobody fills in, so none is stored."""
    return text.replace("{{", "{ ").replace("}}", "} ").strip()


def draw_note(draw, service, path):
    RollbackNote.objects.create(service=service, path=path).write(
        title=without_braces(draw(names(200))),
        use_when=without_braces(draw(paragraphs)),
        does_not_undo=without_braces(draw(paragraphs)),
        minutes=draw(st.none() | st.integers(1, 10_000)),
        steps=[
            {name: without_braces(text) for name, text in step.items()}
            for step in draw(st.lists(steps, min_size=1, max_size=3))
        ],
        reason="",
        by=None,
        now=NOON,
    )


def empty_the_board():
    RollbackNote.objects.all().delete()
    CriticalPath.objects.all().delete()
    Service.objects.all().delete()
    Team.objects.all().delete()
    Declaration.objects.all().delete()


@pytest.fixture
def people(db):
    for name in ("Ana", "Ben"):
        joining.add(name, "viewer")


@pytest.mark.django_db
@given(data=st.data())
@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_any_board_the_forms_can_make_survives(data, tmp_path_factory, people):
    empty_the_board()
    folder = tmp_path_factory.mktemp("board")
    data.draw(boards())
    exported = run("export").out
    there = read_stored().things
    same = apply_text(folder, exported)
    assert (same.code, same.err) == (0, "")
    assert "to change" not in same.out
    assert "to add" not in same.out
    empty_the_board()
    new = apply_text(folder, exported)
    assert (new.code, new.err) == (0, "")
    assert run("export").out == exported
    assert read_stored().things == there
    assert "Nothing changes." in apply_text(folder, exported).out


@pytest.mark.django_db
def test_the_forms_themselves_make_such_a_board(tmp_path, editor):
    client = Client()
    client.force_login(editor)
    form = {"name": "Fares: no", "team": "Yes & Co", "tier": "1", "base_url": "https://a.test"}
    client.post(reverse("service-new"), form | {"health_route": "/health?a=b"})
    assert Service.objects.count() == 1
    exported = run("export").out
    empty_the_board()
    assert apply_text(tmp_path, exported).code == 0
    assert run("export").out == exported
