"""The status line and headers of a reply, checked where libcurl is lenient."""

import re
from typing import NamedTuple

from opsboard.outbound.wording import shown

# A name of token signs; in the value no control sign but the tab, and no 0xFF. Blanks around the
# value are left to strip(): a pattern for them takes minutes over 32 KiB of blanks.
_NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_LINE = re.compile(rf"^({_NAME}):([\t\x20-\x7e\x80-\xfe]*)\r?$", re.MULTILINE)
# libcurl reads the status 2000 as 200.
_STATUS_LINE = re.compile(rb"HTTP/[1-9](?:\.[0-9])? [1-9][0-9]{2}(?: .*)?\r?\n", re.DOTALL)
_LENGTH = re.compile(r"[0-9]{1,18}")
_EMPTY = (b"\r\n", b"\n")

Headers = tuple[tuple[str, str], ...]


class Head(NamedTuple):
    headers: Headers
    # What is wrong with it, "" when nothing is.
    flaw: str


def read_head(lines: list[bytes]) -> Head:
    """The last block of header lines; earlier ones (100, 103) and trailers are left out."""
    status_line, block, is_whole = _last_block(lines)
    if status_line and not _STATUS_LINE.fullmatch(status_line):
        return Head((), f"its status line is not readable: {shown(repr(status_line)[2:-1])}")
    found = _LINE.findall(b"".join(block).decode("latin-1"))
    headers = tuple((name, value.strip(" \t")) for name, value in found)
    if len(headers) < len(block):
        unreadable = next(line for line in block if not _LINE.match(line.decode("latin-1")))
        return Head(headers, f"a header is not readable: {shown(repr(unreadable)[2:-1])}")
    if not is_whole:
        return Head(headers, "it was cut off in the middle of its headers")
    return Head(headers, _framing_flaw(headers))


def values(headers: Headers, name: str) -> list[str]:
    """All values of one header, by its lower-case name."""
    return [value for key, value in headers if key.lower() == name]


def _last_block(lines: list[bytes]) -> tuple[bytes, list[bytes], bool]:
    starts = [place for place, line in enumerate(lines) if line.startswith(b"HTTP/")]
    if not starts:
        return b"", [], True
    status_line, start = lines[starts[-1]], starts[-1] + 1
    for end in range(start, len(lines)):
        if lines[end] in _EMPTY:
            return status_line, lines[start:end], True
    return status_line, lines[start:], False


def _framing_flaw(headers: Headers) -> str:
    """Two ways to tell where the body ends let one request hide in another."""
    lengths = values(headers, "content-length")
    if len(lengths) > 1 or not all(_LENGTH.fullmatch(length) for length in lengths):
        return f"Content-Length is not one number: {shown(', '.join(lengths))}"
    if lengths and values(headers, "transfer-encoding"):
        return "it has both Content-Length and Transfer-Encoding"
    return ""
