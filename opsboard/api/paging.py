"""Long lists, a page at a time: each page says where the next one begins.

A cursor holds the place of the last item, not a number of items: what is added meanwhile neither
repeats nor hides anything. It is sealed, so that nobody asks with one that this board did not give.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import reduce
from operator import attrgetter, or_
from typing import Any

from django.core import signing
from django.db.models import Model, Q, QuerySet
from ninja import Field, Schema

from opsboard.api.problems import problem

SALT = "opsboard.api.paging"
MOST = 200


class Paging(Schema):
    """What every list may be asked for, as `asked: Query[Paging]`; filters are further fields."""

    cursor: str = Field(
        "", max_length=1000, description="`next` of the page before; without it, the first page."
    )
    limit: int = Field(50, ge=1, le=MOST, description="How many items a page has at most.")


def page[M: Model](
    found: QuerySet[M], order: Sequence[str], cursor: str, limit: int
) -> dict[str, Any]:
    """`{"items": [...], "next": cursor or None}`, in one query.

    `order` names fields as order_by does; together they must be unique and never NULL: end it
    with "pk". Raises Problem 400 for a cursor that is not of this list.
    """
    if cursor:
        found = found.filter(_after(order, _open(cursor, order)))
    items = list(found.order_by(*order)[: limit + 1])
    more = len(items) > limit
    items = items[:limit]
    return {"items": items, "next": _seal(items[-1], order) if more else None}


def _after(order: Sequence[str], place: Sequence[Any]) -> Q:
    """What comes after the place: less or more in one field, the same in all before it."""
    ways, same = [], Q()
    for name, value in zip(order, place, strict=True):
        field, compare = name.removeprefix("-"), "lt" if name.startswith("-") else "gt"
        ways.append(same & Q(**{f"{field}__{compare}": value}))
        same &= Q(**{field: value})
    return reduce(or_, ways)


def _seal(last: Model, order: Sequence[str]) -> str:
    names = [name.removeprefix("-").replace("__", ".") for name in order]
    values = [_written(attrgetter(name)(last)) for name in names]
    return signing.Signer(salt=SALT).sign_object([list(order), values])


def _open(cursor: str, order: Sequence[str]) -> list[Any]:
    try:
        of, values = signing.Signer(salt=SALT).unsign_object(cursor)
    except (signing.BadSignature, ValueError):
        of, values = None, []
    if of != list(order):
        raise problem(
            400,
            "wrong_cursor",
            "This cursor is none of this list: begin again without it.",
            field="cursor",
        )
    return [_read(value) for value in values]


def _written(value: Any) -> Any:
    if isinstance(value, datetime):
        return {"at": value.isoformat()}
    return value if isinstance(value, (int, float)) else str(value)


def _read(value: Any) -> Any:
    return datetime.fromisoformat(value["at"]) if isinstance(value, dict) else value
