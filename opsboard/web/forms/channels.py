"""Where alerts go: the form of a channel of any kind."""

from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from opsboard.alerts.models import Channel
from opsboard.alerts.subjects import LONGEST, NAMES, unknown_names
from opsboard.services.models import Team
from opsboard.web.forms.channel_addresses import HELP, WITHOUT_ADDRESS, checked, where_to
from opsboard.web.forms.editing import EditForm
from opsboard.web.forms.fields import LineField, NameField, TextField

Kind = Channel.Kind
# There is one of it, made when it is first needed.
KINDS = [(value, label) for value, label in Kind.choices if value != Kind.ADMINISTRATORS]

__all__ = ["ChannelForm", "stored_channel", "where_to"]


class SubjectField(LineField):
    """A first line with {{ names }}, which are replaced and nothing else."""

    def clean(self, value: Any) -> str:
        text: str = super().clean(value)
        if wrong := unknown_names(text):
            raise ValidationError(wrong)
        return text


class ChannelForm(EditForm):
    name = NameField(label="Name", help_text="Who or what hears it, as in Pricing on call.")
    kind = forms.ChoiceField(label="Kind", choices=KINDS)
    address = TextField(
        rows=2, code=True, required=True, max_length=8_000, label="Where to", help_text=HELP
    )
    team = forms.ModelChoiceField(
        Team.objects.standing().order_by("name"),
        label="Hears about",
        required=False,
        empty_label="The services of every team",
    )
    subject_template = SubjectField(
        label="First line of its messages",
        required=False,
        max_length=LONGEST,
        help_text="Leave empty for [INC-0412] Failing: Price a crossing (fares-api, production). "
        f"It may hold {', '.join(f'{{{{ {name} }}}}' for name in NAMES)}.",
    )
    new_secret = forms.BooleanField(
        label="Make a new signing secret",
        required=False,
        help_text="The one in use goes on signing beside it for 24 hours.",
    )
    stop_old = forms.BooleanField(label="Stop using the old secret now", required=False)

    def __init__(
        self, data: Any = None, *, channel: Channel | None, now: datetime, **kwargs: Any
    ) -> None:
        super().__init__(data, stored=stored_channel(channel), is_new=channel is None, **kwargs)
        self.channel = channel
        self._drop_secrets(channel, now=now)
        if self.data.get("kind") in WITHOUT_ADDRESS:
            self.fields["address"].required = False
        if channel is not None:
            self._keep_what_is_stored(channel)

    def _drop_secrets(self, channel: Channel | None, *, now: datetime) -> None:
        if channel is None or channel.kind != Kind.WEBHOOK:
            del self.fields["new_secret"]
        until = channel.previous_until if channel and channel.previous_secret else None
        if until is None or until <= now:
            del self.fields["stop_old"]
        else:
            self.fields[
                "stop_old"
            ].help_text = f"Messages are signed with both until {until:%H:%M UTC on %-d %B}."

    def _keep_what_is_stored(self, channel: Channel) -> None:
        kind: Any = self.fields["kind"]
        kind.choices, kind.disabled = Kind.choices, True
        kind.help_text = "For another kind, add another channel."
        if channel.kind in WITHOUT_ADDRESS:
            del self.fields["address"]
            return
        where = where_to(channel)
        self.fields["address"].required = not where
        self.fields["address"].help_text = (
            f"Set: {where}. Leave empty to keep it."
            if where
            else "The stored address cannot be decrypted: write it again."
        )

    def clean(self) -> None:
        kind = self.cleaned_data.get("kind")
        if not kind:
            return
        if kind in WITHOUT_ADDRESS:
            self.cleaned_data["address"] = ""
            if kind == Kind.DUTY and "team" not in self.errors and not self.cleaned_data["team"]:
                self.add_error("team", "Choose the team whose rota says who is on duty.")
            return
        self._clean_address(kind)

    def _clean_address(self, kind: str) -> None:
        address = self.cleaned_data.get("address")
        if not address:
            return
        try:
            self.cleaned_data["address"] = checked(kind, address)
        except ValidationError as wrong:
            self.add_error("address", wrong)


def stored_channel(channel: Channel | None) -> dict[str, Any]:
    shown = channel or Channel()
    # The ciphertext stands for the address: it tells that it was changed, and nothing else.
    version = {"written": [shown.address, shown.signing_secret, shown.previous_secret]}
    return version | {
        "name": shown.name,
        "kind": shown.kind,
        "team": shown.team_id,
        "subject_template": shown.subject_template,
    }
