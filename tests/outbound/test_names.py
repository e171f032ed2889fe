"""Host names: looked up apart from everything else, and only the first address is dialled."""

import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from opsboard.outbound.egress import Policy
from opsboard.outbound.http import Asker
from opsboard.outbound.reply import Ask, Failure
from tests.far_side import FarSide, answer, redirect, routes
from tests.outbound.asking import HERE, ask, failed, needs_ipv6

Machine = Callable[..., FarSide]
Answers = dict[str, list[str] | socket.gaierror]


class NameServers:
    """What the system's resolver says here; it is silent about everything below `silent.test`."""

    def __init__(self) -> None:
        self.answers: Answers = {}
        self.asked: list[str] = []
        self.speak = threading.Event()

    def getaddrinfo(self, host: bytes, _port: None, **_hints: int) -> list[tuple]:
        name = host.decode()
        self.asked.append(name)
        if name.endswith("silent.test"):
            self.speak.wait(10)
        found = self.answers.get(name, socket.gaierror(socket.EAI_NONAME, "unknown"))
        if isinstance(found, socket.gaierror):
            raise found
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in found]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Iterator[NameServers]:
    servers = NameServers()
    monkeypatch.setattr("opsboard.outbound.names.socket.getaddrinfo", servers.getaddrinfo)
    yield servers
    servers.speak.set()


def test_a_name_is_asked_at_its_address_and_told_its_own_name(
    far_side: Machine, names: NameServers
):
    machine = far_side(answer())
    names.answers["fares.test"] = ["127.0.0.1"]
    reply = ask(machine.url(host="Fares.Test"))
    assert (reply.failure, reply.peer) == (None, "127.0.0.1")
    assert machine.requests[0].header("Host") == f"fares.test:{machine.port}"
    assert 0 < reply.phases.dns <= reply.phases.total


def test_the_time_of_a_slow_lookup_is_told_as_such(far_side: Machine, names: NameServers):
    machine = far_side(answer())
    names.answers["slow.silent.test"] = ["127.0.0.1"]
    threading.Timer(0.1, names.speak.set).start()
    phases = ask(machine.url(host="slow.silent.test")).phases
    assert 80_000 < phases.dns <= phases.total
    assert phases.connect < 50_000


def test_only_the_first_address_of_a_name_is_dialled(far_side: Machine, names: NameServers):
    machine = far_side(answer())
    names.answers["fares.test"] = ["127.0.0.2", "127.0.0.1"]
    reply = ask(machine.url(host="fares.test"))
    failed(reply, Failure.REFUSED, f"fares.test (127.0.0.2:{machine.port}) refused")
    assert machine.connections == 0


@needs_ipv6
def test_a_dead_family_is_not_hidden_by_the_other(far_side: Machine, names: NameServers):
    machine = far_side(answer())
    names.answers["fares.test"] = ["::1", "127.0.0.1"]
    reply = ask(machine.url(host="fares.test"))
    failed(reply, Failure.REFUSED, f"fares.test ([::1]:{machine.port})")


def test_a_name_of_a_refused_address_reaches_nobody(far_side: Machine, names: NameServers):
    canary = far_side(answer())
    names.answers["evil.test"] = ["127.0.0.1"]
    reply = ask(canary.url(host="evil.test"), policy=Policy())
    failed(reply, Failure.EGRESS_DENIED, "127.0.0.1")
    assert reply.is_ours and canary.connections == 0


def test_a_name_that_turns_to_a_refused_address_is_judged_again(
    far_side: Machine, names: NameServers
):
    canary = far_side(answer(), address="127.0.0.2")
    machine = far_side(answer())
    names.answers |= {"fares.test": ["127.0.0.1"], "evil.test": ["127.0.0.2"]}
    machine.behaviour = routes({"/": redirect(canary.url(host="evil.test"))})
    only = Policy.only("127.0.0.1", machine.port)
    reply = ask(machine.url(host="fares.test"), policy=only)
    failed(reply, Failure.EGRESS_DENIED, "127.0.0.2")
    assert (reply.redirects, reply.is_ours, canary.connections) == (1, False, 0)


def test_the_address_of_a_name_is_not_used_for_the_next_ask(far_side: Machine, names: NameServers):
    named, literal = far_side(answer()), far_side(answer(), address="127.0.0.2")
    names.answers["fares.test"] = ["127.0.0.1"]
    asker = Asker(max_open=1)
    asker.start()
    peers = []
    for url in (named.url(host="fares.test"), literal.url(), named.url(host="fares.test")):
        asker.ask(Ask(method="GET", url=url), policy=HERE, at=time.monotonic(), key=None)
        peers.append(asker.replies.get(timeout=5)[2].peer)
    asker.stop()
    assert peers == ["127.0.0.1", "127.0.0.2", "127.0.0.1"]
    assert (named.connections, literal.connections) == (2, 1)


def test_a_name_that_nobody_knows_is_no_such_host(names: NameServers):
    reply = ask("http://fares.test/")
    failed(reply, Failure.DNS, "No such host: fares.test.")
    assert not reply.is_ours and reply.status is None


def test_a_name_that_cannot_exist_is_no_such_host_for_the_real_system():
    failed(ask(f"http://{'a' * 64}.test/"), Failure.DNS, "a" * 64)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (socket.EAI_AGAIN, "The name servers did not answer about fares.test"),
        (socket.EAI_FAIL, "fares.test could not be looked up: broken"),
    ],
)
def test_trouble_of_the_name_servers_is_told_as_such(names: NameServers, code: int, words: str):
    names.answers["fares.test"] = socket.gaierror(code, "Broken")
    failed(ask("http://fares.test/"), Failure.DNS, words)


def test_silent_name_servers_end_an_ask_at_its_timeout(names: NameServers):
    reply = ask("http://fares.silent.test/")
    failed(reply, Failure.DNS, "did not answer about fares.silent.test within 500 ms")
    assert reply.phases.dns == reply.phases.total > 450_000


def test_silent_name_servers_hold_up_nobody_else(
    far_side: Machine, names: NameServers, asker: Asker
):
    machine = far_side(answer())
    names.answers["fares.test"] = ["127.0.0.1"]
    now = time.monotonic()
    for number in range(60):
        lost = Ask(method="GET", url=f"http://h{number}.silent.test/", timeout=600_000)
        asker.ask(lost, policy=HERE, at=now, key="lost")
    asker.ask(
        Ask(method="GET", url=machine.url(host="fares.test"), timeout=600_000),
        policy=HERE,
        at=now,
        key="found",
    )
    key, _, reply = asker.replies.get(timeout=5)
    assert (key, reply.failure) == ("found", None)
    failures = [asker.replies.get(timeout=5)[2].failure for _ in range(60)]
    assert set(failures) == {Failure.DNS}


def test_a_name_that_hangs_is_looked_up_once_for_all_who_wait(names: NameServers, asker: Asker):
    for _ in range(5):
        lost = Ask(method="GET", url="http://fares.silent.test/", timeout=300_000)
        asker.ask(lost, policy=HERE, at=time.monotonic(), key=None)
    assert {asker.replies.get(timeout=5)[2].failure for _ in range(5)} == {Failure.DNS}
    assert names.asked == ["fares.silent.test"]


def test_literals_and_localhost_need_no_lookup(far_side: Machine, names: NameServers):
    machine = far_side(answer())
    ask(machine.url())
    ask(machine.url(host="localhost"))
    assert names.asked == []
