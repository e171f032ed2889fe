"""What a team, or one of its services, wants of each gate; and gates of their own."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.boundfield import BoundField

from opsboard.board.readiness import choices_of
from opsboard.expectations.units import parse_duration
from opsboard.releases.choosing import (
    DEFAULTS,
    LASTING,
    LONGEST_GATE,
    LONGEST_WORDS,
    MOST_OWN,
    check_choice,
    choice_lines,
    choice_words,
    lasts_words,
)
from opsboard.releases.rules import GATES, NEEDS, NOTE
from opsboard.services.models import SECOND, Service, Team
from opsboard.web.forms.editing import EditForm
from opsboard.web.forms.fields import LineField, NameField
from opsboard.web.forms.wording import in_row, row_messages

_NEEDS = [(need, need.capitalize()) for need in NEEDS]


class LastsField(LineField):
    """Whole seconds, written as "7 d"; None: as the gate has it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, max_length=40, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return lasts_words(value) if isinstance(value, int) else value

    def clean(self, value: Any) -> int | None:
        # What it gives back is not what it reads: seconds, not text.
        text = super().clean(value)
        if not text:
            return None
        try:
            return parse_duration(text) // SECOND
        except ValueError as error:
            raise ValidationError(f"{error}") from error


@dataclass(frozen=True, slots=True)
class GateRow:
    name: str
    # What holds when nothing is chosen here, in words.
    else_words: str
    need: BoundField | None
    lasts: BoundField | None


class GatesForm(EditForm):
    """The gates that have their words already: Opsboard's, and for a service those of its team."""

    def __init__(self, data: Any = None, *, owner: Team | Service, **kwargs: Any) -> None:
        self.owner = owner
        self.of_team = choices_of(owner.team) if isinstance(owner, Service) else {}
        self.stored_choices = choices_of(owner)
        self.known = dict(GATES) | {
            gate: choice["words"] for gate, choice in self.of_team.items() if choice["words"]
        }
        stored = self._initial() | {"choices": choice_lines(self.stored_choices)}
        super().__init__(data, stored=stored, is_new=False, of=owner, **kwargs)
        for gate, name in self.known.items():
            self._add_fields(gate, name)

    def _initial(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for gate in self.known:
            choice = self.stored_choices.get(gate, {})
            found |= {f"need_{gate}": choice.get("need", ""), f"lasts_{gate}": choice.get("lasts")}
        return found

    def _add_fields(self, gate: str, name: str) -> None:
        usual = "As the team has it" if gate in self.of_team else "As usual"
        offered = [one for one in _NEEDS if gate != NOTE or one[0] == "required"]
        self.fields[f"need_{gate}"] = forms.ChoiceField(
            label=f"{name}: need", choices=[("", usual), *offered], required=False
        )
        if gate in LASTING or gate not in GATES:
            self.fields[f"lasts_{gate}"] = LastsField(label=f"{name}: lasts")

    def clean(self) -> None:
        for gate in self.known:
            need, lasts = self._typed(gate)
            if lasts is not None and not need:
                self.add_error(f"need_{gate}", "Choose what it needs too: a choice holds both.")
            elif need and need in NEEDS:
                choice = {"need": need, "words": "", "lasts": lasts}
                for part, sentence in check_choice(gate, choice, known=self.known).items():
                    self.add_error(f"{part}_{gate}", sentence)

    def _typed(self, gate: str) -> tuple[str, int | None]:
        data = self.cleaned_data
        return data.get(f"need_{gate}", ""), data.get(f"lasts_{gate}")

    @property
    def choices(self) -> dict[str, dict[str, Any]]:
        """Those made here, of a form that is valid."""
        typed = {gate: self._typed(gate) for gate in self.known}
        return {
            gate: {"need": need, "words": "", "lasts": lasts}
            for gate, (need, lasts) in typed.items()
            if need
        }

    @property
    def rows(self) -> Iterator[GateRow]:
        for gate, name in self.known.items():
            team = self.of_team.get(gate)
            else_words = f"Team: {choice_words(team)}." if team else DEFAULTS.get(gate, "")
            lasts = f"lasts_{gate}"
            yield GateRow(
                name=name,
                else_words=else_words,
                need=self[f"need_{gate}"],
                lasts=self[lasts] if lasts in self.fields else None,
            )


class OwnGateForm(forms.Form):
    # Emptied, its row is none.
    gate = LineField(required=False, max_length=LONGEST_GATE)
    words = NameField(required=False, max_length=LONGEST_WORDS)
    need = forms.ChoiceField(choices=_NEEDS, initial="required")
    lasts = LastsField()

    def clean(self) -> None:
        gate = self.cleaned_data.get("gate")
        if not gate or self.errors:
            return
        if gate in GATES:
            self.add_error("gate", f"{gate} is a gate that Opsboard knows: choose it above.")
            return
        for part, sentence in check_choice(gate, self.choice).items():
            self.add_error(part, sentence)

    @property
    def choice(self) -> dict[str, Any]:
        return {part: self.cleaned_data[part] for part in ("need", "words", "lasts")}


if TYPE_CHECKING:
    Rows = forms.BaseFormSet[OwnGateForm]
else:
    Rows = forms.BaseFormSet

_LABELS = {"gate": "Name in CI", "words": "In words", "need": "Need", "lasts": "Lasts"}


class OwnGateRows(Rows):
    """Gates of their own. An empty row is none; a row that was emptied is removed."""

    # Gates that stand in the form above.
    known: Mapping[str, str]

    default_error_messages = row_messages(MOST_OWN, "gates")

    def get_form_kwargs(self, index: int | None) -> dict[str, Any]:  # noqa: ARG002
        return {"empty_permitted": True, "use_required_attribute": False}

    def add_fields(self, form: OwnGateForm, index: int | None) -> None:
        super().add_fields(form, index)
        for name, words in _LABELS.items():
            form.fields[name].label = in_row(words, index)

    def clean(self) -> None:
        seen = set(self.known)
        for row in self.forms:
            gate = row.cleaned_data.get("gate") if row.is_valid() else None
            if gate in seen:
                row.add_error("gate", f"{gate} stands here twice: take one out.")
            elif gate:
                seen.add(gate)

    @property
    def choices(self) -> dict[str, dict[str, Any]]:
        filled = [row for row in self.forms if row.cleaned_data.get("gate")]
        return {row.cleaned_data["gate"]: row.choice for row in filled}


OwnGateFormSet: Any = forms.formset_factory(
    OwnGateForm,
    formset=OwnGateRows,
    extra=2,
    max_num=MOST_OWN,
    absolute_max=200,
    validate_max=True,
)


def stored_own(form: GatesForm) -> list[dict[str, Any]]:
    return [
        {"gate": gate, **choice}
        for gate, choice in form.stored_choices.items()
        if gate not in form.known
    ]
