"""Text for XML 1.0: what it has no way to write down is left out, the rest stands as it is."""

import re

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def writable(text: str) -> str:
    """Without controls, lone surrogates, U+FFFE and U+FFFF. Not escaped yet."""
    return _NOT_IN_XML.sub("", text)
