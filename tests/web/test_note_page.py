"""Reading rollback notes: one with its versions, two compared, and the list of them all."""

from datetime import UTC, datetime, timedelta

import pytest

from opsboard.rollbacks.models import RollbackNote
from opsboard.services.models import Service
from opsboard.web.note_diff import compare_lines
from tests.web.standing import a_path, a_service, text_of

HERE = "/services/fares-api/rollback-note"
NOW = datetime.now(UTC)


@pytest.fixture(autouse=True)
def _the_clock_stands(monkeypatch):
    """However long after this file was read a test runs."""
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)


@pytest.fixture
def fares(db: None) -> Service:
    return a_service("fares-api")


@pytest.fixture
def note(fares, editor) -> RollbackNote:
    """Three versions; the third goes back further and takes less time."""
    made = RollbackNote.objects.create(service=fares)
    go_back = {"do": "Go back", "run": "ferryctl deploy --to 1", "see": "6 healthy", "call": ""}
    flush = {"do": "Flush the cache", "run": "ferryctl flush", "see": "", "call": "Mirela Dobre"}
    for number, (title, minutes, steps, reason) in enumerate([
        ("Go back one release", 10, [], "First version"),
        ("Go back one release", 6, [go_back], "Adds the step"),
        ("Go back and flush", 4, [go_back, flush], "Adds the cache flush"),
    ]):  # fmt: skip
        made.write(
            title=title, use_when="Prices **fail**", does_not_undo="Fares changed by hand",
            minutes=minutes, steps=steps, reason=reason, by=editor,
            now=NOW - timedelta(days=30 - 10 * number), base=number,
        )  # fmt: skip
    return made


@pytest.fixture
def read(client_of):
    return lambda query="", role="viewer": client_of(role).get(HERE + query).text


def test_the_newest_version_is_shown_with_all_it_says(note, read):
    page = text_of(read())
    assert "Go back and flush" in page
    assert "2 steps, about 4 min. Version 3, in use. Written by Edith Moe" in page
    assert "Adds the cache flush." in page
    assert "Use it when Prices fail It does not undo Fares changed by hand" in page
    assert "Flush the cache ferryctl flushCopy command of step 2" in page
    assert "If it fails, call: Mirela Dobre" in page
    assert "<strong>fail</strong>" in read()


def test_an_older_version_says_that_it_is_not_in_use(note, read):
    page = text_of(read("?version=2"))
    assert "Version 2, not in use any more" in page
    assert "Show version 3, in use" in page
    assert "ferryctl flush" not in page


def test_versions_say_who_wrote_them_and_why(note, read):
    page = text_of(read().partition('id="vh-h"')[2])
    assert page.index("Version 3in use") < page.index("Version 2") < page.index("Version 1")
    assert "First version. Edith Moe," in page


@pytest.mark.parametrize("query", ["?compare=2,3", "?compare=3,2", "?compare=2&compare=3"])
def test_two_versions_are_compared_the_older_first(note, read, query):
    page = text_of(read(query).partition('id="diff-h"')[2].partition("</section>")[0])
    assert "Changes from version 2 to version 3" in page
    assert "Removed: Go back one release" in page
    assert "Added: Go back and flush" in page
    assert "Removed: 6 min" in page
    assert "Added: 4 min" in page
    assert "1. Go back" in page
    assert "Added: 2. Flush the cache" in page
    # What both say alike is no difference.
    assert "Use it when" not in page


def test_a_version_compared_with_itself_says_the_same(note, read):
    assert "The two say the same." in read("?compare=2,2")


@pytest.mark.parametrize("query", ["?version=9", "?version=x", "?compare=1,9", "?compare=1"])
def test_a_version_that_never_was_is_not_found(note, client_of, query):
    assert client_of("viewer").get(HERE + query).status_code == 404


def test_without_a_note_the_page_says_what_belongs_there(fares, read):
    page = read(role="editor")
    assert "No rollback note for fares-api yet" in page
    assert f'href="{HERE}/edit"' in page
    assert "Write the rollback note" not in read()


def test_a_path_without_its_own_note_names_the_one_of_its_service(note, fares, client_of):
    a_path(fares)
    page = client_of("viewer").get("/services/fares-api/price-a-crossing/rollback-note").text
    assert "No rollback note for Price a crossing yet" in page
    assert "the note of fares-api is used" in page
    assert f'href="{HERE}"><b>Go back and flush</b>' in page


def test_a_path_has_a_note_of_its_own(note, fares, client_of):
    own = RollbackNote.objects.create(service=fares, path=a_path(fares))
    own.write(
        title="Empty the fare tables", use_when="", does_not_undo="", minutes=None, steps=[],
        reason="", by=None, now=NOW,
    )  # fmt: skip
    page = text_of(
        client_of("viewer").get("/services/fares-api/price-a-crossing/rollback-note").text
    )
    assert "Empty the fare tables" in page
    assert "No steps are written yet." in page
    assert "Written by somebody unknown" in page


def test_only_an_editor_is_offered_to_edit(note, read):
    assert "Edit note" in read(role="editor")
    assert "Edit note" not in read()


def test_unknown_services_and_paths_are_not_found(note, client_of):
    assert client_of("viewer").get("/services/nothing/rollback-note").status_code == 404
    assert client_of("viewer").get("/services/fares-api/nothing/rollback-note").status_code == 404


def test_the_list_names_services_without_a_note_on_top(note, client_of):
    a_service("xyz")
    page = client_of("editor").get("/rollback-notes").text
    read = text_of(page)
    assert "1 service of 2 has no rollback note" in read
    assert page.index('href="/services/xyz"') < page.index("Go back and flush")
    assert "Go back and flush fares-api fares-api 3" in read
    assert "10 days Edith Moe" in read
    assert 'href="/services/xyz/rollback-note/edit"' in page
    assert "Write one" not in client_of("viewer").get("/rollback-notes").text


def test_the_list_takes_as_many_queries_for_many_notes(
    note, client_of, django_assert_max_num_queries
):
    for number in range(20):
        service = a_service(f"service-{number}")
        made = RollbackNote.objects.create(service=service)
        made.write(
            title="Go back", use_when="", does_not_undo="", minutes=None, steps=[], reason="",
            by=None, now=NOW,
        )  # fmt: skip
    client = client_of("viewer")
    # Two of them for the notes; the others are of signing in and of what every page has.
    with django_assert_max_num_queries(9):
        assert client.get("/rollback-notes").text.count("Go back</a>") == 20


def test_a_note_of_one_path_is_not_the_way_back_of_its_service(fares, client_of):
    own = RollbackNote.objects.create(service=fares, path=a_path(fares))
    own.write(
        title="Empty the fare tables", use_when="", does_not_undo="", minutes=None, steps=[],
        reason="", by=None, now=NOW,
    )  # fmt: skip
    page = text_of(client_of("viewer").get("/rollback-notes").text)
    assert "1 service of 1 has no rollback note" in page
    assert "Empty the fare tables fares-api, Price a crossing fares-api Price a crossing 1" in page


def test_a_note_that_was_begun_and_never_written_counts_as_none(fares, client_of):
    RollbackNote.objects.create(service=fares)
    assert "1 service of 1 has no rollback note" in client_of("viewer").get("/rollback-notes").text
    assert "No rollback note for fares-api yet" in client_of("viewer").get(HERE).text


def test_lines_keep_their_order_and_what_was_removed_comes_before_what_was_added():
    lines = compare_lines(["a", "b", "c"], ["a", "x", "c", "d"])
    assert [(line.sign, line.text) for line in lines] == [
        ("same", "a"), ("del", "b"), ("add", "x"), ("same", "c"), ("add", "d"),
    ]  # fmt: skip
