"""From libcurl's errors to a word and a sentence for people."""

import errno
import re
from typing import NamedTuple

import pycurl

from opsboard.outbound.reply import Failure
from opsboard.outbound.wording import lasting, shown, sized


class Trouble(NamedTuple):
    """Why there is no whole reply. `is_ours`: no verdict on the far side."""

    failure: Failure
    detail: str
    is_ours: bool = False


class Progress(NamedTuple):
    """How far one request came before it failed. Durations in microseconds, sizes in bytes."""

    # "127.0.0.1:8001" or "fares.internal (10.20.1.1:443)".
    far_side: str
    limit: int
    connect_limit: int
    os_error: int
    # What socket() said, 0 when it gave one.
    open_error: int
    is_encrypted: bool
    is_connected: bool
    is_secured: bool
    head_began: bool
    got: int
    # None when the far side did not say.
    announced: int | None


def explain(code: int, message: str, progress: Progress) -> Trouble:
    """Name what libcurl's error means; for certificates that do not verify see `certificates`."""
    if code == pycurl.E_COULDNT_CONNECT:
        return _not_connected(progress)
    if code == pycurl.E_OPERATION_TIMEDOUT:
        return _too_late(progress)
    if code in _BROKEN and (progress.os_error in _RESETS or _is_cut(code, progress)):
        return _reset(progress)
    if code == pycurl.E_RECV_ERROR and " alert " in message:
        return _ended_by_alert(message, progress)
    if code == pycurl.E_SSL_CONNECT_ERROR:
        return _no_handshake(message, progress)
    return _by_code(code, message, progress)


_RESETS = (errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED)
_BROKEN = (
    pycurl.E_RECV_ERROR,
    pycurl.E_SEND_ERROR,
    pycurl.E_SSL_CONNECT_ERROR,
    pycurl.E_GOT_NOTHING,
)


def _is_cut(code: int, progress: Progress) -> bool:
    """Over HTTP/2 we still had something to say when the far side went in its own answer."""
    return code == pycurl.E_SEND_ERROR and progress.head_began


# The last is said of a route into a black hole.
_NO_WAY = (errno.ENETUNREACH, errno.ENETDOWN, errno.EINVAL)

# Our own machine's limits, by what the operating system said.
_OURS = {
    errno.EMFILE: "this process has no file descriptor left; raise its limit of open files",
    errno.ENFILE: "this machine has no file descriptor left",
    errno.ENOBUFS: "this machine has no memory left for connections",
    errno.ENOMEM: "this machine has no memory left for connections",
    errno.EADDRNOTAVAIL: "this machine has no free port left to connect from",
    errno.EACCES: "this machine may not connect there; look at its firewall",
    errno.EPERM: "this machine may not connect there; look at its firewall",
}


def _not_connected(progress: Progress) -> Trouble:
    code, far_side = progress.open_error or progress.os_error, progress.far_side
    if code == errno.ECONNREFUSED:
        return Trouble(
            Failure.REFUSED, f"{far_side} refused the connection: nothing listens there."
        )
    if code in _NO_WAY:
        detail = f"There is no way to {far_side}: this machine knows no route there."
        return Trouble(Failure.UNREACHABLE, detail)
    if code == errno.EHOSTUNREACH:
        return Trouble(Failure.REFUSED, f"There is no way to {far_side}: host unreachable.")
    if code == errno.ETIMEDOUT:
        return _no_connection_in_time(progress)
    if code in _RESETS:
        return Trouble(Failure.RESET, f"{far_side} reset the connection while it was made.")
    # libcurl got no socket and no reason: copying the descriptor failed, so none were left.
    reason = _OURS.get(code or errno.EMFILE, f"the system said error {code}")
    return Trouble(Failure.INTERNAL, f"{far_side} was not asked: {reason}.", is_ours=True)


def _no_connection_in_time(progress: Progress) -> Trouble:
    within = lasting(progress.connect_limit)
    detail = f"{progress.far_side} did not take the connection within {within}."
    return Trouble(Failure.CONNECT_TIMEOUT, detail)


def _too_late(progress: Progress) -> Trouble:
    if not progress.is_connected:
        return _no_connection_in_time(progress)
    far_side, within = progress.far_side, lasting(progress.limit)
    if progress.is_encrypted and not progress.is_secured:
        within = lasting(progress.connect_limit)
        detail = f"{far_side} did not finish the TLS handshake within {within}."
    elif not progress.head_began:
        detail = f"No answer from {far_side} within {within}: connected, but nothing came."
    else:
        detail = f"No complete answer from {far_side} within {within}: {_so_far(progress)} came."
    return Trouble(Failure.TIMEOUT, detail)


def _so_far(progress: Progress) -> str:
    if progress.announced is None:
        return sized(progress.got)
    return f"{progress.got} of {progress.announced} bytes"


def _reset(progress: Progress) -> Trouble:
    if progress.is_encrypted and not progress.is_secured:
        when = "during the TLS handshake"
    elif progress.head_began:
        when = f"in the middle of the answer, after {_so_far(progress)}"
    else:
        when = "before it answered"
    return Trouble(Failure.RESET, f"{progress.far_side} reset the connection {when}.")


_NOT_TLS = ("wrong version number", "http request", "packet length too long", "record layer")
_OTHER_VERSION = ("protocol version", "unsupported protocol", "no protocols available")


def _ended_by_alert(message: str, progress: Progress) -> Trouble:
    """In TLS 1.3 a client certificate is asked for and judged when the handshake is over."""
    far_side = progress.far_side
    if "certificate required" in message:
        detail = f"{far_side} asks for a client certificate, and the sheet's connection has none."
        return Trouble(Failure.TLS_HANDSHAKE, detail)
    said = message.partition(" alert ")[2].partition(",")[0]
    detail = f"{far_side} ended the TLS connection before it answered: {shown(said)}."
    return Trouble(Failure.TLS_HANDSHAKE, detail)


def _no_handshake(message: str, progress: Progress) -> Trouble:
    far_side, said = progress.far_side, message.rpartition("::")[2].rpartition("error:")[2].strip()
    if any(words in message for words in _NOT_TLS):
        detail = f"{far_side} does not speak TLS on this port; it spoke plain HTTP or another way."
        return Trouble(Failure.TLS_HANDSHAKE, detail)
    if any(words in message for words in _OTHER_VERSION):
        detail = f"{far_side} speaks no TLS version that is safe (1.2 or later): {shown(said)}."
        return Trouble(Failure.TLS_VERSION, detail)
    detail = f"The TLS handshake with {far_side} failed: {shown(said)}."
    return Trouble(Failure.TLS_HANDSHAKE, detail)


# Sentences by libcurl's code; {0} is the far side, {1} how much came, {2} libcurl's own words.
_BY_CODE = {
    pycurl.E_COULDNT_RESOLVE_HOST: (Failure.DNS, "No such host: {0}."),
    pycurl.E_GOT_NOTHING: (
        Failure.PROTOCOL,
        "{0} closed the connection without an answer.",
    ),
    pycurl.E_PARTIAL_FILE: (Failure.PROTOCOL, "The answer of {0} was cut off: {1} came."),
    pycurl.E_UNSUPPORTED_PROTOCOL: (
        Failure.PROTOCOL,
        "{0} did not answer in HTTP/1.x; it may speak only HTTP/2 without TLS, or another way.",
    ),
    pycurl.E_SEND_ERROR: (Failure.RESET, "{0} broke the connection while it was asked."),
}

_PROTOCOL = (
    pycurl.E_FTP_WEIRD_SERVER_REPLY,
    pycurl.E_RECV_ERROR,
    pycurl.E_HTTP2,
    92,  # CURLE_HTTP2_STREAM
    pycurl.E_BAD_CONTENT_ENCODING,
)
_TOO_LARGE = 100


def _by_code(code: int, message: str, progress: Progress) -> Trouble:
    if code == _TOO_LARGE or "Too large response headers" in message:
        return headers_too_large(progress.far_side)
    if code == pycurl.E_UNSUPPORTED_PROTOCOL and "response" in message:
        detail = f"The status line of {progress.far_side} is not valid HTTP."
        return Trouble(Failure.PROTOCOL, detail)
    if code in _BY_CODE:
        failure, sentence = _BY_CODE[code]
        return Trouble(failure, sentence.format(progress.far_side, _so_far(progress)))
    if code in _PROTOCOL:
        detail = f"The answer of {progress.far_side} is not valid HTTP: {_lowered(message)}."
        return Trouble(Failure.PROTOCOL, detail)
    if code in _TRUST_FILE:
        detail = "The file of trusted certificates cannot be read; look at SSL_CERT_FILE."
        return Trouble(Failure.CONFIG, detail, is_ours=True)
    detail = f"{progress.far_side} was not asked: {_lowered(message)} (error {code})."
    return Trouble(Failure.INTERNAL, detail, is_ours=True)


_TRUST_FILE = (pycurl.E_SSL_CACERT_BADFILE, pycurl.E_SSL_CERTPROBLEM)


def headers_too_large(far_side: str) -> Trouble:
    detail = f"The headers of {far_side} are longer than 100 lines or 32 KiB."
    return Trouble(Failure.HEADERS_TOO_LARGE, detail)


def body_too_large(limit: int) -> Trouble:
    return Trouble(Failure.TOO_LARGE, f"The answer is larger than {sized(limit)}.")


# How libcurl's libraries begin and what they call us, in front of what they have to say.
_JARGON = re.compile(r"^(?:nghttp2 recv error -\d+: |\[HTTP2\] \[\d+\] )| by curl(?= |$)")


def _lowered(message: str) -> str:
    said = shown(_JARGON.sub("", message)).rstrip(".") or "the connection broke"
    # "NUL byte in header" begins with a name.
    return said if said[1:2].isupper() else said[:1].lower() + said[1:]
