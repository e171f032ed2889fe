"""What the API answers to input that no honest program sends, row by row: B49 to B63."""

import gzip
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from opsboard.people.models import AuditEntry
from tests.api import office
from tests.api.conftest import MakeToken

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.api.office")]

LETTERS = "/api/v1/letters"
GOOD = {"title": "A letter", "at": "2026-11-28T12:00:00Z"}


@pytest.fixture(autouse=True)
def office_is_quiet() -> Iterator[None]:
    office.happens.clear()
    yield
    office.happens.clear()


def send(ask: Client, body: bytes, **more: Any) -> Any:
    more.setdefault("content_type", "application/json")
    return ask.generic("POST", LETTERS, body, **more)


def wrong(response: Any, status: int) -> list[dict[str, str]]:
    assert (response.status_code, response["Content-Type"]) == (status, "application/json")
    assert response["Cache-Control"] == "no-store"
    assert not response.cookies
    assert set(response.json()) == {"errors"}
    errors: list[dict[str, str]] = response.json()["errors"]
    for one in errors:
        assert set(one) <= {"code", "message", "pointer", "field"}
        assert one["message"].endswith((".", "?", "…"))
    assert not AuditEntry.objects.filter(kind="letter").exists()
    return errors


NOT_JSON = {
    "B49 not JSON": (b"result=pass", "not_json"),
    "B49 truncated": (b'{"title": "A let', "not_json"),
    "B49 two values": (b"{}{}", "not_json"),
    "B49 single quotes": (b"{'title': 'A'}", "not_json"),
    "B49 a comma at the end": (b'{"title": "A",}', "not_json"),
    "B49 only white space": (b"  \n", "not_json"),
    "B49 a byte order mark": (b'\xef\xbb\xbf{"title": "A"}', "byte_order_mark"),
    "B49 UTF-16": ('{"title": "A"}'.encode("utf-16"), "not_utf8"),
    "B49 UTF-16 without a mark": ('{"title": "A"}'.encode("utf-16-le"), "not_json"),
    "B49 invalid UTF-8": (b'{"title": "\xff"}', "not_utf8"),
    "B49 an overlong form": (b'{"title": "\xc0\xaf"}', "not_utf8"),
    "B49 a lone surrogate": (b'{"title": "\\ud800"}', "lone_surrogate"),
    "B49 a lone surrogate in a key": (b'{"\\udfff": 1}', "lone_surrogate"),
    "B49 U+0000": (b'{"title": "\\u0000"}', "null_character"),
    "B49 a raw U+0000": (b'{"title": "\x00"}', "not_json"),
    "B50 NaN": (b'{"title": NaN}', "not_a_number"),
    "B50 Infinity": (b'{"title": Infinity}', "not_a_number"),
    "B50 -Infinity": (b'{"title": -Infinity}', "not_a_number"),
    "B50 1e999": (b'{"title": 1e999}', "number_too_large"),
    "B50 -1e999": (b'{"title": [-1e999]}', "number_too_large"),
    "B51 a key twice": (b'{"result": "fail", "result": "pass"}', "key_twice"),
    "B51 a key twice, deeper": (b'{"counts": {"a": 1, "a": 1}}', "key_twice"),
    "B51 a key twice, once escaped": (b'{"result": "a", "\\u0072esult": "b"}', "key_twice"),
    "B52 200,000 brackets": (b"[" * 200_000, "too_deep"),
    "B52 40,000 objects in each other": (b'{"a":' * 40_000, "too_deep"),
    "B52 21 deep": (b"[" * 21 + b"]" * 21, "too_deep"),
    "B53 an integer of 5,000 digits": (b'{"title": ' + b"9" * 5_000 + b"}", "number_too_long"),
    "B53 an integer of 65 bits": (b'{"title": 9223372036854775808}', "number_too_large"),
    "B53 a fraction of 5,000 digits": (b'{"a": 0.' + b"1" * 5_000 + b"}", "number_too_large"),
}


@pytest.mark.parametrize(("body", "code"), NOT_JSON.values(), ids=NOT_JSON)
def test_a_body_that_is_not_strictly_json_is_refused(ask: Client, body: bytes, code: str) -> None:
    [error] = wrong(send(ask, body), 400)
    assert error["code"] == code
    assert "pointer" in error


def test_where_the_body_is_wrong_is_said(ask: Client) -> None:
    [error] = wrong(send(ask, b'{"lines": [{}, {"a/b~": "\\ud800"}]}'), 400)
    assert error["pointer"] == "/lines/1/a~1b~0"


@pytest.mark.parametrize(
    ("size", "status"),
    [(256 * 1024, 201), (256 * 1024 + 1, 413)],
    ids=["just fits", "B54 a byte more"],
)
def test_a_body_has_at_most_256_kib(ask: Client, size: int, status: int) -> None:
    body = json.dumps(GOOD).encode()
    response = send(ask, body + b" " * (size - len(body)))
    assert response.status_code == status
    if status == 413:
        assert response.json()["errors"][0]["code"] == "too_large"


class Input:
    """What a test puts in the place of the connection."""

    def readline(self, size: int = -1) -> bytes:
        return self.read(size)

    def read(self, size: int = -1) -> bytes:
        raise OSError("the client went away")


class Unreadable(Input):
    """A connection on which nothing may be read."""

    def read(self, size: int = -1) -> bytes:
        raise AssertionError(f"{size} bytes were read")


def test_b54_a_body_that_is_too_large_is_not_read(ask: Client) -> None:
    answer = ask.generic(
        "POST",
        LETTERS,
        b"{}",
        "application/json",
        CONTENT_LENGTH=str(100 << 20),
        **{"wsgi.input": Unreadable()},
    )
    [error] = wrong(answer, 413)
    assert error["code"] == "too_large"
    assert answer["Connection"] == "close"


class Endless(Input):
    """A body in chunks, as the servers hand it on: it has no length, and this one no end."""

    def __init__(self) -> None:
        self.given = 0

    def read(self, size: int = -1) -> bytes:
        assert size > 0
        self.given += size
        return b" " * size


def test_b54_a_body_in_chunks_is_read_up_to_the_limit_only(ask: Client) -> None:
    body = Endless()
    more = {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input": body, "wsgi.input_terminated": True}
    [error] = wrong(
        ask.generic("POST", LETTERS, b"", "application/json", CONTENT_LENGTH="", **more), 413
    )
    assert (error["code"], body.given) == ("too_large", 256 * 1024 + 1)


def test_b54_chunks_that_the_server_does_not_unpack_are_refused(ask: Client) -> None:
    more = {"HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_LENGTH": ""}
    [error] = wrong(send(ask, b"", **more), 411)
    assert error["code"] == "no_length"


def test_b54_a_body_that_ends_early_is_refused(ask: Client) -> None:
    answer = ask.generic("POST", LETTERS, b"{}", "application/json", **{"wsgi.input": Input()})
    assert wrong(answer, 400)[0]["code"] == "cut_off"


@pytest.mark.parametrize("name", ["gzip", "deflate", "br", "x-unknown", "gzip, identity"])
def test_b55_a_packed_body_is_not_unpacked(ask: Client, name: str) -> None:
    bomb = gzip.compress(b" " * 10_000_000)
    assert wrong(send(ask, bomb, HTTP_CONTENT_ENCODING=name), 415)[0]["code"] == "encoded"


@pytest.mark.parametrize(
    "content_type",
    [
        *("text/plain", "", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"),
        *("application/jsonp", "application/json; charset=utf-16", "application/xml"),
    ],
)
def test_b56_another_content_type_is_refused(ask: Client, content_type: str) -> None:
    answer = send(ask, json.dumps(GOOD).encode(), content_type=content_type)
    assert wrong(answer, 415)[0]["code"] == "not_json"


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "Application/JSON"])
def test_json_may_say_that_it_is_utf8(ask: Client, content_type: str) -> None:
    assert send(ask, json.dumps(GOOD).encode(), content_type=content_type).status_code == 201


def test_b57_every_mistake_is_named_at_once_where_it_stands(ask: Client) -> None:
    body = {
        "resutl": "pass",
        "commit": 7,
        "counts": {"passed": "3", "faild": 1, "failed": -1},
        "lines": [{"passed": 1}, {"passed": 1.5}, 7],
    }
    errors = wrong(send(ask, json.dumps(body).encode()), 422)
    said = {(one["pointer"], one["code"]): one["message"] for one in errors}
    assert said == {
        ("/title", "missing"): "This field is missing.",
        ("/resutl", "unknown_field"): "There is no field of this name: did you mean `result`?",
        ("/commit", "wrong_type"): "Write a text, in quotes.",
        ("/counts/passed", "wrong_type"): "Write a whole number.",
        (
            "/counts/faild",
            "unknown_field",
        ): "There is no field of this name: did you mean `failed`?",
        ("/counts/failed", "out_of_bounds"): "Write 0 or more.",
        ("/lines/1/passed", "wrong_type"): "Write a whole number.",
        ("/lines/2", "wrong_type"): "Write an object: { … }.",
    }


@pytest.mark.parametrize("body", [b"[]", b"null", b'"title"', b"7", b"true"])
def test_b57_a_body_that_is_no_object_is_refused(ask: Client, body: bytes) -> None:
    [error] = wrong(send(ask, body), 422)
    assert (error["pointer"], error["message"]) == ("", "Write an object: { … }.")


def test_b57_no_body_at_all_is_a_body_that_is_missing(ask: Client) -> None:
    [error] = wrong(send(ask, b""), 422)
    assert (error["pointer"], error["message"]) == ("", "Send a body: this operation needs one.")


WRONG_VALUES = {
    "B60 a time without a zone": ("at", "2026-11-28T12:00:00", "no_zone"),
    "B60 1970": ("at", "1970-01-01T00:00:00Z", "out_of_time"),
    "B60 the year 9999": ("at", "9999-12-31T23:59:59-23:59", "out_of_time"),
    "B60 the year 1": ("at", "0001-01-01T00:00:00+23:59", "out_of_time"),
    "B60 a number": ("at", 1_780_000_000, "not_a_time"),
    "B60 a day": ("at", "2026-11-28", "not_a_time"),
    "B60 no such day": ("at", "2026-02-30T12:00:00Z", "not_a_time"),
    "B60 a word": ("at", "tomorrow", "not_a_time"),
    "B60 a commit that is not hexadecimal": ("commit", "g" * 40, "wrong_form"),
    "B60 a commit with a line break": ("commit", "a" * 40 + "\n", "wrong_form"),
    "B60 half a commit": ("commit", "a" * 7, "wrong_form"),
    "B60 a line break in a line": ("title", "main\nforged: yes", "not_one_line"),
    "B60 a line that turns around": ("title", "ma\u202ein", "not_one_line"),
    "B60 an empty line": ("title", "  ", "too_short"),
}


@pytest.mark.parametrize(("name", "value", "code"), WRONG_VALUES.values(), ids=WRONG_VALUES)
def test_values_that_cannot_be_are_refused(ask: Client, name: str, value: Any, code: str) -> None:
    [error] = wrong(send(ask, json.dumps(GOOD | {name: value}).encode()), 422)
    assert (error["pointer"], error["code"]) == (f"/{name}", code)


# B58: tokens -----------------------------------------------------------------------------------


def test_b58_whatever_is_wrong_with_a_token_is_answered_alike(
    make_token: MakeToken, editor: User, ask: Client
) -> None:
    now = timezone.now()
    revoked, shown = make_token()
    revoked.revoked_at = now
    revoked.save()
    _, expired = make_token(now=now - timedelta(days=9), expires_at=now - timedelta(seconds=1))
    good = make_token()[1]
    headers = {
        "none": None,
        "empty": "",
        "another kind": f"Basic {good}",
        "no kind": good,
        "garbled": f"Bearer {good[:-1]}",
        "with a wrong checksum": f"Bearer {good[:-1]}{'0' if good[-1] != '0' else '1'}",
        "unknown": "Bearer obs_ci_" + "a" * 30 + "_000000",
        "not ASCII": "Bearer obs_ci_ü",
        "two": f"Bearer {good} {good}",
        "revoked": f"Bearer {shown}",
        "expired": f"Bearer {expired}",
    }
    for name, written in headers.items():
        client = Client(headers={"Authorization": written} if written is not None else {})
        answer = client.get("/api/v1/teams")
        [error] = wrong(answer, 401)
        assert error == {
            "code": "no_token",
            "message": "Send a valid token: Authorization: Bearer obs_ci_…",
        }, name
        assert answer["WWW-Authenticate"] == 'Bearer realm="Opsboard"'


def test_b58_a_session_opens_no_door_of_the_api(administrator: User) -> None:
    client = Client()
    client.force_login(administrator)
    wrong(client.get("/api/v1/teams"), 401)


def test_b58_a_refused_token_is_noted_by_its_prefix_only(make_token: MakeToken) -> None:
    token, shown = make_token()
    token.revoked_at = timezone.now()
    token.save()
    Client(headers={"Authorization": f"Bearer {shown}"}).get("/api/v1/teams")
    [entry] = AuditEntry.objects.filter(kind="token")
    assert (entry.act, entry.subject, entry.who) == (
        "refused",
        f"{token.prefix}…",
        f"{token.prefix}…",
    )
    assert entry.address == "127.0.0.1"
    assert shown not in str(list(AuditEntry.objects.values()))


def test_b58_other_scopes_services_and_gates_are_forbidden(
    make_token: MakeToken, ask_with: Any
) -> None:
    ask = ask_with(make_token(["read"], services=["fares-api"], gates=["unit"])[1])
    assert wrong(send(ask, json.dumps(GOOD).encode()), 403)[0]["code"] == "forbidden"
    assert ask.get("/api/v1/services/fares-api/gates/unit").status_code == 200
    [other] = wrong(ask.get("/api/v1/services/crew-api/gates/unit"), 403)
    assert other["message"] == "This token is not for crew-api."
    [gate] = wrong(ask.get("/api/v1/services/fares-api/gates/lint"), 403)
    assert gate["message"] == "This token is not for the gate lint."


# B62: methods and addresses --------------------------------------------------------------------


@pytest.mark.parametrize(
    "method", ["PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "PROPFIND", "get"]
)
def test_b62_a_method_that_is_not_known_is_refused(ask: Client, method: str) -> None:
    if method == "get":
        method, address, allowed = "GET", LETTERS, "OPTIONS, POST"
    else:
        address, allowed = "/api/v1/teams", "GET, HEAD, OPTIONS, POST"
    answer = ask.generic(method, address)
    assert wrong(answer, 405)[0]["code"] == "wrong_method"
    assert answer["Allow"] == allowed


@pytest.mark.parametrize("header", ["X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method"])
def test_b62_a_method_is_not_overridden(ask: Client, header: str) -> None:
    wrong(ask.generic("POST", "/api/v1/teams?_method=GET"), 400)
    answer = ask.generic("POST", "/api/v1/teams", headers={header: "GET"})
    assert wrong(answer, 403)[0]["message"] == "This token does not allow: apply."


def test_b62_head_is_answered_as_get_and_options_without_a_body(ask: Client) -> None:
    head, options = ask.head("/api/v1/teams"), ask.options(LETTERS)
    assert (head.status_code, head.content) == (200, b"")
    assert (options.status_code, options.content) == (204, b"")
    assert options["Allow"] == "OPTIONS, POST"


@pytest.mark.parametrize(
    "address",
    [
        *("/api/v1", "/api/v1/", "/api/v1/letters/", "/api/v1/teams/", "/api/v1//teams"),
        *("/api/v1/nothing", "/api/v1/services/a%2Fb", "/api/v1/openapi.json/", "/api/v1/%0A"),
        *("/api/v1/docs", "/api/v1/Letters", "/api/v1/teams%0A"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_b62_an_unknown_address_is_never_a_redirect(ask: Client, address: str, method: str) -> None:
    assert wrong(ask.generic(method, address), 404)[0]["code"] == "not_found"


def test_b62_what_comes_unencrypted_is_refused_and_not_redirected(
    ask: Client, settings: Any
) -> None:
    settings.SECURE_SSL_REDIRECT = True
    assert wrong(send(ask, b"{}"), 403)[0]["code"] == "not_encrypted"
    assert wrong(ask.get("/api/v1/openapi.json"), 403)[0]["code"] == "not_encrypted"
    assert ask.get("/api/v1/teams", secure=True).status_code == 200


# B63: parameters -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "query",
    [
        *("owner__password__startswith=a", "order_by=name", "name__contains=a", "nam=a", "pk=1"),
        *("slug=a", "limit=1&limit=2", "=", "%00=1", "name=%00", "LIMIT=1", "$where=1"),
    ],
)
def test_b63_only_named_parameters_are_taken(ask: Client, query: str) -> None:
    wrong(ask.get(f"/api/v1/teams?{query}"), 400)


def test_b63_a_parameter_that_is_misspelt_is_told_its_name(ask: Client) -> None:
    [error] = wrong(ask.get("/api/v1/teams?limt=1"), 400)
    assert error == {
        "code": "unknown_parameter",
        "message": "There is no parameter of this name: did you mean `limit`?",
        "field": "limt",
    }


def test_b63_very_many_parameters_are_refused(ask: Client) -> None:
    wrong(ask.get("/api/v1/teams?" + "&".join(f"a{n}=1" for n in range(1000))), 400)


def test_an_operation_without_a_body_refuses_one(
    make_token: MakeToken, ask_with: Any, administrator: User
) -> None:
    ask = ask_with(make_token(["apply"], by=administrator)[1])
    assert ask.generic("POST", "/api/v1/teams", b"{}", "application/json").status_code == 200
    [error] = wrong(ask.generic("POST", "/api/v1/teams", b'{"a": 1}', "application/json"), 422)
    assert error["message"] == "This operation takes no body: leave it out."


def test_a_body_that_a_get_carries_is_not_read(ask: Client) -> None:
    answer = ask.generic("GET", "/api/v1/teams", b"\xff{", "text/plain")
    assert answer.status_code == 200
