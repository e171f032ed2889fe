"""Unpacking a body that came compressed although none was asked for, never beyond its cap."""

import zlib

# Finds out by itself whether the bytes are gzip or zlib.
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
# Some servers mean the bare stream when they say deflate.
_BARE = -zlib.MAX_WBITS
_FORMS = {
    "gzip": (_GZIP_OR_ZLIB,),
    "x-gzip": (_GZIP_OR_ZLIB,),
    "deflate": (_GZIP_OR_ZLIB, _BARE),
}
# Gzip may be several members in a row. Endless empty ones would cost time and unpack to nothing.
_MEMBERS = 16


class NotPackedError(Exception):
    """The bytes are not what Content-Encoding says."""


def packing(codings: list[str]) -> str:
    """The coding to unpack, "" for none. Several, or any other, stay as the bytes that came."""
    coding = codings[0].strip().lower() if len(codings) == 1 else ""
    return coding if coding in _FORMS else ""


def unpack(body: bytes, coding: str, limit: int) -> bytes:
    """At most `limit + 1` bytes: one more than the limit tells that it is larger."""
    for form in _FORMS[coding]:
        try:
            return _unpack(body, form, limit + 1)
        except zlib.error:
            continue
    raise NotPackedError


def _unpack(body: bytes, form: int, room: int) -> bytes:
    parts: list[bytes] = []
    for _ in range(_MEMBERS):
        stream = zlib.decompressobj(form)
        part = stream.decompress(body, room)
        if len(part) < room and not stream.eof:
            raise NotPackedError
        parts.append(part)
        room -= len(part)
        body = stream.unused_data
        if not (body and room):
            return b"".join(parts)
    raise NotPackedError
