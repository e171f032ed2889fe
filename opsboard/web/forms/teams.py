"""Teams, and choosing the team that owns something."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from opsboard.people.models import people
from opsboard.services.models import Team
from opsboard.services.rules import slug_from
from opsboard.web.forms.about import refuse_taken
from opsboard.web.forms.editing import EditForm
from opsboard.web.forms.fields import NameField, SlugField, ZoneField, text_input
from opsboard.web.words import person_name


class TeamForm(EditForm):
    name = NameField(label="Name", help_text="A team, not a person, as in Pricing.")
    slug = SlugField(
        label="Name in addresses",
        required=False,
        help_text="Made from the name when left empty. It stays as it is.",
    )
    contact = NameField(
        label="How to reach them",
        required=False,
        max_length=200,
        help_text="A chat channel or a number, as in #pricing-on-call. Alerts say it.",
    )
    zone = ZoneField(
        label="Time zone",
        widget=text_input(list="zones"),
        help_text="As in Europe/Oslo. Times on the board are UTC.",
    )

    members = forms.ModelMultipleChoiceField(
        people().none(),
        label="Members",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="People may belong to several teams.",
    )

    def __init__(self, data: Any = None, *, team: Team | None, **kwargs: Any) -> None:
        super().__init__(data, stored=stored_team(team), is_new=team is None, of=team, **kwargs)
        self.team = team
        members: Any = self.fields["members"]
        members.queryset, members.label_from_instance = people(), person_name
        if team is not None:
            self.fields["slug"].disabled = True

    def clean_slug(self) -> str:
        if self.team is not None:
            return self.team.slug
        slug: str = self.cleaned_data["slug"] or new_slug(self.cleaned_data.get("name", ""))
        refuse_taken(Team.objects.filter(slug=slug).first())
        return slug


def stored_team(team: Team | None) -> dict[str, Any]:
    shown = team or Team()
    values = {name: getattr(shown, name) for name in ("name", "slug", "contact", "zone")}
    members = team.members.order_by("pk").values_list("pk", flat=True) if team else []
    return values | {"members": list(members)}


def new_slug(name: str) -> str:
    """The slug of a name. ValidationError when the name gives none."""
    slug, wrong = slug_from(name)
    if wrong:
        raise ValidationError(wrong)
    return slug


class OwnerField(NameField):
    """A team by its name: one that is there, or a new one. Needs the page's list of teams."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("help_text", "A team of the list, or the name of a new one.")
        super().__init__(label="Owner", widget=text_input(list="teams"), **kwargs)

    def clean(self, value: Any) -> str:
        name = super().clean(value)
        if name and find_team(name) is None:
            refuse_taken(Team.objects.filter(slug=new_slug(name)).first())
        return name


def find_team(name: str) -> Team | None:
    slug, _ = slug_from(name)
    teams = Team.objects.standing()
    return teams.filter(name__iexact=name).first() or teams.filter(slug=slug).first()


def team_names() -> list[str]:
    return list(Team.objects.standing().order_by("name").values_list("name", flat=True))
