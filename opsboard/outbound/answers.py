"""What became of a message that was sent: taken, or the sentence that says why not."""

from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from opsboard.outbound.reply import Reply

# The far side has refused for good: sent again it would refuse again.
PERMANENT = frozenset({400, 401, 403, 404, 410})
LONGEST_WAIT = 900.0


@dataclass(frozen=True, slots=True)
class Answer:
    # "" when it was taken.
    error: str = ""
    # Seconds the receiver asked us to wait; None when it did not say.
    retry_after: float | None = None
    # True: no further try will do better, until somebody changes the channel.
    is_permanent: bool = False


def answer_of(reply: Reply, *, at: float, who: str = "The receiver", says: bool = False) -> Answer:
    """What a reply that came `at` seconds since 1970 UTC says of a message.

    `says`: what it wrote is added, for receivers whose words name the mistake.
    """
    if reply.failure is not None and reply.status is None:
        return Answer(reply.detail)
    if reply.status is not None and 200 <= reply.status < 300:
        return Answer()
    words = _words(reply) if says else ""
    error = f"{who} answered {reply.status}{f': {words}' if words else ''}."
    return Answer(error, _retry_after(reply, at), is_permanent=reply.status in PERMANENT)


def _retry_after(reply: Reply, at: float) -> float | None:
    """As seconds or as a date, at most a quarter of an hour; None when it does not say."""
    said = next((value for name, value in reply.headers if name.lower() == "retry-after"), "")
    if said.isascii() and said.isdigit():
        return min(float(said[:9]), LONGEST_WAIT)
    try:
        until = parsedate_to_datetime(said).timestamp()
    except (ValueError, OverflowError):
        return None
    return min(max(0.0, until - at), LONGEST_WAIT)


def _words(reply: Reply) -> str:
    """The first words of a body, on one line; nothing of a page of HTML."""
    text = " ".join(reply.body[:400].decode(errors="replace").split())
    return "" if text.startswith("<") else text[:200].rstrip(".")
