"""Where a service runs, with the variables its sheets use. A stored secret is never shown."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError

from opsboard.services.addresses import check_base_url
from opsboard.services.models import Environment, Service, Variable
from opsboard.services.rules import VARIABLE, check_name
from opsboard.services.sheets import Sheet
from opsboard.services.versions import (
    read_version_commit,
    read_version_config_root,
    read_version_route,
)
from opsboard.web.forms.about import refuse_taken
from opsboard.web.forms.editing import EditForm
from opsboard.web.forms.fields import AddressField, LineField, SlugField
from opsboard.web.forms.wording import in_row, row_messages

MOST_VARIABLES = 60
LONGEST_VALUE = 8_000


class BaseUrlField(AddressField):
    """The address that routes are appended to, without a slash at its end."""

    def clean(self, value: Any) -> str:
        url = super().clean(value)
        if wrong := check_base_url(url):
            raise ValidationError(wrong)
        return url.rstrip("/")


class EnvironmentForm(EditForm):
    slug = SlugField(
        label="Name", max_length=40, help_text="As in production or staging. It stays as it is."
    )
    base_url = BaseUrlField(
        label="Address", max_length=500, help_text="What every route is appended to."
    )
    version_route = LineField(
        label="Route of its version",
        required=False,
        max_length=500,
        help_text="Where the running version is told, as in GET /version.",
    )
    version_commit = LineField(
        label="Commit in the answer",
        required=False,
        max_length=200,
        help_text="As in json $.commit.",
    )
    version_config_root = LineField(
        label="Config root in the answer",
        required=False,
        max_length=200,
        help_text="As in json $.config_root, where the service tells it.",
    )

    def __init__(
        self,
        data: Any = None,
        *,
        service: Service,
        environment: Environment | None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            data,
            stored=stored_environment(environment),
            is_new=environment is None,
            of=environment,
            **kwargs,
        )
        self.service, self.environment = service, environment
        if environment is not None:
            self.fields["slug"].disabled = True
        if service.is_built_in:
            self.fields["base_url"].disabled = True
            self.fields["base_url"].help_text = "Opsboard's own address: it follows the settings."

    def clean_slug(self) -> str:
        slug: str = self.cleaned_data["slug"]
        if self.environment is not None:
            return self.environment.slug
        refuse_taken(self.service.environments.filter(slug=slug).first())
        return slug

    def clean_version_route(self) -> str:
        route, wrong = read_version_route(self.cleaned_data["version_route"])
        if wrong:
            raise ValidationError(wrong)
        return route

    def clean_version_commit(self) -> str:
        commit, wrong = read_version_commit(self.cleaned_data["version_commit"])
        if wrong:
            raise ValidationError(wrong)
        return commit

    def clean_version_config_root(self) -> str:
        root, wrong = read_version_config_root(self.cleaned_data["version_config_root"])
        if wrong:
            raise ValidationError(wrong)
        return root

    def clean(self) -> None:
        route, commit = (self.cleaned_data.get(f"version_{part}") for part in ("route", "commit"))
        if route == "" and commit:
            self.add_error("version_route", "Write the route that tells the commit.")
        if commit == "" and route:
            self.add_error("version_commit", "Write where the commit stands, as in json $.commit.")
        if commit == "" and not route and self.cleaned_data.get("version_config_root"):
            self.add_error("version_route", "Write the route that tells the config root.")


class VariableForm(forms.Form):
    """One row. Of a stored secret it knows the name, never the value."""

    name = LineField(label="Name", max_length=60)
    value = LineField(label="Value", required=False, max_length=LONGEST_VALUE, strip=False)
    is_secret = forms.BooleanField(label="Secret", required=False)

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if not VARIABLE.fullmatch(name):
            raise ValidationError("Use capital letters, digits and _, as in API_TOKEN.")
        return name

    def clean_value(self) -> str:
        value: str = self.cleaned_data["value"]
        if wrong := check_name(value, LONGEST_VALUE):
            raise ValidationError(wrong)
        return value


if TYPE_CHECKING:
    Rows = forms.BaseFormSet[VariableForm]
else:
    Rows = forms.BaseFormSet


class VariableRows(Rows):
    """The variables of one environment. An empty row is none; a row that was emptied is removed."""

    kept: dict[str, Variable]
    # Names that sheets use in this environment, and one sheet that does.
    used: dict[str, str]

    default_error_messages = row_messages(MOST_VARIABLES, "variables")

    def get_form_kwargs(self, index: int | None) -> dict[str, Any]:  # noqa: ARG002
        return {"empty_permitted": True, "use_required_attribute": False}

    def add_fields(self, form: VariableForm, index: int | None) -> None:
        super().add_fields(form, index)
        for name, words in (("name", "Name"), ("value", "Value"), ("is_secret", "Secret")):
            form.fields[name].label = in_row(words, index)

    def tell_what_is_kept(self) -> None:
        """Say beside each stored secret that it is set."""
        for row in self.forms:
            stored = self.kept.get(row["name"].value() or "")
            if stored is not None and stored.is_secret:
                row.fields["value"].help_text = "Set. Leave empty to keep it."

    def clean(self) -> None:
        seen: set[str] = set()
        for row in self.forms:
            name = row.cleaned_data.get("name") if row.is_valid() else None
            if name is None:
                continue
            if name in seen:
                row.add_error("name", f"{name} stands here twice: take one out.")
            else:
                self._check_value(row)
            seen.add(name)
        if self.is_bound and not any(self.errors):
            self._check_used(seen)

    def _check_value(self, row: VariableForm) -> None:
        stored = self.kept.get(row.cleaned_data["name"])
        is_secret, value = row.cleaned_data["is_secret"], row.cleaned_data["value"]
        if value or not (is_secret or (stored and stored.is_secret)):
            return
        if stored is None or not stored.is_secret:
            row.add_error("value", "Write the value of this secret.")
        elif not is_secret:
            row.add_error("value", "Write the value again: a stored secret is never shown.")

    def _check_used(self, names: set[str]) -> None:
        for name, sheet in self.used.items():
            if name not in names:
                raise ValidationError(
                    f"{sheet} uses {{{{ {name} }}}}: keep {name}, or change that sheet first."
                )

    def rows(self) -> list[dict[str, Any]]:
        """The rows that hold something, in order."""
        return [row.cleaned_data for row in self.forms if row.cleaned_data.get("name")]


VariableFormSet: Any = forms.formset_factory(
    VariableForm,
    formset=VariableRows,
    extra=3,
    max_num=MOST_VARIABLES,
    absolute_max=500,
    validate_max=True,
)


def stored_environment(environment: Environment | None) -> dict[str, Any]:
    shown = environment or Environment(slug="")
    names = ("slug", "base_url", "version_route", "version_commit", "version_config_root")
    variables = environment.variables.order_by("name") if environment else []
    # Part of the version, shown as rows; a ciphertext tells that a secret was changed, no more.
    written = [(one.name, one.value, one.is_secret) for one in variables]
    return {name: getattr(shown, name) for name in names} | {"variables": written}


def stored_variables(environment: Environment | None) -> list[dict[str, Any]]:
    """The rows as they are shown: a secret without its value."""
    variables = environment.variables.order_by("name") if environment else []
    return [
        {
            "name": variable.name,
            "value": "" if variable.is_secret else variable.value,
            "is_secret": variable.is_secret,
        }
        for variable in variables
    ]


def used_names(environment: Environment) -> dict[str, str]:
    """The variables that sheets use in this environment, each with the name of one sheet."""
    used: dict[str, str] = {}
    for path in environment.service.paths.standing().prefetch_related("environments"):
        places = path.environments.all()
        if places and environment not in places:
            continue
        for name in Sheet.of(path).variables:
            used.setdefault(name, path.name)
    return used
