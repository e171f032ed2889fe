"""Forms of releases: the plan, an override, that it went out, that it was rolled back."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from opsboard.releases.models import Release
from opsboard.releases.naming import COMMIT, VERSION
from opsboard.releases.overriding import LONGEST_REASON, SHORTEST_REASON
from opsboard.releases.rules import GateState
from opsboard.services.models import CriticalPath, Environment, Service
from opsboard.web.forms.editing import EditForm
from opsboard.web.forms.fields import LineField, NameField, TextField, text_input
from opsboard.web.forms.times import MomentField

MOST_LINES = 200
LONGEST_LINE = 200


class VersionField(LineField):
    def clean(self, value: Any) -> str:
        text: str = super().clean(value)
        if text and not re.fullmatch(VERSION, text):
            raise ValidationError(
                "Write letters, digits and . _ + ~ -, at most 100 of them, as in 2026.11.4."
            )
        return text


class CommitField(LineField):
    def clean(self, value: Any) -> str:
        text: str = super().clean(value).lower()
        if text and not re.fullmatch(COMMIT, text):
            raise ValidationError("Write its 7 to 64 hexadecimal digits, as git rev-parse HEAD.")
        return text


class LinesField(TextField):
    """A list, one a line; empty lines count for nothing."""

    def __init__(
        self, *, most: int = MOST_LINES, longest: int = LONGEST_LINE, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.most, self.longest = most, longest

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> list[str]:  # type: ignore[override]
        # What it gives back is not what it reads: lines, not text. A locked field reads its own.
        if isinstance(value, list):
            return value
        lines = [line.strip() for line in super().clean(value).split("\n") if line.strip()]
        if len(lines) > self.most:
            raise ValidationError(f"At most {self.most} lines go here: take some out.")
        if any(len(line) > self.longest for line in lines):
            raise ValidationError(f"A line holds at most {self.longest} characters: shorten it.")
        return list(dict.fromkeys(lines))


class ReasonField(TextField):
    """Why, in at least so many characters; the page counts them where it can."""

    def __init__(self, *, least: int = SHORTEST_REASON, **kwargs: Any) -> None:
        self.least = least
        usual: dict[str, Any] = {
            "required": True,
            "max_length": LONGEST_REASON,
            "help_text": f"At least {least} characters. Everyone can read it.",
        }
        super().__init__(**usual | kwargs)
        self.widget.attrs["data-least"] = str(least)

    def clean(self, value: Any) -> str:
        text = super().clean(value)
        written = len(text.strip())
        if text and written < self.least:
            raise ValidationError(
                f"These are {written} of at least {self.least} characters: say more."
            )
        return text.strip()


class PlanForm(EditForm):
    """What is to go out. Service, version and commit stand for ever once it is named."""

    service = forms.ModelChoiceField(
        Service.objects.standing().order_by("name"),
        label="Service",
        empty_label="Choose a service",
        error_messages={"required": "Choose a service."},
    )
    version = VersionField(label="Version", help_text="As in 2026.11.4.")
    commit = CommitField(
        label="Commit", help_text="In hexadecimal, whole. Evidence must be of this commit."
    )
    tag = LineField(label="Tag", required=False, max_length=200)
    environment = forms.ChoiceField(label="Goes to", required=False)
    planned_at = MomentField(label="Planned for, in UTC", required=False)
    summary = NameField(
        label="What it brings",
        required=False,
        max_length=300,
        help_text="As in Load fare rules in one query.",
    )
    migrations = LinesField(
        label="Migrations",
        code=True,
        rows=3,
        help_text="One a line, in order. A rollback is rehearsed with them.",
    )
    paths = LinesField(
        label="Critical paths touched",
        code=True,
        rows=3,
        help_text="Their names in addresses, one a line, as in price-a-crossing.",
    )

    def __init__(self, data: Any = None, *, release: Release | None, **kwargs: Any) -> None:
        self.release = release
        stored = stored_plan(release) | kwargs.pop("prefilled", {})
        super().__init__(data, stored=stored, is_new=release is None)
        if release is not None:
            for name in ("service", "version", "commit"):
                self.fields[name].disabled = True
        self._offer_environments(stored.get("environment", ""))

    def _offer_environments(self, kept: str) -> None:
        slugs = Environment.objects.standing().order_by("slug").values_list("slug", flat=True)
        known = [*dict.fromkeys(["production", *slugs, *([kept] if kept else [])])]
        environment: Any = self.fields["environment"]
        environment.choices = [(slug, slug) for slug in known]

    def clean(self) -> None:
        service, slugs = self.cleaned_data.get("service"), self.cleaned_data.get("paths", [])
        if service is None:
            return
        known = CriticalPath.objects.standing().filter(service=service, slug__in=slugs)
        by_slug = {path.slug: path for path in known}
        if missing := [slug for slug in slugs if slug not in by_slug]:
            self.add_error(
                "paths", f"{service.name} has no path {', '.join(missing)}: see its page."
            )
        self.cleaned_data["touched"] = [by_slug[slug] for slug in slugs if slug in by_slug]


def stored_plan(release: Release | None) -> dict[str, Any]:
    if release is None:
        return {"environment": "production", "migrations": [], "paths": []}
    return {
        "service": release.service_id,
        "version": release.version,
        "commit": release.commit,
        "tag": release.tag,
        "environment": release.environment_slug,
        "planned_at": release.planned_at,
        "summary": release.summary,
        "migrations": release.migrations,
        "paths": list(release.paths.order_by("slug").values_list("slug", flat=True)),
    }


ENDS = (
    ("2h", "In 2 hours"),
    ("8h", "In 8 hours"),
    ("tomorrow", "Tomorrow 09:00 UTC"),
    ("72h", "In 72 hours, the longest"),
)
HOURS = {"2h": 2, "8h": 8, "72h": 72}


class OverrideForm(forms.Form):
    use_required_attribute = False

    gates = forms.MultipleChoiceField(
        label="Gates to override",
        widget=forms.CheckboxSelectMultiple,
        help_text="One that is not met takes a second person, who accepts it on the page.",
        error_messages={"required": "Choose at least one gate."},
    )
    reason = ReasonField(label="Why is it safe enough?")
    ends = forms.ChoiceField(label="Override ends", choices=ENDS)

    def __init__(self, data: Any = None, *, gates: Sequence[GateState], now: datetime) -> None:
        super().__init__(data)
        self.now = now
        field: Any = self.fields["gates"]
        field.choices = [(one.gate, f"{one.name}, {one.word.value}") for one in gates]

    def clean(self) -> None:
        if ends := self.cleaned_data.get("ends"):
            self.cleaned_data["ends_at"] = ends_at(ends, self.now)


def ends_at(chosen: str, now: datetime) -> datetime:
    if chosen in HOURS:
        return now + timedelta(hours=HOURS[chosen])
    return (now + timedelta(days=1)).replace(hour=9, minute=0, second=0, microsecond=0)


class GoForm(forms.Form):
    """It went out. `must_say` is True while it is not ready: then it takes a reason."""

    use_required_attribute = False

    environment = forms.ChoiceField(label="Where it went out")
    at = MomentField(
        label="Began to run there, in UTC", required=False, help_text="Empty: just now."
    )
    reason = ReasonField(
        label="Why does it go out all the same?",
        error_messages={"required": "It is not ready: write why it went out all the same."},
    )

    def __init__(
        self, data: Any = None, *, release: Release, must_say: bool, now: datetime
    ) -> None:
        super().__init__(data, initial={"environment": release.environment_slug})
        self.now = now
        places = release.service.environments.filter(removed_at=None).order_by("slug")
        slugs = [release.environment_slug, *places.values_list("slug", flat=True)]
        environment: Any = self.fields["environment"]
        environment.choices = [(slug, slug) for slug in dict.fromkeys(slugs)]
        if not must_say:
            del self.fields["reason"]
        elif data and data.get("environment") != release.environment_slug:
            # On its way, in another environment, it needs no reason.
            self.fields["reason"].required = False

    def clean_at(self) -> datetime | None:
        at: datetime | None = self.cleaned_data["at"]
        if at is not None and at > self.now:
            raise ValidationError("This is still to come: record a release after it began to run.")
        return at


class RollbackForm(forms.Form):
    use_required_attribute = False

    reason = ReasonField(
        label="Why was it rolled back?",
        least=1,
        max_length=300,
        help_text="It is kept with the decision, and heads the hold.",
        widget=text_input(),
    )
