"""A TLS handshake and nothing else: the certificate, verified as for HTTPS."""

import ssl
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue

import pytest

from opsboard.outbound.egress import Policy
from opsboard.outbound.reply import Connection, Dial, Failure
from tests.far_side import FarSide, Visit, drip, hang, raw
from tests.outbound.asking import failed
from tests.outbound.certificates import DAY, NOW, STRANGER, TRUSTED, good, speaks
from tests.outbound.other_kinds import asked, dial

Machine = Callable[..., FarSide]


@pytest.fixture(autouse=True)
def private_authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    TRUSTED.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))


def test_the_certificate_is_told_and_nothing_is_sent_or_read(far_side: Machine):
    seen: SimpleQueue[tuple[bytes, str | None]] = SimpleQueue()

    def listen(visit: Visit) -> None:
        assert isinstance(visit.connection, ssl.SSLSocket)
        protocol = visit.connection.selected_alpn_protocol()
        # libcurl closes without the farewell of TLS.
        with suppress(OSError):
            seen.put((visit.connection.recv(100), protocol))
        seen.put((b"", protocol))

    leaf = TRUSTED.issue_cert("127.0.0.1", not_after=NOW + 40 * DAY)
    context = speaks(leaf)
    context.set_alpn_protocols(["h2", "http/1.1"])
    reply = dial(far_side(listen, tls=context, reads=False), is_secured=True)
    assert (reply.failure, reply.status, reply.body) == (None, None, b"")
    assert reply.certificate and "O = Trusted" in reply.certificate.issuer
    assert 0 < reply.phases.tls < reply.phases.total
    assert (reply.phases.first_byte, reply.phases.transfer) == (0, 0)
    assert seen.get(timeout=5) == (b"", None)


def test_a_banner_over_tls_is_read(far_side: Machine):
    machine = far_side(hang(b"220 ", b"mail.example\r\n"), tls=good(), reads=False)
    reply = dial(machine, is_secured=True, reads=True)
    assert (reply.failure, reply.body) == (None, b"220 mail.example\r\n")
    # Most close without the farewell of TLS.
    machine = far_side(raw(b"* OK\r\n"), tls=good(), reads=False)
    assert dial(machine, is_secured=True, reads=True).body == b"* OK\r\n"


def test_single_bytes_over_tls_are_all_read(far_side: Machine):
    machine = far_side(raw(*[b"x"] * 500), tls=good(), reads=False)
    reply = dial(machine, is_secured=True, reads=True, timeout=3_000_000)
    assert (reply.failure, reply.body) == (None, b"x" * 500)


def test_a_banner_over_tls_that_drips_ends_at_the_timeout(far_side: Machine):
    machine = far_side(drip(b"220", b"-"), tls=good(), reads=False)
    failed(dial(machine, is_secured=True, reads=True), Failure.TIMEOUT, "No complete answer")


@pytest.mark.parametrize(
    ("validity", "failure", "words"),
    [
        ((NOW - 30 * DAY, NOW - 3 * DAY), Failure.TLS_EXPIRED, f"on {NOW - 3 * DAY:%Y-%m-%d}"),
        ((NOW + 3 * DAY, NOW + 9 * DAY), Failure.TLS_NOT_YET_VALID, "valid only from"),
    ],
)
def test_a_certificate_out_of_its_time_tells_when_that_was(
    far_side: Machine, validity: tuple[object, object], failure: Failure, words: str
):
    leaf = TRUSTED.issue_cert("127.0.0.1", not_before=validity[0], not_after=validity[1])
    reply = dial(far_side(hang(), tls=speaks(leaf), reads=False), is_secured=True)
    failed(reply, failure, words)
    assert reply.certificate is None


def test_a_certificate_for_another_name_is_refused_unless_that_name_is_asked_for(
    far_side: Machine,
):
    machine = far_side(hang(), tls=good("fares.example"), reads=False)
    failed(dial(machine, is_secured=True), Failure.TLS_HOSTNAME, "DNS:fares.example")
    named = Connection(server_name="fares.example")
    assert dial(machine, is_secured=True, connection=named).certificate
    other = Connection(server_name="other.example")
    failed(dial(machine, is_secured=True, connection=other), Failure.TLS_HOSTNAME)


def test_an_unknown_authority_is_refused_unless_the_sheet_brings_it(far_side: Machine):
    machine = far_side(hang(), tls=speaks(STRANGER.issue_cert("127.0.0.1")), reads=False)
    failed(dial(machine, is_secured=True), Failure.TLS_UNTRUSTED, "O = Stranger")
    own = Connection(authority=STRANGER.cert_pem.bytes().decode())
    assert dial(machine, is_secured=True, connection=own).certificate


def test_a_port_that_speaks_no_tls_is_told_as_that(far_side: Machine):
    machine = far_side(raw(b"SSH-2.0-OpenSSH_9.9\r\n"), reads=False)
    failed(dial(machine, is_secured=True), Failure.TLS_HANDSHAKE, "does not speak TLS")


def test_a_handshake_that_stalls_is_out_of_time(far_side: Machine):
    machine = far_side(hang(), reads=False)
    failed(dial(machine, is_secured=True), Failure.TIMEOUT, "did not finish the TLS handshake")


def test_a_client_certificate_that_is_wanted_is_asked_for_in_words(far_side: Machine):
    context = good()
    context.verify_mode = ssl.CERT_REQUIRED
    TRUSTED.configure_trust(context)
    machine = far_side(hang(b"220\r\n"), tls=context, reads=False)
    reply = dial(machine, is_secured=True, reads=True)
    failed(reply, Failure.TLS_HANDSHAKE, "asks for a client certificate")


def test_a_refused_address_gets_no_packet(far_side: Machine):
    canary = far_side(hang(), tls=good(), reads=False)
    for host in ("127.0.0.1", "localhost"):
        reply = dial(canary, host=host, is_secured=True, policy=Policy())
        failed(reply, Failure.EGRESS_DENIED)
        assert reply.is_ours
    # Nor does another name for the handshake hide the address.
    named = Connection(server_name="fares.example")
    reply = dial(canary, is_secured=True, connection=named, policy=Policy())
    failed(reply, Failure.EGRESS_DENIED)
    assert canary.connections == 0


def test_a_port_where_nothing_listens_refuses():
    reply = asked(Dial(host="127.0.0.1", port=1, is_secured=True))
    failed(reply, Failure.REFUSED, "nothing listens there")
