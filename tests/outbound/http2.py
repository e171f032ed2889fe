"""A machine that speaks HTTP/2 and nothing else, in frames written by hand."""

import ssl

from tests.far_side import Behaviour, Visit

_SETTINGS = bytes.fromhex("000000040000000000")
# Of the first stream, whole: the status 200 from HPACK's own table.
_HEADERS = bytes.fromhex("000001010400000001") + b"\x88"


def answer_in_frames(body: bytes = b"hi") -> Behaviour:
    """Status 200 to whatever comes. Open it with reads=False."""
    data = len(body).to_bytes(3) + bytes.fromhex("000100000001") + body

    def behave(visit: Visit) -> None:
        visit.connection.recv(65536)
        visit.send(_SETTINGS + _HEADERS + data)
        visit.wait(0.2)

    return behave


def offering_http2(context: ssl.SSLContext, *, only: bool = True) -> ssl.SSLContext:
    context.set_alpn_protocols(["h2"] if only else ["h2", "http/1.1"])
    return context
