"""Links, tags and facts as lines of a form: read back as they were written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsboard.services.about import check_fact, check_link
from opsboard.services.about_lines import (
    read_facts,
    read_links,
    read_tags,
    write_facts,
    write_links,
    write_tags,
)

FACTS = """Data class: internal
Ports:
  http: 8000
  metrics: 9100
Regions:
- oslo
- bergen: west"""


def test_facts_are_texts_lists_and_texts_by_key():
    facts, errors = read_facts(FACTS)
    assert errors == []
    assert facts == {
        "Data class": "internal",
        "Regions": ["oslo", "bergen: west"],
        "Ports": {"http": "8000", "metrics": "9100"},
    }
    assert write_facts(facts) == FACTS


def test_links_keep_their_order_and_the_place_in_their_page():
    text = "Runbook: https://wiki.example/fares#restart\nRepository: https://git.example/fares"
    links, errors = read_links(text)
    assert errors == []
    assert [link["name"] for link in links] == ["Runbook", "Repository"]
    assert write_links(links) == text


@pytest.mark.parametrize("text", ["booking python", "booking,python", " booking ,\n python "])
def test_tags_stand_between_commas_or_spaces(text):
    assert read_tags(text) == (["booking", "python"], [])
    assert write_tags(["booking", "python"]) == "booking, python"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Runbook", "Line 1: Write a name and an address"),
        ("https://wiki.example", "Line 1: Write a name and an address"),
        ("Runbook: javascript:alert(1)", "Line 1: Only http:// or https://"),
        ("\nA: https://a.test\nA: https://b.test", "Line 3: A stands here twice"),
        ("\n".join(f"L{n}: https://a.test" for n in range(21)), "at most 20 links"),
    ],
)
def test_a_link_that_is_wrong_is_told_with_its_line(text, says):
    assert says in " ".join(read_links(text)[1])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("internal", "Line 1: Write a name and its value"),
        ("Data class:", "Line 1: Data class has no value"),
        ("- oslo", "Line 1: Write the name of a list above it"),
        ("Regions: oslo\n- bergen", "Line 2: Write the name of a list above it"),
        ("Regions:\n- oslo\n  http: 1", "Line 3: Regions is a list"),
        ("Ports:\n  http: 1\n- oslo", "Line 3: Ports has texts by key"),
        ("Ports:\n  http: 1\n  http: 2", "Line 3: http stands in Ports twice"),
        ("A: b\nA: c", "Line 2: A stands here twice"),
        ("A: " + "x" * 301, "Line 1: At most 300"),
        ("A: \u202eb", "Line 1: This holds a character that reverses"),
    ],
)
def test_a_fact_that_is_wrong_is_told_with_its_line(text, says):
    assert says in " ".join(read_facts(text)[1])


def test_tags_that_are_wrong_are_told():
    assert "Booking: A tag has small letters" in read_tags("Booking")[1][0]


TEXTS = st.text("ab:- ,#\u00a0é\u2028", min_size=1, max_size=6)
VALUES = st.one_of(
    TEXTS,
    st.lists(TEXTS, min_size=1, max_size=3),
    st.dictionaries(TEXTS, TEXTS, min_size=1, max_size=3),
)


@given(facts=st.dictionaries(TEXTS, VALUES, max_size=5))
def test_what_is_written_is_read_back(facts):
    kept = {name: value for name, value in facts.items() if check_fact(name, value) == ""}
    assert read_facts(write_facts(kept)) == (kept, [])


@given(name=TEXTS)
def test_whatever_a_link_is_called_is_read_back(name):
    link = {"name": name, "url": "https://wiki.example/a?b=c:d#e"}
    if check_link(name, link["url"]) == "":
        assert read_links(write_links([link])) == ([link], [])


@given(text=st.text(max_size=200))
def test_whatever_is_typed_is_read_or_told(text):
    for read in (read_facts, read_links, read_tags):
        read(text)
