"""Slack, Teams and PagerDuty over our own asking: their status, their Retry-After, our keys.

What is posted is made elsewhere (opsboard.alerts.renderings). No redirect is followed: an address
of a chat is a permission, and goes to nobody else.
"""

import json
import threading
import time
from collections.abc import Mapping, Sequence
from queue import Empty, SimpleQueue
from typing import Any

from opsboard.outbound.answers import Answer, answer_of
from opsboard.outbound.egress import Policy
from opsboard.outbound.http import ask_once
from opsboard.outbound.reply import Ask

TIMEOUT = 15_000_000
PAGERDUTY_EVENTS = "https://events.pagerduty.com/v2/enqueue"
# One message to PagerDuty is several events; all of them together get no longer than this.
ALL_WITHIN = 25.0
AT_ONCE = 4

Body = Mapping[str, Any]


def post_slack(url: str, body: Body, *, key: str, at: float, policy: Policy) -> Answer:
    return _post(url, body, key=key, who="Slack", at=at, policy=policy)


def post_teams(url: str, body: Body, *, key: str, at: float, policy: Policy) -> Answer:
    return _post(url, body, key=key, who="Teams", at=at, policy=policy)


def post_pagerduty(
    events: Sequence[Body], *, at: float, policy: Policy, url: str = PAGERDUTY_EVENTS
) -> Answer:
    """Send every event; events of one key in order, others beside each other.

    The first trouble is the answer: then all are sent again, by the same keys, and PagerDuty joins
    those that it has with those that it had.
    """
    by_key: dict[str, list[Body]] = {}
    for event in events:
        by_key.setdefault(event["dedup_key"], []).append(event)
    waiting: SimpleQueue[list[Body]] = SimpleQueue()
    for group in by_key.values():
        waiting.put(group)
    answers: SimpleQueue[Answer] = SimpleQueue()
    deadline = time.monotonic() + ALL_WITHIN
    senders = [
        threading.Thread(target=_send_groups, args=(url, waiting, answers, deadline, at, policy))
        for _ in range(min(AT_ONCE, len(by_key)))
    ]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    return _first_trouble(answers, left=waiting.qsize())


def _send_groups(
    url: str,
    waiting: "SimpleQueue[list[Body]]",
    answers: "SimpleQueue[Answer]",
    deadline: float,
    at: float,
    policy: Policy,
) -> None:
    while time.monotonic() < deadline:
        try:
            group = waiting.get_nowait()
        except Empty:
            return
        for event in group:
            answer = _post(
                url, event, key=event["dedup_key"], who="PagerDuty", at=at, policy=policy
            )
            if answer.error:
                answers.put(answer)
                return


def _first_trouble(answers: "SimpleQueue[Answer]", *, left: int) -> Answer:
    """What will pass is told before what will not: a permanent refusal of one ends nothing."""
    told: list[Answer] = []
    while not answers.empty():
        told.append(answers.get())
    told.sort(key=lambda answer: answer.is_permanent)
    if told:
        return told[0]
    return Answer(f"PagerDuty was too slow: {left} events are left.") if left else Answer()


def _post(url: str, body: Body, *, key: str, who: str, at: float, policy: Policy) -> Answer:
    ask = Ask(
        method="POST",
        url=url,
        headers=(("Content-Type", "application/json"), ("Idempotency-Key", key)),
        body=json.dumps(body, ensure_ascii=False).encode(),
        timeout=TIMEOUT,
        follow=False,
        max_body=64 * 1024,
    )
    return answer_of(ask_once(ask, policy=policy), at=at, who=who, says=True)
