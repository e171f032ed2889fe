"""What came back from another machine, as plain values: no network, no Django, no clock.

A `Reply` is returned for everything that can happen on the far side. Trouble is a `Failure`, never
an exception. All durations are whole microseconds.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import ClassVar


class Failure(StrEnum):
    """Why there is no whole reply. `CONFIG` and `INTERNAL` are ours and never open an incident."""

    DNS = "dns"
    REFUSED = "refused"
    # This machine knows no way there.
    UNREACHABLE = "unreachable"
    CONNECT_TIMEOUT = "connect_timeout"
    TIMEOUT = "timeout"
    RESET = "reset"
    PROTOCOL = "protocol"
    TOO_LARGE = "too_large"
    HEADERS_TOO_LARGE = "headers_too_large"
    DECODE = "decode"
    REDIRECT_REFUSED = "redirect_refused"
    REDIRECT_LOOP = "redirect_loop"
    EGRESS_DENIED = "egress_denied"
    TLS_EXPIRED = "tls_expired"
    TLS_NOT_YET_VALID = "tls_not_yet_valid"
    TLS_HOSTNAME = "tls_hostname"
    TLS_UNTRUSTED = "tls_untrusted"
    TLS_VERSION = "tls_version"
    TLS_HANDSHAKE = "tls_handshake"
    CONFIG = "config"
    INTERNAL = "internal"
    # Of heartbeats: no report in time, a run that does not end, and none expected before it is due.
    LATE = "late"
    NOT_ENDED = "not_ended"
    AWAITED = "awaited"


@dataclass(frozen=True, slots=True, kw_only=True)
class Phases:
    """Where the time went, in microseconds, summed over redirects. `total` is the whole request."""

    dns: int = 0
    connect: int = 0
    tls: int = 0
    first_byte: int = 0
    transfer: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """The leaf certificate the far side showed, already verified."""

    not_after: datetime
    issuer: str
    subject: str
    # As its issuer numbered it; "" where the far side's library did not tell.
    serial: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One reply, whole or not.

    `failure` is None when a whole reply came. With a failure, what did arrive is still told:
    `TOO_LARGE` keeps status, headers and the body up to the cap.
    """

    failure: Failure | None = None
    # One sentence for a person, without the name of an exception. Empty when failure is None.
    detail: str = ""
    status: int | None = None
    # Names as sent; one pair for each header line, of the last hop.
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    phases: Phases = field(default_factory=Phases)
    # "1.0", "1.1", "2" or "3"; empty when no status line came.
    http_version: str = ""
    redirects: int = 0
    certificate: Certificate | None = None
    # The address really connected to on the last hop, "" when there was none.
    peer: str = ""
    # True for an egress refusal before anything was followed, a config or an internal error:
    # an error of our own, no verdict on the service.
    is_ours: bool = False
    # How long our own loop kept this reply waiting, at worst, while it was asked.
    loop_delay: int = 0
    # Of a heartbeat: what its job ended with. None: it told none.
    exit_code: int | None = None
    # False: how long it took is not known, so that no limit of time is kept.
    is_timed: bool = True
    # The body is the beginning of what was sent: what it does not hold may stand in the rest.
    is_cut: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """How a request is carried, where not as usual. All text, no template marks.

    `certificate`, `key` and `server_name` are for the host that was asked, and go to no other; the
    proxy and its credentials serve every hop.
    """

    # "1.1" or "2" and no other; "": the best that both sides speak.
    http: str = ""
    # 4 or 6: only addresses of that family; 0: the first that the system gives.
    ip: int = 0
    # The name of the TLS handshake (SNI), which is the one that is verified; "": the address's.
    server_name: str = ""
    # PEM of the authorities that are trusted instead of the usual ones.
    authority: str = ""
    # PEM of the client certificate, with its chain, and of its key.
    certificate: str = field(default="", repr=False)
    key: str = field(default="", repr=False)
    # http://user:password@host:port; the only proxy there is.
    proxy: str = field(default="", repr=False)


USUAL = Connection()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One request to make, rendered: no template marks, no secrets left to look up."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    # Bounds the whole request with its redirects, in microseconds.
    timeout: int = 10_000_000
    follow: bool = True
    max_redirects: int = 5
    max_body: int = 1 << 20
    connection: Connection = USUAL

    @property
    def line(self) -> str:
        """What is asked, on one line for a person. It may hold secrets."""
        return f"{self.method} {self.url}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dial:
    """One connection to make, and what is said over it.

    Nothing is read unless `reads`. Then the answer is what came until the far side closed, or was
    quiet for a quarter of a second after its first bytes; more than `max_body` is too large.
    """

    # A name, or a literal (IPv6 in brackets).
    host: str
    port: int
    # TLS, verified as for HTTPS.
    is_secured: bool = False
    # Sent as soon as the connection stands.
    body: bytes = b""
    reads: bool = False
    # Bounds the whole, in microseconds.
    timeout: int = 10_000_000
    max_body: int = 64 << 10
    connection: Connection = USUAL
    headers: ClassVar[tuple[tuple[str, str], ...]] = ()

    @property
    def url(self) -> str:
        """The address that libcurl is given, which then only connects."""
        return f"http{'s' * self.is_secured}://{self.host}:{self.port}/"

    @property
    def line(self) -> str:
        return f"{'TLS' if self.is_secured else 'TCP'} {self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """One question to a name server. Its answer comes as JSON:

    {"name", "type", "rcode", "server", "answers": [{"type", "value", "ttl"}, ...]}
    """

    name: str
    # "A", "AAAA", "MX", …
    type: str = "A"
    # An address; "": those that this machine itself asks, whatever the egress rule says.
    server: str = ""
    port: int = 53
    # Bounds the whole with its retries, in microseconds.
    timeout: int = 10_000_000
    # Of the answer as it comes over the wire.
    max_body: int = 16 << 10
    connection: ClassVar[Connection] = USUAL
    headers: ClassVar[tuple[tuple[str, str], ...]] = ()

    @property
    def url(self) -> str:
        """As RFC 4501 writes it."""
        return f"dns://{self._place}/{self.name}?type={self.type}"

    @property
    def line(self) -> str:
        return f"DNS {self.name} {self.type}{f' @{self._place}' if self.server else ''}"

    @property
    def _place(self) -> str:
        if not self.server or self.port == 53:
            return self.server
        host = f"[{self.server}]" if ":" in self.server else self.server
        return f"{host}:{self.port}"


# Whatever can be asked of another machine.
type Asked = Ask | Dial | Lookup
