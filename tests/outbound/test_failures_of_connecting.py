"""Errors of the operating system that a loopback address does not produce."""

import errno

import pycurl
import pytest

from opsboard.outbound.failures import Progress, explain
from opsboard.outbound.reply import Failure

STUCK = Progress(
    far_side="fares.internal (10.20.1.1:443)",
    limit=10_000_000,
    connect_limit=5_000_000,
    os_error=0,
    open_error=0,
    is_encrypted=True,
    is_connected=False,
    is_secured=False,
    head_began=False,
    got=0,
    announced=None,
)


@pytest.mark.parametrize(
    ("code", "failure", "words"),
    [
        (errno.EHOSTUNREACH, Failure.REFUSED, "There is no way to fares.internal"),
        (errno.ENETUNREACH, Failure.UNREACHABLE, "There is no way to fares.internal"),
        (errno.EINVAL, Failure.UNREACHABLE, "knows no route there"),
        (errno.ETIMEDOUT, Failure.CONNECT_TIMEOUT, "within 5 s"),
        (errno.ECONNRESET, Failure.RESET, "while it was made"),
    ],
)
def test_trouble_on_the_way_is_the_far_sides(code: int, failure: Failure, words: str):
    trouble = explain(pycurl.E_COULDNT_CONNECT, "", STUCK._replace(os_error=code))
    assert (trouble.failure, trouble.is_ours) == (failure, False)
    assert words in trouble.detail


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (errno.EADDRNOTAVAIL, "no free port left"),
        (errno.EPERM, "firewall"),
        (errno.ENOBUFS, "no memory left"),
        (errno.EPROTO, f"the system said error {errno.EPROTO}"),
        (0, "no file descriptor left"),
    ],
)
def test_limits_of_this_machine_are_our_own_errors(code: int, words: str):
    trouble = explain(pycurl.E_COULDNT_CONNECT, "", STUCK._replace(os_error=code))
    assert (trouble.failure, trouble.is_ours) == (Failure.INTERNAL, True)
    assert words in trouble.detail


@pytest.mark.parametrize(
    ("alert", "words"),
    [
        ("tlsv13 alert certificate required", "asks for a client certificate"),
        ("tlsv1 alert unknown ca", "ended the TLS connection before it answered: unknown ca."),
    ],
)
def test_an_alert_after_the_handshake_is_about_the_client_certificate(alert: str, words: str):
    said = f"OpenSSL SSL_read: OpenSSL/3.6.5: error:0A00045C:SSL routines::{alert}, errno 0"
    trouble = explain(pycurl.E_RECV_ERROR, said, STUCK)
    assert (trouble.failure, trouble.is_ours) == (Failure.TLS_HANDSHAKE, False)
    assert words in trouble.detail


def test_an_error_that_nobody_knows_is_our_own():
    trouble = explain(pycurl.E_OUT_OF_MEMORY, "Out of memory", STUCK)
    assert (trouble.failure, trouble.is_ours) == (Failure.INTERNAL, True)
    assert "out of memory" in trouble.detail
