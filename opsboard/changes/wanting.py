"""What a change may be declared with: every field is looked at, and each problem is a sentence."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from math import isfinite
from typing import Any

from opsboard.changes.collecting import OF_A_PATH
from opsboard.changes.models import (
    FEWEST_SAMPLES,
    MOST_SAMPLES,
    USUAL_MARGIN,
    USUAL_SAMPLES,
    Change,
)
from opsboard.probes.planning import SAFE
from opsboard.services.models import CriticalPath, Environment, Service

MOST_TEXTS, LONGEST_TEXT = 20, 500
# As a release writes them: opsboard.releases.naming.
VERSION = r"[0-9A-Za-z][0-9A-Za-z._+~-]{0,99}"
COMMIT = r"[0-9a-f]{7,64}"
GUARDRAILS = ("db calls", "time", "p95")
LONGEST_HOURS, LONGEST_WARM_UP = 168, 3600
MOST_WARM_UP_SAMPLES = 10_000

Kind, Mode, Sampling, Metric = CriticalPath.Kind, Change.Mode, Change.Sampling, Change.Metric


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A change as somebody wants it: the fields of Change by their names."""

    title: str
    service: Service
    path: CriticalPath
    environment: Environment
    location: str = ""
    purpose: str = ""
    variables: Sequence[str] = ()
    commit: str = ""
    version: str = ""
    assumptions: Sequence[str] = ()
    commands: Sequence[str] = ()
    metric: str = Change.Metric.TIME
    aim: str = Change.Aim.IMPROVE
    goal: float | None = None
    control: CriticalPath | None = None
    samples: int = USUAL_SAMPLES
    margin: float = USUAL_MARGIN
    equivalence: float | None = None
    guardrails: Sequence[str] = ()
    sampling: str = Change.Sampling.PROBES
    mode: str = Change.Mode.AS_IS
    rate: float = 2.0
    warm_up_seconds: int = 60
    warm_up_samples: int = 10
    lasts: int = 24


FIELDS = tuple(field.name for field in fields(Wanted))
LISTS = ("variables", "assumptions", "commands", "guardrails")


def wanted_of(change: Change) -> Wanted:
    """The change as it is, to be edited from there."""
    return Wanted(**{name: getattr(change, name) for name in FIELDS})


def as_kept(wanted: Wanted) -> dict[str, Any]:
    """The columns of Change. Texts lose the space around them, a commit its capitals."""
    kept: dict[str, Any] = {name: getattr(wanted, name) for name in FIELDS}
    for name, value in kept.items():
        if isinstance(value, str):
            kept[name] = value.strip()
    for name in LISTS:
        kept[name] = [text.strip() for text in kept[name] if text.strip()]
    for name in ("variables", "guardrails"):
        kept[name] = list(dict.fromkeys(kept[name]))
    kept["commit"] = kept["commit"].lower()
    return kept


def check(wanted: Wanted) -> dict[str, str]:
    """What is wrong with it: a sentence by the name of its field. {}: nothing is."""
    kept = as_kept(wanted)
    found: dict[str, str] = {}
    for problems in (_place(wanted), _words(kept), _lists(kept), _numbers(kept), _asking(wanted)):
        for name, sentence in problems.items():
            found.setdefault(name, sentence)
    return found


def _place(wanted: Wanted) -> dict[str, str]:
    service, path, place = wanted.service, wanted.path, wanted.environment
    found = {}
    if service.removed_at:
        found["service"] = f"{service.name} was removed: bring it back, or choose another service."
    if place.service_id != service.pk or place.removed_at:
        found["environment"] = f"{service.name} has no environment {place.slug}: choose one it has."
    elif sentence := _not_asked(path, service, place):
        found["path"] = sentence
    elif wanted.location and wanted.location not in _locations(path):
        found["location"] = (
            f"{path.name} is not asked from {wanted.location}: "
            f"choose one of {', '.join(_locations(path)) or 'none: it names no place'}."
        )
    if control := wanted.control:
        if control.pk == path.pk:
            found["control"] = "The control path is to be another one than the path of the change."
        elif "environment" not in found and (sentence := _not_asked(control, service, place)):
            found["control"] = sentence
        elif wanted.location and wanted.location not in _locations(control):
            found["control"] = (
                f"{control.name} is not asked from {wanted.location}: choose another."
            )
        elif control.kind == Kind.HEARTBEAT:
            found["control"] = "A heartbeat has no response time: choose a path that is asked."
    return found


def _not_asked(path: CriticalPath, service: Service, place: Environment) -> str:
    if path.service_id != service.pk or path.removed_at:
        return f"{service.name} has no path {path.name}: choose one it has."
    if not path.asked_in([place]):
        return f"{path.name} is not asked in {place.slug}: choose where it is, or edit its sheet."
    return ""


def _locations(path: CriticalPath) -> list[str]:
    return [str(name) for name in path.locations]


def _words(kept: dict[str, Any]) -> dict[str, str]:
    found = {}
    for name, what, longest in (
        ("title", "A title", 200), ("purpose", "What is to get better", 300),
        ("location", "A location", 40),
    ):  # fmt: skip
        if len(kept[name]) > longest or not kept[name].isprintable():
            found[name] = f"{what} is one line of at most {longest} characters."
    if not kept["title"]:
        found["title"] = "Say in a few words what is changed."
    if kept["commit"] and not re.fullmatch(COMMIT, kept["commit"]):
        found["commit"] = "A commit is written in 7 to 64 hexadecimal digits."
    if kept["version"] and not re.fullmatch(VERSION, kept["version"]):
        found["version"] = (
            "A version has at most 100 letters, digits and . _ + ~ -, "
            "and begins with a letter or digit."
        )
    for name, choices in (
        ("metric", Change.Metric), ("aim", Change.Aim), ("sampling", Sampling), ("mode", Mode),
    ):  # fmt: skip
        if kept[name] not in choices.values:
            found[name] = f"{kept[name][:40]!r} is none of {', '.join(choices.values)}."
    return found


def _lists(kept: dict[str, Any]) -> dict[str, str]:
    found = {}
    for name in ("assumptions", "commands"):
        texts = kept[name]
        if len(texts) > MOST_TEXTS:
            found[name] = f"At most {MOST_TEXTS} {name} are kept."
        elif any(len(text) > LONGEST_TEXT or not _is_text(text) for text in texts):
            found[name] = f"Each of the {name} is a text of at most {LONGEST_TEXT} characters."
    known = Change.Variable.values
    strange = [one for one in kept["variables"] if one not in known]
    if strange:
        found["variables"] = f"{strange[0][:40]!r} is none of {', '.join(known)}."
    elif not kept["variables"]:
        found["variables"] = "Say which one thing is changed: a verdict is on that."
    if sentence := _guardrails(kept):
        found["guardrails"] = sentence
    return found


def _is_text(text: str) -> bool:
    return all(character.isprintable() or character in "\n\t" for character in text)


def _guardrails(kept: dict[str, Any]) -> str:
    names = kept["guardrails"]
    if len(names) > MOST_TEXTS:
        return f"At most {MOST_TEXTS} guardrails are kept."
    slugs = [name.removeprefix(OF_A_PATH) for name in names if name.startswith(OF_A_PATH)]
    strange = [name for name in names if name not in GUARDRAILS and not name.startswith(OF_A_PATH)]
    if strange:
        return (
            f"{strange[0][:80]!r} is no guardrail: write {', '.join(GUARDRAILS)}, "
            f"or {OF_A_PATH} and the name of a path in addresses."
        )
    if kept["metric"] in names:
        return f"{kept['metric']!r} is the metric itself: leave it out of the guardrails."
    if not slugs:
        return ""
    place = kept["environment"]
    paths = CriticalPath.objects.standing().filter(service=kept["service"], slug__in=slugs)
    asked = {
        path.slug
        for path in paths.prefetch_related("environments")
        if path.asked_in([place]) and path.kind != Kind.HEARTBEAT
    }
    for slug in slugs:
        if slug == kept["path"].slug:
            return f"{OF_A_PATH}{slug} is the path of the change itself: leave it out."
        if slug not in asked:
            return f"No path {slug[:60]} of {kept['service'].name} is asked in {place.slug}."
    return ""


def _numbers(kept: dict[str, Any]) -> dict[str, str]:
    found = {}
    for name, sentence, least, most in (
        ("samples", "Samples a side are from {} to {}.", FEWEST_SAMPLES, MOST_SAMPLES),
        ("margin", "A margin is a share from {} to {}.", 0.01, 1),
        ("rate", "Requests a second are from {} to {}.", 0.1, 10),
        ("warm_up_seconds", "A warm-up takes {} to {} seconds.", 0, LONGEST_WARM_UP),
        ("warm_up_samples", "A warm-up drops {} to {} samples.", 0, MOST_WARM_UP_SAMPLES),
        ("lasts", "A window takes {} to {} hours.", 1, LONGEST_HOURS),
        ("goal", "A goal is a share from {} to {}.", 0, 0.99),
        ("equivalence", "A share within which nothing changed is from {} to {}.", 0.01, 1),
    ):
        value = kept[name]
        if value is None and name in ("goal", "equivalence"):
            continue
        if value is None or not isfinite(value) or not least <= value <= most:
            found[name] = sentence.format(least, most)
    equivalence = kept["equivalence"]
    is_read = equivalence is not None and not {"equivalence", "margin"} & found.keys()
    if is_read and equivalence < kept["margin"]:
        found["equivalence"] = "What counts as no change cannot be less than the margin."
    return found


def _asking(wanted: Wanted) -> dict[str, str]:
    """What the kind of the path allows."""
    path = wanted.path
    found = {}
    is_http = path.kind == Kind.HTTP
    asks_cold = wanted.mode in (Mode.HIT_AND_MISS, Mode.MISSES)
    if path.kind == Kind.HEARTBEAT:
        found["path"] = "A heartbeat is not asked and has no response time: choose another path."
    elif not is_http and wanted.metric == Metric.DB_CALLS:
        found["metric"] = f"A {path.get_kind_display()} tells no database calls: compare the time."
    elif not is_http and "db calls" in wanted.guardrails:
        found["guardrails"] = f"A {path.get_kind_display()} tells no database calls: leave it out."
    if not is_http and wanted.sampling == Sampling.BURST:
        found["sampling"] = "A burst asks over HTTP: take the path's own probes."
    if asks_cold and wanted.sampling != Sampling.BURST:
        found["mode"] = "Only a burst asks for misses: take a burst, or ask as users ask."
    elif asks_cold and not _can_ask_cold(path):
        found["mode"] = (
            "Misses are asked for with GET or HEAD, or by a path of one step: ask as users ask."
        )
    return found


def _can_ask_cold(path: CriticalPath) -> bool:
    if path.steps:
        return len(path.steps) == 1
    return path.kind == Kind.HTTP and path.method in SAFE
