"""The part of a board file that says how a path is asked: input, connection, steps, heartbeat."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from opsboard.board.gate_format import OneOf
from opsboard.board.json_values import Json
from opsboard.board.kinds import (
    REQUIRED,
    ByName,
    Clauses,
    Duration,
    Errors,
    Key,
    Pairs,
    Schema,
    Shape,
    Text,
    Whole,
    YesOrNo,
)
from opsboard.board.nodes import Node, Scalar
from opsboard.expectations.units import exact_duration, exact_size, parse_size
from opsboard.services.connection import HTTP_VERSIONS, IP_VERSIONS, LONGEST_PEM, MOST_BODY
from opsboard.services.connection import MOST_REDIRECTS as MOST_HOPS
from opsboard.services.heartbeats import (
    LONGEST_CRON,
    LONGEST_GRACE,
    LONGEST_PERIOD,
    LONGEST_RUN,
    SHORTEST_GRACE,
    SHORTEST_PERIOD,
    SHORTEST_RUN,
    USUAL_GRACE,
)
from opsboard.services.problems import Problem
from opsboard.services.rules import (
    LONGEST_LINE,
    METHODS,
    MOST_HEADERS,
    MOST_QUERY,
    check_header,
    check_parameter,
)
from opsboard.services.steps import LONGEST_STEP_NAME, LONGEST_TAKEN, MOST_TAKEN, check_taken

LONGEST_BODY = 65_536
LONGEST_ROUTE = 2_030


@dataclass(frozen=True, slots=True)
class Size:
    """Whole bytes, written as in 4 MB."""

    high: int

    def read(self, node: Node, errors: Errors) -> int | None:
        written = node.text if isinstance(node, Scalar) else ""
        try:
            size = parse_size(written)
        except ValueError as error:
            errors.append(node.wrong(str(error)))
            return None
        if not 1 <= size <= self.high:
            errors.append(node.wrong(f"This may be from 1 B to {exact_size(self.high)}."))
            return None
        return size

    def write(self, value: int) -> str:
        return exact_size(value)

    def schema(self) -> Schema:
        return {"type": "string", "pattern": r"^\s*[0-9]+(\.[0-9]+)?\s*(B|kB|MB)\s*$"}

    @property
    def words(self) -> str:
        return f"size up to {exact_size(self.high)}, as in 4 MB"


def split_route(route: str, kind: str = "http") -> tuple[str, str]:
    """Method and route of "POST /v2/quotes". Without a method it is GET; only HTTP has others."""
    method, space, path = route.partition(" ")
    if kind != "http" or not space or method.startswith(("/", "{{")) or "://" in method:
        return "GET", route
    return method, path.strip()


def written_route(method: str, route: str, kind: str) -> str:
    """As a board file writes it."""
    return f"{method} {route}" if route and kind == "http" else route


def check_method(route: str) -> str:
    if split_route(route)[0] in METHODS:
        return ""
    known = ", ".join(METHODS)
    return f"Write a method and a route, as in GET /healthz. Methods are {known}."


def _sent(about: str, longest: int = LONGEST_LINE, *, of_lines: bool = False) -> Text:
    return Text(longest, in_request=True, of_lines=of_lines, about=about)


def _check_input(sent: Mapping[str, Any], _: frozenset[str]) -> Iterator[Problem]:
    if sent["json"] and sent["body"]:
        yield Problem(("body",), "Write json or body, not both.")
    if sent["form"] and (sent["json"] or sent["body"]):
        yield Problem(("form",), "Write a form or a body, not both.")


_PARAMETERS = Pairs(
    MOST_QUERY,
    Text(LONGEST_LINE, in_request=True, may_be_empty=True, about="parameter"),
    check_parameter,
)
INPUT = Shape(
    "input",
    (
        Key("json", Json(LONGEST_BODY), "The body, as a value; it is sent as JSON.", "", "no body"),
        Key(
            "body",
            Text(LONGEST_BODY, of_lines=True, in_request=True, strip=False, may_be_empty=True),
            "The body, as it is sent; of a TCP path, the first bytes.",
            "",
            "no body",
        ),
        Key("form", _PARAMETERS, "Fields sent as a form on a page is.", [], "none"),
        Key(
            "headers",
            Pairs(
                MOST_HEADERS,
                Text(LONGEST_LINE, in_request=True, may_be_empty=True, about="header"),
                check_header,
            ),
            "Headers, by name.",
            [],
            "none",
        ),
        Key(
            "query", _PARAMETERS, "Parameters that are appended to the route, by name.", [], "none"
        ),
    ),
    check=_check_input,
)

BASIC = Shape(
    "sign-in",
    (
        Key("user", _sent("text", 200), "The name that it signs in with.", REQUIRED),
        Key("password", _sent("{{ NAME }}", 200), "A secret variable, never a word.", REQUIRED),
    ),
)

CONNECTION = Shape(
    "connection",
    (
        Key("http", OneOf(HTTP_VERSIONS), "The version of HTTP.", "", "as agreed with the server"),
        Key("ip", OneOf(IP_VERSIONS), "IPv4 or IPv6 only.", None, "either"),
        Key("redirects", Whole(0, MOST_HOPS), "How many redirects are followed.", None, "5"),
        Key(
            "server_name", _sent("name", 253), "The name its certificate must have.", "", "the host"
        ),
        Key("host", _sent("host", 300), "What the Host header says.", "", "the host of the route"),
        Key(
            "authority",
            _sent("PEM, or {{ NAME }}", LONGEST_PEM, of_lines=True),
            "The only certificates by which the server's is trusted.",
            "",
            "those of this machine",
        ),
        Key(
            "certificate",
            _sent("PEM, or {{ NAME }}", LONGEST_PEM, of_lines=True),
            "The client certificate.",
            "",
            "none",
        ),
        Key("key", _sent("{{ NAME }}", 200), "Its key: a secret variable.", "", "none"),
        Key("basic", BASIC, "Whom it signs in as.", {}, "nobody"),
        Key("bearer", _sent("{{ NAME }}", 200), "Its token: a secret variable.", "", "none"),
        Key("proxy", _sent("address", 500), "As in http://proxy.internal:3128.", "", "none, ever"),
        Key("compressed", YesOrNo(), "Whether compressed answers are asked for.", False),
        Key("max_body", Size(MOST_BODY), "The longest body that is read.", None, "1.048576 MB"),
    ),
)

PATH_STEP = Shape(
    "step of a path",
    (
        Key("name", _sent("one line", LONGEST_STEP_NAME), "What is done here.", REQUIRED),
        Key(
            "route",
            Text(LONGEST_ROUTE, check_method, in_request=True, about="method and route"),
            "What is asked, as in POST /v2/quotes.",
            REQUIRED,
        ),
        Key("input", INPUT, "What is sent.", {}, "nothing"),
        Key("expect", Clauses(50_000), "What its reply must be.", [], "status in 200..299"),
        Key(
            "take",
            ByName(
                _sent("json $.token or header Location", 1_100),
                check_taken,
                LONGEST_TAKEN,
                "^[a-z_][a-z0-9_]*$",
                MOST_TAKEN,
            ),
            "What later steps use as {{ name }}, and where it stands in the reply.",
            {},
            "nothing",
        ),
        Key("always", YesOrNo(), "Whether it runs whatever became of those before it.", False),
    ),
)

HEARTBEAT = Shape(
    "heartbeat",
    (
        Key("every", Duration(SHORTEST_PERIOD, LONGEST_PERIOD), "How often it reports in.", None),
        Key("cron", Text(LONGEST_CRON, about="cron expression"), "Or when, as in 0 2 * * *."),
        Key("zone", Text(60, about="time zone"), "The time zone of cron.", "", "`UTC`"),
        Key(
            "grace",
            Duration(SHORTEST_GRACE, LONGEST_GRACE),
            "How long it may be late.",
            USUAL_GRACE,
            f"`{exact_duration(USUAL_GRACE)}`",
        ),
        Key(
            "longest",
            Duration(SHORTEST_RUN, LONGEST_RUN),
            "How long it may run once it has told its start.",
            None,
            "any time",
        ),
    ),
)


def stored_connection(declared: Mapping[str, Any], form: list[Any]) -> dict[str, Any]:
    """As it is kept, from what a file says."""
    return _said(CONNECTION, declared) | ({"form": form} if form else {})


def stored_heartbeat(declared: Mapping[str, Any]) -> dict[str, Any]:
    return _said(HEARTBEAT, declared) | {"grace": declared["grace"]} if declared else {}


def stored_step(declared: Mapping[str, Any]) -> dict[str, Any]:
    method, route = split_route(declared["route"])
    sent = declared["input"]
    said = {
        "name": declared["name"],
        "method": method if method != "GET" else "",
        "route": route,
        "headers": sent["headers"] if sent else [],
        "query": sent["query"] if sent else [],
        "body": (sent["json"] or sent["body"]) if sent else "",
        "form": sent["form"] if sent else [],
        "expect": declared["expect"],
        "take": dict(sorted(declared["take"].items())),
        "always": declared["always"],
    }
    return {key: value for key, value in said.items() if value}


def _said(shape: Shape, declared: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is as usual."""
    return {
        key.name: declared[key.name]
        for key in shape.keys
        if key.name in declared and declared[key.name] != key.default
    }
