"""What templates write with: shape, then word, then hue; times that machines read too."""

from datetime import UTC, datetime

import pytest
from django.forms import CharField, Form
from django.template import Context, Template

from opsboard.probes.models import microseconds

NOW = datetime(2026, 11, 17, 14, 32, tzinfo=UTC)
THEN = datetime(2026, 11, 17, 14, 9, tzinfo=UTC)


def write(text: str, **context: object) -> str:
    return Template("{% load opsboard %}" + text).render(Context({"now": NOW, **context}))


@pytest.mark.parametrize(
    ("value", "css", "word"),
    [
        ("passing", "pass", "Passing"),
        ("warning", "warn", "Warning"),
        ("failing", "fail", "Failing"),
        ("no_data", "nodata", "No data"),
        ("paused", "paused", "Paused"),
    ],
)
def test_a_state_has_its_own_mark_and_its_own_word(value, css, word):
    assert write("{% state value %}", value=value) == (
        f'<span class="st st-{css}"><svg class="gl st-{css}" aria-hidden="true">'
        f'<use href="#g-{css}"/></svg>{word}</span>'
    )


def test_in_tables_the_passing_word_is_there_but_hidden():
    assert '<span class="vh">Passing</span>' in write("{% state 'passing' quiet=True %}")
    assert "vh" not in write("{% state 'failing' quiet=True %}")


def test_what_is_no_state_cannot_be_drawn_as_one():
    with pytest.raises(ValueError, match="healthy"):
        write("{% state 'healthy' %}")


@pytest.mark.parametrize("then", [THEN, microseconds(THEN)])
def test_a_time_may_be_a_date_or_microseconds(then):
    assert write("{{ then|clock:now }}", then=then) == (
        '<time datetime="2026-11-17T14:09:00Z">14:09</time>'
    )


def test_since_says_when_and_how_long():
    assert write("{{ then|since:now }}", then=THEN) == (
        'since <time datetime="2026-11-17T14:09:00Z">14:09</time>, 23\u00a0min'
    )


def test_a_person_who_was_removed_is_said_to_be_unknown():
    assert write("{{ nobody|person }}", nobody=None) == "somebody unknown"


def test_words_of_a_state_are_escaped():
    assert "&lt;b&gt;" in write("{% state 'failing' words %}", words="<b>")


class Sheet(Form):
    route = CharField(label="Route", help_text="Path and query")


def test_a_field_has_its_label_hint_and_error_tied_to_it():
    text = write("{% field form.route %}", form=Sheet({"route": ""}))
    assert '<label for="id_route">Route' in text
    assert 'aria-invalid="true"' in text
    assert 'aria-describedby="id_route_helptext id_route_error"' in text
    assert 'id="id_route_helptext"' in text
    assert 'id="id_route_error"' in text


def test_the_things_to_fix_are_counted():
    assert write("{% to_fix form %}", form=Sheet({"route": ""})) == "1\u00a0thing to fix first"
    assert write("{% to_fix form %}", form=Sheet()) == ""
