"""Where {{ NAME }} may stand for what: variables are capitals, taken values small letters. Pure."""

import re

from opsboard.services.rules import MARK, VARIABLE

TAKEN = re.compile(r"[a-z_][a-z0-9_]*")
_MARK_OF_PORT = re.compile(r":\{\{[^{}]*\}\}")
ONE_MARK = re.compile(r"\{\{\s*[A-Z_][A-Z0-9_]*\s*\}\}")


def check_credential(text: str) -> str:
    """Why this may not stand for a password in a sheet, which everybody may read, or ""."""
    if ONE_MARK.fullmatch(text):
        return ""
    return (
        "A sheet is read by everybody: make this a secret variable of each environment, and write "
        "its {{ NAME }} here."
    )


def check_variables(text: str) -> str:
    """Why a mark in `text` is no variable of an environment, or ""."""
    for mark in MARK.finditer(text):
        if not VARIABLE.fullmatch(mark[1]):
            return (
                f"{{{{ {mark[1]} }}}} is no variable: names of variables have capital letters, "
                "digits and _."
            )
    return ""


def as_read(authority: str) -> str:
    """A host with its port, marks filled with what any of them may hold: a name, or a port."""
    return MARK.sub("x", _MARK_OF_PORT.sub(":1", authority))
