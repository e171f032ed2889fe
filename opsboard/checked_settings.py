"""Settings that are read and checked at the start: what cannot be used is refused in one sentence.

The sentences quote no value that may hold a password.
"""

import math
import os
import re
import warnings
from collections.abc import Iterable, Mapping
from contextlib import suppress
from ipaddress import ip_network
from typing import Any

from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured
from environ import FileAwareEnv

from opsboard.outbound.egress import parse_allow
from opsboard.services.addresses import check_url

# Thirty years and more in seconds, a hundred in days. More would overflow where a time is added.
MOST, MOST_DAYS = 1_000_000_000, 36_500
BROKERS = ("redis://", "rediss://", "sentinel://", "unix://", "memory://")
ENGINES = ("django.db.backends.postgresql", "django.db.backends.sqlite3")

env = FileAwareEnv()


def required(name: str) -> str:
    value: str = env.str(name, default="")
    # An empty allow-list is an answer; no allow-list is a question nobody has answered.
    is_set = name in os.environ or f"{name}_FILE" in os.environ
    if not is_set or (not value and name != "OPSBOARD_EGRESS_ALLOW"):
        raise ImproperlyConfigured(
            f"{name} is not set. Opsboard does not start in production without it: "
            "set it in the environment (see the settings in README.md), or start with script/up."
        )
    return value


def checked_address(name: str, *, or_mail: bool = False) -> str:
    """An address of the web that may be asked, or `mailto:` and one e-mail address, or ""."""
    address: str = env.str(name, default="").strip()
    if or_mail and address.lower().startswith("mailto:"):
        if not re.fullmatch(r"mailto:[^\s@,?]+@[^\s@,?]+", address, re.IGNORECASE):
            raise ImproperlyConfigured(
                f"{name} is not one e-mail address: write it as in mailto:ops@example.com."
            )
        if not env.str("EMAIL_URL", default=""):
            raise ImproperlyConfigured(
                f"{name} is an e-mail address, but no mail server is set: set EMAIL_URL, or give "
                "the address of a webhook."
            )
        return f"mailto:{address[7:]}"
    if address and (problem := check_url(address)):
        raise ImproperlyConfigured(f"{name} cannot be used. {problem}")
    return address


def checked_canary(address: str) -> str:
    """An address of the web, or tcp:// with a host and a port."""
    address = address.strip()
    is_tcp = address.startswith("tcp://")
    # Only the port has to be written where nothing says which one it is.
    problem = check_url(f"http://{address[6:]}" if is_tcp else address)
    if is_tcp and not problem and not re.fullmatch(r"tcp://[^/?#]+:[0-9]+", address):
        problem = "Write host and port, as in tcp://10.0.0.1:443."
    if problem:
        raise ImproperlyConfigured(f"OPSBOARD_CANARIES: {address} cannot be used. {problem}")
    return address


def number(name: str, default: float, *, least: float = 0, most: float = MOST) -> float:
    """Empty is as good as not set."""
    told = env.str(name, default="").strip()
    try:
        value = float(told) if told else default
    except ValueError:
        value = math.nan
    # Not a number is in no range.
    if not least <= value <= most:
        raise ImproperlyConfigured(
            f"{name} is {told!r}: write a number from {least:g} to {most:,}, such as {default:g}."
        )
    return value


def days(name: str, default: float) -> float:
    return number(name, default, most=MOST_DAYS)


def whole_number(name: str, default: int, *, least: int = 1, most: int = MOST) -> int:
    """As `number`, without a fraction."""
    value = number(name, default, least=least, most=most)
    if value % 1:
        raise ImproperlyConfigured(f"{name} is {value:g}: write a whole number, such as {default}.")
    return int(value)


def database(default: str) -> dict[str, Any]:
    """What DATABASE_URL names, or `default` does where it is not set ("": nothing does)."""
    url = env.str("DATABASE_URL", default="").strip() or default or required("DATABASE_URL")
    found: dict[str, Any] = {}
    # What it would warn of holds the password.
    with warnings.catch_warnings(action="ignore"), suppress(ValueError, ImproperlyConfigured):
        found = env.db_url_config(url)
    if found.get("ENGINE") not in ENGINES:
        raise ImproperlyConfigured(
            "DATABASE_URL cannot be used: write it as in postgres://user:password@host:5432/opsboard"
            ", with %40 for an @ in the password, or as in sqlite:////var/lib/opsboard.sqlite3."
        )
    return found


def broker(url: str) -> str:
    if not url.startswith(BROKERS):
        raise ImproperlyConfigured(
            "REDIS_URL cannot be used: write it as in redis://:password@host:6379/0."
        )
    return url


def mail_server() -> Mapping[str, Any] | None:
    """What EMAIL_URL names; None: it is not set."""
    if not env.str("EMAIL_URL", default=""):
        return None
    try:
        found: Mapping[str, Any] = env.email_url("EMAIL_URL")
    except (ValueError, ImproperlyConfigured) as wrong:
        raise ImproperlyConfigured(
            "EMAIL_URL cannot be used: write it as in smtp+tls://user:password@mail.example:587."
        ) from wrong
    return found


def networks(name: str) -> list[str]:
    """Addresses or networks, separated by commas."""
    found: list[str] = [item.strip() for item in env.list(name, default=[])]
    for item in found:
        try:
            ip_network(item)
        except ValueError as wrong:
            raise ImproperlyConfigured(
                f"{name}: {item!r} is not an address or a network; write them as in "
                "10.20.0.0/16, separated by commas."
            ) from wrong
    return found


def allowed(text: str) -> str:
    """The text of OPSBOARD_EGRESS_ALLOW."""
    try:
        parse_allow(text)
    except ValueError as wrong:
        raise ImproperlyConfigured(str(wrong)) from wrong
    return text


def field_keys(keys: Iterable[str]) -> list[str]:
    found = [key.strip() for key in keys]
    for place, key in enumerate(found, start=1):
        try:
            Fernet(key)
        except ValueError as wrong:
            raise ImproperlyConfigured(
                f"OPSBOARD_FIELD_KEYS: key {place} of {len(found)} is not one. A key is 32 octets "
                "in URL-safe Base64: `openssl rand -base64 32 | tr '+/' '-_'` makes one."
            ) from wrong
    return found
