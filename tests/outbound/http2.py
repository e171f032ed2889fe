"""A machine that speaks HTTP/2 and nothing else, in frames written by hand. Open with reads=False.

What it sends is of the first stream, and comes after the other side has asked.
"""

import ssl

from tests.far_side import Behaviour, Visit, raw


def frame(kind: int, body: bytes = b"", *, flags: int = 0, stream: int = 1) -> bytes:
    return len(body).to_bytes(3) + bytes([kind, flags]) + stream.to_bytes(4) + body


SETTINGS = frame(4, stream=0)
_END_OF_STREAM, _END_OF_HEADERS = 1, 4
# :status 200 from HPACK's own table.
_STATUS_200 = b"\x88"
# `x`, 256 times `a`, as HPACK writes what is in no table.
LONG_HEADER = b"\x00\x01x\x7f\x81\x01" + b"a" * 256


def headers(block: bytes = _STATUS_200, *, is_whole: bool = True) -> bytes:
    return frame(1, block, flags=_END_OF_HEADERS if is_whole else 0)


def more_headers(block: bytes) -> bytes:
    return frame(9, block)


def data(body: bytes, *, is_last: bool = False) -> bytes:
    return frame(0, body, flags=_END_OF_STREAM if is_last else 0)


def status(text: str) -> bytes:
    """The header :status, whatever the text."""
    return b"\x08" + bytes([len(text)]) + text.encode()


def once_asked(behaviour: Behaviour) -> Behaviour:
    def behave(visit: Visit) -> None:
        visit.connection.recv(65536)
        behaviour(visit)

    return behave


def answer_in_frames(body: bytes = b"hi") -> Behaviour:
    """Status 200 to whatever comes."""
    whole = raw(SETTINGS + headers() + data(body, is_last=True))

    def behave(visit: Visit) -> None:
        whole(visit)
        visit.wait(0.2)

    return once_asked(behave)


def offering_http2(context: ssl.SSLContext, *, only: bool = True) -> ssl.SSLContext:
    context.set_alpn_protocols(["h2"] if only else ["h2", "http/1.1"])
    return context
