"""Changes and their attempts as JSON, and finding the one that an address names."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest

from opsboard.api.change_answers import COLLECTING
from opsboard.api.door import require, token_of
from opsboard.api.problems import not_found
from opsboard.api.written import name_of, time_of
from opsboard.changes.clears import clear_answers
from opsboard.changes.collecting import progress
from opsboard.changes.models import Act, Burst, Change, Comparison, Window, number_of
from opsboard.changes.stages import stage_of
from opsboard.changes.telling import said_of
from opsboard.people.tokens import READ, RELEASE, allows

ATTEMPTS_SHOWN = 50


def changes_to_read(attempts_shown: int = ATTEMPTS_SHOWN) -> QuerySet[Change]:
    """With the newest attempts, without their samples and figures. Withdrawn ones too."""
    windows = Window.objects.defer("content", "beside").order_by("pk")
    attempts = Comparison.objects.select_related("began_by").defer("result").order_by("-number")
    attempts = attempts.prefetch_related(
        Prefetch("windows", windows.prefetch_related("bursts__started_by")), "acts__by"
    )
    found = Change.objects.filter(service__removed_at=None, path__removed_at=None)
    return found.for_pages().prefetch_related(
        Prefetch("comparisons", attempts[:attempts_shown], to_attr="newest_attempts")
    )


def reading_scope(request: HttpRequest) -> str:
    """Who may declare a change may look at it, too."""
    return READ if allows(token_of(request), READ) else RELEASE


def find_change(request: HttpRequest, name: str, scope: str) -> Change:
    """`name`: CHG-0198, chg-198 or 198. Raises Problem 403, 404.

    A number says nothing of its service: not found comes first.
    """
    require(request, scope)
    number = number_of(name)
    found = changes_to_read().filter(pk=number).first() if number is not None else None
    if found is None:
        raise not_found(f"change {name[:40]}")
    require(request, scope, service=found.service.slug)
    return found


def attempts_of(change: Change) -> list[Comparison]:
    """The newest first, as `changes_to_read` prefetched them."""
    found: list[Comparison] = change.newest_attempts  # type: ignore[attr-defined]
    return found


def window_of(one: Comparison, side: str) -> Window | None:
    return next((window for window in one.windows.all() if window.side == side), None)


def _address_of(change: Change) -> str:
    return f"{settings.URL}/changes/{change.pk}"


def change_json(change: Change) -> dict[str, Any]:
    newest = next(iter(attempts_of(change)), None)
    return {
        "number": change.pk,
        "name": str(change),
        "title": change.title,
        "service": change.service.slug,
        "path": change.path.slug,
        "environment": change.environment.slug,
        "variables": change.variables,
        "commit": change.commit or None,
        "version": change.version or None,
        "declared_at": time_of(change.declared_at),
        "declared_by": change.declared_as or name_of(change.declared_by),
        "withdrawn_at": time_of(change.withdrawn_at),
        "stage": stage_of(change, newest).value,
        "attempt": newest.number if newest else None,
        "verdict": (newest.verdict if newest else "") or COLLECTING,
        "reason": newest.reason if newest else "",
        "url": _address_of(change),
    }


def change_whole_json(change: Change, *, now: datetime) -> dict[str, Any]:
    attempts = attempts_of(change)
    newest = next(iter(attempts), None)
    return (
        change_json(change)
        | _judgement_json(newest)
        | {
            "purpose": change.purpose,
            "location": change.location,
            "assumptions": change.assumptions,
            "commands": change.commands,
            "settings": _settings_json(change),
            "progress": _progress_json(newest, now=now) if newest else None,
            "attempts": [attempt_json(one) for one in attempts],
        }
    )


def _settings_json(change: Change) -> dict[str, Any]:
    names = (
        "metric", "aim", "goal", "samples", "margin", "equivalence", "guardrails", "sampling",
        "mode", "rate", "warm_up_seconds", "warm_up_samples", "lasts",
    )  # fmt: skip
    control = change.control.slug if change.control else None
    return {name: getattr(change, name) for name in names} | {"control": control}


def attempt_whole_json(change: Change, one: Comparison) -> dict[str, Any]:
    url = f"{_address_of(change)}/attempts/{one.number}"
    return attempt_json(one) | _judgement_json(one) | {"change": str(change), "url": url}


def attempt_json(one: Comparison) -> dict[str, Any]:
    after = window_of(one, Window.Side.AFTER)
    before = window_of(one, Window.Side.BEFORE)
    return {
        "number": one.number,
        "began_at": time_of(one.began_at),
        "began_by": one.began_as or name_of(one.began_by),
        "before": _window_json(before) if before else None,
        "after": _window_json(after) if after else None,
        "applied_at": time_of(one.applied_at),
        "acts": _acts_json(one),
        "verdict": one.verdict or COLLECTING,
        "reason": one.reason,
        "judged_at": time_of(one.judged_at),
        "given_up_at": time_of(one.given_up_at),
        "given_up_because": one.given_up_because or None,
    }


def _window_json(window: Window) -> dict[str, Any]:
    sealed = {
        "count": window.count,
        "sha256": window.sha256,
        "at": time_of(window.sealed_at),
        "left_out": window.left_out,
    }
    return {
        "opened_at": time_of(window.opened_at),
        "starts_at": time_of(window.starts_at),
        "closes_at": time_of(window.closes_at),
        "sealed": sealed if window.sealed_at else None,
    }


def _acts_json(one: Comparison) -> list[dict[str, Any]]:
    acts = sorted(one.acts.all(), key=lambda act: (act.at, act.pk))
    is_cleared = any(act.kind == Act.Kind.CLEARED for act in acts)
    worked = {said.act.pk: said.worked for said in clear_answers(one)} if is_cleared else {}
    return [_act_json(act, worked.get(act.pk)) for act in acts]


def _act_json(act: Act, worked: bool | None) -> dict[str, Any]:
    return {
        "kind": act.kind,
        "at": time_of(act.at),
        "by": act.by_name or name_of(act.by),
        "command": act.command,
        "exit_code": act.exit_code,
        "what": act.what or None,
        "pattern": act.pattern,
        "count": act.count,
        "remark": act.remark,
        "worked": worked,
    }


def _progress_json(one: Comparison, *, now: datetime) -> dict[str, Any] | None:
    if one.judged_at or one.given_up_at:
        return None
    collecting = next((window for window in one.windows.all() if not window.sealed_at), None)
    if collecting is None:
        return None
    found = progress(collecting, now=now)
    bursts = sorted(collecting.bursts.all(), key=lambda burst: burst.pk)
    return {
        "side": collecting.side,
        "count": found.count,
        "of": found.of,
        "since": time_of(found.since),
        "closes_at": time_of(found.closes_at),
        "newest_at": time_of(found.newest_at),
        "per_hour": found.per_hour,
        "trouble": found.trouble,
        "burst": _burst_json(bursts[-1]) if bursts else None,
    }


def _burst_json(burst: Burst) -> dict[str, Any]:
    return {
        "wanted": burst.wanted,
        "asked": burst.asked,
        "started_at": time_of(burst.started_at),
        "started_by": burst.started_as or name_of(burst.started_by),
        "finished_at": time_of(burst.finished_at),
        "stopped_at": time_of(burst.stopped_at),
        "trouble": burst.trouble,
    }


def _judgement_json(one: Comparison | None) -> dict[str, Any]:
    """Nothing of what the samples say before the verdict."""
    if one is None or one.judged_at is None:
        return {"sentences": [], "reasons": [], "settle": "", "result": None}
    said = said_of(one)
    return {
        "sentences": list(said.sentences) if said else [],
        # A verdict without figures that can be read says no more than its word.
        "reasons": list(said.reasons) if said else [one.reason or one.verdict],
        "settle": said.settle if said else "",
        "result": one.result,
    }
