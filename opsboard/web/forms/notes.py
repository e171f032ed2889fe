"""A new version of a rollback note."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError

from opsboard.rollbacks.models import NoteVersion
from opsboard.rollbacks.words import FILLED, refuse_words, wrong_words
from opsboard.rollbacks.writing import LONGEST_NOTE, MOST_STEPS, steps_text
from opsboard.web.forms.editing import Difference
from opsboard.web.forms.fields import CountField, NameField, TextField, text_input
from opsboard.web.forms.wording import in_row, row_messages


class NoteForm(forms.Form):
    use_required_attribute = False

    title = NameField(
        label="What it does",
        max_length=200,
        help_text="Start with a verb. This line is in every alert.",
    )
    use_when = TextField(rows=3, label="Use it when", max_length=LONGEST_NOTE)
    does_not_undo = TextField(rows=3, label="It does not undo", max_length=LONGEST_NOTE)
    minutes = CountField(
        low=1,
        high=10_000,
        required=False,
        label="Takes about, in minutes",
    )
    reason = NameField(
        label="What changed, in one line",
        required=False,
        max_length=300,
        help_text="Shown in the list of versions.",
    )
    base = forms.IntegerField(widget=forms.HiddenInput, min_value=0, required=False)
    # The mark of the draft that the form began with; "": with none.
    kept = forms.CharField(widget=forms.HiddenInput, max_length=60, required=False)

    def clean(self) -> None:
        for name in ("title", "use_when", "does_not_undo"):
            if wrong := refuse_words(self.cleaned_data.get(name, "")):
                self.add_error(name, wrong)

    def clean_base(self) -> int:
        """The number of the version that was changed; 0: there was none."""
        return self.cleaned_data["base"] or 0

    def for_version(self) -> dict[str, Any]:
        """What a version is written from, with the number of the one it is based on."""
        return {name: value for name, value in self.cleaned_data.items() if name != "kept"}


class StepForm(forms.Form):
    do = NameField(label="Do this", max_length=500)
    run = NameField(
        label="Run",
        required=False,
        max_length=4_000,
        widget=text_input(code=True),
    )
    see = NameField(label="Should see", required=False, max_length=1_000)
    call = NameField(label="If it fails, call", required=False, max_length=300)

    def clean(self) -> None:
        for name in FILLED:
            if wrong := wrong_words(self.cleaned_data.get(name, "")):
                self.add_error(name, wrong)
        if self.cleaned_data.get("run") and not self.cleaned_data.get("see"):
            self.add_error("see", "Say what the person should see, so they know the step worked.")


if TYPE_CHECKING:
    Rows = forms.BaseFormSet[StepForm]
else:
    Rows = forms.BaseFormSet


class StepRows(Rows):
    """The steps in their order. An empty row is no step."""

    default_error_messages = row_messages(MOST_STEPS, "steps")

    def get_form_kwargs(self, index: int | None) -> dict[str, Any]:  # noqa: ARG002
        return {"empty_permitted": True, "use_required_attribute": False}

    def add_fields(self, form: StepForm, index: int | None) -> None:
        super().add_fields(form, index)
        for field in form.fields.values():
            field.label = in_row(str(field.label), index, "step")

    def clean(self) -> None:
        if not any(self.errors) and not self.steps():
            raise ValidationError("Write at least one step.")

    def steps(self) -> list[dict[str, str]]:
        return [row.cleaned_data for row in self.forms if row.cleaned_data.get("do")]


EMPTY_STEPS = 3
StepFormSet: Any = forms.formset_factory(
    StepForm,
    formset=StepRows,
    extra=EMPTY_STEPS,
    max_num=MOST_STEPS,
    absolute_max=500,
    validate_max=True,
)


def check_size(form: NoteForm, rows: StepRows) -> None:
    """Add an error to `form` for a note that is too long to be sent."""
    data = form.cleaned_data
    texts = [data["title"], data["use_when"], data["does_not_undo"], data["reason"]]
    texts += [text for step in rows.steps() for text in step.values()]
    size = sum(len(text.encode()) for text in texts)
    if size > LONGEST_NOTE:
        form.add_error(
            None,
            f"A note has at most 64 KiB, and this has {size // 1024 + 1}: it goes into every "
            "alert. Put the rest on a page of its own and name it in a step.",
        )


def differences(theirs: NoteVersion, mine: NoteVersion) -> list[Difference]:
    """What one version says and what this person typed, where the two differ."""
    all_fields = [
        Difference("What it does", theirs.title, mine.title),
        Difference("Use it when", theirs.use_when, mine.use_when),
        Difference("It does not undo", theirs.does_not_undo, mine.does_not_undo),
        Difference("Minutes", _minutes(theirs), _minutes(mine)),
        Difference("Steps", steps_text(theirs.steps), steps_text(mine.steps)),
    ]
    return [difference for difference in all_fields if difference.differs]


def _minutes(version: NoteVersion) -> str:
    return "" if version.minutes is None else str(version.minutes)


# What was typed, judged or not ------------------------------------------------------------------

TYPED = ("title", "use_when", "does_not_undo", "minutes", "reason")
STEP = ("do", "run", "see", "call")


def typed_note(form: NoteForm, rows: StepRows) -> dict[str, Any]:
    """As a draft keeps it: the fields as they were sent, and the rows that hold something."""
    note: dict[str, Any] = {name: _said(form[name].value()) for name in TYPED}
    steps = [{name: _said(row[name].value()) for name in STEP} for row in rows.forms]
    return note | {"steps": [step for step in steps if any(map(str.strip, step.values()))]}


def _said(value: Any) -> str:
    return "" if value is None else str(value).replace("\r\n", "\n").replace("\x00", "")


def draft_size(note: dict[str, Any]) -> str:
    """Why a draft is not kept, in a sentence; "": it may be."""
    steps = [text for step in note["steps"] for text in step.values()]
    size = sum(len(text.encode()) for text in [*(note[name] for name in TYPED), *steps])
    if size <= 2 * LONGEST_NOTE:
        return ""
    return (
        f"A draft has at most 128 KiB, and this has {size // 1024 + 1}: shorten it, then keep it."
    )


def version_of_typed(note: dict[str, Any]) -> NoteVersion:
    """What was typed as a version that is not stored, to be shown beside others."""
    return NoteVersion(
        title=note.get("title", ""),
        use_when=note.get("use_when", ""),
        does_not_undo=note.get("does_not_undo", ""),
        minutes=note.get("minutes") or None,
        steps=note.get("steps", []),
        reason=note.get("reason", ""),
    )


def stored_note(version: NoteVersion | None) -> dict[str, Any]:
    """What the form begins with: the newest version; None: nobody wrote one yet."""
    if version is None:
        return {"base": 0}
    return {
        "title": version.title,
        "use_when": version.use_when,
        "does_not_undo": version.does_not_undo,
        "minutes": "" if version.minutes is None else version.minutes,
        "base": version.number,
    }
