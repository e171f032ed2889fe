"""Answers of name servers: whole, wrong, forged, cut, slow or none."""

import json
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dns.message
import pytest

from opsboard.outbound import questions
from opsboard.outbound.egress import Policy
from opsboard.outbound.http import Asker
from opsboard.outbound.reply import Failure, Lookup, Reply
from tests.far_side import FarSide, raw
from tests.outbound.asking import HERE, failed
from tests.outbound.name_server import Behaviour, NameServer, cut, response, says, silence
from tests.outbound.other_kinds import asked, look_up


def told(udp: Behaviour, tcp: Behaviour | None = None, **fields: Any) -> Reply:
    with NameServer(udp, tcp) as server:
        return look_up(server.port, **fields)


def in_one_message(*records: str) -> Behaviour:
    def behave(wire: bytes) -> Iterator[bytes]:
        message = response(wire, *records)
        yield struct.pack("!H", len(message)) + message

    return behave


def test_an_answer_is_told_as_json():
    with NameServer(says("A 10.0.0.9", "A 10.0.0.10")) as server:
        reply = look_up(server.port)
    assert (reply.failure, reply.status, reply.peer) == (None, None, "127.0.0.1")
    assert json.loads(reply.body) == {
        "name": "fares.example",
        "type": "A",
        "rcode": "NOERROR",
        "server": f"127.0.0.1:{server.port}",
        "answers": [
            {"type": "A", "value": "10.0.0.9", "ttl": 60},
            {"type": "A", "value": "10.0.0.10", "ttl": 60},
        ],
    }
    assert 0 < reply.phases.dns == reply.phases.total < 400_000


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("AAAA", "2001:db8::9"),
        ("MX", "10 mail.fares.example."),
        ("TXT", '"v=spf1 -all"'),
        ("CAA", '0 issue "ca.example"'),
        ("SRV", "0 5 443 web.fares.example."),
    ],
)
def test_every_type_is_written_as_dig_writes_it(kind: str, value: str):
    [answer] = json.loads(told(says(f"{kind} {value}"), type=kind.lower()).body)["answers"]
    assert (answer["type"], answer["value"]) == (kind, value)


@pytest.mark.parametrize("rcode", ["NXDOMAIN", "REFUSED", "NOTIMP"])
def test_a_no_is_an_answer_of_its_own(rcode: str):
    reply = told(says(rcode=rcode))
    assert reply.failure is None
    assert json.loads(reply.body)["rcode"] == rcode
    assert json.loads(reply.body)["answers"] == []


def test_a_server_that_cannot_find_out_failed():
    failed(told(says(rcode="SERVFAIL")), Failure.DNS, "could not find out", "SERVFAIL")


def test_silence_is_asked_again_and_then_out_of_time():
    with NameServer(silence) as server:
        reply = look_up(server.port)
    failed(reply, Failure.DNS, "did not answer about fares.example within 500 ms")
    assert server.questions[0] == 4
    assert reply.phases.total >= 500_000


def test_a_lost_packet_is_only_late():
    lost: list[bytes] = []

    def lose_the_first(wire: bytes) -> list[bytes]:
        lost.append(wire)
        return [] if len(lost) == 1 else [response(wire, "A 10.0.0.9")]

    reply = told(lose_the_first, timeout=2_000_000)
    assert reply.failure is None and reply.phases.total >= 500_000


def test_a_slow_answer_to_the_first_try_counts():
    tries: list[bytes] = []

    def answer_the_first_late(wire: bytes) -> list[bytes]:
        tries.append(wire)
        if len(tries) > 1:
            return []
        threading.Event().wait(0.7)
        return [response(wire, "A 10.0.0.9")]

    assert told(answer_the_first_late, timeout=2_000_000).failure is None


def test_an_answer_with_another_number_is_not_taken():
    def forge(wire: bytes) -> list[bytes]:
        number = (int.from_bytes(wire[:2]) + 1) & 0xFFFF
        return [number.to_bytes(2) + response(wire, "A 6.6.6.6")[2:]]

    failed(told(forge), Failure.DNS, "what came was no answer to this question")


@pytest.mark.parametrize(
    ("name", "kind"), [("evil.example", "A"), ("fares.example", "AAAA"), ("fares.examplf", "A")]
)
def test_an_answer_to_another_question_is_not_taken(name: str, kind: str):
    def answer_another(wire: bytes) -> list[bytes]:
        other = dns.message.make_query(name, kind, id=int.from_bytes(wire[:2]))
        record = "A 6.6.6.6" if kind == "A" else "AAAA 2001:db8::6"
        return [response(other.to_wire(), record)]

    failed(told(answer_another), Failure.DNS, "what came was no answer to this question")


def test_forged_answers_do_not_hide_the_true_one():
    def forge_first(wire: bytes) -> list[bytes]:
        return [b"\0\0" + wire[2:], wire, b"", b"x" * 60_000, response(wire, "A 10.0.0.9")]

    assert json.loads(told(forge_first).body)["answers"][0]["value"] == "10.0.0.9"


def test_a_name_is_the_same_in_other_capitals():
    def shout(wire: bytes) -> list[bytes]:
        return [response(wire, "A 10.0.0.9").replace(b"fares", b"FARES")]

    assert told(shout).failure is None


def test_an_answer_that_is_cut_is_asked_for_over_tcp():
    with NameServer(cut, in_one_message(*[f"A 10.0.0.{n}" for n in range(90)])) as server:
        reply = look_up(server.port)
    assert len(json.loads(reply.body)["answers"]) == 90
    assert server.questions == [1, 1]


def test_over_tcp_an_answer_may_come_in_pieces():
    def in_pieces(wire: bytes) -> Iterator[bytes]:
        [message] = in_one_message("A 10.0.0.9")(wire)
        for byte in message:
            yield bytes([byte])
            threading.Event().wait(0.001)

    assert told(cut, in_pieces, timeout=3_000_000).failure is None


def test_trouble_over_tcp_is_told_as_that():
    failed(told(cut), Failure.REFUSED, "Over TCP", "no name server listens there")
    failed(told(cut, silence), Failure.PROTOCOL, "closed the connection in the middle")
    failed(told(cut, lambda _: [b"\xff\xff"]), Failure.TOO_LARGE, "larger than 16 KiB")
    failed(told(cut, lambda _: [b"\0\x0c" + b"x" * 12]), Failure.PROTOCOL, "not a DNS message")

    def stall(_: bytes) -> Iterator[bytes]:
        yield b"\0\x50"
        threading.Event().wait(1)

    failed(told(cut, stall), Failure.DNS, "did not finish its answer", "over TCP within 500 ms")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda whole, _: whole[:-12],
        lambda whole, wire: whole[: len(wire) - 11] + b"\xc0" * 40,
        lambda whole, _: whole[:6] + b"\0\x63" + whole[8:],
        # A name that points at itself.
        lambda whole, wire: whole[: len(wire) - 11] + b"\xc0\x1f\0\1\0\1\0\0\0\1\0\4\1\2\3\4",
    ],
)
def test_garbage_is_told_as_that(spoil: Any):
    reply = told(lambda wire: [spoil(response(wire, "A 10.0.0.9"), wire)])
    failed(reply, Failure.PROTOCOL, "is not a DNS message")


def test_other_names_without_end_are_an_answer_that_is_bounded():
    def endless(wire: bytes) -> list[bytes]:
        return [response(wire, *[f"CNAME n{n}.example." for n in range(100)])]

    def more(wire: bytes) -> list[bytes]:
        return [response(wire, *[f"CNAME n{n}.example." for n in range(101)])]

    began = time.process_time()
    assert len(json.loads(told(endless).body)["answers"]) == 100
    failed(told(more), Failure.TOO_LARGE, "more than 100 records")
    assert time.process_time() - began < 2


def test_a_port_where_no_server_listens_refuses():
    failed(asked(Lookup(name="fares.example", server="127.0.0.1", port=1)), Failure.REFUSED)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"name": "a..b"}, '"a..b" is not a name'),
        ({"name": "x" * 64 + ".example"}, "is not a name"),
        ({"type": "AX"}, '"AX" is not a type'),
        ({"type": "ANY"}, "type ANY cannot be asked for"),
        ({"type": "AXFR"}, "type AXFR cannot be asked for"),
        ({"server": "ns.example"}, '"ns.example" is not the address of a server'),
    ],
)
def test_what_cannot_be_asked_is_our_own_error(fields: dict[str, str], words: str):
    reply = look_up(1, **fields)
    failed(reply, Failure.CONFIG, words)
    assert reply.is_ours


def test_a_refused_server_gets_no_packet():
    with NameServer(says("A 10.0.0.9"), in_one_message("A 10.0.0.9")) as canary:
        reply = look_up(canary.port, policy=Policy())
    failed(reply, Failure.EGRESS_DENIED, "OPSBOARD_EGRESS_ALLOW=127.0.0.1/32")
    assert reply.is_ours
    assert canary.questions == [0, 0]
    failed(look_up(53, server="169.254.169.254"), Failure.EGRESS_DENIED, "no setting allows it")


@pytest.fixture
def resolv_conf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(questions, "RESOLV_CONF", tmp_path / "resolv.conf")
    return tmp_path / "resolv.conf"


def test_without_a_server_this_machine_s_own_are_asked_whatever_the_policy(
    resolv_conf: Path, monkeypatch: pytest.MonkeyPatch
):
    resolv_conf.write_text("# mine\nsearch example\nnameserver 127.0.0.1\n")
    with NameServer(says("A 10.0.0.9")) as server:
        monkeypatch.setattr(questions, "PORT", server.port)
        reply = look_up(53, server="", policy=Policy())
    assert json.loads(reply.body)["server"] == f"127.0.0.1:{server.port}"


@pytest.mark.parametrize("first", ["127.0.0.2", "127.0.0.3"])
def test_the_next_server_is_asked_where_one_is_gone_or_at_a_loss(
    resolv_conf: Path, monkeypatch: pytest.MonkeyPatch, first: str
):
    resolv_conf.write_text(f"nameserver {first}\nnameserver 127.0.0.1\n")
    with NameServer(says("A 10.0.0.9")) as server:
        monkeypatch.setattr(questions, "PORT", server.port)
        reply = look_up(53, server="")
    assert reply.failure is None and reply.phases.total < 400_000


@pytest.mark.parametrize("text", ["", "nameserver\nnameserver ns.example\noptions ndots:5\n"])
def test_a_machine_without_servers_asks_itself(resolv_conf: Path, text: str):
    resolv_conf.write_text(text)
    assert questions.systems_servers() == [("127.0.0.1", 53)]


def test_silent_servers_hold_back_nobody(asker: Asker):
    with NameServer(silence) as silent, NameServer(says("A 10.0.0.9")) as good:
        for number in range(60):
            port = silent.port if number % 2 else good.port
            lookup = Lookup(name="fares.example", server="127.0.0.1", port=port, timeout=4_000_000)
            asker.ask(lookup, policy=HERE, at=time.monotonic(), key=number)
        replies = [asker.replies.get(timeout=3) for _ in range(30)]
    assert {int(str(key)) % 2 for key, _, _ in replies} == {0}
    assert not [reply for _, _, reply in replies if reply.failure]


def test_a_web_server_on_the_port_is_no_name_server():
    with FarSide(raw(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as machine:
        failed(look_up(machine.port), Failure.REFUSED, "no name server listens there")
