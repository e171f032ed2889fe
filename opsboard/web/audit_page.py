"""What the page of the audit log shows: the entries that the filters choose, a page at a time."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.db.models import FETCH_RAISE, Q, QuerySet
from django.urls import reverse

from opsboard.changes.models import number_of
from opsboard.people.models import AuditEntry, people
from opsboard.probes.models import microseconds, moment
from opsboard.services.models import CriticalPath, Environment, Service, Team
from opsboard.web.forms.fields import text_input

PAGE = 100
# A change that is longer is folded: the list of who did what must stay a list.
LONGEST_SHOWN = 240
# 1 January 2000 and 2100, in microseconds: what a cursor may hold.
NEAR = range(946_684_800_000_000, 4_102_444_800_000_000)

type Urls = dict[tuple[str, str], str]


class DayField(forms.DateField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            required=False,
            input_formats=["%Y-%m-%d"],
            widget=forms.DateInput(attrs={"type": "date"}),
            error_messages={"invalid": "Write the day as 2026-11-28."},
            **kwargs,
        )


class AuditFilter(forms.Form):
    """The filters, by the names that they have in the address. What is empty filters nothing."""

    person = forms.CharField(
        required=False, max_length=150, label="Person", widget=text_input(list="audit-people")
    )
    kind = forms.CharField(
        required=False, max_length=40, label="Kind", widget=text_input(list="audit-kinds")
    )
    act = forms.CharField(
        required=False, max_length=40, label="Act", widget=text_input(list="audit-acts")
    )
    subject = forms.CharField(required=False, max_length=300, label="Subject", widget=text_input())
    since = DayField(label="From")
    until = DayField(label="To")
    before = forms.CharField(required=False, max_length=60, widget=forms.HiddenInput)

    def clean_before(self) -> tuple[datetime, int] | None:
        """The entry that the page before ended with: its time and its number."""
        at, _, number = self.cleaned_data["before"].partition("-")
        if not at:
            return None
        if not all(part.isascii() and part.isdigit() for part in (at, number)):
            raise forms.ValidationError("This page is none of the log's. Begin with the newest.")
        if int(at) not in NEAR or len(number) > 18:
            raise forms.ValidationError("This page is none of the log's. Begin with the newest.")
        return moment(int(at)), int(number)

    def entries(self) -> QuerySet[AuditEntry]:
        """What the filters choose, newest first."""
        data = self.cleaned_data
        chosen = AuditEntry.objects.order_by("-at", "-pk").fetch_mode(FETCH_RAISE)
        exact = {"who": data["person"], "kind": data["kind"], "act": data["act"]}
        chosen = chosen.filter(**{name: value for name, value in exact.items() if value})
        if data["subject"]:
            chosen = chosen.filter(subject__icontains=data["subject"])
        if data["since"]:
            chosen = chosen.filter(at__gte=datetime.combine(data["since"], time(), UTC))
        if data["until"] and data["until"] < date.max:
            end = datetime.combine(data["until"], time(), UTC) + timedelta(days=1)
            chosen = chosen.filter(at__lt=end)
        if data["before"]:
            at, number = data["before"]
            chosen = chosen.filter(Q(at__lt=at) | Q(at=at, pk__lt=number))
        return chosen

    def query(self, **other: str) -> str:
        """The query string of these filters with others instead; always from the newest."""
        names = ("person", "kind", "act", "subject", "since", "until")
        values = {name: self.data.get(name, "") for name in names} | other
        return urlencode({name: value for name, value in values.items() if value})


@dataclass(frozen=True, slots=True)
class Row:
    entry: AuditEntry
    # The page of the subject; "": there is none, or none any more.
    url: str
    by_person: str
    by_act: str
    by_kind: str

    @property
    def is_long(self) -> bool:
        texts = [change["old"] + change["new"] for change in self.entry.changes]
        return sum(map(len, texts)) > LONGEST_SHOWN or any("\n" in text for text in texts)


def read_page(form: AuditFilter, *, now: datetime) -> dict[str, Any]:
    """What the template needs; a form with a mistake chooses nothing, and says what is wrong."""
    found = list(form.entries()[: PAGE + 1]) if form.is_valid() else []
    entries = found[:PAGE]
    urls = subject_urls(entries)
    return {
        "form": form,
        "now": now,
        "rows": [_row(entry, form, urls) for entry in entries],
        "names": [person.get_username() for person in people()],
        "kinds": sorted({entry.kind for entry in entries}),
        "acts": sorted({entry.act for entry in entries}),
        "older": _older(form, entries) if len(found) > PAGE else "",
        "is_newest": not form.data.get("before"),
        "is_filtered": bool(form.query()),
        "query": form.query(),
    }


def _row(entry: AuditEntry, form: AuditFilter, urls: Urls) -> Row:
    return Row(
        entry,
        url=urls.get((entry.kind, entry.subject), ""),
        by_person=form.query(person=entry.who),
        by_act=form.query(act=entry.act),
        by_kind=form.query(kind=entry.kind),
    )


def _older(form: AuditFilter, entries: Sequence[AuditEntry]) -> str:
    last = entries[-1]
    return form.query(before=f"{microseconds(last.at)}-{last.pk}")


def subject_urls(entries: Iterable[AuditEntry]) -> Urls:
    """The pages of what the entries are about, where there is one: at most a query a kind."""
    subjects: dict[str, set[str]] = {}
    for entry in entries:
        subjects.setdefault(entry.kind, set()).add(entry.subject)
    return {
        (kind, subject): url
        for kind, wanted in subjects.items()
        if kind in PAGES_OF
        for subject, url in PAGES_OF[kind](wanted).items()
    }


def _people(names: set[str]) -> dict[str, str]:
    found = people().filter(username__in=names).values_list("username", "pk")
    return {name: reverse("person-edit", args=[pk]) for name, pk in found}


def _services(slugs: set[str]) -> dict[str, str]:
    found = Service.objects.filter(removed_at=None, slug__in=slugs).values_list("slug", flat=True)
    return {slug: reverse("service", args=[slug]) for slug in found}


def _teams(slugs: set[str]) -> dict[str, str]:
    found = Team.objects.filter(removed_at=None, slug__in=slugs).values_list("slug", flat=True)
    return {slug: reverse("team-edit", args=[slug]) for slug in found}


def _paths(subjects: set[str]) -> dict[str, str]:
    found = CriticalPath.objects.standing().filter(service__removed_at=None)
    return _below(found.values_list("service__slug", "slug"), subjects, "path")


def _environments(subjects: set[str]) -> dict[str, str]:
    found = Environment.objects.filter(removed_at=None, service__removed_at=None)
    return _below(found.values_list("service__slug", "slug"), subjects, "environment-edit")


def _notes(subjects: set[str]) -> dict[str, str]:
    of_services = {slug: f"{url}/rollback-note" for slug, url in _services(subjects).items()}
    of_paths = {name: f"{url}/rollback-note" for name, url in _paths(subjects).items()}
    return of_services | of_paths


def _incidents(names: set[str]) -> dict[str, str]:
    numbers = {name: name.removeprefix("INC-") for name in names}
    return {
        name: reverse("incident", args=[int(number)])
        for name, number in numbers.items()
        if number.isascii() and number.isdigit()
    }


def _changes(names: set[str]) -> dict[str, str]:
    """Subjects begin with the number: "CHG-0198", "CHG-0198, attempt 2"."""
    numbers = {name: number_of(name.partition(",")[0]) for name in names}
    return {name: reverse("change", args=[of]) for name, of in numbers.items() if of is not None}


def _tokens(names: set[str]) -> dict[str, str]:
    return dict.fromkeys(names, reverse("tokens"))


def _below(
    found: "QuerySet[Any, tuple[str, str]]", subjects: set[str], view: str
) -> dict[str, str]:
    """The pages of things below a service, whose subject is "service/thing"."""
    pairs = [subject.split("/", 1) for subject in subjects if "/" in subject]
    near = found.filter(service__slug__in=[a for a, _ in pairs], slug__in=[b for _, b in pairs])
    wanted = {(a, b) for a, b in pairs}
    return {f"{a}/{b}": reverse(view, args=[a, b]) for a, b in near if (a, b) in wanted}


PAGES_OF: dict[str, Callable[[set[str]], dict[str, str]]] = {
    "person": _people,
    "sign-in": _people,
    "team": _teams,
    "service": _services,
    "environment": _environments,
    "path": _paths,
    "token": _tokens,
    "rollback note": _notes,
    "incident": _incidents,
    "change": _changes,
}
