"""The keys that a service's configuration is to have, a row each, with their rules."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError

from opsboard.services import config_keys
from opsboard.services.config_keys import LONGEST_KEY, LONGEST_RULE, MOST_KEYS
from opsboard.services.models import ConfigKey, Service
from opsboard.web.forms.editing import EditForm
from opsboard.web.forms.fields import LineField
from opsboard.web.forms.wording import in_row, row_messages

PRESENCE = [("set", "Must be set"), ("absent", "Must be absent")]
ACROSS = [("", "Either"), ("equal", "Equal everywhere"), ("differ", "Another in each")]
_LABELS = {
    "name": "Key",
    "presence": "There or not",
    "across": "Across environments",
    "equals": "Equals",
    "matches": "Matches",
}
# The parts of a row by their names in a board file.
_PARTS = {"across": "across", "equals": "equals", "matches": "matches"}


class KeysForm(EditForm):
    """Holds what was shown: the keys are its rows."""

    def __init__(self, data: Any = None, *, service: Service, **kwargs: Any) -> None:
        stored = {"config keys": stored_lines(service)}
        super().__init__(data, stored=stored, is_new=False, of=service, **kwargs)
        self.service = service


class KeyForm(forms.Form):
    # Emptied, its row is none.
    name = LineField(required=False, max_length=LONGEST_KEY)
    presence = forms.ChoiceField(choices=PRESENCE, initial="set")
    across = forms.ChoiceField(choices=ACROSS, required=False)
    equals = LineField(required=False, max_length=LONGEST_RULE)
    matches = LineField(required=False, max_length=LONGEST_RULE)

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if name and (wrong := config_keys.check_key(name)):
            raise ValidationError(wrong)
        return name

    def clean(self) -> None:
        if self.errors or not self.cleaned_data.get("name"):
            return
        wrong = config_keys.check_rules(self.cleaned_data["name"], self.rules)
        for rule, sentence in wrong.items():
            self.add_error(_PARTS[rule], sentence)

    @property
    def rules(self) -> dict[str, str]:
        """As a board file has them, of a row without errors of its fields."""
        data = self.cleaned_data
        return {"is": data["presence"]} | {part: data[part] for part in _PARTS}


if TYPE_CHECKING:
    Rows = forms.BaseFormSet[KeyForm]
else:
    Rows = forms.BaseFormSet


class KeyRows(Rows):
    """The keys of one service. An empty row is none; a row that was emptied is removed."""

    default_error_messages = row_messages(MOST_KEYS, "keys")

    def get_form_kwargs(self, index: int | None) -> dict[str, Any]:  # noqa: ARG002
        return {"empty_permitted": True, "use_required_attribute": False}

    def add_fields(self, form: KeyForm, index: int | None) -> None:
        super().add_fields(form, index)
        for name, words in _LABELS.items():
            form.fields[name].label = in_row(words, index)

    def clean(self) -> None:
        seen: set[str] = set()
        for row in self.forms:
            name = row.cleaned_data.get("name") if row.is_valid() else None
            if name in seen:
                row.add_error("name", f"{name} stands here twice: take one out.")
            elif name:
                seen.add(name)

    def keys(self) -> dict[str, dict[str, str]]:
        """The rows that hold something, by name."""
        return {
            row.cleaned_data["name"]: row.rules
            for row in self.forms
            if row.cleaned_data.get("name")
        }


KeyFormSet: Any = forms.formset_factory(
    KeyForm, formset=KeyRows, extra=3, max_num=MOST_KEYS, absolute_max=500, validate_max=True
)


def stored_lines(service: Service) -> list[str]:
    return config_keys.lines(config_keys.keys_of(service))


def stored_rows(service: Service) -> list[dict[str, str]]:
    return [_row(key) for key in service.config_keys.order_by("name")]


def _row(key: ConfigKey) -> dict[str, str]:
    return {name: getattr(key, name) for name in _LABELS}
