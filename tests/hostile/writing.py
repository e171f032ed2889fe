"""Writes a text into every field of the board that a person or a far side fills.

The text goes in beside the doors, at the moment a row is first stored: what a door would refuse is
shown too, as it may stand in a board of long ago. A field that is neither here nor among those that
are not free is found by tests/hostile/test_every_field.py.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

from django.db import models
from django.db.models.signals import pre_save

type Writer = Callable[[], str]
type Made = Callable[[Writer, Any], Any]


def text(write: Writer, _before: Any) -> str:
    return write()


def if_any(write: Writer, before: Any) -> str:
    """It is looked at later: what is not said yet stays so."""
    return write() if before else ""


def texts(write: Writer, before: Any) -> list[str]:
    return [write() for _ in before or [1]]


def pairs(write: Writer, _before: Any) -> list[list[str]]:
    return [[write(), write()]]


def links(write: Writer, _before: Any) -> list[dict[str, str]]:
    return [{"name": write(), "url": f"https://x.example/?{write()}"}]


def facts(write: Writer, _before: Any) -> dict[str, Any]:
    return {write(): write(), write(): [write()], write(): {write(): write()}}


def below(*keys: str) -> Made:
    """Into the texts under these keys, wherever they stand; the rest stays."""

    def made(write: Writer, before: Any) -> Any:
        if isinstance(before, dict):
            return {key: _under(key, write, value) for key, value in before.items()}
        return [made(write, one) for one in before] if isinstance(before, list) else before

    def _under(key: str, write: Writer, value: Any) -> Any:
        if key not in keys:
            return made(write, value)
        if isinstance(value, list):
            return [write() if isinstance(one, str) else made(write, one) for one in value]
        return write() if isinstance(value, str) else value

    return made


STEPS = below("do", "run", "see", "call")
FREE: dict[str, dict[str, Made]] = {
    "auth.User": {"username": text, "first_name": text, "last_name": text},
    "people.AuditEntry": {
        "who": text, "token": text, "act": text, "subject": text,
        "changes": lambda write, _: [{"field": write(), "old": write(), "new": write()}],
    },
    "people.ApiToken": {"name": text},
    "services.Team": {"name": text, "contact": text},
    "services.Service": {
        "name": text, "summary": text, "links": links, "tags": texts, "facts": facts,
    },
    "services.Variable": {"value": text},
    "services.CriticalPath": {
        "name": text, "headers": pairs, "query": pairs, "body": text, "user_notices": text,
        "slow_query_or_command": text,
    },
    "services.Deploy": {"name": text, "tag": text},
    "services.Running": {"commit": text, "config_root": text},
    "services.ConfigKey": {"name": text, "equals": text, "matches": text},
    "services.MaintenanceWindow": {"name": text},
    "rollbacks.NoteVersion": {
        "title": text, "use_when": text, "does_not_undo": text, "steps": STEPS, "reason": text,
        "written_as": text,
    },
    "rollbacks.NoteDraft": {"typed": below("title", "use_when", "does_not_undo", "reason")},
    "rollbacks.Rehearsal": {
        "release": text, "migrations": texts, "outcomes": below("remark"), "remark": text,
        "by_name": text,
    },
    "probes.Beat": {"body": text},
    "probes.Exchange": {"headers": pairs, "excerpt": text},
    "probes.StateChange": {"reason": text},
    "incidents.Incident": {
        "title": text, "afterword": if_any, "acknowledged_as": if_any,
        "cause": lambda write, _: {
            "sentence": write(),
            "deploy": None,
            "moved": [write()],
            "at": None,
        },
    },
    "incidents.IncidentPath": {"reason": text},
    "incidents.TimelineEntry": {"by_name": text, "text": text},
    "alerts.Channel": {"name": text, "last_error": text},
    "alerts.Route": {"name": text},
    "alerts.Silence": {"reason": text},
    "alerts.Notice": {"text": text},
    "alerts.Message": {"last_error": text},
    "alerts.Delivery": {"text": text, "reason": text},
    "changes.Change": {
        "title": text, "purpose": text, "assumptions": texts, "declared_as": text,
    },
    "changes.Comparison": {"began_as": text, "given_up_because": text},
    "changes.Act": {"by_name": text, "command": text, "pattern": text, "remark": text},
    "changes.Burst": {"started_as": text, "trouble": text},
    "releases.Release": {
        "tag": if_any, "summary": text, "named_as": text, "migrations": texts,
    },
    "releases.Evidence": {
        "command": text, "tool": text, "log_tail": text, "assumptions": texts, "by_name": text,
    },
    "releases.Override": {"reason": text},
    "releases.Decision": {"by_name": text, "reason": text},
    "releases.Freeze": {"reason": text},
    "releases.Hold": {"reason": text, "by_name": text, "ended_because": text},
    "releases.GateChoice": {"words": text},
    "releases.ConfigReport": {"by_name": text},
    "board.Declaration": {"file": text},
}  # fmt: skip


# Read as Markdown: there the marks of it are marks, and an address in brackets is a link.
MARKDOWN = {
    "services.CriticalPath.user_notices", "rollbacks.NoteVersion.use_when",
    "rollbacks.NoteVersion.does_not_undo", "rollbacks.NoteVersion.steps",
    "incidents.Incident.afterword", "incidents.TimelineEntry.text", "rollbacks.Rehearsal.remark",
}  # fmt: skip
# Commits, which pages cut to their first letters.
CUT = {"services.Running.commit", "services.Deploy.name"}


class Hand:
    """Writes one text, each time with a number of its own, and remembers what it wrote where."""

    def __init__(self, tail: str) -> None:
        self.tail = tail
        # By the four digits that stand in the text.
        self.written: dict[str, str] = {}
        self.where: dict[str, str] = {}
        self._numbers = count(1)

    def write(self, where: str, longest: int | None) -> str:
        number = f"{next(self._numbers):04d}"
        said = f"QZ{number}ZQ {self.tail}"[:longest]
        self.written[number], self.where[number] = said, where
        return said

    def fill(self, sender: type[models.Model], instance: models.Model, **_: object) -> None:
        # Nobody signs in as it, and nobody can name it.
        if not instance._state.adding or getattr(instance, "username", "") == "opsboard-probe":
            return
        for name, made in FREE.get(sender._meta.label, {}).items():
            field = sender._meta.get_field(name)
            longest = getattr(field, "max_length", None)
            where = f"{sender._meta.label}.{name}"
            before = getattr(instance, name)
            setattr(instance, name, made(lambda: self.write(where, longest), before))  # noqa: B023


@contextmanager
def writing(tail: str) -> Iterator[Hand]:
    """Whatever is stored for the first time here is hostile."""
    hand = Hand(tail)
    pre_save.connect(hand.fill, weak=False)
    try:
        yield hand
    finally:
        pre_save.disconnect(hand.fill)
