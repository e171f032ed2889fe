"""Board files: what an apply of them would do, and doing it.

The values of `references` stand in for the ${NAME} of the files. They are never answered, kept in
the clear or logged.
"""

from collections.abc import Iterator
from typing import Annotated, Any

from django.http import HttpRequest
from django.utils import timezone
from ninja import Field
from pydantic import SecretStr, StringConstraints

from opsboard.api.answers import Answer, Router, one_of
from opsboard.api.bodies import Body
from opsboard.api.door import actor_of, require
from opsboard.api.fields import Line
from opsboard.api.problems import Error, Problem, error, problem
from opsboard.board.applying import told
from opsboard.board.changing import (
    AnotherApplyError,
    ChangedMeanwhileError,
    Prepared,
    apply,
    prepare,
)
from opsboard.board.declared import Declared
from opsboard.board.planning import Act, Change, Plan
from opsboard.board.reading import read_board
from opsboard.board.sources import Source, Wrong, decode
from opsboard.board.things import KINDS, VARIABLE, subject
from opsboard.people.audit import record
from opsboard.people.tokens import APPLY

router = Router(tags=["board"])
MOST_FILES = 200
MOST_ERRORS = 200
# The body itself is bounded: see opsboard.api.strict_json.
LONGEST_FILE = 256 * 1024
MOST_REFERENCES = 500

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=200)]


class File(Body):
    name: Line = Field(max_length=200, description="As errors name it: `fares.yaml`.")
    text: str = Field(max_length=LONGEST_FILE)


class Files(Body):
    files: list[File] = Field(min_length=1, max_length=MOST_FILES)
    prune: bool = Field(False, description="Also remove what is on the board and in no file.")
    references: dict[Name, SecretStr] = Field(
        default_factory=dict,
        max_length=MOST_REFERENCES,
        description="The value of each ${NAME} of the files. Never answered or logged.",
    )


class ThingSeen(Answer):
    kind: Annotated[str, one_of(KINDS)]
    name: str


class ForgottenSeen(ThingSeen):
    file: str = Field(description="The file that it was in.")


class FieldSeen(Answer):
    field: str
    old: str = Field(description="A secret is shown as such.")
    new: str


class ChangeSeen(ThingSeen):
    can_be_brought_back: bool
    fields: list[FieldSeen]


class PlanSeen(Answer):
    is_empty: bool = Field(description="true: the board is as the files say.")
    added: list[ChangeSeen]
    changed: list[ChangeSeen]
    brought_back: list[ChangeSeen]
    removed: list[ChangeSeen]
    staying: list[ThingSeen] = Field(description="On the board and in no file: `prune` removes it.")
    not_declared_any_more: list[ForgottenSeen]
    warnings: list[str]


@router.post("/board/plan", response=PlanSeen, summary="Plan board files")
def plan(request: HttpRequest, sent: Files) -> dict[str, Any]:
    """What an apply of these files would do. Nothing is changed."""
    prepared = _prepare(request, sent)
    names = {"files": [one.name for one in sent.files]}
    record(actor_of(request), "planned", "board files", "board", now=timezone.now(), after=names)
    return plan_json(prepared)


@router.post("/board/apply", response=PlanSeen, summary="Apply board files")
def apply_files(request: HttpRequest, sent: Files) -> dict[str, Any]:
    """Bring the board in line with these files: all of it, or nothing."""
    prepared = _prepare(request, sent)
    names = {"files": [one.name for one in sent.files]}
    now = timezone.now()
    if not prepared.is_empty:
        _apply(request, sent, prepared)
    record(actor_of(request), "applied", "board files", "board", now=now, after=names)
    return plan_json(prepared)


def _prepare(request: HttpRequest, sent: Files) -> Prepared:
    """Raises Problem 403, and 422 with every mistake of the files."""
    token = require(request, APPLY)
    if token.services:
        raise problem(403, "forbidden", "Board files are about every service: this token is not.")
    declared = _read(sent)
    prepared = prepare(
        declared,
        environ=_values(sent),
        prune=sent.prune,
        actor=actor_of(request),
        now=timezone.now(),
    )
    if prepared.errors:
        raise Problem(422, list(_errors(prepared.errors, sent)))
    return prepared


def _read(sent: Files) -> Declared:
    """What the files say, with what is wrong of them."""
    read = [decode(one.name, one.text.encode()) for one in sent.files]
    declared = read_board([one for one in read if isinstance(one, Source)])
    declared.errors[:0] = [one for one in read if isinstance(one, Wrong)]
    return declared


def _values(sent: Files) -> dict[str, str]:
    return {name: value.get_secret_value() for name, value in sent.references.items()}


def _errors(found: list[Wrong], sent: Files) -> Iterator[Error]:
    """Each with its place in the file in its sentence, and the file in its pointer."""
    at = {one.name: number for number, one in enumerate(sent.files)}
    errors = sorted(found, key=lambda one: (at.get(one.path, 0), one.line, one.column))
    for one in errors[:MOST_ERRORS]:
        pointer = f"/files/{at[one.path]}/text" if one.path in at else "/files"
        yield error("board_file", str(one), pointer=pointer)
    if len(errors) > MOST_ERRORS:
        more = f"There are {len(errors) - MOST_ERRORS:,} more errors."
        yield error("board_file", more, pointer="/files")


def _apply(request: HttpRequest, sent: Files, prepared: Prepared) -> None:
    try:
        apply(
            prepared,
            environ=_values(sent),
            prune=sent.prune,
            actor=actor_of(request),
            now=timezone.now(),
            progress=lambda *_: None,
        )
    except (AnotherApplyError, ChangedMeanwhileError) as refusal:
        raise problem(409, "not_applied", f"{refusal} Nothing was changed.") from refusal


def plan_json(prepared: Prepared) -> dict[str, Any]:
    """Secrets are in it as "a secret" only."""
    plan = prepared.plan
    return {
        "is_empty": prepared.is_empty,
        "added": [_change(one, plan) for one in plan.having(Act.ADDED)],
        "changed": [_change(one, plan) for one in plan.having(Act.CHANGED)],
        "brought_back": [_change(one, plan) for one in plan.having(Act.RESTORED)],
        "removed": [_change(one, plan) for one in plan.having(Act.REMOVED)],
        "staying": [{"kind": thing[0], "name": subject(thing)} for thing in plan.staying],
        "not_declared_any_more": [
            {"kind": mark.kind, "name": mark.slug, "file": mark.file}
            for mark in prepared.marks.gone
        ],
        "warnings": [str(one) for one in prepared.checked.warnings],
    }


def _change(change: Change, plan: Plan) -> dict[str, Any]:
    before, after = told(change, plan)
    names = [name for name in {**before, **after} if before.get(name, "") != after.get(name, "")]
    return {
        "kind": change.thing[0],
        "name": subject(change.thing),
        # A secret's value is gone with its variable.
        "can_be_brought_back": not (change.act is Act.REMOVED and change.thing[0] == VARIABLE),
        "fields": [
            {"field": name, "old": before.get(name, ""), "new": after.get(name, "")}
            for name in names
        ],
    }
