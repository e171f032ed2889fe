"""The format of a board file: every key, with its kind, its limits and its default, once.

Reading, writing, the JSON Schema for editors and the page README.md are made from these tables.
"""

from opsboard.board.gate_format import CONFIG, GATES, OneOf
from opsboard.board.kinds import (
    AS_IT_IS,
    REQUIRED,
    ByName,
    Clauses,
    Duration,
    Facts,
    Key,
    Pairs,
    Several,
    Shape,
    Text,
    Texts,
    Whole,
    YesOrNo,
)
from opsboard.board.path_fields import check_path
from opsboard.board.references import check_reference
from opsboard.board.sheet_format import CONNECTION, HEARTBEAT, INPUT, LONGEST_ROUTE, PATH_STEP
from opsboard.services.about import LONGEST_FACT, LONGEST_WORD, MOST, check_fact, check_link
from opsboard.services.about import check_tag as check_tag
from opsboard.services.addresses import check_base_url
from opsboard.services.kinds import KINDS
from opsboard.services.models import SECOND, CriticalPath
from opsboard.services.rules import (
    VARIABLE,
    check_name,
    check_slug,
    check_text,
)
from opsboard.services.sheets import AS_IS
from opsboard.services.steps import MOST_STEPS as MOST_PATH_STEPS
from opsboard.services.versions import (
    read_version_commit,
    read_version_config_root,
    read_version_route,
)
from opsboard.services.zones import check_zone

MOST_VARIABLES = 60
LONGEST_VALUE = 8_000
LONGEST_TEXT = 10_000
LONGEST_NOTE = 64 * 1024
MOST_STEPS = 40
CACHE_MODES = tuple(CriticalPath.CacheMode.values)

_SLUG = "^[a-z0-9]+(-[a-z0-9]+)*$"
_slug = Text(60, check_slug, pattern=_SLUG, about="name in addresses")


def _line(longest: int, *, may_be_empty: bool = False) -> Text:
    return Text(
        longest,
        lambda text: check_name(text, longest),
        may_be_empty=may_be_empty,
        about="one line",
    )


def _lines(longest: int, *, is_body: bool = False) -> Text:
    return Text(
        longest,
        check_text,
        of_lines=True,
        in_request=is_body,
        strip=not is_body,
        may_be_empty=is_body,
    )


def _check_variable(name: str) -> str:
    if VARIABLE.fullmatch(name):
        return ""
    return "Use capital letters, digits and _, as in API_TOKEN."


def _check_value(value: str) -> str:
    return check_name(value, LONGEST_VALUE) or check_reference(value)


def _check_version_route(route: str) -> str:
    return read_version_route(route)[1]


def _check_commit(commit: str) -> str:
    return read_version_commit(commit)[1]


def _check_config_root(root: str) -> str:
    return read_version_config_root(root)[1]


TEAM = Shape(
    "team",
    (
        Key("name", _line(120), "The team's name.", "", "its name in addresses, as words"),
        Key("contact", _line(200), "How to reach them: a chat channel or a number."),
        Key("zone", Text(60, check_zone, about="time zone"), "As in Europe/Oslo.", "UTC"),
        Key(
            "members",
            Texts(_line(150), 500),
            "People of the board, by name. Names that nobody has are left out, with a warning.",
            AS_IT_IS,
        ),
        Key("gates", GATES, "What its services need to be ready, by gate.", AS_IT_IS),
    ),
)

VERSION = Shape(
    "version",
    (
        Key(
            "route",
            Text(500, _check_version_route, about="route"),
            "Where the running version is told, as in GET /version.",
            REQUIRED,
        ),
        Key(
            "commit",
            Text(200, _check_commit, about="JSON path"),
            "Where its commit stands in the answer, as in json $.commit.",
            REQUIRED,
        ),
        Key(
            "config_root",
            Text(200, _check_config_root, about="JSON path"),
            "Where its config root stands, as in json $.config_root.",
            "",
            "not told",
        ),
    ),
)

ENVIRONMENT = Shape(
    "environment",
    (
        Key(
            "base_url",
            Text(500, check_base_url, in_request=True, about="address"),
            "What every route is appended to, with http:// or https://.",
            REQUIRED,
        ),
        Key("version", VERSION, "Where the running version is told.", {}, "unknown"),
        Key(
            "variables",
            ByName(
                Text(LONGEST_VALUE, _check_value, strip=False, may_be_empty=True),
                _check_variable,
                60,
                "^[A-Z_][A-Z0-9_]*$",
                MOST_VARIABLES,
            ),
            "Values for {{ NAME }} in the sheets. With ${NAME} in it, whole or inside, a value is "
            "secret.",
            {},
            "none",
        ),
    ),
)

STEP = Shape(
    "step",
    (
        Key("do", _line(500), "What to do.", REQUIRED),
        Key("run", _line(4_000), "The command."),
        Key("see", _line(1_000), "What one should see then. A step with run needs it."),
        Key("call", _line(300), "Whom to call if it fails."),
    ),
)

NOTE = Shape(
    "rollback note",
    (
        Key("title", _line(200), "What it does; it begins with a verb.", REQUIRED),
        Key("use_when", _lines(LONGEST_NOTE), "When to go this way back."),
        Key("does_not_undo", _lines(LONGEST_NOTE), "What stays as it is after it."),
        Key("minutes", Whole(1, 10_000), "How long it takes.", None, "unknown"),
        Key("steps", Several(STEP, MOST_STEPS), "The steps, in their order.", REQUIRED),
    ),
)

PATH = Shape(
    "path",
    (
        Key("name", _line(120), "What users do here.", "", "its name in addresses, as words"),
        Key("owner", _slug, "The team that owns it.", "", "the owner of the service"),
        Key("kind", OneOf(tuple(KINDS)), "What kind of path it is.", "http"),
        Key(
            "route",
            Text(LONGEST_ROUTE, in_request=True, about="method and route"),
            "What is asked below the environment's address, as in POST /v2/quotes, or a whole "
            "address. Of TCP and TLS host:port or :port, of DNS as in fares.example AAAA "
            "@10.0.0.53.",
            "",
            "**required**, but of steps and heartbeats",
        ),
        Key("input", INPUT, "What is sent.", {}, "nothing"),
        Key("connection", CONNECTION, "How the connection is made.", {}, "as usual"),
        Key("cache_mode", OneOf(CACHE_MODES), "How it deals with caches.", AS_IS),
        Key(
            "steps",
            Several(PATH_STEP, MOST_PATH_STEPS),
            "Its steps, where it has several; route and input stand in each.",
            [],
            "one step, which is the path itself",
        ),
        Key("heartbeat", HEARTBEAT, "When a heartbeat is due.", {}, "none"),
        Key("expect", Clauses(50_000), "The expected result.", [], "status in 200..299"),
        Key("user_notices", _lines(LONGEST_TEXT), "Where the user notices."),
        Key(
            "slow_query_or_command",
            _lines(LONGEST_TEXT),
            "The known slow query or failing command.",
        ),
        Key("interval", Duration(SECOND, 86_400 * SECOND), "How often it is asked.", 30 * SECOND),
        Key(
            "timeout",
            Duration(SECOND // 10, 60 * SECOND),
            "When to give up; shorter than the interval.",
            10 * SECOND,
        ),
        Key("patience", Whole(1, 10), "Results in a row that change its state.", 2),
        Key(
            "patience_to_recover",
            Whole(1, 10),
            "Results in a row that make it better again.",
            None,
            "as patience",
        ),
        Key("locations", Texts(_slug, 20), "Where it is asked from.", [], "the first of the board"),
        Key("environments", Texts(_slug, 100), "Where it is asked.", [], "everywhere"),
        Key("follows_redirects", YesOrNo(), "Whether redirects are followed.", True),
        Key("paused", YesOrNo(), "Whether it is not asked for now.", AS_IT_IS),
        Key("rollback_note", NOTE, "The way back, when it is its own.", AS_IT_IS),
    ),
    check=check_path,
    needs_one_of=("route", "steps", "heartbeat"),
)

SERVICE = Shape(
    "service",
    (
        Key("name", _line(120), "The thing you deploy.", "", "its name in addresses"),
        Key("owner", _slug, "The team that owns it.", REQUIRED),
        Key("summary", _line(300), "What it does, in one line."),
        Key("tier", Whole(1, 3), "1: the company cannot work without it.", 2),
        Key(
            "links",
            Pairs(MOST, Text(2_000, about="address"), check_link),
            "Where to look further: Repository, Runbook, Chat and others.",
            [],
            "none",
        ),
        Key(
            "tags",
            Texts(Text(LONGEST_WORD, check_tag, about="tag"), MOST, in_order=True),
            "Words to find it by.",
            [],
            "none",
        ),
        Key(
            "facts",
            Facts(MOST, _line(LONGEST_FACT), check_fact),
            "Whatever else is worth knowing.",
            {},
            "none",
        ),
        Key("depends_on", Texts(_slug, 200), "The services that it calls.", [], "none"),
        Key(
            "environments",
            ByName(ENVIRONMENT, check_slug, 40, _SLUG),
            "Where it runs.",
            {},
            "none",
        ),
        Key("config", CONFIG, "The keys of its configuration, by name.", AS_IT_IS),
        Key("gates", GATES, "What it needs to be ready, beside its team's choice.", AS_IT_IS),
        Key("rollback_note", NOTE, "The way back.", AS_IT_IS),
        Key("paths", ByName(PATH, check_slug, 60, _SLUG), "Its critical paths.", {}, "none"),
    ),
)

BOARD = Shape(
    "board",
    (
        Key("teams", ByName(TEAM, check_slug, 60, _SLUG), "Teams.", {}, "none"),
        Key("services", ByName(SERVICE, check_slug, 60, _SLUG), "Services.", {}, "none"),
    ),
)
