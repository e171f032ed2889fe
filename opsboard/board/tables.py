"""The tables of a backup, and their values as JSON: written plainly, read strictly.

Every table of the rooms is kept unless it is named here, so that a new one is not forgotten.
"""

import base64
import binascii
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from ipaddress import ip_address
from math import isfinite
from typing import Any
from uuid import UUID

from django.apps import apps
from django.contrib.auth.models import User
from django.db import connection, models
from django.db.backends.base.operations import BaseDatabaseOperations

from opsboard.board.models import Errand
from opsboard.people.models import LinkRequest, PasswordTry, SignInLink
from opsboard.probes.models import Shift

# Ways in, who is at work, and at what: they are of the board that ran, not of the one restored.
LEFT_OUT: frozenset[type[models.Model]] = frozenset(
    {SignInLink, LinkRequest, PasswordTry, Shift, Errand}
)
# A lease is of a process that is gone.
LEASES = frozenset({"leased_until", "claim_id"})

Read = Callable[[Any], Any]


class WrongValueError(Exception):
    """A value is not one that its column can hold."""


@dataclass(frozen=True, slots=True)
class Column:
    field: Any
    write: Read | None
    # Raises WrongValueError.
    read: Read

    @property
    def name(self) -> str:
        return str(self.field.column)


@dataclass(frozen=True, slots=True)
class Table:
    model: type[models.Model]
    columns: tuple[Column, ...]

    @property
    def name(self) -> str:
        return self.model._meta.db_table

    @property
    def column_names(self) -> list[str]:
        return [column.name for column in self.columns]

    def count(self) -> int:
        return self.model._base_manager.count()

    def rows(self, at_once: int) -> Iterator[list[Any]]:
        """Every row as a list of JSON values, in no order."""
        names = [column.field.attname for column in self.columns]
        writes = [(at, column.write) for at, column in enumerate(self.columns) if column.write]
        found = self.model._base_manager.order_by().values_list(*names)
        for values in found.iterator(chunk_size=at_once):
            row = list(values)
            for at, write in writes:
                if row[at] is not None:
                    row[at] = write(row[at])
            yield row

    def read(self, row: list[Any]) -> list[Any]:
        """The values of a row as the database takes them. Raises WrongValueError."""
        if len(row) != len(self.columns):
            raise WrongValueError(f"a row of {self.name} has {len(row)} values")
        return [column.read(value) for column, value in zip(self.columns, row, strict=True)]


def kept_tables() -> list[Table]:
    kept = [model for model in _models() if model not in LEFT_OUT]
    return [_table(model) for model in sorted(kept, key=lambda model: model._meta.db_table)]


def _models() -> Iterable[type[models.Model]]:
    yield User
    for app in apps.get_app_configs():
        if app.name.startswith("opsboard."):
            yield from app.get_models(include_auto_created=True)


def _table(model: type[models.Model]) -> Table:
    fields = [f for f in model._meta.concrete_fields if f.column not in LEASES]
    return Table(model, tuple(_column(field) for field in fields))


def _column(field: Any) -> Column:
    target = field
    while target.is_relation:
        target = target.target_field
    return Column(field, _writing(target), _reading(field, target))


# Writing -----------------------------------------------------------------------------------


def _writing(field: Any) -> Read | None:
    """None: JSON has the value as it is."""
    if isinstance(field, (models.DateField, models.TimeField)):
        return lambda value: value.isoformat()
    if isinstance(field, models.BinaryField):
        return lambda value: base64.b64encode(bytes(value)).decode()
    return str if isinstance(field, models.UUIDField) else None


# Reading -----------------------------------------------------------------------------------


def _reading(field: Any, target: Any) -> Read:
    place = f"{field.model._meta.db_table}.{field.column}"
    judge, is_nullable = _judging(target), field.null
    allowed = None if not field.choices else {value for value, _ in field.flatchoices}

    def read(value: Any) -> Any:
        if value is None and is_nullable:
            # As a rule None; a column that is never NULL has a number for it.
            return field.get_prep_value(None)
        try:
            stored = judge(value)
        except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
            raise WrongValueError(f"{place} holds a value it cannot have") from None
        if allowed is not None and value not in allowed and value != "":
            raise WrongValueError(f"{place} holds a value it cannot have")
        return stored

    return read


def _judging(field: Any) -> Read:
    """A function from JSON to what the database takes. It raises ValueError or TypeError."""
    ranges = BaseDatabaseOperations.integer_field_ranges
    if field.get_internal_type() in ranges:
        return _whole_number(*ranges[field.get_internal_type()])
    for kind, judge in _KINDS:
        if isinstance(field, kind):
            return judge(field)
    raise TypeError(f"a backup does not know {type(field).__name__}")


def _whole_number(least: int, most: int) -> Read:
    def judge(value: Any) -> int:
        if type(value) is not int or not least <= value <= most:
            raise ValueError
        return value

    return judge


def _number(_: Any) -> Read:
    def judge(value: Any) -> float:
        # A whole one may be written without its point. Neither NaN nor infinite is a number here.
        if type(value) not in (int, float) or not isfinite(value):
            raise ValueError
        return float(value)

    return judge


def _truth(_: Any) -> Read:
    def judge(value: Any) -> bool:
        if type(value) is not bool:
            raise ValueError
        return value

    return judge


def _text(field: Any) -> Read:
    longest = field.max_length

    def judge(value: Any) -> str:
        if type(value) is not str or (longest is not None and len(value) > longest):
            raise ValueError
        return _storable(value)

    return judge


def _storable(text: str) -> str:
    """PostgreSQL refuses NUL, and nothing can encode half a character."""
    if "\0" in text:
        raise ValueError
    text.encode()
    return text


def _time(field: Any) -> Read:
    def judge(value: Any) -> Any:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise ValueError
        return field.get_db_prep_save(moment, connection)

    return judge


def _day(field: Any) -> Read:
    return lambda value: field.get_db_prep_save(date.fromisoformat(value), connection)


def _hour(field: Any) -> Read:
    return lambda value: field.get_db_prep_save(time.fromisoformat(value), connection)


def _identifier(field: Any) -> Read:
    return lambda value: field.get_db_prep_save(UUID(value), connection)


def _octets(field: Any) -> Read:
    def judge(value: Any) -> Any:
        try:
            octets = base64.b64decode(value, validate=True)
        except binascii.Error:
            raise ValueError from None
        return field.get_db_prep_save(octets, connection)

    return judge


def _json(field: Any) -> Read:
    def judge(value: Any) -> Any:
        if value is None:
            raise ValueError
        for text in _texts(value):
            _storable(text)
        json.dumps(value, allow_nan=False)
        return field.get_db_prep_save(value, connection)

    return judge


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from value
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)


def _address(field: Any) -> Read:
    return lambda value: field.get_db_prep_save(str(ip_address(str(value))), connection)


# The first that fits: a DateTimeField is a DateField too.
_KINDS: tuple[tuple[type[Any], Callable[[Any], Read]], ...] = (
    (models.BooleanField, _truth),
    (models.FloatField, _number),
    (models.DateTimeField, _time),
    (models.DateField, _day),
    (models.TimeField, _hour),
    (models.UUIDField, _identifier),
    (models.BinaryField, _octets),
    (models.JSONField, _json),
    (models.GenericIPAddressField, _address),
    (models.CharField, _text),
    (models.TextField, _text),
)
