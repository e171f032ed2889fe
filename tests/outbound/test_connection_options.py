"""How a connection is made where a sheet asks for more than the usual: with real machines."""

import gzip
import socket
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from opsboard.outbound.egress import Policy, parse_allow
from opsboard.outbound.http import Asker
from opsboard.outbound.reply import Ask, Connection, Failure, Reply
from opsboard.outbound.unpacking import ACCEPTED
from tests.far_side import FarSide, Visit, answer, hang, raw, redirect, routes
from tests.outbound.asking import HERE, ask, failed, needs_ipv6
from tests.outbound.certificates import STRANGER, TRUSTED, good
from tests.outbound.http2 import answer_in_frames, offering_http2
from tests.outbound.proxies import forward, refuse

Machine = Callable[..., FarSide]
AUTHORITY = TRUSTED.cert_pem.bytes().decode()
BASIC = "Basic dXNlcjpzZWNyZXQ="


def connected(url: str, *, policy: Policy = HERE, headers: tuple = (), **options: object) -> Reply:
    """Asked over a connection with these options, trusting the tests' own authority."""
    options.setdefault("authority", AUTHORITY)
    return ask(url, policy=policy, headers=headers, connection=Connection(**options))


def pem(leaf: trustme.LeafCert) -> dict[str, str]:
    chain = b"".join(blob.bytes() for blob in leaf.cert_chain_pems)
    return {"certificate": chain.decode(), "key": leaf.private_key_pem.bytes().decode()}


def asking_for_papers(*names: str) -> ssl.SSLContext:
    context = good(*names)
    context.verify_mode = ssl.CERT_REQUIRED
    TRUSTED.configure_trust(context)
    return context


# Own authority.


def test_an_authority_of_the_sheet_is_trusted_without_a_file(far_side: Machine):
    machine = far_side(answer(), tls=good())
    failed(ask(machine.url()), Failure.TLS_UNTRUSTED)
    assert connected(machine.url()).failure is None


def test_an_authority_of_the_sheet_is_the_only_one(far_side: Machine, tmp_path: Path, monkeypatch):
    TRUSTED.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    stranger = STRANGER.cert_pem.bytes().decode()
    reply = connected(far_side(answer(), tls=good()).url(), authority=stranger)
    failed(reply, Failure.TLS_UNTRUSTED)


def test_an_authority_that_is_no_pem_is_our_own_error(far_side: Machine):
    reply = connected(far_side(answer(), tls=good()).url(), authority="nonsense")
    failed(reply, Failure.CONFIG, "The authority of the sheet's connection is not PEM")
    assert reply.is_ours


# Client certificates.


def test_a_client_certificate_is_shown_to_a_machine_that_asks_for_one(far_side: Machine):
    shown = []

    def note_and_answer(visit: Visit) -> None:
        assert isinstance(visit.connection, ssl.SSLSocket)
        shown.append(visit.connection.getpeercert())
        answer()(visit)

    machine = far_side(note_and_answer, tls=asking_for_papers())
    reply = connected(machine.url(), **pem(TRUSTED.issue_cert("prober.example")))
    assert (reply.failure, reply.status) == (None, 200)
    assert shown[0]["subjectAltName"] == (("DNS", "prober.example"),)


def test_certificate_and_key_may_be_one_text(far_side: Machine):
    both = pem(TRUSTED.issue_cert("prober.example"))
    machine = far_side(answer(), tls=asking_for_papers())
    assert connected(machine.url(), certificate=both["key"] + both["certificate"]).failure is None


def test_without_the_certificate_that_is_asked_for_nothing_is_answered(far_side: Machine):
    machine = far_side(answer(), tls=asking_for_papers())
    reply = connected(machine.url())
    # The far side closes while our request is on its way: the reset may overtake its alert.
    assert reply.failure in (Failure.TLS_HANDSHAKE, Failure.RESET)
    assert (reply.status, reply.is_ours, machine.requests) == (None, False, [])


def test_a_certificate_that_the_machine_does_not_trust_is_refused(far_side: Machine):
    machine = far_side(answer(), tls=asking_for_papers())
    reply = connected(machine.url(), **pem(STRANGER.issue_cert("prober.example")))
    assert reply.failure in (Failure.TLS_HANDSHAKE, Failure.RESET)
    assert (reply.status, reply.is_ours, machine.requests) == (None, False, [])


def _with_passphrase(key: str) -> str:
    locked = load_pem_private_key(key.encode(), None).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"words")
    )
    return locked.decode()


@pytest.mark.parametrize("which", ["no certificate", "no key", "another key", "a locked key"])
def test_papers_that_cannot_be_used_are_our_own_error(far_side: Machine, which: str):
    mine, other = (pem(TRUSTED.issue_cert(name)) for name in ("me.example", "you.example"))
    papers = {
        "no certificate": {**mine, "certificate": "nonsense"},
        "no key": {**mine, "key": "nonsense"},
        "another key": {**mine, "key": other["key"]},
        "a locked key": {**mine, "key": _with_passphrase(mine["key"])},
    }[which]
    reply = connected(far_side(answer(), tls=asking_for_papers()).url(), **papers)
    failed(reply, Failure.CONFIG, "The client certificate of the sheet's connection cannot be used")
    assert reply.is_ours and "PRIVATE" not in reply.detail


# Versions of HTTP.


def test_http_1_1_is_spoken_where_it_is_asked_for(far_side: Machine):
    machine = far_side(answer(), tls=offering_http2(good(), only=False))
    reply = connected(machine.url(), http="1.1")
    assert (reply.failure, reply.http_version) == (None, "1.1")


def test_http_2_is_spoken_over_tls_where_it_is_asked_for(far_side: Machine):
    machine = far_side(answer_in_frames(), tls=offering_http2(good()), reads=False)
    reply = connected(machine.url(), http="2")
    assert (reply.failure, reply.http_version, reply.body) == (None, "2", b"hi")


def test_http_2_without_tls_is_spoken_only_where_it_is_asked_for(far_side: Machine):
    machine = far_side(answer_in_frames(), reads=False)
    reply = connected(machine.url(), http="2")
    assert (reply.failure, reply.http_version, reply.body) == (None, "2", b"hi")
    failed(ask(machine.url()), Failure.PROTOCOL)


def test_an_answer_in_http_1_1_is_none_where_http_2_is_asked_for(far_side: Machine):
    over_tls = connected(far_side(answer(), tls=good()).url(), http="2")
    failed(over_tls, Failure.PROTOCOL, "was to speak HTTP/2 and answered in HTTP/1.1")
    plain = connected(far_side(answer()).url(), http="2")
    failed(plain, Failure.PROTOCOL, "does not speak HTTP/2 without TLS")


# Families of addresses.


@pytest.fixture
def both_families(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """What the system's resolver says, by name: answers of the families that are asked for."""
    known = {"fares.test": ["::1", "127.0.0.1"], "old.test": ["127.0.0.1"]}

    def getaddrinfo(host: bytes, _port: None, *, family: int, **_hints: int) -> list[tuple]:
        found = [
            (socket.AF_INET6 if ":" in address else socket.AF_INET, 1, 6, "", (address, 0))
            for address in known[host.decode()]
        ]
        found = [one for one in found if family in (socket.AF_UNSPEC, one[0])]
        if not found:
            raise socket.gaierror(socket.EAI_NONAME, "no address")
        return found

    monkeypatch.setattr("opsboard.outbound.names.socket.getaddrinfo", getaddrinfo)
    return known


@needs_ipv6
@pytest.mark.parametrize(("ip", "address"), [(4, "127.0.0.1"), (6, "::1"), (0, "::1")])
def test_the_first_address_of_the_family_asked_for_is_dialled(
    far_side: Machine, both_families, ip: int, address: str
):
    machine = far_side(answer(), address=address)
    reply = connected(machine.url(host="fares.test"), ip=ip)
    assert (reply.failure, reply.peer) == (None, address)


def test_a_name_without_an_address_of_the_family_is_told_as_that(both_families):
    failed(connected("http://old.test/", ip=6), Failure.DNS, "old.test has no IPv6 address.")


def test_a_literal_of_the_other_family_is_told_as_that(far_side: Machine):
    machine = far_side(answer())
    failed(connected(machine.url(), ip=6), Failure.DNS, "127.0.0.1 has no IPv6 address.")
    assert connected(machine.url(), ip=4).failure is None
    failed(connected("http://[::1]:1/", ip=4), Failure.DNS, "[::1] has no IPv4 address.")


@needs_ipv6
@pytest.mark.parametrize(("ip", "address"), [(4, "127.0.0.1"), (6, "::1")])
def test_localhost_is_dialled_in_the_family_asked_for(far_side: Machine, ip: int, address: str):
    machine = far_side(answer(), address=address)
    reply = connected(machine.url(host="localhost"), ip=ip)
    assert (reply.failure, reply.peer) == (None, address)
    other = connected(machine.url(host="localhost"), ip=10 - ip)
    failed(other, Failure.REFUSED)


# Other names.


def note_names(context: ssl.SSLContext) -> list[str | None]:
    told: list[str | None] = []

    def note(_socket: object, name: str | None, _context: object) -> None:
        told.append(name)

    context.sni_callback = note
    return told


def test_a_server_name_is_told_in_the_handshake_and_is_the_one_that_is_verified(far_side: Machine):
    context = good("fares.internal")
    told = note_names(context)
    machine = far_side(answer(), tls=context)
    failed(connected(machine.url()), Failure.TLS_HOSTNAME)
    reply = connected(machine.url("/a?b=c"), server_name="Fares.internal")
    assert (reply.failure, reply.peer, told[-1]) == (None, "127.0.0.1", "fares.internal")
    assert machine.requests[0].path == "/a?b=c"
    assert machine.requests[0].header("Host") == f"127.0.0.1:{machine.port}"


def test_a_server_name_of_a_looked_up_or_local_name_is_dialled_where_that_is(
    far_side: Machine, both_families
):
    machine = far_side(answer(), tls=good("fares.internal"))
    for host in ("old.test", "localhost"):
        reply = connected(machine.url(host=host), server_name="fares.internal")
        assert (reply.failure, reply.peer) == (None, "127.0.0.1")
        assert machine.requests[-1].header("Host") == f"{host}:{machine.port}"


def test_a_certificate_for_another_than_the_server_name_is_told_as_such(far_side: Machine):
    machine = far_side(answer(), tls=good())
    failed(connected(machine.url(), server_name="fares.internal"), Failure.TLS_HOSTNAME)
    assert machine.requests == []


@pytest.mark.parametrize("name", ["a b", "me@fares", "fares:1", "fares/x", "fares?", "[::1%25lo]"])
def test_a_server_name_that_is_none_is_our_own_error(far_side: Machine, name: str):
    reply = connected(far_side(answer(), tls=good()).url(), server_name=name)
    failed(reply, Failure.CONFIG, "It cannot be asked", "is not a server name")


# What goes along with a redirect.


def test_papers_and_names_reach_no_other_origin(far_side: Machine):
    shown = []

    def note_and_answer(visit: Visit) -> None:
        assert isinstance(visit.connection, ssl.SSLSocket)
        shown.append(visit.connection.getpeercert())
        answer()(visit)

    wanting = good()
    wanting.verify_mode = ssl.CERT_OPTIONAL
    TRUSTED.configure_trust(wanting)
    told = note_names(wanting)
    recorder = far_side(note_and_answer, tls=wanting)
    home = far_side(redirect(recorder.url(host="localhost")), tls=asking_for_papers("fares.test"))
    reply = connected(
        home.url(),
        headers=(("Authorization", BASIC), ("Host", "fares.test")),
        server_name="fares.test",
        **pem(TRUSTED.issue_cert("prober.example")),
    )
    assert (reply.failure, reply.redirects) == (None, 1)
    assert (shown, told) == ([None], ["localhost"])
    assert recorder.requests[0].header("Authorization") is None
    assert recorder.requests[0].header("Host") == f"localhost:{recorder.port}"


def test_papers_and_names_go_along_within_one_origin(far_side: Machine):
    machine = far_side(answer(), tls=asking_for_papers("fares.test"))
    machine.behaviour = routes({"/": redirect(machine.url("/b")), "/b": answer()})
    papers = pem(TRUSTED.issue_cert("prober.example"))
    reply = connected(machine.url(), server_name="fares.test", **papers)
    assert (reply.failure, reply.redirects) == (None, 1)


def test_what_one_ask_said_of_its_connection_is_not_in_the_next(far_side: Machine):
    asker = Asker(max_open=1)
    asker.start()
    machine = far_side(answer(), tls=good("fares.test", "127.0.0.1"))
    proxy = far_side(forward((machine.address, machine.port)))
    special = Connection(
        authority=AUTHORITY,
        server_name="fares.test",
        proxy=proxy.url(),
        ip=4,
        http="1.1",
        **pem(TRUSTED.issue_cert("prober.example")),
    )
    plain = far_side(answer())
    for one in (
        Ask(method="GET", url=machine.url(), connection=special),
        Ask(method="GET", url=machine.url()),
        Ask(method="GET", url=plain.url()),
    ):
        asker.ask(one, policy=HERE, at=0, key=None)
    failures = [asker.replies.get(timeout=10)[2].failure for _ in range(3)]
    asker.stop()
    assert failures == [None, Failure.TLS_UNTRUSTED, None]
    assert proxy.connections == 1


# Proxies.


def test_a_proxy_carries_http_in_absolute_form(far_side: Machine):
    machine = far_side(answer(body=b"through"))
    proxy = far_side(forward((machine.address, machine.port)))
    reply = connected("http://fares.test:81/a?b=c", headers=(("X-Key", "k"),), proxy=proxy.url())
    assert (reply.failure, reply.body, reply.peer) == (None, b"through", "127.0.0.1")
    assert proxy.requests[0].path == "http://fares.test:81/a?b=c"
    assert machine.requests[0].header("Host") == "fares.test:81"
    assert machine.requests[0].header("X-Key") == "k"


def test_a_proxy_tunnels_https_and_sees_nothing_of_the_sheet(far_side: Machine):
    machine = far_side(answer(body=b"through"), tls=good("fares.test"))
    proxy = far_side(forward((machine.address, machine.port), needs=BASIC))
    reply = connected(
        "https://fares.test/a",
        headers=(("Authorization", "Bearer token"),),
        proxy=proxy.url().replace("//", "//user:secret@"),
    )
    assert (reply.failure, reply.status, reply.body) == (None, 200, b"through")
    assert ("X-Proxy", "tunnel") not in reply.headers and reply.certificate
    assert (proxy.requests[0].method, proxy.requests[0].path) == ("CONNECT", "fares.test:443")
    assert "token" not in str(proxy.requests)
    assert machine.requests[0].header("Authorization") == "Bearer token"
    assert machine.requests[0].header("Proxy-Authorization") is None


def test_a_server_name_is_told_to_the_far_side_and_not_to_the_proxy(far_side: Machine):
    machine = far_side(answer(), tls=good("inner.test"))
    proxy = far_side(forward((machine.address, machine.port)))
    reply = connected("https://fares.test/", server_name="inner.test", proxy=proxy.url())
    assert (reply.failure, proxy.requests[0].path) == (None, "fares.test:443")


def test_a_proxy_is_looked_up_and_the_far_side_is_left_to_it(far_side: Machine, both_families):
    machine = far_side(answer(), tls=good("nobody-knows.test"))
    proxy = far_side(forward((machine.address, machine.port)))
    reply = connected("https://nobody-knows.test/", proxy=proxy.url(host="old.test"))
    assert (reply.failure, reply.peer) == (None, "127.0.0.1")
    assert proxy.requests[0].path == "nobody-knows.test:443"


def test_redirects_stay_with_the_proxy(far_side: Machine):
    machine = far_side(routes({"/": redirect("http://other.test/b"), "/b": answer(body=b"end")}))
    proxy = far_side(forward((machine.address, machine.port)))
    reply = connected("http://fares.test/", proxy=proxy.url())
    assert (reply.failure, reply.body, proxy.connections) == (None, b"end", 2)


def test_a_proxy_that_asks_who_we_are_is_told_as_that(far_side: Machine):
    proxy = far_side(refuse(407))
    reply = connected("https://fares.test/", proxy=proxy.url())
    failed(
        reply,
        Failure.REFUSED,
        f"The proxy 127.0.0.1:{proxy.port} answered 407 when it was asked for https://fares.test",
    )
    assert (reply.status, reply.headers) == (None, ())


@pytest.mark.parametrize(
    ("behaviour", "failure", "words"),
    [
        (raw(), Failure.PROTOCOL, "closed the connection when it was asked for https://fares.test"),
        (hang(), Failure.TIMEOUT, "The proxy 127.0.0.1"),
        (raw(b"hello"), Failure.PROTOCOL, "The proxy 127.0.0.1"),
        (raw(b"HTTP/1.1 200 OK\r\n\r\n"), None, "fares.test through the proxy 127.0.0.1"),
    ],
    ids=["closes", "hangs", "no http", "tunnel to nowhere"],
)
def test_trouble_of_a_proxy_is_told_as_the_proxys(far_side: Machine, behaviour, failure, words):
    proxy = far_side(behaviour)
    reply = connected("https://fares.test/", proxy=proxy.url())
    assert reply.failure == failure or (failure is None and reply.failure), reply
    assert words in reply.detail and not reply.is_ours, reply


def test_a_proxy_where_nothing_listens_is_told_as_the_proxys():
    reply = connected("http://fares.test/", proxy="http://127.0.0.1:1")
    failed(reply, Failure.REFUSED, "The proxy 127.0.0.1:1 refused the connection")


def test_the_proxy_is_what_the_egress_rule_judges(far_side: Machine):
    proxy = far_side(answer())
    reply = connected("http://fares.test/", policy=Policy(), proxy=proxy.url())
    failed(reply, Failure.EGRESS_DENIED, "127.0.0.1")
    assert reply.is_ours and proxy.connections == 0


@pytest.mark.parametrize(
    "target",
    [
        "http://169.254.169.254/",
        "http://[::ffff:a9fe:a9fe]/",
        "https://0xa9fea9fe/",
        "http://10.1.2.3./",
        "http://localhost/",
        "http://x.localhost/",
        "http://127.1/",
        "http://[fe80::1%25lo]/",
    ],
)
def test_no_proxy_is_told_to_go_where_we_may_not(far_side: Machine, target: str):
    proxy = far_side(answer(), address="127.0.0.2")
    only_the_proxy = Policy(allow=parse_allow("127.0.0.2"))
    reply = connected(target, policy=only_the_proxy, proxy=proxy.url())
    failed(reply, Failure.EGRESS_DENIED)
    assert proxy.connections == 0


def test_a_redirect_by_way_of_a_proxy_is_judged_too(far_side: Machine):
    machine = far_side(redirect("http://169.254.169.254/latest"))
    proxy = far_side(forward((machine.address, machine.port)))
    reply = connected("http://fares.test/", proxy=proxy.url())
    failed(reply, Failure.EGRESS_DENIED, "no setting allows it")
    assert (reply.redirects, reply.is_ours, proxy.connections) == (1, False, 1)


@pytest.mark.parametrize(
    ("proxy", "words"),
    [
        ("proxy.example:3128", "is not an address such as"),
        ("socks5://proxy.example:1", "is not an address such as"),
        ("https://proxy.example", "only a proxy at http://"),
        ("http://[fe80::1%25lo]:1", "network interface"),
    ],
)
def test_a_proxy_that_cannot_be_asked_is_our_own_error(proxy: str, words: str):
    reply = connected("http://fares.test/", proxy=proxy)
    assert words in reply.detail and reply.is_ours


# Compressed answers.


def _packed(coding: str, body: bytes) -> bytes:
    if coding == "gzip":
        return gzip.compress(body)
    if coding == "br":
        return pytest.importorskip("brotli").compress(body)
    return pytest.importorskip("zstandard").compress(body)


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
def test_an_answer_in_a_coding_that_was_asked_for_is_unpacked(far_side: Machine, coding: str):
    machine = far_side(answer(200, ("Content-Encoding", coding), body=_packed(coding, b"hello")))
    reply = ask(machine.url(), headers=(("Accept-Encoding", ACCEPTED),))
    assert (reply.failure, reply.body) == (None, b"hello")
    assert coding in (machine.requests[0].header("Accept-Encoding") or "")


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
@pytest.mark.parametrize("cut", [0, 3], ids=["plain", "cut"])
def test_what_claims_to_be_packed_and_is_not_whole_cannot_be_decoded(
    far_side: Machine, coding: str, cut: int
):
    body = _packed(coding, b"hello" * 9)[:-cut] if cut else b"hello"
    reply = ask(far_side(answer(200, ("Content-Encoding", coding), body=body)).url())
    failed(reply, Failure.DECODE, coding)
    assert reply.body == body


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
def test_what_unpacks_to_just_the_cap_is_whole(far_side: Machine, coding: str):
    behaviour = answer(200, ("Content-Encoding", coding), body=_packed(coding, bytes(5000)))
    assert len(ask(far_side(behaviour).url(), max_body=5000).body) == 5000
    failed(ask(far_side(behaviour).url(), max_body=4999), Failure.TOO_LARGE, "after unpacking")
