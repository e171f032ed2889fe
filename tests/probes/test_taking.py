"""What is taken from one reply goes into the next request as itself, and nowhere else."""

import json
from urllib.parse import parse_qs, unquote, urlsplit

from hypothesis import given
from hypothesis import strategies as st

from opsboard.outbound.targets import read_target
from opsboard.probes.taking import CannotPutError, Slot, Taken, Use, fill, fill_address, mask

URL = "http://shop.example/login"
ANY = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60)


def taken(value: str) -> dict[str, Taken]:
    return {"token": Taken(value, URL)}


@given(value=ANY)
def test_any_text_stays_itself_in_json(value: str):
    text = ('{"a": "<', Slot("token", Use.IN_JSON_TEXT), '>", "b": ', Slot("token", Use.JSON_VALUE))
    read = json.loads(fill((*text, "}"), taken(value)))
    assert read == {"a": f"<{value}>", "b": value}


@given(value=ANY)
def test_any_text_stays_one_segment_and_one_parameter_of_an_address(value: str):
    slot = Slot("token", Use.ADDRESS)
    url = fill(("http://shop.example/a/", slot, "/b?of=", slot, "&c=d"), taken(value))
    parts = urlsplit(url)
    assert [unquote(part) for part in parts.path.split("/")] == ["", "a", value, "b"]
    assert parse_qs(parts.query) == {"of": [value], "c": ["d"]}
    assert (parts.netloc, parts.fragment) == ("shop.example", "")


PIECES = ["http:", "https:", "/", "//", "\\", "@", ":80", "shop.example", "evil.example", "..", "?"]
ADDRESSES = st.lists(st.sampled_from(PIECES), min_size=1, max_size=6).map("".join)


@given(value=ADDRESSES | ANY)
def test_no_address_leads_to_another_site(value: str):
    try:
        url = fill_address((Slot("token", Use.WHOLE_ADDRESS),), taken(value))
    except CannotPutError:
        return
    assert read_target(url.encode()).origin == ("http", "shop.example", 80)


@given(
    value=st.text("ab", min_size=17, max_size=60),
    before=st.text("c", max_size=20),
    cut=st.integers(17, 80),
)
def test_nothing_of_a_value_is_left_where_a_text_was_cut(value: str, before: str, cut: int):
    text = f"{before}{value}"[: len(before) + cut]
    assert mask(text, taken(value)) == f"{before}[token]"


def test_values_too_short_to_be_a_secret_are_left():
    assert mask("status is 201", taken("201")) == "status is 201"
    assert mask("true and 1742", {"id": Taken("1742", URL), "ok": Taken("true", URL)}) == (
        "true and [id]"
    )
