"""Who is on duty, in order; and who covers for whom, for a while."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError

from opsboard.people.models import people
from opsboard.services.models import Rota, Team
from opsboard.services.zones import zone_of
from opsboard.web.forms.editing import EditForm
from opsboard.web.forms.fields import CountField
from opsboard.web.forms.routes import ClockField, DayField
from opsboard.web.words import person_name

MOST_PEOPLE = 12
FEWEST_SHOWN = 4
LONGEST_COVER = timedelta(days=60)


def choices(team: Team, *, kept: Mapping[int, User]) -> list[tuple[Any, str]]:
    """Members of the team first, then everybody else; `kept` stay, whatever became of them."""
    members = set(team.members.values_list("pk", flat=True))
    active = {person.pk: person for person in people().filter(is_active=True)}
    found = sorted(
        (active | dict(kept)).items(),
        key=lambda one: (one[0] not in members, person_name(one[1]).casefold()),
    )
    return [("", "Nobody"), *((number, _words(person)) for number, person in found)]


def _words(person: User) -> str:
    name = person_name(person)
    if not person.is_active:
        return f"{name} (may not sign in: passed over)"
    return name if person.email else f"{name} (has no e-mail address)"


class RotaForm(EditForm):
    starts_on = DayField(
        label="First day", help_text="On which the turn of the first person begins."
    )
    hand_over_at = ClockField(label="Hand-over at")
    days = CountField(low=1, high=28, label="Every, in days", help_text="7 for a week each.")

    def __init__(self, data: Any = None, *, team: Team, rota: Rota | None, **kwargs: Any) -> None:
        super().__init__(data, stored=stored_rota(rota), is_new=rota is None, **kwargs)
        self.team, self.rota = team, rota
        self.fields["hand_over_at"].help_text = f"In the team's zone, {team.zone}."
        turns = list(rota.turns.select_related("person").order_by("position")) if rota else []
        offered = choices(team, kept={turn.person_id: turn.person for turn in turns})
        for number in range(1, self._rows(len(turns)) + 1):
            self.fields[f"person_{number}"] = forms.TypedChoiceField(
                label=f"Person {number}",
                choices=offered,
                required=False,
                coerce=int,
                empty_value=None,
            )

    def _rows(self, stored: int) -> int:
        """As many as there are, with room for two; all that were sent, up to a limit."""
        sent = sum(f"person_{number}" in self.data for number in range(1, MOST_PEOPLE + 1))
        return min(MOST_PEOPLE, max(FEWEST_SHOWN, stored + 2, sent))

    @property
    def rows(self) -> list[Any]:
        return [self[name] for name in self.fields if name.startswith("person_")]

    @property
    def people(self) -> list[int]:
        """In order, of a form that is valid."""
        chosen = (self.cleaned_data.get(bound.name) for bound in self.rows)
        return [number for number in chosen if number is not None]

    def clean(self) -> None:
        names = [bound.name for bound in self.rows]
        if set(names) & self.errors.keys():
            return
        seen: set[int] = set()
        for name in names:
            person = self.cleaned_data.get(name)
            if person in seen:
                self.add_error(name, "This person stands here twice: choose each once.")
            elif person is not None:
                seen.add(person)
        if not seen:
            self.add_error("person_1", "Choose at least one person.")


def stored_rota(rota: Rota | None) -> dict[str, Any]:
    if rota is None:
        return {"starts_on": None, "hand_over_at": None, "days": 7}
    values = {name: getattr(rota, name) for name in ("starts_on", "hand_over_at", "days")}
    turns = rota.turns.order_by("position").values_list("person_id", flat=True)
    return values | {f"person_{number}": person for number, person in enumerate(turns, start=1)}


class CoverForm(forms.Form):
    use_required_attribute = False
    person = forms.TypedChoiceField(label="Who covers", coerce=int, empty_value=None)
    from_day = DayField(label="From, day")
    from_time = ClockField(label="From, time")
    to_day = DayField(label="To, day")
    to_time = ClockField(label="To, time")

    def __init__(self, data: Any = None, *, team: Team, now: datetime) -> None:
        super().__init__(data)
        self.team, self.now = team, now
        person: Any = self.fields["person"]
        person.choices = [("", "Choose one"), *choices(team, kept={})[1:]]
        person.error_messages["required"] = "Choose who covers."

    @property
    def starts_at(self) -> datetime:
        return self._moment("from")

    @property
    def ends_at(self) -> datetime:
        return self._moment("to")

    def _moment(self, which: str) -> datetime:
        day, at = self.cleaned_data[f"{which}_day"], self.cleaned_data[f"{which}_time"]
        return datetime.combine(day, at, zone_of(self.team.zone))

    def clean(self) -> None:
        if {"from_day", "from_time", "to_day", "to_time"} & self.errors.keys():
            return
        wrong = self._wrong()
        if wrong:
            self.add_error("to_day", ValidationError(wrong))

    def _wrong(self) -> str:
        if self.ends_at <= self.starts_at:
            return "It ends before it begins: write a later end."
        if self.ends_at <= self.now:
            return "It has ended already: write an end that is ahead."
        if self.ends_at - self.starts_at > LONGEST_COVER:
            return "At most 60 days: for longer, change the rota itself."
        return ""
