"""The last resort: one plain message, by a way that needs no database and no channel."""

import time

from opsboard.outbound import mail, webhook
from opsboard.outbound.egress import Policy

MAIL_WITHIN = 15.0


def send(to: str, *, subject: str, text: str, key: str, sender: str, policy: Policy) -> str:
    """Send to a webhook, or to `mailto:ops@example.com`. Returns "" or why it was not taken.

    `key` is the same for the same trouble within the hour, so that a receiver can tell.
    """
    if to.startswith("mailto:"):
        host = sender.rpartition("@")[2].rstrip(">")
        return mail.send_within(
            MAIL_WITHIN,
            to=[to.removeprefix("mailto:")],
            subject=subject,
            body=f"{text}\n",
            sender=sender,
            message_id=f"<{key}@{host}>",
        )
    message = {"id": key, "event": "last_resort", "subject": subject, "text": text}
    return webhook.post(
        to, message, key=key, at=round(time.time()), secrets=[], policy=policy
    ).error
