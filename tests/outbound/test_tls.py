"""Certificates and handshakes, good and bad (rows B31-B33)."""

import ssl
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from opsboard.outbound.certificates import read_leaf
from opsboard.outbound.http import Asker
from opsboard.outbound.reply import Ask, Certificate, Failure
from tests.far_side import FarSide, Visit, answer
from tests.outbound.asking import HERE, ask, failed
from tests.outbound.certificates import DAY, NOW, STRANGER, TRUSTED, good, speaks
from tests.outbound.http2 import answer_in_frames, offering_http2

Machine = Callable[..., FarSide]


@pytest.fixture(autouse=True)
def private_authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SSL_CERT_FILE is how a company makes its own authority trusted."""
    TRUSTED.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))


def test_the_certificate_of_a_whole_answer_is_told(far_side: Machine):
    leaf = TRUSTED.issue_cert("127.0.0.1", not_after=datetime(2040, 1, 2, 3, 4, 5, tzinfo=UTC))
    reply = ask(far_side(answer(), tls=speaks(leaf)).url())
    assert reply.failure is None and reply.certificate
    assert reply.certificate.not_after == datetime(2040, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert "O = Trusted" in reply.certificate.issuer
    assert "trustme" in reply.certificate.subject
    assert reply.phases.tls > 0


def test_a_private_authority_is_not_trusted_unless_it_is_named(
    far_side: Machine, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("SSL_CERT_FILE")
    failed(ask(far_side(answer(), tls=good()).url()), Failure.TLS_UNTRUSTED, "O = Trusted")


def test_a_missing_file_of_authorities_is_our_own_error(
    far_side: Machine, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/authority.pem")
    reply = ask(far_side(answer(), tls=good()).url())
    failed(reply, Failure.CONFIG, "SSL_CERT_FILE")
    assert reply.is_ours


def test_an_expired_certificate_tells_since_when_and_sends_nothing(far_side: Machine):
    leaf = TRUSTED.issue_cert("127.0.0.1", not_before=NOW - 30 * DAY, not_after=NOW - 3 * DAY)
    machine = far_side(answer(), tls=speaks(leaf))
    reply = ask(machine.url())
    failed(reply, Failure.TLS_EXPIRED, f"expired on {NOW - 3 * DAY:%Y-%m-%d}", "O = Trusted")
    assert (reply.status, reply.certificate, machine.requests) == (None, None, [])


def test_a_certificate_of_the_future_tells_from_when_on(far_side: Machine):
    leaf = TRUSTED.issue_cert("127.0.0.1", not_before=NOW + 3 * DAY, not_after=NOW + 30 * DAY)
    reply = ask(far_side(answer(), tls=speaks(leaf)).url())
    failed(reply, Failure.TLS_NOT_YET_VALID, f"only from {NOW + 3 * DAY:%Y-%m-%d} on")


def test_a_certificate_for_another_host_tells_for_which(far_side: Machine):
    machine = far_side(answer(), tls=good("other.example", "*.fares.example"))
    reply = ask(machine.url())
    failed(reply, Failure.TLS_HOSTNAME, "DNS:other.example, DNS:*.fares.example")
    assert machine.requests == []


def test_an_unknown_authority_is_named(far_side: Machine):
    machine = far_side(answer(), tls=speaks(STRANGER.issue_cert("127.0.0.1")))
    failed(ask(machine.url()), Failure.TLS_UNTRUSTED, "local issuer certificate", "O = Stranger")
    assert machine.requests == []


def test_what_a_certificate_says_is_told_as_text(far_side: Machine):
    names = [f"host-{number}.fares.example" for number in range(99)]
    leaf = TRUSTED.issue_cert("127.0.0.1", *names, organization_name="<script>\r\n\0é" * 4)
    certificate = ask(far_side(answer(), tls=speaks(leaf)).url()).certificate
    assert certificate and "<script>" in certificate.subject
    assert certificate.subject.isprintable() and len(certificate.subject) <= 300


def test_a_certificate_is_cut_and_never_guessed():
    dated = ("Expire date", "Jan  5 09:34:43 2030 GMT")
    leaf = read_leaf([(dated, ("Issuer", "a\nb"), ("Subject", "x" * 5000))])
    assert leaf == Certificate(
        not_after=datetime(2030, 1, 5, 9, 34, 43, tzinfo=UTC), issuer="ab", subject="x" * 300
    )
    assert read_leaf([(("Expire date", "never"),)]) is None
    assert read_leaf([]) is None


def test_a_handshake_that_is_closed_failed(far_side: Machine):
    def read_and_close(visit: Visit) -> None:
        visit.connection.recv(65536)

    machine = far_side(read_and_close, reads=False)
    failed(ask(f"https://127.0.0.1:{machine.port}/"), Failure.TLS_HANDSHAKE, "handshake with")


def test_no_session_is_resumed_so_that_every_certificate_is_verified(
    far_side: Machine, asker: Asker
):
    resumed = []

    def note_and_answer(visit: Visit) -> None:
        assert isinstance(visit.connection, ssl.SSLSocket)
        resumed.append(visit.connection.session_reused)
        answer()(visit)

    machine = far_side(note_and_answer, tls=good())
    for _ in range(3):
        asker.ask(Ask(method="GET", url=machine.url()), policy=HERE, at=time.monotonic(), key=None)
        assert asker.replies.get(timeout=5)[2].certificate
    assert resumed == [False, False, False]


def test_http_2_is_spoken_where_the_machine_offers_it(far_side: Machine):
    reply = ask(far_side(answer_in_frames(), tls=offering_http2(good()), reads=False).url())
    assert (reply.failure, reply.http_version, reply.status, reply.body) == (None, "2", 200, b"hi")
