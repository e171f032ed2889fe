"""The changes of a release, read with its readiness."""

import pytest

from opsboard.changes.models import Sample
from opsboard.probes.models import microseconds
from opsboard.releases.models import GateChoice
from opsboard.releases.of_changes import of_release
from opsboard.releases.reading import read_readiness, readiness_of
from tests.company import NOON, a_service
from tests.releases.changing import HOUR, a_change, a_verdict, a_window, an_attempt, sealed
from tests.releases.test_reading import COMMIT, a_release

pytestmark = pytest.mark.django_db


@pytest.fixture
def release():
    release = a_release()
    for gate in ("baseline", "verified"):
        GateChoice.objects.create(team=release.service.team, gate=gate, need="required")
    return release


def said(release):
    """The words and reasons of both gates."""
    gates = {one.gate: one for one in readiness_of(release, now=NOON).gates}
    return [(gates[gate].word, gates[gate].reason) for gate in ("baseline", "verified")]


def test_a_change_is_of_a_release_by_its_version_or_by_its_commit(release):
    other = a_service("routes-api")
    theirs = a_change(other)
    by_version = a_change(release.service)
    by_commit = a_change(release.service, version="", commit=COMMIT)
    a_change(release.service, version="2026.11.3")
    a_change(release.service, version="", commit="")
    a_change(release.service, withdrawn_at=NOON)

    assert set(of_release(release)) == {by_version, by_commit}
    assert theirs.service_id != release.service_id


@pytest.mark.parametrize(
    ("ours", "theirs"), [(COMMIT, COMMIT[:7]), (COMMIT[:7], COMMIT), (COMMIT, COMMIT)]
)
def test_a_short_form_of_its_commit_will_do(release, ours, theirs):
    change = a_change(release.service, version="", commit=theirs)
    a_change(release.service, version="", commit=f"{COMMIT[:7]}{'f' * 33}")
    release.commit = ours
    release.save()
    a_verdict(change, "regressed")

    assert change in of_release(release)
    assert said(release)[1][1].startswith(f"{change}, regressed: ")


@pytest.mark.parametrize("how", ["withdrawn", "path removed"])
def test_what_was_applied_and_let_go_can_still_be_in_the_way(release, how):
    good, bad = a_change(release.service), a_change(release.service)
    path = release.service.paths.create(slug="quote", name="Quote", route="/quote")
    bad.path = path
    bad.save()
    a_verdict(good)
    a_verdict(bad, "regressed")
    if how == "withdrawn":
        bad.withdrawn_at = NOON
        bad.save()
    else:
        path.removed_at = NOON
        path.save()

    assert set(of_release(release)) == {good, bad}
    (sealed_word, _), (word, reason) = said(release)
    assert (sealed_word, word) == ("met", "not met")
    assert reason.startswith(f"{bad}, regressed: ")


def test_what_was_withdrawn_without_a_verdict_after_it_was_applied_is_not_shown(release):
    a_verdict(a_change(release.service))
    gone = a_change(release.service, withdrawn_at=NOON)
    a_window(an_attempt(gone, applied_at=NOON - HOUR, given_up_at=NOON), **sealed(NOON - 5 * HOUR))

    assert said(release)[1] == (
        "no evidence",
        f"{gone} was applied before, and let go without a verdict.",
    )


def test_what_was_withdrawn_before_it_was_applied_does_not_count(release):
    a_verdict(a_change(release.service))
    gone = a_change(release.service, withdrawn_at=NOON)
    a_window(an_attempt(gone, given_up_at=NOON))

    assert gone not in of_release(release)
    assert said(release)[1][0] == "met"


def test_only_a_change_of_the_release_answers_for_it(release):
    a_verdict(a_change(release.service, version="2026.11.3"))
    a_verdict(a_change(release.service, withdrawn_at=NOON))
    a_verdict(a_change(a_service("routes-api")))

    assert {word for word, _ in said(release)} == {"no evidence"}


def test_a_verdict_as_it_was_meant_meets_both_gates(release):
    change = a_change(release.service)
    a_verdict(change)

    assert said(release) == [
        ("met", f"The baseline of {change} was sealed at 07:00."),
        ("met", f"{change} improved."),
    ]


def test_another_verdict_blocks_with_the_first_of_its_sentences(release):
    change = a_change(release.service)
    a_verdict(change, "regressed", adjusted=[0.223, 0.15, 0.3])

    word, reason = said(release)[1]

    assert word == "not met"
    assert reason.startswith(
        f"{change}, regressed: Requests for Price a crossing got 25% slower: a typical cache miss"
    )


def test_the_newest_attempt_answers(release):
    change = a_change(release.service)
    a_verdict(change, "improved", number=1)
    a_verdict(change, "no_change", number=2)
    word, reason = said(release)[1]
    assert word == "not met"
    assert reason.startswith(f"{change}, no change at attempt 2: ")

    a_window(an_attempt(change, 3))
    assert [word for word, _ in said(release)] == ["no evidence", "no evidence"]


def test_a_lucky_second_try_is_said_to_be_one(release):
    change = a_change(release.service)
    a_verdict(change, "regressed", number=1)
    a_verdict(change, "improved", number=2)

    assert said(release)[1] == ("met", f"{change} improved at attempt 2.")


def test_one_that_was_measured_does_not_answer_for_one_that_was_not(release):
    a_verdict(a_change(release.service))
    other = a_change(release.service, version="", commit=COMMIT)

    assert said(release)[1] == (
        "no evidence",
        f"{other} was not measured yet: open its baseline.",
    )


def test_a_verdict_without_its_figures_still_blocks(release):
    change = a_change(release.service)
    an_attempt(change, judged_at=NOON, verdict="confounded")

    assert said(release)[1] == ("not met", f"{change}, confounded: it was meant to improve.")


def test_it_tells_how_far_the_window_has_come(release):
    change = a_change(release.service, sampling="sent")
    attempt = an_attempt(change)
    before = a_window(attempt)
    for place in range(3):
        Sample.objects.create(window=before, at=microseconds(NOON) + place, latency=9)
    Sample.objects.create(window=before, at=0, latency=9, is_control=True)

    assert said(release)[0] == (
        "no evidence",
        f"The baseline of {change} is collecting, 3 of 200.",
    )

    before.collected.all().delete()
    a_window(attempt, "after")
    attempt.windows.filter(side="before").update(**sealed(NOON - 5 * HOUR))
    assert said(release)[1][1].endswith("is sealed, and it was not applied yet.")

    attempt.applied_at = NOON - 4 * HOUR
    attempt.save()
    assert said(release)[1] == ("no evidence", f"{change} is collecting up to 200 samples.")


def test_a_team_that_did_not_choose_them_is_not_asked(release):
    GateChoice.objects.all().delete()
    a_verdict(a_change(release.service), "regressed")

    assert {"baseline", "verified"}.isdisjoint(
        one.gate for one in readiness_of(release, now=NOON).gates
    )


def test_more_changes_take_no_more_queries(release, django_assert_max_num_queries):
    releases = [release, a_release(a_service("routes-api"))]
    for one in releases:
        for _ in range(3):
            a_verdict(a_change(one.service))

    with django_assert_max_num_queries(3):
        found = read_readiness(releases, now=NOON)

    assert len(found) == 2


def test_of_two_services_with_one_version_each_has_its_own(release):
    other = a_release(a_service("routes-api"))
    a_verdict(a_change(other.service))

    found = read_readiness([release, other], now=NOON)

    gates = {one.gate: one for one in found[release.pk].gates}
    assert gates["verified"].word == "no evidence"
