"""The keys that a service's configuration is to have, and their rules: read, checked and told.

A rule about a value is judged beside the service and told as a yes or a no. For a key that is
named like a secret that would already tell too much, one rule after another.
"""

import re
from collections.abc import Mapping
from typing import Any

from opsboard.expectations.patterns import refusal
from opsboard.instrument import config
from opsboard.services.models import ConfigKey, Service
from opsboard.services.rules import check_name
from opsboard.services.secret_looks import looks_secret, named_like_a_secret

MOST_KEYS = config.MOST_NAMES
LONGEST_KEY = 120
LONGEST_RULE = config.LONGEST_PATTERN
# "is", "across", "equals" and "matches" of a key, as a board file names them; "": no rule.
type Rules = Mapping[str, Any]

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_PLAIN_WORD = re.compile(r"(?i:true|false|yes|no|on|off|none|null|[0-9]{1,6})")
_CREDENTIALS = re.compile(r"://[^/\s@]+@")
_LONG_WORD = re.compile(r"[A-Za-z0-9_\-~+=%]{24,}")


def check_key(name: str) -> str:
    """Why this is not the name of a key, as one sentence, or "" when it is."""
    if len(name) > LONGEST_KEY:
        return f"A key has at most {LONGEST_KEY} characters."
    if not _NAME.fullmatch(name):
        return "Use letters, digits, _ . and -, as in DATABASE_URL."
    return ""


def check_equals(name: str, text: str) -> str:
    """Why a value may not be written down here to be compared with, or ""."""
    if not text:
        return ""
    if wrong := check_name(text, LONGEST_RULE):
        return wrong
    if _PLAIN_WORD.fullmatch(text):
        return ""
    if looks_secret(name, text) or _CREDENTIALS.search(text):
        return "This looks like a secret: no secret is written here. Say equal or differ instead."
    return ""


def check_matches(name: str, pattern: str) -> str:
    """Why a pattern may not be used, or ""."""
    if not pattern:
        return ""
    if wrong := check_name(pattern, LONGEST_RULE):
        return wrong
    if named_like_a_secret(name):
        return f"{name} is named like a secret: a pattern would tell of its value. Take it out."
    if any(looks_secret("", word) for word in _LONG_WORD.findall(pattern)):
        return "This holds what looks like a secret: no secret is written here."
    return refusal(pattern) or config.pattern_refusal(pattern)


def check_together(rules: Rules) -> dict[str, str]:
    """What cannot be asked of one key at once, by the rule that has to go."""
    given = [rule for rule in ("across", "equals", "matches") if rules[rule]]
    if rules["is"] == ConfigKey.Presence.ABSENT and given:
        return {given[0]: "A key that must be absent has no other rule."}
    if rules["across"] == ConfigKey.Across.DIFFER and rules["equals"]:
        return {"equals": "It cannot be one text everywhere and differ across environments."}
    return {}


def check_rules(name: str, rules: Rules) -> dict[str, str]:
    """Everything that is wrong with a key's rules, by rule."""
    wrong = {
        "equals": check_equals(name, rules["equals"]),
        "matches": check_matches(name, rules["matches"]),
    }
    return {rule: sentence for rule, sentence in wrong.items() if sentence} | check_together(rules)


def rules_of(key: ConfigKey) -> dict[str, str]:
    return {
        "is": key.presence,
        "across": key.across,
        "equals": key.equals,
        "matches": key.matches,
    }


def made(service: Service, name: str, rules: Rules) -> ConfigKey:
    """The row of a key, not yet stored."""
    return ConfigKey(
        service=service,
        name=name,
        presence=rules["is"],
        across=rules["across"],
        equals=rules["equals"],
        matches=rules["matches"],
    )


def words(rules: Rules) -> str:
    """ "must be set, differs across environments"."""
    said = [str(ConfigKey.Presence(rules["is"]).label)]
    if rules["across"]:
        said.append(str(ConfigKey.Across(rules["across"]).label))
    said += [f"{rule} {rules[rule]}" for rule in ("equals", "matches") if rules[rule]]
    return ", ".join(said)


def lines(keys: Mapping[str, Rules]) -> list[str]:
    return [f"{name}: {words(keys[name])}" for name in sorted(keys)]


def keys_of(service: Service) -> dict[str, dict[str, str]]:
    """Its keys by name, in their order."""
    return {key.name: rules_of(key) for key in service.config_keys.order_by("name")}
