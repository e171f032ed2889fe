"""The form that puts a path on the board: what was pasted, and four things about it."""

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q

from opsboard.expectations.grammar import parse
from opsboard.expectations.windows import check_window
from opsboard.services.models import CriticalPath, Service
from opsboard.services.rules import slug_from
from opsboard.web.curl import read_pasted
from opsboard.web.curl_options import UnreadableError
from opsboard.web.forms.about import refuse_taken
from opsboard.web.forms.askable import refuse_address
from opsboard.web.forms.fields import ExpectedResultField, NameField, TextField, text_input
from opsboard.web.forms.services import free_service_slug
from opsboard.web.forms.teams import OwnerField
from opsboard.web.starting import Start, start_from


class PasteForm(forms.Form):
    use_required_attribute = False
    start: Start

    pasted = TextField(
        required=True,
        rows=3,
        code=True,
        max_length=65_536,
        label="An address, or the curl command that asks it",
        help_text="For example https://fares.example/health. Opsboard asks it once, now.",
    )

    def clean_pasted(self) -> str:
        text: str = self.cleaned_data["pasted"]
        try:
            pasted = read_pasted(text)
        except UnreadableError as wrong:
            raise ValidationError(str(wrong)) from wrong
        refuse_address(pasted.url)
        self.start = start_from(pasted, find_service(self.data.get("service", "").strip()))
        return text


class StartForm(PasteForm):
    service = NameField(
        label="Service",
        widget=text_input(list="services"),
        help_text="One of the list, or the name of a new one: the thing you deploy.",
    )
    owner = OwnerField(required=False)
    name = NameField(
        label="Name of the path", help_text="What users do here, as in Price a crossing."
    )
    expected_result = ExpectedResultField(
        label="Expected result",
        rows=5,
        help_text="Proposed from the reply. One clause a line; change what is not right.",
    )
    # The proposal that stands in the field above, unless somebody changed it.
    proposed = forms.CharField(required=False, widget=forms.HiddenInput, strip=False)

    def clean_service(self) -> str:
        name: str = self.cleaned_data["service"]
        if find_service(name) is None:
            free_service_slug("", name=name)
        return name

    def clean_expected_result(self) -> str:
        text: str = self.cleaned_data["expected_result"]
        interval = CriticalPath().interval
        wrong = [check_window(clause, interval) for clause in parse(text)]
        if any(wrong):
            raise ValidationError([sentence for sentence in wrong if sentence])
        return text

    def clean(self) -> None:
        data = self.cleaned_data
        if data.get("service") and not find_service(data["service"]) and data.get("owner") == "":
            self.add_error("owner", "Say which team owns the new service.")
        if data.get("name") and "service" in data and "pasted" in data:
            self._check_name(data["name"])
        if "service" in data and "pasted" in data:
            self._check_environment()

    def _check_environment(self) -> None:
        place, service = self.start.environment, self.start.service
        if service and not place.pk:
            try:
                refuse_taken(service.environments.filter(slug=place.slug).first())
            except ValidationError as taken:
                self.add_error("service", taken)

    def _check_name(self, name: str) -> None:
        slug, wrong = slug_from(name)
        if self.start.becomes_health:
            return
        service = self.start.service
        if service and not wrong:
            try:
                refuse_taken(service.paths.filter(slug=slug).first())
            except ValidationError as taken:
                self.add_error("name", taken)
        if slug == "health" and not wrong:
            wrong = "health is the path by which a service says that it is up: choose another name."
        if wrong:
            self.add_error("name", wrong)


def find_service(name: str) -> Service | None:
    """The service of that name, or with that name in addresses."""
    slug, _ = slug_from(name)
    if not name:
        return None
    return (
        Service.objects.standing()
        .filter(Q(name__iexact=name) | Q(slug=slug))
        .select_related("team")
        .order_by("pk")
        .first()
    )
