"""Releases that are ready, not ready, overridden, out, gone back and withdrawn; a freeze, holds."""

from datetime import timedelta

from django.contrib.auth.models import User

from opsboard.people import joining
from opsboard.releases.models import Release
from opsboard.services.models import Service
from tests.browser.everything.services import DAY, HOUR, Made, now
from tests.web.releases import a_freeze, a_note, a_release, an_override, evidence, went_out
from tests.web.standing import a_service

# Of fares-api: where tests go straight.
WAITS, IS_OUT, ACCEPTED = "2026.11.4", "2026.11.3", "2026.11.5"
GATES = ["lint", "unit", "integration", "config"]


def make(editor: User, made: Made) -> None:
    _waits(editor, made)
    _accepted(editor, made)
    _went_out(editor, made)
    gone = a_release(made.fares, "2026.11.1", commit="1" * 40)
    Release.objects.filter(pk=gone.pk).update(withdrawn_at=now(), withdrawn_by=editor)
    _ready(editor)
    a_freeze(service=made.fares, reason="f" * 120)
    a_freeze(team=made.team, starts_at=now() + DAY, ends_at=now() + 2 * DAY)
    made.fares.holds.create(pk=901, reason="h" * 120, at=now(), by=editor)
    made.berths.holds.create(
        reason="over", at=now() - DAY, by=editor, ended_at=now(), ended_by=editor,
        ended_because="Prices agree again",
    )  # fmt: skip


def _waits(editor: User, made: Made) -> None:
    """Not ready: what failed, what was left out, what is skipped, and a risk to be accepted."""
    waits = a_release(
        made.fares, WAITS, summary="s" * 120, tag="v" * 100, planned_at=now() + HOUR, commits=4,
        files=12, lines=340, migrations=["0148_" + "m" * 100],
    )  # fmt: skip
    waits.paths.add(made.price)
    evidence(waits, "lint", by_name="c" * 100)
    evidence(waits, "unit", "failed", started_at=now() - HOUR, exit_code=2)
    evidence(
        waits, "unit", command="pytest -q " + "p" * 200, log_tail="l" * 300 + "\n3 passed",
        assumptions=["a" * 120], metrics={"k" * 90: 1.5}, url="https://ci.example/" + "u" * 200,
    )  # fmt: skip
    evidence(waits, "integration", "failed", environment_slug="staging")
    an_override(waits, "integration", by=editor, needs_second=True, reason="o" * 200)


def _accepted(editor: User, made: Made) -> None:
    second = joining.add("Mirela Kos", "editor")
    release = a_release(made.fares, ACCEPTED, commit="5" * 40, environment_slug="staging")
    accepted = an_override(release, "unit", by=editor, needs_second=True)
    accepted.acts.create(act="accepted", at=now(), by=second)
    taken = an_override(release, "lint", by=editor)
    taken.acts.create(act="taken back", at=now(), by=editor)


def _went_out(editor: User, made: Made) -> None:
    out = a_release(made.fares, IS_OUT, commit="3" * 40, summary="Move surcharges")
    evidence(out, "lint")
    went_out(out, now() - timedelta(days=2), kind="anyway", reason="r" * 120)
    back = a_release(made.fares, "2026.11.2", commit="2" * 40)
    went_out(back, now() - timedelta(days=4), by=editor)
    back.decisions.create(
        kind="rolled back", environment_slug="production", at=now() - timedelta(days=3),
        by=editor, reason="Prices were wrong", snapshot={},
    )  # fmt: skip


def _ready(editor: User) -> Service:
    service = a_service("tide-feed", team="Harbour")
    a_note(service, editor)
    release = a_release(service, "7.1.0", tag="v7.1.0", summary="Read tides once an hour")
    for gate in GATES:
        evidence(release, gate)
    evidence(release, "tag", facts={"tag": "v7.1.0", "object": release.commit})
    return service
