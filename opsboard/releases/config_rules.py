"""How a config report is judged: by fingerprints alone, against those of other environments. Pure.

What is found is one of a few words for a key. Neither a value nor its length is known here.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

NOT_SET = "not set"
MUST_BE_ABSENT = "set, and must be absent"
RULE_FAILED = "rule failed"
DIFFERS = "differs"
MUST_DIFFER = "equal, and must differ"
WHATS = (DIFFERS, NOT_SET, RULE_FAILED, MUST_BE_ABSENT, MUST_DIFFER)
# As many differences as a sentence names; the rest is counted.
SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRule:
    """What is asked of one key, as opsboard.services.models.ConfigKey has it."""

    name: str
    is_absent: bool = False
    # "equal", "differ" or "": either.
    across: str = ""
    # Whether there is a rule that only the service's side can judge.
    has_rule: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What an environment told of its configuration."""

    environment: str
    # By key; None: not set there. A key that is missing was not reported.
    fingerprints: Mapping[str, str | None]
    rules: Mapping[str, bool] = field(default_factory=dict)
    # Of the key the fingerprints were made with: two reports with others cannot be compared.
    made_with: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    key: str
    what: str
    # The other environment, where there is one.
    environment: str = ""

    def as_json(self) -> dict[str, str]:
        found = {"key": self.key, "what": self.what}
        return found | ({"environment": self.environment} if self.environment else {})


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    differences: tuple[Difference, ...] = ()
    # Sentences: what could not be judged, and why.
    unknown: tuple[str, ...] = ()

    @property
    def outcome(self) -> str:
        """What is missing never passes."""
        if self.differences:
            return "failed"
        return "inconclusive" if self.unknown else "passed"


def judge(
    keys: Sequence[KeyRule], report: Report, others: Mapping[str, Report | None]
) -> Judgement:
    """`others`: the service's other environments with their newest reports; None: never one."""
    found = [difference for key in keys for difference in _of_key(key, report, others)]
    return Judgement(
        differences=tuple(found),
        unknown=tuple(dict.fromkeys(_unknown(keys, report, others))),
    )


def _of_key(
    key: KeyRule, report: Report, others: Mapping[str, Report | None]
) -> Iterator[Difference]:
    here = report.fingerprints.get(key.name)
    if key.is_absent:
        if here is not None:
            yield Difference(key=key.name, what=MUST_BE_ABSENT)
        return
    if here is None:
        yield Difference(key=key.name, what=NOT_SET)
        return
    if key.has_rule and not report.rules.get(key.name, False):
        yield Difference(key=key.name, what=RULE_FAILED)
    for name, other in others.items():
        if other is None or not _is_comparable(report, other, key):
            continue
        there = other.fingerprints[key.name]
        if key.across == "equal" and here != there:
            yield Difference(key=key.name, what=DIFFERS, environment=name)
        if key.across == "differ" and here == there:
            yield Difference(key=key.name, what=MUST_DIFFER, environment=name)


def _is_comparable(report: Report, other: Report, key: KeyRule) -> bool:
    return _is_of_one_key(report, other) and key.name in other.fingerprints


def _is_of_one_key(report: Report, other: Report) -> bool:
    return bool(report.made_with) and report.made_with == other.made_with


def _unknown(
    keys: Sequence[KeyRule], report: Report, others: Mapping[str, Report | None]
) -> Iterator[str]:
    compared = [key.name for key in keys if key.across and not key.is_absent]
    if compared and not others:
        here = report.environment
        yield f"{_listed(compared)}: there is no other environment to compare {here} with."
    for name, other in others.items():
        if compared and other is None:
            yield f"{name} has never reported its configuration: run opsboard config there too."
        elif compared and other is not None and not _is_of_one_key(report, other):
            yield (
                f"{name} reported with another OPSBOARD_CONFIG_KEY: use one key in all"
                " environments of a service."
            )
        elif other is not None and (
            missing := [key for key in compared if key not in other.fingerprints]
        ):
            keys_there = _listed(missing)
            yield f"{name} has not reported {keys_there} yet: run opsboard config there again."


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def facts_of(judgement: Judgement, *, root: str, report: int) -> dict[str, Any]:
    """As Evidence keeps it."""
    return {
        "root": root,
        "report": report,
        "differences": [one.as_json() for one in judgement.differences],
        "unknown": list(judgement.unknown),
    }


def differences_words(facts: Mapping[str, Any]) -> list[str]:
    """What a page says of the facts of a config check, a line each. Only known words pass."""
    found = [one for one in facts.get("differences", ()) if one.get("what") in WHATS]
    return [_words(one) for one in found] + [str(one) for one in facts.get("unknown", ())]


def _words(difference: Mapping[str, str]) -> str:
    environment = difference.get("environment", "")
    where = {
        DIFFERS: f" from {environment}",
        MUST_DIFFER: f" (as in {environment})",
    }.get(difference["what"], "")
    return f"{difference['key']}: {difference['what']}{where if environment else ''}"


# What a report may be --------------------------------------------------------------------------


def wrong_names(
    wanted: Sequence[str], given: Sequence[str], *, what: str
) -> dict[str, tuple[str, str]]:
    """Keys that are not declared, or are missing, with a code and a sentence, by key."""
    unknown = {
        name: (
            "unknown_key",
            f"{name[:120]} is not a declared {what} here: leave it out.",
        )
        for name in given
        if name not in wanted
    }
    missing = {
        name: ("missing_key", f"{name} is declared and is missing here: send it.")
        for name in wanted
        if name not in given
    }
    return unknown | missing
