"""What people tell of a change: that it was applied, what was cleared, why it is given up."""

from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from opsboard.changes import applying
from opsboard.changes.baselines import LONGEST_REASON
from opsboard.changes.models import Act
from opsboard.web.forms.fields import CountField, LineField, NameField, TextField
from opsboard.web.forms.times import MomentField


class ToldForm(forms.Form):
    """What was done, when, and how it ended."""

    use_required_attribute = False

    at = MomentField(label="When, in UTC", required=False, help_text="Empty: just now.")
    command = TextField(
        label="Command",
        code=True,
        rows=2,
        max_length=applying.LONGEST_COMMAND,
        help_text="What was run, without secrets. Everyone can read it.",
    )
    exit_code = CountField(
        label="Exit code", low=0, high=255, required=False, help_text="0: it went well."
    )
    remark = NameField(label="Remark", required=False, max_length=applying.LONGEST_REMARK)

    def __init__(self, data: Any = None, *, now: datetime, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.now = now

    def clean_at(self) -> datetime | None:
        at: datetime | None = self.cleaned_data["at"]
        if at is not None and at > self.now:
            raise ValidationError("This is still to come: record it after it was done.")
        return at

    def told(self) -> dict[str, Any]:
        """By the names of opsboard.changes.applying.Told."""
        return {name: self.cleaned_data[name] for name in ("at", "command", "exit_code", "remark")}


class ClearedForm(ToldForm):
    """What was cleared. Everything is asked twice: `sure` is shown once it was chosen."""

    what = forms.ChoiceField(
        label="What was cleared",
        choices=Act.What,
        widget=forms.RadioSelect,
        help_text="Clear only the cache that matters: then the rest of the service stays warm.",
        error_messages={"required": "Choose what was cleared."},
    )
    pattern = LineField(
        label="Key or prefix",
        required=False,
        max_length=applying.LONGEST_PATTERN,
        help_text="Needed unless everything was cleared. As in fare-rules:OSL-KIE, or fare-rules: "
        "for all that begin so.",
    )
    count = CountField(
        label="Keys cleared",
        low=0,
        high=999_999_999,
        required=False,
        help_text="As the command said. Empty: it did not say.",
    )
    sure = forms.BooleanField(label="Yes, everything was cleared", required=False)

    def clean(self) -> None:
        what = self.cleaned_data.get("what")
        if what == Act.What.EVERYTHING and not self.cleaned_data.get("sure"):
            self.add_error("sure", "Tick this if everything was cleared, or choose what was.")
        elif what in (Act.What.KEY, Act.What.PREFIX) and not self.data.get("pattern", "").strip():
            self.add_error("pattern", "Write the key or the prefix that was cleared.")

    def told(self) -> dict[str, Any]:
        """By the names of opsboard.changes.applying.Cleared."""
        data = self.cleaned_data
        return super().told() | {name: data[name] for name in ("what", "pattern", "count")}

    @property
    def asks_twice(self) -> bool:
        return self.data.get("what") == Act.What.EVERYTHING


class GiveUpForm(forms.Form):
    use_required_attribute = False

    because = NameField(
        label="Why is it given up?",
        max_length=LONGEST_REASON,
        help_text="As in the load test ran meanwhile. It is kept with the attempt.",
    )
