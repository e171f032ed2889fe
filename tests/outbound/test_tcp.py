"""A TCP connection, alone or with a few bytes each way, to machines that are good, bad or gone."""

import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue

import pytest

from opsboard.outbound.egress import Policy
from opsboard.outbound.http import Asker
from opsboard.outbound.reply import Ask, Connection, Dial, Failure
from tests.far_side import FarSide, Visit, answer, drip, endless, hang, raw, reset
from tests.outbound.asking import HERE, failed, needs_ipv6
from tests.outbound.other_kinds import asked, dial

Machine = Callable[..., FarSide]
BANNER = b"SSH-2.0-OpenSSH_9.9\r\n"


def talks(far_side: Machine, *behaviour: object, **options: object) -> FarSide:
    return far_side(*behaviour, reads=False, **options)


def test_a_connection_that_is_taken_is_all_that_is_asked(far_side: Machine):
    machine = talks(far_side, hang(BANNER))
    reply = dial(machine)
    assert (reply.failure, reply.status, reply.body) == (None, None, b"")
    assert reply.peer == "127.0.0.1"
    phases = reply.phases
    assert 0 < phases.connect <= phases.total < 400_000
    assert (phases.tls, phases.first_byte, phases.transfer) == (0, 0, 0)


def test_nothing_of_http_is_sent(far_side: Machine):
    seen: SimpleQueue[bytes] = SimpleQueue()

    def listen(visit: Visit) -> None:
        seen.put(visit.connection.recv(100))

    assert dial(talks(far_side, listen), body=b"PING\r\n").failure is None
    assert seen.get(timeout=5) == b"PING\r\n"
    assert dial(talks(far_side, listen)).failure is None
    assert seen.get(timeout=5) == b""


def test_a_banner_is_read_until_it_is_quiet_and_the_wait_is_not_in_its_time(far_side: Machine):
    reply = dial(talks(far_side, hang(BANNER)), reads=True)
    assert (reply.failure, reply.body) == (None, BANNER)
    phases = reply.phases
    assert 0 < phases.first_byte < phases.total < 240_000


def test_an_answer_that_the_far_side_ends_is_whole(far_side: Machine):
    reply = dial(talks(far_side, raw(b"220 mail", b".example\r\n")), reads=True)
    assert (reply.failure, reply.body) == (None, b"220 mail.example\r\n")


def test_what_is_sent_is_answered(far_side: Machine):
    def echo(visit: Visit) -> None:
        visit.send(b"+" + visit.connection.recv(100))
        visit.wait(1)

    reply = dial(talks(far_side, echo), body=b"PING\r\n", reads=True)
    assert (reply.failure, reply.body) == (None, b"+PING\r\n")


def test_silence_where_an_answer_is_expected_is_out_of_time(far_side: Machine):
    reply = dial(talks(far_side, hang()), reads=True)
    failed(reply, Failure.TIMEOUT, "within 500 ms: connected, but nothing came")
    assert reply.phases.connect < 400_000 <= reply.phases.total


def test_a_machine_that_closes_at_once_did_not_answer(far_side: Machine):
    failed(dial(talks(far_side, raw()), reads=True), Failure.PROTOCOL, "without an answer")
    # Asked for the connection only, it gave that.
    assert dial(talks(far_side, raw())).failure is None


def test_a_banner_that_drips_ends_at_the_timeout(far_side: Machine):
    reply = dial(talks(far_side, drip(b"SSH", b".")), reads=True)
    failed(reply, Failure.TIMEOUT, "No complete answer", "within 500 ms")
    assert reply.body.startswith(b"SSH.")


def test_a_banner_without_end_is_too_large_and_takes_no_memory(far_side: Machine):
    machine = talks(far_side, endless(b"", b"x" * 65_536))
    tracemalloc.start()
    reply = dial(machine, reads=True)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    failed(reply, Failure.TOO_LARGE, "larger than 64 KiB")
    assert len(reply.body) == 65_536
    assert peak < 3 << 20


def test_a_reset_is_told_as_one(far_side: Machine):
    failed(dial(talks(far_side, reset()), reads=True), Failure.RESET, "reset the connection")
    reply = dial(talks(far_side, reset(BANNER)), reads=True)
    failed(reply, Failure.RESET, "in the middle of the answer, after 21 bytes")


def test_a_port_where_nothing_listens_refuses():
    reply = asked(Dial(host="127.0.0.1", port=1))
    failed(reply, Failure.REFUSED, "127.0.0.1:1 refused the connection: nothing listens there")
    assert not reply.is_ours


def test_a_name_without_an_address_is_told_as_that():
    failed(asked(Dial(host="nowhere.invalid", port=5432)), Failure.DNS, "nowhere.invalid")


@pytest.mark.parametrize("host", ["", "a b", "me@127.0.0.1", "127.0.0.1/x", "127.0.0.1:5#", "%"])
def test_what_is_no_host_is_our_own_error(host: str):
    reply = asked(Dial(host=host, port=5432))
    failed(reply, Failure.CONFIG, "is not a host and a port")
    assert reply.is_ours


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0x7f.1", "[::ffff:127.0.0.1]"])
def test_a_refused_address_gets_no_packet(far_side: Machine, host: str):
    canary = talks(far_side, raw(BANNER))
    reply = dial(canary, host=host, policy=Policy(), body=b"secret", reads=True)
    failed(reply, Failure.EGRESS_DENIED, "OPSBOARD_EGRESS_ALLOW=")
    assert reply.is_ours
    assert canary.connections == 0


@needs_ipv6
def test_the_family_that_is_asked_for_is_dialled(far_side: Machine):
    for ip, address in ((4, "127.0.0.1"), (6, "::1")):
        machine = talks(far_side, raw(BANNER), address=address)
        reply = dial(machine, host="localhost", connection=Connection(ip=ip))
        assert (reply.failure, reply.peer) == (None, address)
    failed(dial(machine, connection=Connection(ip=4)), Failure.DNS, "no IPv4 address")


def test_a_slow_one_holds_back_neither_the_others_nor_http(far_side: Machine, asker: Asker):
    silent = talks(far_side, hang())
    banner, web = talks(far_side, hang(BANNER)), far_side(answer())
    asks = [Dial(host="127.0.0.1", port=silent.port, reads=True, timeout=3_000_000)] * 40
    asks += [Dial(host="127.0.0.1", port=banner.port, reads=True)] * 40
    for number, one in enumerate(asks):
        asker.ask(one, policy=HERE, at=time.monotonic(), key=number)
    asker.ask(Ask(method="GET", url=web.url()), policy=HERE, at=time.monotonic(), key="web")
    began, replies = time.monotonic(), {}
    while len(replies) < 41:
        key, _, reply = asker.replies.get(timeout=5)
        replies[key] = reply
    assert time.monotonic() - began < 2.5
    assert replies.pop("web").status == 200
    assert {reply.body for reply in replies.values()} == {BANNER}
    assert all(int(str(number)) >= 40 for number in replies)
    assert asker.in_flight == 40


def open_descriptors() -> int:
    return len(list(Path("/dev/fd").iterdir()))


def test_broken_off_talks_leave_no_descriptor_behind(asker: Asker):
    before = open_descriptors()
    with FarSide(hang(BANNER), reads=False) as machine:
        one = Dial(host="127.0.0.1", port=machine.port, reads=True, timeout=5_000_000)
        for number in range(60):
            asker.ask(one, policy=HERE, at=time.monotonic(), key=number)
        asker.replies.get(timeout=5)
        asker.abandon()
        asker.ask(one, policy=HERE, at=time.monotonic(), key="last")
        while asker.replies.get(timeout=5)[0] != "last":
            pass
    assert open_descriptors() < before + 20
