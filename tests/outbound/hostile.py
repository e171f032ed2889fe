"""Far sides that mean harm or know no better: rows B1 to B34, each with one attack or more.

An attack opens its machines and says what to ask; `failure` and `says` are what must come of it.
What else is tested of a row, by module: redirects (B17-B21) test_redirects; times (B4, B5, B8, B10)
test_running_out_of_time; certificates (B31-B33) test_tls; what is kept of odd answers (B1, B9,
B22-B29) test_broken_answers; addresses (B19, B34) test_refusing_at_the_socket and test_names.
"""

import gzip
import socket
import ssl
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any, NamedTuple
from unittest.mock import patch

import trustme

from opsboard.outbound.egress import Policy
from opsboard.outbound.reply import Ask, Connection, Failure
from tests.far_side import (
    Behaviour,
    FarSide,
    Visit,
    answer,
    drip,
    endless,
    hang,
    raw,
    redirect,
    reset,
    routes,
)
from tests.outbound import http2
from tests.outbound.asking import HERE, TIMEOUT, has_ipv6
from tests.outbound.certificates import DAY, NOW, STRANGER, TRUSTED, good, speaks

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
EMPTY = b"Content-Length: 0\r\n\r\n"
# Where the metadata of cloud machines is, as IPv4 and hidden in IPv6.
METADATA = ("169.254.169.254", "[::ffff:a9fe:a9fe]")
# A name with an address of each family; see `names`.
DUAL = "dual.hostile.test"
PATIENT = 4_000_000
SCRIPT = "<script>alert(1)</script>"

Opens = Callable[..., FarSide]


class Opened(NamedTuple):
    ask: Ask
    policy: Policy = HERE
    # Nobody may come here.
    canary: FarSide | None = None


@dataclass(frozen=True)
class Attack:
    row: str
    # What the far side does, in words.
    does: str
    opens: Callable[[Opens], Opened]
    # None: a whole answer, to be judged by the sheet's clauses.
    failure: Failure | None = None
    # Part of the sentence.
    says: str = ""
    # Of a whole answer.
    status: int = 200

    def __str__(self) -> str:
        return f"{self.row} {self.does}"

    def open(self, far_side: Opens) -> Opened:
        """With little time where its end is what counts, else with enough for a busy machine."""
        opened = self.opens(far_side)
        timeout = TIMEOUT if self.failure is Failure.TIMEOUT else PATIENT
        return opened._replace(ask=replace(opened.ask, timeout=timeout))


def plain(behaviour: Behaviour, path: str = "/", *, reads: bool = True, **fields: Any) -> Any:
    """Asked over HTTP."""

    def opens(far_side: Opens) -> Opened:
        return Opened(_ask(far_side(behaviour, reads=reads).url(path), **fields))

    return opens


def safe(
    behaviour: Behaviour, context: Callable[[], ssl.SSLContext] = good, path: str = "/"
) -> Any:
    """Asked over HTTPS, trusting the tests' own authority."""

    def opens(far_side: Opens) -> Opened:
        return Opened(_ask(far_side(behaviour, tls=context()).url(path), **_trusting()))

    return opens


def framed(behaviour: Behaviour) -> Any:
    """Asked over HTTP/2."""

    def opens(far_side: Opens) -> Opened:
        tls = http2.offering_http2(good())
        machine = far_side(http2.once_asked(behaviour), tls=tls, reads=False)
        return Opened(_ask(machine.url(), **_trusting()))

    return opens


def shaken(behaviour: Behaviour) -> Any:
    """Asked over HTTPS a machine that knows no TLS."""

    def opens(far_side: Opens) -> Opened:
        machine = far_side(behaviour, reads=False)
        return Opened(_ask(f"https://127.0.0.1:{machine.port}/", **_trusting()))

    return opens


def _trusting() -> dict[str, Any]:
    return {"connection": Connection(authority=TRUSTED.cert_pem.bytes().decode())}


def _ask(url: str, **fields: Any) -> Ask:
    return Ask(method="GET", url=url, **fields)


# Bodies.


@cache
def bomb(coding: str) -> bytes:
    """Less than a MiB that unpacks to about a GiB (gzip) or 16 MiB (the others)."""
    if coding == "gzip":
        stream = zlib.compressobj(9, wbits=31)
        first = stream.compress(bytes(1 << 20)) + stream.flush(zlib.Z_FULL_FLUSH)
        # After a full flush a block stands for itself, so that it can be had again for nothing.
        again = stream.compress(bytes(1 << 20)) + stream.flush(zlib.Z_FULL_FLUSH)
        return first + again * 900
    library = import_module("brotli" if coding == "br" else "zstandard")
    fast = {"quality": 1} if coding == "br" else {}
    made: bytes = library.compress(bytes(16 << 20), **fast)
    return made


def packed(coding: str, body: bytes) -> Behaviour:
    return answer(200, ("Content-Encoding", coding), body=body)


def _bombs() -> list[Attack]:
    known = {"br": "brotli", "zstd": "zstandard"}
    return [
        Attack(
            row="B2",
            does=f"a bomb of {coding}",
            opens=lambda far_side, coding=coding: plain(packed(coding, bomb(coding)))(far_side),
            failure=Failure.TOO_LARGE,
            says="larger than 1 MiB after unpacking",
        )
        for coding, library in known.items()
        if find_spec(library)
    ]


# Redirects.


def _to_a_canary(far_side: Opens) -> Opened:
    canary = far_side(answer(), address="127.0.0.2")
    machine = far_side(redirect(canary.url()))
    return Opened(_ask(machine.url()), Policy.only("127.0.0.1", machine.port), canary)


def _out_of_tls(far_side: Opens) -> Opened:
    canary = far_side(answer())
    machine = far_side(redirect(canary.url()), tls=good())
    return Opened(_ask(machine.url(), **_trusting()), HERE, canary)


def _elsewhere(far_side: Opens) -> Opened:
    def tells(visit: Visit) -> None:
        """Whoever sends the sheet's credentials along is told so by the status."""
        assert visit.request
        answer(500 if visit.request.header("Authorization") else 200)(visit)

    machine = far_side(redirect(far_side(tells).url()))
    return Opened(_ask(machine.url(), headers=(("Authorization", "Bearer secret"),)))


def _home_by_itself(far_side: Opens) -> Opened:
    machine = far_side(answer())
    location = f"//127.0.0.1:{machine.port}/home"
    machine.behaviour = routes({"/": redirect(location), "/home": answer(body=b"home")})
    return Opened(_ask(machine.url()))


# Handshakes.


def _only_tls_1_1() -> ssl.SSLContext:
    context = good()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    return context


def _certified(*names: str, **fields: Any) -> Callable[[], ssl.SSLContext]:
    return lambda: speaks(TRUSTED.issue_cert(*(names or ("127.0.0.1",)), **fields))


def _unknown() -> ssl.SSLContext:
    return speaks(STRANGER.issue_cert("127.0.0.1"))


def _scripted() -> ssl.SSLContext:
    names = [f"host-{number}.hostile.test" for number in range(99)]
    return speaks(TRUSTED.issue_cert("127.0.0.1", *names, organization_name=SCRIPT))


@cache
def _filler() -> bytes:
    """A certificate of 50 KB."""
    names = [f"{'x' * 50}-{number:05}.hostile.test" for number in range(700)]
    return STRANGER.issue_cert(*names).cert_chain_pems[0].bytes()


def _chained(fillers: int) -> Callable[[], ssl.SSLContext]:
    def context() -> ssl.SSLContext:
        leaf = TRUSTED.issue_cert("127.0.0.1")
        extra = [trustme.Blob(_filler())] * fillers
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        chain = b"".join(blob.bytes() for blob in [*leaf.cert_chain_pems, *extra])
        with trustme.Blob(leaf.private_key_pem.bytes() + chain).tempfile() as together:
            made.load_cert_chain(together)
        return made

    return context


def _read_and_reset(visit: Visit) -> None:
    visit.connection.recv(65536)
    reset()(visit)


def _ended(sent: bytes) -> Behaviour:
    """Sent, and our half closed; what still comes is read, else it would be answered by a reset."""

    def behave(visit: Visit) -> None:
        visit.send(sent)
        visit.connection.shutdown(socket.SHUT_WR)
        while visit.connection.recv(65536):
            pass

    return behave


# Addresses.


def _only_udp(far_side: Opens) -> Opened:
    """HTTP/3 is UDP: over TCP nobody is there. The port is held by a machine that has gone."""
    machine = far_side(answer())
    machine.close()
    return Opened(_ask(machine.url()))


def _of_ipv6(far_side: Opens) -> Opened:
    return Opened(_ask(far_side(answer(), address="::1").url()))


def _of_a_dead_family(far_side: Opens) -> Opened:
    """IPv4 would answer; the system's first address is IPv6, where nobody listens."""
    machine = far_side(answer())
    return Opened(_ask(machine.url(host=DUAL)), HERE, machine)


def _of_the_other_family(far_side: Opens) -> Opened:
    machine = far_side(answer())
    return Opened(_ask(machine.url(host=DUAL), connection=Connection(ip=4)))


@contextmanager
def names() -> Iterator[None]:
    """DUAL is ::1 and 127.0.0.1, in this order; all else is as the system says."""
    system = socket.getaddrinfo

    def getaddrinfo(host: Any, port: Any, family: int = 0, *more: int, **hints: int) -> list[Any]:
        if host != DUAL.encode():
            return system(host, port, family, *more, **hints)
        both = [(socket.AF_INET6, "::1"), (socket.AF_INET, "127.0.0.1")]
        return [(one, 1, 6, "", (address, 0)) for one, address in both if family in (0, one)]

    with patch("opsboard.outbound.names.socket.getaddrinfo", getaddrinfo):
        yield


F = Failure
H2 = http2.SETTINGS
IN_FULL = "100 lines or 32 KiB"

ATTACKS = [
    Attack("B1", "a bomb of gzip", plain(packed("gzip", bomb("gzip"))), F.TOO_LARGE,
           "larger than 1 MiB after unpacking"),
    *_bombs(),
    Attack("B2", "gzip within gzip stays as it came",
           plain(packed("gzip, gzip", gzip.compress(bomb("gzip"))))),
    Attack("B3", "an endless body", plain(endless(OK + b"\r\n", bytes(65536))), F.TOO_LARGE,
           "larger than 1 MiB"),
    Attack("B3", "an endless body in chunks",
           plain(endless(CHUNKED, b"10000\r\n" + bytes(65536) + b"\r\n")), F.TOO_LARGE,
           "larger than 1 MiB"),
    Attack("B3", "an endless body in HTTP/2",
           framed(endless(H2 + http2.headers(), http2.data(bytes(16384)))), F.TOO_LARGE,
           "larger than 1 MiB"),
    Attack("B3", "nothing without end in HTTP/2",
           framed(endless(H2 + http2.headers(), http2.data(b""))), F.PROTOCOL, "ENHANCE_YOUR_CALM"),
    Attack("B4", "a body that drips", plain(drip(OK + b"Content-Length: 5000\r\n\r\n", b".")),
           F.TIMEOUT, "No complete answer"),
    Attack("B5", "headers that drip", plain(drip(OK, b"X: 1\r\n")), F.TIMEOUT,
           "No complete answer"),
    Attack("B6", "a header line without end", plain(endless(OK + b"X: ", b"a" * 65536)),
           F.HEADERS_TOO_LARGE, IN_FULL),
    Attack("B7", "header lines without end", plain(endless(OK, b"X-Many: 1\r\n" * 1000)),
           F.HEADERS_TOO_LARGE, IN_FULL),
    Attack("B7", "headers without end in HTTP/2",
           framed(endless(H2 + http2.headers(is_whole=False),
                          http2.more_headers(http2.LONG_HEADER * 8))),
           F.PROTOCOL, "oo many CONTINUATION frames"),
    Attack("B8", "100 Continue without end in HTTP/2",
           framed(endless(H2, http2.headers(http2.status("100")))), F.PROTOCOL,
           "announced an answer again and again and sent none"),
    Attack("B8", "100 Continue without end",
           plain(endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)), F.PROTOCOL,
           "announced an answer again and again and sent none"),
    Attack("B8", "100 Continue that drips", plain(drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n")),
           F.TIMEOUT, "No complete answer"),
    Attack("B9", "trailers without end",
           plain(endless(CHUNKED + b"2\r\nhi\r\n0\r\n", b"X-Trailer: 1\r\n" * 1000)),
           F.HEADERS_TOO_LARGE, IN_FULL),
    Attack("B9", "a trailer without end",
           plain(endless(CHUNKED + b"2\r\nhi\r\n0\r\nX: ", b"a" * 65536)),
           F.HEADERS_TOO_LARGE, IN_FULL),
    Attack("B10", "takes the request and says nothing", plain(hang()), F.TIMEOUT,
           "connected, but nothing came"),
    Attack("B10", "never reads the request", plain(hang(), reads=False), F.TIMEOUT,
           "connected, but nothing came"),
    Attack("B10", "nothing but pings in HTTP/2",
           framed(drip(H2, http2.frame(6, bytes(8), stream=0))), F.TIMEOUT,
           "connected, but nothing came"),
    Attack("B10", "settings without end in HTTP/2", framed(endless(H2, H2)), F.PROTOCOL,
           "looding was detected"),
    Attack("B11", "a stream that is reset in HTTP/2",
           framed(hang(H2 + http2.frame(3, bytes([0, 0, 0, 2])))), F.PROTOCOL,
           "stream 1 reset by server"),
    Attack("B11", "a reset after the request", plain(reset()), F.RESET, "before it answered"),
    Attack("B11", "a reset in the body", plain(reset(OK + b"Content-Length: 10\r\n\r\nhello")),
           F.RESET, "5 of 10 bytes"),
    Attack("B12", "closes without an answer", plain(raw()), F.PROTOCOL, "without an answer"),
    Attack("B12", "only announces an answer", plain(raw(b"HTTP/1.1 100 Continue\r\n\r\n")),
           F.PROTOCOL, "without an answer"),
    Attack("B13", "a body alone, as in HTTP/0.9", plain(raw(b"<p>hello</p>")), F.PROTOCOL,
           "did not answer in HTTP/1.x"),
    Attack("B14", "HTTP/1.0 without a length", plain(raw(b"HTTP/1.0 200 OK\r\n\r\nhello"))),
    *(Attack("B15", f"the status {status}",
             plain(raw(b"HTTP/1.1 " + status.encode() + b" Odd\r\n\r\n")), F.PROTOCOL,
             "status line") for status in ("99", "000", "abc", "-200", "2000")),
    Attack("B15", "the status 99 in HTTP/2", framed(hang(H2 + http2.headers(http2.status("99")))),
           F.PROTOCOL, "nvalid HTTP header field"),
    Attack("B16", "the status 999", plain(answer(999)), status=999),
    Attack("B17", "redirects in a circle",
           plain(routes({"/": redirect("/b"), "/b": redirect("/")})), F.REDIRECT_LOOP,
           "in a circle"),
    Attack("B17", "redirects without end",
           plain(routes({f"/{n}": redirect(f"/{n + 1}") for n in range(20)}), "/0"),
           F.REDIRECT_LOOP, "more than 5 times"),
    *(Attack("B18", f"a redirect to {location}", plain(redirect(location)), F.REDIRECT_REFUSED,
             "redirects to")
      for location in ("file:///etc/passwd", "gopher://127.0.0.1:6379/_PING", "javascript:1")),
    *(Attack("B19", f"a redirect to {address}", plain(redirect(f"http://{address}/")),
             F.EGRESS_DENIED, "no setting allows it") for address in METADATA),
    Attack("B19", "a redirect to a canary", _to_a_canary, F.EGRESS_DENIED, "127.0.0.2"),
    Attack("B20", "a redirect out of TLS", _out_of_tls, F.REDIRECT_REFUSED, "would leave TLS"),
    Attack("B20", "a redirect to another host, for credentials", _elsewhere),
    Attack("B21", "a Location with a bare CR", plain(redirect("/a\rSet-Cookie: b")), F.PROTOCOL,
           "arriage return"),
    Attack("B21", "a Location with an escaped line break",
           plain(routes({"/": redirect("/a%0d%0aX: b"), "/a%0D%0AX:%20b": answer()}))),
    Attack("B21", "a Location of a megabyte",
           plain(endless(b"HTTP/1.1 302 Found\r\nLocation: /", b"a" * 65536)),
           F.HEADERS_TOO_LARGE, IN_FULL),
    Attack("B21", "a Location that is no UTF-8",
           plain(routes({"/": redirect("/caf\xe9"), "/caf%E9": answer()}))),
    Attack("B21", "a Location without a scheme", _home_by_itself),
    Attack("B21", "a Location above the root",
           plain(routes({"/a": redirect("../../../up"), "/up": answer()}), "/a")),
    Attack("B22", "a chunk whose size is none", plain(raw(CHUNKED + b"zz\r\nhello\r\n0\r\n\r\n")),
           F.PROTOCOL, "chunk"),
    Attack("B22", "a chunk that is cut", plain(raw(CHUNKED + b"10\r\nhello")), F.PROTOCOL,
           "cut off"),
    Attack("B22", "a chunk of more than there is",
           plain(raw(CHUNKED + b"ffffffffffffffffff\r\nhi")), F.PROTOCOL, "chunk"),
    Attack("B22", "a body that is cut in HTTP/2",
           framed(_ended(H2 + http2.headers() + http2.data(b"hel"))), F.RESET,
           "in the middle of the answer, after 3 bytes"),
    Attack("B23", "less than announced", plain(raw(OK + b"Content-Length: 10\r\n\r\nhello")),
           F.PROTOCOL, "5 of 10 bytes"),
    Attack("B23", "more than announced", plain(raw(OK + b"Content-Length: 3\r\n\r\nhello")),
           F.PROTOCOL, "more came than Content-Length"),
    *(Attack("B23", f"a length of {length}",
             plain(raw(OK + b"Content-Length: " + length.encode() + b"\r\n\r\nhello")), F.PROTOCOL,
             "Content-Length") for length in ("-5", "5, 5", "99999999999999999999", "0x5")),
    Attack("B23", "two lengths",
           plain(raw(OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello")), F.PROTOCOL,
           "Content-Length"),
    Attack("B23", "one length twice",
           plain(raw(OK + b"Content-Length: 2\r\ncontent-length: 2\r\n\r\nhi")), F.PROTOCOL,
           "2, 2"),
    Attack("B24", "a length and chunks",
           plain(raw(OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n"
                     b"2\r\nhi\r\n0\r\n\r\n")),
           F.PROTOCOL, "both Content-Length and Transfer-Encoding"),
    Attack("B25", "a NUL in a header", plain(raw(OK + b"X: a\0b\r\n" + EMPTY)), F.PROTOCOL,
           "NUL byte in header"),
    Attack("B25", "a 0xFF in a header", plain(raw(OK + b"X: a\xffb\r\n" + EMPTY)), F.PROTOCOL,
           "a\\xffb"),
    Attack("B25", "an escape sequence in a header",
           plain(raw(OK + b"X: \x1b[31m\r\n" + EMPTY)), F.PROTOCOL, "\\x1b[31m"),
    Attack("B26", "a body that is no UTF-8", plain(answer(body=b"\xff\xfe\xc3\x28"))),
    Attack("B26", "an unknown charset",
           plain(answer(200, ("Content-Type", "text/x; charset=nobody's"), body=b"h\xe9"))),
    Attack("B26", "UTF-16", plain(answer(body="hello".encode("utf-16")))),
    Attack("B26", "half a pair of UTF-16 in JSON", plain(answer(body=b'{"a": "\\ud800"}'))),
    Attack("B27", "NUL in the body", plain(answer(body=b"a\0b\x1b[31m\x07"))),
    Attack("B28", "plain text that claims to be gzip", plain(packed("gzip", b"hello")), F.DECODE,
           "says it is gzip"),
    Attack("B28", "gzip that is cut", plain(packed("gzip", gzip.compress(b"hello")[:-9])),
           F.DECODE, "says it is gzip"),
    *(Attack("B29", f"{status} with a body",
             plain(raw(b"HTTP/1.1 %d No\r\nContent-Length: 5\r\n\r\nhello" % status)),
             status=status) for status in (204, 304)),
    Attack("B30", "HTTP/2 and nothing else",
           plain(hang(bytes.fromhex("0000120400000000000003000000800004"))), F.PROTOCOL,
           "it may speak only HTTP/2 without TLS"),
    Attack("B30", "a promise of HTTP/2 that is not kept", framed(_ended(OK + EMPTY)), F.RESET,
           "broke the connection"),
    Attack("B30", "HTTP/3 and nothing else", _only_udp, F.REFUSED, "nothing listens there"),
    Attack("B31", "an expired certificate",
           safe(answer(), _certified(not_before=NOW - 30 * DAY, not_after=NOW - 3 * DAY)),
           F.TLS_EXPIRED, f"expired on {NOW - 3 * DAY:%Y-%m-%d}"),
    Attack("B31", "a certificate of the future",
           safe(answer(), _certified(not_before=NOW + 3 * DAY, not_after=NOW + 30 * DAY)),
           F.TLS_NOT_YET_VALID, f"only from {NOW + 3 * DAY:%Y-%m-%d} on"),
    Attack("B31", "a certificate for another host",
           safe(answer(), _certified("other.example")), F.TLS_HOSTNAME, "DNS:other.example"),
    Attack("B31", "an unknown authority", safe(answer(), _unknown), F.TLS_UNTRUSTED,
           "O = Stranger"),
    Attack("B32", "TLS 1.1 and nothing newer", safe(answer(), _only_tls_1_1), F.TLS_VERSION,
           "1.2 or later"),
    Attack("B32", "plain HTTP where TLS should be",
           shaken(raw(b"HTTP/1.1 400 Bad Request\r\n\r\n")), F.TLS_HANDSHAKE, "plain HTTP"),
    Attack("B32", "stalls in the handshake", shaken(hang()), F.TIMEOUT,
           "did not finish the TLS handshake within 500 ms"),
    Attack("B32", "stalls in the middle of the handshake",
           shaken(hang(b"\x16\x03\x03\x40\x00\x02")), F.TIMEOUT,
           "did not finish the TLS handshake within 500 ms"),
    Attack("B32", "drips in the handshake", shaken(drip(b"\x16\x03\x03\x40\x00\x02", b"\x00")),
           F.TIMEOUT, "did not finish the TLS handshake within 500 ms"),
    Attack("B32", "a reset in the handshake", shaken(_read_and_reset), F.RESET,
           "during the TLS handshake"),
    Attack("B33", "a script in the subject and a hundred names", safe(answer(), _scripted)),
    Attack("B33", "a script in the subject of a stranger",
           safe(answer(), lambda: speaks(STRANGER.issue_cert("x.test", organization_name=SCRIPT))),
           F.TLS_HOSTNAME, "for other names"),
    Attack("B33", "a chain of 100 KB", safe(answer(), _chained(1))),
    Attack("B33", "a chain of a megabyte", safe(answer(), _chained(20)), F.TLS_HANDSHAKE,
           "The TLS handshake with"),
    Attack("B34", "a zone in a literal of IPv6",
           lambda _: Opened(_ask("http://[::1%25lo]:1/")), F.EGRESS_DENIED, "network interface"),
    *([
        Attack("B34", "a literal of IPv6", _of_ipv6),
        Attack("B34", "a name whose first family is dead", _of_a_dead_family, F.REFUSED,
               f"{DUAL} ([::1]:"),
    ] if has_ipv6() else []),
    Attack("B34", "a name whose other family was asked for", _of_the_other_family),
]  # fmt: skip
