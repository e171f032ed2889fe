"""Answers that are no valid HTTP, or too much of it: what is kept of them, and odd ones that are.

The verdicts of rows B1 to B34 are in test_hostile_servers.
"""

import gzip
import zlib
from collections.abc import Callable

import pytest

from opsboard.outbound.reply import Failure
from tests.far_side import FarSide, answer, drip, endless, raw, reset
from tests.outbound.asking import ask, failed

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
Machine = Callable[..., FarSide]


def test_a_whole_answer_is_told_with_its_status_headers_and_body(far_side: Machine):
    reply = ask(far_side(answer(201, ("X-Cache", "HIT"), body=b'{"ok": true}')).url())
    assert (reply.failure, reply.status, reply.body) == (None, 201, b'{"ok": true}')
    assert ("X-Cache", "HIT") in reply.headers
    assert (reply.http_version, reply.peer, reply.redirects) == ("1.1", "127.0.0.1", 0)
    assert reply.certificate is None and not reply.is_ours


@pytest.mark.parametrize("coding", ["compress", "identity", "x"])
def test_other_codings_are_left_as_the_bytes_that_came(far_side: Machine, coding: str):
    reply = ask(far_side(answer(200, ("Content-Encoding", coding), body=b"\x1b\x00x")).url())
    assert (reply.failure, reply.body) == (None, b"\x1b\x00x")


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", gzip.compress(b"hello")),
        ("X-GZIP", gzip.compress(b"hel") + gzip.compress(b"lo")),
        ("deflate", zlib.compress(b"hello")),
        ("deflate", zlib.compress(b"hello", wbits=-15)),
    ],
    # A gzip holds the second it was made in: a name made of it is another in each process.
    ids=["gzip", "two gzips", "zlib", "bare deflate"],
)
def test_an_answer_packed_although_nobody_asked_is_unpacked(
    far_side: Machine, coding: str, body: bytes
):
    reply = ask(far_side(answer(200, ("Content-Encoding", coding), body=body)).url())
    assert (reply.failure, reply.body) == (None, b"hello")


@pytest.mark.parametrize(
    "body",
    [b"hello", gzip.compress(b"hello")[:-9], gzip.compress(b"") * 1000],
    ids=["plain", "cut", "endless members"],
)
def test_what_claims_to_be_gzip_and_is_not_cannot_be_decoded(far_side: Machine, body: bytes):
    reply = ask(far_side(answer(200, ("Content-Encoding", "gzip"), body=body)).url())
    failed(reply, Failure.DECODE, "gzip")
    assert reply.status == 200 and reply.body == body


def test_an_endless_body_ends_at_the_cap(far_side: Machine):
    reply = ask(far_side(endless(OK + b"\r\n", bytes(65536))).url(), max_body=100_000)
    failed(reply, Failure.TOO_LARGE, "larger than 97.7 KiB")
    assert (reply.status, len(reply.body)) == (200, 100_000)


def test_a_body_of_just_the_cap_is_whole(far_side: Machine):
    reply = ask(far_side(answer(body=bytes(1000))).url(), max_body=1000)
    assert reply.failure is None and len(reply.body) == 1000


@pytest.mark.parametrize(
    "behaviour",
    [
        raw(OK + b"X: 1\r\n" * 101 + b"Content-Length: 0\r\n\r\n"),
        raw(OK + b"".join(b"X%d: %b\r\n" % (n, b"a" * 3300) for n in range(10)) + b"\r\n"),
    ],
    ids=["102 lines", "33 KiB"],
)
def test_more_headers_than_allowed_are_cut(far_side: Machine, behaviour):
    reply = ask(far_side(behaviour).url())
    failed(reply, Failure.HEADERS_TOO_LARGE, "100 lines or 32 KiB")


def test_a_hundred_headers_are_not_too_many(far_side: Machine):
    lines = b"".join(b"X-%d: 1\r\n" % number for number in range(99))
    reply = ask(far_side(raw(OK + lines + b"Content-Length: 0\r\n\r\n")).url())
    assert reply.failure is None and len(reply.headers) == 100


PROTOCOL = {
    "cut headers": (raw(OK + b"Content-Type: text/pl"), "cut off in the middle of its headers"),
    "cut between headers": (raw(OK + b"Content-Length: 0\r\n"), "cut off in the middle"),
    "strange coding": (raw(OK + b"Transfer-Encoding: gzip\r\n\r\nhello"), "Transfer-Encoding"),
    "no colon": (raw(OK + b"hello\r\nContent-Length: 0\r\n\r\n"), "without colon"),
    "blank in a name": (raw(OK + b"X Y: 1\r\nContent-Length: 0\r\n\r\n"), "X Y: 1"),
    "blanks without end": (raw(OK + b"X:" + b" " * 30000 + b"\x01\r\n\r\n"), "not readable"),
}


@pytest.mark.parametrize(("behaviour", "words"), PROTOCOL.values(), ids=PROTOCOL.keys())
def test_what_is_no_valid_http_says_what_is_wrong(far_side: Machine, behaviour, words: str):
    failed(ask(far_side(behaviour).url()), Failure.PROTOCOL, words)


def test_a_reset_in_the_body_tells_how_much_came(far_side: Machine):
    reply = ask(far_side(reset(OK + b"Content-Length: 10\r\n\r\nhello")).url())
    failed(reply, Failure.RESET, "5 of 10 bytes")
    assert (reply.status, reply.body) == (200, b"hello")


FINE = {
    "204 with a body": (raw(b"HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\nhello"), 204, b""),
    "304 with a body": (raw(b"HTTP/1.1 304 No\r\nContent-Length: 5\r\n\r\nhello"), 304, b""),
    "early hints first": (
        raw(b"HTTP/1.1 103 Hints\r\nLink: a\r\n\r\n" + OK + b"Content-Length: 2\r\n\r\nhi"),
        200,
        b"hi",
    ),
    "trailers": (raw(CHUNKED + b"2\r\nhi\r\n0\r\nX-T: 1\r\n\r\n"), 200, b"hi"),
    "bare line feeds": (raw(b"HTTP/1.1 200 OK\nContent-Length: 2\n\nhi"), 200, b"hi"),
    "invalid UTF-8": (answer(body=b"\xff\xfe\x00h"), 200, b"\xff\xfe\x00h"),
    "NUL in the body": (answer(body=b"a\0b"), 200, b"a\0b"),
}


@pytest.mark.parametrize(("behaviour", "status", "body"), FINE.values(), ids=FINE.keys())
def test_odd_but_valid_answers_are_whole(far_side: Machine, behaviour, status: int, body: bytes):
    reply = ask(far_side(behaviour).url())
    assert (reply.failure, reply.status, reply.body) == (None, status, body)


def test_only_the_headers_of_the_answer_itself_are_told(far_side: Machine):
    hints = b"HTTP/1.1 103 Hints\r\nLink: a\r\n\r\n"
    reply = ask(far_side(raw(hints + CHUNKED + b"2\r\nhi\r\n0\r\nX-T: 1\r\n\r\n")).url())
    assert reply.headers == (("Transfer-Encoding", "chunked"),)


def test_headers_keep_their_order_and_their_doubles(far_side: Machine):
    behaviour = answer(200, ("Set-Cookie", "a=1"), ("B", "\xe9"), ("set-cookie", "b=2"), body=b"")
    headers = ask(far_side(behaviour).url()).headers
    assert headers[1:] == (("Set-Cookie", "a=1"), ("B", "\xe9"), ("set-cookie", "b=2"))


def test_a_drip_of_headers_is_out_of_time_and_keeps_what_came(far_side: Machine):
    reply = ask(far_side(drip(OK, b"X: 1\r\n")).url())
    failed(reply, Failure.TIMEOUT, "500 ms")
    assert reply.status == 200 and ("X", "1") in reply.headers
