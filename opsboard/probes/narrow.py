"""How an observation is stored in few bytes: a board keeps tens of millions of them.

A row of PostgreSQL holds 24 bytes beside its values, 32 as soon as one of them is NULL, and is
rounded up to 8. So what takes a few bits shares one column, and no value is ever NULL: it is 80.
"""

from dataclasses import dataclass
from typing import Any

from django.db import models
from django.db.models import F
from django.db.models.expressions import CombinedExpression

# Stands for None in a column that is never NULL.
NOTHING = -1
# Between a reason and what follows it. No text that is stored has such a character.
UNIT = "\x1f"


class KeyOfProbe(models.ForeignKey[Any, Any]):
    """A foreign key of 4 bytes: two thousand million probes are enough."""

    def db_type(self, connection: Any) -> str:  # noqa: ARG002 - Django's signature
        return "integer"


class _OrNone:
    """None is stored as NOTHING. Lookups by None find no row."""

    def get_prep_value(self, value: Any) -> Any:
        return NOTHING if value is None else super().get_prep_value(value)  # type: ignore[misc]

    def from_db_value(self, value: Any, *_: object) -> Any:
        return None if value == NOTHING else value


class IntegerOrNone(_OrNone, models.IntegerField):  # type: ignore[type-arg]
    pass


class SmallIntegerOrNone(_OrNone, models.SmallIntegerField):  # type: ignore[type-arg]
    pass


@dataclass(frozen=True, slots=True)
class Bits:
    """Some of the bits of the column `flags`, as a number."""

    first: int
    count: int

    @property
    def most(self) -> int:
        return (1 << self.count) - 1

    def put(self, value: int) -> int:
        """The part of `flags` that says `value`."""
        return (int(value) & self.most) << self.first

    def read(self, flags: int) -> int:
        return flags >> self.first & self.most

    def sql(self, flags: str, *values: int) -> str:
        """Whether it is one of the values, for a statement; the same on both databases.

        `flags` names the column. Nothing is shifted: that costs more than all else in a sum.
        """
        found = f"({flags} & {self.put(self.most)})"
        among = ", ".join(str(self.put(value)) for value in values)
        return f"{found} = {among}" if len(values) == 1 else f"{found} IN ({among})"

    @property
    def value(self) -> CombinedExpression:
        """For Django's queries."""
        return F("flags").bitrightshift(self.first).bitand(self.most)

    def as_property(self) -> Any:
        def read(one: Any) -> int | bool:
            value = self.read(one.flags)
            return bool(value) if self.count == 1 else value

        def write(one: Any, value: int) -> None:
            one.flags = one.flags & ~self.put(self.most) | self.put(value)

        return property(read, write)


KIND = Bits(0, 2)
VERDICT = Bits(2, 2)
CACHED = Bits(4, 3)
IS_WRONG = Bits(7, 1)
IS_DELAYED = Bits(8, 1)


def flags_of(*, kind: int, verdict: int, cache: int, is_wrong: bool, is_delayed: bool) -> int:
    return (
        KIND.put(kind)
        | VERDICT.put(verdict)
        | CACHED.put(cache)
        | IS_WRONG.put(is_wrong)
        | IS_DELAYED.put(is_delayed)
    )


def join_told(reason: str, steps: str | None) -> str:
    """The reason, and after it what each step did; "" where there is nothing to tell."""
    return reason if steps is None else f"{reason}{UNIT}{steps}"


def split_told(told: str) -> tuple[str, str | None]:
    reason, unit, steps = told.partition(UNIT)
    return reason, steps if unit else None
