"""The steps of a path, as rows of a form."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError

from opsboard.services.problems import Problem
from opsboard.services.rules import METHODS
from opsboard.services.saying import steps_text
from opsboard.services.steps import LONGEST_STEP_NAME, MOST_STEPS, MOST_TAKEN, Step
from opsboard.web.forms.fields import (
    ExpectedResultField,
    LineField,
    NameField,
    PairsField,
    TextField,
)
from opsboard.web.forms.wording import in_row, row_messages

PREFIX = "step"
LONGEST_BODY = 65_536
# The fields of a row that have a name of their own in a step.
_FIELD_OF = {"form": "form_fields"}
_FOLDED = ("query", "headers", "body", "form_fields")


class TakeField(TextField):
    """Lines of a name and the place of its value: `token = json $.token`."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(code=True, max_length=20_000, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            return "\n".join(f"{name} = {place}" for name, place in value.items())
        return value

    def clean(self, value: Any) -> dict[str, str]:  # type: ignore[override]
        # What it gives back is not what it reads: places by name, not text.
        taken: dict[str, str] = {}
        errors: list[str] = []
        for number, line in enumerate(super().clean(value).split("\n"), 1):
            name, equals, place = (part.strip() for part in line.partition("="))
            if not line.strip():
                continue
            if not equals or not place:
                errors.append(f"Line {number}: Write name = json $.path or name = header Name.")
            elif name in taken:
                errors.append(f"Line {number}: {name} stands here twice.")
            taken[name] = place
        if len(taken) > MOST_TAKEN:
            errors.append(f"At most {MOST_TAKEN} values go here.")
        if errors:
            raise ValidationError(errors)
        return taken


class StepForm(forms.Form):
    use_required_attribute = False

    name = NameField(label="Name", max_length=LONGEST_STEP_NAME)
    method = forms.ChoiceField(
        label="Method", required=False, initial="GET", choices=[(one, one) for one in METHODS]
    )
    route = LineField(label="Route", max_length=2_000)
    query = PairsField(are_headers=False, rows=2, label="Query")
    headers = PairsField(are_headers=True, rows=2, label="Headers")
    body = TextField(rows=3, code=True, label="Body", max_length=LONGEST_BODY, strip=False)
    form_fields = PairsField(are_headers=False, rows=2, label="Form")
    expect = ExpectedResultField(rows=3, label="Expect")
    take = TakeField(rows=2, label="Take")
    always = forms.BooleanField(
        label="Run it whatever became of those before it, to clean up", required=False
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # The fields at which problems of the whole are shown.
        self.told: set[str] = set()

    @property
    def is_step(self) -> bool:
        """Something was typed in it, be it wrong."""
        if self.errors:
            return True
        return any(value for name, value in self.cleaned_data.items() if name != "method")

    @property
    def has_errors_inside(self) -> bool:
        """Whether something is wrong with what is folded away."""
        return self.is_bound and any(name in self.errors for name in _FOLDED)

    def as_step(self) -> Step:
        """As far as it could be read."""
        data = self.cleaned_data
        return Step(
            name=data.get("name", ""),
            method=data.get("method") or "GET",
            route=data.get("route", ""),
            headers=data.get("headers", []),
            query=data.get("query", []),
            body=data.get("body", ""),
            form=data.get("form_fields", []),
            expect=tuple(data["expect"].split("\n")) if data.get("expect") else (),
            take=data.get("take", {}),
            always=data.get("always", False),
        )

    def tell(self, problem: Problem) -> None:
        """Show what is wrong with it at its field, unless that is known to be wrong already."""
        name, *rest = problem.at or ("name",)
        field = _FIELD_OF.get(str(name), str(name))
        if field in self.errors and field not in self.told:
            return
        self.told.add(field)
        where = f"Line {int(rest[0]) + 1}: " if name == "expect" and rest else ""
        self.add_error(field, f"{where}{problem.sentence}")


if TYPE_CHECKING:
    Rows = forms.BaseFormSet[StepForm]
else:
    Rows = forms.BaseFormSet


class StepRows(Rows):
    """The steps in their order. An empty row is none."""

    default_error_messages = row_messages(MOST_STEPS, "steps")

    def get_form_kwargs(self, index: int | None) -> dict[str, Any]:  # noqa: ARG002
        return {"empty_permitted": True}

    def add_fields(self, form: StepForm, index: int | None) -> None:
        super().add_fields(form, index)
        for field in form.fields.values():
            field.label = in_row(str(field.label), index, "step")

    @property
    def filled(self) -> list[StepForm]:
        """The rows that are steps, of those that were sent."""
        return [row for row in self.forms if row.is_bound and row.is_step]


StepFormSet: Any = forms.formset_factory(
    StepForm, formset=StepRows, extra=0, max_num=MOST_STEPS, absolute_max=200, validate_max=True
)


def shown_steps(stored: list[dict[str, Any]]) -> StepRows:
    """Rows that show steps as they are stored."""
    rows: StepRows = StepFormSet(prefix=PREFIX, initial=[_shown(one) for one in stored])
    return rows


def _shown(stored: Mapping[str, Any]) -> dict[str, Any]:
    step = Step.read(stored)
    return {
        "name": step.name,
        "method": step.method,
        "route": step.route,
        "query": step.query,
        "headers": step.headers,
        "body": step.body,
        "form_fields": step.form,
        "expect": "\n".join(step.expect),
        "take": step.take,
        "always": step.always,
    }


def sent_steps(data: Any) -> StepRows:
    """Rows as they were sent; none when the form had none."""
    if f"{PREFIX}-TOTAL_FORMS" not in data:
        return shown_steps([])
    rows: StepRows = StepFormSet(data, prefix=PREFIX)
    return rows


def text_of(steps: list[dict[str, Any]]) -> str:
    return "\n".join(steps_text(steps))
