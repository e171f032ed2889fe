"""Numbers and shares as people write them: what is wrong stays as typed."""

import re
from typing import Any

from django.core.exceptions import ValidationError

from opsboard.web.forms.fields import LineField, text_input

_NUMBER = re.compile(r"[0-9]{1,6}(\.[0-9]{1,4})?")


class NumberField(LineField):
    """A number such as 2 or 0.5; None when it may be left empty and is."""

    def __init__(self, *, low: float, high: float, **kwargs: Any) -> None:
        super().__init__(**{"widget": text_input(inputmode="decimal")} | kwargs)
        self.low, self.high = low, high

    def prepare_value(self, value: Any) -> Any:
        return f"{value:g}" if isinstance(value, (int, float)) else value

    def clean(self, value: Any) -> float | None:
        # What it gives back is not what it reads: a number, not text. A locked field reads its own.
        if isinstance(value, (int, float)):
            return value
        text = super().clean(value).removesuffix("%").strip().replace(",", ".")
        if not text:
            return None
        if not _NUMBER.fullmatch(text) or not self.low <= float(text) <= self.high:
            raise ValidationError(f"Write a number from {self.low:g} to {self.high:g}.")
        return float(text)


class PercentField(NumberField):
    """A share, written in percent: 0.1 is "10"."""

    def prepare_value(self, value: Any) -> Any:
        return super().prepare_value(
            round(100 * value, 4) if isinstance(value, (int, float)) else value
        )

    def clean(self, value: Any) -> float | None:
        percent = super().clean(value)
        if percent is None or isinstance(value, (int, float)):
            return percent
        return round(percent / 100, 6)
