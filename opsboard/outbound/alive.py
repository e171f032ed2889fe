"""The "still alive" message: one small POST to an address that tells somebody when none comes."""

import json
from collections.abc import Mapping

from opsboard.outbound.egress import Policy
from opsboard.outbound.http import ask_once
from opsboard.outbound.reply import Ask

TIMEOUT = 10_000_000


def say(url: str, facts: Mapping[str, object], *, policy: Policy) -> str:
    """Send it. Returns "" or the sentence that says why it was not taken. No redirect is
    followed: the address of choice is the one that is told."""
    ask = Ask(
        method="POST",
        url=url,
        headers=(("Content-Type", "application/json"),),
        body=json.dumps(facts).encode(),
        timeout=TIMEOUT,
        follow=False,
        max_body=64 * 1024,
    )
    reply = ask_once(ask, policy=policy)
    if reply.status is None:
        return reply.detail
    return "" if 200 <= reply.status < 300 else f"It answered {reply.status}."
