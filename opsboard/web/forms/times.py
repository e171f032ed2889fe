"""Days, times of a day and moments, as people write them: what is wrong stays as typed."""

from datetime import UTC, date, datetime, time
from typing import Any

from django.core.exceptions import ValidationError

from opsboard.web.forms.fields import LineField, text_input


class DayField(LineField):
    """A day: "2026-12-03"; None when it may be left empty and is."""

    def __init__(self, **kwargs: Any) -> None:
        widget = text_input(code=True, placeholder="2026-12-03", inputmode="numeric")
        super().__init__(**{"widget": widget} | kwargs)

    def prepare_value(self, value: Any) -> Any:
        return value.isoformat() if isinstance(value, date) else value

    def clean(self, value: Any) -> date | None:
        # What it gives back is not what it reads: a day, not text.
        text = super().clean(value)
        if not text:
            return None
        try:
            return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).date()
        except ValueError as error:
            raise ValidationError("Write a day of the calendar, as in 2026-12-03.") from error


class TimeOfDayField(LineField):
    """A time of a day: "02:30"."""

    def __init__(self, **kwargs: Any) -> None:
        widget = text_input(code=True, placeholder="02:30")
        super().__init__(**{"widget": widget} | kwargs)

    def prepare_value(self, value: Any) -> Any:
        return f"{value:%H:%M}" if isinstance(value, time) else value

    def clean(self, value: Any) -> time:
        text = super().clean(value)
        try:
            return datetime.strptime(text, "%H:%M").replace(tzinfo=UTC).time()
        except ValueError as error:
            raise ValidationError("Write a time from 00:00 to 23:59, as in 02:30.") from error


class MomentField(LineField):
    """A moment in UTC: "2026-12-03 15:00"; None when it may be left empty and is."""

    def __init__(self, **kwargs: Any) -> None:
        widget = text_input(code=True, placeholder="2026-12-03 15:00")
        super().__init__(**{"widget": widget} | kwargs)

    def prepare_value(self, value: Any) -> Any:
        return f"{value:%Y-%m-%d %H:%M}" if isinstance(value, datetime) else value

    def clean(self, value: Any) -> datetime | None:
        text = super().clean(value)
        if not text:
            return None
        try:
            return datetime.strptime(text.replace("T", " "), "%Y-%m-%d %H:%M").replace(tzinfo=UTC)
        except ValueError as error:
            raise ValidationError("Write a day and a time, as in 2026-12-03 15:00.") from error
