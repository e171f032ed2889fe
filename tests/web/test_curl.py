"""What a person pastes becomes one request, or one sentence that says what to change."""

import base64
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsboard.web.curl import LONGEST, Pasted, read_pasted
from opsboard.web.curl_options import UnreadableError

URL = "https://fares.example/price"


def refused(text: str) -> str:
    with pytest.raises(UnreadableError) as told:
        read_pasted(text)
    return str(told.value)


def test_an_address_is_asked_with_get() -> None:
    assert read_pasted(f"  {URL}?from=SK1\n") == Pasted(url=f"{URL}?from=SK1")


def test_a_post_with_headers_and_body_over_several_lines() -> None:
    pasted = read_pasted(
        f"curl -X POST \\\n  -H 'Accept: text/plain' \\\r\n  -d '{{\"to\": \"SK2\"}}' \\\n {URL}"
    )
    assert (pasted.method, pasted.url, pasted.body) == ("POST", URL, '{"to": "SK2"}')
    assert ("Accept", "text/plain") in pasted.headers


@pytest.mark.parametrize(
    ("command", "method"),
    [
        (f"curl {URL}", "GET"),
        (f"curl -d a=1 {URL}", "POST"),
        (f"curl -d '' {URL}", "POST"),
        (f"curl -I {URL}", "HEAD"),
        (f"curl -XPUT -d a {URL}", "PUT"),
        (f"curl --request delete {URL}", "DELETE"),
        (f"curl -G -d a=1 {URL}", "GET"),
        (f"$ curl {URL}", "GET"),
        (f"curl.exe {URL}", "GET"),
    ],
)
def test_the_method_is_the_one_curl_would_use(command: str, method: str) -> None:
    assert read_pasted(command).method == method


def test_data_without_a_type_is_a_form_as_for_curl() -> None:
    pasted = read_pasted(f"curl -d a=1 --data b=2 {URL}")
    assert pasted.body == "a=1&b=2"
    assert pasted.headers == (("Content-Type", "application/x-www-form-urlencoded"),)


def test_json_is_sent_with_its_headers_once() -> None:
    pasted = read_pasted(f"curl --json '{{}}' -H 'Accept: text/html' {URL}")
    assert pasted.method == "POST"
    assert pasted.headers == (("Accept", "text/html"), ("Content-Type", "application/json"))


def test_raw_data_may_begin_with_an_at_sign() -> None:
    assert read_pasted(f"curl --data-raw @home {URL}").body == "@home"


def test_data_to_encode_is_encoded() -> None:
    assert read_pasted(f"curl --data-urlencode 'q=a b&c' {URL}").body == "q=a%20b%26c"


def test_get_moves_the_data_into_the_query() -> None:
    assert read_pasted(f"curl -G -d a=1 -d b=2 '{URL}?c=3'").url == f"{URL}?c=3&a=1&b=2"


def test_user_and_password_become_a_header() -> None:
    encoded = base64.b64encode(b"ana:s3cret").decode()
    pasted = read_pasted(f"curl -u ana:s3cret {URL}")
    assert pasted.headers == (("Authorization", f"Basic {encoded}"),)


def test_cookie_agent_referer_and_bearer_become_headers() -> None:
    pasted = read_pasted(f"curl -b a=1 -A probe/1 -e http://a.test --oauth2-bearer t0 {URL}")
    assert dict(pasted.headers) == {
        "Cookie": "a=1",
        "User-Agent": "probe/1",
        "Referer": "http://a.test",
        "Authorization": "Bearer t0",
    }


def test_redirects_are_followed_as_curl_would() -> None:
    assert not read_pasted(f"curl {URL}").follows_redirects
    assert read_pasted(f"curl -sSL {URL}").follows_redirects
    assert read_pasted(URL).follows_redirects


def test_what_only_concerns_the_terminal_is_left_out() -> None:
    assert read_pasted(f"curl -sS -m 5 -o /dev/null -w '%{{http_code}}' {URL}").url == URL


def test_headers_that_a_probe_writes_itself_are_named() -> None:
    pasted = read_pasted(f"curl -H 'Host: a' -H 'Connection: close' -H 'Accept: b' {URL}")
    assert pasted.left_out == ("Host", "Connection")
    assert pasted.headers == (("Accept", "b"),)


def test_a_browsers_quoting_is_read() -> None:
    pasted = read_pasted(f"curl '{URL}' --data-raw $'it\\'s \\u0041\\n'")
    assert pasted.body == "it's A\n"


def test_an_address_without_a_scheme_is_http_as_for_curl() -> None:
    assert read_pasted("curl fares.example:8080/x").url == "http://fares.example:8080/x"


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("", "Paste an address"),
        (f"curl -k {URL}", "certificate does not verify"),
        (f"curl -sk {URL}", "certificate does not verify"),
        (f"curl --insecure {URL}", "certificate does not verify"),
        (f"curl -d @body.json {URL}", "cannot read the body from your files"),
        (f"curl -F a=b {URL}", "the parts of a form"),
        (f"curl -x proxy:1 {URL}", "uses no proxy"),
        (f"curl {URL} | jq .", "leave out |"),
        (f"curl {URL} > out", "leave out >"),
        (f"curl 'a b {URL}", "not closed"),
        (f"curl {URL} {URL}", "one address"),
        ("curl -s", "the address too"),
        (f"curl {URL} -H", "-H has no value"),
        (f"curl -H nonsense {URL}", "'Name: value'"),
        (f"curl -X PURGE {URL}", "not with PURGE"),
        (f"curl --frobnicate {URL}", "--frobnicate is not known"),
        (f'curl -H "Authorization: Bearer $TOKEN" {URL}', "$TOKEN is a variable of your shell"),
        (f"curl -u ana {URL}", "user:password"),
        ("curl ftp://a.test/", "Only http:// or https://"),
        ("http://ana:s3cret@a.test/", "Take user and password out"),
        (f"{URL} and more", "a space"),
        ("x" * (LONGEST + 1), "64 KiB"),
        (f"curl -d 'a\0' {URL}", "NUL"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_a_sentence(command: str, says: str) -> None:
    assert says in refused(command)


SIGNS = "-X -H -d --json -u -I -G -L -k -F -- - -b @f --data-urlencode --url POST a=1 |"
WORDS = st.one_of(
    st.sampled_from([*SIGNS.split(), "A: b", "$'", "\\", "'", '"', URL]), st.text(max_size=20)
)


def read(text: str) -> Pasted | str:
    """The request, or the sentence that refuses it."""
    try:
        return read_pasted(text)
    except UnreadableError as told:
        return str(told)


@given(st.lists(WORDS, max_size=8), st.booleans())
def test_any_command_is_a_request_or_a_sentence(words: list[str], is_quoted: bool) -> None:
    said = read("curl " + " ".join(shlex.quote(word) if is_quoted else word for word in words))
    assert said.strip() if isinstance(said, str) else said.body.encode() is not None


@given(st.text(max_size=300))
def test_any_text_is_a_request_or_a_sentence(text: str) -> None:
    said = read(text)
    assert said.strip() if isinstance(said, str) else said.url.startswith("http")
