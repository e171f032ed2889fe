"""A letter as the HTML of an e-mail: no images, no scripts, nothing loaded from anywhere. Pure.

Everything that is put in is escaped here; nothing comes as HTML.
"""

from collections.abc import Iterable
from html import escape

from opsboard.alerts.letters import Fact, Letter, Link, Part, Step, Way

# Mail programs that drop it show plain HTML, which reads well too.
STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:42em;margin:1em auto;padding:0 1em}"
    "th{text-align:left;vertical-align:top;padding:0 1em .3em 0;font-weight:600}"
    "td{vertical-align:top;padding:0 0 .3em}"
    "h2{font-size:1.1em;margin:1.2em 0 .3em}h3{font-size:1em;margin:1.5em 0 .3em}"
    "pre{background:#8882;padding:.5em;white-space:pre-wrap;overflow-wrap:anywhere;margin:.3em 0}"
)


def render(letter: Letter) -> str:
    """A whole document."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(letter.subject)}</title><style>{STYLE}</style></head>\n"
        f"<body>\n{body(letter)}\n</body></html>\n"
    )


def body(letter: Letter) -> str:
    """What stands between the tags of its body: for a page that shows it, too."""
    is_alone = len(letter.parts) == 1 and not letter.lead
    blocks = [_sentence(letter.lead)] if letter.lead else []
    blocks.append(_table(letter.counts))
    for part in letter.parts:
        blocks.append("" if is_alone else f"<h3>{escape(part.heading)}</h3>")
        blocks += _part(part)
    blocks.append(_links(letter.links))
    return "\n".join(block for block in blocks if block)


def _part(part: Part) -> list[str]:
    return [
        _sentence(part.lead),
        _way(part.way) if part.way else "",
        _table(part.facts),
        _links(part.links),
    ]


def _sentence(text: str) -> str:
    return f"<p><strong>{escape(text)}</strong></p>"


def _way(way: Way) -> str:
    title = escape(way.title)
    linked = f'<a href="{escape(way.url)}">{title}</a>' if way.url else title
    if not way.steps and not way.facts:
        return f"<p>{escape(way.label)}: {linked}</p>"
    steps = "\n".join(_step(step) for step in way.steps)
    return (
        f"<h2>{escape(way.label)}: {linked}</h2>\n{_table(way.facts)}\n"
        f"{f'<ol>{steps}</ol>' if steps else ''}"
    )


def _step(step: Step) -> str:
    after = []
    if step.see:
        after.append(f"You should see: {escape(step.see)}")
    if step.call:
        after.append(f"If it fails, call: {escape(step.call)}")
    if step.run:
        # A block of its own: what follows begins a line without a break.
        code = f"<pre><code>{escape(step.run)}</code></pre>"
        return f"<li>{escape(step.do)}{code}{'<br>'.join(after)}</li>"
    return f"<li>{'<br>'.join([escape(step.do), *after])}</li>"


def _table(facts: Iterable[Fact]) -> str:
    rows = "".join(
        f"<tr><th>{escape(fact.label)}</th><td>{escape(fact.value)}</td></tr>\n" for fact in facts
    )
    return f"<table>{rows}</table>" if rows else ""


def _links(links: Iterable[Link]) -> str:
    shown = [f'<a href="{escape(link.url)}">{escape(link.text)}</a>' for link in links]
    return f"<p>{' &middot; '.join(shown)}</p>" if shown else ""
