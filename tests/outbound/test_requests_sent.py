"""What goes over the wire: what the ask says, and nothing from this machine."""

from collections.abc import Callable
from pathlib import Path

import pytest

from opsboard.outbound.reply import Failure
from tests.far_side import FarSide, Request, answer, routes
from tests.outbound.asking import ask, failed

Machine = Callable[..., FarSide]


@pytest.fixture
def sent(far_side: Machine) -> Callable[..., Request]:
    machine = far_side(answer())

    def send(path: str = "/", **fields: object) -> Request:
        assert ask(machine.url(path), **fields).failure is None
        return machine.requests[-1]

    return send


def test_a_plain_get_sends_little(sent: Callable[..., Request]):
    request = sent("/a?b=c")
    assert (request.method, request.path, request.body) == ("GET", "/a?b=c", b"")
    assert {name for name, _ in request.headers} == {
        "Host",
        "User-Agent",
        "Accept",
        "Accept-Encoding",
    }
    assert request.header("User-Agent") == "Opsboard/0.1"
    assert request.header("Accept-Encoding") == "identity"


def test_headers_of_the_ask_win(sent: Callable[..., Request]):
    headers = (
        ("accept-encoding", "gzip"),
        ("USER-AGENT", "me"),
        ("Host", "other.example"),
        ("Accept", "text/html"),
        ("X-Empty", ""),
        ("X-Name", "Zoë"),
        ("X-Twice", "1"),
        ("X-Twice", "2"),
    )
    got = sent(headers=headers).headers
    assert sorted(name.lower() for name, _ in got) == sorted(name.lower() for name, _ in headers)
    assert dict(got)["Host"] == "other.example" and dict(got)["X-Empty"] == ""
    assert dict(got)["X-Name"].encode("latin-1").decode() == "Zoë"


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "PURGE", "get"])
def test_every_method_can_carry_a_body(sent: Callable[..., Request], method: str):
    request = sent(method=method, body=b"a\0b" * 1000)
    assert (request.method, request.body) == (method, b"a\0b" * 1000)
    assert request.header("Content-Type") is None and request.header("Expect") is None


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_an_empty_body_is_announced_where_one_is_expected(
    sent: Callable[..., Request], method: str
):
    request = sent(method=method)
    assert (request.method, request.header("Content-Length")) == (method, "0")


@pytest.mark.parametrize("method", ["DELETE", "OPTIONS", "PURGE"])
def test_other_methods_go_without_a_body(sent: Callable[..., Request], method: str):
    request = sent(method=method)
    assert (request.method, request.header("Content-Length")) == (method, None)


def test_a_body_of_two_megabytes_is_sent_at_once(sent: Callable[..., Request]):
    assert len(sent(method="POST", body=bytes(2 << 20)).body) == 2 << 20


def test_head_is_answered_without_a_body(far_side: Machine):
    reply = ask(far_side(answer(body=b"hello")).url(), method="HEAD")
    assert (reply.failure, reply.status, reply.body) == (None, 200, b"")
    assert ("Content-Length", "5") in reply.headers


def test_what_one_ask_sent_is_not_in_the_next(far_side: Machine):
    machine = far_side(routes({"/": answer()}))
    ask(machine.url(), method="POST", body=b"payload", headers=(("X-Api-Key", "secret"),))
    ask(machine.url())
    assert "secret" not in str(machine.requests[1]) and machine.requests[1].body == b""


def test_an_address_in_any_writing_is_sent_as_ascii(sent: Callable[..., Request]):
    assert sent("/caf\xe9 au lait?q=\xfc&list[]=1#part").path == (
        "/caf%C3%A9%20au%20lait?q=%C3%BC&list[]=1"
    )


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])
def test_proxies_of_the_environment_are_ignored(
    far_side: Machine, monkeypatch: pytest.MonkeyPatch, name: str
):
    proxy, machine = far_side(answer(body=b"proxy")), far_side(answer(body=b"machine"))
    monkeypatch.setenv(name, proxy.url())
    assert ask(machine.url()).body == b"machine"
    assert proxy.connections == 0


def test_passwords_of_netrc_are_ignored(
    sent: Callable[..., Request], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    netrc = tmp_path / ".netrc"
    netrc.write_text("default login me password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(netrc))
    assert sent().header("Authorization") is None


def test_cookies_are_not_kept(far_side: Machine):
    machine = far_side(answer(200, ("Set-Cookie", "session=1; Path=/")))
    ask(machine.url())
    ask(machine.url())
    assert machine.requests[1].header("Cookie") is None


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"url": ""}, "the address is not usable"),
        ({"url": "fares.internal"}, "must begin with http:// or https://"),
        ({"url": "ftp://127.0.0.1/"}, "only http and https can be asked, not ftp"),
        ({"url": "http://a b/"}, "hostname"),
        ({"url": "http://127.0.0.1:70000/"}, "port number"),
        ({"url": "http://a\0b/"}, "a character that cannot be sent"),
        ({"url": "http://\ud800/"}, "a character that cannot be sent"),
        ({"method": "GET /x"}, '"GET /x" is not a method'),
        ({"method": ""}, "is not a method"),
        ({"headers": (("X", "a\r\nY: b"),)}, 'the header "X" holds a line break'),
        ({"headers": (("X", "a\0"),)}, 'the header "X" holds'),
        ({"headers": (("X", "\udc00"),)}, 'the header "X" holds'),
        ({"headers": (("X: y", "a"),)}, '"X: y" is not the name of a header'),
        ({"headers": (("", "a"),)}, "is not the name of a header"),
        ({"timeout": 0}, "timeout"),
    ],
)
def test_an_ask_that_cannot_be_sent_is_our_own_error(far_side: Machine, fields: dict, words: str):
    machine = far_side(answer())
    reply = ask(**{"url": machine.url(), **fields})
    failed(reply, Failure.CONFIG, "It cannot be asked", words)
    assert reply.is_ours and machine.connections == 0


def test_passwords_of_the_address_are_in_no_sentence():
    reply = ask("http://user:secret@127.0.0.1:1/path?token=secret")
    failed(reply, Failure.REFUSED, "127.0.0.1:1")
    assert "secret" not in reply.detail
