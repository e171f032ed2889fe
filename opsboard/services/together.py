"""Several small readings in one round trip to the database: a page has many, and each costs one."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from django.db.models import BooleanField, CharField, DateTimeField, F, JSONField, QuerySet, Value
from django.db.models.functions import JSONObject

# What is read, and its columns: names as in `values`.
type Part = tuple[QuerySet[Any, Any], Sequence[str]]
type Found = dict[str, Any]


def read_together(**parts: Part) -> dict[str, list[Found]]:
    """Rows by the name of their part, each as `values` would give it, in no order. One query."""
    first, *others = (_arm(name, *part) for name, part in parts.items())
    found: dict[str, list[Found]] = {name: [] for name in parts}
    for name, row in first.union(*others, all=True):
        found[name].append(row)
    for name, part in parts.items():
        _restore(found[name], part)
    return found


def _arm(name: str, rows: QuerySet[Any, Any], columns: Sequence[str]) -> QuerySet[Any, Any]:
    row = JSONObject(**{column: F(column) for column in columns})
    return rows.order_by().values_list(Value(name, output_field=CharField()), row)


def _restore(rows: Sequence[Found], part: Part) -> None:
    """JSON has no times, and SQLite's no truth and no JSON within."""
    if not rows:
        return
    found, columns = part
    query = found.query.chain()
    for column in columns:
        kind = type(F(column).resolve_expression(query).output_field)
        if restore := _RESTORED.get(kind):
            for row in rows:
                row[column] = restore(row[column])


def _time(value: str | None) -> datetime | None:
    """SQLite keeps UTC and does not say so."""
    if value is None:
        return None
    at = datetime.fromisoformat(value)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _truth(value: object) -> bool | None:
    return None if value is None else bool(value)


def _json(value: object) -> object:
    return json.loads(value) if isinstance(value, str) else value


_RESTORED: dict[type, Callable[[Any], Any]] = {
    DateTimeField: _time,
    BooleanField: _truth,
    JSONField: _json,
}
