"""A token for a program: what it may do, for which services and gates, and until when."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from opsboard.people import tokens
from opsboard.people.models import Role
from opsboard.web.forms.about import ServicesField
from opsboard.web.forms.fields import REQUIRED, NameField, SlugField, TextField
from opsboard.web.forms.times import DayField

DAYS = {"30": 30, "90": 90, "365": 365}
ON = "on"
ENDS = (
    *((word, f"In {days} days") for word, days in DAYS.items()),
    (ON, "At the end of the day below"),
)
MOST_GATES = 50


class GatesField(TextField):
    """Names of gates, one a line; a team may have gates of its own."""

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> list[str]:  # type: ignore[override]
        # What it gives back is not what it reads: names, not text.
        words = super().clean(value).replace(",", "\n").split("\n")
        names = list(dict.fromkeys(word.strip() for word in words if word.strip()))
        if len(names) > MOST_GATES:
            raise ValidationError(f"At most {MOST_GATES} gates go here; these are {len(names)}.")
        wrong = [name for name in names if not _is_gate(name)]
        if wrong:
            raise ValidationError([f"{name[:60]} is no name of a gate." for name in wrong])
        return names


def _is_gate(name: str) -> bool:
    try:
        SlugField().clean(name)
    except ValidationError:
        return False
    return True


class TokenForm(forms.Form):
    use_required_attribute = False

    name = NameField(label="What it is for", help_text="As in CI of fares-api. Lists name it so.")
    scopes = forms.MultipleChoiceField(
        label="It may",
        widget=forms.CheckboxSelectMultiple,
        help_text="No more than you may do yourself. When your role changes, it changes with it.",
        error_messages={"required": "Choose at least one."},
    )
    services = ServicesField(
        rows=3,
        code=True,
        label="Services",
        help_text="It may speak of these only, one a line. Empty: of every service.",
    )
    gates = GatesField(
        rows=3,
        code=True,
        label="Gates",
        help_text="It may give evidence for these only, one a line, as in unit. Empty: for all.",
    )
    ends = forms.ChoiceField(
        label="It ends",
        choices=ENDS,
        widget=forms.RadioSelect,
        error_messages=REQUIRED,
        help_text="After a year at most. What ends within two weeks is listed first.",
    )
    day = DayField(label="Last day, in UTC", required=False)

    def __init__(self, data: Any = None, *, role: Role | None, now: datetime) -> None:
        super().__init__(data, initial={"ends": "90"})
        self.now = now
        scopes: Any = self.fields["scopes"]
        scopes.choices = [(one, tokens.SCOPES[one]) for one in tokens.scopes_for(role)]

    def clean_services(self) -> list[str]:
        return [service.slug for service in self.cleaned_data["services"]]

    def clean(self) -> None:
        ends, day = self.cleaned_data.get("ends"), self.cleaned_data.get("day")
        if ends in DAYS:
            self.cleaned_data["expires_at"] = self.now + timedelta(days=DAYS[ends])
        elif ends == ON and "day" in self.cleaned_data:
            self._end_on(day)

    def _end_on(self, day: Any) -> None:
        if day is None:
            self.add_error("day", "Write the last day on which it works.")
            return
        latest = self.now + tokens.LASTS_AT_MOST
        if day < self.now.date():
            self.add_error("day", "This is past: write a day to come.")
        elif day > latest.date():
            self.add_error("day", "A token lasts a year at most: write an earlier day.")
        else:
            midnight = datetime.combine(day, time(), UTC) + timedelta(days=1)
            self.cleaned_data["expires_at"] = min(midnight, latest)
