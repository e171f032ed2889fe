"""Several small readings in one round trip to the database: a page has many, and each costs one."""

import json
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import lru_cache, reduce
from operator import or_
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import (
    FETCH_RAISE,
    BooleanField,
    CharField,
    DateField,
    DateTimeField,
    Expression,
    F,
    Field,
    JSONField,
    Model,
    Q,
    QuerySet,
    TimeField,
    Value,
)
from django.db.models.functions import JSONArray

# What is read, and its columns: names as in `values`. None: whole rows.
type Part = tuple[QuerySet[Any, Any], Sequence[str] | None]
type Found = dict[str, Any]
# More than there are kinds of them: one that is about a single thing is kept while it is read.
MOST_KEPT = 256


class Given(Expression):
    """Stands in a kept statement for a value that is told each time it is read."""

    def __init__(self, name: str, output_field: "Field[Any, Any]") -> None:
        super().__init__(output_field=output_field)
        self.name = name

    def as_sql(self, _compiler: object, _connection: object) -> tuple[str, Any]:
        return "%s", [self]


NOW = Given("now", DateTimeField())
# Where a statement may be kept, what is asked of a moment is asked of NOW.
type Moment = datetime | Given
# The same of an id, or of microseconds since 1970.
type Number = int | Given


def read_together(**parts: Part) -> dict[str, list[Any]]:
    """Rows by the name of their part, in no order. One query.

    Each as `values` would give it, or where no columns are named as `load_together` does.
    """
    return Statement.of(parts).read()


def load_together(**parts: QuerySet[Any]) -> dict[str, list[Any]]:
    """Whole rows by the name of their part, with what each selects as related. One query.

    In no order, without what is annotated, and what else is read of them raises.
    """
    return Statement.of(whole(parts)).read()


def whole(parts: Mapping[str, QuerySet[Any]]) -> dict[str, Part]:
    return {name: (rows, None) for name, rows in parts.items()}


@lru_cache(maxsize=MOST_KEPT)
def kept_rows(rows: Callable[..., QuerySet[Any, Any]], *about: Hashable) -> "Rows":
    """As `kept`, of one reading of many rows: those of `values_list`, in its order."""
    return Rows.of(rows(*about))


@lru_cache(maxsize=MOST_KEPT)
def kept(parts: Callable[..., Mapping[str, Part]], *about: Hashable) -> "Statement":
    """What `read_together` would ask of `parts(*about)`, written once.

    Django takes longer to write a large statement than PostgreSQL to answer it. All that differs
    from one reading to the next is in `about`, or is Given.
    """
    return Statement.of(parts(*about))


@dataclass(frozen=True, slots=True)
class _Arm:
    """One part: what is asked for, and what is made of it."""

    rows: QuerySet[Any, Any]
    columns: Sequence[str]
    is_whole: bool
    # What JSON does not keep, by column.
    restored: Mapping[str, Callable[[Any], Any]]

    @classmethod
    def of(cls, rows: QuerySet[Any, Any], columns: Sequence[str] | None) -> "_Arm":
        query = rows.query.chain()
        wanted = list(_columns(rows.model, _related(rows))) if columns is None else columns
        kinds = {one: type(F(one).resolve_expression(query).output_field) for one in wanted}
        restored = {one: _RESTORED[kind] for one, kind in kinds.items() if kind in _RESTORED}
        return cls(rows, wanted, columns is None, restored)

    def asked_as(self, name: str) -> QuerySet[Any, Any]:
        values = JSONArray(*(F(column) for column in self.columns))
        return self.rows.order_by().values_list(Value(name, output_field=CharField()), values)

    def made(self, values: Sequence[Any]) -> Any:
        row = dict(zip(self.columns, values, strict=True))
        for column, restore in self.restored.items():
            row[column] = restore(row[column])
        return _with_related(self.rows.model, _related(self.rows), row) if self.is_whole else row


@dataclass(frozen=True, slots=True)
class Statement:
    """One query that several readings are."""

    # "": no part can have rows.
    sql: str
    params: Sequence[Any]
    arms: Mapping[str, _Arm]

    @classmethod
    def of(cls, parts: Mapping[str, Part]) -> "Statement":
        arms = {name: _Arm.of(*part) for name, part in parts.items()}
        first, *others = (arm.asked_as(name) for name, arm in arms.items())
        try:
            sql, params = first.union(*others, all=True).query.sql_with_params()
        except EmptyResultSet:
            return cls("", (), arms)
        return cls(sql, params, arms)

    def read(self, **given: object) -> dict[str, list[Any]]:
        """By part; as `read_together` and `load_together` do. `given`: each Given by its name."""
        found: dict[str, list[Any]] = {name: [] for name in self.arms}
        for name, values in self._rows(given):
            found[name].append(self.arms[name].made(json.loads(values)))
        return found

    def _rows(self, given: Mapping[str, object]) -> list[tuple[Any, ...]]:
        return _answer(self.sql, self.params, given) if self.sql else []


@dataclass(frozen=True, slots=True)
class Rows:
    """One query, and what makes of the values of each row what `values_list` gives."""

    sql: str
    params: Sequence[Any]
    converted: Mapping[int, tuple[Sequence[Callable[..., Any]], Any]]

    @classmethod
    def of(cls, rows: QuerySet[Any, Any]) -> "Rows":
        compiler = rows.query.get_compiler("default")
        sql, params = compiler.as_sql()
        return cls(sql, params, compiler.get_converters([one for one, *_ in compiler.select]))

    def read(self, **given: object) -> list[tuple[Any, ...]]:
        """`given`: each Given by its name."""
        rows = _answer(self.sql, self.params, given)
        return [self._converted(row) for row in rows] if self.converted else rows

    def _converted(self, row: Sequence[Any]) -> tuple[Any, ...]:
        values = list(row)
        for place, (converters, expression) in self.converted.items():
            for convert in converters:
                values[place] = convert(values[place], expression, connection)
        return tuple(values)


def _answer(sql: str, params: Sequence[Any], given: Mapping[str, object]) -> list[tuple[Any, ...]]:
    told = [_told(one, given) if isinstance(one, Given) else one for one in params]
    with connection.cursor() as cursor:
        cursor.execute(sql, told)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def _told(one: Given, given: Mapping[str, object]) -> Any:
    return one.output_field.get_db_prep_value(given[one.name], connection)


def one_of(field: str, values: Iterable[object]) -> Q:
    """That a column has one of some values, each of which may be Given. Raises on none."""
    return reduce(or_, (Q(**{field: one}) for one in values))


def columns_of(model: type[Model], prefix: str = "") -> tuple[str, ...]:
    """All of them, so that `built` makes a whole row; `prefix` as in "team__"."""
    return tuple(f"{prefix}{field.attname}" for field in model._meta.concrete_fields)


def built[T: Model](model: type[T], row: Found, prefix: str = "") -> T:
    """What a row of `columns_of` is, as if it had been read by itself; what else it has raises."""
    names = [field.attname for field in model._meta.concrete_fields]
    values = [row[f"{prefix}{name}"] for name in names]
    return model.from_db("default", names, values, fetch_mode=FETCH_RAISE)


type _Related = Mapping[str, "_Related"]


def _related(rows: QuerySet[Any]) -> _Related:
    related = rows.query.select_related
    return related if isinstance(related, dict) else {}


def _columns(model: type[Model], related: _Related, prefix: str = "") -> Iterator[str]:
    yield from columns_of(model, prefix)
    for name, further in related.items():
        yield from _columns(_model_of(model, name), further, f"{prefix}{name}__")


def _with_related(model: type[Model], related: _Related, row: Found, prefix: str = "") -> Any:
    made = built(model, row, prefix)
    for name, further in related.items():
        target, there = _model_of(model, name), f"{prefix}{name}__"
        is_there = row[f"{there}{target._meta.pk.attname}"] is not None
        setattr(made, name, _with_related(target, further, row, there) if is_there else None)
    return made


def _model_of(model: type[Model], name: str) -> Any:
    return model._meta.get_field(name).related_model


def _time(value: str | None) -> datetime | None:
    """SQLite keeps UTC and does not say so."""
    if value is None:
        return None
    at = datetime.fromisoformat(value)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _date(value: str | None) -> date | None:
    return None if value is None else date.fromisoformat(value)


def _clock(value: str | None) -> time | None:
    return None if value is None else time.fromisoformat(value)


def _truth(value: object) -> bool | None:
    return None if value is None else bool(value)


def _json(value: object) -> object:
    return json.loads(value) if isinstance(value, str) else value


_RESTORED: dict[type, Callable[[Any], Any]] = {
    DateTimeField: _time,
    DateField: _date,
    TimeField: _clock,
    BooleanField: _truth,
    JSONField: _json,
}
