"""Named people accept a named risk until a named time; some risks nobody may accept."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User

from opsboard.people import joining
from opsboard.people.models import AuditEntry
from opsboard.releases import overriding
from opsboard.releases.models import Override, OverrideAct, Release
from opsboard.releases.overriding import accept, ask, may_accept, take_back
from opsboard.releases.refusing import Refused
from opsboard.releases.rules import Need, Readiness, Word
from tests.company import NOON
from tests.releases.going_out import CI, REASON, a_release, by, gate, readiness, standing

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def release(service) -> Release:
    return a_release(service)


@pytest.fixture
def stands(monkeypatch):
    """The readiness that the verb finds."""

    def as_found(*gates) -> Readiness:
        found = readiness(*gates)
        monkeypatch.setattr(overriding, "readiness_of", standing(found))
        return found

    return as_found


def asked(release: Release, person: User, *gates: str, **more) -> Override:
    said = {"reason": REASON, "ends_at": NOON + HOUR, "by": by(person), "now": NOON}
    return ask(release, gates or ("unit",), **(said | more))


def test_a_gate_without_evidence_is_overridden_by_one_person(release, editor, stands):
    stands(gate("unit", Word.NO_EVIDENCE))
    override = asked(release, editor)
    assert (override.needs_second, override.is_alone) == (False, False)
    assert (override.gates, override.reason) == (["unit"], REASON)
    assert not may_accept(override, editor)
    assert AuditEntry.objects.get(act="asked to override").who == "Edith Moe"


def test_a_gate_that_is_not_met_waits_for_somebody_else(release, editor, administrator, stands):
    stands(gate("unit", Word.NOT_MET), gate("lint", Word.NO_EVIDENCE))
    override = asked(release, editor, "unit", "lint")
    assert (override.needs_second, override.is_alone) == (True, False)
    assert not may_accept(override, editor)
    assert may_accept(override, administrator)
    with pytest.raises(Refused, match="Somebody other than who asked"):
        accept(override, by=by(editor), now=NOON)
    accept(override, by=by(administrator), now=NOON)
    assert [(act.act, act.by) for act in override.acts.all()] == [("accepted", administrator)]
    with pytest.raises(Refused, match="accepted already"):
        accept(override, by=by(administrator), now=NOON)


def test_a_viewer_accepts_nothing(release, editor, administrator, viewer, stands):
    stands(gate("unit", Word.NOT_MET))
    override = asked(release, editor)
    assert not may_accept(override, viewer)
    with pytest.raises(Refused, match="An editor or administrator"):
        accept(override, by=by(viewer), now=NOON)


def test_the_only_editor_overrides_alone_and_it_is_marked(release, editor, viewer, stands):
    stands(gate("unit", Word.NOT_MET))
    override = asked(release, editor)
    assert (override.needs_second, override.is_alone) == (False, True)


@pytest.mark.parametrize("way", ["disabled", "never joined"])
def test_who_cannot_sign_in_is_no_second_person(release, editor, stands, way):
    other = joining.add("Tomasz Wilk", "editor", password="another long password")
    if way == "disabled":
        User.objects.filter(pk=other.pk).update(is_active=False)
    else:
        other.set_unusable_password()
        other.save()
    stands(gate("unit", Word.NOT_MET))
    assert asked(release, editor).is_alone


@pytest.mark.parametrize("reason", ["", "broken", " " * 30, "x" * 19 + " ", "x" * 2_001])
def test_a_reason_that_says_too_little_or_too_much_is_refused(release, editor, stands, reason):
    stands(gate("unit", Word.NO_EVIDENCE))
    with pytest.raises(Refused, match="in 20 to 2000 characters"):
        asked(release, editor, reason=reason)


@pytest.mark.parametrize(
    ("hours", "is_taken"),
    [(-1, False), (0, False), (1, True), (72, True), (72.001, False)],
    ids=["over", "now", "an hour", "72 hours", "longer"],
)
def test_an_override_ends_within_72_hours(release, editor, stands, hours, is_taken):
    stands(gate("unit", Word.NO_EVIDENCE))
    if is_taken:
        asked(release, editor, ends_at=NOON + hours * HOUR)
    else:
        with pytest.raises(Refused, match="at most 72 hours from now"):
            asked(release, editor, ends_at=NOON + hours * HOUR)
    assert Override.objects.exists() is is_taken


@pytest.mark.parametrize(
    ("found", "wanted", "sentence"),
    [
        pytest.param(gate("unit", Word.MET), "unit", "is met: there is nothing", id="met"),
        pytest.param(
            gate("unit", Word.NOT_MET, Need.ADVISORY), "unit", "holds nothing up", id="advisory"
        ),
        pytest.param(gate("unit", Word.NO_EVIDENCE, Need.ABSENT), "unit", "no gate", id="absent"),
        pytest.param(gate("lint", Word.NOT_MET), "unit", "no gate unit", id="unknown"),
        pytest.param(
            gate("note", Word.NOT_MET, is_overridable=False), "note", "note fresh is never",
            id="no rollback note",
        ),
        pytest.param(
            gate("tag", Word.NOT_MET, is_overridable=False), "tag", "never overridden",
            id="the tag points elsewhere",
        ),
    ],
)  # fmt: skip
def test_what_nobody_may_accept_is_refused(release, editor, stands, found, wanted, sentence):
    stands(found, gate("paths", Word.NOT_MET))
    with pytest.raises(Refused, match=sentence):
        asked(release, editor, wanted, "paths")
    assert not Override.objects.exists()


def test_a_release_without_a_rollback_note_is_not_overridden(release, editor):
    """As it is judged, and not as a test would have it."""
    with pytest.raises(Refused, match="Rollback note fresh is never overridden as it stands"):
        asked(release, editor, "note")
    assert asked(release, editor, "lint").gates == ["lint"]


@pytest.mark.parametrize(
    "found",
    [gate("note", Word.OUT_OF_DATE), gate("tag", Word.NO_EVIDENCE)],
    ids=["an old note", "not tagged yet"],
)
def test_an_old_note_and_a_missing_tag_may_be_overridden(release, editor, stands, found):
    stands(found)
    assert asked(release, editor, found.gate).gates == [found.gate]


def test_a_program_asks_for_no_override(release, stands):
    stands(gate("unit", Word.NO_EVIDENCE))
    with pytest.raises(Refused, match="by a person"):
        ask(release, ["unit"], reason=REASON, ends_at=NOON + HOUR, by=CI, now=NOON)


def test_no_gates_are_no_override(release, editor, stands):
    stands(gate("unit", Word.NO_EVIDENCE))
    with pytest.raises(Refused, match="Name the gates"):
        ask(release, [], reason=REASON, ends_at=NOON + HOUR, by=by(editor), now=NOON)


def test_an_override_of_a_withdrawn_release_is_refused(release, editor, stands):
    stands(gate("unit", Word.NO_EVIDENCE))
    Release.objects.update(withdrawn_at=NOON)
    with pytest.raises(Refused, match="withdrawn"):
        asked(release, editor)


def test_taking_back_adds_a_row_and_nobody_accepts_it_then(release, editor, administrator, stands):
    stands(gate("unit", Word.NOT_MET))
    override = asked(release, editor)
    take_back(override, by=by(editor), now=NOON)
    take_back(override, by=by(administrator), now=NOON)
    assert [act.act for act in OverrideAct.objects.all()] == ["taken back"]
    assert not may_accept(override, administrator)
    with pytest.raises(Refused, match="taken back already"):
        accept(override, by=by(administrator), now=NOON)


def test_an_override_that_has_ended_is_accepted_by_nobody(release, editor, administrator, stands):
    stands(gate("unit", Word.NOT_MET))
    override = asked(release, editor)
    with pytest.raises(Refused, match="ended at 2026-11-23 13:00 UTC"):
        accept(override, by=by(administrator), now=NOON + HOUR)
