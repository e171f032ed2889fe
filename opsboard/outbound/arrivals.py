"""What came over a line, as the `Reply` of one hop."""

from typing import Any

import pycurl

from opsboard.outbound import certificates
from opsboard.outbound.connections import proxy_trouble, sheet_trouble, spoke_otherwise
from opsboard.outbound.failures import Progress, Trouble, body_too_large, explain
from opsboard.outbound.heads import Head, read_head, values
from opsboard.outbound.lines import Line
from opsboard.outbound.reply import USUAL, Certificate, Failure, Phases, Reply
from opsboard.outbound.unpacking import NotPackedError, packing, unpack

_VERSIONS = {1: "1.0", 2: "1.1", 3: "2", 30: "3"}
_BODILESS = (204, 304)


def read(line: Line, code: int, message: str, *, looked_up: int, loop_delay: int) -> Reply:
    """The reply of one hop, never an exception.

    `code` and `message` are libcurl's, 0 and "" when it is content; `looked_up` is the microseconds
    that finding the address took, `loop_delay` those that our own loop kept it waiting.
    """
    info = line.handle.getinfo
    status: int = info(pycurl.RESPONSE_CODE)
    head = read_head(line.header_lines)
    trouble = _trouble(line, code, message) or _flaw(line, head, status)
    version = _VERSIONS.get(info(pycurl.INFO_HTTP_VERSION), "")
    if line.hop.connection is not USUAL:
        trouble = trouble or spoke_otherwise(line.hop, line.far_side, version)
    body = b"".join(line.chunks)
    if not trouble:
        trouble, body = _unpacked(body, head, line)
    return Reply(
        failure=trouble.failure if trouble else None,
        detail=trouble.detail if trouble else "",
        is_ours=bool(trouble and trouble.is_ours),
        # 100 and 103 announce an answer; they are none.
        status=status if status >= 200 or status == 101 else None,
        headers=head.headers,
        body=body[: line.limits.max_body],
        phases=_phases(line, looked_up),
        http_version=version,
        certificate=_certificate(line),
        peer=info(pycurl.PRIMARY_IP) or "",
        loop_delay=loop_delay,
    )


def _trouble(line: Line, code: int, message: str) -> Trouble | None:
    if line.refusal:
        return Trouble(Failure.EGRESS_DENIED, line.refusal.sentence)
    if line.stopped or not code:
        return _only_announced(line) or line.stopped
    if line.hop.connection is not USUAL:
        trouble = _of_connection(line, code, message)
        if trouble:
            return trouble
    if code == pycurl.E_PEER_FAILED_VERIFICATION:
        verdict = line.handle.getinfo(pycurl.SSL_VERIFYRESULT)
        return certificates.explain(line.far_side, verdict, message, _chain(line))
    return explain(code, message, progress_of(line))


def _only_announced(line: Line) -> Trouble | None:
    """Headers without end that are no answer's: 100 Continue over and over."""
    if not (line.stopped and 100 <= line.handle.getinfo(pycurl.RESPONSE_CODE) < 200):
        return None
    if sum(said.startswith(b"HTTP/") for said in line.header_lines) < 2:
        return None
    detail = f"{line.far_side} announced an answer again and again and sent none."
    return Trouble(Failure.PROTOCOL, detail)


def _of_connection(line: Line, code: int, message: str) -> Trouble | None:
    """Trouble that only an unusual connection can have."""
    trouble = sheet_trouble(line.hop.connection, code)
    if code == pycurl.E_HTTP2 and not (line.header_lines or line.hop.target.is_encrypted):
        detail = f"{line.far_side} does not speak HTTP/2 without TLS."
        return Trouble(Failure.PROTOCOL, detail)
    if not trouble and line.hop.proxy:
        connect_code = line.handle.getinfo(pycurl.HTTP_CONNECTCODE)
        trouble = proxy_trouble(line.hop, code, message, connect_code)
        if not trouble and not line.is_through:
            return _capitalized(explain(code, message, progress_of(line)))
    return trouble


def _capitalized(trouble: Trouble) -> Trouble:
    return trouble._replace(detail=trouble.detail[:1].upper() + trouble.detail[1:])


def _flaw(line: Line, head: Head, status: int) -> Trouble | None:
    """What libcurl lets pass. Bytes after a reply that has no body are only ignored."""
    flaw = head.flaw
    if not flaw and line.has_excess and status not in _BODILESS and line.hop.method != "HEAD":
        flaw = "more came than Content-Length announced"
    if not flaw:
        return None
    detail = f"The answer of {line.far_side} is not valid HTTP: {flaw}."
    return Trouble(Failure.PROTOCOL, detail)


def _unpacked(body: bytes, head: Head, line: Line) -> tuple[Trouble | None, bytes]:
    coding = packing(values(head.headers, "content-encoding"))
    if not (coding and body):
        return None, body
    limit = line.limits.max_body
    try:
        unpacked = unpack(body, coding, limit)
    except NotPackedError:
        detail = f"The answer of {line.far_side} says it is {coding} but cannot be unpacked so."
        return Trouble(Failure.DECODE, detail), body
    if len(unpacked) <= limit:
        return None, unpacked
    too_large = body_too_large(limit)
    return too_large._replace(detail=f"{too_large.detail[:-1]} after unpacking."), unpacked


def progress_of(line: Line) -> Progress:
    """How far the request of a line came."""
    info = line.handle.getinfo
    announced: int = info(pycurl.CONTENT_LENGTH_DOWNLOAD_T)
    return Progress(
        far_side=line.far_side,
        limit=line.limits.whole,
        connect_limit=line.limits.connect,
        os_error=info(pycurl.OS_ERRNO),
        open_error=line.open_error,
        is_encrypted=line.hop.target.is_encrypted,
        is_connected=info(pycurl.CONNECT_TIME_T) > 0,
        is_secured=info(pycurl.APPCONNECT_TIME_T) > 0,
        head_began=bool(line.header_lines or (line.hop.dial and line.got)),
        got=line.got,
        announced=announced if announced >= 0 else None,
    )


def _phases(line: Line, looked_up: int) -> Phases:
    """libcurl's marks as lengths. A phase that was not finished has the time until the end.

    The marks are rounded apart from each other, so a length may come out at -1: that is 0.
    """
    info = line.handle.getinfo
    end: int = info(pycurl.TOTAL_TIME_T)
    named = info(pycurl.NAMELOOKUP_TIME_T) or end
    connected = info(pycurl.CONNECT_TIME_T) or end
    is_encrypted = line.hop.target.is_encrypted
    secured = (info(pycurl.APPCONNECT_TIME_T) or end) if is_encrypted else connected
    began = info(pycurl.STARTTRANSFER_TIME_T) or end
    return Phases(
        dns=looked_up + named,
        connect=max(0, connected - named),
        tls=max(0, secured - connected),
        first_byte=max(0, began - secured),
        transfer=max(0, end - began),
        total=looked_up + end,
    )


def _certificate(line: Line) -> Certificate | None:
    """None before the handshake was finished: then nothing is verified."""
    if not (line.hop.target.is_encrypted and line.handle.getinfo(pycurl.APPCONNECT_TIME_T)):
        return None
    return certificates.read_leaf(_chain(line))


def _chain(line: Line) -> list[Any]:
    return list(line.handle.getinfo(pycurl.INFO_CERTINFO))
