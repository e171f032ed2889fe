"""A CI run as a program makes it: what it sends, at times that are true now."""

from datetime import datetime, timedelta
from typing import Any

from django.test import Client
from django.utils import timezone

COMMIT = "9fceb02d0ae598e95dc970b74767f19372d61af8"
OTHER = "1111111111111111111111111111111111111111"
RELEASES = "/api/v1/services/fares-api/releases"
RELEASE = f"{RELEASES}/2026.11.4"
REASON = "The gate hardware is away for repair until Thursday."


def ago(**time: float) -> str:
    return (timezone.now() - timedelta(**time)).isoformat()


def post(client: Client, address: str, body: Any, **headers: str) -> tuple[int, Any]:
    reply = client.post(address, body, content_type="application/json", headers=headers)
    return reply.status_code, reply.json()


def get(client: Client, address: str) -> tuple[int, Any]:
    reply = client.get(address)
    return reply.status_code, reply.json()


def named(**more: Any) -> dict[str, Any]:
    return {"version": "2026.11.4", "commit": COMMIT} | more


def evidence(gate: str = "unit", **more: Any) -> dict[str, Any]:
    said = {
        "gate": gate,
        "outcome": "passed",
        "commit": COMMIT,
        "started_at": ago(minutes=2),
        "finished_at": ago(minutes=1),
        "command": "pytest -q",
        "exit_code": 0,
        "counts": {"collected": 10, "passed": 9, "failed": 0, "skipped": 1},
    }
    if gate == "integration":
        said["environment"] = "staging"
    return said | more


def places(answer: Any) -> list[str]:
    """Where the mistakes stand."""
    return sorted(one.get("pointer", one.get("field", "")) for one in answer["errors"])


def moment(written: str) -> datetime:
    return datetime.fromisoformat(written)
