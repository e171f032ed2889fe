"""What looks like a secret, by its name or by itself. Pure; a guess, for warnings and proposals."""

import re

_SECRET_NAME = re.compile(
    r"api[-_]?key|access[-_]?key|token|secret|passw|signature|credential|session|csrf|jwt"
    r"|^(?:key|sig|auth|pwd|code)$",
    re.IGNORECASE,
)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_LIKE_A_TOKEN = re.compile(r"(?=.*[0-9])(?=.*[A-Za-z])[A-Za-z0-9_\-.~+/=%]{24,}")


def named_like_a_secret(name: str) -> bool:
    return bool(_SECRET_NAME.search(name))


def looks_secret(name: str, value: str) -> bool:
    if not value:
        return False
    looks_like_one = _LIKE_A_TOKEN.fullmatch(value) and not _UUID.fullmatch(value)
    return bool(named_like_a_secret(name) or looks_like_one)
