"""One HTTP request with libcurl: bounded in time and size, TLS verified, no redirect followed."""

import importlib.util
import os
from dataclasses import dataclass, field

import pycurl

LARGEST_ANSWER = 8 << 20
_LARGEST_HEAD = 64 << 10
_CONNECT_WITHIN = 5.0

# The far side or the way to it was away for a moment: asking again may help.
_PASSING = {
    pycurl.E_COULDNT_RESOLVE_HOST: "its name cannot be looked up",
    pycurl.E_COULDNT_RESOLVE_PROXY: "the proxy's name cannot be looked up",
    pycurl.E_COULDNT_CONNECT: "nothing answers there",
    pycurl.E_OPERATION_TIMEDOUT: "it did not answer in time",
    pycurl.E_PARTIAL_FILE: "its answer broke off",
    pycurl.E_GOT_NOTHING: "it hung up without an answer",
    pycurl.E_SEND_ERROR: "the connection broke",
    pycurl.E_RECV_ERROR: "the connection broke",
    pycurl.E_HTTP2: "the connection broke",
    # Of a stream of HTTP/2; pycurl has no name for it.
    92: "the connection broke",
}
_TLS = {
    pycurl.E_PEER_FAILED_VERIFICATION: "its certificate does not verify",
    pycurl.E_SSL_CACERT_BADFILE: "the file of trusted certificates (SSL_CERT_FILE) cannot be read",
    pycurl.E_SSL_CONNECT_ERROR: "no TLS connection comes about",
}


class Trouble(Exception):
    """No whole answer came. `may_pass`: asking again may help."""

    def __init__(self, sentence: str, *, may_pass: bool) -> None:
        super().__init__(sentence)
        self.sentence, self.may_pass = sentence, may_pass


@dataclass(slots=True)
class Raw:
    """What came over the wire, unjudged. Header names are in lower case."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


def exchange(method: str, url: str, headers: list[str], body: bytes | None, seconds: float) -> Raw:
    """One request, over after `seconds` whatever the far side does. Raises Trouble."""
    taken = _Taken()
    handle = pycurl.Curl()
    try:
        for option, value in (*_always(), *_this(method, url, headers, body, seconds)):
            handle.setopt(option, value)
        handle.setopt(pycurl.HEADERFUNCTION, taken.header)
        handle.setopt(pycurl.WRITEFUNCTION, taken.chunk)
        handle.perform()
        taken.raw.status = handle.getinfo(pycurl.RESPONSE_CODE)
    except pycurl.error as wrong:
        raise _trouble(wrong.args[0], taken) from None
    finally:
        handle.close()
    taken.raw.body = b"".join(taken.chunks)
    return taken.raw


class _Taken:
    def __init__(self) -> None:
        self.raw = Raw()
        self.chunks: list[bytes] = []
        self._size = self._head = 0
        self.is_too_large = False

    def header(self, line: bytes) -> int | None:
        self._head += len(line)
        if self._head > _LARGEST_HEAD:
            return self._stop()
        if line.startswith(b"HTTP/"):
            # Another answer begins: the one before was an interim one.
            self.raw.headers.clear()
        name, _, value = line.decode("latin-1").partition(":")
        self.raw.headers[name.strip().lower()] = value.strip()
        return None

    def chunk(self, data: bytes) -> int | None:
        self._size += len(data)
        if self._size > LARGEST_ANSWER:
            return self._stop()
        self.chunks.append(data)
        return None

    def _stop(self) -> int:
        """Any count that is not the length of what came makes libcurl break off."""
        self.is_too_large = True
        return 0


def _always() -> tuple[tuple[int, object], ...]:
    return (
        (pycurl.NOSIGNAL, 1),
        (pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS),
        (pycurl.FOLLOWLOCATION, 0),
        (pycurl.NETRC, pycurl.NETRC_IGNORED),
        (pycurl.USERAGENT, "opsboard-cli"),
        (pycurl.SSLVERSION, pycurl.SSLVERSION_TLSv1_2),
        (pycurl.SSL_VERIFYPEER, 1),
        (pycurl.SSL_VERIFYHOST, 2),
        *((pycurl.CAINFO, one) for one in _trusted()),
    )


def _this(
    method: str, url: str, headers: list[str], body: bytes | None, seconds: float
) -> tuple[tuple[int, object], ...]:
    # Zero would mean for ever.
    whole = max(int(seconds * 1000), 1)
    sent = () if body is None else ((pycurl.POST, 1), (pycurl.POSTFIELDS, body))
    return (
        (pycurl.URL, url),
        *sent,
        (pycurl.CUSTOMREQUEST, method),
        # Without Expect, which costs a second where nobody answers it.
        (pycurl.HTTPHEADER, [*headers, "Expect:"]),
        (pycurl.TIMEOUT_MS, whole),
        (pycurl.CONNECTTIMEOUT_MS, min(whole, int(_CONNECT_WITHIN * 1000))),
    )


def _trusted() -> list[str]:
    """SSL_CERT_FILE (a private authority), else certifi's list, else libcurl's own."""
    if named := os.environ.get("SSL_CERT_FILE"):
        return [named]
    if importlib.util.find_spec("certifi") is None:
        return []
    import certifi

    return [certifi.where()]


def _trouble(code: int, taken: _Taken) -> Trouble:
    if taken.is_too_large:
        return Trouble("its answer is too large to be one", may_pass=False)
    if code in _PASSING:
        return Trouble(_PASSING[code], may_pass=True)
    return Trouble(_TLS.get(code, f"libcurl gave up (error {code})"), may_pass=False)
