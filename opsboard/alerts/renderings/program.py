"""A message as the JSON of our own webhook, for programs. Pure.

    {"id": "3fa9...",                  the same on every try, also in the header webhook-id
     "type": "alert.failing",          or alert.resolved, alert.reminder, alert.notice, alert.test,
                                       alert.several for more than one
     "timestamp": "2026-11-17T14:09:00+00:00",   when the message was made
     "subject": "[INC-0412] Failing: ...",
     "text": "...",                    the whole message as plain text
     "url": "https://.../alerts/messages/3fa9...",
     "alerts": [{"event": "failing", "incident": "INC-0412", ...}]}   one for each incident, notice
                                       or test; "events" has all that happened to it, in order

The facts of an alert are made in `alerts.facts`.
"""

from collections.abc import Mapping
from typing import Any


def render(content: Mapping[str, Any], *, key: str, timestamp: str, url: str) -> dict[str, Any]:
    alerts = content["alerts"]
    return {
        "id": key,
        "type": f"alert.{alerts[0]['event'] if len(alerts) == 1 else 'several'}",
        "timestamp": timestamp,
        "subject": content["subject"],
        "text": content["text"],
        "url": url,
        "alerts": alerts,
    }
