"""What can be known of our own network, by real sockets and by what Linux says of its routes."""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from opsboard.outbound import surroundings
from opsboard.outbound.surroundings import look_around
from opsboard.settings import checked_canary
from tests.far_side import FarSide, answer, hang

Machine = Callable[..., FarSide]
HEAD = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
DEFAULT = "eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
NEIGHBOURS = "eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
BLACK_HOLE = "*\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0\n"
DEFAULT_V6 = f"{'0' * 32} 00 {'0' * 32} 00 {'0' * 32} 400 1 0 00000003     eth0\n"
OWN_V6 = f"fe80{'0' * 28} 40 {'0' * 32} 00 {'0' * 32} 100 1 0 00000001     eth0\n"
REFUSED_V6 = f"{'0' * 32} 00 {'0' * 32} 00 {'0' * 32} ffffffff 1 0 00200200       lo\n"


@pytest.mark.parametrize("scheme", ["tcp", "http"])
def test_a_canary_that_takes_the_connection_answers(far_side: Machine, scheme: str):
    machine = far_side(answer(503))
    looked = look_around([f"{scheme}://127.0.0.1:{machine.port}"])
    assert (looked.names_canaries, looked.canary_answers) == (True, True)


def test_one_canary_of_several_is_enough_and_the_dead_hold_it_up_no_longer(far_side: Machine):
    machine = far_side(answer())
    dead = [f"tcp://127.0.0.1:{port}" for port in (1, 2)]
    assert look_around([*dead, f"tcp://127.0.0.1:{machine.port}"], within=5).canary_answers


def test_a_canary_that_nobody_serves_does_not_answer():
    looked = look_around(["tcp://127.0.0.1:1", "http://127.0.0.1:1/"])
    assert (looked.names_canaries, looked.canary_answers) == (True, False)


def test_a_canary_that_takes_the_connection_and_says_nothing_is_alive_as_a_tcp_one(
    far_side: Machine,
):
    assert look_around([f"tcp://127.0.0.1:{far_side(hang()).port}"]).canary_answers


@pytest.fixture
def routes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    def write(v4: str, v6: str = "") -> None:
        (tmp_path / "route").write_text(HEAD + v4)
        (tmp_path / "route6").write_text(v6)

    monkeypatch.setattr(surroundings, "_ROUTES", tmp_path / "route")
    monkeypatch.setattr(surroundings, "_ROUTES_V6", tmp_path / "route6")
    return write


@pytest.mark.parametrize(
    ("v4", "v6", "way_out", "default"),
    [
        (DEFAULT + NEIGHBOURS, OWN_V6, True, True),
        (NEIGHBOURS, OWN_V6, True, False),
        ("", DEFAULT_V6, True, True),
        ("", OWN_V6 + REFUSED_V6, False, False),
        (BLACK_HOLE, "", False, False),
    ],
)
def test_routes_that_leave_the_machine_are_told_from_those_that_do_not(
    routes: Callable[[str, str], None], v4: str, v6: str, way_out: bool, default: bool
):
    routes(v4, v6)
    looked = look_around([])
    assert (looked.has_way_out, looked.has_default_route) == (way_out, default)


def test_where_the_system_does_not_tell_its_routes_the_network_is_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(surroundings, "_ROUTES", tmp_path / "none")
    monkeypatch.setattr(surroundings, "_ROUTES_V6", tmp_path / "none")
    looked = look_around([])
    assert looked.has_way_out and looked.has_default_route


@pytest.fixture
def name_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """The only one of this machine; it hears and says nothing by itself."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        (tmp_path / "resolv.conf").write_text("search example\nnameserver 127.0.0.1\n")
        monkeypatch.setattr(surroundings, "_RESOLVERS", tmp_path / "resolv.conf")
        monkeypatch.setattr(surroundings, "_DNS_PORT", server.getsockname()[1])
        yield server


def test_a_silent_name_server_is_seen(name_server: socket.socket):
    assert not look_around([], within=0.2).resolver_answers


def test_a_name_server_that_is_not_there_is_seen(name_server: socket.socket):
    name_server.close()
    assert not look_around([], within=5).resolver_answers


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("tcp://10.0.0.1", "as in tcp://10.0.0.1:443"),
        ("ftp://mirror.example", "Only http:// or https://"),
        ("tcp://user:password@10.0.0.1:443", "Take user and password out"),
    ],
)
def test_a_canary_that_cannot_be_asked_is_refused_at_the_start(address: str, words: str):
    with pytest.raises(ImproperlyConfigured, match="OPSBOARD_CANARIES") as refused:
        checked_canary(address)
    assert words in str(refused.value)


def test_addresses_that_can_be_asked_are_taken():
    for address in ("tcp://10.0.0.1:443", "tcp://[fd12::1]:443", "https://example.com/"):
        assert checked_canary(f" {address} ") == address
