"""The record of a change: what another developer needs to inspect, understand and repeat it."""

import json
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest

from opsboard.changes.models import Act
from opsboard.releases.change_record import change_record
from opsboard.releases.incident_record import incident_record
from opsboard.releases.record import write_json, write_markdown
from opsboard.releases.release_record import release_record
from tests.company import NOON, a_service
from tests.releases.changing import HOUR, a_change, a_verdict, a_window, an_attempt, sealed
from tests.releases.test_reading import COMMIT, a_release

pytestmark = pytest.mark.django_db


@pytest.fixture
def change():
    """Measured twice: the first attempt was given up, the second improved."""
    change = a_change(
        a_service(),
        purpose="make prices faster when the cache misses",
        commit=COMMIT,
        assumptions=["staging has the fares of March"],
        commands=["createindex fare_rules"],
        declared_as="CI (3f2b8c1e…)",
        equivalence=0.2,
    )
    an_attempt(
        change, began_at=NOON - 8 * HOUR, given_up_at=NOON - 7 * HOUR, given_up_because="Too slow"
    )
    attempt = a_verdict(change, number=2)
    Act.objects.create(
        comparison=attempt, kind="applied", at=NOON - 4 * HOUR, by_name="CI", exit_code=0,
        command="migrate fares 0148",
    )  # fmt: skip
    Act.objects.create(
        comparison=attempt, kind="cleared", at=NOON - 3 * HOUR, by_name="CI", what="prefix",
        pattern="price:*", count=140, command="redis-cli --scan | xargs redis-cli del",
    )  # fmt: skip
    return change


def record(change, as_of=NOON) -> Any:
    return change_record(change, as_of=as_of)


def test_a_change_is_told_whole(change):
    told = record(change)

    assert told["title"] == f"Record of {change}"
    assert told["service"]["owner"] == "Pricing"
    assert told["sheet"][0]["name"] == change.path.name
    assert told["declared"] == {
        "variables": ["index"],
        "purpose": "make prices faster when the cache misses",
        "commit": COMMIT,
        "release": "2026.11.4",
    }
    assert told["settings"]["margin_share"] == 0.10
    assert told["settings"]["no_change_within_share"] == 0.2
    assert told["assumptions"] == ["staging has the fares of March"]
    assert told["rollback_note"] == "no rollback note"


def test_both_sides_are_told_with_their_figures_and_hashes(change):
    told = record(change)

    for side, median in (("baseline", 183.0), ("after", 119.0)):
        assert told[side]["samples"] == 200
        assert told[side]["sha256"] == "ab" * 32
        assert told[side]["by_cache_result"]["miss"]["median_ms"] == median


def test_the_verdict_is_told_with_its_sentences(change):
    told = record(change)["change_verdict"]

    assert told["verdict"] == "improved"
    assert len(told["sentences"]) == 2
    assert told["sentences"][0].startswith(f"Requests for {change.path.name} got 34% faster")
    assert told["figures"]["adjusted"] == {"estimate": -0.4105, "low": -0.4936, "high": -0.3216}
    assert told["figures"]["error_rate"]["newcombe"] == {"low": -0.0126, "high": 0.0126}


def test_all_attempts_stay_in_it(change):
    first, second = record(change)["attempts"]

    assert (first["name"], first["given_up_because"]) == ("Attempt 1", "Too slow")
    assert first["baseline"] == first["change_verdict"] == "not recorded"
    assert second["change_verdict"]["verdict"] == "improved"


def test_what_was_done_is_told_with_the_exact_commands(change):
    told = record(change)

    assert [(one["act"], one["by"]) for one in told["acts"]] == [
        ("Applied", "CI"),
        ("Cache cleared", "CI"),
    ]
    assert told["acts"][1]["pattern"] == "price:*"
    assert told["acts"][1]["count"] == 140
    assert told["commands"] == [
        "createindex fare_rules",
        "migrate fares 0148",
        "redis-cli --scan | xargs redis-cli del",
    ]


def test_it_says_how_to_repeat_the_verdict(change):
    told = record(change)["how_to_repeat_it"]

    assert told["samples"] == f"/changes/{change.pk}/attempts/2/samples.csv"
    assert told["command"] == (
        f"manage.py compare {str(change).lower()}-attempt-2.csv --changed index --margin 0.1 "
        "--equivalence 0.2"
    )
    assert "not_in_the_file" not in told


def test_a_control_path_is_said_to_be_missing_from_the_file(change):
    control = change.service.paths.create(slug="ping", name="Ping", route="/ping")
    change.control, change.metric = control, "db calls"
    change.save()

    told = record(change)["how_to_repeat_it"]

    assert told["command"].endswith("--equivalence 0.2 --metric db_calls")
    assert told["not_in_the_file"].startswith("Samples of the control path")


def test_while_it_collects_no_figure_is_told():
    change = a_change(a_service())
    attempt = an_attempt(change, applied_at=NOON - 4 * HOUR)
    a_window(attempt, **sealed(NOON - 5 * HOUR))
    a_window(attempt, "after")

    told = record(change)

    assert told["baseline"]["samples"] == 200
    assert "by_cache_result" not in told["baseline"]
    assert told["after"] == told["change_verdict"] == "not recorded"
    assert told["how_to_repeat_it"] == "there is no verdict to repeat yet"


def test_a_change_that_nobody_measured_says_so():
    told = record(a_change(a_service()))

    assert told["baseline"] == told["after"] == told["change_verdict"] == "not recorded"
    assert told["attempts"] == told["acts"] == []


def test_what_came_after_the_moment_is_not_told(change):
    told = record(change, NOON - 4.5 * HOUR)

    assert told["baseline"]["samples"] == 200
    assert told["after"] == told["change_verdict"] == "not recorded"
    assert told["acts"] == []


def test_the_version_of_the_note_that_was_in_use_is_told(change):
    note = change.service.rollback_notes.create()
    for number, at in ((1, NOON - 6 * HOUR), (2, NOON - HOUR)):
        note.versions.create(
            number=number, title=f"Go back {number}", written_at=at, steps=[{"do": "Go back"}],
            minutes=5,
        )  # fmt: skip

    told = record(change)

    assert told["rollback_note"]["title"] == "Go back 1"
    assert told["rollback_note_used"].startswith("version 1 was in use when it was applied, 2026")


@pytest.mark.parametrize("write", [write_json, write_markdown])
def test_the_same_moment_gives_the_same_bytes(change, write):
    assert write(record(change)) == write(record(change))


@pytest.mark.parametrize("kind", ["md", "json"])
def test_a_download_has_the_hash_that_its_page_shows(client_of, change, kind):
    client, here = client_of("viewer"), f"/changes/{change.pk}/record"
    page = client.get(here).text
    link = page.split(f'href="{here}.{kind}?as_of=')[1].split('"')[0]
    answer = client.get(f"{here}.{kind}?as_of={link}")

    assert answer["Opsboard-SHA256"] == sha256(answer.content).hexdigest()
    assert answer["Opsboard-SHA256"] in page
    assert f'filename="{str(change).lower()}.{kind}"' in answer["Content-Disposition"]


def test_markdown_and_json_have_the_same_sections(client_of, change):
    client = client_of("viewer")
    facts = json.loads(client.get(f"/changes/{change.pk}/record.json").content)
    markdown = client.get(f"/changes/{change.pk}/record.md").content.decode()

    for key in facts.keys() - {"title", "as_of"}:
        assert f"## {key[:1].upper()}{key[1:].replace('_', ' ')}\n" in markdown
    assert "`migrate fares 0148`" in markdown


# Of a release ------------------------------------------------------------------------------


def test_a_release_tells_the_figures_of_its_changes(change):
    told: Any = release_record(a_release(change.service), as_of=NOON)

    assert [one["title"] for one in told["change_verdict"]] == [f"{change}: Index fare rules"]
    assert told["change_verdict"][0]["verdict"] == "improved"
    assert told["baseline"][0]["by_cache_result"]["miss"]["median_ms"] == 183.0
    assert told["after"][0]["samples"] == 200


def test_a_change_that_was_not_measured_is_named_in_the_release(change):
    other = a_change(change.service, title="Round fares in SQL")

    told: Any = release_record(a_release(change.service), as_of=NOON)

    assert told["baseline"][1] == {
        "title": f"{other}: Round fares in SQL",
        "attempt": None,
        "figures": "not recorded",
    }


def test_a_release_without_changes_has_none_recorded(change):
    told: Any = release_record(a_release(change.service, version="2", commit="a" * 40), as_of=NOON)

    assert told["baseline"] == told["after"] == told["change_verdict"] == "not recorded"


def test_an_incident_tells_the_changes_of_the_release_before_it(change):
    release = a_release(change.service, released_at=NOON - HOUR, environment_slug="production")
    incident = change.service.incidents.create(
        environment=change.environment, title="Prices fail", opened_at=NOON - timedelta(minutes=9)
    )

    told: Any = incident_record(incident, as_of=NOON)

    assert told["release_before"]["version"] == release.version
    assert told["change_verdict"][0]["verdict"] == "improved"
