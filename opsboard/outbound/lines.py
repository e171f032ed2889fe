"""One libcurl handle with what comes back over it: a line that is dialled again and again.

A plain GET changes only the address, the headers and the times, so the other forty options stay set
between uses (an option costs about a microsecond). After anything else the handle is reset.
"""

import os
import re
import socket
from typing import Any, NamedTuple

import certifi
import pycurl

from opsboard.outbound.connections import dialling, set_connection
from opsboard.outbound.egress import Policy, Refusal
from opsboard.outbound.failures import Trouble, body_too_large, headers_too_large
from opsboard.outbound.heads import Headers
from opsboard.outbound.redirects import Hop
from opsboard.outbound.reply import USUAL

USER_AGENT = b"Opsboard/0.1"
MAX_HEADER_BYTES = 32 * 1024
# With the status line and the empty line at the end.
_MAX_HEADER_LINES = 100 + 2

_STOP = -1
# All usual groups are offered, but only the cheap one with a key at once: the other keys are made
# for nothing where the far side takes it, which is 7 % of a handshake. OpenSSL 3.5 began both the
# making of several keys and this way of writing it.
_OPENSSL = re.search(r"OpenSSL/(\d+)\.(\d+)", pycurl.version)
_HAS_KEY_MARKS = _OPENSSL is not None and (int(_OPENSSL[1]), int(_OPENSSL[2])) >= (3, 5)
_GROUPS = (
    ((pycurl.SSL_EC_CURVES, b"*X25519:X25519MLKEM768:P-256:P-384:P-521"),) if _HAS_KEY_MARKS else ()
)


class Limits(NamedTuple):
    """Microseconds and bytes of one hop; `whole` and `connect` are what the sentences tell."""

    whole: int
    left: int
    connect: int
    # Of `connect`, when looking up the name has taken its part.
    connect_left: int
    max_body: int


def trusted_certificates() -> str:
    """SSL_CERT_FILE where the environment names one (a private authority), else certifi's."""
    return os.environ.get("SSL_CERT_FILE") or certifi.where()


class _Opened:
    """A descriptor that libcurl copies; the original goes when nobody holds this any more."""

    __slots__ = ("_descriptor",)

    def __init__(self, opened: socket.socket) -> None:
        self._descriptor = opened.detach()

    def fileno(self) -> int:
        return self._descriptor

    def __del__(self) -> None:
        os.close(self._descriptor)


class Line:
    """`dial`, let libcurl run `handle`, read what came (`arrivals.read`), `hang_up`."""

    # Of the request it was last dialled for.
    hop: Hop
    limits: Limits
    policy: Policy

    def __init__(self) -> None:
        self.handle = pycurl.Curl()
        self._trusted = trusted_certificates()
        self._is_plain = True
        self._is_led = False
        self._prepare()

    def close(self) -> None:
        self.handle.close()

    def dial(self, hop: Hop, policy: Policy, limits: Limits, address: str) -> None:
        """Set up one request. `address` is the looked up one, "" when libcurl needs none."""
        self.hop, self.policy, self.limits = hop, policy, limits
        self.header_lines: list[bytes] = []
        self.header_bytes = 0
        self.chunks: list[bytes] = []
        self.got = 0
        self.dialled = ""
        self.refusal: Refusal | None = None
        self.open_error = 0
        self.stopped: Trouble | None = None
        self.has_excess = False
        self._set_request(address)

    def hang_up(self) -> None:
        """Forget the request, so that the next one inherits nothing."""
        self.chunks, self.header_lines = [], []
        if not self._is_plain:
            self.handle.reset()
            self._prepare()
            self._is_plain, self._is_led = True, False

    # What is set once.

    def _prepare(self) -> None:
        handle = self.handle
        for option, value in (
            (pycurl.NOSIGNAL, 1),
            (pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS),
            (pycurl.FOLLOWLOCATION, 0),
            (pycurl.FRESH_CONNECT, 1),
            (pycurl.FORBID_REUSE, 1),
            (pycurl.PROXY, b""),
            (pycurl.NOPROXY, b"*"),
            (pycurl.NETRC, pycurl.NETRC_IGNORED),
            # libcurl looks through all that it remembers at each request: with thousands of hosts
            # that was a third of the price.
            (pycurl.DNS_CACHE_TIMEOUT, 0),
            (pycurl.USERAGENT, USER_AGENT),
            (pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_2TLS),
            (pycurl.SSLVERSION, pycurl.SSLVERSION_TLSv1_2),
            (pycurl.SSL_VERIFYPEER, 1),
            (pycurl.SSL_VERIFYHOST, 2),
            # A resumed session shows no certificate.
            (pycurl.SSL_SESSIONID_CACHE, 0),
            *_GROUPS,
            (pycurl.CAINFO, self._trusted),
            (pycurl.OPT_CERTINFO, 1),
            (pycurl.OPENSOCKETFUNCTION, self._open),
            (pycurl.HEADERFUNCTION, self._take_header),
            (pycurl.WRITEFUNCTION, self._take_body),
            # The only way to learn that more came than Content-Length announced; 4 us.
            (pycurl.VERBOSE, 1),
            (pycurl.DEBUGFUNCTION, self._overhear),
        ):
            handle.setopt(option, value)

    # What is set for each request.

    def _set_request(self, address: str) -> None:
        handle, hop, limits = self.handle, self.hop, self.limits
        handle.setopt(pycurl.URL, hop.target.url)
        handle.setopt(pycurl.HTTPHEADER, _header_lines(hop.headers, bool(hop.body)))
        # Zero would mean for ever.
        handle.setopt(pycurl.TIMEOUT_MS, max(limits.left // 1000, 1))
        handle.setopt(pycurl.CONNECTTIMEOUT_MS, max(limits.connect_left // 1000, 1))
        if address:
            shape = "::[{}]:" if ":" in address else "::{}:"
            handle.setopt(pycurl.CONNECT_TO, [shape.format(address)])
        elif self._is_led:
            handle.unsetopt(pycurl.CONNECT_TO)
        self._is_led = bool(address)
        if hop.connection is not USUAL:
            self._is_plain = False
            set_connection(handle, hop, address)
        if hop.dial:
            self._is_plain = False
            self._only_connect()
        if hop.method != "GET" or hop.body:
            self._is_plain = False
            self._set_method(hop.method, hop.body)

    def _only_connect(self) -> None:
        """libcurl is content as soon as the connection stands, and keeps it until `hang_up`."""
        self.handle.setopt(pycurl.CONNECT_ONLY, 1)
        self.handle.setopt(pycurl.FORBID_REUSE, 0)
        # Whatever is spoken there, it need not be HTTP.
        self.handle.setopt(pycurl.SSL_ENABLE_ALPN, 0)

    def _set_method(self, method: str, body: bytes) -> None:
        handle = self.handle
        if method.upper() == "HEAD":
            handle.setopt(pycurl.NOBODY, 1)
        elif body or method in ("POST", "PUT", "PATCH"):
            handle.setopt(pycurl.POST, 1)
            handle.setopt(pycurl.POSTFIELDS, body)
        handle.setopt(pycurl.CUSTOMREQUEST, method)

    # What libcurl calls back. These must not raise: libcurl would go on without the answer.

    def _open(self, _purpose: int, address: Any) -> Any:
        host, port = address.addr[:2]
        self.dialled = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        # After a refusal no other address of the host is tried.
        self.refusal = self.refusal or self.policy.judge(host, port)
        if self.refusal:
            return pycurl.SOCKET_BAD
        try:
            return _Opened(socket.socket(address.family, address.socktype, address.protocol))
        except OSError as error:
            self.open_error = error.errno or 0
            return pycurl.SOCKET_BAD

    def _take_header(self, line: bytes) -> int | None:
        self.header_lines.append(line)
        self.header_bytes += len(line)
        if self.header_bytes > MAX_HEADER_BYTES or len(self.header_lines) > _MAX_HEADER_LINES:
            self.stopped = headers_too_large(self.far_side)
            return _STOP
        return None

    def _take_body(self, chunk: bytes) -> int | None:
        self.chunks.append(chunk)
        self.got += len(chunk)
        if self.got > self.limits.max_body:
            self.stopped = body_too_large(self.limits.max_body)
            return _STOP
        return None

    def _overhear(self, _kind: int, said: bytes) -> None:
        if said.startswith(b"Excess"):
            self.has_excess = True

    @property
    def is_through(self) -> bool:
        """Whether a proxy has let us through: what is said then is said by the far side."""
        code: int = self.handle.getinfo(pycurl.HTTP_CONNECTCODE)
        is_tunnel = self.hop.target.is_encrypted
        return code // 100 == 2 if is_tunnel else self.handle.getinfo(pycurl.CONNECT_TIME_T) > 0

    @property
    def far_side(self) -> str:
        """Who was dialled, for a sentence: `127.0.0.1:80` or `fares.internal (10.20.1.1:443)`."""
        host = self.hop.target.host
        if self.hop.proxy:
            return dialling(self.hop, self.dialled, is_through=self.is_through)
        if not self.dialled or self.dialled.startswith(f"{host}:"):
            return self.dialled or self.hop.target.site
        return f"{host} ({self.dialled})"


_LIBCURLS_OWN = (("content-type", b"Content-Type:"), ("expect", b"Expect:"))


def _header_lines(headers: Headers, has_body: bool) -> list[bytes]:
    """The hop's own headers win. libcurl adds no Content-Type and no Expect of its own."""
    names = {name.lower() for name, _ in headers}
    lines = [_header_line(name, value) for name, value in headers]
    if "accept-encoding" not in names:
        lines.append(b"Accept-Encoding: identity")
    if has_body:
        lines += [absent for name, absent in _LIBCURLS_OWN if name not in names]
    return lines


def _header_line(name: str, value: str) -> bytes:
    # To libcurl "Name:" means: leave this header out.
    return (f"{name}: {value}" if value.strip() else f"{name};").encode()
