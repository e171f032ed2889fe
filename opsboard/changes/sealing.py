"""Sealing a window: its samples become one text, hashed and packed, and are never changed again.

opsboard.changes.rows says how the text is written.
"""

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from opsboard.changes.collecting import OF_A_PATH, Sampling, probe_of
from opsboard.changes.models import Change, Comparison, Sample, Window
from opsboard.changes.rows import Row, csv_of
from opsboard.changes.taking import beside, take
from opsboard.people.audit import Actor
from opsboard.probes.models import moment
from opsboard.probes.orders import fingerprint_of
from opsboard.services.models import CriticalPath, Running


@dataclass(frozen=True, slots=True)
class Beside:
    """CSV texts of what was measured beside the path. None and {}: nothing was."""

    control: str | None
    paths: Mapping[str, str]


def beside_of(window: Window) -> Beside:
    """Of a sealed window."""
    if not window.beside:
        return Beside(None, {})
    kept = json.loads(zlib.decompress(bytes(window.beside)))
    return Beside(kept["control"], kept["paths"])


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a window comes to, before it is sealed."""

    # The limits of the window it was read by.
    limits: tuple[datetime, ...]
    count: int
    # None: it has no samples.
    first_at: datetime | None
    last_at: datetime | None
    left_out: dict[str, int]
    sha256: str
    content: bytes
    beside: bytes | None


def prepare_of(comparison: Comparison, side: str, *, now: datetime) -> Prepared | None:
    """Read while nothing is held: many samples take seconds. None: there is nothing to seal."""
    open_windows = Window.objects.filter(comparison=comparison.pk, side=side, sealed_at=None)
    window = open_windows.select_related(
        "comparison__change__path", "comparison__change__control"
    ).first()
    return prepare(window, now=now) if window else None


def prepare(window: Window, *, now: datetime) -> Prepared:
    taken = take(window, now=now)
    text = csv_of(taken.rows, window.side).encode()
    return Prepared(
        limits=_limits(window),
        count=len(taken.rows),
        first_at=moment(taken.rows[0].at) if taken.rows else None,
        last_at=moment(taken.rows[-1].at) if taken.rows else None,
        left_out=taken.left_out,
        sha256=sha256(text).hexdigest(),
        content=zlib.compress(text),
        beside=_beside(window, window.comparison.change, taken.rows, now=now),
    )


def _limits(window: Window) -> tuple[datetime, ...]:
    return (window.opened_at, window.starts_at, window.closes_at)


def close(window: Window, prepared: Prepared | None, *, by: Actor | None, now: datetime) -> Window:
    """Fill it in, of a change that the caller holds, who may refuse by its count: nothing is
    written before `keep`. What was prepared before a cache was cleared is prepared anew."""
    if prepared is None or prepared.limits != _limits(window):
        prepared = prepare(window, now=now)
    window.sealed_at, window.sealed_by = now, by.person if by else None
    window.count, window.left_out = prepared.count, prepared.left_out
    window.ended_at = prepared.last_at
    if window.side == Window.Side.BEFORE and prepared.first_at:
        window.starts_at = min(window.opened_at, prepared.first_at)
    window.sha256, window.content = prepared.sha256, prepared.content
    window.beside = prepared.beside
    return window


def keep(window: Window) -> None:
    """Write a window that was closed; what it was collected from is in it now."""
    window.save()
    Sample.objects.filter(window=window).delete()


def _beside(window: Window, change: Change, rows: Sequence[Row], *, now: datetime) -> bytes | None:
    guarded = guarded_paths(change)
    if not rows or (change.control is None and not guarded):
        return None
    first, last = rows[0].at, rows[-1].at

    def text(path: CriticalPath, *, is_control: bool) -> str:
        found = beside(window, path, first=first, last=last, now=now, is_control=is_control)
        return csv_of(found, window.side)

    # Of a guarded path that is asked otherwise now, nothing is said.
    asked = window.comparison.surroundings.get("asked", {})
    same = [
        path
        for path in guarded
        if window.side == Window.Side.BEFORE or asked.get(path.slug) == asked_now(change, path)
    ]
    kept = {
        "control": text(change.control, is_control=True) if change.control else None,
        "paths": {path.slug: text(path, is_control=False) for path in same},
    }
    return zlib.compress(json.dumps(kept).encode())


def guarded_paths(change: Change) -> list[CriticalPath]:
    """Other paths that may not get worse."""
    slugs = [
        name.removeprefix(OF_A_PATH) for name in change.guardrails if name.startswith(OF_A_PATH)
    ]
    if not slugs:
        return []
    paths = CriticalPath.objects.standing().filter(service=change.service_id, slug__in=slugs)
    return list(paths.order_by("slug"))


# What is asked, and what runs ---------------------------------------------------------------


# What to do, while the attempt is open.
REPEAT_IT = " Give this attempt up and repeat it."


def asked_now(change: Change, path: CriticalPath | None) -> str:
    """The fingerprint of what is asked of a path; "": nothing is, or there is no such path."""
    if path is None or change.sampling == Sampling.SENT:
        return ""
    probe = probe_of(change, path)
    return fingerprint_of(probe) if probe else ""


def why_not_the_same(comparison: Comparison) -> str:
    """What is asked otherwise than when the baseline was opened, in a sentence; "": nothing."""
    change = comparison.change
    if asked_now(change, change.path) != comparison.fingerprint:
        return (
            f"{change.path.name} is not asked as it was when the baseline was opened: its sheet, "
            f"its environment or Opsboard itself changed.{REPEAT_IT}"
        )
    if asked_now(change, change.control) != comparison.control_fingerprint:
        return f"The control path is not asked as it was when the baseline was opened.{REPEAT_IT}"
    return ""


def surroundings_of(change: Change) -> dict[str, object]:
    """What is seen to run, and what is asked of guarded paths. "": it is not told."""
    running = Running.objects.filter(environment=change.environment_id).first()
    return {
        "commit": running.commit if running else "",
        "config_root": running.config_root if running else "",
        "asked": {path.slug: asked_now(change, path) for path in guarded_paths(change)},
    }
