"""Markdown that people write: read as text, able to do nothing."""

import pytest

from opsboard.web.prose import MOST_LINES, MOST_MARKS, render, render_line


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("**bold** and `code`", "<p><strong>bold</strong> and <code>code</code></p>"),
        ("one\ntwo", "<p>one<br>\ntwo</p>"),
        ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>"),
        ("<b>bold</b>", "<p>&lt;b&gt;bold&lt;/b&gt;</p>"),
        ("# Head", "<p># Head</p>"),
        ("![not shown]", "<p>![not shown]</p>"),
        (
            "![a](https://far.example/a.png)",
            '<p>!<a href="https://far.example/a.png" rel="noopener noreferrer nofollow">a</a></p>',
        ),
    ],
)
def test_what_is_written_is_what_is_read(text: str, html: str):
    assert render(text).strip() == f'<div class="prose">{html}\n</div>'


@pytest.mark.parametrize(
    "text",
    [
        "<script>x()</script>",
        "<img src=x onerror=x()>",
        "![i](https://far.example/i.png)",
        "[go](javascript:x())",
        "[go](data:text/html,x)",
        "[go](vbscript:x)",
        '<https://a.example/" onclick=x()>',
    ],
)
def test_nothing_that_is_written_can_do_anything(text: str):
    html = str(render(text))
    assert not any(part in html for part in ("<script", "<img", 'href="javascript', 'href="data'))
    assert "onclick=x()>" not in html
    assert 'vbscript:x"' not in html


def test_a_link_tells_its_far_side_nothing():
    assert 'rel="noopener noreferrer nofollow"' in render("[go](https://far.example)")


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("Hold `fares-api` **now**", "Hold <code>fares-api</code> <strong>now</strong>"),
        ("*.sh and *.py of fare_rules_v2", "*.sh and *.py of fare_rules_v2"),
        ("<b>x</b><script>", "&lt;b&gt;x&lt;/b&gt;&lt;script&gt;"),
        ("# 1. not a list", "# 1. not a list"),
        ("[x](javascript:alert(1))", "[x](javascript:alert(1))"),
        ("{{ previous_version }}", "{{ previous_version }}"),
    ],
)
def test_a_line_has_marks_within_it_and_nothing_else(text, html):
    assert render_line(text) == html


NESTED = {
    "a list in one line": "- " * 10_000 + "deepest",
    "numbers in one line": "1. " * 10_000 + "deepest",
    "quotes": "> " * 10_000 + "deepest",
    "a list in lines": "\n".join(" " * (2 * depth) + "- deepest" for depth in range(180)),
    "quotes and lists": "> - " * 30 + "deepest",
}


@pytest.mark.parametrize("text", NESTED.values(), ids=NESTED)
def test_what_is_nested_too_deep_is_shown_as_typed_and_not_left_out(text: str):
    html = render(text)
    assert html.startswith('<div class="prose"><pre>')
    assert html.count("deepest") == text.count("deepest")


def test_nine_lists_in_each_other_are_lists():
    assert render("- " * 9 + "deepest").count("<ul>") == 9


@pytest.mark.parametrize(
    "text",
    [
        "*" * (MOST_MARKS + 1),
        "<https://a.example>" * (MOST_MARKS + 1),
        "- a\n" * (MOST_LINES + 1),
        "> b\n\n" * MOST_LINES,
    ],
)
def test_what_would_take_long_to_read_is_shown_as_typed(text: str):
    html = render(text)
    assert html.startswith('<div class="prose"><pre>')
    assert html.count("\n") == text.count("\n")
