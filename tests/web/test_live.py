"""Live parts: a poll gets its part alone, and nothing while that has not changed."""

import pytest
from django.test import RequestFactory
from django.utils.safestring import mark_safe

from opsboard.probes.models import Shift
from opsboard.web import live

PAGE = """{% partialdef part inline %}<p id="part">{{ word }}</p>{% endpartialdef %} and the rest"""
HIDDEN = '<input type="hidden" name="csrfmiddlewaretoken" value="{}">'

pytestmark = pytest.mark.django_db


@pytest.fixture
def ask(tmp_path, settings):
    """What the page answers to these headers."""
    (tmp_path / "page.html").write_text(PAGE)
    engine = settings.TEMPLATES[0] | {"DIRS": [tmp_path]}
    engine["OPTIONS"] = {"context_processors": []}
    settings.TEMPLATES = [engine]

    def send(word="passing", **headers):
        request = RequestFactory().get("/", headers=headers)
        return live.answer(request, "page.html", {"word": word}, part="part")

    return send


@pytest.fixture
def poll(ask):
    def send(word="passing", tag=""):
        return ask(word, **{"HX-Request": "true", "HX-PTag": tag})

    return send


def test_a_person_gets_the_whole_page(ask):
    assert ask().text == '<p id="part">passing</p> and the rest'


def test_a_poll_gets_the_part_alone(poll):
    response = poll()
    assert (response.text, response.status_code) == ('<p id="part">passing</p>', 200)
    assert response["HX-PTag"]


def test_a_poll_gets_nothing_while_nothing_changed(poll):
    tag = poll()["HX-PTag"]
    response = poll(tag=tag)
    assert (response.text, response.status_code, response["HX-PTag"]) == ("", 304, tag)


def test_a_form_in_the_part_is_not_news(poll):
    tag = poll(mark_safe(HIDDEN.format("one")))["HX-PTag"]
    assert poll(mark_safe(HIDDEN.format("another")), tag).status_code == 304


def test_a_poll_gets_what_changed(poll):
    tag = poll()["HX-PTag"]
    response = poll("failing", tag)
    assert (response.text, response.status_code) == ('<p id="part">failing</p>', 200)
    assert response["HX-PTag"] != tag


def test_a_poll_is_told_when_opsboard_itself_is_not_well(poll):
    assert "Opsboard-Banner" not in poll()
    Shift.objects.create(duty="bell", instance="beat", began_at=0, claimed_at=0)
    response = poll(tag=poll()["HX-PTag"])
    assert response.status_code == 304
    assert response["Opsboard-Banner"].startswith("Nothing has set probes off for")
