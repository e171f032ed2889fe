"""A change as a program declares it, on a path that has been watched."""

from typing import Any

from django.test import Client
from django.utils import timezone

from opsboard.changes.models import Comparison
from opsboard.probes.models import stand_up
from opsboard.services.models import CriticalPath
from tests.api.ci import post
from tests.changes import verdicts
from tests.changes.measuring import LONG_AGO, before, observe

CHANGES = "/api/v1/changes"
FIGURES = verdicts.judged("improved")


def watched(path: CriticalPath, count: int = 60) -> CriticalPath:
    """Its probe has asked it for a month, and has seen so many answers until now."""
    stand_up(path.service, now=LONG_AGO, location="default")
    observe(path, before(count, timezone.now()))
    return path


def declared(**more: Any) -> dict[str, Any]:
    said = {
        "title": "One query in place of twelve",
        "service": "fares-api",
        "path": "price-a-crossing",
        "environment": "production",
        "variables": ["query"],
        "samples": 60,
    }
    return said | more


def declare(ask: Client, **more: Any) -> str:
    """Its address."""
    status, answer = post(ask, CHANGES, declared(**more))
    assert status == 201, answer
    return f"{CHANGES}/{answer['number']}"


def done(ask: Client, address: str, *acts: str) -> Any:
    """The change after these, each without a body."""
    answer: Any = None
    for act in acts:
        status, answer = post(ask, f"{address}/{act}", {})
        assert status == 201, answer
    return answer


def judged(number: int, **more: Any) -> None:
    """As the task does it: every window sealed, and a verdict."""
    now = timezone.now()
    one = Comparison.objects.filter(change=number).latest("number")
    one.windows.filter(sealed_at=None).update(sealed_at=now, count=60, sha256="0" * 64)
    facts = {"verdict": "improved", "result": FIGURES, "judged_at": now} | more
    Comparison.objects.filter(pk=one.pk).update(**facts)
