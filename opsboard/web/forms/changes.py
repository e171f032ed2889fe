"""A change as it is declared: what is varied, on which path, and how it is measured."""

from typing import Any

from django import forms

from opsboard.changes.collecting import OF_A_PATH
from opsboard.changes.models import (
    FEWEST_SAMPLES,
    MOST_SAMPLES,
    USUAL_MARGIN,
    USUAL_SAMPLES,
    Change,
)
from opsboard.changes.wanting import Wanted
from opsboard.services.models import Environment
from opsboard.web.change_words import finds_words
from opsboard.web.forms.editing import EditForm
from opsboard.web.forms.fields import CountField, NameField
from opsboard.web.forms.numbers import NumberField, PercentField
from opsboard.web.forms.reach import PathField
from opsboard.web.forms.releases import CommitField, LinesField, VersionField
from opsboard.web.overview import PRODUCTION

# Of assumptions and commands.
KEPT_LINES: dict[str, Any] = {"most": 20, "longest": 500}
GUARDRAILS = (
    ("db calls", "Database calls"),
    ("time", "Response time"),
    ("p95", "p95 of the response time, from 200 samples a side"),
)
# What few people need to touch, folded away in templates/changes/form.html.
OF_A_BURST = ("mode", "rate")
FOLDED = (
    *("margin", "equivalence", "guardrails", "guarded", "control"),
    *("warm_up_seconds", "warm_up_samples", "lasts"),
)
# What is said in the form in other words, or of another field, than the room's name of it.
FIELDS_OF = {"service": "path", "location": "path"}


class ChangeForm(EditForm):
    """Every field of a change. Its settings are locked once an attempt was begun."""

    title = NameField(
        label="What is changed",
        max_length=200,
        help_text="As in Index fare rules by route and date.",
    )
    purpose = NameField(
        label="What is to get better, for whom",
        required=False,
        max_length=300,
        help_text="As in Prices appear sooner when the cache misses. It stands under the title.",
    )
    path = PathField(
        label="Critical path", help_text="It is asked before and after. As in fares-api/health."
    )
    environment = forms.ChoiceField(label="Environment")
    variables = forms.MultipleChoiceField(
        label="What is varied",
        choices=Change.Variable,
        widget=forms.CheckboxSelectMultiple,
        help_text="Choose one. With more than one nobody can say which did it: the verdict will "
        "be confounded.",
        error_messages={"required": "Choose what is varied."},
    )
    metric = forms.ChoiceField(
        label="What is measured",
        choices=Change.Metric,
        widget=forms.RadioSelect,
        help_text="Database calls are told by the instrument.",
    )
    aim = forms.ChoiceField(
        label="What it is to do",
        choices=Change.Aim,
        widget=forms.RadioSelect,
        help_text="It stands beside the verdict, and does not decide it.",
    )
    goal = PercentField(
        label="By how much less, in percent",
        low=1,
        high=99,
        required=False,
        help_text="What you hope for, as in 30. It is shown beside the verdict, and does not "
        "decide it.",
    )
    commit = CommitField(
        label="Commit", required=False, help_text="In hexadecimal, when the change is one."
    )
    version = VersionField(
        label="Release", required=False, help_text="The version it goes out with, as in 2026.11.4."
    )
    assumptions = LinesField(
        label="Assumptions",
        rows=3,
        **KEPT_LINES,
        help_text="What else stays as it is, one a line, as in The number of replicas stays at 3. "
        "They are kept in the record.",
    )
    commands = LinesField(
        label="Commands",
        code=True,
        **KEPT_LINES,
        rows=3,
        help_text="What will be run to apply it, one a line. Opsboard runs nothing.",
    )
    sampling = forms.ChoiceField(
        label="Where samples come from",
        choices=Change.Sampling,
        widget=forms.RadioSelect,
        help_text="Probes cost nothing more and take hours. A burst takes minutes, and asks the "
        "service more than usual. A program sends what it measured.",
    )
    mode = forms.ChoiceField(
        label="How a burst asks",
        choices=Change.Mode,
        help_text="Hits and misses in turn need no luck with the cache.",
    )
    rate = NumberField(
        label="Requests a second", low=0.1, high=10, help_text="Of a burst. Two are polite."
    )
    samples = CountField(
        label="Samples a side",
        low=FEWEST_SAMPLES,
        high=MOST_SAMPLES,
        help_text=f"At least {FEWEST_SAMPLES}.",
    )
    margin = PercentField(
        label="Margin, in percent",
        low=1,
        high=90,
        help_text="A difference that is smaller counts for nothing.",
    )
    equivalence = PercentField(
        label="No change within, in percent",
        low=1,
        high=90,
        required=False,
        help_text="Empty: the margin. To be able to say no change with 200 samples a side, "
        "write 20.",
    )
    guardrails = forms.MultipleChoiceField(
        label="What may not get worse",
        choices=GUARDRAILS,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Wrong answers never may. Each that you add can stop a verdict of improved.",
    )
    guarded = LinesField(
        label="Other paths that may not get slower",
        code=True,
        rows=2,
        help_text="Their names in addresses, one a line. They must be paths of the same service.",
    )
    control = PathField(
        label="Control path",
        required=False,
        help_text="A path of the same service that the change does not touch. What moves there "
        "too is taken out: load that rises by itself is the largest source of false verdicts.",
    )
    warm_up_seconds = CountField(
        label="Warm-up, in seconds", low=0, high=3600, help_text="Left out after it is applied."
    )
    warm_up_samples = CountField(
        label="Warm-up, in samples", low=0, high=10_000, help_text="Left out if that is more."
    )
    lasts = CountField(
        label="Longest a side may take, in hours",
        low=1,
        high=168,
        help_text="What it has then is judged.",
    )

    def __init__(self, data: Any = None, *, change: Change | None, **kwargs: Any) -> None:
        """`locked`: the names of fields that stand for ever; `prefilled`: what the address asks."""
        self.change = change
        locked = kwargs.pop("locked", ())
        stored = stored_change(change) | kwargs.pop("prefilled", {})
        super().__init__(data, stored=stored, is_new=change is None, **kwargs)
        for name in locked:
            self.fields[name].disabled = True
        self._offer_environments(stored.get("environment", ""))

    def _offer_environments(self, kept: str) -> None:
        slugs = Environment.objects.standing().order_by("slug").values_list("slug", flat=True)
        known = [*dict.fromkeys([PRODUCTION, *slugs, *([kept] if kept else [])])]
        environment: Any = self.fields["environment"]
        environment.choices = [(slug, slug) for slug in known]

    @property
    def has_folded_errors(self) -> bool:
        """Whether something is to be mended that would be folded away."""
        return any(name in self.errors for name in FOLDED)

    @property
    def has_burst_errors(self) -> bool:
        return any(name in self.errors for name in OF_A_BURST)

    @property
    def is_burst(self) -> bool:
        return bool(self["sampling"].value() == Change.Sampling.BURST)

    @property
    def is_usual_burst(self) -> bool:
        usual = stored_change(None)
        return all(self.stored.get(name) == usual[name] for name in OF_A_BURST)

    @property
    def is_tuned(self) -> bool:
        usual = stored_change(None)
        return any(self.stored.get(name) != usual.get(name) for name in FOLDED)

    @property
    def finds(self) -> str:
        """What the samples a side can find, as they stand in the form; "" while they are wrong."""
        read = self.cleaned_data if self.is_bound and hasattr(self, "cleaned_data") else self.stored
        samples, margin = read.get("samples"), read.get("margin")
        return finds_words(samples, margin) if samples and margin else ""

    def clean(self) -> None:
        data = self.cleaned_data
        if (path := data.get("path")) and (slug := data.get("environment")):
            places = {
                place.slug: place for place in path.service.environments.filter(removed_at=None)
            }
            data["place"] = places.get(slug)
            if slug not in places:
                known = ", ".join(sorted(places)) or "none"
                self.add_error(
                    "environment",
                    f"{path.service.name} has no environment {slug}: choose one of {known}.",
                )

    def wanted(self) -> Wanted:
        """What was typed, for the room. Only of a form that is valid."""
        data = self.cleaned_data
        guarded = [OF_A_PATH + slug for slug in data["guarded"]]
        return Wanted(
            service=data["path"].service,
            path=data["path"],
            environment=data["place"],
            location=self.change.location if self.change else "",
            control=data["control"],
            guardrails=[*data["guardrails"], *guarded],
            **{name: data[name] for name in PLAIN},
        )

    def told(self, wrong: dict[str, str]) -> bool:
        """Add what the room says of fields; whether it says nothing."""
        for name, sentence in wrong.items():
            is_of_path = name == "guardrails" and "path" in sentence.lower()
            of = "guarded" if is_of_path and self.cleaned_data.get("guarded") else name
            field = FIELDS_OF.get(of, of)
            self.add_error(field if field in self.fields else None, sentence)
        return not wrong


def stored_change(change: Change | None) -> dict[str, Any]:
    if change is None:
        return {
            "environment": PRODUCTION,
            "variables": [],
            "metric": Change.Metric.TIME,
            "aim": Change.Aim.IMPROVE,
            "assumptions": [],
            "commands": [],
            "sampling": Change.Sampling.PROBES,
            "mode": Change.Mode.AS_IS,
            "rate": 2.0,
            "samples": USUAL_SAMPLES,
            "margin": USUAL_MARGIN,
            "guardrails": [],
            "guarded": [],
            "warm_up_seconds": 60,
            "warm_up_samples": 10,
            "lasts": 24,
        }
    guarded = [one for one in change.guardrails if one.startswith(OF_A_PATH)]
    return {
        **{name: getattr(change, name) for name in PLAIN},
        "environment": change.environment.slug,
        "path": change.path,
        "control": change.control,
        "guardrails": [one for one in change.guardrails if one not in guarded],
        "guarded": [one.removeprefix(OF_A_PATH) for one in guarded],
    }


# Stored as they are typed.
PLAIN: tuple[str, ...] = (
    *("title", "purpose", "variables", "commit", "version", "assumptions", "commands"),
    *("metric", "aim", "goal", "samples", "margin", "equivalence", "sampling", "mode", "rate"),
    *("warm_up_seconds", "warm_up_samples", "lasts"),
)
# All that a person types.
TYPED = (*PLAIN, "path", "environment", "control", "guardrails", "guarded")
