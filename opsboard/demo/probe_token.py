"""The token by which the sample services know the probes of this board: no two boards share one."""

import contextlib
import os
import secrets
import tempfile
from pathlib import Path

# As the board file names it.
NAME = "OPSBOARD_PROBE_TOKEN"
_FILE = "probe_token"


def probe_token(directory: Path) -> str:
    """Kept in the directory of the sample services, for its owner's eyes; made at the first ask."""
    file = directory / _FILE
    if not file.exists():
        _make(file)
    return file.read_text().strip()


def _make(file: Path) -> None:
    # Made whole, and for its owner alone, before it has its name: another process may look.
    with tempfile.NamedTemporaryFile("w", dir=file.parent) as made:
        made.write(secrets.token_urlsafe(32))
        made.flush()
        with contextlib.suppress(FileExistsError):
            os.link(made.name, file)
