"""What silences, maintenance windows and freezes are about: the fields they share."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from opsboard.alerts.silencing import NOTHING, Reach
from opsboard.services.models import (
    CriticalPath,
    Environment,
    Service,
    Team,
)
from opsboard.web.forms.editing import EditForm
from opsboard.web.forms.fields import LineField, text_input


class PathField(LineField):
    """A path by its names in addresses: "fares-api/price-a-crossing". Needs the list of paths."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"widget": text_input(code=True, list="paths")} | kwargs)

    def prepare_value(self, value: Any) -> Any:
        return path_name(value) if isinstance(value, CriticalPath) else value

    def clean(self, value: Any) -> CriticalPath | None:
        # What it gives back is not what it reads: a path, not text. A locked field reads its own.
        if isinstance(value, CriticalPath):
            return value
        text = super().clean(value)
        if not text:
            return None
        service, _, slug = text.partition("/")
        found = CriticalPath.objects.standing().filter(service__slug=service, slug=slug)
        path = found.select_related("service").first()
        if path is None:
            raise ValidationError(
                "No path of this name is on the board: write it as in fares-api/health."
            )
        return path


def path_name(path: CriticalPath) -> str:
    return f"{path.service.slug}/{path.slug}"


def path_names() -> list[str]:
    named = CriticalPath.objects.standing().order_by("service__slug", "slug")
    return [f"{service}/{slug}" for service, slug in named.values_list("service__slug", "slug")]


class ReachForm(EditForm):
    """The fields both have. Each that is left empty stands for all."""

    team = forms.ModelChoiceField(
        Team.objects.standing().order_by("name"),
        label="Team",
        required=False,
        empty_label="Every team",
    )
    service = forms.ModelChoiceField(
        Service.objects.standing().order_by("name"),
        label="Service",
        required=False,
        empty_label="Every service",
    )
    environment = forms.ChoiceField(label="Environment", required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        slugs = Environment.objects.standing().order_by("slug").values_list("slug", flat=True)
        known = [*dict.fromkeys(slugs)]
        if (kept := self.stored.get("environment")) and kept not in known:
            known.append(kept)
        environment: Any = self.fields["environment"]
        environment.choices = [("", "Every environment"), *((slug, slug) for slug in known)]

    def check_reach(self) -> None:
        """Add the error when no service or path could be meant."""
        if not self.errors and not self.reach().is_about_something:
            self.add_error(None, NOTHING)

    def reach(self) -> Reach:
        data = self.cleaned_data
        return Reach(
            team=data["team"],
            service=data["service"],
            path=data.get("path"),
            environment=data["environment"],
        )
