"""Every field that holds text: either these tests write into it, or nobody writes it freely."""

from collections.abc import Iterator
from importlib import import_module

import pytest
from django import forms
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import models

from opsboard.web.forms.fields import NameField, SlugField, TextField
from tests.hostile.texts import NEVER_IN_A_NAME, NEVER_IN_A_TEXT, WRITTEN
from tests.hostile.writing import FREE

TEXTS = (models.CharField, models.TextField, models.JSONField)
# The reviewed list of what nobody writes freely, or of what is never read as text.
ADDRESSES_AND_NAMES_IN_THEM = {"slug", "environment_slug", "gate", "gates", "version", "location"}
OF_OURS = {"zone", "digest", "prefix", "scopes", "sha256", "steps_digest", "claim_id", "root"}
NOT_FREE = {
    # Encrypted, or a password; shown by no page.
    "alerts.Channel.address", "alerts.Channel.signing_secret", "alerts.Channel.previous_secret",
    "probes.Heartbeat.secret", "services.Variable.reference",
    # Sums, digests, networks and names that Opsboard makes.
    "people.LinkRequest.network", "people.PasswordTry.account", "people.PasswordTry.network",
    "people.AuditEntry.kind", "people.AnsweredRequest.key", "people.AnsweredRequest.body",
    "people.ApiToken.services", "changes.Comparison.fingerprint",
    "changes.Comparison.control_fingerprint", "changes.Comparison.reason",
    "changes.Comparison.result", "changes.Comparison.surroundings", "changes.Window.left_out",
    "probes.Probe.recent", "probes.Probe.windows", "probes.Observation.failure",
    "probes.Shift.duty", "probes.Shift.instance", "alerts.Notice.key",
    "releases.ConfigReport.fingerprints", "releases.ConfigReport.rules",
    "releases.ConfigReport.made_with", "incidents.TimelineEntry.facts",
    "releases.Decision.snapshot", "board.Declaration.declared",
    # Copies, written here by tests.hostile.board from what was written elsewhere.
    "probes.Heartbeat.body", "probes.Probe.reason", "probes.Probe.latest", "alerts.Message.content",
    # As Probe.reason, which is written with it.
    "probes.Observation.told",
    # One of few words, or checked to its last sign: an address, a method, a clause, a template of
    # named fields, a commit, a schedule. Of them tests/web/test_bad_input.py and others tell.
    "services.Environment.base_url", "services.Environment.version_route",
    "services.Environment.version_commit", "services.Environment.version_config_root",
    "services.Variable.name", "services.CriticalPath.method", "services.CriticalPath.route",
    "services.CriticalPath.connection", "services.CriticalPath.expected_result",
    "services.CriticalPath.steps", "services.CriticalPath.heartbeat",
    "services.CriticalPath.locations", "services.Deploy.url", "alerts.Channel.subject_template",
    "probes.Heartbeat.schedule", "probes.Heartbeat.heard", "alerts.Route.days",
    "services.MaintenanceWindow.weekdays", "changes.Change.variables", "changes.Change.commit",
    "changes.Change.commands", "changes.Change.guardrails", "releases.Release.commit",
    "releases.Evidence.commit", "releases.Evidence.counts", "releases.Evidence.url",
    "releases.Evidence.metrics", "releases.Evidence.facts",
    # Names of files and people, and words of ours about them: tests/web/test_errands.py.
    "board.Errand.files", "board.Errand.by_name", "board.Errand.given_up_by", "board.Errand.plan",
    "board.Errand.plan_mark", "board.Errand.phase", "board.Errand.outcome",
}  # fmt: skip


def texts_of_models() -> Iterator[str]:
    for model in apps.get_models():
        if not model.__module__.startswith("opsboard."):
            continue
        for field in model._meta.get_fields():
            is_open = isinstance(field, TEXTS) and not getattr(field, "choices", None)
            if is_open and field.name not in ADDRESSES_AND_NAMES_IN_THEM | OF_OURS:
                yield f"{model._meta.label}.{field.name}"


def test_each_is_written_into_or_is_on_the_reviewed_list():
    free = {f"{model}.{name}" for model, fields in FREE.items() for name in fields}
    of_django = {name for name in free if name.startswith("auth.")}
    assert not free & NOT_FREE
    assert set(texts_of_models()) == (free - of_django) | NOT_FREE


def all_forms(of: type[forms.BaseForm] = forms.BaseForm) -> Iterator[type[forms.BaseForm]]:
    for one in of.__subclasses__():
        if one.__module__.startswith("opsboard."):
            yield one
        yield from all_forms(one)


def fields_of_forms(kind: type[forms.Field]) -> list[object]:
    # The addresses know every view, and the views every form.
    import_module("opsboard.urls")
    return [
        pytest.param(field, id=f"{form.__name__}.{name}")
        for form in dict.fromkeys(all_forms())
        for name, field in getattr(form, "base_fields", {}).items()
        if isinstance(field, kind)
    ]


def refusals(field: forms.Field, texts: dict[str, str]) -> dict[str, list[str]]:
    """What a form says at this field of each text; [] where it takes it."""
    said = {}
    for name, text in texts.items():
        try:
            field.clean(text)
        except ValidationError as wrong:
            said[name] = wrong.messages
        else:
            said[name] = []
    return said


@pytest.mark.parametrize("field", fields_of_forms(NameField))
def test_a_name_that_cannot_be_shown_is_refused_in_one_sentence(field):
    for said in refusals(field, NEVER_IN_A_NAME).values():
        assert len(said) >= 1
        assert all(one[0].isupper() and one.rstrip().endswith((".", "?")) for one in said)


@pytest.mark.parametrize("field", fields_of_forms(TextField))
def test_a_text_with_what_nobody_can_see_is_refused_in_one_sentence(field):
    for said in refusals(field, NEVER_IN_A_TEXT).values():
        assert said
        assert all(one[0].isupper() and one.rstrip().endswith((".", "?")) for one in said)


@pytest.mark.parametrize("field", fields_of_forms(SlugField))
def test_a_name_in_an_address_takes_none_of_them(field):
    for said in refusals(field, NEVER_IN_A_NAME | WRITTEN).values():
        assert said


@pytest.mark.parametrize("field", fields_of_forms(forms.CharField))
def test_no_field_falls_over_what_is_typed(field, db):
    """Whatever it says of it, it says it as a form does: what else is raised fails here."""
    # No browser can send half of a pair.
    texts = NEVER_IN_A_NAME | WRITTEN
    del texts["a lone surrogate"]
    assert refusals(field, texts)
