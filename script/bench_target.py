"""What the bench probes: a server on loopback that every address of 127.0.0.0/8 reaches.

nginx where it is installed, else one of asyncio. Beside it, always of asyncio: one that hangs, one
that takes 20 ms, and one that fails from SIGUSR1 on. All answer only who asks from loopback.
"""

import asyncio
import contextlib
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import certifi
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

BODY = '{"ok": true, "items": [{"id": 7, "price": 118}], "note": "ready"}'
TIMING = 'db;dur=1.5;desc="3"'
CACHE = "bench; hit"
# HTTPS hosts, so many to a certificate, as behind a shared front: each handshake verifies one.
CERTIFICATES = 20
HOSTS_A_CERTIFICATE = 50
SLOW_SECONDS = 0.02


def host(number: int) -> str:
    """The address of a service's own host: no two services share one."""
    return f"127.{1 + number // 62_500}.{number // 250 % 250}.{1 + number % 250}"


def tls_host(number: int) -> str:
    number %= CERTIFICATES * HOSTS_A_CERTIFICATE
    return f"127.200.{number // HOSTS_A_CERTIFICATE}.{1 + number % HOSTS_A_CERTIFICATE}"


@dataclass(frozen=True)
class Target:
    """Where it answers. `ca` is a file of all authorities a machine trusts, and the bench's own."""

    server: str
    http: int
    https: int
    hanging: int
    slow: int
    failing: int
    # SIGUSR1 to this process makes all of `failing` answer 503.
    failing_pid: int
    ca: str

    def as_json(self) -> dict[str, object]:
        return asdict(self)


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Target]:
    """Start all of them; leaving ends them. The folder keeps certificates and what nginx says."""
    make_certificates(folder)
    started: list[subprocess.Popen[bytes]] = []
    http, https = free_port(), free_port()
    ports = {how: free_port() for how in ("hanging", "slow", "failing")}
    nginx = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    try:
        if nginx:
            (folder / "nginx.conf").write_text(nginx_conf(folder, http, https))
            command = [nginx, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "errors"]
            started.append(started_alone(command))
        else:
            started.append(asyncio_server("plain", http, https, folder))
        beside = {how: asyncio_server(how, port, 0, folder) for how, port in ports.items()}
        started += beside.values()
        for port in (http, https, *ports.values()):
            wait_for(port)
        yield Target(
            server=nginx_version(nginx) if nginx else "the bench's own asyncio server",
            http=http,
            https=https,
            failing_pid=beside["failing"].pid,
            ca=str(folder / "ca.pem"),
            **ports,
        )
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait()


def free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return trial.getsockname()[1]


def wait_for(port: int, seconds: float = 10) -> None:
    until = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
        else:
            return


def nginx_version(nginx: str) -> str:
    said = subprocess.run([nginx, "-v"], capture_output=True, text=True, check=True).stderr
    return said.strip().rpartition(" ")[2].replace("/", " ")


def nginx_conf(folder: Path, http: int, https: int) -> str:
    """One worker. The port is open on every address, for all of 127.0.0.0/8 to reach it, but who
    does not ask from there is turned away."""
    answer = f"""
        allow 127.0.0.0/8; deny all;
        default_type application/json;
        add_header Server-Timing '{TIMING}';
        add_header Cache-Status '{CACHE}';
        location / {{ return 200 '{BODY}'; }}
        location /broken {{ return 503 '{{"ok": false}}'; }}"""
    listening = [
        "".join(
            f"listen 127.200.{number}.{last}:{https} ssl; "
            for last in range(1, HOSTS_A_CERTIFICATE + 1)
        )
        for number in range(CERTIFICATES)
    ]
    secured = "".join(
        f"""server {{ {listen}
        ssl_certificate {folder}/{number}.pem; ssl_certificate_key {folder}/key.pem; {answer} }}"""
        for number, listen in enumerate(listening)
    )
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind}; "
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return f"""daemon off; worker_processes 1; worker_rlimit_nofile 20000;
pid {folder}/nginx.pid; error_log {folder}/nginx.log crit;
events {{ worker_connections 8192; }}
http {{ access_log off; {temporary}
    # Every handshake is a full one.
    ssl_session_cache off; ssl_session_tickets off;
    server {{ listen 0.0.0.0:{http} backlog=4096; {answer} }}
    server {{ listen 0.0.0.0:{https} ssl backlog=4096;
        ssl_certificate {folder}/0.pem; ssl_certificate_key {folder}/key.pem; {answer} }}
    {secured}
}}
"""


def make_certificates(folder: Path) -> None:
    """An authority of the bench's own, and certificates for the HTTPS hosts, all of P-256."""
    authority, key = (
        ec.generate_private_key(ec.SECP256R1()),
        ec.generate_private_key(ec.SECP256R1()),
    )
    issuer = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Opsboard bench")])
    root = signed(issuer, issuer, authority, authority.public_key())
    root = root.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    (folder / "ca.pem").write_bytes(
        Path(certifi.where()).read_bytes()
        + root.sign(authority, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    )
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    for number in range(CERTIFICATES):
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, f"bench {number}")])
        names = [
            x509.IPAddress(ip_address(f"127.200.{number}.{last}"))
            for last in range(1, HOSTS_A_CERTIFICATE + 1)
        ]
        leaf = signed(issuer, subject, authority, key.public_key())
        leaf = leaf.add_extension(x509.SubjectAlternativeName(names), critical=False)
        (folder / f"{number}.pem").write_bytes(
            leaf.sign(authority, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        )


def signed(
    issuer: x509.Name,
    subject: x509.Name,
    authority: ec.EllipticCurvePrivateKey,
    key: ec.EllipticCurvePublicKey,
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    identifier = x509.SubjectKeyIdentifier.from_public_key
    return (
        x509.CertificateBuilder()
        .issuer_name(issuer)
        .subject_name(subject)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=90))
        .add_extension(identifier(key), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key()),
            critical=False,
        )
    )


# The server of asyncio, in a process of its own ----------------------------------------------


def asyncio_server(how: str, http: int, https: int, folder: Path) -> "subprocess.Popen[bytes]":
    command = [sys.executable, __file__, how, str(http), str(https), str(folder)]
    return started_alone(command)


def started_alone(command: list[str]) -> "subprocess.Popen[bytes]":
    # Ctrl-C is for the bench, which then ends it.
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)


def answer(status: str = "200 OK", body: str = BODY) -> bytes:
    return (
        f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nServer-Timing: {TIMING}\r\n"
        f"Cache-Status: {CACHE}\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


GOOD, BAD = answer(), answer("503 Service Unavailable", '{"ok": false}')


class Answering(asyncio.Protocol):
    """Answers each request after the time of its kind; it reads no further than the head."""

    is_broken = False
    contexts: list[ssl.SSLContext] = []

    def __init__(self, how: str, *, secure: bool) -> None:
        self.how, self.secure = how, secure
        self.heard, self.is_open = b"", not secure

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        if not transport.get_extra_info("peername")[0].startswith("127."):
            transport.abort()
        elif self.secure:
            # Which certificate is known only now, by the address that was dialled.
            transport.pause_reading()
            self.securing = asyncio.ensure_future(self.secure_it())

    async def secure_it(self) -> None:
        number = int(self.transport.get_extra_info("sockname")[0].split(".")[2])
        context = Answering.contexts[number % CERTIFICATES]
        with contextlib.suppress(OSError):
            self.transport = await asyncio.get_running_loop().start_tls(
                self.transport, self, context, server_side=True
            )
            # A request may have come together with the end of the handshake.
            self.is_open = True
            self.respond()

    def data_received(self, data: bytes) -> None:
        self.heard += data
        if self.is_open:
            self.respond()

    def respond(self) -> None:
        while b"\r\n\r\n" in self.heard:
            head, _, self.heard = self.heard.partition(b"\r\n\r\n")
            is_bad = Answering.is_broken or b" /broken" in head[:20]
            if self.how == "slow":
                asyncio.get_running_loop().call_later(SLOW_SECONDS, self.write, GOOD)
            elif self.how != "hanging":
                self.write(BAD if is_bad else GOOD)

    def write(self, whole: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(whole)


async def serve(how: str, http: int, https: int, folder: Path) -> None:
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGUSR1, lambda: setattr(Answering, "is_broken", True))
    servers = [await listen(how, http, secure=False)]
    if https:
        for number in range(CERTIFICATES):
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(folder / f"{number}.pem", folder / "key.pem")
            context.num_tickets = 0
            Answering.contexts.append(context)
        servers.append(await listen(how, https, secure=True))
    await asyncio.gather(*(server.serve_forever() for server in servers))


async def listen(how: str, port: int, *, secure: bool) -> asyncio.Server:
    return await asyncio.get_running_loop().create_server(
        lambda: Answering(how, secure=secure),
        "0.0.0.0",  # noqa: S104 - all of 127.0.0.0/8 is to reach it; others are turned away
        port,
        backlog=4096,
    )


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    asyncio.run(serve(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4])))
