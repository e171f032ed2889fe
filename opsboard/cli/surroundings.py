"""Where the board is, and with which token it is asked: from the environment, never an argument."""

import argparse
import os
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from opsboard.cli.asking import Board, Patience
from opsboard.cli.leaving import Usage

# As opsboard.people.tokens makes them.
TOKEN = re.compile(r"obs_ci_[0-9A-Za-z]{30}_[0-9A-Za-z]{6}")


def board_of(asked: argparse.Namespace) -> Board:
    """Raises Usage when the address or the token is missing or wrong."""
    url = os.environ.get("OPSBOARD_URL", "").strip()
    if not url:
        raise Usage("Set OPSBOARD_URL to the address of the board, as https://board.example.")
    return Board(root_of(url), token_of(os.environ), Patience(seconds=asked.timeout))


def token_of(environ: Mapping[str, str]) -> str:
    token = environ.get("OPSBOARD_TOKEN", "").strip() or _from_file(environ)
    if not token:
        raise Usage(
            "Set OPSBOARD_TOKEN, or OPSBOARD_TOKEN_FILE to a file that holds the token. A token is"
            " made on the page Tokens."
        )
    # It becomes a header: a line break in it would begin another one.
    if not token.isascii() or not token.isprintable() or " " in token:
        raise Usage("OPSBOARD_TOKEN is not a token: it has spaces or other odd characters.")
    return token


def _from_file(environ: Mapping[str, str]) -> str:
    name = environ.get("OPSBOARD_TOKEN_FILE", "")
    if not name:
        return ""
    try:
        with Path(name).open("rb") as file:
            return file.read(4096).decode("ascii", "replace").strip()
    except OSError as wrong:
        why = os.strerror(wrong.errno or 0)
        raise Usage(f"OPSBOARD_TOKEN_FILE cannot be read: {why}.") from None


def root_of(url: str) -> str:
    try:
        parts = urlsplit(url)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fine = False
    if not fine or not url.isprintable() or " " in url:
        raise Usage("OPSBOARD_URL is not an address: write it as https://board.example.")
    if parts.username is not None or parts.query or parts.fragment:
        raise Usage("OPSBOARD_URL has a name, a password, ? or # in it: leave them out.")
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}/api/v1"
