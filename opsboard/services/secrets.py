"""Secrets at rest. A ciphertext is bound to the place it was written for: it opens nowhere else."""

from functools import cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class CannotDecrypt(Exception):
    """The secret cannot be decrypted: its key is not among OPSBOARD_FIELD_KEYS."""


@cache
def _fernet() -> MultiFernet:
    return MultiFernet([Fernet(key.strip()) for key in settings.FIELD_KEYS])


def encrypt(value: str, *, place: str) -> str:
    return _fernet().encrypt(f"{place}\0{value}".encode()).decode()


def decrypt(ciphertext: str, *, place: str) -> str:
    """Return the secret. Raises CannotDecrypt for a lost key or a ciphertext from another place."""
    try:
        written_for, _, value = _fernet().decrypt(ciphertext.encode()).decode().partition("\0")
    except InvalidToken as error:
        raise CannotDecrypt(CannotDecrypt.__doc__) from error
    if written_for != place:
        raise CannotDecrypt("The secret was written for another place; enter it again here.")
    return value
