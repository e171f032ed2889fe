"""Which addresses may be written: rows B35 to B39 of the hardening list."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsboard.outbound.targets import read_target
from opsboard.services.addresses import check_url, literal_of, site_of


@pytest.mark.parametrize(
    "url",
    [
        "http://fares.example",
        "https://fares.example/price?from=SK1&to=SK%202",
        "HTTP://Fares.Example:8443/",
        "http://127.0.0.1:8000/health",
        "http://[2001:db8::1]:8080/x",
        "http://xn--bcher-kva.example/",
        "http://under_score.internal/",
        "http://fares.example./",
        "http://fares.example?x=1",
        "http://fares.example/søk",
        "http://a.test/@x?mail=a@b",
    ],
)
def test_plain_addresses_may_be_asked(url: str) -> None:
    assert check_url(url) == ""


@pytest.mark.parametrize(
    ("url", "says"),
    [
        *[
            (url, "Only http:// or https://")
            for url in (
                "ftp://a.test/",
                "file:///etc/passwd",
                "gopher://a.test/",
                "javascript:alert(1)",
                "http://",
                "http:///x",
                "https://?x",
                "http:a.test",
                "a.test/health",
                "//a.test/",
                "",
            )
        ],
        ("http://user:pw@host/", "Take user and password out"),
        ("http://user@host/", "Take user and password out"),
        ("http://a.test\\@127.0.0.1/", "backslash"),
        ("http://127.0.0.1\\.a.test/", "backslash"),
        ("http://a.test/\tx", "space or a character that cannot be seen"),
        ("http://a.test/\r\nX: y", "space or a character that cannot be seen"),
        ("http://a.test/a b", "space or a character that cannot be seen"),
        ("http://a\u200b.test/", "space or a character that cannot be seen"),
        ("http://a.test:099999/", "from 1 to 65535"),
        ("http://a.test:65536/", "from 1 to 65535"),
        ("http://a.test:0/", "from 1 to 65535"),
        ("http://a.test:/", "from 1 to 65535"),
        ("http://a.test:8a/", "from 1 to 65535"),
        ("http://a.test:80:80/", "from 1 to 65535"),
        ("http://a%2etest/", "without %"),
        ("http://[fe80::1%25eth0]/", "without its zone"),
        ("http://[::1/", "The host cannot be read"),
        ("http://[nonsense]/", "not an IPv6 address"),
        *[
            (f"http://{host}/", "a.b.c.d")
            for host in (
                "2130706433",
                "0x7f.1",
                "0177.0.0.1",
                "127.1",
                "0",
                "127.0.0.1.",
                "1.2.3.4.5",
            )
        ],
        ("http://①②⑦.0.0.1/", "in ASCII"),
        ("http://127。0。0。1/", "in ASCII"),
        ("http://bücher.example/", "in ASCII"),
        ("http://аpple.example/", "in ASCII"),
        (f"http://{'a' * 64}.test/", "not a name"),
        (f"http://{'a.' * 130}test/", "not a name"),
        ("http://-a.test/", "not a name"),
        ("http://a..test/", "not a name"),
        ("http://a!b.test/", "not a name"),
        ("http://a.test/#part", "Leave out #"),
        (f"http://a.test/{'x' * 2000}", "at most 2,000"),
    ],
)
def test_others_are_refused_with_what_to_do(url: str, says: str) -> None:
    assert says in check_url(url)


def test_a_refusal_never_repeats_the_address() -> None:
    assert "s3cret" not in check_url("http://ana:s3cret@a.test/")


ODD = st.text(st.sampled_from("ahtp:/\\@[]%.#?0x1 _-é。\t"), max_size=30)


@given(st.one_of(ODD, ODD.map(lambda rest: f"http://{rest}"), st.text(max_size=60)))
def test_what_passes_is_read_in_one_way_by_the_parser_that_dials(url: str) -> None:
    if check_url(url) == "":
        target = read_target(url.encode())
        assert url.lower().startswith(f"{target.scheme}://")
        assert target.host in url.lower() or target.host.startswith("[")
        assert not target.authorization


def test_a_literal_is_told_from_a_name() -> None:
    assert literal_of("http://10.0.0.1:81/x") == ("10.0.0.1", 81)
    assert literal_of("https://[::1]/") == ("::1", 443)
    assert literal_of("http://fares.example/") is None


def test_the_site_is_scheme_host_and_port() -> None:
    assert site_of("HTTP://A.test:80/x?y") == "http://a.test"
    assert site_of("http://a.test:8080/x") == "http://a.test:8080"
