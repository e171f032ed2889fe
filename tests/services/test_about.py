"""Links, tags and facts of a service, and circles among those that depend on each other."""

import pytest

from opsboard.services.about import check_fact, check_link, check_tag, circle_in, circle_words


def test_a_link_leads_to_an_address_and_may_point_into_its_page():
    assert check_link("Runbook", "https://wiki.example/fares#restart") == ""


@pytest.mark.parametrize("url", ["javascript:alert(1)", "ftp://files.example", "wiki.example", ""])
def test_a_link_to_anything_else_is_refused(url):
    assert "http:// or https://" in check_link("Runbook", url)


def test_a_link_without_a_name_is_refused():
    assert "Say what the link leads to" in check_link("", "https://wiki.example")


@pytest.mark.parametrize("tag", ["booking", "booking-flow", "python-3.13"])
def test_tags_are_small_words(tag):
    assert check_tag(tag) == ""


@pytest.mark.parametrize("tag", ["", "Booking", "two words", "a" * 61, "-a"])
def test_other_tags_are_refused(tag):
    assert "small letters" in check_tag(tag)


def test_facts_are_texts_lists_and_texts_by_key():
    assert check_fact("Data class", "internal") == ""
    assert check_fact("Regions", ["oslo", "bergen"]) == ""
    assert check_fact("Ports", {"http": "8000", "metrics": "9100"}) == ""


@pytest.mark.parametrize(
    "value", ["two\nlines", ["fine", "turned \u202e around"], {"a\x00": "b"}, "x" * 301]
)
def test_facts_that_pages_cannot_show_are_refused(value):
    assert check_fact("Data class", value) != ""


def test_a_service_that_calls_itself_is_a_circle():
    assert circle_in({"fares-api": ["fares-api"]}, "fares-api") == ["fares-api", "fares-api"]


def test_a_long_circle_is_told_from_its_start():
    depends_on = {
        "fares-api": ["fares-db", "sailings"],
        "sailings": ["clock"],
        "clock": ["fares-api"],
    }
    circle = circle_in(depends_on, "fares-api")
    assert circle == ["fares-api", "sailings", "clock", "fares-api"]
    assert circle_words(circle) == (
        "fares-api calls sailings, which calls clock, which calls fares-api"
    )


def test_two_ways_to_one_service_are_no_circle():
    depends_on = {"booking": ["fares", "sailings"], "fares": ["clock"], "sailings": ["clock"]}
    assert circle_in(depends_on, "booking") == []


def test_a_circle_elsewhere_is_not_the_circle_of_this_one():
    assert (
        circle_in({"booking": ["fares"], "fares": ["clock"], "clock": ["fares"]}, "booking") == []
    )
