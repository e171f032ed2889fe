"""Changes in which words stand: by number, title, or what is meant to get better."""

import re
from typing import Any

from django.db.models import Count, Q, TextField, Value, Window
from django.db.models.functions import Concat
from django.urls import reverse

from opsboard.changes.models import Change, number_of
from opsboard.web.hits import SHOWN, Hit, Kind, hit, kind

PLACES = {"title": "title", "purpose": "what is to get better"}


def changes_kind(wanted: str) -> Kind:
    """The newest first. One query."""
    rows = (
        _with(wanted)
        .annotate(count=Window(Count("pk")))
        .order_by("-declared_at", "-pk")
        .values_list("count", "pk", "path__name", *PLACES)[:SHOWN]
    )
    hits: list[Hit] = []
    count = 0
    for count, number, of, title, purpose in rows:  # noqa: B007
        name = str(Change(pk=number))
        texts = [("title", title), ("what is to get better", purpose)]
        # Asked for by its number: the words that were typed stand nowhere else.
        texts = (
            [("number", name), ("number", wanted), *texts] if number_of(wanted) == number else texts
        )
        hits.append(hit(f"{name} {title}", of, reverse("change", args=[number]), texts, wanted))
    return kind("Changes", hits, count)


def _with(wanted: str) -> Any:
    parts = [part for name in PLACES for part in (name, Value("\n"))]
    changes: Any = Change.objects.filter(service__removed_at=None, path__removed_at=None)
    changes = changes.annotate(text=Concat(*parts, output_field=TextField()))
    if wanted.isascii():
        return changes.filter(Q(text__icontains=wanted) | Q(pk=number_of(wanted)))
    return changes.filter(text__iregex=re.escape(wanted))
