"""Who acknowledges by the link in a message: asked only where the message does not say."""

from typing import Any

from django import forms

from opsboard.alerts.acknowledging import Recipients
from opsboard.services.rules import check_name
from opsboard.web.forms.fields import NameField
from opsboard.web.words import person_name

SOMEBODY_ELSE = "else"
LONGEST = 120


class AcknowledgeForm(forms.Form):
    """No field where it is plain who reads; `name_typed` is "" for one with an account."""

    use_required_attribute = False

    def __init__(self, data: Any, *, recipients: Recipients, channel: str) -> None:
        super().__init__(data)
        self.known = {str(person.pk): person for person in recipients.known}
        self.somebody = somebody_at(channel)
        if not self.known:
            self.fields["name"] = NameField(
                label="Your name", required=False, initial=self.somebody, max_length=LONGEST
            )
        elif len(self.known) > 1 or recipients.are_others:
            self.fields["person"] = self._person(recipients)

    def _person(self, recipients: Recipients) -> forms.ChoiceField:
        named = [(key, person_name(person)) for key, person in self.known.items()]
        one = recipients.known[0] if len(named) == 1 else recipients.likeliest
        return forms.ChoiceField(
            label="I am",
            choices=[
                *([] if one else [("", "Choose your name")]),
                *named,
                *([(SOMEBODY_ELSE, "Somebody else")] if recipients.are_others else []),
            ],
            initial=str(one.pk) if one else "",
            error_messages={"required": "Choose who you are.", "invalid_choice": "Choose again."},
        )

    def person_id(self) -> str:
        """The chosen or only account; "": somebody without one. Call it on a valid form."""
        if not self.known:
            return ""
        chosen: str = self.cleaned_data.get("person") or next(iter(self.known))
        return "" if chosen == SOMEBODY_ELSE else chosen

    def name_typed(self) -> str:
        """What somebody without an account is called. Call it on a valid form."""
        return self.cleaned_data.get("name", "").strip() or self.somebody

    @property
    def only_one(self) -> str:
        """The one person who can have read it; "": several can, or it is not known who."""
        plain = len(self.known) == 1 and not self.fields
        return person_name(next(iter(self.known.values()))) if plain else ""


def somebody_at(channel: str) -> str:
    """Who acknowledges when only the channel is known. A name of one line, as channels have."""
    name = f"Somebody at {channel}"
    return name[:LONGEST] if not check_name(name[:LONGEST], LONGEST) else "Somebody"
