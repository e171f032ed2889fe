"""A service; a new one with the environment production and its health path."""

from collections import defaultdict
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from opsboard.probes.rendering import address
from opsboard.services.about import circle_in, circle_words
from opsboard.services.models import TIERS, Service
from opsboard.services.rules import slug_from
from opsboard.web.forms.about import (
    FactsField,
    LinksField,
    ServicesField,
    TagsField,
    refuse_taken,
)
from opsboard.web.forms.askable import refuse_address
from opsboard.web.forms.editing import EditForm
from opsboard.web.forms.environments import BaseUrlField
from opsboard.web.forms.fields import NameField, RouteField, SlugField
from opsboard.web.forms.teams import OwnerField


class ServiceForm(EditForm):
    name = NameField(label="Name", help_text="The thing you deploy, as in fares-api.")
    slug = SlugField(
        label="Name in addresses",
        required=False,
        help_text="Made from the name when left empty. It stays as it is.",
    )
    summary = NameField(
        label="What it does",
        required=False,
        max_length=300,
        help_text="In one line, for somebody who has never heard of it.",
    )
    tier = forms.TypedChoiceField(
        label="Tier",
        choices=TIERS,
        coerce=int,
        help_text="Tier 1: the company cannot work without it.",
    )
    team = OwnerField()
    links = LinksField(
        rows=4,
        code=True,
        label="Links",
        help_text="One a line, as in Runbook: https://wiki.example/fares. Repository, Runbook "
        "and Chat come first on the page.",
    )
    tags = TagsField(label="Tags", help_text="Between commas or spaces, as in booking, python.")
    depends_on = ServicesField(
        rows=3,
        code=True,
        label="Calls",
        help_text="The services it depends on, one a line, as in fares-db.",
    )
    facts = FactsField(
        rows=8,
        code=True,
        label="Further facts",
        help_text="One a line, as in Data class: internal. For a list, write its name and a "
        "colon, and below it a line for each, which begins with a hyphen and a blank. For texts "
        "by key, begin such lines with two blanks, and write key: text.",
    )

    def __init__(self, data: Any = None, *, service: Service | None, **kwargs: Any) -> None:
        super().__init__(
            data, stored=stored_service(service), is_new=service is None, of=service, **kwargs
        )
        self.service = service
        if service is not None:
            self.fields["slug"].disabled = True
            self.fields["slug"].help_text = "Alerts and links hold it: it stays as it is."

    def clean_slug(self) -> str:
        if self.service is not None:
            return self.service.slug
        return free_service_slug(self.cleaned_data["slug"], name=self.cleaned_data.get("name", ""))

    def clean_depends_on(self) -> list[Service]:
        called: list[Service] = self.cleaned_data["depends_on"]
        if self.service is not None:
            refuse_circle(self.service, called)
        return called


class NewServiceForm(ServiceForm):
    base_url = BaseUrlField(
        label="Address in production",
        help_text="Scheme, host and port, as in https://fares.example.",
    )
    health_route = RouteField(
        label="Route of its health", help_text="Every service has the path health, as in /health."
    )

    def __init__(self, data: Any = None, **kwargs: Any) -> None:
        super().__init__(data, service=None, **kwargs)
        self.initial.setdefault("health_route", "/health")

    def clean(self) -> None:
        base_url, route = self.cleaned_data.get("base_url"), self.cleaned_data.get("health_route")
        if base_url and route:
            try:
                refuse_address(address(base_url, route, ""))
            except ValidationError as wrong:
                self.add_error("health_route", wrong)


def stored_service(service: Service | None) -> dict[str, Any]:
    shown = service or Service()
    values = {name: getattr(shown, name) for name in ("name", "slug", "summary", "tier")}
    calls = service.depends_on.standing().order_by("slug") if service else Service.objects.none()
    return (
        values
        | {name: getattr(shown, name) for name in ("links", "tags", "facts")}
        | {
            "team": service.team.name if service else "",
            "depends_on": list(calls.values_list("slug", flat=True)),
        }
    )


def refuse_circle(service: Service, called: list[Service]) -> None:
    """ValidationError when a service would come to call itself, straight or by others.

    What was removed counts: it may come back.
    """
    calls: dict[str, set[str]] = defaultdict(set)
    for one, other in Service.depends_on.through.objects.values_list(
        "from_service__slug", "to_service__slug"
    ):
        calls[one].add(other)
    calls[service.slug] = {one.slug for one in called}
    if circle := circle_in(calls, service.slug):
        raise ValidationError(f"{circle_words(circle)}: a circle has no first cause. Take one out.")


def free_service_slug(slug: str, *, name: str) -> str:
    """The slug typed, or the one the name gives. ValidationError when it cannot be had."""
    if not slug:
        slug, wrong = slug_from(name)
        if wrong:
            raise ValidationError(wrong)
    refuse_taken(Service.objects.filter(slug=slug).first())
    return slug
