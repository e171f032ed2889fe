"""Releases in which words stand: by version, tag, commit, or what they bring."""

import re
from typing import Any

from django.db.models import Count, F, Value, Window
from django.db.models.functions import Concat
from django.urls import reverse

from opsboard.releases.models import Release
from opsboard.web.hits import SHOWN, Hit, Kind, hit, kind

PLACES = {"version": "version", "summary": "what it brings", "tag": "tag", "commit": "commit"}


def releases_kind(wanted: str) -> Kind:
    """The newest first. The database looks, as for paths: there may be thousands. One query."""
    rows = (
        _with(wanted)
        .annotate(count=Window(Count("pk")))
        .order_by(F("named_at").desc(), "pk")
        .values_list("count", "service__slug", "service__name", *PLACES)[:SHOWN]
    )
    hits: list[Hit] = []
    count = 0
    for count, service, of, version, *others in rows:  # noqa: B007
        # Asked for as it is written: "fares-api 2026.11.4".
        texts = [("name", f"{service} {version}")]
        texts += zip(PLACES.values(), (version, *others), strict=True)
        url = reverse("release", args=[service, version])
        hits.append(hit(f"{service} {version}", of, url, texts, wanted))
    return kind("Releases", hits, count)


def _with(wanted: str) -> Any:
    parts = ["service__slug", Value(" ")]
    parts += [part for name in PLACES for part in (name, Value("\n"))]
    releases = Release.objects.standing().annotate(text=Concat(*parts))
    if wanted.isascii():
        return releases.filter(text__icontains=wanted)
    return releases.filter(text__iregex=re.escape(wanted))
