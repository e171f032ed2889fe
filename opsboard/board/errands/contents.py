"""What an errand is given, and what it brings: texts, packed small."""

import hashlib
import json
import zlib
from collections.abc import Sequence

from opsboard.board.models import Errand
from opsboard.board.sources import Source

# All files of one apply together, in octets: they are read and planned while somebody waits.
LARGEST = 4 * 1024 * 1024
MOST_FILES = 200
LEVEL = 6


def pack_files(sources: Sequence[Source]) -> bytes:
    texts = [[one.path, one.text] for one in sources]
    return zlib.compress(json.dumps(texts, ensure_ascii=False).encode(), LEVEL)


def files_of(errand: Errand) -> list[Source]:
    """The files of an apply; none: they are let go."""
    if errand.content is None:
        return []
    return [Source(path, text) for path, text in json.loads(zlib.decompress(errand.content))]


def pack_text(text: str) -> tuple[bytes, int, str]:
    """Packed, its size in octets and its SHA-256 as it is downloaded."""
    octets = text.encode()
    return zlib.compress(octets, LEVEL), len(octets), hashlib.sha256(octets).hexdigest()


def exported_of(errand: Errand) -> bytes | None:
    """The board file that an export made; None: not yet, or not any more."""
    return None if errand.content is None else zlib.decompress(errand.content)
