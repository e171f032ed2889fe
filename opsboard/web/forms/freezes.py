"""Forms of freezes and holds: what is not to go out, why, and until when."""

from datetime import datetime, timedelta
from typing import Any

from django import forms

from opsboard.services.models import Service
from opsboard.web.forms.fields import NameField
from opsboard.web.forms.reach import ReachForm
from opsboard.web.forms.times import MomentField

LONGEST = timedelta(days=366)


class FreezeForm(ReachForm):
    reason = NameField(
        label="Why",
        max_length=300,
        help_text="As in summer timetable week. It stands wherever a release is frozen.",
    )
    starts_at = MomentField(label="From, in UTC", required=False, help_text="Empty: now.")
    ends_at = MomentField(label="Until, in UTC", help_text="A freeze always ends.")

    def __init__(self, data: Any = None, *, stored: dict[str, Any], now: datetime) -> None:
        super().__init__(data, stored=stored, is_new=True)
        self.now = now

    def clean(self) -> None:
        data = self.cleaned_data
        if not {"starts_at", "ends_at"} <= {*data}:
            return
        data["starts_at"] = data["starts_at"] or self.now
        if data["ends_at"] <= max(data["starts_at"], self.now):
            self.add_error("ends_at", "It would have ended already: write a later time.")
        elif data["ends_at"] - data["starts_at"] > LONGEST:
            self.add_error("ends_at", "A freeze lasts 366 days at most: write an earlier time.")
        self.check_reach()


class HoldForm(forms.Form):
    use_required_attribute = False

    service = forms.ModelChoiceField(
        Service.objects.standing().order_by("name"),
        label="Service",
        empty_label="Choose a service",
        error_messages={"required": "Choose a service."},
    )
    reason = NameField(
        label="Why nothing is to go out",
        max_length=300,
        help_text="As in the last release lost fare tables. It holds until somebody ends it.",
    )


class EndHoldForm(forms.Form):
    use_required_attribute = False

    because = NameField(
        label="Why may it go out again?",
        max_length=300,
        help_text="It is kept, with your name.",
    )
