"""Unpacking a body that came compressed, asked for or not, never beyond its cap.

Not left to libcurl: it takes a brotli or gzip stream that was cut off for a whole one.
"""

import zlib
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from typing import Any

# Finds out by itself whether the bytes are gzip or zlib.
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
# Some servers mean the bare stream when they say deflate.
_BARE = -zlib.MAX_WBITS
# Gzip and zstd may be several members in a row. Endless empty ones would cost time and unpack to
# nothing.
_MEMBERS = 16
# Nothing bounds what one call to zstd unpacks, but 4 bytes make at most 128 KiB: 64 make 2 MiB.
_ZSTD_BITE = 64
# Of what a stream may ask the memory for, in bytes: the least that every decoder must bear.
_ZSTD_WINDOW = 8 << 20


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
            return form(body, limit + 1)
        except _BROKEN:
            continue
    raise NotPackedError


def _gzip_or_zlib(body: bytes, room: int) -> bytes:
    return _inflate(body, _GZIP_OR_ZLIB, room)


def _bare(body: bytes, room: int) -> bytes:
    return _inflate(body, _BARE, room)


def _inflate(body: bytes, form: int, room: int) -> bytes:
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


def _brotli(body: bytes, room: int) -> bytes:
    stream = _LIBRARIES["br"].Decompressor()
    # Its limit is met by a buffer of at most twice its size.
    unpacked: bytes = stream.process(body, output_buffer_limit=room)
    if len(unpacked) < room and not stream.is_finished():
        raise NotPackedError
    return unpacked[:room]


def _zstd(body: bytes, room: int) -> bytes:
    decoder = _LIBRARIES["zstd"].ZstdDecompressor(max_window_size=_ZSTD_WINDOW)
    parts: list[bytes] = []
    frames = [decoder.decompressobj()]
    for start in range(0, len(body), _ZSTD_BITE):
        bite = body[start : start + _ZSTD_BITE]
        while bite:
            if frames[-1].eof:
                frames.append(decoder.decompressobj())
            part: bytes = frames[-1].decompress(bite)
            parts.append(part)
            room -= len(part)
            bite = frames[-1].unused_data if frames[-1].eof else b""
            if room <= 0:
                return b"".join(parts)[: room or None]
            if len(frames) > _MEMBERS:
                raise NotPackedError
    if not frames[-1].eof:
        raise NotPackedError
    return b"".join(parts)


# For codings that Python itself does not know: library, the name of its error, the function.
_OPTIONAL = {
    "br": ("brotli", "error", _brotli),
    "zstd": ("zstandard", "ZstdError", _zstd),
}


def _installed() -> dict[str, Any]:
    found = {}
    for coding, (library, _, _) in _OPTIONAL.items():
        with suppress(ImportError):
            found[coding] = import_module(library)
    return found


_LIBRARIES = _installed()
_BROKEN: tuple[type[Exception], ...] = (
    zlib.error,
    *(getattr(library, _OPTIONAL[coding][1]) for coding, library in _LIBRARIES.items()),
)
_FORMS: dict[str, tuple[Callable[[bytes, int], bytes], ...]] = {
    "gzip": (_gzip_or_zlib,),
    "x-gzip": (_gzip_or_zlib,),
    "deflate": (_gzip_or_zlib, _bare),
    **{coding: (_OPTIONAL[coding][2],) for coding in _LIBRARIES},
}
# What may be asked for here, as Accept-Encoding writes it.
ACCEPTED = ", ".join(coding for coding in _FORMS if coding != "x-gzip")
