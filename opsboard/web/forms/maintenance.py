"""A maintenance window: when, in which zone, and what it is about. It never begins in the past."""

from datetime import date, datetime, timedelta
from typing import Any

from django import forms

from opsboard.services.models import SECOND, MaintenanceWindow
from opsboard.services.windows import LONGEST, SHORTEST, first_begin
from opsboard.web.forms.fields import DurationField, NameField, ZoneField, text_input
from opsboard.web.forms.reach import ReachForm
from opsboard.web.forms.times import DayField, TimeOfDayField

Repeats = MaintenanceWindow.Repeats
WEEKDAYS = tuple(
    enumerate(("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"))
)
LAST_DAY = timedelta(days=366)
DAY_MINUTES = 24 * 60
MICROSECOND = timedelta(microseconds=1)


class WindowForm(ReachForm):
    name = NameField(
        label="What is done", help_text="As in nightly import. Pages and alerts say it."
    )
    zone = ZoneField(
        label="Time zone",
        widget=text_input(list="zones"),
        help_text="As in Europe/Oslo. Day and time are of this zone.",
    )
    starts_on = DayField(label="First day")
    starts_at = TimeOfDayField(label="Begins at")
    lasts = DurationField(
        label="Lasts",
        low=SHORTEST // MICROSECOND,
        high=LONGEST // MICROSECOND,
        help_text="As in 90 m or 2 h. From 5 m to 7 d.",
    )
    repeats = forms.ChoiceField(label="Repeats", choices=Repeats)
    weekdays = forms.TypedMultipleChoiceField(
        label="On",
        choices=WEEKDAYS,
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="For one that repeats every week.",
    )
    until = DayField(
        label="Last day",
        required=False,
        help_text="For one that repeats: it always ends, within 366 days.",
    )

    def __init__(
        self, data: Any = None, *, window: MaintenanceWindow | None, **kwargs: Any
    ) -> None:
        """`now` and `initial` for a new one are in `kwargs`."""
        self.window, self.now = window, kwargs.pop("now")
        prefilled = kwargs.pop("prefilled", {})
        super().__init__(data, stored=stored_window(window) | prefilled, is_new=window is None)

    def clean_lasts(self) -> int:
        duration: int = self.cleaned_data["lasts"]
        if duration % (60 * SECOND):
            raise forms.ValidationError("Write whole minutes, as in 90 m.")
        return duration

    def clean(self) -> None:
        data = self.cleaned_data
        if not {"repeats", "weekdays", "until", "starts_on", "starts_at", "lasts", "zone"} <= {
            *data
        }:
            return
        if data["repeats"] != Repeats.WEEKLY:
            data["weekdays"] = []
        if data["repeats"] == Repeats.ONCE:
            data["until"] = None
        else:
            self._check_repeating(data["starts_on"], data["until"])
        if not self.errors:
            self._check_beginning()
        self.check_reach()

    def _check_repeating(self, first: date, until: date | None) -> None:
        if until is None:
            self.add_error("until", "Write its last day: a window always ends.")
        elif until < first:
            self.add_error("until", "This is before the first day: write a later one.")
        elif until - first > LAST_DAY:
            self.add_error("until", "The last day is at most 366 days after the first.")
        data = self.cleaned_data
        if data["repeats"] == Repeats.WEEKLY and not data.get("weekdays"):
            self.add_error("weekdays", "Choose at least one day of the week.")
            return
        gap = _gap(data["weekdays"])
        if minutes_of(data) > gap:
            hours = gap // 60
            self.add_error(
                "lasts", f"It would begin again before it ends: write {hours} h at most."
            )

    def _check_beginning(self) -> None:
        begin = first_begin(window_of(self.cleaned_data, now=self.now))
        if begin is None:
            self.add_error("until", "None of the chosen days comes until then: write a later one.")
        # The minute that has begun is not past yet: it begins as it is planned.
        elif begin < self.now.replace(second=0, microsecond=0):
            self.add_error(
                "starts_on",
                f"It would have begun at {begin:%H:%M UTC on %-d %B %Y}, and a window cannot start "
                "in the past: write a time to come.",
            )


def window_of(data: dict[str, Any], *, now: datetime) -> MaintenanceWindow:
    """The window that the form says, not stored."""
    window = MaintenanceWindow()
    set_window(window, data, now=now)
    return window


def set_window(window: MaintenanceWindow, data: dict[str, Any], *, now: datetime) -> None:
    for name in ("name", "zone", "starts_on", "starts_at", "repeats", "weekdays", "until"):
        setattr(window, name, data[name])
    # Asked for before the whole form is judged: what it is about may be wrong still.
    window.team, window.service = data.get("team"), data.get("service")
    window.environment_slug = data.get("environment", "")
    window.minutes, window.planned_at = minutes_of(data), now


def minutes_of(data: dict[str, Any]) -> int:
    minutes: int = data["lasts"] // (60 * SECOND)
    return minutes


def _gap(weekdays: list[int]) -> int:
    """Minutes between two beginnings that are next to each other; without weekdays: every day."""
    days = sorted(weekdays) or list(range(7))
    after = [*days[1:], days[0] + 7]
    return min(b - a for a, b in zip(days, after, strict=True)) * DAY_MINUTES


def stored_window(window: MaintenanceWindow | None) -> dict[str, Any]:
    if window is None:
        return {"zone": "UTC", "repeats": Repeats.ONCE, "weekdays": []}
    names = ("name", "zone", "starts_on", "starts_at", "repeats", "weekdays", "until")
    return {name: getattr(window, name) for name in names} | {
        "lasts": window.minutes * 60 * SECOND,
        "team": window.team_id,
        "service": window.service_id,
        "environment": window.environment_slug,
    }
