"""Which alerts go to which channels, when; and the question who would hear."""

import re
from datetime import UTC, date, datetime, time
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError

from opsboard.alerts.models import AlertKind, Channel, Route
from opsboard.services.models import TIERS, Environment, Service, Team
from opsboard.services.zones import zone_of
from opsboard.web.forms.editing import EditForm
from opsboard.web.forms.fields import CountField, LineField, NameField, ZoneField, text_input

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_CLOCK = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")


class ClockField(LineField):
    """A time of day, "09:00"; None when it may be left empty and is."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            **{"widget": text_input(inputmode="numeric", placeholder="09:00")} | kwargs
        )

    def prepare_value(self, value: Any) -> Any:
        return f"{value:%H:%M}" if isinstance(value, time) else value

    def clean(self, value: Any) -> time | None:
        text: str = super().clean(value)
        if not text:
            return None
        found = _CLOCK.fullmatch(text)
        if not found:
            raise ValidationError("Write the time as 09:00, from 00:00 to 23:59.")
        return time(int(found[1]), int(found[2]))


class DayField(LineField):
    """A day, "2026-11-30"."""

    def __init__(self, **kwargs: Any) -> None:
        usual = text_input(inputmode="numeric", placeholder="2026-11-30")
        super().__init__(**{"widget": usual} | kwargs)

    def prepare_value(self, value: Any) -> Any:
        return value.isoformat() if isinstance(value, date) else value

    def clean(self, value: Any) -> date | None:
        text: str = super().clean(value)
        if not text:
            return None
        try:
            day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).date()
        except ValueError as error:
            raise ValidationError("Write the day as 2026-11-30.") from error
        if not 2000 <= day.year <= 2100:
            raise ValidationError("Write a day from 2000 to 2100.")
        return day


def _several(label: str, help_text: str = "") -> Any:
    return forms.ModelMultipleChoiceField(
        Channel.objects.none(),
        label=label,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=help_text,
    )


class RouteForm(EditForm):
    name = NameField(label="Name", help_text="What it is for, as in Nights of pricing.")
    team = forms.ModelChoiceField(
        Team.objects.standing().order_by("name"),
        label="Owned by",
        required=False,
        empty_label="Any team",
    )
    tier = forms.TypedChoiceField(
        label="Tier",
        required=False,
        choices=[("", "Any tier"), *TIERS],
        coerce=int,
        empty_value=None,
    )
    environment_slug = forms.ChoiceField(label="Environment", required=False)
    kind = forms.ChoiceField(
        label="Alerts",
        required=False,
        choices=[("", "Pages and notices"), *AlertKind.choices],
        help_text="A page is for now: a path fails. A notice is for the day: it warns.",
    )
    days = forms.TypedMultipleChoiceField(
        label="Days",
        required=False,
        choices=list(enumerate(DAYS)),
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
        help_text="None chosen: every day. Over midnight, the day on which it begins.",
    )
    from_time = ClockField(label="From", required=False, help_text="Both empty: the whole day.")
    to_time = ClockField(label="To", required=False, help_text="Earlier than From: over midnight.")
    zone = ZoneField(
        label="Time zone", widget=text_input(list="zones"), help_text="As in Europe/Oslo."
    )
    channels = _several("Channels", "They hear at once.")
    escalate_after = CountField(
        low=1,
        high=1440,
        label="Second step after, in minutes",
        required=False,
        help_text="When nobody has acknowledged by then. Empty: there is none.",
    )
    escalate_to = _several("Channels of the second step", "They hear as well, once.")
    remind_every = CountField(
        low=5,
        high=1440,
        label="Remind every, in minutes",
        required=False,
        help_text="Until somebody acknowledges, from 5 to 1440. Empty: never.",
    )
    remind_most = CountField(
        low=1, high=20, label="Reminders at most", required=False, help_text="From 1 to 20."
    )

    def __init__(self, data: Any = None, *, route: Route | None, **kwargs: Any) -> None:
        super().__init__(data, stored=stored_route(route), is_new=route is None, **kwargs)
        self.route = route
        fields = cast("dict[str, Any]", self.fields)
        for name in ("channels", "escalate_to"):
            fields[name].queryset = Channel.objects.standing().order_by("name", "pk")
        slugs = _environments() | ({route.environment_slug} if route else set())
        named = [(slug, slug.capitalize()) for slug in sorted(slugs - {""})]
        fields["environment_slug"].choices = [("", "Any environment"), *named]

    def clean(self) -> None:
        self._check_times()
        data = self.cleaned_data
        if "channels" in data and not data["channels"]:
            self.add_error("channels", "Choose at least one channel: a route leads somewhere.")
        after, second = data.get("escalate_after"), data.get("escalate_to")
        if after and second is not None and not second:
            self.add_error("escalate_to", "Choose who hears in the second step.")
        if second and after is None and "escalate_after" in data:
            self.add_error("escalate_after", "Write after how many minutes the second step hears.")
        if both := set(second or ()) & set(data.get("channels") or ()):
            names = ", ".join(sorted(channel.name for channel in both))
            self.add_error("escalate_to", f"{names} hears at once already: choose another.")
        if "remind_most" in data and data["remind_most"] is None:
            data["remind_most"] = 5

    def _check_times(self) -> None:
        if {"from_time", "to_time"} & self.errors.keys():
            return
        start, end = self.cleaned_data.get("from_time"), self.cleaned_data.get("to_time")
        if (start is None) != (end is None):
            name = "from_time" if start is None else "to_time"
            self.add_error(name, "Write both times, or leave both empty for the whole day.")
        elif start is not None and start == end:
            self.add_error("to_time", "Both times are the same: leave both empty for all day.")


STORED = (
    *("name", "tier", "environment_slug", "kind", "days", "from_time", "to_time", "zone"),
    *("remind_every", "remind_most", "escalate_after"),
)


def stored_route(route: Route | None) -> dict[str, Any]:
    shown = route or Route()
    many = {
        name: sorted(getattr(route, name).standing().values_list("pk", flat=True)) if route else []
        for name in ("channels", "escalate_to")
    }
    return {name: getattr(shown, name) for name in STORED} | {"team": shown.team_id} | many


def _environments() -> set[str]:
    return set(Environment.objects.standing().values_list("slug", flat=True))


class TryForm(forms.Form):
    """Who would hear: a question, by GET."""

    use_required_attribute = False
    service = forms.ModelChoiceField(
        Service.objects.none(), label="Service", to_field_name="slug", empty_label="Choose one"
    )
    environment = forms.ChoiceField(label="Environment")
    kind = forms.ChoiceField(label="Alert", choices=[("page", "A page"), ("notice", "A notice")])
    on = DayField(label="Day", required=False, help_text="Empty: today.")
    at = ClockField(label="Time", required=False, help_text="Empty: now.")
    zone = ZoneField(label="Time zone", widget=text_input(list="zones"))

    def __init__(self, data: Any, *, now: datetime) -> None:
        super().__init__(data, initial={"zone": "UTC", "environment": "production"})
        self.now = now
        fields = cast("dict[str, Any]", self.fields)
        fields["service"].queryset = Service.objects.standing().order_by("name")
        slugs = sorted(_environments() or {"production"})
        fields["environment"].choices = [(slug, slug.capitalize()) for slug in slugs]

    @property
    def moment(self) -> datetime:
        """The moment that is asked about, of a form that is valid."""
        zone = zone_of(self.cleaned_data["zone"])
        local = self.now.astimezone(zone)
        day, at = self.cleaned_data["on"] or local.date(), self.cleaned_data["at"] or local.time()
        return datetime.combine(day, at, zone).astimezone(UTC)
