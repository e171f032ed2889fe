"""What may be written in a sheet: names, headers and query. Pure; every no is a sentence."""

import re
import unicodedata

type Pairs = list[tuple[str, str]]

MARK = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")
VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")
SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

# Words that stand where a name stands in an address of the board.
RESERVED = frozenset(
    {
        "new",
        "edit",
        "paths",
        "environments",
        "rollback-note",
        "probe",
        "pause",
        "review",
        "removal",
        "config-keys",
        "gates",
    }
)

LONGEST_NAME = 120
MOST_HEADERS = 50
MOST_QUERY = 100
LONGEST_LINE = 8_000

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
# They turn the rest of a line around, and make a name look like another.
_BIDI = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_OURS = {
    "host": "the address says it already; write the address that should be asked",
    "content-length": "it is counted from the body",
    "transfer-encoding": "the body is always sent whole",
    "connection": "every probe opens a connection of its own",
    "keep-alive": "every probe opens a connection of its own",
    "upgrade": "a probe speaks HTTP only",
    "te": "a probe takes no trailers",
    "trailer": "the body is always sent whole",
    "expect": "the body is sent at once",
    "traceparent": "every probe has its own",
}


def check_name(text: str, longest: int = LONGEST_NAME) -> str:
    """Why `text` cannot be shown as one line, as one sentence, or "" when it can."""
    if len(text) > longest:
        return f"At most {longest} characters go here, and these are {len(text):,}: shorten it."
    if any(unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp") for sign in text):
        return "This is one line without control characters: take them out."
    return _check_direction(text)


def check_text(text: str) -> str:
    """Like check_name, for text of several lines."""
    if any(unicodedata.category(sign) in ("Cc", "Cs") and sign not in "\n\t" for sign in text):
        return "This holds a control character that cannot be seen: take it out."
    return _check_direction(text)


def _check_direction(text: str) -> str:
    if _BIDI.search(text):
        return "This holds a character that reverses the direction of writing: take it out."
    return ""


def check_slug(text: str) -> str:
    if not SLUG.fullmatch(text):
        return "Use small letters, digits and single hyphens, as in price-a-crossing."
    if text in RESERVED:
        return f"{text} is a word of the board's own addresses: choose another."
    return ""


def slug_from(name: str) -> tuple[str, str]:
    """The slug that a name gives, and why it cannot be used; one of the two is ""."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60].rstrip("-")
    if not slug:
        return "", "This gives no name for addresses: use letters a to z or digits too."
    wrong = check_slug(slug)
    return ("", wrong) if wrong else (slug, "")


def read_headers(text: str) -> tuple[Pairs, list[str]]:
    """The headers of lines `Name: value`, and a sentence for each line that is wrong."""
    pairs: Pairs = []
    errors: list[str] = []
    for number, line in _lines(text):
        name, colon, value = line.partition(":")
        wrong = check_header(name.strip(), value.strip()) if colon else "Write Name: value."
        if wrong:
            errors.append(f"Line {number}: {wrong}")
        pairs.append((name.strip(), value.strip()))
    if len(pairs) > MOST_HEADERS:
        errors.append(f"A request has at most {MOST_HEADERS} headers; these are {len(pairs)}.")
    return pairs, errors


def read_query(text: str) -> tuple[Pairs, list[str]]:
    """The parameters of lines `name=value`, and a sentence for each line that is wrong."""
    pairs: Pairs = []
    errors: list[str] = []
    for number, line in _lines(text):
        name, equals, value = line.partition("=")
        if not equals or not name.strip():
            errors.append(f"Line {number}: Write name=value.")
        elif wrong := _check_value(line):
            errors.append(f"Line {number}: {wrong}")
        pairs.append((name.strip(), value.strip()))
    if len(pairs) > MOST_QUERY:
        errors.append(f"A query has at most {MOST_QUERY} parameters; these are {len(pairs)}.")
    return pairs, errors


def check_header(name: str, value: str) -> str:
    """Why this header cannot be sent, as one sentence, or "" when it can."""
    if not _TOKEN.fullmatch(name):
        return (
            "The name of a header has letters, digits and hyphens, at most 100 of them, "
            "as in X-Request-Id."
        )
    if reason := refused_header(name):
        return f"Leave out {name}: {reason}."
    if not value.isascii():
        return f"The value of {name} holds letters outside ASCII: write them percent-encoded."
    return _check_value(value)


def check_parameter(name: str, value: str) -> str:
    """Why this parameter of a query cannot be sent, as one sentence, or "" when it can."""
    if not name:
        return "A parameter needs a name."
    if "=" in name:
        return "The name of a parameter holds no =."
    return _check_value(f"{name}={value}")


def refused_header(name: str) -> str:
    """Why Opsboard writes this header itself, or "" when it may be given."""
    lower = name.lower()
    if lower.startswith("proxy-"):
        return "a probe uses no proxy"
    return _OURS.get(lower, "")


def _check_value(value: str) -> str:
    if len(value) > LONGEST_LINE:
        return f"A line has at most {LONGEST_LINE:,} characters."
    if any(unicodedata.category(sign) in ("Cc", "Cs") and sign != "\t" for sign in value):
        return "This holds a control character that cannot be seen: take it out."
    return ""


def _lines(text: str) -> list[tuple[int, str]]:
    """Lines that hold something, numbered from 1. Only a line feed ends one."""
    lines = text.replace("\r\n", "\n").split("\n")
    return [(number, line.strip(" \t")) for number, line in enumerate(lines, 1) if line.strip()]


def write_headers(pairs: Pairs) -> str:
    return "\n".join(f"{name}: {value}" for name, value in pairs)


def write_query(pairs: Pairs) -> str:
    return "\n".join(f"{name}={value}" for name, value in pairs)


def names_in(*texts: str) -> list[str]:
    """The names of the variables these texts use, each once, in order."""
    return list(dict.fromkeys(mark[1] for text in texts for mark in MARK.finditer(text)))
