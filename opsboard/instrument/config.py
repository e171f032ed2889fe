"""What a service tells of its configuration without telling it: fingerprints, and one root.

Copy this file into your service, or import it: the standard library is all it needs. The `opsboard
config` command uses it beside the service, and the service itself to tell its root:

    config_root(os.environ["OPSBOARD_CONFIG_KEY"], NAMES, os.environ)

K, the first argument of all of these, is a secret of 32 characters or more that all environments
of a service share and that Opsboard never holds: without it a fingerprint says nothing, not even
of a value that can be guessed. A value never leaves here, nor does its length. An empty value
counts as not set.
"""

import hashlib
import hmac
import json
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping

SHORTEST_KEY = 32
DIGITS = 16
MOST_NAMES = 200
LONGEST_PATTERN = 500
# A pattern may take for ever on some values: then it is stopped, and does not match.
PATTERN_SECONDS = 5

_MATCHES = 10
_JUDGE = (
    "import json, re, sys; pattern, value = json.load(sys.stdin);"
    f" sys.exit({_MATCHES} if re.search(pattern, value) else 0)"
)


class ConfigError(ValueError):
    """What cannot be done, in a sentence that holds no value."""


def fingerprint(key: str | bytes, name: str, value: str) -> str:
    """16 hexadecimal digits: the same for the same key, name and value, and else others."""
    said = _bytes(f"opsboard-config-v1\0{_name(name)}\0") + _bytes(_text(name, value))
    return hmac.new(_key(key), said, hashlib.sha256).hexdigest()[:DIGITS]


def fingerprints(
    key: str | bytes, names: Iterable[str], values: Mapping[str, str]
) -> dict[str, str | None]:
    """By name, in their order; None: not set."""
    found = sorted(set(names))
    if len(found) > MOST_NAMES:
        raise ConfigError(f"At most {MOST_NAMES} keys are told.")
    return {
        name: fingerprint(key, name, values[name]) if is_set(values.get(name)) else None
        for name in found
    }


def config_root(key: str | bytes, names: Iterable[str], values: Mapping[str, str]) -> str:
    """One hash over the names and their fingerprints, as a service tells it beside its commit."""
    _key(key)
    return root_of(fingerprints(key, names, values))


def root_of(told: Mapping[str, str | None]) -> str:
    """The root of fingerprints by name: 64 hexadecimal digits. A key that is missing counts."""
    lines = (f"{_name(name)}\0{told[name] or 'not set'}\n" for name in sorted(told))
    return hashlib.sha256(_bytes("opsboard-config-root-v1\n" + "".join(lines))).hexdigest()


def key_mark(key: str | bytes) -> str:
    """16 digits that say which key was used, and nothing of it: others cannot be compared."""
    said = b"opsboard-config-key-v1"
    return hmac.new(_key(key), said, hashlib.sha256).hexdigest()[:DIGITS]


def report(
    key: str | bytes,
    names: Iterable[str],
    values: Mapping[str, str],
    rules: Mapping[str, Mapping[str, str]],
) -> dict[str, object]:
    """What the command sends of an environment. `rules` as `rules_hold` takes them."""
    told = fingerprints(key, names, values)
    return {
        "root": root_of(told),
        "made_with": key_mark(key),
        "fingerprints": told,
        "rules": rules_hold(rules, values),
    }


def is_set(value: str | None) -> bool:
    return value is not None and value != ""


def holds(value: str | None, *, equals: str = "", matches: str = "") -> bool:
    """Whether a value is this text and matches this pattern, where they are asked for.

    What is not set holds no rule. Raises ConfigError for a pattern that cannot be read.
    """
    if wrong := pattern_refusal(matches):
        raise ConfigError(wrong)
    if value is None or not is_set(value):
        return False
    if equals and value != equals:
        return False
    return not matches or _matches(matches, value)


def rules_hold(
    rules: Mapping[str, Mapping[str, str]], values: Mapping[str, str]
) -> dict[str, bool]:
    """By name, yes or no. `rules` by name: {"equals": a text, "matches": a pattern}, or one."""
    return {
        name: holds(
            values.get(name), equals=rule.get("equals", ""), matches=rule.get("matches", "")
        )
        for name, rule in sorted(rules.items())
    }


def pattern_refusal(pattern: str) -> str:
    """Why a pattern cannot be used, as one sentence, or "" when it can."""
    if len(pattern) > LONGEST_PATTERN:
        return f"A pattern has at most {LONGEST_PATTERN} characters."
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError):
        return "This is not a pattern that Python can read."
    return ""


def _matches(pattern: str, value: str) -> bool:
    """Judged in a process of its own, which can be stopped; it is told the value by a pipe."""
    try:
        judged = subprocess.run(
            [sys.executable, "-I", "-S", "-c", _JUDGE],
            input=json.dumps([pattern, value]).encode(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=PATTERN_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False
    return judged.returncode == _MATCHES


def _key(key: str | bytes) -> bytes:
    held = _bytes(key) if isinstance(key, str) else key
    if len(held.strip()) < SHORTEST_KEY:
        raise ConfigError(
            f"The key of the fingerprints has at least {SHORTEST_KEY} characters:"
            " make one with `openssl rand -hex 32`."
        )
    return held.strip()


def _name(name: str) -> str:
    if not name or "\0" in name or "\n" in name:
        raise ConfigError("The name of a key is one line, and not empty.")
    return name


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise ConfigError(f"{name}: give its value as a text.")
    return value


def _bytes(text: str) -> bytes:
    """Of any text: an error of encoding would carry the value with it."""
    return text.encode("utf-8", "surrogatepass")
