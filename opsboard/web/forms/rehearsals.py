"""A rehearsal as it is written down: where, when, how long, and what became of each step."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from opsboard.rollbacks.rehearsing import LONGEST, LONGEST_REMARK
from opsboard.web.forms.fields import LineField, NameField, TextField, text_input
from opsboard.web.forms.times import MomentField

CHOICES = [("", "Choose"), ("worked", "Worked"), ("failed", "Failed"), ("left out", "Left out")]
_PART = r"(\d{1,6})\s*(h|min|m|s)"
_PARTS = re.compile(_PART)
_WRITTEN = re.compile(rf"\s*{_PART}(?:\s*{_PART}){{0,2}}\s*")
SECONDS = {"h": 3600, "min": 60, "m": 60, "s": 1}


class TookField(LineField):
    """Whole seconds, written as "3 min 50 s"."""

    def clean(self, value: Any) -> int:
        text: str = super().clean(value)
        seconds = read_took(text)
        if seconds is None or not 0 < seconds <= LONGEST.total_seconds():
            raise ValidationError("Write how long it took, as in 3 min 50 s. At most 168 h.")
        return seconds


def read_took(text: str) -> int | None:
    """None: it is no such time."""
    if not _WRITTEN.fullmatch(text):
        return None
    parts = _PARTS.findall(text)
    units = [SECONDS[unit] for _, unit in parts]
    if units != sorted(set(units), reverse=True):
        return None
    return sum(int(count) * SECONDS[unit] for count, unit in parts)


class RehearsalForm(forms.Form):
    use_required_attribute = False

    environment = forms.ChoiceField(label="Where")
    release = NameField(
        label="For release",
        required=False,
        max_length=100,
        widget=text_input(list="releases"),
        help_text="By its version. Its migrations count as gone back over.",
    )
    at = MomentField(label="Started (UTC)")
    took = TookField(
        label="Took", widget=text_input(placeholder="3 min 50 s"), help_text="As in 3 min 50 s."
    )
    remark = TextField(
        label="What should others know", rows=3, max_length=LONGEST_REMARK, required=False
    )
    # The number of the version whose steps were shown.
    version = forms.IntegerField(widget=forms.HiddenInput, min_value=1)

    def __init__(self, data: Any = None, *, environments: Sequence[str], **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        field: Any = self.fields["environment"]
        field.choices = [(slug, slug) for slug in environments]


class OutcomeForm(forms.Form):
    """What became of one step."""

    use_required_attribute = False

    outcome = forms.ChoiceField(
        label="It",
        choices=CHOICES,
        error_messages={"required": "Say whether it worked, failed or was left out."},
    )
    remark = NameField(label="Remark", required=False, max_length=1_000)


class OutcomeForms:
    """One for each step of a version, in their order."""

    def __init__(self, steps: Sequence[Mapping[str, str]], data: Any = None) -> None:
        self.forms = [OutcomeForm(data, prefix=f"step-{n}") for n in range(1, len(steps) + 1)]
        for number, form in enumerate(self.forms, 1):
            form.fields["outcome"].label = f"What came of step {number}"
        self.rows = list(zip(steps, self.forms, strict=True))

    def is_valid(self) -> bool:
        """Every row is judged, so that all that is wrong is said at once."""
        wrong = [form for form in self.forms if not form.is_valid()]
        return not wrong

    @property
    def wrong(self) -> int:
        return sum(len(form.errors) for form in self.forms)

    def outcomes(self) -> list[dict[str, str]]:
        return [dict(form.cleaned_data) for form in self.forms]


def first_fields(environments: Sequence[str], version: int, now: datetime) -> dict[str, Any]:
    """What the form begins with: staging where there is one."""
    slugs = [slug for slug in environments if slug == "staging"] or list(environments)
    return {"environment": slugs[0] if slugs else "", "at": now, "version": version}
