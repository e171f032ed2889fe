"""What is read in one query is what each would have given alone, of the same types."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db.models import CharField, Count, Exists, F, OuterRef, QuerySet, Window
from django.db.models.functions import RowNumber

from opsboard.releases.models import Evidence, Override, Release
from opsboard.services.models import Service
from opsboard.services.together import NOW, Given, Part, kept, kept_rows, one_of, read_together

NOON = datetime(2026, 11, 18, 12, 0, 0, 123456, tzinfo=UTC)


def a_release(service: Service) -> Release:
    return Release.objects.create(
        service=service, version="1", commit="1" * 40, named_at=NOON, migrations=["0148"]
    )


def test_rows_are_those_of_values(service, editor, django_assert_num_queries):
    release = a_release(service)
    Override.objects.create(
        release=release, gates=["unit"], reason="É", asked_by=editor, asked_at=NOON,
        ends_at=NOON + timedelta(hours=1), needs_second=True,
    )  # fmt: skip
    # SQLite is asked once whether it knows JSON.
    read_together(some=(Release.objects.all(), ("pk",)))
    releases = ("pk", "service__slug", "named_at", "planned_at", "migrations", "files")
    overrides = ("gates", "reason", "asked_by_id", "ends_at", "needs_second", "is_alone")
    with django_assert_num_queries(1):
        found = read_together(
            releases=(Release.objects.all(), releases),
            overrides=(Override.objects.all(), overrides),
            none=(Override.objects.filter(reason="no"), overrides),
        )
    assert found == {
        "releases": list(Release.objects.values(*releases)),
        "overrides": list(Override.objects.values(*overrides)),
        "none": [],
    }


def test_a_filter_by_window_and_a_count_by_group_hold(service):
    release = a_release(service)
    for minute in range(3):
        for gate in ("lint", "unit"):
            Evidence.objects.create(
                release=release, gate=gate, outcome="passed", commit=release.commit,
                started_at=NOON + timedelta(minutes=minute), received_at=NOON,
            )  # fmt: skip
    nth = Window(RowNumber(), partition_by=F("gate"), order_by=F("started_at").desc())
    newest = Evidence.objects.annotate(nth=nth).filter(nth=1)
    counted = Evidence.objects.values("gate").annotate(count=Count("pk"))
    found = read_together(newest=(newest, ("gate", "started_at")), counted=(counted, ("count",)))
    last = NOON + timedelta(minutes=2)
    assert sorted((one["gate"], one["started_at"]) for one in found["newest"]) == [
        ("lint", last),
        ("unit", last),
    ]
    assert found["counted"] == [{"count": 3}, {"count": 3}]


def test_parts_that_cannot_have_rows_are_empty(service):
    found = read_together(
        none=(Release.objects.none(), ("pk",)), nor=(Release.objects.filter(pk__in=[]), ("pk",))
    )
    assert found == {"none": [], "nor": []}


def test_a_part_that_cannot_have_rows_leaves_the_others(service):
    release = a_release(service)
    found = read_together(
        none=(Release.objects.filter(pk__in=[]), ("pk",)), some=(Release.objects.all(), ("pk",))
    )
    assert found == {"none": [], "some": [{"pk": release.pk}]}


def named_by_now(version: str) -> dict[str, Part]:
    named = Release.objects.filter(version=version, named_at__lte=NOW)
    return {
        "columns": (named, ("pk", "named_at")),
        "whole": (named.select_related("service"), None),
    }


def test_a_kept_statement_is_written_once_and_told_the_moment_each_time(service):
    release = a_release(service)
    statement = kept(named_by_now, "1")
    assert kept(named_by_now, "1") is statement
    assert kept(named_by_now, "2").read(now=NOON) == {"columns": [], "whole": []}
    before, since = statement.read(now=NOON - timedelta(seconds=1)), statement.read(now=NOON)
    assert before == {"columns": [], "whole": []}
    assert since["columns"] == [{"pk": release.pk, "named_at": NOON}]
    assert [one.service.slug for one in since["whole"]] == [service.slug]


def test_a_moment_that_is_not_told_is_an_error(service):
    """Asked without it, the database would find nothing, and nothing looks like all is well."""
    with pytest.raises(KeyError, match="now"):
        kept(named_by_now, "1").read()


def of_commit(is_planned: bool) -> QuerySet[Release, tuple[object, ...]]:
    commit = Given("commit", CharField())
    named = Release.objects.filter(commit=commit, planned_at__isnull=not is_planned)
    overridden = Exists(Override.objects.filter(release=OuterRef("pk")))
    return named.annotate(overridden=overridden).values_list("version", "named_at", "overridden")


def test_kept_rows_are_those_of_values_list(service, django_assert_num_queries):
    release = a_release(service)
    statement = kept_rows(of_commit, False)
    assert kept_rows(of_commit, False) is statement
    with django_assert_num_queries(2):
        assert statement.read(commit=release.commit) == [("1", NOON, False)]
        assert statement.read(commit="2" * 40) == []


def test_one_of_several_is_found_and_of_none_is_an_error(service):
    release = a_release(service)
    assert list(Release.objects.filter(one_of("service", [0, service.pk]))) == [release]
    with pytest.raises(TypeError):
        one_of("service", [])
