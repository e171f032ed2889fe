"""A version of a service stands for one commit, for ever, also when two name it at once."""

import threading

import pytest
from django.db import connection

from opsboard.people.models import AuditEntry
from opsboard.releases.models import Release
from opsboard.releases.naming import Named, name_release, withdraw
from opsboard.releases.refusing import Refused
from opsboard.services.models import Service
from tests.company import NOON, a_path
from tests.releases.going_out import CI, COMMIT, OTHER, a_release, named

pytestmark = pytest.mark.django_db


def changes() -> dict[str, tuple[str, str]]:
    entry = AuditEntry.objects.filter(act="changed").latest("pk")
    return {one["field"]: (one["old"], one["new"]) for one in entry.changes}


def test_a_release_is_named_with_what_is_said_of_it(service, environment, path):
    said = named(
        tag="v4", environment_slug="production", planned_at=NOON, summary="Surcharges",
        migrations=["0007_fares"], commits=3, files=9, lines=120, paths=[path],
    )  # fmt: skip
    release, is_new = name_release(service, said, by=CI, now=NOON)
    release.refresh_from_db()
    assert is_new
    assert (release.commit, release.tag, release.migrations) == (COMMIT, "v4", ["0007_fares"])
    assert (release.commits, release.files, release.lines) == (3, 9, 120)
    assert (release.planned_at, release.named_as) == (NOON, "CI (3f2b8c1e…)")
    assert list(release.paths.all()) == [path]
    assert AuditEntry.objects.get(act="added").subject == "fares-api/2026.11.4"


def test_named_again_with_the_same_commit_nothing_changes(service):
    first = a_release(service)
    again, is_new = name_release(service, named(), by=CI, now=NOON)
    assert (again.pk, is_new) == (first.pk, False)
    assert AuditEntry.objects.filter(kind="release").count() == 1


def test_named_again_what_is_said_changes_and_what_is_not_said_stays(service):
    name_release(service, named(tag="v4", summary="Fares"), by=CI, now=NOON)
    name_release(service, named(summary="Fares and surcharges", commits=2), by=CI, now=NOON)
    release = Release.objects.get()
    assert (release.tag, release.summary, release.commits) == ("v4", "Fares and surcharges", 2)
    assert changes() == {"summary": ("Fares", "Fares and surcharges"), "commits": ("", "2")}


def test_no_migrations_said_is_not_the_same_as_none(service):
    name_release(service, named(migrations=["0007_fares"]), by=CI, now=NOON)
    name_release(service, named(), by=CI, now=NOON)
    assert Release.objects.get().migrations == ["0007_fares"]
    name_release(service, named(migrations=[]), by=CI, now=NOON)
    assert Release.objects.get().migrations == []


def test_a_commit_is_kept_in_lower_case(service):
    name_release(service, named(commit=COMMIT.upper()), by=CI, now=NOON)
    assert Release.objects.get().commit == COMMIT


@pytest.mark.parametrize(
    ("commit", "sentence"),
    [
        pytest.param(OTHER, f"was named with the commit {COMMIT}: give the other", id="another"),
        pytest.param(COMMIT[:12], f"with the commit {COMMIT}: write it in that form", id="short"),
    ],
)
def test_another_commit_is_refused_and_the_known_one_named(service, commit, sentence):
    a_release(service)
    with pytest.raises(Refused, match=sentence):
        name_release(service, named(commit=commit), by=CI, now=NOON)
    assert Release.objects.get().commit == COMMIT


def test_a_version_of_another_service_is_another_release(service):
    a_release(service)
    other = Service.objects.create(slug="notify", name="Notify", team=service.team)
    assert a_release(other, commit=OTHER).commit == OTHER


@pytest.mark.parametrize(
    "wrong",
    [
        {"commit": "main"},
        {"commit": "9fceb0"},
        {"commit": "9" * 65},
        {"version": ""},
        {"version": "a/b"},
        {"version": "1 2"},
        {"version": "1\n"},
        {"version": "9" * 101},
        {"tag": "v1\nv2"},
        {"tag": "v" * 201},
        {"summary": "a\nb"},
        {"summary": "a" * 301},
        {"migrations": ["0007\n"]},
        {"migrations": ["m"] * 501},
        {"commits": -1},
        {"lines": 2**31},
        {"environment_slug": "moon"},
    ],
    ids=lambda wrong: f"{next(iter(wrong))}",
)
def test_what_cannot_be_is_refused_in_one_sentence(service, environment, wrong):
    with pytest.raises(Refused, match=r"\.$"):
        name_release(service, named(**wrong), by=CI, now=NOON)
    assert not Release.objects.exists()


def test_a_path_of_another_service_is_refused(service):
    with pytest.raises(Refused, match="one of its own"):
        name_release(service, named(paths=[a_path()]), by=CI, now=NOON)


def test_a_release_is_withdrawn_once_and_its_version_is_used_up(service, editor):
    release = a_release(service)
    withdraw(release, by=CI, now=NOON)
    withdraw(release, by=CI, now=NOON.replace(hour=13))
    assert release.withdrawn_at == NOON
    assert AuditEntry.objects.filter(act="withdrew").count() == 1
    with pytest.raises(Refused, match="was withdrawn at 2026-11-23 12:00 UTC: take another"):
        name_release(service, named(), by=CI, now=NOON)


def test_what_went_out_is_not_withdrawn(service):
    release = a_release(service)
    Release.objects.update(released_at=NOON)
    with pytest.raises(Refused, match="went out at 2026-11-23 12:00 UTC: roll it back"):
        withdraw(release, by=CI, now=NOON)


@pytest.mark.django_db(transaction=True)
def test_of_two_who_name_a_version_at_once_one_commit_wins(service):
    """Without the lock, PostgreSQL would answer the second with an error of its own."""
    begin, answers = threading.Barrier(2), []

    def name(commit: str) -> None:
        begin.wait(10)
        try:
            said = Named(version="2026.11.4", commit=commit)
            answers.append(name_release(service, said, by=CI, now=NOON)[1])
        except Refused as refused:
            answers.append(str(refused))
        finally:
            connection.close()

    threads = [threading.Thread(target=name, args=(commit,)) for commit in (COMMIT, OTHER)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert answers.count(True) == 1
    assert any("was named with the commit" in str(answer) for answer in answers)
    assert Release.objects.count() == 1
