"""Every page is found by its links, as script/pages.py follows them."""

from collections.abc import Mapping

from script.pages import Found, crawl, not_reached

HTML = "text/html; charset=utf-8"


def found_in(pages: Mapping[str, str], *, most_of_a_name: int = 9) -> Found:
    def fetch(address: str) -> tuple[int, str, str]:
        if address not in pages:
            return 404, HTML, "<h1>Nothing is here</h1>"
        return 200, HTML if pages[address].startswith("<") else "text/csv", pages[address]

    return crawl(fetch, most_of_a_name=most_of_a_name)


def links(*addresses: str) -> str:
    return "".join(f'<a href="{address}">x</a>' for address in addresses)


def test_pages_are_found_by_the_links_between_them_and_named_by_their_pattern():
    start = links("/teams#a", "https://elsewhere.example/")
    found = found_in({"/": start, "/teams": links("teams/b"), "/teams/b": "<p>"})
    assert [(page.name, page.address) for page in found.pages] == [
        ("board", "/"), ("teams", "/teams"), ("team", "/teams/b"),
    ]  # fmt: skip
    assert found.dead == []


def test_a_link_to_nothing_is_told_with_where_it_stands():
    found = found_in({"/": links("/teams/gone")})
    assert found.dead == ["/teams/gone answers 404; it is linked on /"]


def test_of_a_name_the_first_is_given_and_what_looks_most_unlike_it():
    pages = {"/teams/a": "<p>", "/teams/b": "<p>", "/teams/c": '<p class="st-fail">'}
    found = found_in({"/": links(*pages)} | pages)
    assert found.two_of_each()["team"] == ["/teams/a", "/teams/c"]
    assert found.of_each(3)["team"] == ["/teams/a", "/teams/c"]


def test_of_each_set_of_questions_one_page_is_asked():
    found = found_in({"/": links("/?q=a", "/?q=b", "/?page=2"), "/?q=a": "<p>", "/?page=2": "<p>"})
    assert [page.address for page in found.pages] == ["/", "/?q=a", "/?page=2"]


def test_no_more_of_a_name_are_asked_than_wanted():
    teams = {f"/teams/{number}": "<p>" for number in range(9)}
    assert len(found_in({"/": links(*teams)} | teams, most_of_a_name=4).pages) == 5


def test_what_is_no_page_to_look_at_is_found_and_not_given():
    found = found_in({"/": links("/audit.csv"), "/audit.csv": "at,who"})
    assert "audit-csv" in found.names()
    assert "audit-csv" not in found.of_each(2)


def test_pages_that_no_link_reaches_are_named_and_those_that_only_take_posts_are_none():
    assert not_reached(["teams"])["team"] == "/teams/<slug:team>"
    assert not {"teams", "sign-out", "path-pause", "healthz"} & not_reached(["teams"]).keys()
