"""How a connection may be made: what of it can be written in a sheet that everybody reads."""

from typing import Any

import pytest

from opsboard.services.connection import check_connection, texts_of

PEM = "-----BEGIN CERTIFICATE-----\nMIIB+/=\n-----END CERTIFICATE-----\n"
KEY = "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n"


def problems(connection: dict[str, Any], kind: str = "http") -> dict[str, str]:
    found = check_connection(kind, connection)
    return {".".join(map(str, one.at)): one.sentence for one in found}


@pytest.mark.parametrize(
    "connection",
    [
        {"http": "2", "ip": 6, "redirects": 0, "compressed": True, "max_body": 16 * 1024 * 1024},
        {"server_name": "fares.example", "host": "fares.example:8443", "authority": PEM + PEM},
        {"certificate": "{{ CERTIFICATE }}", "key": "{{ KEY }}"},
        {"certificate": PEM, "key": "{{KEY}}"},
        {"basic": {"user": "prober", "password": "{{ PASSWORD }}"}},
        {"basic": {"user": "{{ USER }}", "password": "{{ PASSWORD }}"}},
        {"bearer": "{{ TOKEN }}"},
        {"proxy": "http://proxy.internal:3128"},
        {"proxy": "http://{{ PROXY }}:{{ PORT }}"},
        {"form": [["from", "SK1"], ["from", "{{ STOP }}"]]},
    ],
)
def test_these_can_be_written(connection: dict[str, Any]) -> None:
    assert problems(connection) == {}


@pytest.mark.parametrize(
    ("connection", "at", "says"),
    [
        ({"prxy": "x"}, "prxy", "did you mean `proxy`?"),
        ({"http": "3"}, "http", "Write 1.1 or 2."),
        ({"ip": 5}, "ip", "Write 4 or 6."),
        ({"ip": True}, "ip", "Write 4 or 6."),
        ({"redirects": 21}, "redirects", "from 0 to 20"),
        ({"redirects": True}, "redirects", "from 0 to 20"),
        ({"max_body": 16 * 1024 * 1024 + 1}, "max_body", "16 MiB"),
        ({"server_name": "fares.example:1"}, "server_name", "without port"),
        ({"server_name": "{{ name }}"}, "server_name", "capital letters"),
        ({"host": "https://fares.example"}, "host", "Write a host"),
        ({"host": "a b"}, "host", "a space"),
        ({"authority": "MIIB"}, "authority", "-----BEGIN CERTIFICATE-----"),
        ({"authority": "-----BEGIN CERTIFICATE-----\n<x>\n"}, "authority", "in PEM"),
        ({"certificate": PEM + KEY, "key": "{{ KEY }}"}, "certificate", "holds a private key"),
        ({"certificate": PEM, "key": KEY}, "key", "secret variable"),
        ({"certificate": PEM}, "certificate", "needs both certificate and key"),
        ({"key": "{{ KEY }}"}, "key", "needs both certificate and key"),
        ({"bearer": "s3cret"}, "bearer", "make this a secret variable"),
        ({"bearer": "s3cret{{ TOKEN }}"}, "bearer", "make this a secret variable"),
        ({"bearer": "{{ token }}"}, "bearer", "make this a secret variable"),
        ({"basic": {"user": "a", "password": "b"}}, "basic.password", "secret variable"),
        ({"basic": {"user": "a"}}, "basic.password", "secret variable"),
        ({"basic": {"user": "a:b", "password": "{{ P }}"}}, "basic.user", "no colon"),
        ({"basic": {"password": "{{ P }}"}}, "basic.user", "This is empty"),
        ({"proxy": "https://proxy.internal"}, "proxy", "in plain HTTP"),
        ({"proxy": "http://me:word@proxy.internal"}, "proxy", "Take user and password out"),
        ({"proxy": "http://proxy.internal/path"}, "proxy", "as in http://proxy.internal:3128"),
        ({"form": [["", "x"]]}, "form", "needs a name"),
        ({"form": [["a", "x"]] * 101}, "form", "at most 100 fields"),
    ],
)
def test_others_are_refused_with_what_to_do(connection: dict[str, Any], at: str, says: str) -> None:
    found = problems(connection)
    assert says in found[at]
    assert len(found) == 1


def test_one_request_has_one_authorization() -> None:
    both = {"basic": {"user": "a", "password": "{{ P }}"}, "bearer": "{{ T }}"}
    assert "keep basic or bearer" in problems(both)["bearer"]


@pytest.mark.parametrize(
    ("kind", "key"), [("tcp", "server_name"), ("tls", "proxy"), ("dns", "ip"), ("tcp", "bearer")]
)
def test_a_kind_that_has_no_such_option_says_so(kind: str, key: str) -> None:
    assert f"A path of the kind {kind} has no {key}" in problems({key: "x"}, kind)[key]


def test_marks_are_looked_for_in_every_text() -> None:
    connection = {
        "basic": {"user": "{{ A }}", "password": "{{ B }}"},
        "form": [["x", "{{ C }}"]],
        "authority": "{{ D }}",
        "ip": 4,
    }
    found = [text for _, texts in texts_of(connection) for text in texts]
    assert sorted(found) == [f"{{{{ {name} }}}}" for name in "ABCD"]
