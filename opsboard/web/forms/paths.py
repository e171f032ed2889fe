"""The sheet of a critical path, as a form."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from opsboard.expectations.grammar import parse
from opsboard.expectations.windows import check_window
from opsboard.probes.orders import policy_for
from opsboard.probes.rendering import NotOrderable, render
from opsboard.services.askable import why_not_askable
from opsboard.services.models import SECOND, CriticalPath, Environment, Service, Team
from opsboard.services.rules import METHODS, names_in, slug_from
from opsboard.services.secrets import CannotDecrypt
from opsboard.web.forms.about import refuse_taken
from opsboard.web.forms.editing import EditForm
from opsboard.web.forms.fields import (
    CountField,
    DurationField,
    ExpectedResultField,
    NameField,
    PairsField,
    RouteField,
    SlugField,
    TextField,
)

# A request can be asked while the rest of the sheet is still being written.
ASKED_WITH = (
    "method",
    "route",
    "headers",
    "query",
    "body",
    "follows_redirects",
    "expected_result",
    "timeout",
    "environments",
)
# The fields of CriticalPath that the form writes as they are.
WRITTEN = (
    "name",
    "owner",
    "method",
    "route",
    "headers",
    "query",
    "body",
    "follows_redirects",
    "expected_result",
    "user_notices",
    "slow_query_or_command",
    "interval",
    "timeout",
    "patience",
)


class PathForm(EditForm):
    name = NameField(label="Name", help_text="What users do here, as in Price a crossing.")
    slug = SlugField(
        label="Name in addresses",
        required=False,
        help_text="Made from the name when left empty. It stays as it is.",
    )
    owner = forms.ModelChoiceField(
        Team.objects.standing().order_by("name"), label="Owner", required=False
    )
    method = forms.ChoiceField(label="Method", choices=[(one, one) for one in METHODS])
    route = RouteField(
        label="Route",
        help_text="Below the address of the environment, as in /price?from=SK1, or a whole "
        "address. {{ NAME }} is a variable of the environment.",
    )
    query = PairsField(are_headers=False, rows=3, label="Query", help_text="One name=value a line.")
    headers = PairsField(
        are_headers=True, rows=3, label="Headers", help_text="One Name: value a line."
    )
    body = TextField(rows=6, code=True, label="Body", max_length=65_536, strip=False)
    follows_redirects = forms.BooleanField(label="Follow redirects, five at most", required=False)
    expected_result = ExpectedResultField(
        rows=7,
        label="Expected result",
        help_text="One clause a line, such as status == 200, json $.ok == true, "
        "time < 800 ms, warn time < 400 ms.",
    )
    user_notices = TextField(
        rows=3,
        label="Where the user notices",
        help_text="The words and the place on the screen, when it does not work.",
    )
    slow_query_or_command = TextField(
        rows=3,
        code=True,
        label="Slow query or failing command",
        help_text="The one to look at first.",
    )
    interval = DurationField(low=SECOND, high=86_400 * SECOND, label="Ask every")
    timeout = DurationField(low=SECOND // 10, high=60 * SECOND, label="Give up after")
    patience = CountField(
        low=1, high=10, label="Believe after", help_text="Results in a row that change its state."
    )
    environments = forms.ModelMultipleChoiceField(
        Environment.objects.none(),
        label="Environments",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="None chosen: in all of them.",
    )

    def __init__(
        self, data: Any = None, *, service: Service, path: CriticalPath | None, **kwargs: Any
    ) -> None:
        super().__init__(data, stored=stored_path(path), is_new=path is None, of=path, **kwargs)
        self.service, self.path = service, path
        standing = service.environments.standing().order_by("slug")
        self.all_environments = list(standing.prefetch_related("variables"))
        self._choices("environments").queryset = standing
        self._choices("environments").label_from_instance = _slug_of
        self._choices("owner").empty_label = f"{service.team.name}, like {service.name}"
        self._keep_what_is_fixed()

    def _choices(self, name: str) -> Any:
        return self.fields[name]

    def _keep_what_is_fixed(self) -> None:
        if self.path is None:
            return
        self.fields["slug"].disabled = True
        self.fields["slug"].help_text = "Alerts and links hold it: it stays as it is."
        if self.path.method not in METHODS:
            self._choices("method").choices = [
                *self._choices("method").choices,
                (self.path.method,) * 2,
            ]

    def clean_slug(self) -> str:
        if self.path is not None:
            return self.path.slug
        return free_path_slug(
            self.service, self.cleaned_data["slug"], name=self.cleaned_data.get("name", "")
        )

    def clean(self) -> None:
        timeout, interval = self.cleaned_data.get("timeout"), self.cleaned_data.get("interval")
        if timeout and interval and timeout >= interval:
            self.add_error(
                "timeout",
                "This must be shorter than the interval: the next probe would begin before this "
                "one has ended.",
            )
        if interval and self.cleaned_data.get("expected_result"):
            self._check_windows(interval)
        if "route" in self.cleaned_data and "environments" in self.cleaned_data:
            self._check_requests()

    def _check_windows(self, interval: int) -> None:
        for clause in parse(self.cleaned_data["expected_result"]):
            if clause.window and (wrong := check_window(clause, interval)):
                self.add_error("expected_result", f"{clause.text}: {wrong}")

    def _check_requests(self) -> None:
        """Hold the request against every environment it will be made in."""
        if not self.all_environments:
            self.add_error(None, f"{self.service.name} runs nowhere yet: add an environment first.")
        for environment in self.chosen_environments():
            if wrong := self._missing_in(environment) or self._refusal_in(environment):
                self.add_error(*wrong)

    def chosen_environments(self) -> list[Environment]:
        chosen = set(self.cleaned_data["environments"])
        return [one for one in self.all_environments if not chosen or one in chosen]

    def _missing_in(self, environment: Environment) -> tuple[str, str] | None:
        known = {variable.name for variable in environment.variables.all()}
        for field, texts in self._texts().items():
            if missing := [name for name in names_in(*texts) if name not in known]:
                return field, (
                    f"{_marks(missing)} {'is' if len(missing) == 1 else 'are'} not set in "
                    f"{environment.slug}: add {'it' if len(missing) == 1 else 'them'} to the "
                    "variables of that environment first."
                )
        return None

    def _texts(self) -> dict[str, Iterable[str]]:
        data = self.cleaned_data
        return {
            "route": [data["route"]],
            "headers": [value for _, value in data.get("headers", [])],
            "query": [value for _, value in data.get("query", [])],
            "body": [data.get("body", "")],
        }

    def _refusal_in(self, environment: Environment) -> tuple[str, str] | None:
        path = self.as_path()
        try:
            url = render(path, environment, environment.values()).url
        except (NotOrderable, CannotDecrypt):
            # Said by the environment itself; it is no fault of the sheet.
            return None
        wrong = why_not_askable(url, policy_for(path, url))
        return ("route", f"In {environment.slug}: {wrong}") if wrong else None

    def as_path(self) -> CriticalPath:
        """The path as the form says it, not saved; what the form does not say is as stored."""
        path = self.path or CriticalPath(service=self.service)
        data = self.cleaned_data
        copy = CriticalPath(service=self.service, pk=path.pk, slug=data.get("slug") or path.slug)
        for name in WRITTEN:
            setattr(copy, name, data.get(name, getattr(path, name)))
        return copy


def stored_path(path: CriticalPath | None) -> dict[str, Any]:
    """What the form shows of a stored path; None: a new one, with the usual values."""
    shown = path or CriticalPath(expected_result="status == 200", patience=2)
    values = {name: getattr(shown, name) for name in WRITTEN if name != "owner"}
    values["headers"] = [tuple(pair) for pair in shown.headers]
    values["query"] = [tuple(pair) for pair in shown.query]
    environments = shown.environments.standing().order_by("pk") if path else []
    return values | {
        "slug": shown.slug,
        "owner": shown.owner_id,
        "environments": [environment.pk for environment in environments],
    }


def _marks(names: list[str]) -> str:
    return ", ".join(f"{{{{ {name} }}}}" for name in names)


def _slug_of(environment: Environment) -> str:
    return environment.slug


def free_path_slug(service: Service, slug: str, *, name: str) -> str:
    """The slug typed, or the one the name gives. ValidationError when it cannot be had."""
    if not slug:
        slug, wrong = slug_from(name)
        if wrong:
            raise ValidationError(wrong)
    refuse_taken(service.paths.filter(slug=slug).first())
    return slug
