"""What people write about an incident: that there is one, what they know, how it ended."""

from typing import Any

from django import forms

from opsboard.incidents.models import Incident
from opsboard.services.models import Environment
from opsboard.web.forms.editing import EditForm
from opsboard.web.forms.fields import NameField, TextField

MARKDOWN = "Markdown: **strong**, lists, links, `code`."


class NewIncidentForm(forms.Form):
    use_required_attribute = False

    place = forms.ModelChoiceField(
        Environment.objects.none(),
        label="What hurts",
        empty_label="Choose a service and where it runs",
        error_messages={
            "required": "Choose a service and where it runs.",
            "invalid_choice": "This is not on the board any more: choose again.",
        },
    )
    title = NameField(
        label="In one sentence",
        max_length=300,
        help_text="What people cannot do, as in Passengers cannot pay. It heads the messages.",
    )
    text = TextField(label="What is known", rows=5, help_text=MARKDOWN)

    def __init__(self, data: Any = None, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        place: Any = self.fields["place"]
        place.queryset = standing_places()
        place.label_from_instance = _place_words


def standing_places() -> Any:
    return (
        Environment.objects.filter(removed_at=None, service__removed_at=None)
        .select_related("service__team")
        .order_by("service__name", "slug")
    )


def _place_words(place: Environment) -> str:
    return f"{place.service.name} in {place.slug}"


class UpdateForm(forms.Form):
    use_required_attribute = False

    text = TextField(
        label="What you know now",
        required=True,
        rows=6,
        help_text=f"It stands in what happened, with your name, and stays. {MARKDOWN}",
    )


class ResolutionForm(forms.Form):
    use_required_attribute = False

    text = TextField(
        label="What was done",
        rows=6,
        help_text=f"It stands in what happened, with your name. {MARKDOWN}",
    )


class AfterwordForm(EditForm):
    text = TextField(
        label="What was learned",
        rows=16,
        max_length=50_000,
        help_text=f"What happened, why, and what changes because of it. {MARKDOWN}",
    )

    def __init__(self, data: Any = None, *, incident: Incident, **kwargs: Any) -> None:
        # Never "new": two who write the first one at once are to see both.
        super().__init__(data, stored={"text": incident.afterword}, is_new=False, **kwargs)
