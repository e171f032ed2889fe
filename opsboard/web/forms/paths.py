"""The sheet of a critical path, as a form."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError

from opsboard.expectations.grammar import parse
from opsboard.expectations.windows import check_window
from opsboard.probes.early import addresses_of
from opsboard.probes.orders import policy_for
from opsboard.services.askable import why_not_askable
from opsboard.services.kinds import KINDS, check_kind, uses
from opsboard.services.models import SECOND, CriticalPath, Environment, Service, Team
from opsboard.services.problems import At, Problem
from opsboard.services.rules import MARK, METHODS, VARIABLE, names_in, slug_from
from opsboard.services.secrets import CannotDecrypt
from opsboard.services.sheets import Sheet, check_sheet
from opsboard.web.forms.about import refuse_taken
from opsboard.web.forms.connection import (
    ConnectionFields,
    HeartbeatFields,
    connection_of,
    heartbeat_of,
    shown_connection,
    shown_heartbeat,
)
from opsboard.web.forms.editing import EditForm
from opsboard.web.forms.fields import (
    CountField,
    DurationField,
    ExpectedResultField,
    LineField,
    NameField,
    PairsField,
    SlugField,
    TextField,
)
from opsboard.web.forms.path_kinds import (
    CLAUSES,
    EXPECTED,
    OF_OPTION,
    ROUTES,
    field_at,
    fields_not_of,
)
from opsboard.web.forms.steps import PREFIX, StepForm, StepRows, shown_steps

# A path can be asked while these are still being written.
NOT_ASKED_WITH = frozenset(
    {"name", "slug", "owner", "user_notices", "slow_query_or_command", "interval"}
    | {"patience", "patience_to_recover", "locations"}
)
# The fields of CriticalPath that the form writes as they are.
WRITTEN = (
    "name",
    "owner",
    "kind",
    "method",
    "route",
    "headers",
    "query",
    "body",
    "follows_redirects",
    "connection",
    "cache_mode",
    "steps",
    "heartbeat",
    "expected_result",
    "user_notices",
    "slow_query_or_command",
    "interval",
    "timeout",
    "patience",
    "patience_to_recover",
    "locations",
)


# Of what the form does not show.
_USUAL: dict[str, Any] = {
    name: getattr(CriticalPath(), name) for name in WRITTEN if name != "owner"
}


class PathForm(EditForm, ConnectionFields, HeartbeatFields):
    kind = forms.CharField(widget=forms.HiddenInput, required=False)
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
    route = LineField(label="Route", max_length=2_000)
    query = PairsField(are_headers=False, rows=3, label="Query", help_text="One name=value a line.")
    headers = PairsField(
        are_headers=True, rows=3, label="Headers", help_text="One Name: value a line."
    )
    body = TextField(rows=6, code=True, label="Body", max_length=65_536, strip=False)
    form_fields = PairsField(
        are_headers=False,
        rows=3,
        label="Form",
        help_text="Instead of a body, one name=value a line.",
    )
    cache_mode = forms.ChoiceField(
        label="Caches", required=False, choices=CriticalPath.CacheMode.choices
    )
    follows_redirects = forms.BooleanField(label="Follow redirects, five at most", required=False)
    expected_result = ExpectedResultField(
        rows=7,
        label="Expected result",
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
    patience_to_recover = CountField(
        low=1,
        high=10,
        label="Believe better after",
        required=False,
        help_text="As many when left empty.",
    )
    locations = forms.MultipleChoiceField(
        label="Asked from",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": "%(value)s is no location of this board."},
    )
    environments = forms.ModelMultipleChoiceField(
        Environment.objects.none(),
        label="Environments",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="None chosen: in all of them.",
    )

    def __init__(
        self,
        data: Any = None,
        *,
        service: Service,
        path: CriticalPath | None,
        kind: str = "",
        rows: StepRows | None = None,
        **kwargs: Any,
    ) -> None:
        """`kind` of a new path. `rows` None: those that are stored."""
        stored = stored_path(path)
        super().__init__(data, stored=stored, is_new=path is None, of=path, **kwargs)
        self.service, self.path = service, path
        self.step_forms: list[StepForm] = []
        # The fields at which problems of the whole sheet are shown.
        self._told: set[str] = set()
        self.rows = rows if rows is not None else shown_steps(stored["steps"])
        # From what was sent, even when that is none: then it is told, and shown as HTTP.
        self.kind_now = known_kind(
            data.get("kind", "") if data is not None else kind or stored["kind"]
        )
        self.initial["kind"] = self.kind_now
        self.has_steps = uses(self.kind_now, "steps") and bool(self.rows.forms)
        standing = service.environments.standing().order_by("slug")
        self.all_environments = list(standing.prefetch_related("variables"))
        self._choices("environments").queryset = standing
        self._choices("environments").label_from_instance = _slug_of
        self._choices("owner").empty_label = f"{service.team.name}, like {service.name}"
        self._choices("locations").choices = [(one, one) for one in settings.LOCATIONS]
        self._choices("locations").help_text = f"None chosen: from {settings.HOME_LOCATION}."
        self._keep_what_is_fixed()
        self._fit_to_kind()

    def _fit_to_kind(self) -> None:
        """Take out the fields that this kind does not have; what was typed in them is kept."""
        for name in fields_not_of(self.kind_now, has_steps=self.has_steps):
            del self.fields[name]
        if len(settings.LOCATIONS) == 1 and not self.stored["locations"]:
            self.fields.pop("locations", None)
        if "route" in self.fields:
            self.fields["route"].help_text = ROUTES[self.kind_now]
        if self.path is None:
            self.initial["expected_result"] = EXPECTED[self.kind_now]
        self.fields[
            "expected_result"
        ].help_text = f"One clause a line, such as {CLAUSES[self.kind_now]}."

    @property
    def kept(self) -> list[tuple[str, str]]:
        """What was typed for another kind, by the names of its inputs."""
        if not self.is_bound:
            return []
        data: Any = self.data
        return [
            (name, value)
            for name in data
            if (name not in self.fields and name in self.base_fields)
            or (name.startswith(f"{PREFIX}-") and not self.has_steps)
            for value in data.getlist(name)
        ]

    @property
    def says_connection(self) -> bool:
        """Whether something stands, or is wrong, in what is folded away."""
        names = [name for some in OF_OPTION.values() for name in some if name in self.fields]
        return any(self[name].value() or self[name].errors for name in names)

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

    def clean_kind(self) -> str:
        """A form without it is one of HTTP."""
        kind: str = self.cleaned_data["kind"] or CriticalPath.Kind.HTTP
        if wrong := check_kind(kind):
            raise ValidationError(wrong)
        return kind

    def clean_cache_mode(self) -> str:
        return self.cleaned_data["cache_mode"] or CriticalPath.CacheMode.AS_IS

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
        self._put_together()
        if "kind" in self.cleaned_data:
            sheet = Sheet.of(self.as_path())
            for problem in check_sheet(sheet):
                self._tell(problem)
            if "environments" in self.cleaned_data:
                self._check_requests(sheet)

    def _put_together(self) -> None:
        """What is stored as one: of fields that are not there, the usual."""
        data = self.cleaned_data
        self.step_forms = self.rows.filled if self.has_steps else []
        data["connection"] = connection_of(data)
        data["steps"] = [row.as_step().stored() for row in self.step_forms]
        data["heartbeat"] = heartbeat_of(data) if uses(self.kind_now, "heartbeat") else {}
        for name in WRITTEN:
            if name not in self.fields and name not in data:
                data[name] = _USUAL[name]

    def _tell(self, problem: Problem) -> None:
        """Show what is wrong at its field, unless that is known to be wrong already."""
        if problem.at[:1] == ("steps",) and len(problem.at) > 1:
            number = int(problem.at[1])
            if number < len(self.step_forms):
                rest = Problem(problem.at[2:], problem.sentence, problem.column)
                self.step_forms[number].tell(rest)
            return
        name = field_at(problem.at)
        if name in self.errors and name not in self._told:
            return
        self._told.add(name)
        is_clause = problem.at[0] == "expected_result"
        where = f"Line {int(problem.at[1]) + 1}: " if is_clause else ""
        self.add_error(name if name in self.fields else None, f"{where}{problem.sentence}")

    def _check_windows(self, interval: int) -> None:
        for clause in parse(self.cleaned_data["expected_result"]):
            if clause.window and (wrong := check_window(clause, interval)):
                self.add_error("expected_result", f"{clause.text}: {wrong}")

    def _check_requests(self, sheet: Sheet) -> None:
        """Hold what is asked against every environment it will be asked in."""
        if not self.all_environments:
            self.add_error(None, f"{self.service.name} runs nowhere yet: add an environment first.")
        for environment in self.chosen_environments():
            for problem in (
                *_missing_in(environment, sheet),
                *self._refused_in(environment, sheet),
            ):
                self._tell(problem)

    def chosen_environments(self) -> list[Environment]:
        chosen = set(self.cleaned_data["environments"])
        return [one for one in self.all_environments if not chosen or one in chosen]

    def _refused_in(self, environment: Environment, sheet: Sheet) -> Iterator[Problem]:
        try:
            values = environment.values()
        except CannotDecrypt:
            # Said by the environment itself; it is no fault of the sheet.
            return
        if self.errors or not self.all_steps_are_good:
            # What cannot be read has no address.
            return
        path = self.as_path()

        def fill(text: str) -> str:
            return MARK.sub(lambda mark: values.get(mark[1], "x"), text)

        for at, url in addresses_of(sheet, environment.base_url, fill):
            if wrong := why_not_askable(url, policy_for(path, url)):
                yield Problem(at, f"In {environment.slug}: {wrong}")

    @property
    def all_steps_are_good(self) -> bool:
        return not self._wrong_in_steps

    @property
    def _wrong_in_steps(self) -> int:
        if not self.has_steps or not self.rows.is_bound:
            return 0
        return len(self.rows.non_form_errors()) + sum(len(row.errors) for row in self.step_forms)

    def is_valid(self) -> bool:
        """With its steps: what is wrong with them is told in their rows."""
        is_valid = super().is_valid()
        return is_valid and self.all_steps_are_good

    @property
    def wrong(self) -> int:
        """How many things are to be mended."""
        return len(self.errors) + self._wrong_in_steps

    @property
    def can_be_asked(self) -> bool:
        """Whether all is good that asking needs; the rest may be unfinished."""
        is_asked = uses(self.kind_now, "route")
        wrong = set(self.errors) - NOT_ASKED_WITH
        return is_asked and not wrong and self.all_steps_are_good

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
    return (
        values
        | shown_connection(shown.connection)
        | shown_heartbeat(shown.heartbeat)
        | {
            "slug": shown.slug,
            "owner": shown.owner_id,
            "environments": [environment.pk for environment in environments],
        }
    )


def known_kind(kind: str) -> str:
    return kind if kind in KINDS else CriticalPath.Kind.HTTP.value


def _missing_in(environment: Environment, sheet: Sheet) -> Iterator[Problem]:
    known = {variable.name for variable in environment.variables.all()}
    for at, texts in sheet.places():
        missing = [one for one in names_in(*texts) if one not in known and _is_variable(one, at)]
        if missing:
            it, they = ("it", "is") if len(missing) == 1 else ("them", "are")
            yield Problem(
                at,
                f"{_marks(missing)} {they} not set in {environment.slug}: add {it} to the "
                "variables of that environment first.",
            )


def _is_variable(name: str, at: At) -> bool:
    # In steps small letters are values that an earlier one takes.
    return at[0] != "steps" or bool(VARIABLE.fullmatch(name))


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
