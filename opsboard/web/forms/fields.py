"""Fields of more than one form: text that is safe to show, durations, lines, addresses."""

import re
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.core.exceptions import ValidationError

from opsboard.expectations.grammar import ClauseErrors, parse
from opsboard.expectations.units import exact_duration, exact_size, parse_duration, parse_size
from opsboard.services.addresses import check_route
from opsboard.services.rules import (
    Pairs,
    check_name,
    check_slug,
    check_text,
    read_headers,
    read_query,
    write_headers,
    write_query,
)
from opsboard.web.forms.askable import refuse_address

REQUIRED: dict[str, Any] = {"required": "Fill this in."}
_WHOLE = re.compile(r"[0-9]{1,9}")


def text_area(rows: int, *, code: bool = False, **attributes: str) -> forms.Textarea:
    attrs = {"rows": str(rows), **attributes}
    if code:
        attrs |= {"class": "code-in", "spellcheck": "false", "autocapitalize": "off"}
    return forms.Textarea(attrs=attrs)


def text_input(*, code: bool = False, **attributes: str) -> forms.TextInput:
    attrs = {"autocomplete": "off", **attributes}
    if code:
        attrs |= {"class": "code-in", "spellcheck": "false", "autocapitalize": "off"}
    return forms.TextInput(attrs=attrs)


class LineField(forms.CharField):
    """One line of code or address, as typed."""

    default_error_messages = REQUIRED

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("widget", text_input(code=True))
        super().__init__(**kwargs)


class NameField(LineField):
    """One line that pages and alerts show: without controls, not turning the line around."""

    def __init__(self, *, max_length: int = 120, **kwargs: Any) -> None:
        kwargs.setdefault("widget", text_input())
        super().__init__(**kwargs)
        self.longest = max_length

    def clean(self, value: Any) -> str:
        text: str = super().clean(value)
        if wrong := check_name(text, self.longest):
            raise ValidationError(wrong)
        return text


class TextField(forms.CharField):
    """Several lines; line ends become \\n."""

    default_error_messages = REQUIRED

    def __init__(self, *, rows: int = 3, code: bool = False, **kwargs: Any) -> None:
        usual: dict[str, Any] = {"max_length": 10_000, "required": False}
        super().__init__(**usual | {"widget": text_area(rows, code=code)} | kwargs)

    def to_python(self, value: Any) -> str:
        text: str = super().to_python(value) or ""
        return text.replace("\r\n", "\n").replace("\r", "\n")

    def clean(self, value: Any) -> str:
        text: str = super().clean(value)
        if wrong := check_text(text):
            raise ValidationError(wrong)
        return text


class SlugField(LineField):
    """The word that stands for a thing in addresses."""

    def __init__(self, *, max_length: int = 60, **kwargs: Any) -> None:
        super().__init__(max_length=max_length, **kwargs)

    def clean(self, value: Any) -> str:
        slug: str = super().clean(value)
        if slug and (wrong := check_slug(slug)):
            raise ValidationError(wrong)
        return slug


class DurationField(LineField):
    """Whole microseconds, written as "30 s" or "1500 ms"."""

    def __init__(self, *, low: int, high: int, **kwargs: Any) -> None:
        super().__init__(max_length=40, **kwargs)
        self.low, self.high = low, high
        self.range = f"from {exact_duration(low)} to {exact_duration(high)}"

    def prepare_value(self, value: Any) -> Any:
        return exact_duration(value) if isinstance(value, int) else value

    def clean(self, value: Any) -> int | None:
        """None when it may be left empty and is."""
        text: str = super().clean(value)
        if not text:
            return None
        try:
            duration = parse_duration(text)
        except ValueError as error:
            raise ValidationError(f"{error} It may be {self.range}.") from error
        if not self.low <= duration <= self.high:
            raise ValidationError(f"This may be {self.range}.")
        return duration


class SizeField(LineField):
    """Whole bytes, written as "4 MB"; None when it may be left empty and is."""

    def __init__(self, *, high: int, **kwargs: Any) -> None:
        super().__init__(max_length=40, **kwargs)
        self.high = high

    def prepare_value(self, value: Any) -> Any:
        return exact_size(value) if isinstance(value, int) else value

    def clean(self, value: Any) -> int | None:
        text: str = super().clean(value)
        if not text:
            return None
        try:
            size = parse_size(text)
        except ValueError as error:
            raise ValidationError(str(error)) from error
        if not 1 <= size <= self.high:
            raise ValidationError(f"This may be from 1 B to {exact_size(self.high)}.")
        return size


class CountField(LineField):
    """A whole number in plain digits; None when it may be left empty and is."""

    def __init__(self, *, low: int, high: int, **kwargs: Any) -> None:
        super().__init__(**{"widget": text_input(inputmode="numeric")} | kwargs)
        self.low, self.high = low, high

    def clean(self, value: Any) -> int | None:
        text: str = super().clean(value)
        if not text:
            return None
        if not _WHOLE.fullmatch(text) or not self.low <= int(text) <= self.high:
            raise ValidationError(f"Write a whole number from {self.low} to {self.high}.")
        return int(text)


class PairsField(TextField):
    """Lines of a name and a value; every line that is wrong is told."""

    def __init__(self, *, are_headers: bool, **kwargs: Any) -> None:
        super().__init__(code=True, max_length=60_000, **kwargs)
        self.read = read_headers if are_headers else read_query
        self.write = write_headers if are_headers else write_query

    def prepare_value(self, value: Any) -> Any:
        return self.write(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> Pairs:  # type: ignore[override]
        # What it gives back is not what it reads: pairs, not text.
        pairs, errors = self.read(super().clean(value))
        if errors:
            raise ValidationError(errors)
        return pairs


class ExpectedResultField(TextField):
    """Clauses, one a line; every clause that is wrong is told, with its place."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(code=True, max_length=50_000, **kwargs)

    def clean(self, value: Any) -> str:
        text = super().clean(value)
        try:
            parse(text)
        except ClauseErrors as errors:
            raise ValidationError(str(errors).split("\n")) from errors
        return text


_REGIONS = (
    *("Africa", "America", "Antarctica", "Asia", "Atlantic", "Australia"),
    *("Europe", "Indian", "Pacific", "UTC"),
)


def zones() -> list[str]:
    """The names that a person may choose from: regions with their cities, and UTC."""
    return sorted(zone for zone in available_timezones() if zone.split("/")[0] in _REGIONS)


class ZoneField(LineField):
    def clean(self, value: Any) -> str:
        zone: str = super().clean(value)
        if zone not in available_timezones():
            raise ValidationError(
                "Write the zone as the IANA names it, such as Europe/Oslo or UTC."
            )
        return zone


class AddressField(LineField):
    """A whole address that this place may ask."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"widget": text_input(code=True, inputmode="url")} | kwargs)

    def clean(self, value: Any) -> str:
        url: str = super().clean(value)
        if url:
            refuse_address(url)
        return url


class RouteField(LineField):
    """What is asked below an environment's address, or a whole address. May hold {{ NAME }}."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=2000, **kwargs)

    def clean(self, value: Any) -> str:
        route: str = super().clean(value)
        if wrong := check_route(route):
            raise ValidationError(wrong)
        return route
