"""Our own signed webhook: Standard Webhooks headers over one POST of JSON.

https://www.standardwebhooks.com: the key of the signature is what stands behind `whsec_`, read as
base64; while a secret is rotated each message is signed with both, separated by a space.
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Iterable
from typing import Any

from opsboard.outbound.answers import Answer, answer_of
from opsboard.outbound.egress import Policy
from opsboard.outbound.http import ask_once
from opsboard.outbound.reply import Ask

TIMEOUT = 15_000_000
PREFIX = "whsec_"

__all__ = ["Answer", "post", "sign"]


def sign(secret: str, *, key: str, at: int, body: bytes) -> str:
    """One `webhook-signature`: HMAC-SHA256 over id, timestamp and body."""
    signed = f"{key}.{at}.".encode() + body
    mac = hmac.new(_key_of(secret), signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(mac).decode()}"


def _key_of(secret: str) -> bytes:
    """A secret that is no base64, which we never made, is taken as it stands."""
    text = secret.removeprefix(PREFIX)
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return text.encode()


def post(
    url: str,
    message: dict[str, Any],
    *,
    key: str,
    at: int,
    secrets: Iterable[str],
    policy: Policy,
) -> Answer:
    """Post one message. `key` is the same on every try; `at` is in seconds since 1970 UTC."""
    body = json.dumps(message, ensure_ascii=False).encode()
    headers = [
        ("Content-Type", "application/json"),
        ("Idempotency-Key", key),
        ("webhook-id", key),
        ("webhook-timestamp", str(at)),
    ]
    if signatures := [sign(secret, key=key, at=at, body=body) for secret in secrets]:
        headers.append(("webhook-signature", " ".join(signatures)))
    ask = Ask(
        method="POST",
        url=url,
        headers=tuple(headers),
        body=body,
        timeout=TIMEOUT,
        follow=False,
        max_body=64 * 1024,
    )
    return answer_of(ask_once(ask, policy=policy), at=at)
