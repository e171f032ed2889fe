"""What may be told of a command's output: the last 4 KiB of it, with secrets masked.

Masked are the token, the value of every variable whose name looks like a secret's (also quoted for
an address, and line by line), and passwords in addresses. What no variable holds is not known
here: a command that prints another secret has told it.
"""

import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote

LARGEST_TAIL = 4096
MASK = "•••"

_SECRET_NAME = re.compile(
    r"TOKEN|SECRET|PASSW|PASSPHRASE|PWD$|_PW$|KEY|CREDENTIAL|PRIVATE|AUTH|COOKIE|SESSION|DSN"
    r"|(DATABASE|REDIS|BROKER|CACHE|EMAIL|AMQP|MONGO\w*|WEBHOOK)_UR[IL]",
    re.IGNORECASE,
)
# Shorter ones are masked in every other word.
_SHORTEST = 4
_SHORTEST_LINE = 8
_NOT_SECRET = frozenset({"true", "false", "none", "null", "http", "https", "localhost"})
_IN_ADDRESS = re.compile(r"(?<=://)[^\s/@:]*:[^\s/@]+(?=@)")
_TOKEN = re.compile(r"obs_ci_[0-9A-Za-z]{30}_[0-9A-Za-z]{6}")
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_ODD = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def secrets_of(environ: Mapping[str, str], token: str) -> tuple[str, ...]:
    """The texts to mask, the longest first, so that no rest of one is left."""
    found = {token} | {
        value
        for name, value in environ.items()
        if _SECRET_NAME.search(name) and not name.endswith("_FILE")
    }
    forms = {form for value in found for form in _forms(value.strip())}
    return tuple(sorted(forms, key=len, reverse=True))


def longest(secrets: Iterable[str]) -> int:
    """In bytes, so that a tail can be kept long enough to know each secret in it."""
    return max((len(one.encode(errors="replace")) for one in secrets), default=0)


def mask(text: str, secrets: Iterable[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, MASK)
    return _IN_ADDRESS.sub(MASK, _TOKEN.sub(MASK, text))


def tail_text(kept: bytes, secrets: tuple[str, ...], *, is_cut: bool) -> str:
    """At most LARGEST_TAIL bytes of UTF-8. `is_cut`: the first bytes may be half a secret."""
    text = kept.decode(errors="replace")
    if is_cut:
        text = _from_whole(text, secrets)
    shown = mask(_ODD.sub("", _ESCAPES.sub("", mask(text, secrets))), secrets)
    return shown.encode()[-LARGEST_TAIL:].decode(errors="ignore")


def _from_whole(text: str, secrets: tuple[str, ...]) -> str:
    """Without the beginning, in which the end of a secret that was cut may stand."""
    start = max((len(one) for one in secrets), default=1) - 1
    for secret in secrets:
        at = text.find(secret, max(start - len(secret) + 1, 0))
        if 0 <= at < start:
            start = at + len(secret)
    return text[start:]


def _forms(value: str) -> set[str]:
    if len(value) < _SHORTEST or value.lower() in _NOT_SECRET:
        return set()
    lines = {one.strip() for one in value.splitlines()}
    return {value, quote(value, safe="")} | {one for one in lines if len(one) >= _SHORTEST_LINE}
