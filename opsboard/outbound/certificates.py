"""What a certificate says, and why one does not verify, from the facts libcurl lists."""

import ssl
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache

from opsboard.outbound.failures import Trouble
from opsboard.outbound.reply import Certificate, Failure
from opsboard.outbound.wording import shown

# One certificate of a chain, as libcurl lists it: pairs of name and text.
Facts = Iterable[tuple[str, str]]

_NOT_YET_VALID = 9
_EXPIRED = 10
# libcurl compares the names itself, before it reads OpenSSL's verdict.
_VERIFIED = (0, 1)
_LONGEST_NAME = 300


def read_leaf(chain: list[Facts]) -> Certificate | None:
    """The first certificate of the chain; None without one, or when its dates are unreadable."""
    facts = dict(chain[0]) if chain else {}
    return _certificate(
        facts.get("Expire date", ""),
        facts.get("Issuer", ""),
        facts.get("Subject", ""),
        facts.get("Serial Number", ""),
    )


@lru_cache(maxsize=1024)
def _certificate(expires: str, issuer: str, subject: str, serial: str) -> Certificate | None:
    not_after = _moment(expires)
    if not_after is None:
        return None
    return Certificate(
        not_after=not_after, issuer=_name(issuer), subject=_name(subject), serial=_name(serial)
    )


def explain(far_side: str, verdict: int, message: str, chain: list[Facts]) -> Trouble:
    """Why the certificate does not verify. `verdict` is OpenSSL's, `message` is libcurl's."""
    leaf = dict(chain[0]) if chain else {}
    whose = f"The certificate of {far_side}"
    by = f"(issued by {shown(leaf.get('Issuer', 'nobody known'))})"
    if verdict == _EXPIRED:
        since = min(_dates(chain, "Expire date"), default="an unreadable date")
        return Trouble(Failure.TLS_EXPIRED, f"{whose} or of its chain expired on {since} {by}.")
    if verdict == _NOT_YET_VALID:
        start = max(_dates(chain, "Start date"), default="an unreadable date")
        return Trouble(Failure.TLS_NOT_YET_VALID, f"{whose} is valid only from {start} on {by}.")
    if verdict in _VERIFIED:
        names = shown(leaf.get("X509v3 Subject Alternative Name", leaf.get("Subject", "nobody")))
        return Trouble(Failure.TLS_HOSTNAME, f"{whose} is for other names: {names} {by}.")
    reason = shown(message.rpartition("result: ")[2])
    return Trouble(Failure.TLS_UNTRUSTED, f"{whose} is not trusted: {reason} {by}.")


def _dates(chain: list[Facts], name: str) -> list[str]:
    """The days of one kind over the whole chain: an old authority spoils a young leaf."""
    moments = [_moment(dict(facts).get(name, "")) for facts in chain]
    return [f"{moment:%Y-%m-%d}" for moment in moments if moment]


def _moment(text: str) -> datetime | None:
    """`Jan  5 09:34:43 2027 GMT`, whatever the locale; None when it is no date."""
    try:
        return datetime.fromtimestamp(ssl.cert_time_to_seconds(text), UTC)
    except (ValueError, OverflowError):
        return None


def _name(text: str) -> str:
    return "".join(sign for sign in text[:_LONGEST_NAME] if sign.isprintable())
