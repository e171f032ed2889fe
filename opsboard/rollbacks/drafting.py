"""Drafts of rollback notes: one a person and note, kept until it is published or discarded."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet

from opsboard.rollbacks.models import NoteDraft
from opsboard.services.models import CriticalPath, Service

# Others are named on the page: more than these say no more.
MOST_OTHERS = 20


def draft_of(service: Service, path: CriticalPath | None, by: User) -> NoteDraft | None:
    return NoteDraft.objects.filter(service=service, path=path, by=by).first()


def others(service: Service, path: CriticalPath | None, by: User) -> QuerySet[NoteDraft]:
    """Who else has one, the newest first."""
    drafts = NoteDraft.objects.filter(service=service, path=path).exclude(by=by)
    return drafts.select_related("by").defer("typed").order_by("-kept_at")[:MOST_OTHERS]


@transaction.atomic
def keep(
    service: Service,
    path: CriticalPath | None,
    *,
    by: User,
    base: int,
    typed: Mapping[str, Any],
    seen: str,
    now: datetime,
) -> NoteDraft | None:
    """Keep it in place of the draft that was `seen`, by its mark. None: another was kept since.

    Of two windows of one person the second does not write over the first unseen.
    """
    # The service is locked, so that two windows wait for each other also where none is kept yet.
    Service.objects.select_for_update().get(pk=service.pk)
    kept = draft_of(service, path, by)
    if kept and mark_of(kept) != seen:
        return None
    kept = kept or NoteDraft(service=service, path=path, by=by)
    kept.base, kept.typed, kept.kept_at = base, dict(typed), now
    kept.save()
    return kept


def discard(service: Service, path: CriticalPath | None, *, by: User, seen: str) -> bool:
    """Remove the draft that was seen. False: there is none such."""
    kept = draft_of(service, path, by)
    if kept is None or mark_of(kept) != seen:
        return False
    kept.delete()
    return True


def mark_of(draft: NoteDraft | None) -> str:
    """A word that differs as soon as it is kept again. "": there is none."""
    return draft.kept_at.isoformat() if draft else ""
