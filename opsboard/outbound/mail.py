"""E-mail, by django.core.mail. Trouble comes back as a sentence; only bugs raise."""

import threading
from collections.abc import Sequence
from queue import Empty, SimpleQueue
from smtplib import (
    SMTPAuthenticationError,
    SMTPException,
    SMTPRecipientsRefused,
    SMTPResponseException,
)
from typing import Any

from django.core.mail import EmailMultiAlternatives, MailerDoesNotExist


class ForGood(str):
    """A sentence about a refusal that stays however often the same is sent."""

    __slots__ = ()


def send(
    *,
    to: list[str],
    subject: str,
    body: str,
    sender: str,
    message_id: str,
    html: str = "",
    replies_to: Sequence[str] = (),
) -> str:
    """Send one message. Returns "" or the sentence that says why it was not taken.

    `message_id` stays the same on every try, so that a mail program can tell a second copy.
    `replies_to` are the ids of earlier messages, which a mail program shows it beside.
    """
    headers = {"Message-ID": message_id}
    if replies_to:
        headers |= {"In-Reply-To": replies_to[0], "References": " ".join(replies_to)}
    message = EmailMultiAlternatives(
        subject=" ".join(subject.split()),
        body=body,
        from_email=sender,
        to=to,
        headers=headers,
    )
    if html:
        message.attach_alternative(html, "text/html")
    try:
        message.send()
    except MailerDoesNotExist:
        return "No mail server is set: set EMAIL_URL, for example smtp://mail.internal:25."
    except (SMTPException, OSError) as error:
        sentence = f"The mail server did not take the message: {_words(error)}."
        return ForGood(sentence) if _is_for_good(error) else sentence
    return ""


def send_within(seconds: float, **message: Any) -> str:
    """`send` for somebody who cannot wait: an answer within `seconds`, whatever happens.

    A server that gives one byte a second keeps every timeout of SMTP waiting for ever.
    """
    answered: SimpleQueue[str] = SimpleQueue()
    threading.Thread(target=lambda: answered.put(send(**message)), daemon=True).start()
    try:
        return answered.get(timeout=seconds)
    except Empty:
        return f"The mail server has not answered within {seconds:g} s."


def _is_for_good(error: Exception) -> bool:
    """A 5xx of SMTP. Not one about our own name and password: an administrator mends those."""
    if isinstance(error, SMTPRecipientsRefused):
        return all(code >= 500 for code, _ in error.recipients.values())
    if isinstance(error, SMTPAuthenticationError):
        return False
    return isinstance(error, SMTPResponseException) and error.smtp_code >= 500


def _words(error: Exception) -> str:
    said = str(error).strip().rstrip(".")
    return said or "it closed the connection or did not answer in time"
