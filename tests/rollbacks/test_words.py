"""Words in steps: filled with what is known, and left as written where it is not."""

from datetime import timedelta

import pytest

from opsboard.rollbacks.known import Released
from opsboard.rollbacks.words import (
    NOTHING,
    Known,
    fill,
    fill_steps,
    names_version,
    refuse_words,
    wrong_words,
)
from opsboard.services.models import Deploy, Environment
from tests.company import NOON

KNOWN = Known(previous_version="2026.11.2", version="2026.11.3", tag="v2026.11.3")
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("deploy --to {{ previous_version }} --wait", "deploy --to 2026.11.2 --wait"),
        ("deploy --to {{previous_version}}", "deploy --to 2026.11.2"),
        ("{{ release.version }} is {{ release.tag }}", "2026.11.3 is v2026.11.3"),
        ("nothing to fill", "nothing to fill"),
        ("{{ release.commit }}", "{{ release.commit }}"),
        ("{ previous_version }", "{ previous_version }"),
    ],
)
def test_words_are_filled(text: str, expected: str) -> None:
    assert fill(text, KNOWN) == expected


@pytest.mark.parametrize("value", ["", "1; rm -rf /", "$(id)", "--force", "a b", "1\n2", "`id`"])
def test_what_is_not_known_or_not_fit_for_a_command_is_left_as_written(value: str) -> None:
    steps = [{"do": "Go back", "run": "deploy --to {{ previous_version }}"}]
    filled = fill_steps(steps, Known(previous_version=value))
    assert filled.steps == steps
    assert filled.unknown == (
        "The previous version is not known: fill in {{ previous_version }} yourself.",
    )


def test_only_the_words_that_are_used_can_be_unknown() -> None:
    assert fill_steps([{"do": "Hold", "run": "hold"}], NOTHING).unknown == ()
    assert (
        len(fill_steps([{"do": "{{ release.tag }} {{ release.version }}"}], NOTHING).unknown) == 2
    )


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("deploy {{ previous_version }}", ""),
        ("awk '{print}' } {", ""),
        ("{{ previous }}", "{{ previous }} is no word that is filled in."),
        ("{{ }}", "{{ }} is no word that is filled in."),
        ("{{ previous_version", "These braces do not close."),
        ("previous_version }}", "These braces do not close."),
        ("{{ release.Version }}", "is no word that is filled in."),
    ],
)
def test_other_words_are_refused_and_the_known_ones_named(text: str, wrong: str) -> None:
    said = wrong_words(text)
    assert wrong in said
    assert bool(said) is bool(wrong)
    if wrong:
        assert "{{ previous_version }}, {{ release.version }} and {{ release.tag }}." in said


def test_outside_of_steps_braces_are_refused() -> None:
    assert refuse_words("Go back to {{ previous_version }}").startswith(
        "Braces are filled in steps"
    )
    assert not refuse_words("Go back")


@pytest.mark.parametrize(
    ("run", "numbers"),
    [
        ("deploy --to 2026.11.3", [1]),
        ("deploy fares:2026.11.3 --wait", [1]),
        ("deploy --to 2026.11.30", []),
        ("deploy --to 12026.11.3", []),
        ("deploy --to 2026.11.3.1", []),
        ("", []),
    ],
)
def test_a_version_typed_into_a_step_is_found(run: str, numbers: list[int]) -> None:
    assert names_version([{"do": "Go back.", "run": run}], "2026.11.3") == numbers


# What is known -----------------------------------------------------------------------------


def told(environment: Environment, *versions: str) -> None:
    for number, version in enumerate(versions):
        environment.deploys.create(
            kind=Deploy.Kind.RELEASE, name=version, tag=f"v{version}", at=NOON + number * HOUR
        )


@pytest.mark.parametrize(
    ("versions", "version", "previous"),
    [
        pytest.param([], "", "", id="nothing was ever told"),
        pytest.param(["1"], "1", "", id="the first"),
        pytest.param(["1", "2"], "2", "1", id="one after the other"),
        pytest.param(["1", "2", "2"], "2", "1", id="told twice"),
        pytest.param(["1", "2", "3", "2"], "2", "1", id="gone back to 2"),
        pytest.param(["1", "2", "1", "3"], "3", "1", id="gone back, then on"),
    ],
)
def test_the_previous_version_is_the_one_below(
    environment: Environment, versions: list[str], version: str, previous: str
) -> None:
    told(environment, *versions)
    known = Released([environment.pk]).known(environment.pk, until=NOON + 9 * HOUR)
    assert (known.version, known.previous_version) == (version, previous)
    assert known.tag == (f"v{version}" if version else "")


def test_what_was_released_later_or_seen_only_does_not_count(environment: Environment) -> None:
    told(environment, "1", "2", "3")
    environment.deploys.create(name="9f2c1ab", at=NOON)
    known = Released([environment.pk]).known(environment.pk, until=NOON + HOUR)
    assert (known.version, known.previous_version) == ("2", "1")


def test_before_a_release_goes_out_the_newest_there_is_the_previous(
    environment: Environment,
) -> None:
    told(environment, "1", "2")
    released = Released([environment.pk])
    assert released.before(environment.pk, "3", until=NOON + 9 * HOUR) == "2"
    assert released.before(environment.pk, "2", until=NOON + 9 * HOUR) == "1"
    assert released.before(environment.pk, "1", until=NOON + 9 * HOUR) == ""
