"""Every error of every file at once, each where it stands."""

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from opsboard.board.changing import prepare
from opsboard.board.reading import read_board
from opsboard.board.sources import Source, decode
from opsboard.services.built_in import watch_itself
from opsboard.services.models import Service, Team
from tests.board.files import ACTOR, FERRIES, apply_text, errors_of, run
from tests.company import NOON

pytestmark = pytest.mark.django_db

HEAD = """\
teams: {pricing: {}}
services:
  fares-api:
    owner: pricing
    environments: {production: {base_url: "https://fares.internal"}}
"""


def with_path(*lines: str) -> str:
    return HEAD + "    paths:\n      price:\n" + "".join(f"        {line}\n" for line in lines)


WRONG = {
    "an unknown key": (
        with_path("route: GET /", "intervall: 30 s"),
        "9:9: Unknown key `intervall` of path; did you mean `interval`?",
    ),
    "a clause": (
        with_path("route: GET /", "expect:", "  - status == 200", "  - tme < 400 ms"),
        "11:13: Unknown fact `tme`; did you mean `time`?",
    ),
    "a clause in quotes on one line": (
        with_path("route: GET /", 'expect: ["status == 200", "time < 400 parsecs"]'),
        "9:43: Unknown unit `parsecs`",
    ),
    "a missing route": (with_path("name: Price"), "7:7: Path needs route:"),
    "a missing owner": ("services: {a: {}}\n", "1:12: Service needs owner:"),
    "an unknown owner": (
        "teams: {pricing: {}}\nservices:\n  a: {owner: pricng}\n",
        "3:14: Unknown team pricng; did you mean `pricing`?",
    ),
    "an unknown owner of a path": (
        with_path("route: GET /", "owner: pricin"),
        "9:16: Unknown team pricin; did you mean `pricing`?",
    ),
    "an unknown service": (
        HEAD + "    depends_on: [fares-db]\n",
        "6:18: Unknown service fares-db; did you mean `fares-api`?",
    ),
    "an unknown environment": (
        with_path("route: GET /", "environments: [prodction]"),
        "9:24: Unknown environment prodction of this service; did you mean `production`?",
    ),
    "an address that the policy refuses": (
        HEAD.replace("fares.internal", "169.254.169.254"),
        "5:43: 169.254.169.254 is",
    ),
    "user and password in an address": (
        HEAD.replace("fares.internal", "u:p@fares.internal"),
        "5:43: Take user and password out of the address",
    ),
    "an address read in two ways": (
        HEAD.replace("https://fares.internal", "http://2130706433/"),
        "5:43: Write the address as a.b.c.d",
    ),
    "a whole address that the policy refuses": (
        with_path("route: GET http://169.254.169.254/"),
        "8:16: In production: 169.254.169.254 is",
    ),
    "a header that Opsboard writes": (
        with_path("route: GET /", "input: {headers: {Host: a.test}}"),
        "9:33: Leave out Host",
    ),
    "a reference outside variables": (
        with_path("route: GET /", 'input: {headers: {Authorization: "${TOKEN}"}}'),
        "9:42: ${NAME} is allowed in variables only",
    ),
    "a reference in a JSON body": (
        with_path("route: GET /", 'input: {json: {a: ["${TOKEN}"]}}'),
        "9:28: ${NAME} is allowed in variables only",
    ),
    "a method": (with_path("route: GETT /"), "8:16: Write a method and a route"),
    "an interval without a unit": (
        with_path("route: GET /", "interval: 30"),
        "9:19: A duration needs a unit",
    ),
    "an interval out of range": (
        with_path("route: GET /", "interval: 2 d"),
        "9:19: This may be from 1 s to 1 d.",
    ),
    "a timeout that is too long": (
        with_path("route: GET /", "interval: 5 s", "timeout: 5 s"),
        "10:18: The timeout must be shorter than the interval",
    ),
    "a window that is too short": (
        with_path("route: GET /", "interval: 1 h", 'expect: ["errors < 1 % over 15 m"]'),
        "10:18: `errors < 1 % over 15 m` needs 20 observations",
    ),
    "a number that is a text": (
        with_path("route: GET /", 'patience: "3"'),
        "9:19: Write a whole number from 1 to 10.",
    ),
    "yes": (with_path("route: GET /", "paused: yes"), "9:17: Write true or false."),
    "json and body": (
        with_path("route: GET /", "input: {json: {}, body: x}"),
        "9:33: Write json or body, not both.",
    ),
    "a name of two lines": (
        with_path("route: GET /", 'name: "a\\nb"'),
        "9:15: This is one line without control characters",
    ),
    "a reversed name": (
        with_path("route: GET /", 'name: "a\\u202eb"'),
        "9:15: This holds a character that reverses",
    ),
    "a service named like an address": (
        "teams: {a: {}}\nservices: {new: {owner: a}}\n",
        "2:12: new is a word of the board's own addresses",
    ),
    "a zone": ("teams: {a: {zone: Europe/Olso}}\n", "1:19: Write the zone as the IANA names it"),
    "a step without what one sees": (
        HEAD + "    rollback_note: {title: Back, steps: [{do: Hold, run: x}]}\n",
        "6:58: Say with see what the person should see",
    ),
    "a word in a step that nobody fills in": (
        HEAD + "    rollback_note: {title: Back, steps: [{do: 'To {{ previous }}'}]}\n",
        "6:47: {{ previous }} is no word that is filled in. Known are {{ previous_version }}, "
        "{{ release.version }} and {{ release.tag }}.",
    ),
    "a note without steps": (
        HEAD + "    rollback_note: {title: Back, steps: []}\n",
        "6:41: A rollback note has at least one step.",
    ),
    "a variable in small letters": (
        HEAD.replace('internal"', 'internal", variables: {token: x}'),
        "5:81: Use capital letters",
    ),
    "a reference that is none": (
        HEAD.replace('internal"', "internal\", variables: {TOKEN: '${A-B}'}"),
        "5:88: Write a secret as ${NAME}",
    ),
    "a link": (
        HEAD + "    links: {Runbook: wiki/fares}\n",
        "6:22: Only http:// or https:// with a host can be asked",
    ),
    "a version without its commit": (
        HEAD.replace('internal"', 'internal", version: {route: GET /version}'),
        "5:78: Version needs commit",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_told_with_its_place(name, tmp_path):
    text, sentence = WRONG[name]
    errors = errors_of(tmp_path, text)
    assert len(errors) == 1, errors
    assert errors[0].startswith(sentence), errors[0]


def test_a_circle_is_told_once_with_its_way(tmp_path):
    text = "teams: {t: {}}\nservices:\n" + "".join(
        f"  {one}: {{owner: t, depends_on: [{other}]}}\n" for one, other in ["ab", "bc", "ca"]
    )
    assert errors_of(tmp_path, text) == [
        "3:29: Services call each other in a circle: a calls b, which calls c, which calls a."
    ]


def test_a_circle_by_way_of_the_board_is_found_too(tmp_path):
    apply_text(
        tmp_path, "teams: {t: {}}\nservices: {a: {owner: t}, b: {owner: t, depends_on: [a]}}"
    )
    errors = errors_of(tmp_path, "services: {a: {owner: t, depends_on: [b]}}")
    assert errors == ["1:38: Services call each other in a circle: a calls b, which calls a."]


def test_the_same_thing_in_two_files_is_told_with_both_places(tmp_path):
    (tmp_path / "a.yaml").write_text("teams: {pricing: {}}\n")
    (tmp_path / "b.yml").write_text("teams:\n  pricing: {}\n")
    ran = run("apply", str(tmp_path))
    assert ran.code == 2
    assert (
        f"{tmp_path}/b.yml:2:3: The team pricing is declared twice, first in "
        f"{tmp_path}/a.yaml:1:9: take one out." in ran.err
    )


def test_all_files_are_one_board(tmp_path):
    (tmp_path / "a.yaml").write_text("services: {fares-api: {owner: pricing}}\n")
    (tmp_path / "b.yml").write_text("teams: {pricing: {}}\n")
    (tmp_path / "notes.txt").write_text("not: [a board\n")
    assert run("apply", str(tmp_path)).code == 0
    assert Service.objects.get().team.slug == "pricing"


def test_every_error_is_told_at_once_and_nothing_is_applied(tmp_path):
    text = FERRIES.replace("tier: 1", "tier: 9").replace("owner: pricing", "owner: prices")
    text = text.replace("status == 200", "stats == 200").replace("patience", "patienc")
    ran = apply_text(tmp_path, text)
    assert ran.code == 2
    places = [line.removeprefix(f"{tmp_path}/board.yaml:") for line in ran.err.splitlines()]
    assert [place.split(": ")[0] for place in places] == [
        *("3:21", "4:25", "7:12", "8:11", "15:47", "20:19", "25:9"),
        "7 errors",
    ]
    assert not Team.objects.exists()


def test_the_built_in_service_is_not_for_files(tmp_path):
    watch_itself()
    (error,) = errors_of(tmp_path, "services: {opsboard: {owner: opsboard}}\n")
    assert error == "1:12: opsboard is Opsboard watching itself: no file declares it."


def judged(text: str) -> list[str]:
    source = decode("board.yaml", text.encode("utf-8", "surrogatepass"))
    if not isinstance(source, Source):
        return [f"{source.line}:{source.column}"]
    declared = read_board([source])
    prepared = prepare(declared, environ={}, prune=False, actor=ACTOR, now=NOON)
    return [f"{error.line}:{error.column}" for error in prepared.errors]


@given(
    at=st.integers(0, len(FERRIES) - 1),
    sign=st.sampled_from([*"\n\t \0:#-[]{}&*!|>'\"%@`,?<$~\\ae0\u202e\u2028\ufeff\x85", ""]),
    replaces=st.booleans(),
)
@example(at=0, sign="", replaces=True)
@settings(
    max_examples=400,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_a_single_wrong_character_is_an_error_with_its_line_or_a_board(at, sign, replaces):
    changed = FERRIES[:at] + sign + FERRIES[at + replaces :]
    lines = changed.count("\n") + 1
    for place in judged(changed):
        line, column = map(int, place.split(":"))
        assert 1 <= line <= lines + 1
        assert column >= 1


@given(at=st.integers(FERRIES.index("  fares-api:") + 20, len(FERRIES) - 1))
@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_a_character_nobody_can_see_is_told_on_its_line(at):
    changed = FERRIES[:at] + "\0" + FERRIES[at:]
    line = FERRIES[:at].count("\n") + 1
    assert {place.split(":")[0] for place in judged(changed)} == {str(line)}
