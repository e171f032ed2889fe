"""The signed header with which Opsboard asks its own pages as the built-in viewer.

A pass is for one method and one address, GET or HEAD, and for a minute. It opens no session.
"""

from datetime import datetime

from django.core.signing import BadSignature, Signer

HEADER = "X-Opsboard-Probe"
MAX_AGE_SECONDS = 60
METHODS = ("GET", "HEAD")


def issue(method: str, path: str, now: datetime) -> str:
    """The value of the header for one request; `path` is without its query: "/incidents"."""
    return _signer().sign_object([method.upper(), path, int(now.timestamp())])


def check(value: str, method: str, path: str, now: datetime) -> bool:
    """Whether `value` was issued for just this request, within the last minute."""
    try:
        signed_method, signed_path, issued_at = _signer().unsign_object(value)
    except (BadSignature, ValueError, TypeError):
        return False
    age = now.timestamp() - issued_at
    return (
        method in METHODS
        and (signed_method, signed_path) == (method, path)
        # A second of grace forward: the issuing process may be on another machine.
        and -1 <= age <= MAX_AGE_SECONDS
    )


def _signer() -> Signer:
    return Signer(salt="opsboard.people.probe_pass")
