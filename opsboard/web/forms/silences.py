"""A silence: what it is about, why, and until when. It always ends."""

from datetime import datetime, timedelta
from typing import Any

from django import forms

from opsboard.alerts.silencing import LONGEST
from opsboard.web.forms.fields import NameField
from opsboard.web.forms.reach import PathField, ReachForm
from opsboard.web.forms.times import MomentField

HOURS = {"1h": 1, "4h": 4}
TOMORROW, UNTIL = "tomorrow", "until"
LASTS = (
    ("1h", "1 hour"),
    ("4h", "4 hours"),
    (TOMORROW, "Until tomorrow 09:00 UTC"),
    (UNTIL, "Until the time below"),
)


class SilenceForm(ReachForm):
    reason = NameField(
        label="Why",
        max_length=300,
        help_text="As in loading new fares. It is shown wherever something is silenced.",
    )
    path = PathField(
        label="Critical path",
        required=False,
        help_text="As in fares-api/price-a-crossing. Empty: every path of the service.",
    )
    lasts = forms.ChoiceField(
        label="How long",
        choices=LASTS,
        widget=forms.RadioSelect,
        help_text="A silence always ends, after 30 days at most. Then what fails still is told.",
    )
    until = MomentField(label="Until, in UTC", required=False)
    begins = MomentField(label="Begins, in UTC", required=False, help_text="Empty: now.")

    def __init__(self, data: Any = None, *, stored: dict[str, Any], now: datetime) -> None:
        super().__init__(data, stored={"lasts": "1h"} | stored, is_new=True)
        self.now = now

    def clean(self) -> None:
        data = self.cleaned_data
        begins = data.get("begins")
        if begins is not None and begins < self.now:
            self.add_error("begins", "This is past: write a time to come, or leave it empty.")
        starts_at = begins or self.now
        ends_at = self._ends_at(starts_at) if "lasts" in data and "until" in data else None
        data |= {"starts_at": starts_at, "ends_at": ends_at}
        path, service = data.get("path"), data.get("service")
        if path and service and path.service_id != service.pk:
            where = path.service.name
            self.add_error("path", f"This is a path of {where}: choose {where}, or no service.")
        self.check_reach()

    def _ends_at(self, starts_at: datetime) -> datetime | None:
        lasts, until = self.cleaned_data["lasts"], self.cleaned_data["until"]
        if lasts in HOURS:
            return starts_at + timedelta(hours=HOURS[lasts])
        if lasts == TOMORROW:
            tomorrow = starts_at + timedelta(days=1)
            return tomorrow.replace(hour=9, minute=0, second=0, microsecond=0)
        if until is None:
            self.add_error("until", "Write until when: a silence always ends.")
        elif until <= starts_at:
            self.add_error("until", "This is before it begins: write a later time.")
        elif until - starts_at > LONGEST:
            self.add_error("until", "A silence lasts 30 days at most: write an earlier time.")
        return until if isinstance(until, datetime) else None
