"""What is wrong inside one service of a file, beyond its single values."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.conf import settings

from opsboard.board.declared import Declared
from opsboard.board.format import LONGEST_NOTE
from opsboard.board.things import SERVICE
from opsboard.expectations.nearest import did_you_mean
from opsboard.expectations.windows import check_window
from opsboard.rollbacks.words import refuse_words, wrong_words
from opsboard.services.kinds import uses
from opsboard.services.sheets import check_locations, clauses_of

type Steps = tuple[str | int, ...]
# Where it stands below its service, and one sentence.
type Found = tuple[Steps, str]


def check_within(declared: Declared, slug: str, service: Mapping[str, Any]) -> None:
    found = [*_note(service["rollback_note"], ("rollback_note",))]
    for name, path in service["paths"].items():
        at: Steps = ("paths", name)
        found += _path(path, at, tuple(service["environments"]))
        found += _note(path["rollback_note"], (*at, "rollback_note"))
    declared.errors.extend(
        declared.place(SERVICE, slug, *steps).wrong(sentence) for steps, sentence in found
    )


def _path(path: Mapping[str, Any], at: Steps, environments: tuple[str, ...]) -> Iterator[Found]:
    if path["timeout"] >= path["interval"] and uses(path["kind"], "timeout"):
        stands = (*at, "timeout")
        yield stands, "The timeout must be shorter than the interval, or the next probe begins."
    for problem in check_locations(path["locations"], settings.LOCATIONS):
        yield (*at, *problem.at), problem.sentence
    for number, slug in enumerate(path["environments"]):
        if slug not in environments:
            known = did_you_mean(slug, environments, {}) if environments else "it has none."
            stands = (*at, "environments", number)
            yield stands, f"Unknown environment {slug} of this service; {known}"
    yield from _windows(path, at)


def _windows(path: Mapping[str, Any], at: Steps) -> Iterator[Found]:
    for number, line in enumerate(path["expect"]):
        for clause in clauses_of(line):
            if clause.window and (wrong := check_window(clause, path["interval"])):
                yield (*at, "expect", number), wrong


def _note(note: Mapping[str, Any] | None, at: Steps) -> Iterator[Found]:
    if not note:
        return
    if not note["steps"]:
        yield (*at, "steps"), "A rollback note has at least one step."
    for number, step in enumerate(note["steps"]):
        if step["run"] and not step["see"]:
            stands = (*at, "steps", number, "run")
            yield stands, "Say with see what the person should see, so they know that it worked."
        for name, text in step.items():
            if wrong := wrong_words(text):
                yield (*at, "steps", number, name), wrong
    for name in ("title", "use_when", "does_not_undo"):
        if wrong := refuse_words(note[name]):
            yield (*at, name), wrong
    texts = [note["title"], note["use_when"], note["does_not_undo"]]
    texts += [text for step in note["steps"] for text in step.values()]
    size = sum(len(text.encode()) for text in texts)
    if size > LONGEST_NOTE:
        yield at, f"A note has at most 64 KiB, and this has {size // 1024 + 1}."
