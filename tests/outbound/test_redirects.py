"""Where redirects lead, and what of a sheet goes along (rows B17-B21)."""

from collections.abc import Callable
from pathlib import Path

import pytest

from opsboard.outbound.egress import Policy
from opsboard.outbound.reply import Failure
from tests.far_side import FarSide, answer, endless, hang, redirect, routes
from tests.outbound.asking import HERE, ask, failed
from tests.outbound.certificates import TRUSTED, good

Machine = Callable[..., FarSide]

SECRETS = (
    ("Authorization", "Bearer secret"),
    ("Cookie", "session=secret"),
    ("X-Api-Key", "secret"),
    ("Content-Type", "text/plain"),
)


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    TRUSTED.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))


def test_redirects_are_followed_to_the_end_and_counted(far_side: Machine):
    chain = {"/a": redirect("/b"), "/b": redirect("c", 301), "/c": answer(body=b"end")}
    machine = far_side(routes(chain))
    reply = ask(machine.url("/a"))
    assert (reply.failure, reply.status, reply.body, reply.redirects) == (None, 200, b"end", 2)
    assert [request.path for request in machine.requests] == ["/a", "/b", "/c"]


def test_a_redirect_that_is_not_followed_is_the_reply(far_side: Machine):
    machine = far_side(routes({"/": redirect("/b")}))
    reply = ask(machine.url(), follow=False)
    assert (reply.failure, reply.status, reply.redirects) == (None, 302, 0)
    assert ("Location", "/b") in reply.headers and len(machine.requests) == 1


@pytest.mark.parametrize("status", [300, 304, 302])
def test_a_status_that_leads_nowhere_is_the_reply(far_side: Machine, status: int):
    headers = () if status == 302 else (("Location", "/b"),)
    reply = ask(far_side(answer(status, *headers, body=b"")).url())
    assert (reply.failure, reply.status, reply.redirects) == (None, status, 0)


def test_phases_are_summed_over_the_hops_and_the_total_is_the_time_on_the_wall(far_side: Machine):
    slow = {"/": answer(302, ("Location", "/b"), after=0.1), "/b": answer(after=0.1)}
    phases = ask(far_side(routes(slow)).url()).phases
    assert phases.first_byte >= 190_000
    parts = phases.dns + phases.connect + phases.tls + phases.first_byte + phases.transfer
    assert parts <= phases.total < parts + 100_000


def test_a_circle_is_a_loop(far_side: Machine):
    machine = far_side(routes({"/": redirect("/b"), "/b": redirect("/")}))
    failed(ask(machine.url()), Failure.REDIRECT_LOOP, "in a circle")
    assert len(machine.requests) == 2


def test_more_redirects_than_allowed_are_a_loop(far_side: Machine):
    machine = far_side(routes({f"/{n}": redirect(f"/{n + 1}") for n in range(20)}))
    reply = ask(machine.url("/0"))
    failed(reply, Failure.REDIRECT_LOOP, "more than 5 times")
    assert (reply.redirects, reply.status, len(machine.requests)) == (5, 302, 6)


def test_just_as_many_redirects_as_allowed_are_no_loop(far_side: Machine):
    chain = {f"/{n}": redirect(f"/{n + 1}") for n in range(5)}
    reply = ask(far_side(routes({**chain, "/5": answer()})).url("/0"))
    assert (reply.failure, reply.redirects) == (None, 5)


@pytest.mark.parametrize(
    ("location", "words"),
    [
        ("file:///etc/passwd", "not file"),
        ("ftp://127.0.0.1/", "not ftp"),
        ("gopher://127.0.0.1:6379/_FLUSHALL", "not gopher"),
        ("javascript:alert(1)", "only http and https"),
        ("http://127.0.0.1:99999/", "port number"),
        ("http://exa mple/", "hostname"),
        ("http:///", "host"),
    ],
)
def test_a_redirect_to_anything_but_http_is_refused(far_side: Machine, location: str, words: str):
    reply = ask(far_side(redirect(location)).url())
    failed(reply, Failure.REDIRECT_REFUSED, "redirects to", words)
    assert (reply.status, reply.is_ours) == (302, False)


@pytest.mark.parametrize(
    ("location", "path"),
    [
        ("../up", "/up"),
        ("?q=1", "/dir/page?q=1"),
        ("//127.0.0.1:{port}/other", "/other"),
        ("/caf\xe9 au lait", "/caf%E9%20au%20lait"),
        ("/x#part", "/x"),
        ("http://somebody:secret@127.0.0.1:{port}/login", "/login"),
    ],
)
def test_a_location_is_read_as_libcurl_would_dial_it(far_side: Machine, location: str, path: str):
    machine = far_side(answer())
    machine.behaviour = routes(
        {"/dir/page": redirect(location.format(port=machine.port)), path: answer()}
    )
    ask(machine.url("/dir/page"))
    assert machine.requests[1].path == path
    assert machine.requests[1].header("Authorization") is None


def test_a_location_of_a_megabyte_is_too_large(far_side: Machine):
    machine = far_side(endless(b"HTTP/1.1 302 Found\r\nLocation: /", b"a" * 65536))
    failed(ask(machine.url()), Failure.HEADERS_TOO_LARGE)


def test_from_https_to_http_is_refused(far_side: Machine, trusted: None):
    plain = far_side(answer())
    reply = ask(far_side(redirect(plain.url()), tls=good()).url())
    failed(reply, Failure.REDIRECT_REFUSED, "would leave TLS")
    assert plain.connections == 0


def test_from_http_to_https_is_followed_with_nothing_of_the_sheet(far_side: Machine, trusted: None):
    safe = far_side(answer(), tls=good())
    reply = ask(far_side(redirect(safe.url())).url(), headers=SECRETS)
    assert reply.failure is None and reply.certificate
    assert "secret" not in str(safe.requests[0])


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_nothing_of_the_sheet_reaches_another_port(far_side: Machine, status: int):
    recorder = far_side(answer())
    machine = far_side(redirect(recorder.url("/x"), status))
    reply = ask(machine.url().replace("//", "//user:secret@"), headers=SECRETS[1:])
    assert reply.failure is None
    assert machine.requests[0].header("Authorization") == "Basic dXNlcjpzZWNyZXQ="
    assert machine.requests[0].header("X-Api-Key") == "secret"
    assert "secret" not in str(recorder.requests[0])
    assert recorder.requests[0].method == "GET"


def test_nothing_of_the_sheet_reaches_another_host_at_the_same_port(far_side: Machine):
    machine = far_side(answer())
    machine.behaviour = routes(
        {"/": redirect(machine.url("/next", host="localhost")), "/next": answer()}
    )
    assert ask(machine.url(), headers=SECRETS).failure is None
    assert "secret" in str(machine.requests[0]) and "secret" not in str(machine.requests[1])


def test_what_was_dropped_does_not_come_back_with_the_first_host(far_side: Machine):
    home = far_side(answer())
    away = far_side(redirect(home.url("/back")))
    home.behaviour = routes({"/": redirect(away.url()), "/back": answer()})
    assert ask(home.url(), headers=SECRETS).redirects == 2
    assert "secret" not in str(home.requests[1])


def test_within_one_origin_the_headers_go_along(far_side: Machine):
    machine = far_side(routes({"/": redirect("/b"), "/b": answer()}))
    ask(machine.url().replace("//", "//user:secret@"), headers=SECRETS[1:])
    for request in machine.requests:
        assert request.header("Authorization") == "Basic dXNlcjpzZWNyZXQ="
        assert request.header("X-Api-Key") == "secret"


@pytest.mark.parametrize(
    ("status", "method", "becomes", "keeps_body"),
    [
        (301, "POST", "GET", False),
        (302, "POST", "GET", False),
        (303, "POST", "GET", False),
        (303, "PUT", "GET", False),
        (302, "PUT", "PUT", True),
        (307, "POST", "POST", True),
        (308, "PATCH", "PATCH", True),
        (303, "HEAD", "HEAD", False),
    ],
)
def test_within_one_origin_methods_change_as_in_browsers(
    far_side: Machine, status: int, method: str, becomes: str, keeps_body: bool
):
    machine = far_side(routes({"/": redirect("/b", status), "/b": answer()}))
    body = b"" if method == "HEAD" else b"payload"
    ask(machine.url(), method=method, body=body, headers=SECRETS)
    second = machine.requests[1]
    assert (second.method, second.body) == (becomes, b"payload" if keeps_body else b"")
    assert (second.header("Content-Type") == "text/plain") is keeps_body


@pytest.mark.parametrize("status", [301, 302, 303])
def test_to_another_origin_a_body_is_dropped(far_side: Machine, status: int):
    recorder = far_side(answer())
    machine = far_side(redirect(recorder.url(), status))
    assert ask(machine.url(), method="PUT", body=b"payload", headers=SECRETS).failure is None
    assert (recorder.requests[0].method, recorder.requests[0].body) == ("GET", b"")


@pytest.mark.parametrize("status", [307, 308])
def test_a_redirect_that_would_carry_the_body_elsewhere_is_refused(far_side: Machine, status: int):
    recorder = far_side(answer())
    reply = ask(far_side(redirect(recorder.url(), status)).url(), method="POST", body=b"payload")
    failed(reply, Failure.REDIRECT_REFUSED, f"status {status}", "would send it the body")
    assert recorder.connections == 0


@pytest.mark.parametrize(
    "target",
    [
        "http://127.0.0.2:{port}/",
        "http://[::ffff:127.0.0.2]:{port}/",
        "http://0x7f.2:{port}/",
        "http://2130706434:{port}/",
        "//127.2:{port}/",
    ],
)
def test_a_redirect_into_a_refused_address_reaches_nobody(far_side: Machine, target: str):
    canary = far_side(answer(), address="127.0.0.2")
    machine = far_side(redirect(target.format(port=canary.port)))
    reply = ask(machine.url(), policy=Policy.only("127.0.0.1", machine.port))
    failed(reply, Failure.EGRESS_DENIED, "127.0.0.2")
    assert (reply.redirects, reply.is_ours, canary.connections) == (1, False, 0)


@pytest.mark.parametrize("address", ["169.254.169.254", "[::ffff:a9fe:a9fe]", "[fe80::1%25lo]"])
def test_a_redirect_to_the_metadata_service_or_a_zone_is_denied(far_side: Machine, address: str):
    reply = ask(far_side(redirect(f"http://{address}/latest")).url(), policy=HERE)
    failed(reply, Failure.EGRESS_DENIED)
    assert (reply.redirects, reply.is_ours) == (1, False)


def test_a_redirect_with_an_endless_body_is_too_large(far_side: Machine):
    machine = far_side(endless(b"HTTP/1.1 302 Found\r\nLocation: /b\r\n\r\n", bytes(65536)))
    failed(ask(machine.url(), max_body=100_000), Failure.TOO_LARGE)


def test_a_redirect_whose_body_never_ends_is_out_of_time(far_side: Machine):
    machine = far_side(hang(b"HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 9\r\n\r\n"))
    failed(ask(machine.url(), timeout=300_000), Failure.TIMEOUT)
